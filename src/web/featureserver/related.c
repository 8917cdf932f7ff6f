/* queryRelatedRecords: the features of this layer give their keys, the related layer the rows with those keys; then they are
 * grouped. Pages are pages of related rows in their order, whatever groups they come to stand in. */
#include "base/mem.h"
#include "web/featureserver/featureserver.h"
#include <stdlib.h>

enum { ORIGINS_MAX = 10000, RECORDS_MAX = 256 << 20 };

enum { NO_RECORD = 0 };

/* Related rows of one key, in a list from `first` on: places in `records`, which begins at 1. */
struct bundle {
    struct value key;
    int64_t count;
    size_t first, last;
};
struct origin {
    int64_t oid;
    struct value key;
};
struct record { /* a related row, as text in the buffer */
    size_t from, length, next;
};
struct related {
    struct hosted_service *service;
    const struct layer *layer, *other;
    size_t key, other_key; /* field indices */
    struct origin *origins;
    size_t origin_count;
    struct bundle *bundles; /* by key */
    size_t bundle_count;
    struct feature_query query;
    int64_t limit; /* rows of the answer, -1 all */
    bool count_only;
    struct features_rows rows;
    struct buf text;
    struct record *records;
    size_t count, capacity;
    bool exceeded;
};

static void related_close(struct related *r)
{
    buf_free(&r->text);
    features_rows_close(&r->rows);
    hosted_release(&r->service);
}

static struct value value_copy(struct arena *a, struct value v)
{
    if (v.kind == VALUE_TEXT || v.kind == VALUE_BLOB)
        v.s = arena_str(a, v.s);
    return v;
}

/* Numbers by value, then texts by their bytes. */
static int compare_keys(const struct value *a, const struct value *b)
{
    if (a->kind == VALUE_TEXT || b->kind == VALUE_TEXT)
        return a->kind != b->kind ? (a->kind == VALUE_TEXT) - (b->kind == VALUE_TEXT) : str_cmp(a->s, b->s);
    if (a->kind == VALUE_INT && b->kind == VALUE_INT)
        return (a->i > b->i) - (a->i < b->i);
    double x = a->kind == VALUE_INT ? (double)a->i : a->d, y = b->kind == VALUE_INT ? (double)b->i : b->d;
    return (x > y) - (x < y);
}

static int compare_bundles(const void *a, const void *b)
{
    const struct bundle *x = a, *y = b;
    return compare_keys(&x->key, &y->key);
}

static struct bundle *find_bundle(const struct related *r, const struct value *key)
{
    const struct bundle wanted = {.key = *key};
    if (key->kind == VALUE_NULL || r->bundle_count == 0)
        return NULL;
    return bsearch(&wanted, r->bundles, r->bundle_count, sizeof wanted, compare_bundles);
}

/* One for each key of the origins. */
static void make_bundles(struct ctx *ctx, struct related *r)
{
    struct bundle *list = arena_array(ctx->arena, struct bundle, r->origin_count + 1);
    size_t n = 0, kept = 0;
    for (size_t i = 0; i < r->origin_count; i++)
        if (r->origins[i].key.kind != VALUE_NULL)
            list[n++].key = r->origins[i].key;
    qsort(list, n, sizeof *list, compare_bundles);
    for (size_t i = 0; i < n; i++)
        if (kept == 0 || compare_bundles(&list[kept - 1], &list[i]) != 0)
            list[kept++] = list[i];
    r->bundles = list;
    r->bundle_count = kept;
}

static int find_relation(struct ctx *ctx, const struct call *call, struct related *r)
{
    int64_t wanted = call_int(call, "relationshipId");
    for (size_t i = 0; i < r->layer->relation_count; i++) {
        const struct layer_relation *half = &r->layer->relations[i];
        if (half->id != wanted)
            continue;
        const struct layer_relation *back = hosted_relation_other(&r->service->def, r->layer, half);
        r->other = service_layer(&r->service->def, half->related_layer);
        if (!back || !r->other || !layer_field(r->layer, half->key_field, &r->key) ||
            !layer_field(r->other, back->key_field, &r->other_key))
            return err_set(ctx, &ERR_FEATURE, "Relationship %lld has no other half in layer %d.", (long long)wanted,
                           half->related_layer);
        return RC_OK;
    }
    return err_set(ctx, &ERR_FEATURE, "'relationshipId' parameter is invalid: the layer has no relationship %lld.",
                   (long long)wanted);
}

static int read_origins(struct ctx *ctx, const struct call *call, struct related *r)
{
    int64_t *oids;
    size_t count;
    TRY(features_object_ids(ctx, call_param(call, "objectIds"), &oids, &count));
    if (count > ORIGINS_MAX)
        return err_set(ctx, &ERR_FEATURE, "More than %d object ids.", ORIGINS_MAX);
    r->origins = arena_array(ctx->arena, struct origin, count);
    struct feature_query q = {.oids = oids, .oid_count = count, .limit = (int64_t)count, .fields = &r->key, .field_count = 1};
    struct feature_cursor *cursor;
    struct row row;
    int rc;
    TRY(feature_query_open(ctx, call->site->features, &r->service->store, r->layer, &q, &cursor));
    while ((rc = feature_next(ctx, cursor, &row)) == RC_OK)
        r->origins[r->origin_count++] = (struct origin){row.oid, value_copy(ctx->arena, row.values[r->key])};
    feature_cursor_close(cursor);
    return rc == RC_END ? RC_OK : rc;
}

static struct where *node(struct ctx *ctx, struct where w)
{
    struct where *p = arena_new(ctx->arena, struct where);
    *p = w;
    return p;
}

/* key IN (the origins' keys) AND definitionExpression */
static int make_where(struct ctx *ctx, const struct call *call, struct related *r)
{
    struct where **args = arena_array(ctx->arena, struct where *, r->bundle_count + 1), *expression = NULL;
    size_t n = 0;
    args[n++] = node(ctx, (struct where){.kind = WHERE_FIELD, .field = r->other_key});
    for (size_t i = 0; i < r->bundle_count; i++)
        args[n++] = node(ctx, (struct where){.kind = WHERE_LITERAL, .literal = r->bundles[i].key});
    struct where *in =
        node(ctx, n > 1 ? (struct where){.kind = WHERE_IN, .args = args, .arg_count = n} : (struct where){.kind = WHERE_FALSE});
    TRY(features_where(ctx, r->other, call_param(call, "definitionExpression"), &expression));
    r->query.where = in;
    if (!expression)
        return RC_OK;
    struct where **both = arena_array(ctx->arena, struct where *, 2);
    both[0] = in;
    both[1] = expression;
    r->query.where = node(ctx, (struct where){.kind = WHERE_AND, .args = both, .arg_count = 2});
    return RC_OK;
}

/* The fields that are read: those asked for, and the key. */
static int make_fields(struct ctx *ctx, const struct call *call, struct related *r)
{
    size_t *wanted, count;
    TRY(features_out_fields(ctx, r->other, call_param(call, "outFields"), &wanted, &count));
    size_t *read = arena_array(ctx->arena, size_t, count + 1);
    memcpy(read, wanted, count * sizeof *read);
    r->rows.fields = wanted;
    r->rows.field_count = count;
    bool there = false;
    for (size_t i = 0; i < count; i++)
        there |= wanted[i] == r->other_key;
    read[count] = r->other_key;
    r->query.fields = read;
    r->query.field_count = count + !there;
    return RC_OK;
}

/* Counts are of all the records. */
static int read_paging(struct ctx *ctx, const struct call *call, struct related *r)
{
    int64_t most = features_record_limit(r->service, r->other), wanted = call_int(call, "resultRecordCount");
    int64_t offset = call_int(call, "resultOffset");
    if (offset < 0 || wanted < 0)
        return err_set(ctx, &ERR_FEATURE, "'%s' parameter is invalid", offset < 0 ? "resultOffset" : "resultRecordCount");
    r->limit = call_has(call, "resultRecordCount") && wanted < most ? wanted : most;
    r->query.offset = offset;
    r->query.limit = r->limit + 1; /* one more tells that there is more */
    if (r->count_only) {
        r->query.offset = 0;
        r->query.limit = r->limit = -1;
    }
    return RC_OK;
}

static int keep_record(struct ctx *ctx, struct related *r, struct bundle *bundle, const struct row *row)
{
    struct json_out o;
    struct record record = {.from = r->text.n, .next = NO_RECORD};
    json_out_buf(&o, ctx, &r->text);
    TRY(features_rows_put(ctx, &o, &r->rows, row));
    TRY(buf_check(&r->text, ctx, "the related records"));
    record.length = r->text.n - record.from;
    r->records = arena_grow(ctx->arena, r->records, &r->capacity, r->count + 2, sizeof record);
    size_t place = ++r->count;
    r->records[place] = record;
    if (bundle->first == NO_RECORD)
        bundle->first = place;
    else
        r->records[bundle->last].next = place;
    bundle->last = place;
    return RC_OK;
}

static int read_records(struct ctx *ctx, struct call *call, struct related *r)
{
    struct feature_cursor *cursor;
    struct row row;
    int rc;
    TRY(feature_query_open(ctx, call->site->features, &r->service->store, r->other, &r->query, &cursor));
    while ((rc = feature_next(ctx, cursor, &row)) == RC_OK) {
        struct bundle *bundle = find_bundle(r, &row.values[r->other_key]);
        r->exceeded = r->limit == 0;
        if (r->exceeded)
            break;
        r->limit -= r->limit > 0;
        if (!bundle)
            continue;
        bundle->count++;
        rc = r->count_only ? RC_OK : keep_record(ctx, r, bundle, &row);
        if (rc != RC_OK)
            break;
    }
    feature_cursor_close(cursor);
    return rc == RC_END ? RC_OK : rc;
}

static void put_group(struct json_out *o, const struct related *r, const struct origin *origin, const struct bundle *bundle)
{
    json_begin_object(o);
    json_member_int(o, "objectId", origin->oid);
    if (r->count_only) {
        json_member_int(o, "count", bundle->count);
    } else {
        json_name(o, "relatedRecords");
        json_begin_array(o);
        for (size_t at = bundle->first; at != NO_RECORD; at = r->records[at].next)
            json_put_raw(o, str_sub(buf_str(&r->text), r->records[at].from, r->records[at].from + r->records[at].length));
        json_end_array(o);
    }
    json_end_object(o);
}

static void put_groups(struct json_out *o, const struct related *r)
{
    json_name(o, "relatedRecordGroups");
    json_begin_array(o);
    for (size_t i = 0; i < r->origin_count; i++) {
        const struct bundle *bundle = find_bundle(r, &r->origins[i].key);
        if (bundle && bundle->count > 0)
            put_group(o, r, &r->origins[i], bundle);
    }
    json_end_array(o);
}

/* Parameters that would change the answer and are not there. */
static int refuse_unsupported(struct ctx *ctx, const struct call *call)
{
    static const char *const texts[] = {"historicMoment", "gdbVersion"};
    for (size_t i = 0; i < COUNT_OF(texts); i++)
        if (!str_empty(str_trim(call_param(call, texts[i]))))
            return err_set(ctx, &ERR_FEATURE, "'%s' is not supported.", texts[i]);
    return RC_OK;
}

int features_related(struct ctx *ctx, struct call *call)
{
    CLEANUP(related_close) struct related r = {.text = BUF_INIT(RECORDS_MAX), .count_only = call_bool(call, "returnCountOnly")};
    struct feature_order *order;
    struct json_out *o = &call->out;
    TRY(refuse_unsupported(ctx, call));
    TRY(features_open_layer(ctx, call, FEATURE_QUERY, &r.service, &r.layer));
    TRY(find_relation(ctx, call, &r));
    TRY(read_origins(ctx, call, &r));
    make_bundles(ctx, &r);
    TRY(features_rows_open(ctx, call, r.other, &r.rows));
    r.rows.geojson = false;
    r.rows.geometry = r.query.geometry = r.rows.geometry && call_bool(call, "returnGeometry") && !r.count_only;
    TRY(make_where(ctx, call, &r));
    TRY(make_fields(ctx, call, &r));
    TRY(features_order(ctx, r.other, call_param(call, "orderByFields"), &order, &r.query.order_count));
    r.query.order = order;
    TRY(read_paging(ctx, call, &r));
    TRY(read_records(ctx, call, &r));
    json_begin_object(o);
    if (!r.count_only) {
        features_rows_put_geometry_members(o, &r.rows);
        if (r.rows.geometry)
            features_shape_put_transform(o, &r.rows.shape);
        features_rows_put_fields(o, &r.rows);
    }
    if (r.exceeded)
        json_member_bool(o, "exceededTransferLimit", true);
    put_groups(o, &r);
    json_end_object(o);
    return RC_OK;
}
