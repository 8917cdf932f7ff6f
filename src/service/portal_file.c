/* Pictures of users and groups. What a browser shows as part of a page is an image by its bytes, whatever its name says. */
#include "service/user_private.h"

#include "base/stream.h"

enum { PICTURE_MAX = 1 << 20 };

static const struct picture_kind {
    const char *start;
    size_t start_size;
    const char *extension, *type;
} kinds[] = {
    {"\x89PNG\r\n\x1a\n", 8, ".png", "image/png"},
    {"\xff\xd8\xff", 3, ".jpg", "image/jpeg"},
    {"GIF87a", 6, ".gif", "image/gif"},
    {"GIF89a", 6, ".gif", "image/gif"},
};

static int kind_of(struct ctx *ctx, struct blob_new *blob, const struct picture_kind **out)
{
    char start[8];
    size_t got;
    CLEANUP(reader_cleanup) struct reader *r = NULL;
    TRY(blob_new_open(ctx, blob, &r));
    TRY(reader_read_full(ctx, r, start, sizeof start, &got));
    *out = NULL;
    for (size_t i = 0; i < COUNT_OF(kinds); i++)
        if (got >= kinds[i].start_size && memcmp(start, kinds[i].start, kinds[i].start_size) == 0)
            *out = &kinds[i];
    return RC_OK;
}

/* The part of a name before its extension, of characters that stand in any URL; "thumbnail" when nothing is left. */
static str stem_of(struct ctx *ctx, str name)
{
    enum { STEM_MAX = 64 };
    char *p = arena_alloc(ctx->arena, STEM_MAX);
    size_t n = 0, dot = name.n;
    while (dot > 0 && name.p[dot - 1] != '.')
        dot--;
    for (size_t i = 0; i < (dot ? dot - 1 : name.n) && n < STEM_MAX; i++) {
        char c = name.p[i];
        if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_')
            p[n++] = c;
    }
    return n ? str_of(p, n) : STR("thumbnail");
}

int portal_file_picture(struct ctx *ctx, struct site *s, struct blob_new *blob, str name, struct picture *out)
{
    *out = (struct picture){0};
    if (!blob)
        return RC_OK;
    if (blob_new_size(blob) > PICTURE_MAX)
        return err_set(ctx, &ERR_PARAMETER, "'thumbnail' has to be at most 1 MB large.");
    const struct picture_kind *kind;
    TRY(kind_of(ctx, blob, &kind));
    if (!kind)
        return err_set(ctx, &ERR_PARAMETER, "'thumbnail' has to be a PNG, JPEG or GIF image.");
    out->blob = blob;
    out->name = arena_printf(ctx->arena, "%.*s%s", STR_FMT(stem_of(ctx, name)), kind->extension);
    out->content_type = str_c(kind->type);
    return blob_sync(ctx, s->blobs, &blob, 1);
}

int portal_file_put_picture(struct ctx *ctx, struct sql_tx *tx, enum file_kind kind, str owner, const struct picture *p)
{
    TRY(meta_files_delete(ctx, tx, kind, owner));
    TRY(blob_attach(ctx, tx, p->blob));
    return meta_file_put(ctx, tx,
                         &(struct portal_file){.kind = kind,
                                               .owner = owner,
                                               .name = p->name,
                                               .hash = blob_new_hash(p->blob),
                                               .size = (int64_t)blob_new_size(p->blob),
                                               .modified = ctx_now(ctx),
                                               .content_type = p->content_type});
}

int portal_file_get(struct ctx *ctx, struct sql_tx *tx, enum file_kind kind, str owner, str name, struct portal_file *out)
{
    int rc = meta_file_get(ctx, tx, kind, owner, name, out);
    if (rc == RC_NOT_FOUND)
        return err_set_rc(ctx, rc, &ERR_USER_FILE_MISSING, "There is no file '%.*s'.", STR_FMT(str_sub(name, 0, 200)));
    return rc;
}
