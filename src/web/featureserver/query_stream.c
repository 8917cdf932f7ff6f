/* Features, their ids and statistics as JSON and GeoJSON. Small answers are made whole; larger ones go out while the rows are
 * read, through a reader that holds a few kilobytes, whatever the page's size. */
#include "base/mem.h"
#include "base/stream.h"
#include "web/featureserver/query.h"

enum { WHOLE_MAX = 1 << 20, PIECE = 64 * 1024 };

/* The answer in the making; its text is call->text, from where the reader takes it. */
struct stream {
    struct reader base;
    struct call *call;
    struct features_request rq;
    struct feature_cursor *cursor;
    bool done;
    int64_t left; /* rows that may follow, -1 no end */
    size_t sent;  /* of call->text */
};

static void stream_close(struct reader *r)
{
    struct stream *s = (struct stream *)r;
    feature_cursor_close(s->cursor);
    features_request_close(&s->rq);
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

/* What is above the features: of answers as Esri JSON. */
static void put_members(struct json_out *o, const struct features_request *rq)
{
    const struct layer *l = rq->layer;
    str oid = l->fields[l->oid_field].name;
    json_member_str(o, "objectIdFieldName", oid);
    if (!rq->ids || rq->unique_ids) {
        json_name(o, "uniqueIdField");
        json_begin_object(o);
        json_member_str(o, "name", oid);
        json_member_bool(o, "isSystemMaintained", true);
        json_end_object(o);
    }
    if (rq->ids)
        return;
    json_member_str(o, "globalIdFieldName", l->globalid_field == SIZE_MAX ? STR("") : l->fields[l->globalid_field].name);
    features_rows_put_geometry_members(o, &rq->rows);
    features_shape_put_transform(o, &rq->rows.shape);
    features_rows_put_fields(o, &rq->rows);
}

static void put_head(struct json_out *o, const struct features_request *rq)
{
    if (rq->rows.geojson && !rq->ids) {
        json_member_c(o, "type", "FeatureCollection");
        if (rq->rows.shape.to.wkid)
            put_crs_name(o, &rq->rows.shape.to);
    } else {
        put_members(o, rq);
    }
    json_name(o, !rq->ids ? "features" : rq->unique_ids ? "uniqueIds" : "objectIds");
    json_begin_array(o);
}

static void put_tail(struct json_out *o, const struct features_request *rq, bool exceeded)
{
    json_end_array(o);
    if (!exceeded)
        return;
    json_member_bool(o, "exceededTransferLimit", true);
    if (rq->rows.geojson)
        json_member_raw(o, "properties", STR("{\"exceededTransferLimit\":true}"));
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
            put_tail(o, &s->rq, rc == RC_OK);
            s->done = true;
        } else if (s->rq.ids) {
            json_put_int(o, row.oid);
        } else {
            TRY(features_rows_put(ctx, o, &s->rq.rows, &row));
        }
        s->left -= s->left > 0;
    }
    return buf_check(&s->call->text, ctx, "the answer");
}

/* Each piece has the time of a query of its own: a reader may be slow, a query may not. */
static int stream_read(struct ctx *ctx, struct reader *r, void *p, size_t n, size_t *got)
{
    struct stream *s = (struct stream *)r;
    struct buf *text = &s->call->text;
    if (s->sent == text->n && !s->done) {
        buf_clear(text);
        s->sent = 0;
        features_limit_time(ctx, s->call);
        TRY(ctx_check(ctx));
        TRY(produce(ctx, s, PIECE));
        if (s->done)
            json_end_object(&s->call->out);
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
int features_hide_part(struct ctx *ctx, const struct call *call, struct features_request *rq)
{
    struct features_request next = *rq;
    struct feature_cursor *cursor;
    struct row row;
    if (call_bool(call, "returnExceededLimitFeatures") || rq->limit < 0)
        return RC_OK;
    next.query.offset += rq->limit;
    next.groups.offset += rq->limit;
    next.query.limit = next.groups.limit = 1;
    next.query.geometry = false;
    TRY(features_request_open(ctx, call, &next, &cursor));
    int rc = feature_next(ctx, cursor, &row);
    feature_cursor_close(cursor);
    if (rc == RC_OK)
        rq->limit = 0;
    return rc == RC_END ? RC_OK : rc;
}

/* Takes over what the request holds. The head is written. */
static int open_stream(struct ctx *ctx, struct call *call, struct features_request *rq, struct stream **out)
{
    TRY(features_hide_part(ctx, call, rq));
    struct stream *s = mem_new(struct stream);
    *s = (struct stream){.base = {.read = stream_read, .close = stream_close}, .call = call, .rq = *rq, .left = rq->limit};
    if (rq->groups.count)
        s->rq.rows.layer = &s->rq.result; /* which has moved with it */
    *rq = (struct features_request){0};
    *out = s;
    TRY(features_request_open(ctx, call, &s->rq, &s->cursor));
    put_head(&call->out, &s->rq);
    return RC_OK;
}

int features_put_json(struct ctx *ctx, struct call *call, struct features_request *rq)
{
    CLEANUP(stream_cleanup) struct stream *s = NULL;
    json_begin_object(&call->out);
    TRY(open_stream(ctx, call, rq, &s));
    TRY(produce(ctx, s, call->format == FORMAT_HTML ? SIZE_MAX : WHOLE_MAX));
    if (s->done) {
        json_end_object(&call->out);
        return RC_OK;
    }
    struct reader *reader = &s->base;
    s = NULL;
    return reply_stream(ctx, call, reader, -1, answer_type(call), STR(""));
}

int features_put_whole(struct ctx *ctx, struct call *call, struct features_request *rq)
{
    CLEANUP(stream_cleanup) struct stream *s = NULL;
    TRY(open_stream(ctx, call, rq, &s));
    return produce(ctx, s, SIZE_MAX);
}
