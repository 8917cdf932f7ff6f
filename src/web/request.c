/* The life of a request: net/http_server calls these. The body is taken in while it arrives, files straight into blobs; then
 * caller, parameters and handler. */
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "codec/multipart.h"
#include "model/errors.h"
#include "net/tally.h"
#include "web/web.h"

enum { PARAMS_MAX = 1 << 20, FIELDS_MAX = 2000, UPLOADS_MAX = 100, PART_HEADER_MAX = 8192, TEXT_ANSWER_MAX = 256 << 20 };

struct body_reader {
    bool multipart, started;
    struct form_reader form;
    struct multipart *parts;
    struct call *call;
};

/* ---- files ---- */

static int file_begin(struct ctx *ctx, void *arg, const struct multipart_file *file)
{
    struct call *call = arg;
    if (str_empty(file->filename) && call->route->body != BODY_FILES)
        return RC_OK;
    if (call->route->body != BODY_FILES)
        return err_set(ctx, &ERR_PARAMETER, "This operation takes no files ('%.*s').", STR_FMT(file->name));
    if (call->upload_count == UPLOADS_MAX)
        return err_set(ctx, &ERR_LIMIT, "More than %d files in one request.", UPLOADS_MAX);
    struct upload *u = &call->uploads[call->upload_count];
    *u = (struct upload){.field = file->name, .filename = file->filename, .content_type = file->content_type};
    TRY(blob_begin(ctx, call->site->blobs, (uint64_t)call->site->settings.upload_max, NULL, &u->blob));
    call->upload_count++;
    return RC_OK;
}

static int file_data(struct ctx *ctx, void *arg, str piece)
{
    struct call *call = arg;
    if (!call->upload_count)
        return err_set(ctx, &ERR_PARAMETER, "This operation takes no files.");
    call->spooled += piece.n;
    TRY(strangers_hold(ctx, call, STRANGER_DISK, call->spooled));
    return blob_write(ctx, call->uploads[call->upload_count - 1].blob, piece.p, piece.n);
}

static int file_end(struct ctx *ctx, void *arg)
{
    struct call *call = arg;
    if (!call->upload_count)
        return RC_OK;
    struct upload *u = &call->uploads[call->upload_count - 1];
    TRY(blob_finish(ctx, u->blob));
    if (str_empty(u->filename) && blob_new_size(u->blob) == 0) { /* a file input left empty */
        blob_new_close(u->blob);
        call->upload_count--;
    }
    return RC_OK;
}

static const struct multipart_events file_events = {.begin = file_begin, .data = file_data, .end = file_end};

/* ---- begin ---- */

static unsigned method_bit(enum http_method m)
{
    return m == HTTP_GET || m == HTTP_HEAD ? METHOD_GET : m == HTTP_POST ? METHOD_POST : 0;
}

static str without_context(const struct web *w, str path)
{
    if (w->context.n && str_istarts(path, w->context) && (path.n == w->context.n || path.p[w->context.n] == '/'))
        return str_sub(path, w->context.n, path.n);
    return path;
}

/* The API has an older root: /sharing/content/… is /sharing/rest/content/…. */
static str with_rest(struct ctx *ctx, str path)
{
    const str old = STR("/sharing"), now = STR("/sharing/rest");
    str below = str_sub(path, old.n, path.n);
    bool is_old = str_istarts(path, old) && (str_empty(below) || below.p[0] == '/');
    bool is_now = str_istarts(path, now) && (path.n == now.n || path.p[now.n] == '/');
    return is_old && !is_now ? arena_printf(ctx->arena, "/sharing/rest%.*s", STR_FMT(below)) : path;
}

/* The row of a path. A POST operation asked by GET without f is its form: the page is shown, nothing is done. */
static int find_route(struct ctx *ctx, struct call *call)
{
    str path = with_rest(ctx, without_context(call->web, call->http->path));
    unsigned method = method_bit(call->http->method);
    bool other;
    if (!method)
        return err_set(ctx, &ERR_METHOD, "%s is not used here.", http_method_name(call->http->method));
    call->route = router_find(ctx, method, path, call->pieces, &other);
    if (call->route)
        return RC_OK;
    if (!other)
        return err_set(ctx, &ERR_NOT_FOUND, "There is nothing at this path.");
    call->form_only = method == METHOD_GET && (call->route = router_find(ctx, METHOD_POST, path, call->pieces, &other)) != NULL;
    return call->form_only ? RC_OK
                           : err_set(ctx, &ERR_METHOD, "This operation is called by %s.", method == METHOD_GET ? "POST" : "GET");
}

static uint64_t body_limit(const struct call *call)
{
    const struct site_settings *s = &call->site->settings;
    switch (call->route->body) {
    case BODY_PARAMS:
        return PARAMS_MAX;
    case BODY_TEXT:
        return (uint64_t)s->text_max * 3; /* percent-coded text is up to three times as long */
    case BODY_FILES:
        return (uint64_t)s->upload_max + (uint64_t)s->text_max;
    }
    return 0;
}

static int body_open(struct ctx *ctx, struct call *call)
{
    struct body_reader *b = call->body;
    size_t field_max = call->route->body == BODY_PARAMS ? PARAMS_MAX : (size_t)call->site->settings.text_max;
    *call->form = FORM_INIT(FIELDS_MAX, field_max, field_max + PARAMS_MAX);
    str type = http_headers_get(&call->http->headers, STR("Content-Type"));
    b->multipart = multipart_is(type);
    b->started = true;
    if (!b->multipart) {
        form_reader_open(&b->form, call->form);
        return RC_OK;
    }
    call->uploads = arena_array(ctx->arena, struct upload, UPLOADS_MAX);
    struct multipart_options options = {
        .fields = call->form, .events = &file_events, .arg = call, .header_bytes = PART_HEADER_MAX, .parts = FIELDS_MAX};
    return multipart_open(ctx, type, &options, &b->parts);
}

static int web_begin(struct ctx *ctx, void *app, struct http_request *rq)
{
    struct web *w = app;
    struct call *call = arena_new(ctx->arena, struct call);
    *call = (struct call){.web = w,
                          .site = w->site,
                          .http = rq,
                          .caller = CALLER_ANONYMOUS,
                          .form = arena_new(ctx->arena, struct form),
                          .body = arena_new(ctx->arena, struct body_reader),
                          .text = BUF_INIT(TEXT_ANSWER_MAX),
                          .started_ms = ctx->clock->monotonic_ms(ctx->clock)};
    *call->form = FORM_INIT(FIELDS_MAX, PARAMS_MAX, PARAMS_MAX);
    rq->state = call;
    atomic_fetch_add(&w->requests, 1);
    origin_find(ctx, call);
    TRY(origin_enter(ctx, call));
    if (rq->method == HTTP_OPTIONS)
        return RC_OK;
    TRY(find_route(ctx, call));
    rq->body_limit = body_limit(call);
    return rq->body_length ? body_open(ctx, call) : RC_OK;
}

static int web_body(struct ctx *ctx, void *app, struct http_request *rq, str piece)
{
    (void)app;
    struct call *call = rq->state;
    struct body_reader *b = call->body;
    uint64_t fields = call->form->bytes + b->form.pending.n + piece.n; /* a multipart field is not there until it is complete */
    TRY(strangers_hold(ctx, call, STRANGER_MEMORY, b->multipart ? rq->body_received - call->spooled : fields));
    return b->multipart ? multipart_push(ctx, b->parts, piece) : form_push(ctx, &b->form, piece);
}

/* ---- finish ---- */

static bool format_parse(str word, enum format *out)
{
    static const struct {
        const char *word;
        enum format format;
    } words[] = {
        {"html", FORMAT_HTML}, {"json", FORMAT_JSON}, {"pjson", FORMAT_PJSON}, {"geojson", FORMAT_GEOJSON}, {"pbf", FORMAT_PBF}};
    for (size_t i = 0; i < COUNT_OF(words); i++)
        if (str_ieq(str_trim(word), str_c(words[i].word))) {
            *out = words[i].format;
            return true;
        }
    return false;
}

static int find_format(struct ctx *ctx, struct call *call)
{
    str f = str_trim(call_param(call, "f"));
    if (str_empty(f))
        return RC_OK;
    call->format_given = format_parse(f, &call->format);
    if (call->format_given && (call->format != FORMAT_PBF || str_ends(str_c(call->route->pattern), STR("/query"))))
        return RC_OK; /* features alone come as protocol buffers */
    call->format_given = false;
    call->format = FORMAT_JSON;
    return err_set(ctx, &ERR_PARAMETER, "f=%.*s is not supported: html, json and pjson are.", STR_FMT(str_sub(f, 0, 32)));
}

/* The format of an error that came before the parameters were complete: by the fields that have arrived, else by the query as it
 * stands. A body that was not read may have asked for JSON, as programs do. */
static void find_error_format(struct ctx *ctx, struct call *call, bool body_read)
{
    call->format_given =
        format_parse(call_param(call, "f"), &call->format) || format_parse(call_query(ctx, call, "f"), &call->format);
    if (!call->format_given && !body_read && call->http->method == HTTP_POST)
        call->format = FORMAT_JSON;
}

static int handle(struct ctx *ctx, struct call *call)
{
    struct body_reader *b = call->body;
    if (b->started)
        TRY(b->multipart ? multipart_finish(ctx, b->parts) : form_finish(ctx, &b->form));
    if (!str_none(call->http->query))
        TRY(form_parse(ctx, call->form, call->http->query));
    TRY(find_format(ctx, call));
    if (call->form_only)
        return call->format_given && call->format != FORMAT_HTML ? err_set(ctx, &ERR_METHOD, "This operation is called by POST.")
                                                                 : RC_OK;
    str unused;
    TRY(reply_callback(ctx, call, &unused));
    TRY(params_check(ctx, call));
    TRY(auth_caller(ctx, call));
    json_out_buf(&call->out, ctx, &call->text);
    call->out.pretty = call->format == FORMAT_PJSON || call->format == FORMAT_HTML;
    TRY(call->route->handler(ctx, call));
    return call->streamed ? RC_OK : json_out_end(&call->out, "the answer");
}

static void web_finish(struct ctx *ctx, void *app, struct http_request *rq, int rc, struct http_response *answer)
{
    (void)app;
    struct call *call = rq->state;
    call->answer = answer;
    reply_headers(ctx, call);
    if (rq->method == HTTP_OPTIONS) {
        answer->status = 204;
        return;
    }
    bool body_read = rc == RC_OK;
    if (body_read)
        rc = handle(ctx, call);
    if (rc != RC_OK && !call->format_given)
        find_error_format(ctx, call, body_read);
    reply_finish(ctx, call, rc);
}

static void web_end(struct ctx *ctx, void *app, struct http_request *rq, const struct http_response *answer, bool sent)
{
    (void)app;
    struct call *call = rq->state;
    for (size_t i = 0; i < call->upload_count; i++)
        blob_new_close(call->uploads[i].blob);
    if (call->body->started) {
        if (call->body->multipart)
            multipart_close(call->body->parts);
        else
            form_reader_close(&call->body->form);
    }
    buf_free(&call->text);
    strangers_leave(call);
    origin_leave(call);
    int64_t ms = ctx->clock->monotonic_ms(ctx->clock) - call->started_ms;
    log_line(ctx, LOG_INFO, "%.*s %s %.*s %d %lld ms%s", STR_FMT(call->remote), http_method_name(rq->method),
             STR_FMT(str_sub(rq->path, 0, 300)), answer ? answer->status : 0, (long long)ms, sent ? "" : " (not sent whole)");
}

const struct http_handlers web_handlers = {.begin = web_begin, .body = web_body, .finish = web_finish, .end = web_end};

int web_open(struct ctx *ctx, struct web *w)
{
    atomic_store(&w->ready, true);
    w->running = tally_open();
    strangers_open(&w->strangers);
    return router_compile(ctx);
}

void web_close(struct web *w)
{
    atomic_store(&w->ready, false);
    router_release();
    tally_close(w->running);
    strangers_close(&w->strangers);
}
