/* The HTTP client over libcurl, which nothing else in the program knows.
 *
 * Each call takes an easy handle from a stack of idle ones (the last used first, whose connection is warmest) and puts it back
 * afterwards; a handle keeps its connections. The stack under its lock is all that threads share. */
#include "net/http_client.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "codec/url.h"
#include "net/address.h"

#include <curl/curl.h>
#include <pthread.h>
#include <time.h>

enum {
    ANSWER_MAX = 16 << 20,  /* default of answer_max */
    REFUSAL_MAX = 64 << 10, /* kept of the body of an answer that is not 2xx when a writer wanted it */
    HEADERS_MAX = 200,      /* of an answer */
    REDIRECTS_MAX = 5,
    BLOCK = 256 << 10, /* of libcurl's buffers */
    BACKOFF_MAX_MS = 30 * 1000,
    RETRY_AFTER_MAX_MS = 60 * 1000,
    WAIT_STEP_MS = 100, /* between looks at the context while waiting */
};

struct handle {
    struct handle *next;
    CURL *easy;
};

struct http_client {
    char *ca_file, *cert_file, *key_file, *proxy, *networks;
    bool insecure, public_only;
    unsigned connect_seconds, stall_seconds, tries, backoff_ms;
    pthread_mutex_t lock;
    struct handle *idle; /* under lock */
};

/* One try of a call. */
struct transfer {
    struct ctx *ctx;
    const struct http_client *client;
    const struct http_call *call;
    struct http_answer *answer;
    CURL *easy;
    struct buf memory; /* body of the answer, unless it goes to the writer */
    int rc;            /* of what a callback called; libcurl then ends with an error of its own */
    bool reader_used;  /* so that the request cannot be sent again */
    bool writer_used;
    str refused; /* the last address that was not connected to because it is not public; none without one */
};

/* A part whose content comes from a reader. */
struct upload {
    struct transfer *transfer;
    const struct http_part *part;
    uint64_t left;
};

static unsigned or_default(unsigned value, unsigned default_value) { return value ? value : default_value; }

static void global_init(void) { curl_global_init(CURL_GLOBAL_DEFAULT); }

int http_client_open(struct ctx *ctx, const struct http_client_options *o, struct http_client **out)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, global_init);
    struct url_parts proxy;
    if (o->proxy && o->proxy[0] && !url_split(str_c(o->proxy), &proxy))
        return err_set(ctx, &ERR_INVALID, "the proxy is not an http or https URL");
    struct http_client *c = mem_new(struct http_client);
    c->ca_file = mem_cstr(o->ca_file);
    c->cert_file = mem_cstr(o->cert_file);
    c->key_file = mem_cstr(o->key_file);
    c->proxy = mem_cstr(o->proxy);
    c->networks = mem_cstr(o->networks);
    c->insecure = o->insecure;
    c->public_only = o->public_only;
    c->connect_seconds = or_default(o->connect_seconds, 10);
    c->stall_seconds = or_default(o->stall_seconds, 120);
    c->tries = or_default(o->tries, 4);
    c->backoff_ms = or_default(o->backoff_ms, 500);
    pthread_mutex_init(&c->lock, NULL);
    *out = c;
    return RC_OK;
}

void http_client_close(struct http_client *c)
{
    if (!c)
        return;
    for (struct handle *h = c->idle, *next; h; h = next) {
        next = h->next;
        curl_easy_cleanup(h->easy);
        mem_free(h);
    }
    pthread_mutex_destroy(&c->lock);
    mem_free(c->networks);
    mem_free(c->ca_file);
    mem_free(c->cert_file);
    mem_free(c->key_file);
    mem_free(c->proxy);
    mem_free(c);
}

static struct handle *handle_take(struct http_client *c)
{
    pthread_mutex_lock(&c->lock);
    struct handle *h = c->idle;
    if (h)
        c->idle = h->next;
    pthread_mutex_unlock(&c->lock);
    if (!h) {
        h = mem_new(struct handle);
        h->easy = curl_easy_init();
    }
    return h;
}

static void handle_return(struct http_client *c, struct handle *h)
{
    curl_easy_reset(h->easy); /* forgets the options, keeps the connections */
    pthread_mutex_lock(&c->lock);
    h->next = c->idle;
    c->idle = h;
    pthread_mutex_unlock(&c->lock);
}

/* --- what libcurl calls --- */

static long status_of(const struct transfer *t)
{
    long status = 0;
    curl_easy_getinfo(t->easy, CURLINFO_RESPONSE_CODE, &status);
    return status;
}

static size_t on_header(char *p, size_t size, size_t count, void *arg)
{
    struct transfer *t = arg;
    size_t n = size * count;
    struct http_headers *headers = &t->answer->headers;
    str line = str_trim(str_of(p, n));
    if (str_starts(line, STR("HTTP/"))) { /* the next answer: after a redirect or a 100 */
        headers->count = 0;
        return n;
    }
    size_t colon = str_find_char(line, ':', 0);
    if (colon == SIZE_MAX)
        return n;
    if (headers->count >= HEADERS_MAX) {
        t->rc = err_set(t->ctx, &ERR_LIMIT, "an answer has more than %d headers", HEADERS_MAX);
        return 0;
    }
    http_headers_add(t->ctx->arena, headers, str_trim(str_sub(line, 0, colon)), str_trim(str_sub(line, colon + 1, line.n)));
    return n;
}

static size_t on_body(char *p, size_t size, size_t count, void *arg)
{
    struct transfer *t = arg;
    str piece = str_of(p, size * count);
    t->answer->body_bytes += piece.n;
    if (!t->call->to) {
        buf_add(&t->memory, piece);
        t->rc = buf_check(&t->memory, t->ctx, "an answer");
    } else if (status_of(t) / 100 == 2) {
        t->writer_used = true;
        t->rc = writer_write(t->ctx, t->call->to, piece);
    } else { /* a refusal: its beginning says enough */
        buf_add(&t->memory, str_sub(piece, 0, t->memory.max - t->memory.n));
    }
    return t->rc == RC_OK ? piece.n : 0;
}

static size_t on_upload(char *p, size_t size, size_t count, void *arg)
{
    struct upload *u = arg;
    struct transfer *t = u->transfer;
    size_t n = size * count, got = 0;
    if (n > u->left)
        n = (size_t)u->left;
    if (n == 0)
        return 0;
    t->reader_used = true;
    t->rc = reader_read(t->ctx, u->part->reader, p, n, &got);
    if (t->rc == RC_OK && got == 0)
        t->rc = err_set(t->ctx, &ERR_IO, "what was to be sent is %llu bytes shorter than announced", (unsigned long long)u->left);
    u->left -= got;
    return t->rc == RC_OK ? got : CURL_READFUNC_ABORT;
}

static int on_progress(void *arg, curl_off_t down_total, curl_off_t down, curl_off_t up_total, curl_off_t up)
{
    struct transfer *t = arg;
    if (t->call->progress)
        t->call->progress(t->call->progress_arg, &(struct http_progress){.sent = (uint64_t)up,
                                                                         .to_send = (uint64_t)up_total,
                                                                         .received = (uint64_t)down,
                                                                         .to_receive = (uint64_t)down_total});
    if (t->rc == RC_OK)
        t->rc = ctx_check(t->ctx);
    return t->rc != RC_OK;
}

/* The address is the one that is connected to, whatever the name resolved to before. */
static curl_socket_t on_socket(void *arg, curlsocktype purpose, struct curl_sockaddr *a)
{
    struct transfer *t = arg;
    struct address to = address_of_socket(&a->addr); /* "::", which is not public, for what is no address */
    if (purpose != CURLSOCKTYPE_IPCXN || (!address_public(&to) && !address_listed(str_c(t->client->networks), &to))) {
        t->refused = address_print(t->ctx->arena, &to);
        return CURL_SOCKET_BAD;
    }
    return socket(a->family, a->socktype | SOCK_CLOEXEC, a->protocol);
}

static void set_public_only(CURL *easy, struct transfer *t)
{
    curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, on_socket);
    curl_easy_setopt(easy, CURLOPT_OPENSOCKETDATA, t);
    curl_easy_setopt(easy, CURLOPT_PROXY, "");
    curl_easy_setopt(easy, CURLOPT_DISALLOW_USERNAME_IN_URL, 1L);
}

/* --- the request --- */

static enum http_method method_of(const struct http_call *call) { return call->form || call->parts ? HTTP_POST : call->method; }

static void set_method(CURL *easy, enum http_method method)
{
    if (method == HTTP_HEAD)
        curl_easy_setopt(easy, CURLOPT_NOBODY, 1L);
    else if (method != HTTP_GET && method != HTTP_POST)
        curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, http_method_name(method));
    if (method == HTTP_GET || method == HTTP_HEAD) {
        curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 1L);
        curl_easy_setopt(easy, CURLOPT_MAXREDIRS, (long)REDIRECTS_MAX);
    }
}

static void set_client_options(CURL *easy, const struct http_client *c, const struct http_call *call)
{
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_USERAGENT, "mapferry");
    curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(easy, CURLOPT_REDIR_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT, (long)c->connect_seconds);
    curl_easy_setopt(easy, CURLOPT_LOW_SPEED_LIMIT, 1L);
    curl_easy_setopt(easy, CURLOPT_LOW_SPEED_TIME, (long)or_default(call->stall_seconds, c->stall_seconds));
    curl_easy_setopt(easy, CURLOPT_BUFFERSIZE, (long)BLOCK);
    curl_easy_setopt(easy, CURLOPT_UPLOAD_BUFFERSIZE, (long)BLOCK);
    if (c->ca_file)
        curl_easy_setopt(easy, CURLOPT_CAINFO, c->ca_file);
    if (c->cert_file) {
        curl_easy_setopt(easy, CURLOPT_SSLCERT, c->cert_file);
        curl_easy_setopt(easy, CURLOPT_SSLKEY, c->key_file);
    }
    if (c->proxy)
        curl_easy_setopt(easy, CURLOPT_PROXY, c->proxy);
    if (c->insecure) {
        curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, 0L);
        curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, 0L);
    }
    if (!call->to) /* what is stored keeps the bytes and the length that the server has */
        curl_easy_setopt(easy, CURLOPT_ACCEPT_ENCODING, "");
}

static void set_callbacks(CURL *easy, struct transfer *t, char *error_text)
{
    curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, error_text);
    curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_header);
    curl_easy_setopt(easy, CURLOPT_HEADERDATA, t);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, t);
    curl_easy_setopt(easy, CURLOPT_NOPROGRESS, 0L);
    curl_easy_setopt(easy, CURLOPT_XFERINFOFUNCTION, on_progress);
    curl_easy_setopt(easy, CURLOPT_XFERINFODATA, t);
}

static void slist_cleanup(struct curl_slist **list) { curl_slist_free_all(*list); }

static struct curl_slist *header_list(struct ctx *ctx, const struct http_call *call)
{
    struct curl_slist *list = NULL;
    for (size_t i = 0; i < call->headers.count; i++) {
        const struct http_header *h = &call->headers.items[i];
        /* libcurl takes "name;" for an empty value; "name:" would remove the header. */
        str line = h->value.n > 0 ? arena_printf(ctx->arena, "%.*s: %.*s", STR_FMT(h->name), STR_FMT(h->value))
                                  : arena_printf(ctx->arena, "%.*s;", STR_FMT(h->name));
        list = curl_slist_append(list, line.p);
    }
    return list;
}

static void mime_cleanup(curl_mime **mime) { curl_mime_free(*mime); }

static curl_mime *new_mime(struct transfer *t)
{
    curl_mime *mime = curl_mime_init(t->easy);
    for (size_t i = 0; i < t->call->part_count; i++) {
        const struct http_part *p = &t->call->parts[i];
        curl_mimepart *part = curl_mime_addpart(mime);
        curl_mime_name(part, arena_cstr(t->ctx->arena, p->name));
        if (!str_none(p->filename))
            curl_mime_filename(part, arena_cstr(t->ctx->arena, p->filename));
        if (!str_none(p->content_type))
            curl_mime_type(part, arena_cstr(t->ctx->arena, p->content_type));
        else if (!str_none(p->filename))
            curl_mime_type(part, "application/octet-stream");
        if (!p->reader) {
            curl_mime_data(part, p->value.n > 0 ? p->value.p : "", p->value.n);
            continue;
        }
        struct upload *u = arena_new(t->ctx->arena, struct upload);
        *u = (struct upload){.transfer = t, .part = p, .left = p->length};
        curl_mime_data_cb(part, (curl_off_t)p->length, on_upload, NULL, NULL, u);
    }
    return mime;
}

static int form_body(struct ctx *ctx, const struct form *form, str *out)
{
    CLEANUP(buf_free) struct buf b = BUF_INIT((form->bytes + form->count) * 3 + 1);
    form_print(&b, form);
    *out = arena_str(ctx->arena, buf_str(&b));
    return buf_check(&b, ctx, "a form");
}

/* --- one try --- */

static const char *call_text(struct ctx *ctx, const struct http_call *call)
{
    return arena_printf(ctx->arena, "%s %.*s", http_method_name(method_of(call)), STR_FMT(url_safe(ctx->arena, call->url))).p;
}

static const struct {
    CURLcode code;
    enum http_hop hop;
    const char *text;
} failures[] = {{CURLE_COULDNT_RESOLVE_HOST, HTTP_HOP_NAME, "the name of the host is not known"},
                {CURLE_COULDNT_RESOLVE_PROXY, HTTP_HOP_PROXY, "the name of the proxy is not known"},
                {CURLE_COULDNT_CONNECT, HTTP_HOP_CONNECT, "no connection"},
                {CURLE_SSL_CONNECT_ERROR, HTTP_HOP_TLS, "no TLS with it"},
                {CURLE_SSL_CACERT_BADFILE, HTTP_HOP_TLS, "the file of trusted authorities cannot be used"},
                {CURLE_SSL_CERTPROBLEM, HTTP_HOP_TLS, "the client certificate or its key cannot be used"},
                {CURLE_PEER_FAILED_VERIFICATION, HTTP_HOP_TRUST, "its certificate is not trusted"},
                {CURLE_UNSUPPORTED_PROTOCOL, HTTP_HOP_ANSWER, "what answers there does not speak HTTP"},
                {CURLE_WEIRD_SERVER_REPLY, HTTP_HOP_ANSWER, "what answers there does not speak HTTP"},
                {CURLE_GOT_NOTHING, HTTP_HOP_ANSWER, "the connection ended without an answer"},
                {CURLE_OPERATION_TIMEDOUT, HTTP_HOP_ANSWER, "no answer in time"},
                {CURLE_PARTIAL_FILE, HTTP_HOP_ANSWER, "the answer ended early"}};

static int transfer_error(struct transfer *t, CURLcode code, const char *error_text)
{
    if (t->rc != RC_OK)
        return t->rc;
    if (!str_none(t->refused) && code == CURLE_COULDNT_CONNECT)
        return err_set(t->ctx, &ERR_INVALID, "%s: the address %.*s is not public", call_text(t->ctx, t->call),
                       STR_FMT(t->refused));
    const char *cause = error_text[0] ? error_text : curl_easy_strerror(code);
    t->answer->failed = HTTP_HOP_ANSWER;
    for (size_t i = 0; i < COUNT_OF(failures); i++)
        if (failures[i].code == code) {
            t->answer->failed = failures[i].hop;
            return err_set(t->ctx, &ERR_IO, "%s: %s (%s)", call_text(t->ctx, t->call), failures[i].text, cause);
        }
    return err_set(t->ctx, &ERR_IO, "%s: %s", call_text(t->ctx, t->call), cause);
}

/* Sends the request and takes the answer. code_out tells what libcurl thought of it. */
static int transfer_run(const struct http_client *c, struct transfer *t, str form, CURLcode *code_out)
{
    CURL *easy = t->easy;
    struct arena *a = t->ctx->arena;
    char error_text[CURL_ERROR_SIZE] = "";
    CLEANUP(slist_cleanup) struct curl_slist *headers = header_list(t->ctx, t->call);
    CLEANUP(mime_cleanup) curl_mime *mime = t->call->parts ? new_mime(t) : NULL;
    set_client_options(easy, c, t->call);
    set_callbacks(easy, t, error_text);
    if (c->public_only)
        set_public_only(easy, t);
    curl_easy_setopt(easy, CURLOPT_URL, arena_cstr(a, t->call->url));
    curl_easy_setopt(easy, CURLOPT_HTTPHEADER, headers);
    if (t->call->bearer.n > 0) {
        curl_easy_setopt(easy, CURLOPT_HTTPAUTH, (long)CURLAUTH_BEARER);
        curl_easy_setopt(easy, CURLOPT_XOAUTH2_BEARER, arena_cstr(a, t->call->bearer));
    }
    if (mime) {
        curl_easy_setopt(easy, CURLOPT_MIMEPOST, mime);
    } else if (method_of(t->call) == HTTP_POST) {
        curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)form.n);
        curl_easy_setopt(easy, CURLOPT_POSTFIELDS, form.n > 0 ? form.p : "");
    }
    set_method(easy, method_of(t->call));
    *code_out = curl_easy_perform(easy);
    t->answer->status = (int)status_of(t);
    curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, NULL);
    return *code_out == CURLE_OK && t->rc == RC_OK ? RC_OK : transfer_error(t, *code_out, error_text);
}

/* --- trying again --- */

static bool connection_failed(CURLcode code)
{
    static const CURLcode codes[] = {CURLE_COULDNT_CONNECT, CURLE_COULDNT_RESOLVE_HOST, CURLE_COULDNT_RESOLVE_PROXY,
                                     CURLE_GOT_NOTHING,     CURLE_SEND_ERROR,           CURLE_RECV_ERROR};
    for (size_t i = 0; i < COUNT_OF(codes); i++)
        if (codes[i] == code)
            return true;
    return false;
}

static bool worth_another_try(const struct transfer *t, CURLcode code)
{
    enum http_method method = method_of(t->call);
    if (!t->call->idempotent && method != HTTP_GET && method != HTTP_HEAD)
        return false;
    if (t->reader_used || t->writer_used || t->rc != RC_OK)
        return false;
    int status = t->answer->status;
    return code == CURLE_OK ? status == 429 || status == 502 || status == 503 || status == 504 : connection_failed(code);
}

/* How long to wait before the try after number `tries`. */
static int64_t pause_ms(const struct http_client *c, const struct transfer *t, unsigned tries)
{
    curl_off_t retry_after = 0; /* seconds; 0 when there was none */
    curl_easy_getinfo(t->easy, CURLINFO_RETRY_AFTER, &retry_after);
    if (retry_after > RETRY_AFTER_MAX_MS / 1000)
        return RETRY_AFTER_MAX_MS;
    if (retry_after > 0)
        return (int64_t)retry_after * 1000;
    int64_t pause = (int64_t)c->backoff_ms << (tries < 16 ? tries - 1 : 15);
    return pause < BACKOFF_MAX_MS ? pause : BACKOFF_MAX_MS;
}

static int wait_ms(struct ctx *ctx, int64_t ms)
{
    for (; ms > 0; ms -= WAIT_STEP_MS) {
        TRY(ctx_check(ctx));
        int64_t step = ms < WAIT_STEP_MS ? ms : WAIT_STEP_MS;
        struct timespec t = {.tv_nsec = (long)step * 1000000};
        nanosleep(&t, NULL);
    }
    return ctx_check(ctx);
}

static size_t memory_max(const struct http_call *call)
{
    if (call->to)
        return REFUSAL_MAX;
    return call->answer_max ? call->answer_max : ANSWER_MAX;
}

/* Tries until it worked or must not be tried again. */
static int call_with(struct ctx *ctx, const struct http_client *c, CURL *easy, const struct http_call *call, str form,
                     struct http_answer *out)
{
    for (unsigned tries = 1;; tries++) {
        CLEANUP(buf_free) struct buf memory = BUF_INIT(memory_max(call));
        *out = (struct http_answer){.tries = tries};
        struct transfer t = {.ctx = ctx, .client = c, .call = call, .answer = out, .easy = easy, .memory = memory};
        CURLcode code;
        int rc = transfer_run(c, &t, form, &code);
        memory = t.memory;
        if (tries == c->tries || !worth_another_try(&t, code)) {
            if (rc != RC_OK && tries > 1)
                err_add(ctx, "given up after %u tries", tries);
            out->body = arena_str(ctx->arena, buf_str(&memory));
            return rc;
        }
        int64_t pause = pause_ms(c, &t, tries);
        log_line(ctx, LOG_DEBUG, "%s: try %u failed (status %d), next in %lld ms", call_text(ctx, call), tries, out->status,
                 (long long)pause);
        err_clear(ctx);
        TRY(wait_ms(ctx, pause));
        curl_easy_reset(easy);
    }
}

int http_client_call(struct ctx *ctx, struct http_client *c, const struct http_call *call, struct http_answer *out)
{
    struct url_parts parts;
    *out = (struct http_answer){0};
    if (!url_split(call->url, &parts))
        return err_set(ctx, &ERR_INVALID, "not an http or https URL: %s", url_safe(ctx->arena, call->url).p);
    TRY(ctx_check(ctx));
    str form = STR("");
    if (call->form)
        TRY(form_body(ctx, call->form, &form));
    struct handle *h = handle_take(c);
    int rc = call_with(ctx, c, h->easy, call, form, out);
    handle_return(c, h);
    return rc;
}

int http_client_expect(struct ctx *ctx, const struct http_call *call, const struct http_answer *answer)
{
    int status = answer->status;
    if (status / 100 == 2)
        return RC_OK;
    bool busy = status == 429 || status == 503;
    return err_set_rc(ctx, status == 404 ? RC_NOT_FOUND : RC_FAIL, status == 404 ? &ERR_MISSING : (busy ? &ERR_BUSY : &ERR_IO),
                      "%s: answered %d %s", call_text(ctx, call), status, http_status_text(status));
}
