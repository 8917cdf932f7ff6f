/* The rows that an edit is about: see hosted_targets.h. */
#include "service/hosted_targets.h"
#include "service/hosted_private.h"
#include <stdlib.h>

enum { GUIDS_AT_ONCE = 4000, OIDS_AT_ONCE = 100000 };

void hosted_targets_open(const struct hosted_rows *r, struct hosted_targets *out)
{
    *out = (struct hosted_targets){.rows = r, .probe = *r->layer};
    out->probe.source = r->layer;
    out->probe.filter = r->seen->filter;
}

static str text_of(struct ctx *ctx, const struct row *row, size_t field)
{
    if (field == SIZE_MAX || row->values[field].kind != VALUE_TEXT)
        return STR_NONE;
    return arena_str(ctx->arena, row->values[field].s);
}

static struct value value_copy(struct ctx *ctx, const struct row *row, size_t field)
{
    struct value v = {.kind = VALUE_NULL};
    if (field != SIZE_MAX)
        v = row->values[field];
    if (v.kind == VALUE_TEXT)
        v.s = arena_str(ctx->arena, v.s);
    return v;
}

int hosted_targets_query(struct ctx *ctx, struct feature_edit *e, struct hosted_targets *t, const struct feature_query *query)
{
    const struct hosted_rows *r = t->rows;
    const size_t wanted[] = {r->layer->globalid_field, r->tracking[TRACK_CREATOR], r->domains.type_field};
    size_t fields[COUNT_OF(wanted)];
    struct feature_query q = *query;
    q.fields = fields;
    q.field_count = 0;
    q.order_count = 0;
    q.geometry = q.distinct = false;
    for (size_t i = 0; i < COUNT_OF(wanted); i++)
        if (wanted[i] != SIZE_MAX)
            fields[q.field_count++] = wanted[i];
    struct feature_cursor *cursor;
    struct row row;
    int rc;
    TRY(feature_edit_query(ctx, e, &t->probe, &q, &cursor));
    while ((rc = feature_next(ctx, cursor, &row)) == RC_OK) {
        t->list = arena_grow(ctx->arena, t->list, &t->capacity, t->count + 1, sizeof *t->list);
        t->list[t->count++] = (struct hosted_target){.oid = row.oid,
                                                     .global_id = text_of(ctx, &row, wanted[0]),
                                                     .creator = text_of(ctx, &row, wanted[1]),
                                                     .type = value_copy(ctx, &row, wanted[2])};
    }
    feature_cursor_close(cursor);
    return rc == RC_END ? RC_OK : rc;
}

int hosted_targets_oids(struct ctx *ctx, struct feature_edit *e, struct hosted_targets *t, const int64_t *oids, size_t count)
{
    for (size_t from = 0; from < count; from += OIDS_AT_ONCE) {
        const struct feature_query q = {
            .oids = oids + from, .oid_count = count - from < OIDS_AT_ONCE ? count - from : OIDS_AT_ONCE, .limit = -1};
        TRY(hosted_targets_query(ctx, e, t, &q));
    }
    return RC_OK;
}

int hosted_targets_guids(struct ctx *ctx, struct feature_edit *e, struct hosted_targets *t, const str *guids, size_t count,
                         bool all)
{
    size_t field = t->rows->layer->globalid_field;
    if (field == SIZE_MAX)
        return err_set(ctx, &ERR_FEATURE, "The layer has no GlobalIDs.");
    if (count == 0)
        return RC_OK;
    TRY(feature_edit_index(ctx, e, t->rows->layer, field));
    struct where name = {.kind = WHERE_FIELD, .field = field};
    struct where *literals = arena_array(ctx->arena, struct where, count);
    struct where **args = arena_array(ctx->arena, struct where *, GUIDS_AT_ONCE + 1);
    struct where in = {.kind = WHERE_IN, .args = args};
    const struct where *filter = t->probe.filter;
    struct feature_query q = {.where = &in, .limit = -1};
    int rc = RC_OK;
    args[0] = &name;
    if (all)
        t->probe.filter = NULL;
    for (size_t from = 0; from < count && rc == RC_OK; from += GUIDS_AT_ONCE) {
        in.arg_count = 1;
        for (size_t i = from; i < count && i < from + GUIDS_AT_ONCE; i++) {
            literals[i] = (struct where){.kind = WHERE_LITERAL, .literal = {.kind = VALUE_TEXT, .s = guids[i]}};
            args[in.arg_count++] = &literals[i];
        }
        rc = hosted_targets_query(ctx, e, t, &q);
    }
    t->probe.filter = filter;
    return rc;
}

/* ---- looking up ---- */

static int compare_oids(const void *a, const void *b)
{
    const struct hosted_target *x = a, *y = b;
    return (x->oid > y->oid) - (x->oid < y->oid);
}

static int compare_guids(const void *a, const void *b)
{
    const struct hosted_target *x = a, *y = b;
    return str_cmp(x->global_id, y->global_id);
}

void hosted_targets_sort(struct hosted_targets *t, bool by_guid)
{
    if (t->count)
        qsort(t->list, t->count, sizeof *t->list, by_guid ? compare_guids : compare_oids);
}

const struct hosted_target *hosted_targets_find(const struct hosted_targets *t, int64_t oid)
{
    const struct hosted_target key = {.oid = oid};
    return t->count ? bsearch(&key, t->list, t->count, sizeof key, compare_oids) : NULL;
}

const struct hosted_target *hosted_targets_find_guid(const struct hosted_targets *t, str guid)
{
    const struct hosted_target key = {.global_id = guid};
    return t->count ? bsearch(&key, t->list, t->count, sizeof key, compare_guids) : NULL;
}
