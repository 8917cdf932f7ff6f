/* Features as clients send them into typed rows of a layer's table, checked by everything that the definition says of its fields.
 * Private to the hosted services. */
#ifndef MAPFERRY_SERVICE_HOSTED_ROWS_H
#define MAPFERRY_SERVICE_HOSTED_ROWS_H

#include "model/domain.h"
#include "model/geometry/esri_json.h"
#include "service/hosted.h"

enum { TRACK_CREATED, TRACK_CREATOR, TRACK_EDITED, TRACK_EDITOR, TRACK_COUNT };
struct hosted_rows {
    const struct layer *seen, *layer; /* as the caller sees it; whose table has the rows */
    size_t *stored;                   /* of the fields seen: their index in the table's layer */
    const struct caller *caller;
    struct json *defaults; /* of the table's fields, parsed; absent: none */
    struct layer_domains domains;
    struct wkb_form form;
    struct crs crs;
    bool shapes;                  /* geometry may be changed */
    bool global_ids;              /* features bring their GlobalID along, by which they are found too */
    size_t tracking[TRACK_COUNT]; /* fields that the server maintains; SIZE_MAX none */
    int64_t now;
    struct rows_guess *guesses; /* what the attributes of the feature before were called */
    size_t guess_count;
};
int hosted_rows_open(struct ctx *ctx, const struct layer *seen, const struct caller *c, struct hosted_rows *out);
/* A new row: defaults, a new GlobalID unless the feature's own is used, creation tracked. What is wrong is ERR_INVALID. */
int hosted_rows_add(struct ctx *ctx, struct hosted_rows *r, struct json feature, struct row *out);
struct hosted_row_change {
    struct row row; /* oid 0: not given */
    str global_id;  /* STR_NONE: not given */
    size_t *fields; /* those that are set */
    size_t field_count;
    bool geometry;
};
/* Not checked against domains yet, which may depend on the type that the row has: see hosted_rows_check_change. */
int hosted_rows_update(struct ctx *ctx, struct hosted_rows *r, struct json feature, struct hosted_row_change *out);
/* type: the value of the row's type field, NULL when it has none. */
int hosted_rows_check_change(struct ctx *ctx, const struct hosted_rows *r, const struct hosted_row_change *change,
                             const struct value *type);
/* One value of a field: type, length and range. */
int hosted_rows_value(struct ctx *ctx, const struct hosted_rows *r, size_t field, struct json v, struct value *out);
/* Is the field kept by the server, or not to be edited? */
bool hosted_rows_is_fixed(const struct hosted_rows *r, size_t seen);
/* The default value of a field, null when it has none. */
int hosted_rows_default(struct ctx *ctx, const struct field *f, struct value *out);
/* Who and when, into a row that is being changed. */
void hosted_rows_track(const struct hosted_rows *r, struct hosted_row_change *change);

#endif
