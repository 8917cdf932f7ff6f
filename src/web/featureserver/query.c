/* The query operation. Small answers are made whole; larger ones go out while the rows are read, through a reader that holds a
 * few kilobytes, whatever the page's size. */
#include "base/mem.h"
#include "base/stream.h"
#include "web/featureserver/featureserver.h"

enum { WHOLE_MAX = 1 << 20, PIECE = 64 * 1024, FACTOR_MAX = 5 };

/* ---- what is asked for ---- */

struct request {
    struct hosted_service *service;
    const struct layer *layer;
    struct feature_query query;
    struct features_rows rows;
    int64_t limit; /* rows of the answer, -1 all */
};

/* Parameters that would change the answer and are not there yet. */
static int refuse_unsupported(struct ctx *ctx, const struct call *call)
{
    static const char *const texts[] = {"outStatistics",
                                        "groupByFieldsForStatistics",
                                        "having",
                                        "time",
                                        "quantizationParameters",
                                        "historicMoment",
                                        "fullText",
                                        "uniqueIds",
                                        "relationParam",
                                        "gdbVersion"};
    static const char *const flags[] = {"returnCentroid", "returnUniqueIdsOnly", "returnEnvelope"};
    for (size_t i = 0; i < COUNT_OF(texts); i++)
        if (!str_empty(str_trim(call_param(call, texts[i]))))
            return err_set(ctx, &ERR_FEATURE, "'%s' is not supported yet.", texts[i]);
    for (size_t i = 0; i < COUNT_OF(flags); i++)
        if (call_bool(call, flags[i]))
            return err_set(ctx, &ERR_FEATURE, "'%s' is not supported yet.", flags[i]);
    if (call_has(call, "geometry") && call_double(call, "distance") > 0)
        return err_set(ctx, &ERR_FEATURE, "'distance' is not supported yet.");
    return RC_OK;
}

static int read_paging(struct ctx *ctx, const struct call *call, struct request *rq)
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

static int read_conditions(struct ctx *ctx, const struct call *call, struct request *rq)
{
    struct where *where = NULL;
    int64_t *oids;
    if (!call_has(call, "where") && !call_has(call, "objectIds") && !call_has(call, "geometry"))
        return err_set(ctx, &ERR_FEATURE, "'where' clause, 'objectIds' or 'geometry' is needed.");
    TRY(features_where(ctx, rq->layer, call_param(call, "where"), &where));
    rq->query.where = where;
    if (call_has(call, "objectIds")) {
        TRY(features_object_ids(ctx, call_param(call, "objectIds"), &oids, &rq->query.oid_count));
        rq->query.oids = oids;
    }
    return features_filter(ctx, call, rq->layer, &rq->query);
}

/* With the object id among the fields every row is a distinct one. */
static void drop_needless_distinct(struct request *rq)
{
    for (size_t i = 0; i < rq->query.field_count; i++)
        if (rq->query.fields[i] == rq->layer->oid_field)
            rq->query.distinct = false;
}

static int read_request(struct ctx *ctx, struct call *call, struct request *rq)
{
    struct feature_order *order;
    size_t *fields;
    TRY(refuse_unsupported(ctx, call));
    TRY(features_rows_open(ctx, call, rq->layer, &rq->rows));
    TRY(read_conditions(ctx, call, rq));
    TRY(features_order(ctx, rq->layer, call_param(call, "orderByFields"), &order, &rq->query.order_count));
    TRY(features_out_fields(ctx, rq->layer, call_param(call, "outFields"), &fields, &rq->query.field_count));
    TRY(read_paging(ctx, call, rq));
    rq->query.order = order;
    rq->query.fields = rq->rows.fields = fields;
    rq->rows.field_count = rq->query.field_count;
    rq->query.distinct = call_bool(call, "returnDistinctValues");
    if (rq->query.distinct)
        drop_needless_distinct(rq);
    rq->rows.geometry = rq->rows.geometry && call_bool(call, "returnGeometry") && !call_bool(call, "returnDistinctValues");
    rq->query.geometry = rq->rows.geometry;
    rq->query.limit = rq->limit + 1; /* one more tells that there is more */
    return RC_OK;
}

/* ---- numbers instead of features ---- */

static int put_count(struct ctx *ctx, struct call *call, const struct request *rq)
{
    int64_t count;
    TRY(feature_count(ctx, call->site->features, &rq->service->store, rq->layer, &rq->query, &count));
    json_member_int(&call->out, "count", count);
    return RC_OK;
}

static int put_extent(struct ctx *ctx, struct call *call, const struct request *rq)
{
    struct envelope found, box = {0};
    bool empty;
    struct json_out *o = &call->out;
    TRY(feature_extent(ctx, call->site->features, &rq->service->store, rq->layer, &rq->query, &found, &empty));
    if (!empty)
        TRY(crs_transform_envelope(ctx, &rq->rows.from, &rq->rows.to, &found, &box));
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
    esri_json_put_crs(o, &rq->rows.to);
    json_end_object(o);
    return RC_OK;
}

static int put_numbers(struct ctx *ctx, struct call *call, const struct request *rq)
{
    bool count = call_bool(call, "returnCountOnly"), extent = call_bool(call, "returnExtentOnly");
    if (extent && rq->layer->geometry == GEOMETRY_NONE)
        return err_set(ctx, &ERR_FEATURE, "A table has no extent.");
    json_begin_object(&call->out);
    if (extent)
        TRY(put_extent(ctx, call, rq));
    if (count)
        TRY(put_count(ctx, call, rq));
    json_end_object(&call->out);
    return RC_OK;
}

/* ---- features, or their ids ---- */

/* The answer in the making; its text is call->text, from where the reader takes it. */
struct stream {
    struct reader base;
    struct call *call;
    struct hosted_service *service;
    struct feature_cursor *cursor;
    struct features_rows rows;
    bool ids, done;
    int64_t left; /* rows that may follow, -1 no end */
    size_t sent;  /* of call->text */
};

static void stream_close(struct reader *r)
{
    struct stream *s = (struct stream *)r;
    feature_cursor_close(s->cursor);
    features_rows_close(&s->rows);
    hosted_release(&s->service);
    mem_free(s);
}

static void stream_cleanup(struct stream **s)
{
    if (*s)
        stream_close(&(*s)->base);
}

static void put_crs_name(struct json_out *o, const struct crs *crs)
{
    json_name(o, "crs");
    json_begin_object(o);
    json_member_c(o, "type", "name");
    json_name(o, "properties");
    json_begin_object(o);
    json_name(o, "name");
    json_put_str(o, arena_printf(o->ctx->arena, "EPSG:%d", crs_latest_wkid(crs->wkid)));
    json_end_object(o);
    json_end_object(o);
}

static void put_head(struct stream *s)
{
    struct json_out *o = &s->call->out;
    const struct layer *l = s->rows.layer;
    str oid = l->fields[l->oid_field].name;
    json_begin_object(o);
    if (s->rows.geojson && !s->ids) {
        json_member_c(o, "type", "FeatureCollection");
        if (s->rows.to.wkid)
            put_crs_name(o, &s->rows.to);
        json_name(o, "features");
        json_begin_array(o);
        return;
    }
    json_member_str(o, "objectIdFieldName", oid);
    if (!s->ids) {
        json_name(o, "uniqueIdField");
        json_begin_object(o);
        json_member_str(o, "name", oid);
        json_member_bool(o, "isSystemMaintained", true);
        json_end_object(o);
        json_member_str(o, "globalIdFieldName", l->globalid_field == SIZE_MAX ? STR("") : l->fields[l->globalid_field].name);
        features_rows_put_geometry_members(o, &s->rows);
        features_rows_put_fields(o, &s->rows);
    }
    json_name(o, s->ids ? "objectIds" : "features");
    json_begin_array(o);
}

static void put_tail(struct stream *s, bool exceeded)
{
    struct json_out *o = &s->call->out;
    json_end_array(o);
    if (exceeded) {
        json_member_bool(o, "exceededTransferLimit", true);
        if (s->rows.geojson)
            json_member_raw(o, "properties", STR("{\"exceededTransferLimit\":true}"));
    }
    json_end_object(o);
    s->done = true;
}

/* Writes rows until the text has `enough` bytes or all is written. */
static int produce(struct ctx *ctx, struct stream *s, size_t enough)
{
    struct json_out *o = &s->call->out;
    struct row row;
    while (!s->done && s->call->text.n < enough) {
        int rc = feature_next(ctx, s->cursor, &row);
        if (rc != RC_OK && rc != RC_END)
            return rc;
        if (rc == RC_END || s->left == 0) {
            put_tail(s, rc == RC_OK);
        } else if (s->ids) {
            json_put_int(o, row.oid);
        } else {
            TRY(features_rows_put(ctx, o, &s->rows, &row));
        }
        s->left -= s->left > 0;
    }
    return buf_check(&s->call->text, ctx, "the answer");
}

static int stream_read(struct ctx *ctx, struct reader *r, void *p, size_t n, size_t *got)
{
    struct stream *s = (struct stream *)r;
    struct buf *text = &s->call->text;
    if (s->sent == text->n && !s->done) {
        buf_clear(text);
        s->sent = 0;
        TRY(ctx_check(ctx));
        TRY(produce(ctx, s, PIECE));
    }
    *got = text->n - s->sent < n ? text->n - s->sent : n;
    memcpy(p, text->p + s->sent, *got);
    s->sent += *got;
    return RC_OK;
}

static str answer_type(const struct call *call)
{
    return call->format == FORMAT_GEOJSON ? STR("application/geo+json;charset=utf-8") : STR("application/json;charset=utf-8");
}

/* Clients that draw tiles want all of the features of an answer or none, and ask for smaller tiles then. */
static int hide_part(struct ctx *ctx, const struct call *call, struct request *rq)
{
    struct feature_query next = rq->query;
    struct feature_cursor *cursor;
    struct row row;
    next.offset += rq->limit;
    next.limit = 1;
    next.geometry = false;
    TRY(feature_query_open(ctx, call->site->features, &rq->service->store, rq->layer, &next, &cursor));
    int rc = feature_next(ctx, cursor, &row);
    feature_cursor_close(cursor);
    if (rc == RC_OK)
        rq->limit = 0;
    return rc == RC_END ? RC_OK : rc;
}

static int put_features(struct ctx *ctx, struct call *call, struct request *rq)
{
    if (!call_bool(call, "returnExceededLimitFeatures") && !call_bool(call, "returnIdsOnly"))
        TRY(hide_part(ctx, call, rq));
    CLEANUP(stream_cleanup) struct stream *s = mem_new(struct stream);
    *s = (struct stream){.base = {.read = stream_read, .close = stream_close},
                         .call = call,
                         .service = rq->service,
                         .rows = rq->rows,
                         .ids = call_bool(call, "returnIdsOnly"),
                         .left = rq->limit};
    rq->service = NULL; /* both are the stream's now */
    rq->rows = (struct features_rows){0};
    if (s->ids) {
        rq->query.field_count = 0;
        rq->query.geometry = rq->query.distinct = false;
        rq->query.offset = 0;
        rq->query.limit = s->left = -1;
    }
    TRY(feature_query_open(ctx, call->site->features, &s->service->store, rq->layer, &rq->query, &s->cursor));
    put_head(s);
    TRY(produce(ctx, s, call->format == FORMAT_HTML ? SIZE_MAX : WHOLE_MAX));
    if (s->done)
        return RC_OK;
    struct reader *reader = &s->base;
    s = NULL;
    return reply_stream(ctx, call, reader, -1, answer_type(call), STR(""));
}

static void request_close(struct request *rq)
{
    features_rows_close(&rq->rows);
    hosted_release(&rq->service);
}

/* A browser that has asked for nothing yet gets the form. */
static bool is_blank(const struct call *call)
{
    return call->format == FORMAT_HTML && !call_has(call, "where") && !call_has(call, "objectIds") && !call_has(call, "geometry");
}

int features_query(struct ctx *ctx, struct call *call)
{
    CLEANUP(request_close) struct request rq = {0};
    TRY(features_open_layer(ctx, call, FEATURE_QUERY, &rq.service, &rq.layer));
    if (is_blank(call)) {
        json_begin_object(&call->out);
        json_end_object(&call->out);
        return RC_OK;
    }
    TRY(read_request(ctx, call, &rq));
    if (call_bool(call, "returnCountOnly") || call_bool(call, "returnExtentOnly"))
        return put_numbers(ctx, call, &rq);
    return put_features(ctx, call, &rq);
}

/* ---- one feature ---- */

int features_feature(struct ctx *ctx, struct call *call)
{
    CLEANUP(request_close) struct request rq = {0};
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
