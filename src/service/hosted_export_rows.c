/* The rows of an export: those of the query with the fields that were asked for, in the spatial reference that was. */
#include "base/mem.h"
#include "model/geometry/wkb_shape.h"
#include "service/hosted_export.h"

enum { GEOMETRY_MAX = 512 << 20 };

int hosted_export_rows_open(struct ctx *ctx, struct hosted_export *e, size_t layer, bool geometry, struct hosted_export_rows *out)
{
    const struct hosted_export_layer *l = &e->layers[layer];
    *out = (struct hosted_export_rows){
        .layer = l,
        .from = {.wkid = l->from->latest_wkid ? l->from->latest_wkid : l->from->wkid, .wkt = l->from->wkt},
        .clamped = BUF_INIT(GEOMETRY_MAX),
        .moved = BUF_INIT(GEOMETRY_MAX)};
    struct feature_query query = l->query;
    query.geometry = geometry && query.geometry;
    out->moves = query.geometry && !crs_same(&out->from, &l->crs);
    if (out->moves)
        TRY(crs_clamps(ctx, &out->from, &l->crs, &out->clamps));
    TRY(feature_snapshot_query(ctx, e->snapshot, l->from, &query, &out->cursor));
    out->values = mem_alloc((l->as.field_count + 1) * sizeof *out->values);
    return RC_OK;
}

void hosted_export_rows_close(struct hosted_export_rows *r)
{
    if (r->cursor)
        feature_cursor_close(r->cursor);
    mem_free(r->values);
    buf_free(&r->clamped);
    buf_free(&r->moved);
    *r = (struct hosted_export_rows){.cursor = NULL};
}

static int move(struct ctx *ctx, struct hosted_export_rows *r, str *wkb)
{
    if (r->clamps) {
        buf_clear(&r->clamped);
        buf_add(&r->clamped, *wkb);
        TRY(buf_check(&r->clamped, ctx, "a geometry"));
        TRY(wkb_clamp_y(ctx, &r->clamped, CRS_NEAR_POLE));
        *wkb = buf_str(&r->clamped);
    }
    buf_clear(&r->moved);
    TRY(crs_transform_wkb(ctx, &r->from, &r->layer->crs, *wkb, &r->moved));
    *wkb = buf_str(&r->moved);
    return buf_check(&r->moved, ctx, "a geometry");
}

int hosted_export_rows_next(struct ctx *ctx, struct hosted_export_rows *r, struct row *out)
{
    const struct hosted_export_layer *l = r->layer;
    struct row row;
    TRY(feature_next(ctx, r->cursor, &row));
    *out = (struct row){.oid = row.oid, .values = r->values, .wkb = row.wkb};
    for (size_t i = 0; i < l->as.field_count; i++)
        r->values[i] = row.values[l->fields[i]];
    if (!r->moves || str_none(row.wkb))
        return RC_OK;
    int rc = move(ctx, r, &out->wkb);
    if (rc != RC_OK)
        err_add(ctx, "layer %d, feature %lld", l->from->id, (long long)row.oid);
    return rc;
}
