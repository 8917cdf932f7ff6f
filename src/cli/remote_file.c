/* See remote_file.h. Uploads in parts follow the Sharing API: an item that is only begun, its parts in any order, a commit. */
#include "cli/remote_file.h"
#include "base/file.h"
#include "base/mem.h"
#include <time.h>
#include <unistd.h>

enum { WHOLE_MAX = 64 << 20, PART_BYTES = 16 << 20, PARTS_MAX = 10000, STATUS_PAUSE_MS = 200 };

str remote_file_name(str path)
{
    for (size_t at; (at = str_find_char(path, '/', 0)) != SIZE_MAX;)
        path = str_sub(path, at + 1, path.n);
    return path;
}

/* ---- progress ---- */

struct moving {
    struct ctx *ctx;
    struct output *out;
    const char *what;
    uint64_t before, total; /* bytes of earlier requests; of all of them, 0 when the answer tells */
};

static void on_moving(void *arg, const struct http_progress *p)
{
    struct moving *m = arg;
    bool up = m->total > 0;
    uint64_t done = m->before + (up ? p->sent : p->received), total = up ? m->total : p->to_receive;
    if (total && done > 0)
        output_progress(m->ctx, m->out, m->what, (int64_t)(done < total ? done : total), (int64_t)total, "bytes");
}

/* ---- one request ---- */

/* Fields and files as parts of a multipart body. */
struct body {
    struct http_part *parts;
    size_t count;
    struct reader *readers[2];
    size_t reader_count;
};

static void body_close(struct body *b)
{
    for (size_t i = 0; i < b->reader_count; i++)
        reader_close(b->readers[i]);
    b->reader_count = 0;
}

static void body_fields(struct ctx *ctx, struct body *b, const struct form *form, size_t further)
{
    b->parts = arena_array(ctx->arena, struct http_part, form->count + 1 + further);
    for (size_t i = 0; i < form->count; i++)
        b->parts[b->count++] = (struct http_part){.name = form->fields[i].name, .value = form->fields[i].value};
    b->parts[b->count++] = (struct http_part){.name = STR("f"), .value = STR("json")};
}

static int body_file(struct ctx *ctx, struct body *b, str field, const char *file, str name)
{
    CLEANUP(file_close) int fd = -1;
    uint64_t size;
    TRY(file_open_read(ctx, file, &fd));
    TRY(file_size(ctx, fd, &size));
    struct reader *reader = reader_fd(fd, 0, size, true);
    fd = -1; /* the reader's */
    b->readers[b->reader_count++] = reader;
    b->parts[b->count++] = (struct http_part){.name = field, .filename = name, .reader = reader, .length = size};
    return RC_OK;
}

static str operation(struct ctx *ctx, const struct remote_put *put, str item, const char *name)
{
    return str_empty(item) ? arena_printf(ctx->arena, "%.*s/%s", STR_FMT(put->content), name)
                           : arena_printf(ctx->arena, "%.*s/items/%.*s/%s", STR_FMT(put->content), STR_FMT(item), name);
}

static int send_fields(struct ctx *ctx, struct remote *r, struct output *o, const struct remote_put *put, str path,
                       const char *file, struct json *out)
{
    CLEANUP(body_close) struct body b = {0};
    struct moving moving = {.ctx = ctx, .out = o, .what = "upload"};
    body_fields(ctx, &b, put->form, COUNT_OF(b.readers));
    if (file)
        TRY(body_file(ctx, &b, STR("file"), file, put->name));
    if (put->thumbnail)
        TRY(body_file(ctx, &b, STR("thumbnail"), put->thumbnail, remote_file_name(str_c(put->thumbnail))));
    for (size_t i = 0; i < b.count; i++)
        moving.total += b.parts[i].length;
    struct http_call call = {
        .parts = b.parts, .part_count = b.count, .progress = moving.total ? on_moving : NULL, .progress_arg = &moving};
    return remote_post(ctx, r, path, &call, out);
}

static int put_whole(struct ctx *ctx, struct remote *r, struct output *o, const struct remote_put *put, str *item_out)
{
    struct json answer;
    str path = operation(ctx, put, put->item, str_empty(put->item) ? "addItem" : "update");
    TRY(send_fields(ctx, r, o, put, path, put->file, &answer));
    *item_out = remote_text(ctx, answer, "id");
    return RC_OK;
}

/* ---- in parts ---- */

static int put_part(struct ctx *ctx, struct remote *r, const struct remote_put *put, str item, uint64_t number, str bytes,
                    struct moving *moving)
{
    struct json answer;
    struct http_part parts[] = {{.name = STR("f"), .value = STR("json")},
                                {.name = STR("file"), .filename = put->name, .value = bytes}};
    struct http_call call = {.parts = parts,
                             .part_count = COUNT_OF(parts),
                             .idempotent = true, /* a part that comes again replaces the one before */
                             .progress = on_moving,
                             .progress_arg = moving};
    str path =
        arena_printf(ctx->arena, "%.*s?partNum=%llu", STR_FMT(operation(ctx, put, item, "addPart")), (unsigned long long)number);
    TRY(remote_post(ctx, r, path, &call, &answer));
    moving->before += bytes.n;
    return RC_OK;
}

static int put_parts(struct ctx *ctx, struct remote *r, struct output *o, const struct remote_put *put, str item, int fd,
                     uint64_t size, char *buffer, uint64_t part_bytes)
{
    struct moving moving = {.ctx = ctx, .out = o, .what = "upload", .total = size};
    uint64_t number = 1;
    for (uint64_t at = 0; at < size; at += part_bytes, number++) {
        struct arena_mark mark = arena_mark(ctx->arena);
        size_t n = (size_t)(size - at < part_bytes ? size - at : part_bytes);
        TRY(file_pread(ctx, fd, buffer, n, at));
        TRY(put_part(ctx, r, put, item, number, str_of(buffer, n), &moving));
        arena_release(ctx->arena, mark);
    }
    return RC_OK;
}

static int wait_committed(struct ctx *ctx, struct remote *r, const struct remote_put *put, str item)
{
    for (;;) {
        struct json answer;
        TRY(ctx_check(ctx));
        TRY(remote_call(ctx, r, false, operation(ctx, put, item, "status"), NULL, &answer));
        str status = remote_text(ctx, answer, "status");
        if (str_ieq(status, STR("completed")))
            return RC_OK;
        if (str_ieq(status, STR("failed")))
            return err_set(ctx, &ERR_REMOTE, "The portal could not put the parts together: %.*s",
                           STR_FMT(json_string_or(json_get_c(answer, "statusMessage"), ctx->arena, STR("no reason given"))));
        struct timespec t = {.tv_nsec = STATUS_PAUSE_MS * 1000000L};
        nanosleep(&t, NULL);
    }
}

/* What was begun is taken back, also after an interrupt. */
static void take_back(const struct ctx *ctx, struct remote *r, const struct remote_put *put, str item)
{
    struct ctx own = remote_aftermath(ctx);
    struct json answer;
    struct form form = remote_form();
    (void)remote_call(&own, r, true, operation(&own, put, item, "cancel"), &form, &answer); /* the error before is what counts */
    ctx_close(&own);
}

static int put_in_parts(struct ctx *ctx, struct remote *r, struct output *o, const struct remote_put *put, uint64_t size,
                        str *item_out)
{
    struct json answer;
    struct form begin = remote_form();
    CLEANUP(file_close) int fd = -1;
    TRY(file_open_read(ctx, put->file, &fd));
    for (size_t i = 0; i < put->form->count; i++)
        TRY(form_add(ctx, &begin, put->form->fields[i].name, put->form->fields[i].value));
    TRY(form_add(ctx, &begin, STR("multipart"), STR("true")));
    TRY(form_add(ctx, &begin, STR("filename"), put->name));
    str path = operation(ctx, put, put->item, str_empty(put->item) ? "addItem" : "update");
    TRY(remote_call(ctx, r, true, path, &begin, &answer));
    str item = remote_text(ctx, answer, "id");
    if (str_empty(item))
        return err_set(ctx, &ERR_REMOTE, "%.*s began an upload without giving an item id.", STR_FMT(r->base));
    uint64_t part_bytes = size / PARTS_MAX < PART_BYTES ? PART_BYTES : size / PARTS_MAX + 1;
    char *buffer = mem_alloc((size_t)part_bytes);
    int rc = put_parts(ctx, r, o, put, item, fd, size, buffer, part_bytes);
    mem_free(buffer);
    if (rc == RC_OK)
        rc = send_fields(ctx, r, o, put, operation(ctx, put, item, "commit"), NULL, &answer);
    if (rc == RC_OK)
        rc = wait_committed(ctx, r, put, item);
    if (rc != RC_OK)
        take_back(ctx, r, put, item);
    *item_out = item;
    return rc;
}

int remote_put(struct ctx *ctx, struct remote *r, struct output *o, const struct remote_put *put, str *item_out)
{
    uint64_t size = 0;
    if (put->file) {
        CLEANUP(file_close) int fd = -1;
        TRY(file_open_read(ctx, put->file, &fd));
        TRY(file_size(ctx, fd, &size));
    }
    TRY(size > WHOLE_MAX ? put_in_parts(ctx, r, o, put, size, item_out) : put_whole(ctx, r, o, put, item_out));
    output_end(o);
    return str_empty(*item_out) ? err_set(ctx, &ERR_REMOTE, "%.*s took the item without giving its id.", STR_FMT(r->base))
                                : RC_OK;
}

/* ---- downloads ---- */

static int fetch(struct ctx *ctx, struct remote *r, struct output *o, str path, int fd, uint64_t *bytes_out)
{
    CLEANUP(writer_cleanup) struct writer *w = writer_fd(fd, false);
    struct moving moving = {.ctx = ctx, .out = o, .what = "download"};
    struct http_call call = {.to = w, .progress = on_moving, .progress_arg = &moving};
    struct http_answer answer;
    TRY(remote_get(ctx, r, path, &call, &answer));
    *bytes_out = answer.body_bytes;
    output_end(o);
    return RC_OK;
}

int remote_download(struct ctx *ctx, struct remote *r, struct output *o, str path, const char *file, uint64_t *bytes_out)
{
    if (strcmp(file, "-") == 0)
        return fetch(ctx, r, o, path, STDOUT_FILENO, bytes_out);
    str part = arena_printf(ctx->arena, "%s.part", file);
    TRY(file_remove(ctx, part.p));
    CLEANUP(file_close) int fd = -1;
    TRY(file_create(ctx, part.p, &fd));
    int rc = fetch(ctx, r, o, path, fd, bytes_out);
    if (rc == RC_OK)
        rc = file_sync(ctx, fd);
    if (rc == RC_OK)
        rc = file_rename(ctx, part.p, file);
    if (rc != RC_OK)
        (void)unlink(part.p);
    return rc;
}
