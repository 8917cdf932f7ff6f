/* `mapferry search`: items by the query language of the portal, page by page. */
#include "base/clock.h"
#include "base/num.h"
#include "cli/command.h"
#include "cli/output.h"
#include "cli/remote.h"
#include <stdio.h>

enum { LIMIT_DEFAULT = 100, LIMIT_MAX = 10000, PAGE = 100, RESULT_MAX = 256 << 20 };

static int limit_of(struct ctx *ctx, const struct options *o, int64_t *out)
{
    str given = options_get(o, "limit");
    *out = LIMIT_DEFAULT;
    if (!str_none(given) && (!num_parse_int(given, out) || *out < 1 || *out > LIMIT_MAX))
        return err_set(ctx, &ERR_USAGE, "--limit is a number from 1 to %d, not '%.*s'.", LIMIT_MAX, STR_FMT(given));
    return RC_OK;
}

static int query_of(struct ctx *ctx, const struct options *o, str *out)
{
    str words = o->word_count > 1 ? o->words[1] : STR(""), type = options_get(o, "type");
    if (str_empty(str_trim(words)) && str_none(type))
        return err_set(ctx, &ERR_USAGE, "search needs a QUERY or --type.");
    if (!str_none(type) && str_find_char(type, '"', 0) != SIZE_MAX)
        return err_set(ctx, &ERR_USAGE, "No type has a quotation mark in its name.");
    *out = words;
    if (str_none(type))
        return RC_OK;
    *out = str_empty(str_trim(words)) ? arena_printf(ctx->arena, "type:\"%.*s\"", STR_FMT(type))
                                      : arena_printf(ctx->arena, "(%.*s) AND type:\"%.*s\"", STR_FMT(words), STR_FMT(type));
    return RC_OK;
}

static str when(struct ctx *ctx, struct json item, const char *name)
{
    int64_t ms;
    char text[CLOCK_ISO_SIZE] = "";
    enum { DAY = 10 }; /* characters of the date */
    if (json_int(json_get_c(item, name), &ms))
        clock_iso_print(ms, text);
    return arena_str(ctx->arena, str_sub(str_c(text), 0, DAY));
}

struct found {
    struct json *items;
    size_t count, capacity;
    int64_t total;
};

static int search(struct ctx *ctx, struct remote *r, str query, int64_t limit, struct found *f)
{
    for (int64_t start = 1; start > 0 && (int64_t)f->count < limit;) {
        struct form form = remote_form();
        struct json answer, item;
        int64_t left = limit - (int64_t)f->count;
        TRY(ctx_check(ctx));
        TRY(form_add(ctx, &form, STR("q"), query));
        TRY(form_add(ctx, &form, STR("start"), arena_printf(ctx->arena, "%lld", (long long)start)));
        TRY(form_add(ctx, &form, STR("num"), arena_printf(ctx->arena, "%lld", (long long)(left < PAGE ? left : PAGE))));
        TRY(remote_call(ctx, r, false, STR("/search"), &form, &answer));
        json_int(json_get_c(answer, "total"), &f->total);
        struct json_iter it = json_each(json_get_c(answer, "results"));
        while (json_next(&it, NULL, &item)) {
            f->items = arena_grow(ctx->arena, f->items, &f->capacity, f->count + 1, sizeof *f->items);
            f->items[f->count++] = item;
        }
        if (!json_int(json_get_c(answer, "nextStart"), &start))
            start = -1;
    }
    return RC_OK;
}

static void print_table(struct ctx *ctx, const struct found *f)
{
    static const char *const header[] = {"id", "type", "title", "owner", "access", "modified"};
    const size_t columns = COUNT_OF(header);
    str *cells = arena_array(ctx->arena, str, f->count * columns);
    for (size_t i = 0; i < f->count; i++) {
        for (size_t c = 0; c + 1 < columns; c++)
            cells[i * columns + c] = remote_text(ctx, f->items[i], header[c]);
        cells[i * columns + columns - 1] = when(ctx, f->items[i], "modified");
    }
    output_table(ctx, header, columns, cells, f->count);
}

static int print_json(struct ctx *ctx, struct output *o, const struct found *f)
{
    CLEANUP(buf_free) struct buf b = BUF_INIT(RESULT_MAX);
    struct json_out out;
    json_out_buf(&out, ctx, &b);
    json_begin_object(&out);
    json_member_int(&out, "total", f->total);
    json_name(&out, "results");
    json_begin_array(&out);
    for (size_t i = 0; i < f->count; i++)
        json_put_raw(&out, json_raw(f->items[i]));
    json_end_array(&out);
    json_end_object(&out);
    TRY(json_out_end(&out, "the list of items"));
    output_result(ctx, o, buf_str(&b));
    return RC_OK;
}

int cli_search(struct ctx *ctx, const struct options *o, int *exit_out)
{
    (void)exit_out;
    int64_t limit;
    str query;
    TRY(limit_of(ctx, o, &limit));
    TRY(query_of(ctx, o, &query));
    struct output out;
    output_open(&out, o->json);
    CLEANUP(remote_close) struct remote r = {0};
    struct found f = {0};
    TRY(remote_open(ctx, o->words[0], &r));
    TRY(search(ctx, &r, query, limit, &f));
    if (o->json)
        return print_json(ctx, &out, &f);
    print_table(ctx, &f);
    if (f.total > (int64_t)f.count)
        output_event(ctx, &out, "more", "%zu of %lld items; --limit shows more", f.count, (long long)f.total);
    return RC_OK;
}
