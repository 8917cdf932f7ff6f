/* Files of an archive that are made at the same time, which its own stream of bytes cannot be. */
#include "formats/spool.h"
#include "base/file.h"
#include "formats/format.h"

int spool_open(struct ctx *ctx, const char *dir, const char *name, struct spool *out)
{
    *out = (struct spool){.path = arena_printf(ctx->arena, "%s/%s", dir, name).p, .fd = -1, .text = BUF_INIT(FORMAT_BUFFER_MAX)};
    return file_create(ctx, out->path, &out->fd);
}

void spool_close(struct spool *s)
{
    struct ctx ctx;
    if (s->fd >= 0) {
        ctx_open(&ctx);
        file_remove(&ctx, s->path); /* else it goes with the folder of the job */
        ctx_close(&ctx);
    }
    file_close(&s->fd);
    buf_free(&s->text);
    *s = (struct spool){.fd = -1};
}

int spool_flush(struct ctx *ctx, struct spool *s, size_t enough)
{
    if (s->text.n < enough)
        return RC_OK;
    TRY(buf_check(&s->text, ctx, "a row"));
    TRY(file_write(ctx, s->fd, s->text.p, s->text.n));
    s->written += s->text.n;
    buf_clear(&s->text);
    return RC_OK;
}

int spool_pack(struct ctx *ctx, struct spool *s, const void *head, size_t n, struct zip_stream *z, str name)
{
    if (s->text.n)
        TRY(spool_flush(ctx, s, 0));
    TRY(file_pwrite(ctx, s->fd, head, n, 0));
    TRY(zip_stream_add_file(ctx, z, name, s->path));
    spool_close(s);
    return RC_OK;
}
