/* Unpacking archives of resources. The members become blobs like uploads do: nothing of them is visible before item_parts_put. */
#include "service/item_archive.h"
#include "base/file.h"
#include "codec/unzip.h"
#include "service/item_private.h"

enum { FILES_MAX = 1000, PIECE = 64 << 10 };
static const uint64_t UNPACKED_MAX = UINT64_C(1) << 30;

void item_archive_close(struct item_archive *a)
{
    for (size_t i = 0; i < a->count; i++)
        blob_new_close(a->list[i].blob);
}

static int unpack_member(struct ctx *ctx, struct site *s, const struct unzip *z, const struct zip_member *m, void *piece,
                         struct item_archive *out)
{
    CLEANUP(reader_cleanup) struct reader *r = unzip_member_open(z, m);
    struct part_input *in = &out->list[out->count++];
    size_t got = 1;
    *in = (struct part_input){.name = m->name};
    TRY(blob_begin(ctx, s->blobs, m->size, NULL, &in->blob));
    while (got > 0) {
        TRY(ctx_check(ctx));
        TRY(reader_read(ctx, r, piece, PIECE, &got));
        TRY(blob_write(ctx, in->blob, piece, got));
    }
    return blob_finish(ctx, in->blob);
}

static int unpack(struct ctx *ctx, struct site *s, struct blob_new *archive, struct item_archive *out)
{
    static const struct unzip_limits limits = {.max_members = FILES_MAX, .max_bytes = UNPACKED_MAX};
    CLEANUP(file_close) int fd = -1;
    struct unzip z;
    const char *path;
    TRY(blob_new_path(ctx, archive, &path));
    TRY(file_open_read(ctx, path, &fd));
    TRY(unzip_open(ctx, fd, &limits, &z));
    if (z.count == 0)
        return err_set(ctx, &ERR_INVALID, "The archive holds no file.");
    void *piece = arena_alloc(ctx->arena, PIECE);
    out->list = arena_array(ctx->arena, struct part_input, z.count);
    for (size_t i = 0; i < z.count; i++)
        TRY(unpack_member(ctx, s, &z, &z.members[i], piece, out));
    return RC_OK;
}

/* What is wrong with the archive is wrong with a parameter; the machine's own troubles stay what they are. */
int item_archive_unpack(struct ctx *ctx, struct site *s, struct blob_new *archive, struct item_archive *out)
{
    static const struct err_kind *const of_the_archive[] = {&ERR_INVALID, &ERR_CORRUPT, &ERR_UNSUPPORTED};
    *out = (struct item_archive){0};
    int rc = unpack(ctx, s, archive, out);
    for (size_t i = 0; rc != RC_OK && i < COUNT_OF(of_the_archive); i++)
        if (err_is(ctx, of_the_archive[i])) {
            str cause = arena_str(ctx->arena, str_c(err_text(ctx)));
            err_clear(ctx);
            return err_set(ctx, &ERR_PARAMETER, "'archive': %.*s", STR_FMT(cause));
        }
    return rc;
}
