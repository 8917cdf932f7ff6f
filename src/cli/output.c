/* See output.h. */
#include "cli/output.h"
#include "base/clock.h"
#include "base/utf8.h"
#include <stdio.h>
#include <unistd.h>

enum { BAR_WIDTH = 30, BAR_EVERY_MS = 100, LINE_EVERY_MS = 10000 };

static int64_t now(const struct ctx *ctx) { return ctx->clock->monotonic_ms(ctx->clock); }

void output_open(struct output *o, bool json) { *o = (struct output){.json = json, .terminal = !json && isatty(STDERR_FILENO)}; }

static void json_line(struct ctx *ctx, const char *event, const char *name, str text, str members)
{
    CLEANUP(buf_free) struct buf b = BUF_INIT(300 << 20);
    struct json_out out;
    json_out_buf(&out, ctx, &b);
    json_begin_object(&out);
    json_member_c(&out, "event", event);
    if (name)
        json_member_str(&out, name, text);
    CLEANUP(buf_free) struct buf line = BUF_INIT(256 << 20);
    if (str_find_char(members, '\n', 0) != SIZE_MAX && json_reformat(ctx, members, false, &line) == RC_OK)
        members = buf_str(&line); /* one line each, whatever the portal sends */
    if (!str_none(members))
        json_member_raw(&out, "result", members);
    json_end_object(&out);
    if (json_out_end(&out, "an event") == RC_OK)
        printf("%.*s\n", STR_FMT(buf_str(&b)));
    fflush(stdout);
}

void output_end(struct output *o)
{
    if (o->bar)
        fputc('\n', stderr);
    o->bar = false;
}

void output_event(struct ctx *ctx, struct output *o, const char *event, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    str text = arena_vprintf(ctx->arena, fmt, args);
    va_end(args);
    output_end(o);
    if (o->json)
        json_line(ctx, event, "text", text, STR_NONE);
    else
        fprintf(stderr, "%.*s\n", STR_FMT(output_plain(ctx, text)));
}

str output_plain(struct ctx *ctx, str text)
{
    char *plain = arena_cstr(ctx->arena, text);
    for (size_t i = 0; i < text.n; i++) {
        unsigned char c = (unsigned char)plain[i];
        bool c1 = c == 0xc2 && i + 1 < text.n && (unsigned char)plain[i + 1] < 0xa0; /* U+0080 to U+009F */
        if (c < ' ' || c == 0x7f)
            plain[i] = ' ';
        else if (c1)
            plain[i] = plain[i + 1] = ' ';
    }
    return str_of(plain, text.n);
}

str output_bytes(struct ctx *ctx, int64_t bytes)
{
    static const char *const units[] = {"B", "kB", "MB", "GB", "TB"};
    double v = (double)bytes;
    size_t unit = 0;
    while (v >= 999.5 && unit + 1 < COUNT_OF(units)) {
        v /= 1000;
        unit++;
    }
    return arena_printf(ctx->arena, unit && v < 99.95 ? "%.1f %s" : "%.0f %s", v, units[unit]);
}

static str amount(struct ctx *ctx, int64_t n, const char *unit)
{
    return strcmp(unit, "bytes") == 0 ? output_bytes(ctx, n) : arena_printf(ctx->arena, "%lld %s", (long long)n, unit);
}

static void progress_json(struct ctx *ctx, const char *what, int64_t done, int64_t total, const char *unit)
{
    CLEANUP(buf_free) struct buf b = BUF_INIT(4096);
    struct json_out out;
    json_out_buf(&out, ctx, &b);
    json_begin_object(&out);
    json_member_c(&out, "event", "progress");
    json_member_c(&out, "what", what);
    json_member_int(&out, "done", done);
    json_member_int(&out, "total", total);
    json_member_c(&out, "unit", unit);
    json_end_object(&out);
    if (json_out_end(&out, "an event") == RC_OK)
        printf("%.*s\n", STR_FMT(buf_str(&b)));
    fflush(stdout);
}

static str duration(struct ctx *ctx, double seconds)
{
    long s = (long)(seconds + 0.5), minutes = (s + 30) / 60;
    return s < 100        ? arena_printf(ctx->arena, "%ld s", s)
           : s < 100 * 60 ? arena_printf(ctx->arena, "%ld min", minutes)
                          : arena_printf(ctx->arena, "%ld h %02ld min", minutes / 60, minutes % 60);
}

/* "5.0 MB, 500 kB/s, 10 s left" */
static str progress_text(struct ctx *ctx, int64_t done, int64_t total, double seconds, const char *unit)
{
    str text = arena_printf(ctx->arena, "%.*s, %.*s/s", STR_FMT(amount(ctx, done, unit)),
                            STR_FMT(amount(ctx, (int64_t)((double)done / seconds), unit)));
    if (total <= 0 || done <= 0)
        return text;
    return arena_printf(ctx->arena, "%.*s, %.*s left", STR_FMT(text),
                        STR_FMT(duration(ctx, seconds * (double)(total - done) / (double)done)));
}

static void progress_bar(struct output *o, const char *what, double part, str text)
{
    int full = (int)(part * BAR_WIDTH);
    char bar[BAR_WIDTH + 1] = {0};
    for (int i = 0; i < BAR_WIDTH; i++)
        bar[i] = i < full ? '#' : '.';
    fprintf(stderr, "\r%s [%s] %.*s\033[K", what, bar, STR_FMT(text));
    o->bar = true;
}

void output_progress(struct ctx *ctx, struct output *o, const char *what, int64_t done, int64_t total, const char *unit)
{
    bool lines = !o->json && !o->terminal, first = !o->what || strcmp(o->what, what) != 0;
    int64_t t = now(ctx), every = lines ? LINE_EVERY_MS : BAR_EVERY_MS;
    if (first) {
        o->what = what;
        o->started_ms = t;
        o->shown_ms = lines ? t : t - every; /* a pipe is told when it takes long */
        o->shown_done = -1;
    }
    bool ends = done == total && o->shown_done != done && !lines;
    if (!ends && (done == o->shown_done || t - o->shown_ms < every))
        return;
    o->shown_ms = t;
    o->shown_done = done;
    if (o->json) {
        progress_json(ctx, what, done, total, unit);
        return;
    }
    struct arena_mark mark = arena_mark(ctx->arena);
    double part = total > 0 ? (double)done / (double)total : 0;
    double seconds = t > o->started_ms ? (double)(t - o->started_ms) / 1000 : 0.001;
    str text = progress_text(ctx, done, total, seconds, unit);
    if (lines && total > 0)
        fprintf(stderr, "%s: %.0f %%, %.*s\n", what, part * 100, STR_FMT(text));
    else if (lines)
        fprintf(stderr, "%s: %.*s\n", what, STR_FMT(text));
    else
        progress_bar(o, what, part, text);
    arena_release(ctx->arena, mark);
}

void output_result(struct ctx *ctx, struct output *o, str json_text)
{
    output_end(o);
    if (o->json)
        json_line(ctx, "result", NULL, STR_NONE, json_text);
}

void output_error(struct ctx *ctx, int code)
{
    CLEANUP(buf_free) struct buf b = BUF_INIT(64 << 10);
    struct json_out out;
    json_out_buf(&out, ctx, &b);
    json_begin_object(&out);
    json_member_c(&out, "event", "error");
    json_member_int(&out, "exit", code);
    json_member_c(&out, "text", err_text(ctx));
    json_name(&out, "details");
    json_begin_array(&out);
    for (unsigned i = 1; i < ctx->err.detail_count; i++)
        json_put_str(&out, str_c(ctx->err.details[i]));
    json_end_array(&out);
    json_end_object(&out);
    printf("%.*s\n", STR_FMT(buf_str(&b)));
    fflush(stdout);
}

static size_t width_of(str s) { return utf8_length(s); }

static void row_print(struct ctx *ctx, const str *cells, const size_t *widths, size_t columns)
{
    for (size_t c = 0; c < columns; c++) {
        str cell = output_plain(ctx, cells[c]);
        printf("%.*s", STR_FMT(cell));
        if (c + 1 < columns)
            printf("%*s", (int)(widths[c] - width_of(cells[c]) + 2), "");
    }
    putchar('\n');
}

void output_table(struct ctx *ctx, const char *const *header, size_t columns, const str *cells, size_t rows)
{
    size_t *widths = arena_array(ctx->arena, size_t, columns);
    str *head = arena_array(ctx->arena, str, columns), *line = arena_array(ctx->arena, str, columns);
    for (size_t c = 0; c < columns; c++) {
        head[c] = str_c(header[c]);
        widths[c] = width_of(head[c]);
        for (size_t r = 0; r < rows; r++)
            if (width_of(cells[r * columns + c]) > widths[c])
                widths[c] = width_of(cells[r * columns + c]);
        char *dashes = arena_alloc(ctx->arena, widths[c] + 1);
        memset(dashes, '-', widths[c]);
        line[c] = str_of(dashes, widths[c]);
    }
    row_print(ctx, head, widths, columns);
    row_print(ctx, line, widths, columns);
    for (size_t r = 0; r < rows; r++)
        row_print(ctx, &cells[r * columns], widths, columns);
}
