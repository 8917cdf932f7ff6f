/* The portal's end of the pipe: starts and ends the child, asks it, and checks what it answers. The two ends are a socket pair,
 * so that a child that died is an error of one call and no signal. */
#include "convert/convert.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/id.h"
#include "base/mem.h"
#include "base/utf8.h"
#include "convert/protocol.h"
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

enum { DEFINITION_MAX = 64 << 20, ERROR_MAX = 4096, POLL_MS = 100, CPU_SECONDS = 3600, PIPE_BYTES = 1 << 20 };
static const int64_t MEMORY_MAX = 1LL << 30;

/* Drivers look at the extension; the file itself is named by a hash. */
static const char *const FORMAT_EXTENSIONS[] = {
    [CONVERT_GEOPACKAGE] = "gpkg",      [CONVERT_GEOJSON] = "geojson", [CONVERT_SHAPEFILE_ZIP] = "zip", [CONVERT_CSV] = "csv",
    [CONVERT_PACKAGE_LAYERS] = "gpkg",  [CONVERT_EXCEL] = "xlsx",      [CONVERT_KML] = "kml",           [CONVERT_GPX] = "gpx",
    [CONVERT_FILE_GEODATABASE] = "zip",
};

static const struct {
    const char *file_type;
    enum convert_format format;
} FILE_TYPES[] = {
    {"geoPackage", CONVERT_GEOPACKAGE},
    {"geojson", CONVERT_GEOJSON},
    {"shapefile", CONVERT_SHAPEFILE_ZIP},
    {"csv", CONVERT_CSV},
    {"excel", CONVERT_EXCEL},
    {"kml", CONVERT_KML},
    {"gpx", CONVERT_GPX},
    {"filegdb", CONVERT_FILE_GEODATABASE},
    {"fileGeodatabase", CONVERT_FILE_GEODATABASE},
};
enum { WEB_MERCATOR = 102100 };

bool convert_format_parse(str file_type, enum convert_format *out)
{
    for (size_t i = 0; i < COUNT_OF(FILE_TYPES); i++) {
        if (str_ieq(file_type, str_c(FILE_TYPES[i].file_type))) {
            *out = FILE_TYPES[i].format;
            return true;
        }
    }
    return false;
}

/* What the API gives tables. */
int32_t convert_format_target(enum convert_format format)
{
    return format == CONVERT_CSV || format == CONVERT_EXCEL ? WEB_MERCATOR : 0;
}

struct convert {
    char *program, *path, *name, *parameters;
    enum convert_format format;
    int32_t target_wkid;
    int64_t memory_max, cpu_seconds_max;
    char *dir;             /* of the link; removed at the end */
    const char *extension; /* of the link: what drivers go by */
    pid_t pid;             /* 0: not running */
    int ask_fd, answer_fd; /* -1: closed */
    struct buf frame;      /* payload of the last answer */
};

struct convert_source {
    struct row_source base;
    struct convert *convert;
    const struct layer *layer;
    struct value *values;
    str batch; /* rows of the last frame that are still to come */
    int64_t count;
    bool ended;
};

/* ---- the child ---- */
/* Ends the child when it has not ended, which changes nothing about how one ended that has; its status. */
static int stop(struct convert *c)
{
    int status = 0;
    file_close(&c->ask_fd);
    file_close(&c->answer_fd);
    if (c->pid == 0)
        return 0;
    kill(c->pid, SIGKILL);
    while (waitpid(c->pid, &status, 0) < 0 && errno == EINTR)
        continue;
    c->pid = 0;
    return status;
}

/* The child is gone without a word: says why. */
static int explain_end(struct ctx *ctx, struct convert *c)
{
    int status = stop(c);
    if (!WIFSIGNALED(status))
        return err_set(ctx, &ERR_IO, "mapferry-convert ended with status %d", WEXITSTATUS(status));
    int sig = WTERMSIG(status);
    if (sig == SIGXCPU)
        return err_set(ctx, &ERR_INVALID, "the file could not be read: it took more than %lld seconds of processor time",
                       (long long)c->cpu_seconds_max);
    if (sig == SIGABRT)
        return err_set(
            ctx, &ERR_INVALID,
            "the file could not be read: its reader was aborted, most likely because it needed more than %lld MiB of memory",
            (long long)(c->memory_max >> 20));
    return err_set(ctx, &ERR_INVALID, "the file could not be read: its reader was ended by signal %d (%s)", sig, strsignal(sig));
}

static int wait_for(struct ctx *ctx, int fd, short events)
{
    struct pollfd p = {.fd = fd, .events = events};
    int n = poll(&p, 1, POLL_MS);
    if (n < 0 && errno != EINTR)
        return err_errno(ctx, errno, "waiting for mapferry-convert");
    return ctx_check(ctx);
}

static int send_all(struct ctx *ctx, struct convert *c, str bytes)
{
    while (bytes.n) {
        ssize_t n = send(c->ask_fd, bytes.p, bytes.n, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (n > 0)
            bytes = str_sub(bytes, (size_t)n, bytes.n);
        else if (errno == EAGAIN || errno == EINTR)
            TRY(wait_for(ctx, c->ask_fd, POLLOUT));
        else
            return explain_end(ctx, c);
    }
    return RC_OK;
}

static int receive_bytes(struct ctx *ctx, struct convert *c, char *p, size_t n)
{
    while (n) {
        ssize_t got = read(c->answer_fd, p, n);
        if (got > 0) {
            p += got;
            n -= (size_t)got;
        } else if (got < 0 && (errno == EAGAIN || errno == EINTR)) {
            TRY(wait_for(ctx, c->answer_fd, POLLIN));
        } else {
            return explain_end(ctx, c);
        }
    }
    return RC_OK;
}

/* The next answer into c->frame. An error that the child found becomes ours. */
static int receive(struct ctx *ctx, struct convert *c, uint8_t *kind_out)
{
    char head[PROTOCOL_HEAD];
    uint32_t n = 0;
    TRY(receive_bytes(ctx, c, head, sizeof head));
    protocol_head(head, &n, kind_out);
    buf_clear(&c->frame);
    char *p = n <= PROTOCOL_MAX ? buf_reserve(&c->frame, n) : NULL;
    if (!p)
        return err_set(ctx, &ERR_INVALID, "mapferry-convert sent a frame of %u bytes", n);
    TRY(receive_bytes(ctx, c, p, n));
    buf_commit(&c->frame, n);
    if (*kind_out != PROTOCOL_ERROR)
        return RC_OK;
    stop(c);
    return err_set(ctx, &ERR_INVALID, "the file could not be read: %.*s", STR_FMT(str_sub(buf_str(&c->frame), 0, ERROR_MAX)));
}

static int ask(struct ctx *ctx, struct convert *c, struct buf *request, enum protocol_kind expected)
{
    uint8_t kind = 0;
    TRY(buf_check(request, ctx, "the question to mapferry-convert"));
    TRY(send_all(ctx, c, buf_str(request)));
    TRY(receive(ctx, c, &kind));
    return kind == expected ? RC_OK : err_set(ctx, &ERR_INVALID, "mapferry-convert answered with a frame of kind %d", kind);
}

/* What the child has open: its end of the socket, its end of the pipe, and nothing else. No signal is blocked or ignored in it.
 */
static int spawn_child(struct convert *c, int question_fd, int answer_fd)
{
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    sigset_t none, all;
    sigemptyset(&none);
    sigfillset(&all);
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, question_fd, STDIN_FILENO);
    posix_spawn_file_actions_adddup2(&actions, answer_fd, STDOUT_FILENO);
    posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
    posix_spawn_file_actions_addclosefrom_np(&actions, STDERR_FILENO + 1);
    posix_spawnattr_init(&attributes);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
    posix_spawnattr_setsigmask(&attributes, &none);
    posix_spawnattr_setsigdefault(&attributes, &all);
    char *const argv[] = {c->program, NULL}, *const environment[] = {"LC_ALL=C.UTF-8", NULL};
    int error = posix_spawn(&c->pid, c->program, &actions, &attributes, argv, environment);
    posix_spawn_file_actions_destroy(&actions);
    posix_spawnattr_destroy(&attributes);
    c->pid = error ? 0 : c->pid;
    return error;
}

static int spawn(struct ctx *ctx, struct convert *c)
{
    int questions[2] = {-1, -1}, answers[2] = {-1, -1};
    int error = 0;
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, questions) != 0 || pipe2(answers, O_CLOEXEC) != 0 ||
        fcntl(answers[0], F_SETFL, O_NONBLOCK) != 0)
        error = errno;
    else
        error = spawn_child(c, questions[1], answers[1]);
    file_close(&questions[1]);
    file_close(&answers[1]);
    c->ask_fd = questions[0];
    c->answer_fd = answers[0];
    if (error) {
        stop(c);
        return err_errno(ctx, error, "starting %s", c->program);
    }
    fcntl(c->answer_fd, F_SETPIPE_SZ, PIPE_BYTES); /* less is slower, nothing more */
    return RC_OK;
}

/* The child, when it is not running: started, and the file open in it. */
static int start(struct ctx *ctx, struct convert *c)
{
    if (c->pid)
        return RC_OK;
    CLEANUP(buf_free) struct buf request = BUF_INIT(PROTOCOL_MAX);
    str link = arena_printf(ctx->arena, "%s/input.%s", c->dir, c->extension);
    struct protocol_open in = {.format = (uint8_t)c->format,
                               .target_wkid = c->target_wkid,
                               .memory_max = c->memory_max,
                               .cpu_seconds_max = c->cpu_seconds_max,
                               .path = link,
                               .name = str_c(c->name),
                               .parameters = str_c(c->parameters)};
    protocol_put_open(&request, &in);
    TRY(spawn(ctx, c));
    return ask(ctx, c, &request, PROTOCOL_OPENED);
}

/* ---- opening and closing ---- */
static int make_link(struct ctx *ctx, struct convert *c)
{
    str dir;
    TRY(dir_temp(ctx, NULL, &dir));
    c->dir = mem_cstr(dir.p);
    CLEANUP(file_close) int fd = -1;
    TRY(file_open_read(ctx, c->path, &fd));
    char first[2] = {0};
    bool zipped = read(fd, first, sizeof first) == (ssize_t)sizeof first && first[0] == 'P' && first[1] == 'K';
    c->extension = zipped && c->format == CONVERT_KML ? "kmz" : FORMAT_EXTENSIONS[c->format];
    char *whole = realpath(c->path, NULL);
    str link = arena_printf(ctx->arena, "%s/input.%s", c->dir, c->extension);
    int failed = whole ? symlink(whole, link.p) : -1;
    int error = errno;
    free(whole);
    return failed ? err_errno(ctx, error, "linking to %s", c->path) : RC_OK;
}

int convert_open(struct ctx *ctx, const struct convert_options *options, struct convert **out)
{
    *out = NULL;
    struct convert *c = mem_new(struct convert);
    *c = (struct convert){.program = mem_cstr(options->program),
                          .path = mem_cstr(options->path),
                          .name = mem_cstr(options->name ? options->name : "layer"),
                          .parameters = mem_cstr(options->parameters ? options->parameters : ""),
                          .format = options->format,
                          .target_wkid = options->target_wkid,
                          .memory_max = options->memory_max ? options->memory_max : MEMORY_MAX,
                          .cpu_seconds_max = options->cpu_seconds_max ? options->cpu_seconds_max : CPU_SECONDS,
                          .ask_fd = -1,
                          .answer_fd = -1,
                          .frame = BUF_INIT(PROTOCOL_MAX)};
    int rc = make_link(ctx, c);
    rc = rc != RC_OK ? rc : start(ctx, c);
    if (rc != RC_OK) {
        convert_close(c);
        return rc;
    }
    *out = c;
    return RC_OK;
}

void convert_close(struct convert *c)
{
    if (!c)
        return;
    stop(c);
    if (c->dir) {
        struct ctx ctx;
        ctx_open(&ctx);
        dir_remove_tree(&ctx, c->dir);
        ctx_close(&ctx);
    }
    buf_free(&c->frame);
    mem_free(c->dir);
    mem_free(c->program);
    mem_free(c->path);
    mem_free(c->name);
    mem_free(c->parameters);
    mem_free(c);
}

int convert_definition(struct ctx *ctx, struct convert *c, str *json_out, str *messages_out)
{
    CLEANUP(buf_free) struct buf request = BUF_INIT(PROTOCOL_MAX);
    struct service checked;
    struct json answer;
    TRY(start(ctx, c));
    protocol_begin(&request, PROTOCOL_DEFINITION);
    protocol_end(&request);
    TRY(ask(ctx, c, &request, PROTOCOL_TEXT));
    if (c->frame.n > DEFINITION_MAX)
        return err_set(ctx, &ERR_LIMIT, "the file's definition is larger than %d bytes", DEFINITION_MAX);
    str text = arena_str(ctx->arena, buf_str(&c->frame));
    TRY(json_parse(ctx, text, &answer));
    *json_out = json_raw(json_get_c(answer, "definition"));
    *messages_out = json_raw(json_get_c(answer, "messages"));
    TRY(service_parse(ctx, *json_out, &checked));
    if (checked.layer_count == 0)
        return err_set(ctx, &ERR_INVALID, "the file holds no layer");
    return RC_OK;
}

/* ---- rows ---- */
static const struct {
    enum value_kind kind; /* what the field holds */
    int64_t least, most;  /* of integers */
} HOLDS[FIELD_TYPE_COUNT] = {
    [FIELD_OID] = {VALUE_INT, INT64_MIN, INT64_MAX},
    [FIELD_GLOBALID] = {VALUE_TEXT},
    [FIELD_GUID] = {VALUE_TEXT},
    [FIELD_STRING] = {VALUE_TEXT},
    [FIELD_INTEGER] = {VALUE_INT, INT32_MIN, INT32_MAX},
    [FIELD_SMALL_INTEGER] = {VALUE_INT, INT16_MIN, INT16_MAX},
    [FIELD_BIG_INTEGER] = {VALUE_INT, INT64_MIN, INT64_MAX},
    [FIELD_DOUBLE] = {VALUE_DOUBLE},
    [FIELD_SINGLE] = {VALUE_DOUBLE},
    [FIELD_DATE] = {VALUE_INT, INT64_MIN, INT64_MAX},
    [FIELD_DATE_ONLY] = {VALUE_TEXT},
    [FIELD_TIME_ONLY] = {VALUE_TEXT},
    [FIELD_TIMESTAMP_OFFSET] = {VALUE_TEXT},
    [FIELD_BLOB] = {VALUE_BLOB},
    [FIELD_XML] = {VALUE_TEXT},
};

static bool is_ascii(str s)
{
    unsigned char seen = 0;
    for (size_t i = 0; i < s.n; i++)
        seen |= (unsigned char)(s.p[i] - 1); /* NUL becomes 255 */
    return seen < 0x80;
}

/* NULL when the value fits, else what is wrong with it. */
static const char *misfit(const struct field *f, const struct value *v)
{
    char guid[GUID_SIZE + 1];
    if (v->kind == VALUE_NULL)
        return f->nullable || f->type == FIELD_OID ? NULL : "no value, though the field needs one";
    if (v->kind != HOLDS[f->type].kind)
        return "a value of another type";
    if (v->kind == VALUE_INT && (v->i < HOLDS[f->type].least || v->i > HOLDS[f->type].most))
        return "a number outside of the field's range";
    if (v->kind != VALUE_TEXT)
        return NULL;
    bool ascii = is_ascii(v->s);
    if (!ascii && !utf8_valid(v->s))
        return "a text that is not UTF-8";
    if (f->type == FIELD_STRING && f->length > 0 && v->s.n > (size_t)f->length &&
        (ascii ? v->s.n : utf8_length(v->s)) > (size_t)f->length)
        return "a text that is too long";
    if ((f->type == FIELD_GLOBALID || f->type == FIELD_GUID) && !guid_parse(v->s, guid))
        return "a text that is no GUID";
    return NULL;
}

static int next_row(struct ctx *ctx, struct row_source *base, struct row *out)
{
    struct convert_source *s = (struct convert_source *)base;
    const struct layer *l = s->layer;
    while (s->batch.n == 0) {
        uint8_t kind = PROTOCOL_END;
        if (!s->ended)
            TRY(receive(ctx, s->convert, &kind));
        s->ended = kind == PROTOCOL_END;
        if (s->ended)
            return RC_END;
        if (kind != PROTOCOL_BATCH)
            return err_set(ctx, &ERR_INVALID, "mapferry-convert answered with a frame of kind %d", kind);
        s->batch = buf_str(&s->convert->frame);
    }
    if (!protocol_get_row(&s->batch, l->field_count, s->values, out))
        return err_set(ctx, &ERR_INVALID, "mapferry-convert sent a row that cannot be read");
    s->count++;
    for (size_t i = 0; i < l->field_count; i++) {
        const char *why = misfit(&l->fields[i], &s->values[i]);
        if (why)
            return err_set(ctx, &ERR_INVALID, "layer %.*s, row %lld, field %.*s: %s", STR_FMT(l->name), (long long)s->count,
                           STR_FMT(l->fields[i].name), why);
    }
    return RC_OK;
}

/* A child that has more to say is ended; the next question starts a new one. */
static void close_rows(struct row_source *base)
{
    struct convert_source *s = (struct convert_source *)base;
    if (!s->ended)
        stop(s->convert);
    mem_free(s->values);
    mem_free(s);
}

int convert_rows(struct ctx *ctx, struct convert *c, const struct layer *l, struct row_source **out)
{
    CLEANUP(buf_free) struct buf request = BUF_INIT(PROTOCOL_MAX);
    *out = NULL;
    TRY(start(ctx, c));
    struct protocol_rows in = {.layer_id = l->id, .field_count = l->field_count, .fields = l->fields};
    protocol_put_rows(&request, &in);
    TRY(buf_check(&request, ctx, "the question to mapferry-convert"));
    TRY(send_all(ctx, c, buf_str(&request)));
    struct convert_source *s = mem_new(struct convert_source);
    *s = (struct convert_source){.base = {.next = next_row, .close = close_rows}, .convert = c, .layer = l};
    s->values = mem_alloc(l->field_count * sizeof *s->values);
    *out = &s->base;
    return RC_OK;
}
