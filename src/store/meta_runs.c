/* Making the lists of meta_runs.h, for a block of items when it is full, and changing them when an item of the block changes.
 * What goes into them is read from search_text. A change takes the item out of the lists where it said something else and puts it
 * in anew; lists that stay the same are not touched. */
#include "store/meta_runs_private.h"

#include "store/meta_search_private.h"
#include <stdlib.h>

enum {
    PACKED_RUNS = 4,              /* the kind in search_packed */
    PART_BYTES = 2 * 1024 * 1024, /* of texts whose entries are held at a time */
    LIST_BYTES_MAX = 256 * 1024 * 1024,
    POSITION_MAX = UINT16_MAX,
};

struct entries {
    struct ctx *ctx;
    struct meta_run_entry *list;
    size_t count, capacity;
    unsigned part, parts; /* lists whose number leaves `part` when divided by `parts` */
    unsigned place;       /* in the block, of the subject whose text goes by */
};

static void emit(struct entries *e, enum meta_run run, unsigned bucket, str key, uint32_t posting)
{
    uint32_t list = (uint32_t)(run - RUN_PAIRS) * META_RUN_BUCKETS + bucket;
    if (list % e->parts != e->part)
        return;
    e->list = arena_grow(e->ctx->arena, e->list, &e->capacity, e->count + 1, sizeof *e->list);
    e->list[e->count++] = (struct meta_run_entry){.list = list, .posting = posting, .key = arena_str(e->ctx->arena, key)};
}

static void emit_text(struct entries *e, enum meta_run run, str key, uint32_t posting)
{
    unsigned bucket, last;
    meta_run_buckets(key, &bucket, &last); /* of a prefix with one letter, the first is the one of that letter alone */
    emit(e, run, bucket, key, posting);
}

static void emit_pair(struct entries *e, str first, str second, uint32_t posting, uint32_t position)
{
    struct meta_pair pair = meta_pair_of(first, second);
    if (position <= POSITION_MAX)
        emit(e, RUN_PAIRS, pair.bucket, str_of(pair.key, sizeof pair.key), posting << 16 | position);
}

/* Between two lines a position is left out, so that nothing is in a row across them. */
static void emit_words(struct entries *e, str lines, uint32_t posting)
{
    uint32_t position = 0;
    str line, word;
    while (str_split(&lines, '\n', &line)) {
        str words = str_trim(line), before = STR("");
        while (str_split(&words, ' ', &word)) {
            emit_text(e, RUN_WORDS, word, posting);
            emit_pair(e, before, word, posting, position++);
            before = word;
        }
        emit_pair(e, before, STR(""), posting, position);
        position += 2;
    }
}

static void emit_values(struct entries *e, int64_t field, str lines, uint32_t posting)
{
    str line;
    while (str_split(&lines, '\n', &line)) {
        str value = meta_terms_value(e->ctx, line, field);
        if (str_empty(value))
            continue;
        emit_text(e, RUN_VALUES, value, posting);
        for (unsigned f = 0; f < META_COUNT_FIELDS; f++)
            if (meta_count_field_bit(f) == field)
                emit(e, RUN_COUNTS, f, line, posting);
    }
}

static void emit_all(struct entries *e, str text)
{
    int64_t field;
    str lines;
    while (meta_terms_section(&text, &field, &lines)) {
        uint32_t posting = e->place << 4 | meta_run_field(field);
        if (field < TERM_FIRST_WHOLE)
            emit_words(e, lines, posting);
        else
            emit_values(e, field, lines, posting);
    }
}

static int entry_order(const void *a, const void *b)
{
    const struct meta_run_entry *x = a, *y = b;
    if (x->list != y->list)
        return x->list < y->list ? -1 : 1;
    int order = str_cmp(x->key, y->key);
    return order ? order : (x->posting > y->posting) - (x->posting < y->posting);
}

static void sort(struct entries *e)
{
    if (e->count > 1)
        qsort(e->list, e->count, sizeof *e->list, entry_order);
}

static size_t list_end(const struct entries *e, size_t begin)
{
    size_t end = begin;
    while (end < e->count && e->list[end].list == e->list[begin].list)
        end++;
    return end;
}

/* ---- rows ---- */

static bool is_wide(uint32_t list) { return list / META_RUN_BUCKETS == 0; }

static int64_t row_of(uint32_t list, int64_t block)
{
    return meta_run_row((enum meta_run)(RUN_PAIRS + list / META_RUN_BUCKETS), list % META_RUN_BUCKETS, block);
}

static int put(struct ctx *ctx, struct sql_tx *tx, int64_t row, const struct meta_run_entry *list, size_t count, bool wide)
{
    CLEANUP(buf_free) struct buf content = BUF_INIT(LIST_BYTES_MAX);
    if (count == 0)
        return sql_exec(ctx, tx, "DELETE FROM search_column WHERE number = ?", SQL_I(row));
    meta_run_print(list, count, wide, &content);
    TRY(buf_check(&content, ctx, "search list"));
    return sql_exec(ctx, tx,
                    "INSERT INTO search_column (number, content) VALUES (?, ?) "
                    "ON CONFLICT (number) DO UPDATE SET content = excluded.content",
                    SQL_I(row), SQL_B(buf_str(&content)));
}

/* ---- a whole block ---- */

static int block_read(struct sql_tx *tx, int64_t block, struct entries *e)
{
    CLEANUP(sql_rows_close) struct sql_rows rows;
    struct ctx *ctx = e->ctx;
    size_t first = (size_t)block * META_BLOCK;
    int rc;
    TRY(sql_query(ctx, tx, &rows, "SELECT subject, content FROM search_text WHERE subject >= ? AND subject < ?",
                  SQL_I(meta_subject_of(META_ITEM, first)), SQL_I(meta_subject_of(META_ITEM, first + META_BLOCK))));
    while ((rc = sql_next(ctx, &rows)) == RC_OK) {
        int64_t subject = sql_int(&rows, 0);
        if (meta_kind_of(subject) != META_ITEM)
            continue;
        e->place = (unsigned)(meta_place_of(subject) % META_BLOCK);
        emit_all(e, sql_text(&rows, 1));
    }
    sort(e);
    return rc == RC_END ? RC_OK : rc;
}

/* In how many parts the lists of the block are made, so that their entries fit into memory. */
static int parts_of(struct ctx *ctx, struct sql_tx *tx, int64_t block, unsigned *out)
{
    int64_t bytes;
    size_t first = (size_t)block * META_BLOCK;
    TRY(meta_count(
        ctx, tx, "SELECT COALESCE(SUM(LENGTH(content)), 0) FROM search_text WHERE subject >= ? AND subject < ?",
        (struct sql_value[]){SQL_I(meta_subject_of(META_ITEM, first)), SQL_I(meta_subject_of(META_ITEM, first + META_BLOCK))}, 2,
        &bytes));
    *out = 1 + (unsigned)(bytes / PART_BYTES);
    return RC_OK;
}

/* Calls part(ctx, tx, block, entries) for each part of the lists of a block. */
static int block_parts(struct ctx *ctx, struct sql_tx *tx, int64_t block,
                       int (*part)(struct sql_tx *tx, int64_t block, const struct entries *e, void *arg), void *arg)
{
    unsigned parts;
    TRY(parts_of(ctx, tx, block, &parts));
    for (unsigned i = 0; i < parts; i++) {
        struct arena_mark mark = arena_mark(ctx->arena);
        struct entries e = {.ctx = ctx, .part = i, .parts = parts};
        TRY(block_read(tx, block, &e));
        TRY(part(tx, block, &e, arg));
        arena_release(ctx->arena, mark);
    }
    return RC_OK;
}

static int part_write(struct sql_tx *tx, int64_t block, const struct entries *e, void *arg)
{
    (void)arg;
    for (size_t i = 0, end; i < e->count; i = end) {
        end = list_end(e, i);
        TRY(put(e->ctx, tx, row_of(e->list[i].list, block), e->list + i, end - i, is_wide(e->list[i].list)));
    }
    return RC_OK;
}

static int packed_place(struct ctx *ctx, struct sql_tx *tx, int64_t kind, int64_t *out)
{
    return meta_count(ctx, tx, "SELECT place FROM search_packed WHERE kind = ?", (struct sql_value[]){SQL_I(kind)}, 1, out);
}

int meta_runs_end(struct ctx *ctx, struct sql_tx *tx, int64_t *place_out)
{
    return packed_place(ctx, tx, PACKED_RUNS, place_out);
}

int meta_runs_follow(struct ctx *ctx, struct sql_tx *tx, bool *more_out)
{
    int64_t at, end;
    TRY(meta_runs_end(ctx, tx, &at));
    TRY(packed_place(ctx, tx, META_ITEM, &end));
    *more_out = at + META_BLOCK <= end;
    if (!*more_out)
        return RC_OK;
    TRY(block_parts(ctx, tx, at / META_BLOCK, part_write, NULL));
    return sql_exec(ctx, tx, "UPDATE search_packed SET place = ? WHERE kind = ?", SQL_I(at + META_BLOCK), SQL_I(PACKED_RUNS));
}

/* ---- one subject ---- */

static bool same(const struct meta_run_entry *a, const struct meta_run_entry *b, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (entry_order(&a[i], &b[i]) != 0)
            return false;
    return true;
}

/* The list without the place, and with its new entries. */
static int list_change(struct ctx *ctx, struct sql_tx *tx, uint32_t list, int64_t block, unsigned place,
                       const struct meta_run_entry *come, size_t count)
{
    struct meta_scan scan = {0};
    struct meta_run_list old;
    struct entries all = {.ctx = ctx, .parts = 1};
    struct meta_run_group group;
    size_t next = 0;
    bool wide = is_wide(list);
    TRY(meta_run_get(ctx, tx, &scan, (enum meta_run)(RUN_PAIRS + list / META_RUN_BUCKETS), list % META_RUN_BUCKETS, block, &old));
    old.rest = arena_str(ctx->arena, old.rest); /* the row is replaced below */
    meta_scan_close(&scan);
    while (meta_run_next(&old, &group))
        for (size_t i = 0; i < group.count; i++) {
            struct meta_run_entry e = {.list = list, .posting = meta_run_posting(&old, &group, i), .key = group.key};
            if (meta_run_place(wide ? e.posting >> 16 : e.posting) == place)
                continue;
            all.list = arena_grow(ctx->arena, all.list, &all.capacity, all.count + count + 1, sizeof *all.list);
            while (next < count && entry_order(&come[next], &e) < 0)
                all.list[all.count++] = come[next++];
            all.list[all.count++] = e;
        }
    all.list = arena_grow(ctx->arena, all.list, &all.capacity, all.count + count, sizeof *all.list);
    while (next < count)
        all.list[all.count++] = come[next++];
    return put(ctx, tx, row_of(list, block), all.list, all.count, wide);
}

int meta_runs_change(struct ctx *ctx, struct sql_tx *tx, int64_t subject, str before, str now)
{
    int64_t end, place = meta_place_of(subject), block = place / META_BLOCK;
    unsigned in_block = (unsigned)(place % META_BLOCK);
    struct entries gone = {.ctx = ctx, .parts = 1, .place = in_block}, come = gone;
    if (meta_kind_of(subject) != META_ITEM)
        return RC_OK;
    TRY(meta_runs_end(ctx, tx, &end));
    if (place >= end)
        return RC_OK;
    emit_all(&gone, before);
    emit_all(&come, now);
    sort(&gone);
    sort(&come);
    for (size_t g = 0, c = 0; g < gone.count || c < come.count;) {
        uint32_t old = g < gone.count ? gone.list[g].list : UINT32_MAX, new = c < come.count ? come.list[c].list : UINT32_MAX;
        uint32_t list = old < new ? old : new;
        size_t old_end = old == list ? list_end(&gone, g) : g, new_end = new == list ? list_end(&come, c) : c;
        if (old_end - g != new_end - c || !same(gone.list + g, come.list + c, new_end - c)) {
            struct arena_mark mark = arena_mark(ctx->arena);
            TRY(list_change(ctx, tx, list, block, in_block, come.list + c, new_end - c));
            arena_release(ctx->arena, mark);
        }
        g = old_end;
        c = new_end;
    }
    return RC_OK;
}

/* ---- checking ---- */

struct checking {
    size_t lists; /* that the texts give */
    bool differs;
};

static int part_check(struct sql_tx *tx, int64_t block, const struct entries *e, void *arg)
{
    struct checking *checking = arg;
    for (size_t i = 0, end; i < e->count; i = end) {
        CLEANUP(buf_free) struct buf content = BUF_INIT(LIST_BYTES_MAX);
        CLEANUP(meta_scan_close) struct meta_scan scan = {0};
        struct meta_run_list stored;
        uint32_t list = e->list[i].list;
        end = list_end(e, i);
        meta_run_print(e->list + i, end - i, is_wide(list), &content);
        TRY(buf_check(&content, e->ctx, "search list"));
        TRY(meta_run_get(e->ctx, tx, &scan, (enum meta_run)(RUN_PAIRS + list / META_RUN_BUCKETS), list % META_RUN_BUCKETS, block,
                         &stored));
        checking->differs |= !str_eq(stored.rest, buf_str(&content));
        checking->lists++;
    }
    return RC_OK;
}

/* Lists that nothing is said in any more would be found by their number. */
static int lists_count(struct ctx *ctx, struct sql_tx *tx, int64_t block, size_t *out)
{
    *out = 0;
    for (enum meta_run run = RUN_PAIRS; run < RUNS_END; run++)
        for (unsigned bucket = 0; bucket < META_RUN_BUCKETS; bucket++) {
            CLEANUP(meta_scan_close) struct meta_scan scan = {0};
            struct meta_run_list l;
            TRY(meta_run_get(ctx, tx, &scan, run, bucket, block, &l));
            *out += !str_empty(l.rest);
        }
    return RC_OK;
}

int meta_runs_check(struct ctx *ctx, struct sql_tx *tx, void (*differs)(void *arg, int64_t block), void *arg)
{
    int64_t end;
    TRY(meta_runs_end(ctx, tx, &end));
    for (int64_t block = 0; block < end / META_BLOCK; block++) {
        struct checking checking = {0};
        size_t stored;
        TRY(block_parts(ctx, tx, block, part_check, &checking));
        TRY(lists_count(ctx, tx, block, &stored));
        if (checking.differs || stored != checking.lists)
            differs(arg, block);
    }
    return RC_OK;
}
