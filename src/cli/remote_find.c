/* See remote_find.h. */
#include "cli/remote_find.h"
#include "cli/command.h"
#include "codec/url.h"

int remote_group(struct ctx *ctx, struct remote *r, str wanted, id *out)
{
    if (id_parse(wanted, out))
        return RC_OK;
    struct form form = remote_form();
    struct json answer, group;
    if (str_find_char(wanted, '"', 0) != SIZE_MAX)
        return err_set(ctx, &ERR_USAGE, "A group with a quotation mark in its title has to be named by its id.");
    TRY(form_add(ctx, &form, STR("q"), arena_printf(ctx->arena, "title:\"%.*s\"", STR_FMT(wanted))));
    TRY(form_add(ctx, &form, STR("num"), STR("100")));
    TRY(remote_call(ctx, r, false, STR("/community/groups"), &form, &answer));
    struct json_iter it = json_each(json_get_c(answer, "results"));
    size_t found = 0;
    while (json_next(&it, NULL, &group))
        if (str_ieq(remote_text(ctx, group, "title"), wanted) && id_parse(remote_text(ctx, group, "id"), out))
            found++;
    if (found == 1)
        return RC_OK;
    return found ? err_set(ctx, &ERR_REMOTE, "%zu groups have the title '%.*s': name it by its id.", found, STR_FMT(wanted))
                 : err_set(ctx, &ERR_REMOTE, "There is no group with the title '%.*s' that this user sees.", STR_FMT(wanted));
}

int remote_folder(struct ctx *ctx, struct remote *r, str content, str wanted, str *id_out)
{
    struct json answer, folder;
    *id_out = STR("");
    if (str_eq(wanted, STR("/")))
        return RC_OK;
    struct form form = remote_form();
    TRY(form_add(ctx, &form, STR("num"), STR("1")));
    TRY(remote_call(ctx, r, false, content, &form, &answer));
    str titles = STR("");
    struct json_iter it = json_each(json_get_c(answer, "folders"));
    while (json_next(&it, NULL, &folder)) {
        str title = remote_text(ctx, folder, "title"), own = remote_text(ctx, folder, "id");
        if (str_eq(wanted, title) || str_ieq(wanted, own)) {
            *id_out = own;
            return RC_OK;
        }
        titles = arena_printf(ctx->arena, "%.*s%s%.*s", STR_FMT(titles), titles.n ? ", " : "", STR_FMT(title));
    }
    return err_set(ctx, &ERR_REMOTE, "There is no folder '%.*s'; there are: %.*s.", STR_FMT(wanted),
                   STR_FMT(titles.n ? titles : STR("none but the root, /")));
}

int remote_item(struct ctx *ctx, struct remote *r, str wanted, struct json *out, str *content_out)
{
    id item;
    if (!id_parse(wanted, &item))
        return err_set(ctx, &ERR_USAGE, "'%.*s' is no item id: an id has 32 hexadecimal digits.", STR_FMT(wanted));
    TRY(remote_call(ctx, r, false, arena_printf(ctx->arena, "/content/items/%s", item.text), NULL, out));
    *content_out =
        arena_printf(ctx->arena, "/content/users/%.*s", STR_FMT(url_encoded(ctx->arena, remote_text(ctx, *out, "owner"))));
    return RC_OK;
}
