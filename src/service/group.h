/* Groups and their members: the use cases. Errors as api.md 3.4. */
#ifndef MAPFERRY_SERVICE_GROUP_H
#define MAPFERRY_SERVICE_GROUP_H

#include "model/access.h"
#include "service/site.h"

struct group_input { /* STR_NONE: not given */
    str title, tags, description, snippet, phone, access, sort_field, sort_order, membership_access, display_settings,
        capabilities;
    str is_view_only, is_invitation_only, auto_join, is_read_only, hidden_members, leaving_disallowed; /* "true"/"false" */
    bool clear_empty;
};
int group_create(struct ctx *ctx, struct site *s, const struct caller *c, const struct group_input *in, struct group *out);
int group_get(struct ctx *ctx, struct site *s, const struct caller *c, const id *group, struct group *out,
              enum member_type *member_out);
int group_update(struct ctx *ctx, struct site *s, const struct caller *c, const id *group, const struct group_input *in);
int group_delete(struct ctx *ctx, struct site *s, const struct caller *c, const id *group);
int group_protect(struct ctx *ctx, struct site *s, const struct caller *c, const id *group, bool protect);
/* users, admins: csv of names. not_out: names that were not added (unknown user). */
int group_add_users(struct ctx *ctx, struct site *s, const struct caller *c, const id *group, str users, str admins,
                    str **not_out, size_t *not_count_out);
int group_remove_users(struct ctx *ctx, struct site *s, const struct caller *c, const id *group, str users, str **not_out,
                       size_t *not_count_out);
int group_join(struct ctx *ctx, struct site *s, const struct caller *c, const id *group);
int group_leave(struct ctx *ctx, struct site *s, const struct caller *c, const id *group);
int group_members(struct ctx *ctx, struct site *s, const struct caller *c, const id *group, struct member **out,
                  size_t *count_out);
/* May this caller export from and import into it? ERR_FORBIDDEN otherwise, ERR_GROUP_MISSING. */
int group_move_check(struct ctx *ctx, struct site *s, const struct caller *c, const id *group, struct group *out);
int group_search(struct ctx *ctx, struct site *s, const struct caller *c, str q, const struct meta_search_page *page,
                 struct meta_groups *out);

#endif
