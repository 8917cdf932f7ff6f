/* The query operation: what is asked for, and the answers that are numbers. Rows are in query_stream.c, pbf.c and statistics.c.
 */
#include "base/clock.h"
#include "base/num.h"
#include "web/featureserver/query.h"

enum { FACTOR_MAX = 5 };

/* ---- what is asked for ---- */

/* Parameters that would change the answer and are not there. */
static int refuse_unsupported(struct ctx *ctx, const struct call *call)
{
    static const char *const texts[] = {"historicMoment", "fullText", "gdbVersion"};
    for (size_t i = 0; i < COUNT_OF(texts); i++)
        if (!str_empty(str_trim(call_param(call, texts[i]))))
            return err_set(ctx, &ERR_FEATURE, "'%s' is not supported.", texts[i]);
    if (str_ieq(str_trim(call_param(call, "sqlFormat")), STR("native")))
        return err_set(ctx, &ERR_FEATURE, "'sqlFormat' is none or standard: clauses are standardized SQL here.");
    return RC_OK;
}

static int check_word(struct ctx *ctx, const struct call *call, const char *name, const char *const *words, size_t count)
{
    str given = str_trim(call_param(call, name));
    for (size_t i = 0; i < count && !str_empty(given); i++)
        if (str_ieq(given, str_c(words[i])))
            return RC_OK;
    return str_empty(given) ? RC_OK : err_set(ctx, &ERR_FEATURE, "'%s' parameter is invalid", name);
}

static int read_paging(struct ctx *ctx, const struct call *call, struct features_request *rq)
{
    int64_t factor = call_int(call, "maxRecordCountFactor"), most = features_record_limit(rq->service, rq->layer);
    rq->query.offset = call_int(call, "resultOffset");
    if (rq->query.offset < 0)
        return err_set(ctx, &ERR_FEATURE, "'resultOffset' parameter is invalid");
    if (factor > 1)
        most *= factor < FACTOR_MAX ? factor : FACTOR_MAX;
    rq->limit = most;
    if (call_has(call, "resultRecordCount")) {
        int64_t count = call_int(call, "resultRecordCount");
        if (count < 0)
            return err_set(ctx, &ERR_FEATURE, "'resultRecordCount' parameter is invalid");
        rq->limit = count < most ? count : most;
    }
    return RC_OK;
}

/* ---- time ---- */

/* t, or t1,t2; "null" is an open end. */
static int read_times(struct ctx *ctx, str text, int64_t times[2])
{
    str rest = text, piece;
    size_t n = 0;
    times[0] = INT64_MIN;
    times[1] = INT64_MAX;
    for (; n < 2 && str_split(&rest, ',', &piece); n++) {
        piece = str_trim(piece);
        if (!str_ieq(piece, STR("null")) && !num_parse_int(piece, &times[n]))
            return err_set(ctx, &ERR_FEATURE, "'time' parameter is invalid: milliseconds, or two of them");
    }
    if (n == 0 || !str_empty(rest))
        return err_set(ctx, &ERR_FEATURE, "'time' parameter is invalid: milliseconds, or two of them");
    times[1] = n == 1 ? times[0] : times[1];
    return RC_OK;
}

static struct where *node(struct ctx *ctx, struct where w, struct where *a, struct where *b)
{
    struct where *p = arena_new(ctx->arena, struct where);
    *p = w;
    p->arg_count = (size_t)(a != NULL) + (b != NULL);
    p->args = arena_array(ctx->arena, struct where *, 2);
    p->args[0] = a;
    p->args[1] = b;
    return p;
}

/* field <= or >= a time; NULL for an open end. A name that is no date field is an error of the definition. */
static int time_bound(struct ctx *ctx, const struct layer *l, str name, enum where_operator op, int64_t ms, struct where **out)
{
    size_t index;
    const struct field *f = layer_field(l, name, &index);
    *out = NULL;
    if (!f || f->type != FIELD_DATE)
        return err_set(ctx, &ERR_FEATURE, "'time' parameter is invalid: the layer has no time.");
    if (ms == INT64_MIN || ms == INT64_MAX)
        return RC_OK;
    struct where *when = node(ctx, (struct where){.kind = WHERE_FIELD, .field = index}, NULL, NULL);
    struct where *moment =
        node(ctx, (struct where){.kind = WHERE_LITERAL, .literal = {.kind = VALUE_INT, .i = ms}, .is_date = true}, NULL, NULL);
    *out = node(ctx, (struct where){.kind = WHERE_COMPARE, .op = op}, when, moment);
    return RC_OK;
}

/* What begins before the end and ends after the beginning; of layers with one field both are the same moment. */
static int read_time(struct ctx *ctx, const struct call *call, const struct layer *l, const struct where **where)
{
    str text = str_trim(call_param(call, "time"));
    int64_t times[2];
    struct where *bounds[2];
    if (str_empty(text))
        return RC_OK;
    TRY(read_times(ctx, text, times));
    struct json info = json_get_c(l->json, "timeInfo");
    str start = json_string_or(json_get_c(info, "startTimeField"), ctx->arena, STR(""));
    str end = json_string_or(json_get_c(info, "endTimeField"), ctx->arena, STR(""));
    TRY(time_bound(ctx, l, start, OP_LE, times[1], &bounds[0]));
    TRY(time_bound(ctx, l, str_empty(end) ? start : end, OP_GE, times[0], &bounds[1]));
    for (size_t i = 0; i < COUNT_OF(bounds); i++) {
        if (!bounds[i])
            continue;
        struct where *before = (struct where *)(uintptr_t)*where;
        *where = before ? node(ctx, (struct where){.kind = WHERE_AND}, before, bounds[i]) : bounds[i];
    }
    return RC_OK;
}

/* ---- conditions, order and fields ---- */

static bool has_condition(const struct call *call)
{
    static const char *const names[] = {"where", "objectIds", "uniqueIds", "geometry", "time"};
    for (size_t i = 0; i < COUNT_OF(names); i++)
        if (call_has(call, names[i]))
            return true;
    return false;
}

static int read_conditions(struct ctx *ctx, const struct call *call, str text, struct features_request *rq)
{
    struct where *where = NULL;
    int64_t *oids;
    if (str_empty(text) && !has_condition(call))
        return err_set(ctx, &ERR_FEATURE, "'where' clause, 'objectIds', 'time' or 'geometry' is needed.");
    TRY(features_where(ctx, rq->layer, text, &where));
    rq->query.where = where;
    TRY(read_time(ctx, call, rq->layer, &rq->query.where));
    const char *ids = call_has(call, "objectIds") ? "objectIds" : "uniqueIds"; /* which are the same here */
    if (call_has(call, ids)) {
        TRY(features_object_ids(ctx, call_param(call, ids), &oids, &rq->query.oid_count));
        rq->query.oids = oids;
    }
    return features_filter(ctx, call, rq->layer, &rq->query);
}

/* With the object id among the fields every row is a distinct one. */
static void drop_needless_distinct(struct features_request *rq)
{
    for (size_t i = 0; i < rq->query.field_count; i++)
        if (rq->query.fields[i] == rq->layer->oid_field)
            rq->query.distinct = false;
}

static int read_features(struct ctx *ctx, const struct call *call, str out_fields, struct features_request *rq)
{
    struct feature_order *order;
    size_t *fields;
    TRY(features_order(ctx, rq->layer, call_param(call, "orderByFields"), &order, &rq->query.order_count));
    TRY(features_out_fields(ctx, rq->layer, out_fields, &fields, &rq->query.field_count));
    rq->query.order = order;
    rq->query.fields = rq->rows.fields = fields;
    rq->rows.field_count = rq->query.field_count;
    bool distinct = call_bool(call, "returnDistinctValues");
    rq->query.distinct = distinct;
    if (distinct)
        drop_needless_distinct(rq);
    rq->rows.geometry = rq->rows.geometry && call_bool(call, "returnGeometry") && !distinct;
    rq->query.geometry = rq->rows.geometry || ((rq->rows.centroid || rq->rows.envelope) && !distinct);
    rq->unique_ids = call_bool(call, "returnUniqueIdsOnly");
    rq->ids = rq->unique_ids || call_bool(call, "returnIdsOnly");
    if (rq->ids) {
        rq->query.field_count = 0;
        rq->query.geometry = rq->query.distinct = false;
        rq->query.offset = 0;
        rq->limit = -1;
    }
    rq->query.limit = rq->limit < 0 ? -1 : rq->limit + 1; /* one more tells that there is more */
    return RC_OK;
}

int features_request_read(struct ctx *ctx, struct call *call, str where, str out_fields, struct features_request *rq)
{
    static const char *const types[] = {"none", "standard", "tile"}, *const formats[] = {"none", "standard"};
    TRY(refuse_unsupported(ctx, call));
    TRY(check_word(ctx, call, "resultType", types, COUNT_OF(types)));
    TRY(check_word(ctx, call, "sqlFormat", formats, COUNT_OF(formats)));
    TRY(features_rows_open(ctx, call, rq->layer, &rq->rows));
    TRY(read_conditions(ctx, call, where, rq));
    TRY(read_paging(ctx, call, rq));
    if (call_has(call, "outStatistics") || call_has(call, "groupByFieldsForStatistics") || call_has(call, "having"))
        return features_statistics_read(ctx, call, rq);
    return read_features(ctx, call, out_fields, rq);
}

int features_request_open(struct ctx *ctx, const struct call *call, const struct features_request *rq,
                          struct feature_cursor **out)
{
    struct feature_store *fs = call->site->features;
    const id *store = &rq->service->store;
    return rq->groups.count ? feature_groups_open(ctx, fs, store, rq->layer, &rq->query, &rq->groups, out)
                            : feature_query_open(ctx, fs, store, rq->layer, &rq->query, out);
}

void features_request_close(struct features_request *rq)
{
    features_rows_close(&rq->rows);
    features_filter_close(&rq->query);
    hosted_release(&rq->service);
}

/* ---- numbers instead of features ---- */

/* Of groups only stepping tells the number. */
static int count_groups(struct ctx *ctx, const struct call *call, const struct features_request *rq, int64_t *out)
{
    struct features_request all = *rq;
    struct feature_cursor *c;
    struct row row;
    int rc;
    all.groups.offset = 0;
    all.groups.limit = -1;
    TRY(features_request_open(ctx, call, &all, &c));
    for (*out = 0; (rc = feature_next(ctx, c, &row)) == RC_OK;)
        ++*out;
    feature_cursor_close(c);
    return rc == RC_END ? RC_OK : rc;
}

int features_count(struct ctx *ctx, const struct call *call, const struct features_request *rq, int64_t *out)
{
    if (rq->groups.count)
        return count_groups(ctx, call, rq, out);
    return feature_count(ctx, call->site->features, &rq->service->store, rq->layer, &rq->query, out);
}

int features_extent(struct ctx *ctx, const struct call *call, const struct features_request *rq, struct envelope *out,
                    bool *empty)
{
    struct envelope found;
    *out = (struct envelope){0};
    if (rq->layer->geometry == GEOMETRY_NONE)
        return err_set(ctx, &ERR_FEATURE, "A table has no extent.");
    TRY(feature_extent(ctx, call->site->features, &rq->service->store, rq->layer, &rq->query, &found, empty));
    return *empty ? RC_OK : crs_transform_envelope(ctx, &rq->rows.shape.from, &rq->rows.shape.to, &found, out);
}

static int put_count(struct ctx *ctx, struct call *call, const struct features_request *rq)
{
    int64_t count;
    TRY(features_count(ctx, call, rq, &count));
    json_member_int(&call->out, "count", count);
    return RC_OK;
}

static int put_extent(struct ctx *ctx, struct call *call, const struct features_request *rq)
{
    struct envelope box;
    bool empty;
    struct json_out *o = &call->out;
    TRY(features_extent(ctx, call, rq, &box, &empty));
    const double corners[] = {box.xmin, box.ymin, box.xmax, box.ymax};
    static const char *const names[] = {"xmin", "ymin", "xmax", "ymax"};
    if (rq->rows.geojson) { /* GDAL looks for "bbox" (clients.md 16) */
        json_member_c(o, "type", "FeatureCollection");
        json_name(o, "bbox");
        json_begin_array(o);
        for (size_t i = 0; i < COUNT_OF(corners) && !empty; i++)
            json_put_double(o, corners[i]);
        json_end_array(o);
        json_member_raw(o, "features", STR("[]"));
        return RC_OK;
    }
    json_name(o, "extent");
    json_begin_object(o);
    for (size_t i = 0; i < COUNT_OF(corners); i++)
        if (empty)
            json_member_c(o, names[i], "NaN");
        else
            json_member_double(o, names[i], corners[i]);
    json_name(o, "spatialReference");
    esri_json_put_crs(o, &rq->rows.shape.to);
    json_end_object(o);
    return RC_OK;
}

static int put_numbers(struct ctx *ctx, struct call *call, const struct features_request *rq)
{
    bool count = call_bool(call, "returnCountOnly"), extent = call_bool(call, "returnExtentOnly");
    json_begin_object(&call->out);
    if (extent)
        TRY(put_extent(ctx, call, rq));
    if (count)
        TRY(put_count(ctx, call, rq));
    json_end_object(&call->out);
    return RC_OK;
}

/* A browser that has asked for nothing yet gets the form. */
static bool is_blank(const struct call *call)
{
    return call->format == FORMAT_HTML && !has_condition(call) && !call_has(call, "outStatistics");
}

/* ---- the time that a query may take ---- */

void features_limit_time(struct ctx *ctx, const struct call *call)
{
    ctx->deadline_ms = ctx->clock->monotonic_ms(ctx->clock) + call->site->settings.query_ms;
}

int features_late(struct ctx *ctx, const struct call *call, int rc)
{
    bool late = ctx->deadline_ms && ctx->clock->monotonic_ms(ctx->clock) >= ctx->deadline_ms;
    if (rc != RC_CANCELED || !late)
        return rc;
    err_clear(ctx);
    return err_set(ctx, &ERR_QUERY_TIME, "It took longer than %lld seconds. Ask for less, or for fewer features at once.",
                   (long long)(call->site->settings.query_ms / 1000));
}

static int answer(struct ctx *ctx, struct call *call)
{
    CLEANUP(features_request_close) struct features_request rq = {0};
    TRY(features_open_layer(ctx, call, FEATURE_QUERY, &rq.service, &rq.layer));
    if (is_blank(call)) {
        json_begin_object(&call->out);
        json_end_object(&call->out);
        return RC_OK;
    }
    TRY(features_request_read(ctx, call, call_param(call, "where"), call_param(call, "outFields"), &rq));
    if (call->format == FORMAT_PBF)
        return features_put_pbf(ctx, call, &rq);
    if (call_bool(call, "returnCountOnly") || call_bool(call, "returnExtentOnly"))
        return put_numbers(ctx, call, &rq);
    return features_put_json(ctx, call, &rq);
}

int features_query(struct ctx *ctx, struct call *call)
{
    features_limit_time(ctx, call);
    return features_late(ctx, call, answer(ctx, call));
}

/* ---- one feature ---- */

int features_feature(struct ctx *ctx, struct call *call)
{
    CLEANUP(features_request_close) struct features_request rq = {0};
    int64_t oid;
    struct row row;
    struct feature_cursor *cursor;
    TRY(features_open_layer(ctx, call, FEATURE_QUERY, &rq.service, &rq.layer));
    TRY(features_path_number(ctx, call, "objectId", &oid));
    TRY(features_rows_open(ctx, call, rq.layer, &rq.rows));
    size_t *fields;
    TRY(features_out_fields(ctx, rq.layer, STR("*"), &fields, &rq.rows.field_count));
    rq.rows.fields = fields;
    rq.query = (struct feature_query){.oids = &oid, .oid_count = 1, .limit = 1, .geometry = true};
    TRY(feature_query_open(ctx, call->site->features, &rq.service->store, rq.layer, &rq.query, &cursor));
    int rc = feature_next(ctx, cursor, &row);
    if (rc == RC_OK) {
        json_begin_object(&call->out);
        json_name(&call->out, "feature");
        rc = features_rows_put(ctx, &call->out, &rq.rows, &row);
        json_end_object(&call->out);
    }
    feature_cursor_close(cursor);
    return rc == RC_END ? err_set(ctx, &ERR_FEATURE, "There is no feature %lld.", (long long)oid) : rc;
}
