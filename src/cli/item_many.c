/* `mapferry item delete|share`: any number of items, each by itself. */
#include "base/id.h"
#include "cli/command.h"
#include "cli/output.h"
#include "cli/remote_find.h"
#include <stdio.h>

enum { RESULT_MAX = 16 << 20 };

struct many {
    const struct options *options;
    struct output out;
    struct remote remote;
    const char *did; /* "deleted" */
    id *groups;      /* of share */
    size_t group_count;
    struct buf result;
    struct json_out json;
};
typedef int many_fn(struct ctx *ctx, struct many *m, str item);

static void many_tell(struct ctx *ctx, struct many *m, str item, const struct ctx *failed)
{
    json_begin_object(&m->json);
    json_member_str(&m->json, "itemId", item);
    json_member_bool(&m->json, "success", !failed);
    if (failed)
        json_member_c(&m->json, "error", err_text(failed));
    json_end_object(&m->json);
    if (!m->out.json && failed)
        printf("failed %.*s: %.*s\n", STR_FMT(output_plain(ctx, item)), STR_FMT(output_plain(ctx, str_c(err_text(failed)))));
    else if (!m->out.json)
        printf("%s %.*s\n", m->did, STR_FMT(item));
}

/* Each item by itself: one that fails does not keep the others. With one item its error is the command's. */
static int many_run(struct ctx *ctx, struct many *m, many_fn *fn, int *exit_out)
{
    size_t count = m->options->word_count - 1;
    json_begin_object(&m->json);
    json_name(&m->json, "results");
    json_begin_array(&m->json);
    for (size_t i = 0; i < count; i++) {
        struct ctx own;
        str item = m->options->words[1 + i];
        ctx_child(&own, ctx);
        int rc = fn(&own, m, item);
        if (rc == RC_OK || (count > 1 && rc != RC_CANCELED))
            many_tell(ctx, m, item, rc == RC_OK ? NULL : &own);
        if (rc != RC_OK)
            *exit_out = EXIT_SKIPPED;
        bool ends = rc != RC_OK && (count == 1 || rc == RC_CANCELED);
        if (ends)
            ctx_adopt_error(ctx, &own, rc);
        ctx_close(&own);
        if (ends)
            return rc;
    }
    json_end_array(&m->json);
    json_end_object(&m->json);
    TRY(json_out_end(&m->json, "the results"));
    output_result(ctx, &m->out, buf_str(&m->result));
    return RC_OK;
}

static int many_command(struct ctx *ctx, const struct options *o, const char *did,
                        int (*prepare)(struct ctx *ctx, struct many *m), many_fn *fn, int *exit_out)
{
    struct many m = {.options = o, .did = did, .result = BUF_INIT(RESULT_MAX)};
    json_out_buf(&m.json, ctx, &m.result);
    output_open(&m.out, o->json);
    int rc = remote_open(ctx, o->words[0], &m.remote);
    if (rc == RC_OK && prepare)
        rc = prepare(ctx, &m);
    if (rc == RC_OK)
        rc = many_run(ctx, &m, fn, exit_out);
    remote_close(&m.remote);
    buf_free(&m.result);
    return rc;
}

static int delete_one(struct ctx *ctx, struct many *m, str item)
{
    struct json there, answer;
    str content;
    struct form form = remote_form();
    TRY(remote_item(ctx, &m->remote, item, &there, &content));
    return remote_call(
        ctx, &m->remote, true,
        arena_printf(ctx->arena, "%.*s/items/%.*s/delete", STR_FMT(content), STR_FMT(remote_text(ctx, there, "id"))), &form,
        &answer);
}

int cli_item_delete(struct ctx *ctx, const struct options *o, int *exit_out)
{
    return many_command(ctx, o, "deleted", NULL, delete_one, exit_out);
}

/* ---- share ---- */

static int find_groups(struct ctx *ctx, struct many *m)
{
    const struct options_value *groups = options_list(m->options, "group");
    m->groups = arena_array(ctx->arena, id, groups->count);
    for (size_t i = 0; i < groups->count; i++)
        TRY(remote_group(ctx, &m->remote, groups->values[i], &m->groups[m->group_count++]));
    return RC_OK;
}

/* The ids of groups that an item is shared with, with commas. */
static int groups_of(struct ctx *ctx, struct remote *r, str item, str *out)
{
    static const char *const lists[] = {"admin", "member", "other"};
    struct json answer, group;
    *out = STR("");
    TRY(remote_call(ctx, r, false, arena_printf(ctx->arena, "/content/items/%.*s/groups", STR_FMT(item)), NULL, &answer));
    for (size_t l = 0; l < COUNT_OF(lists); l++) {
        struct json_iter it = json_each(json_get_c(answer, lists[l]));
        while (json_next(&it, NULL, &group))
            *out =
                arena_printf(ctx->arena, "%.*s%s%.*s", STR_FMT(*out), out->n ? "," : "", STR_FMT(remote_text(ctx, group, "id")));
    }
    return RC_OK;
}

/* The answers of share and unshare name the groups that did not come about. */
static int check_shared(struct ctx *ctx, struct json answer, const char *list)
{
    struct json names = json_get_c(answer, list);
    if (!json_count(names))
        return RC_OK;
    return err_set(ctx, &ERR_REMOTE, "%zu of the groups did not take part: %.*s", json_count(names), STR_FMT(json_raw(names)));
}

static int unshare(struct ctx *ctx, struct remote *r, str item)
{
    str groups;
    struct json answer;
    struct form form = remote_form();
    TRY(groups_of(ctx, r, item, &groups));
    if (str_empty(groups))
        return RC_OK;
    TRY(form_add(ctx, &form, STR("groups"), groups));
    TRY(remote_call(ctx, r, true, arena_printf(ctx->arena, "/content/items/%.*s/unshare", STR_FMT(item)), &form, &answer));
    return check_shared(ctx, answer, "notUnsharedFrom");
}

static int share_one(struct ctx *ctx, struct many *m, str wanted)
{
    const struct options *o = m->options;
    bool private = options_flag(o, "private"), everyone = options_flag(o, "everyone"), org = options_flag(o, "org");
    struct json there, answer;
    str content, groups = STR("");
    struct form form = remote_form();
    TRY(remote_item(ctx, &m->remote, wanted, &there, &content));
    str item = remote_text(ctx, there, "id");
    if (private || everyone || org) {
        TRY(form_add(ctx, &form, STR("everyone"), everyone ? STR("true") : STR("false")));
        TRY(form_add(ctx, &form, STR("org"), everyone || org ? STR("true") : STR("false")));
    }
    for (size_t i = 0; i < m->group_count; i++)
        groups = arena_printf(ctx->arena, "%.*s%s%s", STR_FMT(groups), i ? "," : "", m->groups[i].text);
    if (groups.n)
        TRY(form_add(ctx, &form, STR("groups"), groups));
    TRY(remote_call(ctx, &m->remote, true, arena_printf(ctx->arena, "/content/items/%.*s/share", STR_FMT(item)), &form, &answer));
    TRY(check_shared(ctx, answer, "notSharedWith"));
    return private ? unshare(ctx, &m->remote, item) : RC_OK;
}

int cli_item_share(struct ctx *ctx, const struct options *o, int *exit_out)
{
    bool private = options_flag(o, "private"), everyone = options_flag(o, "everyone"), org = options_flag(o, "org");
    size_t groups = options_list(o, "group")->count;
    if (private + everyone + org > 1 || (private && groups) || (!private && !everyone && !org && !groups))
        return err_set(ctx, &ERR_USAGE, "Say with whom: --private, or --org or --everyone and any number of --group.");
    return many_command(ctx, o, private ? "private" : "shared", find_groups, share_one, exit_out);
}
