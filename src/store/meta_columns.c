/* Columns of numbers: 480 places of a column are one row, eight bytes each, low byte first, so that a row fills a page of the
 * database and a million items are 8 MB to go through. The newest items are read from their own rows; they follow when the blocks
 * of the index are packed. What a deleted item leaves is never asked for. */
#include "store/meta_columns.h"

#include "codec/json/json.h"

enum {
    PLACES = 480,
    BYTES = 8 * PLACES,
    COLUMN_ROWS = 1 << 22, /* numbers of rows that a column has */
    PACKED_COLUMNS = 3,    /* the kind in search_packed */
    FEW = 400,             /* items that are read one by one */
};

static const char *const column_names[COLUMNS_OF_ITEM] = {"created", "modified", "size", "extent"};

/* ---- extents ---- */

static bool step_of(double v, double half, bool up, uint64_t *out)
{
    double at = (v + half) / (2 * half) * META_EXTENT_STEPS;
    if (!(at >= 0 && at <= META_EXTENT_STEPS))
        return false;
    *out = (uint64_t)at;
    if (up && (double)*out < at)
        ++*out;
    return true;
}

bool meta_extent_parse(struct arena *a, str extent, double out[4])
{
    struct json outer, corner, number;
    size_t n = 0;
    if (!json_try_parse(a, extent, &outer))
        return false;
    for (struct json_iter i = json_each(outer); json_next(&i, NULL, &corner);)
        for (struct json_iter k = json_each(corner); json_next(&k, NULL, &number); n++)
            if (n == 4 || !json_double(number, &out[n]))
                return false;
    return n == 4;
}

int64_t meta_column_extent(struct arena *a, str extent)
{
    double v[4];
    uint64_t step[4];
    if (!meta_extent_parse(a, extent, v))
        return META_EXTENT_NONE;
    bool fits = v[0] <= v[2] && v[1] <= v[3] && step_of(v[0], 180, false, &step[0]) && step_of(v[1], 90, false, &step[1]) &&
                step_of(v[2], 180, true, &step[2]) && step_of(v[3], 90, true, &step[3]);
    return fits ? (int64_t)(step[0] | step[1] << 16 | step[2] << 32 | step[3] << 48) : META_EXTENT_ODD;
}

/* ---- writing ---- */

static void number_put(uint8_t *p, int64_t value)
{
    for (unsigned i = 0; i < 8; i++)
        p[i] = (uint8_t)((uint64_t)value >> (8 * i));
}

static int64_t number_get(const uint8_t *p)
{
    uint64_t value = 0;
    for (unsigned i = 0; i < 8; i++)
        value |= (uint64_t)p[i] << (8 * i);
    return (int64_t)value;
}

static int64_t row_of(unsigned column, int64_t place) { return (int64_t)column * COLUMN_ROWS + place / PLACES; }

/* The row of a column, zeros when there is none yet. */
static int row_get(struct ctx *ctx, struct sql_tx *tx, int64_t row, uint8_t out[BYTES])
{
    CLEANUP(sql_rows_close) struct sql_rows rows;
    memset(out, 0, BYTES);
    TRY(sql_query(ctx, tx, &rows, "SELECT content FROM search_column WHERE number = ?", SQL_I(row)));
    int rc = sql_next(ctx, &rows);
    if (rc == RC_OK) {
        str content = sql_bytes(&rows, 0);
        memcpy(out, content.p, content.n < BYTES ? content.n : BYTES);
    }
    return rc == RC_END ? RC_OK : rc;
}

static int row_put(struct ctx *ctx, struct sql_tx *tx, int64_t row, const uint8_t content[BYTES])
{
    return sql_exec(ctx, tx,
                    "INSERT INTO search_column (number, content) VALUES (?, ?) "
                    "ON CONFLICT (number) DO UPDATE SET content = excluded.content",
                    SQL_I(row), SQL_B(str_of(content, BYTES)));
}

static int packed_place(struct ctx *ctx, struct sql_tx *tx, int64_t kind, int64_t *out)
{
    return meta_count(ctx, tx, "SELECT place FROM search_packed WHERE kind = ?", (struct sql_value[]){SQL_I(kind)}, 1, out);
}

static int64_t value_of(struct ctx *ctx, const struct sql_rows *rows, unsigned column)
{
    if (column != COLUMN_EXTENT)
        return sql_int(rows, (int)column + 1);
    struct arena_mark mark = arena_mark(ctx->arena);
    int64_t value = meta_column_extent(ctx->arena, sql_text(rows, COLUMN_EXTENT + 1));
    arena_release(ctx->arena, mark);
    return value;
}

/* The items of a row of the columns, those from `begin` to before `end`. */
static int pack_row(struct ctx *ctx, struct sql_tx *tx, int64_t begin, int64_t end)
{
    CLEANUP(sql_rows_close) struct sql_rows rows;
    uint8_t *content = arena_alloc(ctx->arena, COLUMNS_OF_ITEM * BYTES);
    int rc;
    for (unsigned c = 0; c < COLUMNS_OF_ITEM; c++)
        TRY(row_get(ctx, tx, row_of(c, begin), content + c * BYTES));
    TRY(sql_query(ctx, tx, &rows, "SELECT number, created, modified, size, extent FROM item WHERE number >= ? AND number < ?",
                  SQL_I(meta_subject_of(META_ITEM, (size_t)begin)), SQL_I(meta_subject_of(META_ITEM, (size_t)end))));
    while ((rc = sql_next(ctx, &rows)) == RC_OK)
        for (unsigned c = 0; c < COLUMNS_OF_ITEM; c++)
            number_put(content + c * BYTES + 8 * (meta_place_of(sql_int(&rows, 0)) % PLACES), value_of(ctx, &rows, c));
    if (rc != RC_END)
        return rc;
    for (unsigned c = 0; c < COLUMNS_OF_ITEM; c++)
        TRY(row_put(ctx, tx, row_of(c, begin), content + c * BYTES));
    return RC_OK;
}

int meta_columns_follow(struct ctx *ctx, struct sql_tx *tx)
{
    int64_t end, at;
    TRY(packed_place(ctx, tx, META_ITEM, &end));
    TRY(packed_place(ctx, tx, PACKED_COLUMNS, &at));
    if (at >= end)
        return RC_OK;
    while (at < end) {
        int64_t next = at - at % PLACES + PLACES;
        next = next < end ? next : end;
        struct arena_mark mark = arena_mark(ctx->arena);
        TRY(pack_row(ctx, tx, at, next));
        arena_release(ctx->arena, mark);
        at = next;
    }
    return sql_exec(ctx, tx, "UPDATE search_packed SET place = ? WHERE kind = ?", SQL_I(end), SQL_I(PACKED_COLUMNS));
}

int meta_columns_update(struct ctx *ctx, struct sql_tx *tx, int64_t subject, const int64_t values[COLUMNS_OF_ITEM])
{
    uint8_t content[BYTES];
    int64_t packed, place = meta_place_of(subject);
    TRY(packed_place(ctx, tx, PACKED_COLUMNS, &packed));
    for (unsigned c = 0; place < packed && c < COLUMNS_OF_ITEM; c++) {
        uint8_t *p = content + 8 * (place % PLACES);
        TRY(row_get(ctx, tx, row_of(c, place), content));
        if (number_get(p) == values[c])
            continue;
        number_put(p, values[c]);
        TRY(row_put(ctx, tx, row_of(c, place), content));
    }
    return RC_OK;
}

/* ---- reading ---- */

struct sight {
    const struct bits *set;
    void (*see)(void *arg, size_t place, int64_t value);
    void *arg;
};

static int rows_see(struct ctx *ctx, struct sql_tx *tx, const struct sight *s, enum meta_column column, int64_t from, int64_t to)
{
    CLEANUP(sql_rows_close) struct sql_rows rows;
    str text = arena_printf(ctx->arena, "SELECT number, %s FROM item WHERE number >= ? AND number <= ?", column_names[column]);
    int rc;
    TRY(sql_query(ctx, tx, &rows, text.p, SQL_I(from), SQL_I(to)));
    while ((rc = sql_next(ctx, &rows)) == RC_OK) {
        size_t place = (size_t)meta_place_of(sql_int(&rows, 0));
        if (!bits_has(s->set, place))
            continue;
        struct arena_mark mark = arena_mark(ctx->arena);
        int64_t value = column == COLUMN_EXTENT ? meta_column_extent(ctx->arena, sql_text(&rows, 1)) : sql_int(&rows, 1);
        arena_release(ctx->arena, mark);
        s->see(s->arg, place, value);
    }
    return rc == RC_END ? RC_OK : rc;
}

static int columns_see(struct ctx *ctx, struct sql_tx *tx, const struct sight *s, enum meta_column column, int64_t packed)
{
    CLEANUP(sql_rows_close) struct sql_rows rows;
    int rc;
    TRY(sql_query(ctx, tx, &rows, "SELECT number, content FROM search_column WHERE number >= ? AND number < ?",
                  SQL_I(row_of(column, 0)), SQL_I(row_of(column + 1, 0))));
    while ((rc = sql_next(ctx, &rows)) == RC_OK) {
        size_t first = (size_t)(sql_int(&rows, 0) % COLUMN_ROWS) * PLACES;
        str content = sql_bytes(&rows, 1);
        for (size_t i = 0; i < PLACES && 8 * i + 8 <= content.n && (int64_t)(first + i) < packed; i++)
            if (bits_has(s->set, first + i))
                s->see(s->arg, first + i, number_get((const uint8_t *)content.p + 8 * i));
    }
    return rc == RC_END ? RC_OK : rc;
}

int meta_columns_read(struct ctx *ctx, struct sql_tx *tx, enum meta_column column, const struct bits *set,
                      void (*see)(void *arg, size_t place, int64_t value), void *arg)
{
    const struct sight s = {.set = set, .see = see, .arg = arg};
    int64_t packed;
    if (bits_count(set) <= FEW) {
        for (size_t place = bits_below(set, SIZE_MAX); place != SIZE_MAX; place = bits_below(set, place)) {
            int64_t subject = meta_subject_of(META_ITEM, place);
            TRY(rows_see(ctx, tx, &s, column, subject, subject));
        }
        return RC_OK;
    }
    TRY(packed_place(ctx, tx, PACKED_COLUMNS, &packed));
    TRY(columns_see(ctx, tx, &s, column, packed));
    return rows_see(ctx, tx, &s, column, meta_subject_of(META_ITEM, (size_t)packed), INT64_MAX);
}
