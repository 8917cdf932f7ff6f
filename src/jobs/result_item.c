/* Names of results: two jobs that would call their files the same both get their item. */
#include "jobs/result_item.h"
#include "base/utf8.h"
#include "model/errors.h"

enum { NAME_CHARS = 200 };

str result_item_name(struct ctx *ctx, str title)
{
    size_t end = 0;
    for (unsigned n = 0; n < NAME_CHARS && end < title.n; n++)
        (void)utf8_next(title, &end);
    title = str_sub(title, 0, end);
    char *name = arena_cstr(ctx->arena, title);
    for (size_t i = 0; i < title.n; i++)
        if ((unsigned char)name[i] < ' ' || name[i] == 0x7f || name[i] == '/')
            name[i] = '_';
    return str_of(name, title.n);
}

int result_item_add(struct ctx *ctx, struct site *s, const struct result_item *r, struct item_input *in, id *item_out)
{
    int rc;
    in->file_name = arena_printf(ctx->arena, "%.*s.%s", STR_FMT(r->stem), r->extension);
    for (int n = 2;
         (rc = item_add(ctx, s, r->caller, r->owner, r->folder, in, item_out)) != RC_OK && err_is(ctx, &ERR_ITEM_NAME_TAKEN);
         n++) {
        err_clear(ctx); /* an earlier one of this second, or of this name */
        in->file_name = arena_printf(ctx->arena, "%.*s_%d.%s", STR_FMT(r->stem), n, r->extension);
    }
    return rc;
}
