/* Columns of numbers: 480 places of a column are one row, each a number of as few bytes as the widest one needs above the least
 * of them, which comes first; low bytes first. So the counters of a million items, most of them zero, are some KB to go through,
 * and their times 4 or 8 MB. Zones keep the least and greatest number of each row, 240 of them in a row of their own: whole rows
 * are passed over by them. The newest items are read from their own rows; they follow when the blocks of the index are packed.
 * What a deleted item leaves is never asked for. */
#include "store/meta_columns.h"

#include "codec/json/json.h"

enum {
    PLACES = 480,
    BYTES_MAX = 8 + 8 * PLACES,
    ZONES = 240, /* of a row of zones, 16 bytes each */
    ZONE_BYTES = 16 * ZONES,
    COLUMN_ROWS = 1 << 22, /* numbers of rows that a column has */
    PACKED_COLUMNS = 3,    /* the kind in search_packed */
};

/* In the order of the columns. */
#define COLUMN_LIST "created, modified, size, extent, num_views, num_comments, num_ratings, CAST(avg_rating * 1000000 AS BIGINT)"
static const char *const column_sql[COLUMNS_OF_ITEM] = {
    "created", "modified", "size", "extent", "num_views", "num_comments", "num_ratings", "CAST(avg_rating * 1000000 AS BIGINT)"};

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

static int64_t extent_pack(struct arena *a, str extent)
{
    double v[4];
    uint64_t step[4];
    if (!meta_extent_parse(a, extent, v))
        return META_EXTENT_NONE;
    bool fits = v[0] <= v[2] && v[1] <= v[3] && step_of(v[0], 180, false, &step[0]) && step_of(v[1], 90, false, &step[1]) &&
                step_of(v[2], 180, true, &step[2]) && step_of(v[3], 90, true, &step[3]);
    return fits ? (int64_t)(step[0] | step[1] << 16 | step[2] << 32 | step[3] << 48) : META_EXTENT_ODD;
}

/* ---- rows ---- */

static void number_put(uint8_t *p, uint64_t value, unsigned width)
{
    for (unsigned i = 0; i < width; i++)
        p[i] = (uint8_t)(value >> (8 * i));
}

static inline uint64_t number_get(const uint8_t *p, unsigned width)
{
    uint64_t value = 0;
    for (unsigned i = 0; i < width; i++)
        value |= (uint64_t)p[i] << (8 * i);
    return value;
}

static int64_t row_of(unsigned column, int64_t place) { return (int64_t)column * COLUMN_ROWS + place / PLACES; }
/* Zones are columns behind the columns. */
static int64_t zone_row_of(unsigned column, int64_t row)
{
    return (int64_t)(COLUMNS_OF_ITEM + column) * COLUMN_ROWS + row % COLUMN_ROWS / ZONES;
}

static int content_put(struct ctx *ctx, struct sql_tx *tx, int64_t row, str content)
{
    return sql_exec(ctx, tx,
                    "INSERT INTO search_column (number, content) VALUES (?, ?) "
                    "ON CONFLICT (number) DO UPDATE SET content = excluded.content",
                    SQL_I(row), SQL_B(content));
}

/* The numbers of a row; none for one that is not there. */
struct packed {
    const uint8_t *p;
    uint64_t least;
    unsigned width;
    size_t count;
};

static struct packed packed_of(str content)
{
    size_t width = (content.n - 8) / PLACES;
    if (content.n < 8 || width > 8)
        return (struct packed){0};
    const uint8_t *p = (const uint8_t *)content.p;
    return (struct packed){.p = p + 8, .least = number_get(p, 8), .width = (unsigned)width, .count = PLACES};
}

/* Widths that are one load to the machine are named. */
static int64_t packed_get(const struct packed *p, size_t i)
{
    const uint8_t *at = p->p + i * p->width;
    switch (p->width) {
    case 0:
        return (int64_t)p->least;
    case 4:
        return (int64_t)(p->least + number_get(at, 4));
    case 8:
        return (int64_t)(p->least + number_get(at, 8));
    default:
        return (int64_t)(p->least + number_get(at, p->width));
    }
}

static int row_get(struct ctx *ctx, struct sql_tx *tx, int64_t row, int64_t out[PLACES], bool *there_out)
{
    CLEANUP(meta_scan_close) struct meta_scan scan = {0};
    str content;
    TRY(meta_scan_get(ctx, tx, &scan, row, &content));
    struct packed p = packed_of(content);
    *there_out = p.count > 0;
    for (size_t i = 0; i < PLACES; i++)
        out[i] = i < p.count ? packed_get(&p, i) : 0;
    return RC_OK;
}

static int zone_put(struct ctx *ctx, struct sql_tx *tx, unsigned column, int64_t row, int64_t least, int64_t most)
{
    struct meta_scan scan = {0};
    uint8_t zones[ZONE_BYTES] = {0};
    str content;
    TRY(meta_scan_get(ctx, tx, &scan, zone_row_of(column, row), &content));
    memcpy(zones, content.p, content.n < ZONE_BYTES ? content.n : ZONE_BYTES);
    meta_scan_close(&scan);
    uint8_t *p = zones + 16 * (row % COLUMN_ROWS % ZONES);
    if (content.n == ZONE_BYTES && (int64_t)number_get(p, 8) == least && (int64_t)number_get(p + 8, 8) == most)
        return RC_OK;
    number_put(p, (uint64_t)least, 8);
    number_put(p + 8, (uint64_t)most, 8);
    return content_put(ctx, tx, zone_row_of(column, row), str_of(zones, ZONE_BYTES));
}

static int row_put(struct ctx *ctx, struct sql_tx *tx, unsigned column, int64_t row, const int64_t values[PLACES])
{
    uint8_t content[BYTES_MAX];
    int64_t least = values[0], most = values[0];
    unsigned width = 0;
    for (size_t i = 1; i < PLACES; i++) {
        least = values[i] < least ? values[i] : least;
        most = values[i] > most ? values[i] : most;
    }
    for (uint64_t span = (uint64_t)most - (uint64_t)least; span > 0; span >>= 8)
        width++;
    number_put(content, (uint64_t)least, 8);
    for (size_t i = 0; i < PLACES; i++)
        number_put(content + 8 + i * width, (uint64_t)values[i] - (uint64_t)least, width);
    TRY(content_put(ctx, tx, row, str_of(content, 8 + PLACES * width)));
    return zone_put(ctx, tx, column, row, least, most);
}

/* ---- writing ---- */

static int packed_place(struct ctx *ctx, struct sql_tx *tx, int64_t kind, int64_t *out)
{
    return meta_count(ctx, tx, "SELECT place FROM search_packed WHERE kind = ?", (struct sql_value[]){SQL_I(kind)}, 1, out);
}

/* The number that the row has at column `at`. */
static int64_t value_of(struct ctx *ctx, const struct sql_rows *rows, unsigned column, int at)
{
    if (column != COLUMN_EXTENT)
        return sql_int(rows, at);
    struct arena_mark mark = arena_mark(ctx->arena);
    int64_t value = extent_pack(ctx->arena, sql_text(rows, at));
    arena_release(ctx->arena, mark);
    return value;
}

/* The items of a row of the columns, those from `begin` to before `end`. Places without an item repeat another one's number, so
 * that they widen nothing. */
static int pack_row(struct ctx *ctx, struct sql_tx *tx, int64_t begin, int64_t end)
{
    CLEANUP(sql_rows_close) struct sql_rows rows = {0};
    int64_t(*values)[PLACES] = arena_alloc(ctx->arena, COLUMNS_OF_ITEM * sizeof *values);
    bool there = false;
    int rc;
    for (unsigned c = 0; c < COLUMNS_OF_ITEM; c++)
        TRY(row_get(ctx, tx, row_of(c, begin), values[c], &there));
    TRY(sql_query(ctx, tx, &rows, "SELECT number, " COLUMN_LIST " FROM item WHERE number >= ? AND number < ?",
                  SQL_I(meta_subject_of(META_ITEM, (size_t)begin)), SQL_I(meta_subject_of(META_ITEM, (size_t)end))));
    while ((rc = sql_next(ctx, &rows)) == RC_OK) {
        for (unsigned c = 0; c < COLUMNS_OF_ITEM; c++) {
            int64_t value = value_of(ctx, &rows, c, (int)c + 1);
            for (size_t i = 0; !there && i < PLACES; i++)
                values[c][i] = value;
            values[c][meta_place_of(sql_int(&rows, 0)) % PLACES] = value;
        }
        there = true;
    }
    if (rc != RC_END)
        return rc;
    for (unsigned c = 0; c < COLUMNS_OF_ITEM; c++)
        TRY(row_put(ctx, tx, c, row_of(c, begin), values[c]));
    return RC_OK;
}

int meta_columns_follow(struct ctx *ctx, struct sql_tx *tx, bool *more_out)
{
    int64_t end, at;
    TRY(packed_place(ctx, tx, META_ITEM, &end));
    TRY(packed_place(ctx, tx, PACKED_COLUMNS, &at));
    end = at + META_BLOCK < end ? at + META_BLOCK : end;
    *more_out = at < end;
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

int meta_columns_update(struct ctx *ctx, struct sql_tx *tx, const id *item)
{
    CLEANUP(sql_rows_close) struct sql_rows rows = {0};
    int64_t values[PLACES], now[COLUMNS_OF_ITEM], packed;
    bool there;
    TRY(packed_place(ctx, tx, PACKED_COLUMNS, &packed));
    TRY(sql_query(ctx, tx, &rows, "SELECT number, " COLUMN_LIST " FROM item WHERE id = ?", SQL_ID(*item)));
    int rc = sql_next(ctx, &rows);
    if (rc != RC_OK)
        return rc == RC_END ? RC_OK : rc;
    int64_t place = meta_place_of(sql_int(&rows, 0));
    for (unsigned c = 0; place < packed && c < COLUMNS_OF_ITEM; c++)
        now[c] = value_of(ctx, &rows, c, (int)c + 1);
    sql_rows_close(&rows);
    for (unsigned c = 0; place < packed && c < COLUMNS_OF_ITEM; c++) {
        TRY(row_get(ctx, tx, row_of(c, place), values, &there));
        if (there && values[place % PLACES] == now[c])
            continue;
        values[place % PLACES] = now[c];
        TRY(row_put(ctx, tx, c, row_of(c, place), values));
    }
    return RC_OK;
}

/* ---- reading ---- */

static int newest_see(struct ctx *ctx, struct sql_tx *tx, const struct meta_column_reading *r, int64_t packed)
{
    CLEANUP(sql_rows_close) struct sql_rows rows = {0};
    str text = arena_printf(ctx->arena, "SELECT number, %s FROM item WHERE number >= ?", column_sql[r->column]);
    int rc;
    if (bits_below(r->set, SIZE_MAX) == SIZE_MAX || bits_below(r->set, SIZE_MAX) < (size_t)packed)
        return RC_OK;
    TRY(sql_query(ctx, tx, &rows, text.p, SQL_I(meta_subject_of(META_ITEM, (size_t)packed))));
    while ((rc = sql_next(ctx, &rows)) == RC_OK) {
        size_t place = (size_t)meta_place_of(sql_int(&rows, 0));
        if (bits_has(r->set, place))
            r->see(r->arg, place, value_of(ctx, &rows, (unsigned)r->column, 1));
    }
    return rc == RC_END ? RC_OK : rc;
}

/* Zones of rows, read as they are needed, and the rows. */
struct zones {
    struct meta_scan scan;
    int64_t row; /* of zones; -1 none yet */
    uint8_t bytes[ZONE_BYTES];
    bool there;
};

static void zones_close(struct zones *z) { meta_scan_close(&z->scan); }

static enum meta_column_need need_of(const struct meta_column_reading *r, const struct zones *z, int64_t row)
{
    const uint8_t *p = z->bytes + 16 * (row % COLUMN_ROWS % ZONES);
    return r->need && z->there ? r->need(r->arg, (int64_t)number_get(p, 8), (int64_t)number_get(p + 8, 8)) : META_COLUMN_READ;
}

static int zones_get(struct ctx *ctx, struct sql_tx *tx, const struct meta_column_reading *r, int64_t row, struct zones *z)
{
    CLEANUP(meta_scan_close) struct meta_scan scan = {0};
    int64_t wanted = zone_row_of(r->column, row);
    str content;
    if (z->row == wanted)
        return RC_OK;
    TRY(meta_scan_get(ctx, tx, &scan, wanted, &content));
    z->row = wanted;
    z->there = content.n == ZONE_BYTES;
    memcpy(z->bytes, content.p, content.n < ZONE_BYTES ? content.n : ZONE_BYTES);
    return RC_OK;
}

/* The elements of the set in the row of `place`, below `end`. */
static int row_see(struct ctx *ctx, struct sql_tx *tx, const struct meta_column_reading *r, struct zones *z, size_t place,
                   size_t end)
{
    int64_t row = row_of(r->column, (int64_t)place);
    size_t first = place - place % PLACES;
    str content;
    TRY(zones_get(ctx, tx, r, row, z));
    enum meta_column_need need = need_of(r, z, row);
    if (need == META_COLUMN_SKIP)
        return RC_OK;
    if (need == META_COLUMN_ALL)
        content = str_of(z->bytes + 16 * (row % COLUMN_ROWS % ZONES), 8); /* as a row of which all numbers are the least one */
    else
        TRY(meta_scan_get(ctx, tx, &z->scan, row, &content));
    struct packed p = packed_of(content);
    for (size_t i = 0; i < p.count && first + i < end; i++)
        if (bits_has(r->set, first + i))
            r->see(r->arg, first + i, packed_get(&p, i));
    return RC_OK;
}

int meta_columns_read(struct ctx *ctx, struct sql_tx *tx, const struct meta_column_reading *r)
{
    CLEANUP(zones_close) struct zones z = {.scan.backwards = !r->oldest_first, .row = -1};
    int64_t packed;
    TRY(packed_place(ctx, tx, PACKED_COLUMNS, &packed));
    size_t end = (size_t)packed;
    if (!r->oldest_first)
        TRY(newest_see(ctx, tx, r, packed));
    for (size_t place = r->oldest_first ? bits_from(r->set, 0) : bits_below(r->set, end); place < end;
         place = r->oldest_first ? bits_from(r->set, place - place % PLACES + PLACES)
                                 : bits_below(r->set, place - place % PLACES))
        TRY(row_see(ctx, tx, r, &z, place, end));
    return r->oldest_first ? newest_see(ctx, tx, r, packed) : RC_OK;
}
