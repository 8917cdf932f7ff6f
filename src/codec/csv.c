/* Separated values: see csv.h. A record is looked for in what was read; when its end is not there, more is read and the record is
 * looked at again from its beginning, so that there is no state between pieces. */
#include "codec/csv.h"
#include "base/mem.h"

enum { PIECE = 256 << 10, CELLS_FIRST = 64, GUESS_RECORDS = 20 };

void csv_open(struct csv *c, struct reader *in, char delimiter, char quote)
{
    *c = (struct csv){.in = in, .delimiter = delimiter, .quote = quote, .line = 1, .next_line = 1};
}

void csv_close(struct csv *c)
{
    mem_free(c->p);
    mem_free(c->cells);
    *c = (struct csv){.in = NULL};
}

static int fail(struct ctx *ctx, const struct csv *c, const char *what)
{
    return err_set(ctx, &ERR_INVALID, "line %llu: %s", (unsigned long long)c->next_line, what);
}

static int read_more(struct ctx *ctx, struct csv *c)
{
    size_t got;
    if (c->at > 0) {
        memmove(c->p, c->p + c->at, c->n - c->at);
        c->n -= c->at;
        c->at = 0;
    }
    if (c->n >= CSV_RECORD_MAX)
        return err_set(ctx, &ERR_LIMIT, "line %llu: a record of more than %d bytes", (unsigned long long)c->next_line,
                       CSV_RECORD_MAX);
    if (c->capacity - c->n < PIECE) {
        c->capacity = c->capacity ? c->capacity * 2 : 2 * PIECE;
        c->p = mem_resize(c->p, c->capacity);
    }
    TRY(reader_read(ctx, c->in, c->p + c->n, c->capacity - c->n, &got));
    c->n += got;
    c->ended = got == 0;
    return RC_OK;
}

static int add_cell(struct ctx *ctx, struct csv *c, struct csv_cell cell)
{
    if (c->count >= CSV_CELLS_MAX)
        return err_set(ctx, &ERR_LIMIT, "line %llu: a record of more than %d values", (unsigned long long)c->next_line,
                       CSV_CELLS_MAX);
    if (c->count == c->cells_capacity) {
        c->cells_capacity = c->count ? c->count * 2 : CELLS_FIRST;
        c->cells = mem_resize(c->cells, c->cells_capacity * sizeof *c->cells);
    }
    c->cells[c->count++] = cell;
    return RC_OK;
}

/* The position behind a quoted cell, which begins at `at`; SIZE_MAX: its end is not there yet. */
static size_t scan_quoted(const struct csv *c, size_t at, struct csv_cell *cell, uint64_t *lines)
{
    size_t from = ++at;
    *cell = (struct csv_cell){.quoted = true};
    for (;;) {
        const char *q = at < c->n ? memchr(c->p + at, c->quote, c->n - at) : NULL;
        if (!q || (q + 1 == c->p + c->n && !c->ended)) /* the next one may double it */
            return SIZE_MAX;
        at = (size_t)(q - c->p);
        if (at + 1 == c->n || c->p[at + 1] != c->quote)
            break;
        cell->doubled = true;
        at += 2;
    }
    cell->text = str_of(c->p + from, at - from);
    for (size_t i = from; i < at; i++)
        *lines += c->p[i] == '\n';
    return at + 1;
}

static void undouble(const struct csv *c, struct csv_cell *cell)
{
    char *p = c->p + (cell->text.p - c->p);
    size_t to = 0;
    for (size_t i = 0; i < cell->text.n; i++) {
        p[to++] = p[i];
        i += p[i] == c->quote;
    }
    cell->text.n = to;
    cell->doubled = false;
}

/* One cell from *at on. *at becomes SIZE_MAX when its end is not there yet, else the place of what ends it. */
static int scan_cell(struct ctx *ctx, struct csv *c, size_t *at, uint64_t *lines)
{
    struct csv_cell cell = {.quoted = false};
    size_t i = *at;
    if (i < c->n && c->quote && c->p[i] == c->quote) {
        i = scan_quoted(c, i, &cell, lines);
        if (i == SIZE_MAX && c->ended)
            return fail(ctx, c, "a quote that is never closed");
        if (i != SIZE_MAX && i < c->n && c->p[i] != c->delimiter && c->p[i] != '\n' && c->p[i] != '\r')
            return fail(ctx, c, "text behind a closing quote");
    } else {
        const char *p = c->p, delimiter = c->delimiter;
        while (i < c->n && p[i] != delimiter && p[i] != '\n' && p[i] != '\r')
            i++;
        cell.text = str_of(c->p + *at, i - *at);
    }
    if (i == SIZE_MAX || (i == c->n && !c->ended) || (i + 1 == c->n && c->p[i] == '\r' && !c->ended)) {
        *at = SIZE_MAX;
        return RC_OK;
    }
    *at = i;
    return add_cell(ctx, c, cell);
}

/* A record that is wholly there; *end_out SIZE_MAX when it is not. */
static int scan_record(struct ctx *ctx, struct csv *c, size_t *end_out, uint64_t *lines)
{
    size_t at = c->at;
    c->count = 0;
    *lines = 0;
    for (;;) {
        TRY(scan_cell(ctx, c, &at, lines));
        if (at == SIZE_MAX || at == c->n || c->p[at] != c->delimiter)
            break;
        at++;
    }
    if (at != SIZE_MAX && at < c->n) {
        at += c->p[at] == '\r' && at + 1 < c->n && c->p[at + 1] == '\n' ? 2 : 1;
        ++*lines;
    }
    *end_out = at;
    return RC_OK;
}

int csv_next(struct ctx *ctx, struct csv *c)
{
    for (;;) {
        size_t end = SIZE_MAX;
        uint64_t lines = 0;
        if (c->at < c->n)
            TRY(scan_record(ctx, c, &end, &lines));
        if (c->at == c->n && c->ended)
            return RC_END;
        if (end == SIZE_MAX) {
            TRY(read_more(ctx, c));
            continue;
        }
        c->at = end;
        c->line = c->next_line;
        c->next_line += lines;
        if (c->count == 1 && c->cells[0].text.n == 0 && !c->cells[0].quoted)
            continue;
        for (size_t i = 0; i < c->count; i++)
            if (c->cells[i].doubled)
                undouble(c, &c->cells[i]);
        return RC_OK;
    }
}

/* Cells of each of the first records, 0 when they differ. The last record of a text that was cut off does not count. */
static size_t even_width(struct ctx *ctx, str head, char delimiter, char quote)
{
    CLEANUP(csv_close) struct csv c;
    CLEANUP(reader_cleanup) struct reader *in = reader_mem(head);
    size_t width = 0, last = 0;
    csv_open(&c, in, delimiter, quote);
    for (int i = 0; i < GUESS_RECORDS && csv_next(ctx, &c) == RC_OK; i++) {
        if (last && width && last != width)
            width = SIZE_MAX;
        width = width ? width : last;
        last = c.count;
    }
    err_clear(ctx);
    width = width ? width : last; /* a single record */
    return width == SIZE_MAX ? 0 : width;
}

char csv_guess_delimiter(struct ctx *ctx, str head, char quote)
{
    static const char CANDIDATES[] = {',', ';', '\t', '|'};
    char best = ',';
    size_t most = 1;
    for (size_t i = 0; i < sizeof CANDIDATES; i++) {
        size_t width = even_width(ctx, head, CANDIDATES[i], quote);
        if (width > most) {
            most = width;
            best = CANDIDATES[i];
        }
    }
    return best;
}
