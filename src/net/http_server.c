/* The HTTP server over libmicrohttpd, which nothing else in the program knows. Its model, a callback that is called again and
 * again for one request, is turned here into begin, body, finish, end.
 *
 * Threads: one per connection, made by the library; everything about an exchange happens on its connection's thread. Shared
 * are only the counters (atomic) and the number of running requests (under the lock, awaited by http_server_stop). */
#include "net/http_server.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/num.h"
#include "codec/url.h"
#include "net/gate.h"
#include "net/listen.h"
#include "net/tls.h"

#include <arpa/inet.h>
#include <errno.h>
#include <microhttpd.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum {
    CONNECTION_MEMORY = 32 << 10, /* request line and headers; more is answered with 414 or 431 */
    BLOCK = 64 << 10,             /* asked from a reader body at a time */
    REST_SMALL = 64 << 10,        /* an unwanted body up to this size is read and thrown away, and the connection kept */
    REST_MAX = 16 << 20,          /* and beyond this size no more of it is read */
    LINGER_MS = 2000,             /* for a client that is still sending to notice the answer */
    CONNECTIONS = 1000,
    WAITING_MAX = 16384,
    HEAD_SECONDS = 20,
    SLOW_SECONDS = 30,
    SLOW_WINDOW_BYTES = 8 << 10, /* in each SLOW_SECONDS: about what the slowest radio link brings */
};

struct server_counts {
    atomic_uint_fast64_t requests, broken, bytes_in, bytes_out, statuses[6];
};

struct http_server {
    const struct http_handlers *handlers;
    void *app;
    struct MHD_Daemon *daemon;
    struct gate *gate;
    unsigned port, idle_seconds;
    struct tls *tls; /* NULL: plain HTTP */
    atomic_bool stopping, cancel;
    pthread_mutex_t lock;
    pthread_cond_t none_running;
    atomic_uint running; /* requests between begin and end; changed under the lock */
    struct server_counts counts;
};

/* One request and its answer. */
struct exchange {
    struct http_server *server;
    struct MHD_Connection *connection;
    struct gate_guest *guest;
    struct ctx ctx;
    struct http_request rq;
    struct http_response answer;
    int rc; /* of begin and body */
    bool begun, answered;
    bool unread;       /* the answer goes out, or went out, before the whole body was read */
    bool sent_raw;     /* past the library, see give_up */
    uint64_t thrown;   /* bytes of the body that nobody wanted */
    uint64_t body_out; /* bytes of the answer's body, when it was sent whole */
    uint64_t read;     /* from a reader body */
};

/* While the application works neither the library nor the gate must count the time as idleness of the client. */
static void idle_clock(struct exchange *x, bool runs)
{
    gate_phase(x->guest, runs && !x->answered ? GATE_RECEIVING : GATE_WORKING);
    MHD_set_connection_option(x->connection, MHD_CONNECTION_OPTION_TIMEOUT, runs ? x->server->idle_seconds : 0u);
}

static void count_running(struct http_server *s, int change)
{
    pthread_mutex_lock(&s->lock);
    if (atomic_fetch_add(&s->running, (unsigned)change) + (unsigned)change == 0)
        pthread_cond_broadcast(&s->none_running);
    pthread_mutex_unlock(&s->lock);
}

/* --- the request --- */

static enum http_method method_of(str name)
{
    for (enum http_method m = HTTP_GET; m < HTTP_OTHER; m++)
        if (str_eq(name, str_c(http_method_name(m))))
            return m;
    return HTTP_OTHER;
}

static str remote_address(struct arena *a, struct MHD_Connection *connection)
{
    const union MHD_ConnectionInfo *info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
    char text[INET6_ADDRSTRLEN] = "";
    if (info && info->client_addr->sa_family == AF_INET) {
        const struct sockaddr_in *v4 = (const void *)info->client_addr;
        inet_ntop(AF_INET, &v4->sin_addr, text, sizeof text);
    } else if (info && info->client_addr->sa_family == AF_INET6) {
        const struct sockaddr_in6 *v6 = (const void *)info->client_addr;
        if (IN6_IS_ADDR_V4MAPPED(&v6->sin6_addr))
            inet_ntop(AF_INET, &v6->sin6_addr.s6_addr[12], text, sizeof text);
        else
            inet_ntop(AF_INET6, &v6->sin6_addr, text, sizeof text);
    }
    return arena_str(a, str_c(text));
}

/* What on_connection found. */
static struct gate_guest *guest_of(struct MHD_Connection *connection)
{
    const union MHD_ConnectionInfo *info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
    return info ? info->socket_context : NULL;
}

/* Called when the request line is there: the only place where the library shows the target as it was sent. */
static void *on_target(void *cls, const char *target, struct MHD_Connection *connection)
{
    struct http_server *s = cls;
    struct exchange *x = mem_new(struct exchange);
    x->server = s;
    x->connection = connection;
    x->guest = guest_of(connection);
    ctx_open(&x->ctx);
    x->ctx.cancel = &s->cancel;
    uint8_t tag[8];
    random_bytes(tag, sizeof tag);
    num_hex_print(tag, sizeof tag, x->ctx.tag);

    str path = arena_str(x->ctx.arena, str_c(target));
    struct url_parts absolute; /* "GET http://host/path", RFC 9112, 3.2.2 */
    if (url_split(path, &absolute)) {
        x->rq.path = absolute.path.n > 0 ? absolute.path : STR("/");
        x->rq.query = absolute.query;
        return x;
    }
    size_t mark = str_find_char(path, '?', 0);
    x->rq.path = str_sub(path, 0, mark);
    x->rq.query = mark == SIZE_MAX ? STR_NONE : str_sub(path, mark + 1, path.n);
    return x;
}

static enum MHD_Result on_header(void *cls, enum MHD_ValueKind kind, const char *name, size_t name_size, const char *value,
                                 size_t value_size)
{
    (void)kind;
    struct exchange *x = cls;
    http_headers_add(x->ctx.arena, &x->rq.headers, str_of(name, name_size), str_of(value, value_size));
    return MHD_YES;
}

static size_t count_of(const struct http_headers *h, str name)
{
    size_t n = 0;
    for (size_t i = 0; i < h->count; i++)
        n += str_ieq(h->items[i].name, name);
    return n;
}

/* What the application may rely on: a path, and one length. Whatever leaves two ways to read where the body ends is refused, and
 * the connection with it: that is how requests are smuggled past a proxy (RFC 9112, 6.1). */
static int check_request(struct exchange *x)
{
    if (!str_starts(x->rq.path, STR("/")) && !(x->rq.method == HTTP_OPTIONS && str_eq(x->rq.path, STR("*"))))
        return err_set(&x->ctx, &ERR_INVALID, "the target of the request is not a path");
    const struct http_headers *h = &x->rq.headers;
    str length = http_headers_get(h, STR("Content-Length")), coding = http_headers_get(h, STR("Transfer-Encoding"));
    size_t lengths = count_of(h, STR("Content-Length")), codings = count_of(h, STR("Transfer-Encoding"));
    bool two_hosts = count_of(h, STR("Host")) > 1;
    if (lengths + codings > 1 || codings > 0 || two_hosts)
        x->rq.body_length = -1;
    if (lengths + codings > 1)
        return err_set(&x->ctx, &ERR_INVALID, "the request has more than one Content-Length or Transfer-Encoding");
    if (codings > 0 && !str_ieq(coding, STR("chunked")))
        return err_set(&x->ctx, &ERR_INVALID, "the request has a Transfer-Encoding other than chunked");
    if (two_hosts)
        return err_set(&x->ctx, &ERR_INVALID, "the request has more than one Host");
    if (!str_none(length) && (!num_parse_int(length, &x->rq.body_length) || x->rq.body_length < 0))
        return err_set(&x->ctx, &ERR_INVALID, "the Content-Length of the request is not a number");
    return RC_OK;
}

static int body_too_large(struct exchange *x)
{
    return err_set(&x->ctx, &ERR_LIMIT, "the request's body is larger than %llu bytes", (unsigned long long)x->rq.body_limit);
}

static int begin(struct exchange *x)
{
    struct http_server *s = x->server;
    x->begun = true;
    atomic_fetch_add(&s->counts.requests, 1);
    count_running(s, 1);
    x->rq.remote = remote_address(x->ctx.arena, x->connection);
    x->rq.secure = s->tls != NULL;
    MHD_get_connection_values_n(x->connection, MHD_HEADER_KIND, on_header, x);
    int own_rc = check_request(x);
    int rc = s->handlers->begin(&x->ctx, s->app, &x->rq);
    TRY(own_rc);
    TRY(rc);
    bool over = x->rq.body_length < 0 ? x->rq.body_limit == 0 : (uint64_t)x->rq.body_length > x->rq.body_limit;
    return over ? body_too_large(x) : RC_OK;
}

/* --- the answer --- */

static ssize_t on_body_wanted(void *cls, uint64_t offset, char *p, size_t max)
{
    (void)offset;
    struct exchange *x = cls;
    size_t got = 0;
    idle_clock(x, false);
    int rc = reader_read(&x->ctx, x->answer.reader, p, max, &got);
    idle_clock(x, true);
    if (rc != RC_OK) {
        log_error(&x->ctx, "sending an answer");
        return MHD_CONTENT_READER_END_WITH_ERROR;
    }
    x->read += got;
    if (got > 0)
        return (ssize_t)got;
    return x->answer.length < 0 ? MHD_CONTENT_READER_END_OF_STREAM : MHD_CONTENT_READER_END_WITH_ERROR;
}

static str body_in_memory(const struct http_response *r)
{
    if (r->body == HTTP_BODY_BYTES)
        return r->bytes;
    return r->body == HTTP_BODY_BUF ? buf_str(&r->buf) : STR("");
}

static struct MHD_Response *new_response(struct exchange *x)
{
    struct http_response *r = &x->answer;
    if (r->body == HTTP_BODY_READER && r->length != 0)
        return MHD_create_response_from_callback(r->length < 0 ? MHD_SIZE_UNKNOWN : (uint64_t)r->length, BLOCK, on_body_wanted, x,
                                                 NULL);
    if (r->body == HTTP_BODY_FD && r->length > 0) {
        x->body_out = (uint64_t)r->length;
        struct MHD_Response *response = MHD_create_response_from_fd_at_offset64((uint64_t)r->length, r->fd, r->offset);
        if (response)
            r->body = HTTP_BODY_NONE; /* the library closes the descriptor */
        return response;
    }
    str bytes = body_in_memory(r);
    x->body_out = bytes.n;
    /* The library takes a pointer to non-const bytes and, for persistent ones, only reads them. */
    return MHD_create_response_from_buffer(bytes.n, (void *)(uintptr_t)(bytes.n > 0 ? bytes.p : ""), MHD_RESPMEM_PERSISTENT);
}

/* Lets the application fill x->answer. */
static void fill_answer(struct exchange *x)
{
    struct http_server *s = x->server;
    x->answered = true;
    x->answer.fd = -1;
    idle_clock(x, false);
    s->handlers->finish(&x->ctx, s->app, &x->rq, x->rc, &x->answer);
    idle_clock(x, true);
    if (x->answer.status < 200 || x->answer.status > 599)
        x->answer.status = x->answer.status == 0 ? 200 : 500;
    if (x->unread || atomic_load(&s->stopping))
        x->answer.close = true;
    atomic_fetch_add(&s->counts.statuses[x->answer.status / 100], 1);
}

static enum MHD_Result send_answer(struct exchange *x)
{
    fill_answer(x);
    struct MHD_Response *response = new_response(x);
    if (!response)
        return MHD_NO;
    for (size_t i = 0; i < x->answer.headers.count; i++) {
        const struct http_header *h = &x->answer.headers.items[i];
        if (h->value.n > 0 && MHD_add_response_header(response, h->name.p, h->value.p) == MHD_NO)
            log_line(&x->ctx, LOG_WARN, "header %s of an answer is not valid and was left out", h->name.p);
    }
    if (x->answer.close)
        MHD_add_response_header(response, MHD_HTTP_HEADER_CONNECTION, "close");
    enum MHD_Result queued = MHD_queue_response(x->connection, (unsigned)x->answer.status, response);
    MHD_destroy_response(response); /* the queue holds it */
    return queued;
}

static int socket_of(struct exchange *x)
{
    const union MHD_ConnectionInfo *info = MHD_get_connection_info(x->connection, MHD_CONNECTION_INFO_CONNECTION_FD);
    return info ? info->connect_fd : -1;
}

/* The socket does not block; waits for room at most LINGER_MS each time. */
static bool send_all(int fd, str s)
{
    while (s.n > 0) {
        ssize_t n = send(fd, s.p, s.n, MSG_NOSIGNAL);
        if (n > 0) {
            s = str_of(s.p + n, s.n - (size_t)n);
            continue;
        }
        struct pollfd p = {.fd = fd, .events = POLLOUT};
        if ((errno != EAGAIN && errno != EINTR) || poll(&p, 1, LINGER_MS) <= 0)
            return false;
    }
    return true;
}

/* The library cannot answer in the middle of a body. Without TLS we write the answer to the socket ourselves, as far as it is in
 * memory, before the connection is cut; with TLS the client sees the cut only. */
static enum MHD_Result give_up(struct exchange *x)
{
    x->unread = true;
    fill_answer(x);
    if (x->server->tls)
        return MHD_NO;
    str body = body_in_memory(&x->answer);
    CLEANUP(buf_free) struct buf head = BUF_INIT(CONNECTION_MEMORY);
    buf_printf(&head, "HTTP/1.1 %d %s\r\nConnection: close\r\nContent-Length: %zu\r\n", x->answer.status,
               http_status_text(x->answer.status), body.n);
    for (size_t i = 0; i < x->answer.headers.count; i++) {
        const struct http_header *h = &x->answer.headers.items[i];
        buf_printf(&head, "%.*s: %.*s\r\n", STR_FMT(h->name), STR_FMT(h->value));
    }
    buf_add(&head, STR("\r\n"));
    int fd = socket_of(x);
    x->body_out = body.n;
    x->sent_raw = !head.overflow && fd >= 0 && send_all(fd, buf_str(&head)) && send_all(fd, body);
    return MHD_NO;
}

/* --- the library's callbacks --- */

static enum MHD_Result on_headers_complete(struct exchange *x, const char *method)
{
    x->rq.method = method_of(str_c(method));
    idle_clock(x, false);
    x->rc = begin(x);
    idle_clock(x, true);
    if (x->rc == RC_OK || (x->rq.body_length >= 0 && x->rq.body_length <= REST_SMALL))
        return MHD_YES; /* answered when the body is over */
    x->unread = true;
    return send_answer(x);
}

static enum MHD_Result on_body_piece(struct exchange *x, str piece)
{
    struct http_server *s = x->server;
    gate_received(x->guest, piece.n);
    if (x->rc == RC_OK && piece.n > x->rq.body_limit - x->rq.body_received)
        x->rc = body_too_large(x);
    if (x->rc == RC_OK) {
        x->rq.body_received += piece.n;
        atomic_fetch_add(&s->counts.bytes_in, piece.n);
        idle_clock(x, false);
        x->rc = s->handlers->body(&x->ctx, s->app, &x->rq, piece);
        idle_clock(x, true);
        return MHD_YES;
    }
    x->thrown += piece.n;
    return x->thrown > REST_MAX ? give_up(x) : MHD_YES;
}

/* Called with the headers, then with each piece of the body, then with nothing. */
static enum MHD_Result on_access(void *cls, struct MHD_Connection *connection, const char *url, const char *method,
                                 const char *version, const char *data, size_t *size, void **state)
{
    (void)cls, (void)connection, (void)url, (void)version;
    struct exchange *x = *state;
    if (!x->begun)
        return on_headers_complete(x, method);
    if (*size == 0)
        return send_answer(x);
    str piece = str_of(data, *size);
    *size = 0;
    return on_body_piece(x, piece);
}

/* Closing a socket with unread bytes makes the kernel tell the client "reset", which may then never see the answer. So what it
 * still sends is read and thrown away, within bounds. */
static void linger(int fd)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    int64_t end = now.tv_sec * 1000 + now.tv_nsec / 1000000 + LINGER_MS;
    char scratch[16 << 10];
    for (size_t thrown = 0; fd >= 0 && thrown < REST_MAX;) {
        ssize_t n = recv(fd, scratch, sizeof scratch, MSG_DONTWAIT);
        if (n > 0) {
            thrown += (size_t)n;
            continue;
        }
        clock_gettime(CLOCK_MONOTONIC, &now);
        int64_t left = end - (now.tv_sec * 1000 + now.tv_nsec / 1000000);
        struct pollfd p = {.fd = fd, .events = POLLIN};
        if (n == 0 || (errno != EAGAIN && errno != EINTR) || left <= 0 || poll(&p, 1, (int)left) <= 0)
            return;
    }
}

static void on_completed(void *cls, struct MHD_Connection *connection, void **state, enum MHD_RequestTerminationCode how)
{
    (void)connection;
    struct http_server *s = cls;
    struct exchange *x = *state;
    if (!x)
        return;
    *state = NULL;
    if (x->begun) {
        bool sent = x->answered && (x->sent_raw || how == MHD_REQUEST_TERMINATED_COMPLETED_OK);
        bool from_reader = x->answer.body == HTTP_BODY_READER;
        if (from_reader)
            atomic_fetch_add(&s->counts.bytes_out, x->read);
        else if (sent && x->rq.method != HTTP_HEAD)
            atomic_fetch_add(&s->counts.bytes_out, x->body_out);
        atomic_fetch_add(&s->counts.broken, !sent);
        http_response_clear(&x->answer);
        s->handlers->end(&x->ctx, s->app, &x->rq, x->answered ? &x->answer : NULL, sent);
        count_running(s, -1);
        if (x->unread && x->answered)
            linger(socket_of(x));
    }
    gate_phase(x->guest, GATE_KEPT);
    ctx_close(&x->ctx);
    mem_free(x);
}

/* The gate knows the connection by its descriptor; from here on it is found by its context. */
static void on_connection(void *cls, struct MHD_Connection *connection, void **socket_context,
                          enum MHD_ConnectionNotificationCode what)
{
    struct http_server *s = cls;
    if (what == MHD_CONNECTION_NOTIFY_STARTED && s->tls) {
        const union MHD_ConnectionInfo *info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_GNUTLS_SESSION);
        tls_bind(s->tls, info->tls_session);
    }
    if (what == MHD_CONNECTION_NOTIFY_STARTED) {
        const union MHD_ConnectionInfo *info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
        *socket_context = info ? gate_guest_of(s->gate, info->connect_fd) : NULL;
    } else {
        gate_leave(*socket_context);
    }
}

/* Paths and arguments stay as they were sent. */
static size_t on_unescape(void *cls, struct MHD_Connection *connection, char *s)
{
    (void)cls, (void)connection;
    return strlen(s);
}

static void on_log(void *cls, const char *fmt, va_list args) __attribute__((format(printf, 2, 0)));
static void on_log(void *cls, const char *fmt, va_list args)
{
    (void)cls;
    CLEANUP(buf_free) struct buf b = BUF_INIT(1024);
    buf_vprintf(&b, fmt, args);
    const struct ctx none = {.clock = &clock_system};
    log_line(&none, LOG_DEBUG, "http: %.*s", STR_FMT(str_trim(buf_str(&b))));
}

/* --- start and stop --- */

static void server_free(struct http_server *s)
{
    pthread_cond_destroy(&s->none_running);
    pthread_mutex_destroy(&s->lock);
    tls_close(s->tls);
    mem_free(s);
}

static struct http_server *server_new(const struct http_server_options *o, const struct http_handlers *handlers, void *app)
{
    struct http_server *s = mem_new(struct http_server);
    s->handlers = handlers;
    s->app = app;
    s->idle_seconds = o->idle_seconds ? o->idle_seconds : 60;
    pthread_mutex_init(&s->lock, NULL);
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&s->none_running, &attributes);
    pthread_condattr_destroy(&attributes);
    return s;
}

/* NULL when the library refuses. */
static struct MHD_Daemon *start_daemon(struct http_server *s)
{
    struct MHD_OptionItem tls[] = {{MHD_OPTION_HTTPS_CERT_CALLBACK, 0, tls_callback()},
                                   {MHD_OPTION_HTTPS_PRIORITIES, 0, (void *)(uintptr_t)tls_priorities},
                                   {MHD_OPTION_END, 0, NULL}};
    struct MHD_OptionItem options[] = {
        {MHD_OPTION_CONNECTION_LIMIT, INT32_MAX, NULL}, /* the gate counts */
        {MHD_OPTION_CONNECTION_TIMEOUT, (intptr_t)s->idle_seconds, NULL},
        {MHD_OPTION_CONNECTION_MEMORY_LIMIT, CONNECTION_MEMORY, NULL},
        {MHD_OPTION_STRICT_FOR_CLIENT, 1, NULL},
        {MHD_OPTION_END, 0, NULL},
    };
    unsigned flags = MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_THREAD_PER_CONNECTION | MHD_USE_POLL | MHD_USE_ITC |
                     MHD_USE_NO_LISTEN_SOCKET | MHD_USE_ERROR_LOG;
    return MHD_start_daemon(flags | (s->tls ? MHD_USE_TLS : 0), 0, NULL, NULL, on_access, s, //
                            MHD_OPTION_EXTERNAL_LOGGER, on_log, s,                           // first: it is used at once
                            MHD_OPTION_URI_LOG_CALLBACK, on_target, s,                       //
                            MHD_OPTION_UNESCAPE_CALLBACK, on_unescape, NULL,                 //
                            MHD_OPTION_NOTIFY_COMPLETED, on_completed, s,                    //
                            MHD_OPTION_NOTIFY_CONNECTION, on_connection, s,                  //
                            MHD_OPTION_ARRAY, options,                                       //
                            MHD_OPTION_ARRAY, s->tls ? tls : tls + 2,                        //
                            MHD_OPTION_END);
}

static bool on_admitted(void *app, int fd, const struct sockaddr *from, socklen_t size)
{
    struct http_server *s = app;
    return MHD_add_connection(s->daemon, fd, from, size) == MHD_YES;
}

/* Descriptors outside: half of those that the process may have, so that stores and connections inside never lack any. */
static unsigned waiting_limit(void)
{
    struct rlimit files;
    rlim_t half = getrlimit(RLIMIT_NOFILE, &files) == 0 ? files.rlim_cur / 2 : WAITING_MAX;
    return half < WAITING_MAX ? (unsigned)half : WAITING_MAX;
}

static int start_gate(struct ctx *ctx, struct http_server *s, const struct http_server_options *o, int fd)
{
    const struct gate_options gate = {.listen_fd = fd,
                                      .secure = s->tls != NULL,
                                      .inside_limit = o->connection_limit ? o->connection_limit : CONNECTIONS,
                                      .waiting_limit = o->waiting_limit ? o->waiting_limit : waiting_limit(),
                                      .per_address = o->per_address_limit,
                                      .free_addresses = o->free_addresses,
                                      .head_ms = (o->head_seconds ? o->head_seconds : HEAD_SECONDS) * 1000,
                                      .idle_ms = s->idle_seconds * 1000,
                                      .slow_window_ms = (o->slow_seconds ? o->slow_seconds : SLOW_SECONDS) * 1000,
                                      .slow_window_bytes = SLOW_WINDOW_BYTES,
                                      .admit = on_admitted,
                                      .app = s};
    return gate_open(ctx, &gate, &s->gate);
}

int http_server_start(struct ctx *ctx, const struct http_server_options *o, const struct http_handlers *handlers, void *app,
                      struct http_server **out)
{
    struct tls *tls = NULL;
    if (!o->cert_file != !o->key_file)
        return err_set(ctx, &ERR_INVALID, "TLS needs both a certificate file and a key file");
    CLEANUP(file_close) int fd = -1;
    TRY(listen_open(ctx, o->host, o->port, &fd));
    if (o->cert_file)
        TRY(tls_open(ctx, o->cert_file, o->key_file, &tls));
    struct http_server *s = server_new(o, handlers, app);
    s->tls = tls;
    s->port = listen_port(fd);
    s->daemon = start_daemon(s);
    if (!s->daemon) {
        server_free(s);
        return err_set(ctx, &ERR_IO, "the HTTP server does not start");
    }
    int rc = start_gate(ctx, s, o, fd);
    fd = -1; /* the gate's now */
    if (rc != RC_OK) {
        MHD_stop_daemon(s->daemon);
        server_free(s);
        return rc;
    }
    *out = s;
    return RC_OK;
}

int http_server_certificate(struct ctx *ctx, struct http_server *s, const char *cert_file, const char *key_file)
{
    return tls_replace(ctx, s->tls, cert_file, key_file);
}

static void wait_none_running(struct http_server *s, unsigned grace_ms)
{
    struct timespec end;
    clock_gettime(CLOCK_MONOTONIC, &end);
    end.tv_sec += grace_ms / 1000;
    end.tv_nsec += (long)(grace_ms % 1000) * 1000000;
    if (end.tv_nsec >= 1000000000) {
        end.tv_sec++;
        end.tv_nsec -= 1000000000;
    }
    pthread_mutex_lock(&s->lock);
    while (atomic_load(&s->running) > 0 && pthread_cond_timedwait(&s->none_running, &s->lock, &end) == 0) {
    }
    pthread_mutex_unlock(&s->lock);
}

void http_server_stop(struct http_server *s, unsigned grace_ms)
{
    if (!s)
        return;
    atomic_store(&s->stopping, true);
    gate_shut(s->gate);
    wait_none_running(s, grace_ms);
    atomic_store(&s->cancel, true);
    MHD_stop_daemon(s->daemon);
    gate_close(s->gate);
    server_free(s);
}

unsigned http_server_port(const struct http_server *s) { return s->port; }

void http_server_counters(const struct http_server *s, struct http_counters *out)
{
    const struct server_counts *c = &s->counts;
    struct gate_counters gate;
    gate_counters(s->gate, &gate);
    *out = (struct http_counters){
        .connections = gate.accepted,
        .connections_now = gate.inside_now,
        .waiting_now = gate.waiting_now,
        .turned_away = gate.turned_away,
        .cut = gate.cut,
        .requests = atomic_load(&c->requests),
        .requests_now = atomic_load(&s->running),
        .broken = atomic_load(&c->broken),
        .bytes_in = atomic_load(&c->bytes_in),
        .bytes_out = atomic_load(&c->bytes_out),
    };
    for (size_t i = 0; i < COUNT_OF(out->statuses); i++)
        out->statuses[i] = atomic_load(&c->statuses[i]);
}
