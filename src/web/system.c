/* What operators ask: alive, ready, counters; and the root page. */
#include "base/file.h"
#include "web/handlers.h"

int system_root(struct ctx *ctx, struct call *call)
{
    (void)ctx;
    struct json_out *o = &call->out;
    json_begin_object(o);
    json_member_c(o, "product", "mapferry");
    json_member_str(o, "sharing", arena_printf(ctx->arena, "%.*s/sharing/rest", STR_FMT(call->portal_url)));
    json_member_str(o, "services", arena_printf(ctx->arena, "%.*s/rest/services", STR_FMT(call->server_url)));
    json_end_object(o);
    return RC_OK;
}

int system_healthz(struct ctx *ctx, struct call *call) { return reply_text(ctx, call, 200, STR("text/plain"), STR("ok\n")); }

static int stores_answer(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
    (void)arg;
    str value;
    int rc = meta_setting_get(ctx, tx, "portalId", &value);
    return rc == RC_NOT_FOUND ? RC_OK : rc;
}

int system_readyz(struct ctx *ctx, struct call *call)
{
    uint64_t available;
    struct ctx child;
    ctx_child(&child, ctx);
    bool ready = atomic_load(&call->web->ready) && sql_read(&child, call->site->sql, stores_answer, NULL) == RC_OK &&
                 dir_free_space(&child, blob_store_dir(call->site->blobs), &available) == RC_OK;
    ctx_close(&child);
    return reply_text(ctx, call, ready ? 200 : 503, STR("text/plain"), ready ? STR("ready\n") : STR("not ready\n"));
}

static void metric(struct buf *b, const char *name, const char *type, const char *help, uint64_t value)
{
    bool counter = strcmp(type, "counter") == 0;
    buf_printf(b, "# TYPE %s %s\n# HELP %s %s\n%s%s %llu\n", name, type, name, help, name, counter ? "_total" : "",
               (unsigned long long)value);
}

/* One family, a sample for each class of status. */
static void answers(struct buf *b, const struct http_counters *c)
{
    buf_printf(b, "# TYPE mapferry_http_answers counter\n# HELP mapferry_http_answers Answers by the class of their status.\n");
    for (size_t i = 2; i < COUNT_OF(c->statuses); i++)
        buf_printf(b, "mapferry_http_answers_total{status=\"%zuxx\"} %llu\n", i, (unsigned long long)c->statuses[i]);
}

int system_metrics(struct ctx *ctx, struct call *call)
{
    struct http_counters c = {0};
    http_server_counters(call->web->server, &c);
    CLEANUP(buf_free) struct buf b = BUF_INIT(64 << 10);
    metric(&b, "mapferry_http_requests", "counter", "Requests since the start.", c.requests);
    answers(&b, &c);
    metric(&b, "mapferry_http_requests_running", "gauge", "Requests being answered.", c.requests_now);
    metric(&b, "mapferry_http_connections", "gauge", "Connections that have sent a request.", c.connections_now);
    metric(&b, "mapferry_http_connections_waiting", "gauge", "Connections that have not sent a request yet.", c.waiting_now);
    metric(&b, "mapferry_http_connections_accepted", "counter", "Connections since the start.", c.connections);
    metric(&b, "mapferry_http_turned_away", "counter", "Connections ended before they had sent a request: too slow, or too many.",
           c.turned_away);
    metric(&b, "mapferry_http_cut", "counter", "Connections ended later: too slow, or idle for too long or while others waited.",
           c.cut);
    metric(&b, "mapferry_http_broken", "counter", "Requests that ended before their answer was out whole.", c.broken);
    metric(&b, "mapferry_http_bytes_in", "counter", "Bytes of request bodies.", c.bytes_in);
    metric(&b, "mapferry_http_bytes_out", "counter", "Bytes of response bodies.", c.bytes_out);
    metric(&b, "mapferry_errors", "counter", "Answers that carried an error.", atomic_load(&call->web->errors));
    const struct strangers *strangers = &call->web->strangers;
    metric(&b, "mapferry_unsigned_memory_bytes", "gauge", "Held of bodies whose callers have not shown a token yet.",
           atomic_load(&strangers->taken[STRANGER_MEMORY]));
    metric(&b, "mapferry_unsigned_disk_bytes", "gauge", "Written of files whose callers have not shown a token yet.",
           atomic_load(&strangers->taken[STRANGER_DISK]));
    uint64_t available = 0;
    if (dir_free_space(ctx, blob_store_dir(call->site->blobs), &available) != RC_OK)
        err_clear(ctx);
    metric(&b, "mapferry_content_free_bytes", "gauge", "Free bytes of the content store's file system.", available);
    buf_add(&b, STR("# EOF\n"));
    return reply_text(ctx, call, 200, STR("application/openmetrics-text; version=1.0.0; charset=utf-8"),
                      arena_str(ctx->arena, buf_str(&b)));
}
