/* Everything that goes out: headers, JSON, pages, errors, streams. */
#include "base/log.h"
#include "codec/gzip.h"
#include "codec/range.h"
#include "codec/url.h"
#include "model/errors.h"
#include "web/web.h"

static void header(struct ctx *ctx, struct call *call, const char *name, str value)
{
    http_response_header(ctx, call->answer, str_c(name), value);
}

static bool origin_allowed(const struct call *call, str origin)
{
    str rest = call->web->allowed_origins, piece;
    while (str_split(&rest, ',', &piece)) {
        piece = str_trim(piece);
        if (str_eq(piece, STR("*")) || str_ieq(piece, origin))
            return true;
    }
    return false;
}

/* Pages of any origin may call unless http.allowedOrigins says otherwise (clients.md 7): tokens travel in parameters and headers,
 * and the cookie of our own pages does not count for requests of other origins (auth.c). Errors get the headers as well, else a
 * page would not learn what was wrong. */
void reply_headers(struct ctx *ctx, struct call *call)
{
    str origin = http_headers_get(&call->http->headers, STR("Origin"));
    if (call->http->method == HTTP_OPTIONS)
        header(ctx, call, "Vary", STR("Origin"));
    header(ctx, call, "X-Content-Type-Options", STR("nosniff"));
    header(ctx, call, "X-Request-Id", str_c(ctx->tag));
    if (str_empty(origin) || !origin_allowed(call, origin))
        return;
    header(ctx, call, "Access-Control-Allow-Origin", origin);
    header(ctx, call, "Access-Control-Allow-Credentials", STR("true"));
    header(ctx, call, "Access-Control-Expose-Headers",
           STR("Accept-Ranges, Content-Range, Content-Disposition, ETag, Retry-After, X-Request-Id"));
    if (call->http->method == HTTP_OPTIONS) {
        header(ctx, call, "Access-Control-Allow-Methods", STR("GET, HEAD, POST, OPTIONS"));
        header(ctx, call, "Access-Control-Allow-Headers",
               STR("Authorization, X-Esri-Authorization, Content-Type, Range, If-None-Match, If-Range, X-Requested-With"));
        header(ctx, call, "Access-Control-Max-Age", STR("86400"));
    }
}

void reply_paging(struct json_out *o, int64_t total, int64_t start, int64_t num, int64_t count)
{
    json_member_int(o, "total", total);
    json_member_int(o, "start", start);
    json_member_int(o, "num", num);
    json_member_int(o, "nextStart", start + count <= total && count > 0 ? start + count : -1);
}

/* ---- errors ---- */

/* The general kinds answer like the API's own: 200 with the code in the body. Limits and the machine's troubles keep their
 * status. Who asks without f wants bytes or a page and reads no code: the status says what happened, so that no error is stored
 * as a file. */
static int error_status(const struct call *call, const struct err_kind *kind)
{
    bool general = kind == &ERR_INVALID || kind == &ERR_UNSUPPORTED || kind == &ERR_MISSING;
    if (!general && kind->http != 200)
        return kind->http;
    if (call->format_given)
        return 200;
    return kind == &ERR_TOKEN_INVALID || kind == &ERR_TOKEN_REQUIRED ? 401 : kind->code;
}

static void error_json(struct ctx *ctx, struct call *call, const struct err *e)
{
    struct json_out o;
    buf_clear(&call->text);
    json_out_buf(&o, ctx, &call->text);
    o.pretty = call->format == FORMAT_PJSON || call->format == FORMAT_HTML;
    json_begin_object(&o);
    json_name(&o, "error");
    json_begin_object(&o);
    json_member_int(&o, "code", e->kind->code);
    if (e->kind->message_code)
        json_member_c(&o, "messageCode", e->kind->message_code);
    json_member_c(&o, "message", e->kind->message);
    json_name(&o, "details");
    json_begin_array(&o);
    for (unsigned i = 0; i < e->detail_count; i++)
        json_put_str(&o, str_c(e->details[i]));
    json_end_array(&o);
    json_end_object(&o);
    json_end_object(&o);
    (void)json_out_end(&o, "the error");
}

static void error_reply(struct ctx *ctx, struct call *call)
{
    static const struct err_kind unknown = {"internal", 500, 500, NULL, "The portal could not do this, and did not say why."};
    struct err e = ctx->err;
    err_clear(ctx);
    if (!e.kind)
        e.kind = &unknown;
    http_response_clear(call->answer);
    call->streamed = false;
    call->answer->status = error_status(call, e.kind);
    if (call->answer->status >= 500)
        log_line(ctx, LOG_ERROR, "%s: %s", e.kind->name, e.detail_count ? e.details[0] : e.kind->message);
    if (call->answer->status == 503)
        header(ctx, call, "Retry-After", STR("5"));
    atomic_fetch_add(&call->web->errors, 1);
    error_json(ctx, call, &e);
}

/* ---- finishing ---- */

enum { GZIP_MIN = 1024, JSONP_NAME_MAX = 128, ANSWER_MAX = 512 << 20 };

/* Who may keep an answer: what holds a secret nobody, what a signed-in caller saw that caller only, and all ask again each time.
 */
static void cache_headers(struct ctx *ctx, struct call *call)
{
    bool own = !call->caller.anonymous;
    header(ctx, call, "Cache-Control", call->secret ? STR("no-store") : own ? STR("private, no-cache") : STR("no-cache"));
}

/* Takes the body; packed when the client reads gzip and it is worth the work. What holds a secret stays as it is: the length of a
 * packed answer tells of its content. */
static void text_body(struct ctx *ctx, struct call *call, struct buf *body)
{
    struct buf packed = BUF_INIT(ANSWER_MAX);
    bool pack =
        body->n >= GZIP_MIN && !call->secret && gzip_accepted(http_headers_get(&call->http->headers, STR("Accept-Encoding")));
    if (pack && gzip_add(&packed, buf_str(body))) {
        header(ctx, call, "Content-Encoding", STR("gzip"));
        http_response_buf(call->answer, &packed);
        buf_free(body);
        return;
    }
    buf_free(&packed);
    http_response_buf(call->answer, body);
}

static bool function_name(str name)
{
    for (size_t i = 0; i < name.n; i++) {
        char c = name.p[i];
        bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == '$';
        bool later = (c >= '0' && c <= '9') || (c == '.' && name.p[i - (i > 0)] != '.' && i + 1 < name.n);
        if (!letter && (i == 0 || !later))
            return false;
    }
    return name.n > 0 && name.n <= JSONP_NAME_MAX;
}

/* callback=NAME: the JSON as a script that calls it, for pages of other origins that know no CORS. As open as CORS is, and for
 * GET only, so it stands in the query, where errors find it that come before the parameters do; the cookie of our pages never
 * counts for it (auth.c). */
int reply_callback(struct ctx *ctx, const struct call *call, str *out)
{
    bool asked = call->http->method != HTTP_POST && origin_allowed(call, STR("*"));
    str name = call_query(ctx, call, "callback");
    *out = STR_NONE;
    if (str_empty(name))
        return RC_OK;
    if (!function_name(name))
        return err_set(ctx, &ERR_PARAMETER, "'callback' has to be the name of a function.");
    if (asked)
        *out = name;
    return RC_OK;
}

static void json_body(struct ctx *ctx, struct call *call)
{
    struct buf script = BUF_INIT(ANSWER_MAX);
    str function;
    if (reply_callback(ctx, call, &function) != RC_OK || str_none(function)) {
        header(ctx, call, "Content-Type", STR("application/json;charset=utf-8"));
        text_body(ctx, call, &call->text);
        return;
    }
    buf_printf(&script, "/**/%.*s(", STR_FMT(function)); /* the comment: no other format starts so */
    buf_add(&script, buf_str(&call->text));
    buf_add(&script, STR(");"));
    call->answer->status = 200; /* a page runs no script of another status */
    header(ctx, call, "Content-Type", STR("text/javascript;charset=utf-8"));
    text_body(ctx, call, &script);
}

static void page_body(struct ctx *ctx, struct call *call)
{
    struct buf page = BUF_INIT(ANSWER_MAX);
    html_page(ctx, call, buf_str(&call->text), &page);
    header(ctx, call, "Content-Type", STR("text/html;charset=utf-8"));
    header(ctx, call, "Content-Security-Policy", html_policy(ctx));
    header(ctx, call, "Referrer-Policy", STR("same-origin")); /* addresses may hold tokens */
    text_body(ctx, call, &page);
}

void reply_finish(struct ctx *ctx, struct call *call, int rc)
{
    if (rc != RC_OK)
        error_reply(ctx, call);
    header(ctx, call, "Vary", call->streamed ? STR("Origin") : STR("Origin, Accept-Encoding"));
    if (call->streamed)
        return;
    cache_headers(ctx, call);
    if (call->format == FORMAT_HTML)
        page_body(ctx, call);
    else
        json_body(ctx, call);
}

/* ---- streams ---- */

static void content_headers(struct ctx *ctx, struct call *call, str content_type, str file_name)
{
    header(ctx, call, "Content-Type", str_empty(content_type) ? STR("application/octet-stream") : content_type);
    if (str_empty(file_name))
        return;
    struct buf b = BUF_INIT(16 << 10);
    buf_add(&b, STR("attachment; filename=\""));
    for (size_t i = 0; i < file_name.n; i++) {
        char c = file_name.p[i];
        buf_add_char(&b, c < 0x20 || c > 0x7e || c == '"' || c == '\\' ? '_' : c);
    }
    buf_add(&b, STR("\"; filename*=UTF-8''"));
    url_encode(&b, file_name);
    header(ctx, call, "Content-Disposition", arena_str(ctx->arena, buf_str(&b)));
    buf_free(&b);
}

/* What users uploaded must not run with our origin, whatever its type is taken for: HTML, SVG, XML, MIME archives. A PDF has an
 * origin of its own, and browsers show none in a sandbox. */
static void sandbox(struct ctx *ctx, struct call *call, str content_type)
{
    if (!str_ieq(content_type, STR("application/pdf")))
        header(ctx, call, "Content-Security-Policy", STR("sandbox"));
}

int reply_stream(struct ctx *ctx, struct call *call, struct reader *reader, int64_t length, str content_type, str file_name)
{
    content_headers(ctx, call, content_type, file_name);
    cache_headers(ctx, call);
    sandbox(ctx, call, content_type);
    http_response_reader(call->answer, reader, length);
    call->streamed = true;
    return RC_OK;
}

int reply_text(struct ctx *ctx, struct call *call, int status, str content_type, str text)
{
    call->answer->status = status;
    header(ctx, call, "Content-Type", content_type);
    http_response_bytes(call->answer, text);
    call->streamed = true;
    return RC_OK;
}

/* Is it among the entity tags of an If-None-Match? Compared weakly (RFC 9110, 13.1.2). */
static bool etag_listed(str list, str etag)
{
    str piece;
    while (str_split(&list, ',', &piece)) {
        piece = str_trim(piece);
        if (str_starts(piece, STR("W/")))
            piece = str_sub(piece, 2, piece.n);
        if (str_eq(piece, etag) || str_eq(piece, STR("*")))
            return true;
    }
    return false;
}

int reply_blob(struct ctx *ctx, struct call *call, struct hash hash, str content_type, str file_name)
{
    uint64_t size;
    int rc = blob_size(ctx, call->site->blobs, hash, &size);
    if (rc == RC_NOT_FOUND)
        return err_set(ctx, &ERR_CORRUPT, "The stored content is missing.");
    TRY(rc);
    str etag = arena_printf(ctx->arena, "\"%.*s\"", STR_FMT(hash_hex_str(ctx->arena, hash)));
    header(ctx, call, "ETag", etag);
    header(ctx, call, "Accept-Ranges", STR("bytes"));
    cache_headers(ctx, call);
    const struct http_headers *h = &call->http->headers;
    if (etag_listed(http_headers_get(h, STR("If-None-Match")), etag))
        return reply_text(ctx, call, 304, STR("application/octet-stream"), STR(""));
    struct range range = {.kind = RANGE_WHOLE, .length = size};
    str if_range = http_headers_get(h, STR("If-Range"));
    if (str_none(if_range) || str_eq(if_range, etag))
        range = range_parse(http_headers_get(h, STR("Range")), size);
    if (range.kind == RANGE_NEVER) {
        header(ctx, call, "Content-Range", arena_printf(ctx->arena, "bytes */%llu", (unsigned long long)size));
        return reply_text(ctx, call, 416, STR("text/plain"), STR("The range lies outside of the content.\n"));
    }
    if (range.kind == RANGE_PART) {
        call->answer->status = 206;
        header(ctx, call, "Content-Range",
               arena_printf(ctx->arena, "bytes %llu-%llu/%llu", (unsigned long long)range.offset,
                            (unsigned long long)(range.offset + range.length - 1), (unsigned long long)size));
    }
    content_headers(ctx, call, content_type, file_name);
    sandbox(ctx, call, content_type);
    int fd;
    str bytes;
    TRY(blob_open_fd(ctx, call->site->blobs, hash, &fd, &bytes, &size));
    if (fd >= 0)
        http_response_fd(call->answer, fd, range.offset, range.length);
    else
        http_response_bytes(call->answer, str_sub(bytes, range.offset, range.offset + range.length));
    call->streamed = true;
    return RC_OK;
}
