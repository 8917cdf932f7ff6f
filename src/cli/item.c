/* `mapferry item add|get|update`: one item, as the Sharing API has it. */
#include "base/clock.h"
#include "cli/command.h"
#include "cli/input.h"
#include "cli/remote_file.h"
#include "cli/remote_find.h"
#include "model/itemtype.h"
#include <stdio.h>

enum { TEXT_MAX = 30 << 20 };

/* Options that are fields of an item. */
static const struct {
    const char *option, *field;
} field_options[] = {
    {"title", "title"},           {"type", "type"}, {"tags", "tags"}, {"snippet", "snippet"}, {"description", "description"},
    {"keywords", "typeKeywords"}, {"url", "url"}};

static int add_fields(struct ctx *ctx, const struct options *o, struct form *form)
{
    bool clears = false;
    for (size_t i = 0; i < COUNT_OF(field_options); i++) {
        str value = options_get(o, field_options[i].option);
        if (str_none(value))
            continue;
        clears = clears || str_empty(value);
        TRY(form_add(ctx, form, str_c(field_options[i].field), value));
    }
    if (clears)
        TRY(form_add(ctx, form, STR("clearEmptyFields"), STR("true")));
    str text, file = options_get(o, "text");
    if (str_none(file))
        return RC_OK;
    TRY(input_read(ctx, file, TEXT_MAX, &text));
    return form_add(ctx, form, STR("text"), text);
}

/* At most one of file, --text and --url; the files that are named exist. */
static int check_sources(struct ctx *ctx, const struct options *o, str file)
{
    str thumbnail = options_get(o, "thumbnail"), text = options_get(o, "text");
    const str files[] = {file, thumbnail, str_eq(text, STR("-")) ? STR_NONE : text};
    if (!str_none(file) + !str_none(text) + !str_none(options_get(o, "url")) > 1)
        return err_set(ctx, &ERR_USAGE, "An item's data is a FILE, --text or --url, one of them.");
    for (size_t i = 0; i < COUNT_OF(files); i++)
        if (!str_none(files[i]))
            TRY(input_check(ctx, files[i]));
    return RC_OK;
}

static const char *path_or_null(struct ctx *ctx, str file) { return str_none(file) ? NULL : arena_cstr(ctx->arena, file); }

static int tell_item(struct ctx *ctx, struct output *out, str item, const char *did)
{
    output_result(ctx, out, arena_printf(ctx->arena, "{\"itemId\":\"%.*s\",\"did\":\"%s\"}", STR_FMT(item), did));
    if (!out->json)
        printf("%.*s\n", STR_FMT(item));
    return RC_OK;
}

/* ---- add ---- */

static str stem_of(str name)
{
    size_t dot = SIZE_MAX;
    for (size_t i = 1; i < name.n; i++)
        if (name.p[i] == '.')
            dot = i;
    return str_sub(name, 0, dot);
}

/* Is it among the endings of the type? first: as the one that names it. */
static bool has_extension(const struct itemtype *t, str extension, bool first)
{
    str list = str_c(t->extensions), one;
    bool found = false;
    for (bool at_first = true; str_split(&list, ',', &one) && (at_first || !first); at_first = false)
        found = found || str_ieq(one, extension);
    return found;
}

/* Types that files of that ending can have: how many, one of them, and their names when they are few. */
static size_t types_of(struct ctx *ctx, str extension, bool first, str *type_out, str *names_out)
{
    enum { FEW = 6 };
    size_t found = 0;
    *names_out = STR("");
    for (size_t i = 0; extension.n && i < itemtype_count(); i++) {
        const struct itemtype *t = itemtype_at(i);
        if (t->content != CONTENT_FILE || !t->extensions || !has_extension(t, extension, first))
            continue;
        *type_out = str_c(t->name);
        if (found++ < FEW)
            *names_out = arena_printf(ctx->arena, "%.*s%s%s", STR_FMT(*names_out), found > 1 ? ", " : "", t->name);
    }
    if (found > FEW)
        *names_out = arena_printf(ctx->arena, "%.*s and %zu more", STR_FMT(*names_out), found - FEW);
    return found;
}

/* The type that files of that ending have: the one that is named by it, or the only one. */
static int guess_type(struct ctx *ctx, str name, str *out)
{
    static const struct {
        const char *extension, *type;
    } usual[] = {{"csv", "CSV"}, {"docx", "Microsoft Word"}}; /* where the table's first is the rare one */
    str stem = stem_of(name), extension = str_sub(name, stem.n + 1, name.n), names;
    for (size_t i = 0; i < COUNT_OF(usual); i++)
        if (str_ieq(extension, str_c(usual[i].extension))) {
            *out = str_c(usual[i].type);
            return RC_OK;
        }
    if (types_of(ctx, extension, true, out, &names) == 1)
        return RC_OK;
    size_t found = types_of(ctx, extension, false, out, &names);
    if (found == 1)
        return RC_OK;
    return found ? err_set(ctx, &ERR_USAGE, "'%.*s' can be of several types, name one with --type: %.*s.", STR_FMT(name),
                           STR_FMT(names))
                 : err_set(ctx, &ERR_USAGE, "The type of '%.*s' is not known, name it with --type.", STR_FMT(name));
}

static int add_required(struct ctx *ctx, const struct options *o, str name, struct form *form)
{
    str type;
    if (str_none(options_get(o, "title"))) {
        if (str_empty(name))
            return err_set(ctx, &ERR_USAGE, "An item without a file needs --title.");
        TRY(form_add(ctx, form, STR("title"), stem_of(name)));
    }
    if (!str_none(options_get(o, "type")))
        return RC_OK;
    if (str_empty(name))
        return err_set(ctx, &ERR_USAGE, "An item without a file needs --type.");
    TRY(guess_type(ctx, name, &type));
    return form_add(ctx, form, STR("type"), type);
}

int cli_item_add(struct ctx *ctx, const struct options *o, int *exit_out)
{
    (void)exit_out;
    str file = o->word_count > 1 ? o->words[1] : STR_NONE, folder = options_get(o, "folder"), folder_id, item;
    struct form form = remote_form();
    struct remote_put put = {.item = STR(""),
                             .form = &form,
                             .file = path_or_null(ctx, file),
                             .name = str_none(file) ? STR("") : remote_file_name(file),
                             .thumbnail = path_or_null(ctx, options_get(o, "thumbnail"))};
    TRY(check_sources(ctx, o, file));
    TRY(add_required(ctx, o, put.name, &form));
    TRY(add_fields(ctx, o, &form));
    struct output out;
    output_open(&out, o->json);
    CLEANUP(remote_close) struct remote r = {0};
    TRY(remote_open(ctx, o->words[0], &r));
    TRY(remote_content(ctx, &r, &put.content));
    if (!str_none(folder)) {
        TRY(remote_folder(ctx, &r, put.content, folder, &folder_id));
        if (folder_id.n)
            put.content = arena_printf(ctx->arena, "%.*s/%.*s", STR_FMT(put.content), STR_FMT(folder_id));
    }
    int rc = remote_put(ctx, &r, &out, &put, &item);
    output_end(&out);
    TRY(rc);
    return tell_item(ctx, &out, item, "added");
}

/* ---- update ---- */

static int move(struct ctx *ctx, struct remote *r, str content, str item, str folder)
{
    struct json answer;
    str folder_id;
    struct form form = remote_form();
    TRY(remote_folder(ctx, r, content, folder, &folder_id));
    TRY(form_add(ctx, &form, STR("folder"), folder_id.n ? folder_id : STR("/")));
    return remote_call(ctx, r, true, arena_printf(ctx->arena, "%.*s/items/%.*s/move", STR_FMT(content), STR_FMT(item)), &form,
                       &answer);
}

int cli_item_update(struct ctx *ctx, const struct options *o, int *exit_out)
{
    (void)exit_out;
    str file = o->word_count > 2 ? o->words[2] : STR_NONE, folder = options_get(o, "folder"), item;
    struct form form = remote_form();
    struct json there;
    struct remote_put put = {.form = &form,
                             .file = path_or_null(ctx, file),
                             .name = str_none(file) ? STR("") : remote_file_name(file),
                             .thumbnail = path_or_null(ctx, options_get(o, "thumbnail"))};
    TRY(check_sources(ctx, o, file));
    TRY(add_fields(ctx, o, &form));
    bool puts = form.count || put.file || put.thumbnail;
    if (!puts && str_none(folder))
        return err_set(ctx, &ERR_USAGE, "There is nothing to change: give a FILE or options.");
    struct output out;
    output_open(&out, o->json);
    CLEANUP(remote_close) struct remote r = {0};
    TRY(remote_open(ctx, o->words[0], &r));
    TRY(remote_item(ctx, &r, o->words[1], &there, &put.content));
    item = put.item = remote_text(ctx, there, "id");
    if (puts) {
        int rc = remote_put(ctx, &r, &out, &put, &item);
        output_end(&out);
        TRY(rc);
    }
    if (!str_none(folder))
        TRY(move(ctx, &r, put.content, item, folder));
    return tell_item(ctx, &out, item, "updated");
}

/* ---- get ---- */

/* What a person wants to see, in this order; empty ones are left out. */
static const struct {
    const char *name;
    enum { SHOWN_TEXT, SHOWN_LIST, SHOWN_TIME, SHOWN_BYTES } kind;
} shown[] = {{"id", SHOWN_TEXT},           {"title", SHOWN_TEXT},   {"type", SHOWN_TEXT},       {"owner", SHOWN_TEXT},
             {"ownerFolder", SHOWN_TEXT},  {"access", SHOWN_TEXT},  {"url", SHOWN_TEXT},        {"name", SHOWN_TEXT},
             {"size", SHOWN_BYTES},        {"created", SHOWN_TIME}, {"modified", SHOWN_TIME},   {"tags", SHOWN_LIST},
             {"typeKeywords", SHOWN_LIST}, {"snippet", SHOWN_TEXT}, {"description", SHOWN_TEXT}};

static str shown_text(struct ctx *ctx, struct json v, int kind)
{
    int64_t number;
    char time[CLOCK_ISO_SIZE] = "";
    struct json element;
    str list = STR("");
    switch (kind) {
    case SHOWN_LIST:
        for (struct json_iter it = json_each(v); json_next(&it, NULL, &element);)
            list = arena_printf(ctx->arena, "%.*s%s%.*s", STR_FMT(list), list.n ? ", " : "",
                                STR_FMT(json_string_or(element, ctx->arena, STR(""))));
        return list;
    case SHOWN_TIME:
        if (json_int(v, &number) && number > 0)
            clock_iso_print(number, time);
        return arena_str(ctx->arena, str_c(time));
    case SHOWN_BYTES:
        return json_int(v, &number) && number > 0 ? output_bytes(ctx, number) : STR("");
    default:
        return json_string_or(v, ctx->arena, STR(""));
    }
}

static void print_item(struct ctx *ctx, struct json item)
{
    for (size_t i = 0; i < COUNT_OF(shown); i++) {
        str text = shown_text(ctx, json_get_c(item, shown[i].name), (int)shown[i].kind);
        if (text.n)
            printf("%-13s %.*s\n", shown[i].name, STR_FMT(output_plain(ctx, text)));
    }
}

int cli_item_get(struct ctx *ctx, const struct options *o, int *exit_out)
{
    (void)exit_out;
    str file = options_get(o, "o"), content;
    bool data = options_flag(o, "data");
    if (data == str_none(file))
        return err_set(ctx, &ERR_USAGE, "--data and -o FILE go together; -o - is standard output.");
    if (data && o->json && str_eq(file, STR("-")))
        return err_set(ctx, &ERR_USAGE, "Standard output is either the data or JSON lines.");
    struct output out;
    output_open(&out, o->json);
    CLEANUP(remote_close) struct remote r = {0};
    struct json item;
    TRY(remote_open(ctx, o->words[0], &r));
    TRY(remote_item(ctx, &r, o->words[1], &item, &content));
    if (data) {
        uint64_t bytes;
        str path = arena_printf(ctx->arena, "/content/items/%.*s/data", STR_FMT(remote_text(ctx, item, "id")));
        int rc = remote_download(ctx, &r, &out, path, arena_cstr(ctx->arena, file), &bytes);
        output_end(&out);
        TRY(rc);
        output_event(ctx, &out, "data", "%.*s: %.*s", STR_FMT(file), STR_FMT(output_bytes(ctx, (int64_t)bytes)));
    } else if (!o->json) {
        print_item(ctx, item);
    }
    output_result(ctx, &out, json_raw(item));
    return RC_OK;
}
