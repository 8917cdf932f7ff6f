/* Files of unknown origin on their way in: what they hold, and their features as JSON. The file is read by the sandboxed child
 * (convert/convert.h). Source: api.md 2.3 to 2.5. */
#ifndef MAPFERRY_SERVICE_INTAKE_H
#define MAPFERRY_SERVICE_INTAKE_H

#include "convert/convert.h"
#include "model/access.h"
#include "service/site.h"

struct intake_wish {
    id item;                 /* whose data is read, ID_NONE: the blob's bytes */
    struct blob_new *blob;   /* finished */
    str file_type;           /* as the API calls them */
    str name;                /* of a layer that has none of its own */
    struct json parameters;  /* publishParameters; absent: all is found out */
    int32_t target_wkid;     /* 0: as the file has it */
    int64_t cpu_seconds_max; /* 0: as long as it takes */
};
struct intake {
    struct convert *convert;
    str copy; /* a file to be removed, STR_NONE without */
    uint64_t size;
    str definition, messages; /* as convert_definition says */
    struct service def;
};
/* The caller has to be somebody who may read the item. ERR_PUBLISH: a type that is not read, or an item without a file;
 * ERR_INVALID: what is wrong with the file. Release with intake_close, also after an error. */
int intake_open(struct ctx *ctx, struct site *s, const struct caller *c, const struct intake_wish *w, struct intake *out);
void intake_close(struct intake *f); /* for CLEANUP */

/* The answer of analyze: publishParameters that publish accepts as they are, and the first rows. */
int intake_analyze(struct ctx *ctx, struct intake *f, const struct intake_wish *w, struct json_out *o);
/* The answer of generate: a feature collection of all layers. */
int intake_generate(struct ctx *ctx, struct intake *f, const struct intake_wish *w, struct json_out *o);

#endif
