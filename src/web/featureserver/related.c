/* queryRelatedRecords: the features of this layer give their keys, the related layer the rows with those keys; then they are grouped. */
#include "base/mem.h"
#include "web/featureserver/featureserver.h"

enum { ORIGINS_MAX = 10000, RECORDS_MAX = 256 << 20 };

struct origin {
    int64_t oid;
    struct value key;
};
struct record { /* a related row, as text in the buffer */
    struct value key;
    size_t from, length;
};
struct related {
    struct hosted_service *service;
    const struct layer *layer, *other;
    size_t key, other_key; /* field indices */
    struct origin *origins;
    size_t origin_count;
    struct feature_query query;
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

static bool same_key(const struct value *a, const struct value *b)
{
    if (a->kind == VALUE_TEXT || b->kind == VALUE_TEXT)
        return a->kind == b->kind && str_eq(a->s, b->s);
    double x = a->kind == VALUE_INT ? (double)a->i : a->d, y = b->kind == VALUE_INT ? (double)b->i : b->d;
    return a->kind == VALUE_INT && b->kind == VALUE_INT ? a->i == b->i : x == y;
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
        if (!back || !r->other || !layer_field(r->layer, half->key_field, &r->key) || !layer_field(r->other, back->key_field, &r->other_key))
            return err_set(ctx, &ERR_FEATURE, "Relationship %lld has no other half in layer %d.", (long long)wanted, half->related_layer);
        return RC_OK;
    }
    return err_set(ctx, &ERR_FEATURE, "'relationshipId' parameter is invalid: the layer has no relationship %lld.", (long long)wanted);
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
    struct where **args = arena_array(ctx->arena, struct where *, r->origin_count + 1), *expression = NULL;
    size_t n = 0;
    args[n++] = node(ctx, (struct where){.kind = WHERE_FIELD, .field = r->other_key});
    for (size_t i = 0; i < r->origin_count; i++)
        if (r->origins[i].key.kind != VALUE_NULL)
            args[n++] = node(ctx, (struct where){.kind = WHERE_LITERAL, .literal = r->origins[i].key});
    struct where *in = node(ctx, n > 1 ? (struct where){.kind = WHERE_IN, .args = args, .arg_count = n} : (struct where){.kind = WHERE_FALSE});
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

static int read_records(struct ctx *ctx, struct call *call, struct related *r)
{
    struct feature_cursor *cursor;
    struct row row;
    int rc;
    int64_t most = r->service->def.max_record_count;
    r->query.limit = most + 1;
    TRY(feature_query_open(ctx, call->site->features, &r->service->store, r->other, &r->query, &cursor));
    while ((rc = feature_next(ctx, cursor, &row)) == RC_OK && !r->exceeded) {
        if ((int64_t)r->count == most) {
            r->exceeded = true;
            break;
        }
        struct json_out o;
        json_out_buf(&o, ctx, &r->text);
        struct record record = {.key = value_copy(ctx->arena, row.values[r->other_key]), .from = r->text.n};
        rc = features_rows_put(ctx, &o, &r->rows, &row);
        rc = rc != RC_OK ? rc : buf_check(&r->text, ctx, "the related records");
        if (rc != RC_OK)
            break;
        record.length = r->text.n - record.from;
        r->records = arena_grow(ctx->arena, r->records, &r->capacity, r->count + 1, sizeof record);
        r->records[r->count++] = record;
    }
    feature_cursor_close(cursor);
    return rc == RC_END ? RC_OK : rc;
}

static void put_groups(struct json_out *o, const struct related *r, bool count_only)
{
    json_name(o, "relatedRecordGroups");
    json_begin_array(o);
    for (size_t i = 0; i < r->origin_count; i++) {
        const struct origin *origin = &r->origins[i];
        int64_t count = 0;
        for (size_t k = 0; k < r->count; k++) {
            const struct record *record = &r->records[k];
            if (origin->key.kind == VALUE_NULL || !same_key(&origin->key, &record->key))
                continue;
            if (count++ == 0) {
                json_begin_object(o);
                json_member_int(o, "objectId", origin->oid);
                if (!count_only) {
                    json_name(o, "relatedRecords");
                    json_begin_array(o);
                }
            }
            if (!count_only)
                json_put_raw(o, str_sub(buf_str(&r->text), record->from, record->from + record->length));
        }
        if (count == 0)
            continue;
        if (count_only)
            json_member_int(o, "count", count);
        else
            json_end_array(o);
        json_end_object(o);
    }
    json_end_array(o);
}

int features_related(struct ctx *ctx, struct call *call)
{
    CLEANUP(related_close) struct related r = {.text = BUF_INIT(RECORDS_MAX)};
    struct feature_order *order;
    struct json_out *o = &call->out;
    bool count_only = call_bool(call, "returnCountOnly");
    TRY(features_open_layer(ctx, call, FEATURE_QUERY, &r.service, &r.layer));
    TRY(find_relation(ctx, call, &r));
    TRY(read_origins(ctx, call, &r));
    TRY(features_rows_open(ctx, call, r.other, &r.rows));
    r.rows.geojson = false;
    r.rows.geometry = r.query.geometry = r.rows.geometry && call_bool(call, "returnGeometry") && !count_only;
    TRY(make_where(ctx, call, &r));
    TRY(make_fields(ctx, call, &r));
    TRY(features_order(ctx, r.other, call_param(call, "orderByFields"), &order, &r.query.order_count));
    r.query.order = order;
    TRY(read_records(ctx, call, &r));
    json_begin_object(o);
    if (!count_only) {
        features_rows_put_geometry_members(o, &r.rows);
        features_rows_put_fields(o, &r.rows);
    }
    if (r.exceeded)
        json_member_bool(o, "exceededTransferLimit", true);
    put_groups(o, &r, count_only);
    json_end_object(o);
    return RC_OK;
}
