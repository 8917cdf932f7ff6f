/* The organization: its properties and resources. */
#ifndef MAPFERRY_SERVICE_ORGANIZATION_H
#define MAPFERRY_SERVICE_ORGANIZATION_H

#include "model/access.h"
#include "service/site.h"

enum organization_property {
#define PROPERTY(name, kind, otherwise) ORGANIZATION_##name,
#include "model/organization.def"
#undef PROPERTY
    ORGANIZATION_PROPERTY_COUNT
};
/* As it stands in portals/self, and as the parameter of update. */
const char *organization_name(enum organization_property p);
/* Can it be changed? */
bool organization_changes(enum organization_property p);

struct organization {
    str json[ORGANIZATION_PROPERTY_COUNT]; /* the value of each property */
    int64_t created, modified;             /* of the first user; of the last change, USER_NEVER without */
};
/* ERR_TOKEN_REQUIRED: who is not signed in sees an organization only when its access is public. */
int organization_get(struct ctx *ctx, struct site *s, const struct caller *c, struct organization *out);
/* given: by property, STR_NONE not given. Empty ones are ignored, or go back to what they were at first with clear_empty.
 * ERR_PARAMETER naming the property. */
int organization_update(struct ctx *ctx, struct site *s, const struct caller *c, const str given[ORGANIZATION_PROPERTY_COUNT],
                        bool clear_empty);

/* Resources: files of the organization by key, to 10 MB each. */
struct portal_file;
int organization_resource_put(struct ctx *ctx, struct site *s, const struct caller *c, str key, struct blob_new *blob,
                              str content_type);
int organization_resource_remove(struct ctx *ctx, struct site *s, const struct caller *c, str key); /* ERR_USER_FILE_MISSING */
int organization_resource_get(struct ctx *ctx, struct site *s, const struct caller *c, str key, struct portal_file *out);
int organization_resources(struct ctx *ctx, struct site *s, const struct caller *c, struct portal_file **out, size_t *count_out);

#endif
