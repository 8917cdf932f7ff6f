/* `mapferry group export|import`: the two operations driven from outside, against any portal that has them. */
#include "base/id.h"
#include "cli/command.h"
#include "cli/input.h"
#include "cli/job.h"
#include "cli/remote_file.h"
#include "cli/remote_find.h"
#include "model/errors.h"
#include <stdio.h>

struct group_run {
    const struct options *options;
    struct output out;
    struct remote remote;
    id group;
};

static int add_items(struct ctx *ctx, const struct group_run *g, struct form *form)
{
    const struct options_value *items = options_list(g->options, "item");
    struct buf b = BUF_INIT(4 << 20);
    for (size_t i = 0; i < items->count; i++) {
        if (i)
            buf_add_char(&b, ',');
        buf_add(&b, items->values[i]);
    }
    str list = arena_str(ctx->arena, buf_str(&b));
    buf_free(&b);
    return items->count ? form_add(ctx, form, STR("itemIdList"), list) : RC_OK;
}

static str plain(struct ctx *ctx, struct json v, const char *name) { return output_plain(ctx, remote_text(ctx, v, name)); }

/* The lists of a result: how many, and the skipped and failed ones with their reasons. Any of them makes the exit code 3. */
static void tell_lists(struct ctx *ctx, struct group_run *g, struct json result, const char *const lists[3], int *exit_out)
{
    if (!g->out.json)
        printf("%zu items %s\n", json_count(json_get_c(result, lists[0])), strstr(lists[0], "Import") ? "imported" : "exported");
    for (int k = 1; k < 3; k++) {
        struct json list = json_get_c(result, lists[k]), item;
        if (!json_count(list))
            continue;
        *exit_out = EXIT_SKIPPED;
        struct json_iter it = json_each(list);
        while (!g->out.json && json_next(&it, NULL, &item))
            printf("%s %.*s '%.*s' (%.*s): %.*s\n", k == 1 ? "skipped" : "failed", STR_FMT(plain(ctx, item, "itemId")),
                   STR_FMT(plain(ctx, item, "title")), STR_FMT(plain(ctx, item, "type")), STR_FMT(plain(ctx, item, "reason")));
    }
    output_result(ctx, &g->out, json_raw(result));
}

static int print_preview(struct ctx *ctx, struct group_run *g, struct json preview, const char *flag)
{
    if (g->out.json) {
        output_result(ctx, &g->out, json_raw(preview));
        return RC_OK;
    }
    static const char *const header[] = {"id", "type", "title", "size", "exists", "", "reason"};
    const size_t columns = COUNT_OF(header);
    struct json results = json_get_c(preview, "results"), item;
    size_t count = json_count(results), n = 0;
    str *cells = arena_array(ctx->arena, str, count * columns);
    struct json_iter it = json_each(results);
    while (json_next(&it, NULL, &item)) {
        int64_t size = 0;
        json_int(json_get_c(item, "size"), &size);
        str *row = &cells[n++ * columns];
        row[0] = remote_text(ctx, item, "id");
        row[1] = remote_text(ctx, item, "type");
        row[2] = remote_text(ctx, item, "title");
        row[3] = output_bytes(ctx, size);
        row[4] = json_bool(json_get_c(item, "exists"), false) ? STR("yes") : STR("no");
        row[5] = json_bool(json_get_c(item, flag), false) ? STR("carried") : STR("left");
        row[6] = remote_text(ctx, item, "reason");
    }
    output_table(ctx, header, columns, cells, count);
    return RC_OK;
}

/* ---- export ---- */

static str group_path(struct ctx *ctx, const struct group_run *g, const char *operation)
{
    return arena_printf(ctx->arena, "/community/groups/%s/%s", g->group.text, operation);
}

static int delete_item(struct ctx *ctx, struct group_run *g, str item)
{
    str content;
    struct json answer;
    struct form form = remote_form();
    TRY(remote_content(ctx, &g->remote, &content));
    return remote_call(ctx, &g->remote, true, arena_printf(ctx->arena, "%.*s/items/%.*s/delete", STR_FMT(content), STR_FMT(item)),
                       &form, &answer);
}

static int group_export(struct ctx *ctx, struct group_run *g, int *exit_out)
{
    static const char *const lists[] = {"itemsExported", "itemsSkipped", "itemsFailedExport"};
    bool preview = options_flag(g->options, "preview");
    str file = options_get(g->options, "o");
    struct form form = remote_form();
    struct json started, job;
    TRY(add_items(ctx, g, &form));
    TRY(form_add(ctx, &form, preview ? STR("previewOnly") : STR("async"), STR("true")));
    TRY(remote_call(ctx, &g->remote, true, group_path(ctx, g, "export"), &form, &started));
    if (preview)
        return print_preview(ctx, g, started, "canExport");
    TRY(remote_job_wait(ctx, &g->remote, &g->out, started, &job));
    struct json result = json_get_c(job, "result");
    str item = remote_text(ctx, result, "itemId");
    if (!str_empty(item)) {
        uint64_t bytes;
        int rc = remote_download(ctx, &g->remote, &g->out, arena_printf(ctx->arena, "/content/items/%.*s/data", STR_FMT(item)),
                                 arena_cstr(ctx->arena, file), &bytes);
        if (rc != RC_OK)
            err_add(ctx, "The package is on the portal: `mapferry item get PORTAL %.*s --data -o FILE` fetches it.",
                    STR_FMT(item));
        TRY(rc);
        TRY(delete_item(ctx, g, item)); /* the file is the package now */
        output_event(ctx, &g->out, "package", "%.*s: %.*s", STR_FMT(file), STR_FMT(output_bytes(ctx, (int64_t)bytes)));
    } else {
        output_event(ctx, &g->out, "package", "There was nothing to export; no file was written.");
    }
    tell_lists(ctx, g, result, lists, exit_out);
    return RC_OK;
}

/* ---- import ---- */

static int upload_package(struct ctx *ctx, struct group_run *g, str file, str *item_out)
{
    struct form form = remote_form();
    struct remote_put put = {.item = STR(""), .form = &form, .file = arena_cstr(ctx->arena, file)};
    str name = remote_file_name(file);
    id unique = id_new(); /* file names are unique in a folder */
    TRY(remote_content(ctx, &g->remote, &put.content));
    TRY(form_add(ctx, &form, STR("title"), name));
    TRY(form_add(ctx, &form, STR("type"), STR("Export Package")));
    TRY(form_add(ctx, &form, STR("typeKeywords"), STR("Export Package,epk")));
    TRY(form_add(ctx, &form, STR("tags"), STR("Export Package,epk")));
    put.name = arena_printf(ctx->arena, "%.8s-%.*s", unique.text, STR_FMT(name));
    output_event(ctx, &g->out, "upload", "uploading %.*s", STR_FMT(file));
    return remote_put(ctx, &g->remote, &g->out, &put, item_out);
}

/* All pages of the preview, joined into one results list. */
static int import_preview(struct ctx *ctx, struct group_run *g, str item, struct form *form)
{
    struct json answer, page;
    str path = group_path(ctx, g, arena_printf(ctx->arena, "importPreview/%.*s", STR_FMT(item)).p);
    struct buf b = BUF_INIT(64 << 20);
    buf_add(&b, STR("{\"results\":["));
    bool first = true;
    for (int64_t start = 1; start > 0;) {
        struct form paged = remote_form();
        for (size_t i = 0; i < form->count; i++)
            TRY(form_add(ctx, &paged, form->fields[i].name, form->fields[i].value));
        TRY(form_add(ctx, &paged, STR("start"), arena_printf(ctx->arena, "%lld", (long long)start)));
        TRY(form_add(ctx, &paged, STR("num"), STR("100")));
        TRY(remote_call(ctx, &g->remote, true, path, &paged, &answer));
        struct json_iter it = json_each(json_get_c(answer, "results"));
        while (json_next(&it, NULL, &page)) {
            buf_add(&b, first ? STR("") : STR(","));
            buf_add(&b, json_raw(page));
            first = false;
        }
        if (!json_int(json_get_c(answer, "nextStart"), &start))
            start = -1;
    }
    buf_add(&b, STR("]}"));
    str all = arena_str(ctx->arena, buf_str(&b));
    buf_free(&b);
    TRY(json_parse(ctx, all, &answer));
    return print_preview(ctx, g, answer, "canImport");
}

static int import_uploaded(struct ctx *ctx, struct group_run *g, str item, int *exit_out)
{
    static const char *const lists[] = {"itemsImported", "itemsSkipped", "itemsFailedImport"};
    static const char *const words[][2] = {{"folder", "importContentFolder"}, {"folder-owner", "folderOwnerUsername"}};
    struct form form = remote_form();
    struct json started, job;
    TRY(add_items(ctx, g, &form));
    if (options_flag(g->options, "overwrite"))
        TRY(form_add(ctx, &form, STR("overwriteExistingItems"), STR("true")));
    if (options_flag(g->options, "preview"))
        return import_preview(ctx, g, item, &form);
    for (size_t i = 0; i < COUNT_OF(words); i++)
        if (!str_none(options_get(g->options, words[i][0])))
            TRY(form_add(ctx, &form, str_c(words[i][1]), options_get(g->options, words[i][0])));
    TRY(form_add(ctx, &form, STR("itemId"), item));
    TRY(form_add(ctx, &form, STR("async"), STR("true")));
    TRY(remote_call(ctx, &g->remote, true, group_path(ctx, g, "import"), &form, &started));
    TRY(remote_job_wait(ctx, &g->remote, &g->out, started, &job));
    tell_lists(ctx, g, json_get_c(job, "result"), lists, exit_out);
    return RC_OK;
}

static int group_import(struct ctx *ctx, struct group_run *g, int *exit_out)
{
    str item, file = g->options->words[2];
    TRY(upload_package(ctx, g, file, &item));
    int rc = import_uploaded(ctx, g, item, exit_out);
    /* The portal deletes the package after an import without failures; in all other cases the file here is what remains. */
    struct ctx own = remote_aftermath(ctx);
    if (rc != RC_OK || options_flag(g->options, "preview") || *exit_out == EXIT_SKIPPED)
        (void)delete_item(&own, g, item);
    ctx_close(&own);
    return rc;
}

/* Runs one of the two with a portal that is signed in and a group that was found. */
static int group_run(struct ctx *ctx, struct group_run *g, int (*work)(struct ctx *ctx, struct group_run *g, int *exit_out),
                     int *exit_out)
{
    TRY(remote_open(ctx, g->options->words[0], &g->remote));
    TRY(remote_group(ctx, &g->remote, g->options->words[1], &g->group));
    return work(ctx, g, exit_out);
}

static int group_command(struct ctx *ctx, const struct options *o,
                         int (*work)(struct ctx *ctx, struct group_run *g, int *exit_out), int *exit_out)
{
    struct group_run g = {.options = o};
    output_open(&g.out, o->json);
    int rc = group_run(ctx, &g, work, exit_out);
    output_end(&g.out);
    remote_close(&g.remote);
    return rc;
}

int cli_group_export(struct ctx *ctx, const struct options *o, int *exit_out)
{
    if (str_none(options_get(o, "o")) && !options_flag(o, "preview"))
        return err_set(ctx, &ERR_USAGE, "group export needs -o FILE.epk, or --preview.");
    return group_command(ctx, o, group_export, exit_out);
}

int cli_group_import(struct ctx *ctx, const struct options *o, int *exit_out)
{
    TRY(input_check(ctx, o->words[2]));
    return group_command(ctx, o, group_import, exit_out);
}
