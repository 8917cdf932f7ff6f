/* The spatial index of a loaded layer, written packed: entries in the order of a Hilbert curve fill the leaves one after the
 * other, and the shadow tables of SQLite's R*Tree module are filled in the order of their keys, as the module would find them.
 * A million entries take well under a second this way, and many seconds as inserts.
 *
 * Form of a node (SQLite's rtree.c): 16 bits depth of the tree (root only), 16 bits number of cells, then cells of a 64-bit id
 * (of the row, or of the node below) and minx, maxx, miny, maxy as 32-bit floats, all big endian. The root is node 1. */
#include "base/mem.h"
#include "store/feature_gpkg.h"
#include "store/sorter.h"

enum { CELL_SIZE = 24, CELLS = 51, NODE_HEAD = 4, NODE_SIZE = NODE_HEAD + CELLS * CELL_SIZE, SORT_MEMORY = 8 << 20 };

struct box32 {
    float minx, maxx, miny, maxy;
};
struct entry {
    uint64_t key; /* place on the curve */
    int64_t oid;
    struct box32 box;
};
struct place {
    uint64_t oid; /* with the sign turned over, so that negative ids come first */
    int64_t node;
};
struct gpkg_rtree {
    struct sorter *entries, *places;
    double span; /* coordinates within -span .. span have places of their own on the curve */
};

struct gpkg_rtree *gpkg_rtree_open(const char *dir, bool geographic)
{
    struct gpkg_rtree *t = mem_new(struct gpkg_rtree);
    t->entries = sorter_open(dir, sizeof(struct entry), SORT_MEMORY);
    t->places = sorter_open(dir, sizeof(struct place), SORT_MEMORY);
    t->span = geographic ? 512 : 1 << 27;
    return t;
}

void gpkg_rtree_close(struct gpkg_rtree *t)
{
    if (!t)
        return;
    sorter_close(t->entries);
    sorter_close(t->places);
    mem_free(t);
}

/* Distance along a Hilbert curve of 2^32 x 2^32 cells: quadrant by quadrant, turning the square as the curve does. */
static uint64_t hilbert(uint32_t x, uint32_t y)
{
    uint64_t d = 0;
    for (uint32_t side = 1U << 31; side; side >>= 1) {
        uint32_t right = (x & side) != 0, upper = (y & side) != 0;
        d = d << 2 | ((3 * right) ^ upper);
        if (!upper) {
            uint32_t flip = right ? UINT32_MAX : 0, held = x ^ flip;
            x = y ^ flip;
            y = held;
        }
    }
    return d;
}

static uint32_t cell_of(double v, double span)
{
    double scaled = (v + span) / (2 * span) * 4294967296.0;
    return scaled <= 0 ? 0 : scaled >= 4294967295.0 ? UINT32_MAX : (uint32_t)scaled;
}

static float rounded_down(double v)
{
    float f = (float)v;
    return (double)f > v ? nextafterf(f, -INFINITY) : f;
}

static float rounded_up(double v)
{
    float f = (float)v;
    return (double)f < v ? nextafterf(f, INFINITY) : f;
}

uint64_t gpkg_rtree_place(const struct gpkg_rtree *t, const struct envelope *box)
{
    return hilbert(cell_of((box->xmin + box->xmax) / 2, t->span), cell_of((box->ymin + box->ymax) / 2, t->span));
}

int gpkg_rtree_add(struct ctx *ctx, struct gpkg_rtree *t, int64_t oid, const struct envelope *box)
{
    struct entry e = {
        .key = gpkg_rtree_place(t, box),
        .oid = oid,
        .box = {rounded_down(box->xmin), rounded_up(box->xmax), rounded_down(box->ymin), rounded_up(box->ymax)},
    };
    return sorter_add(ctx, t->entries, &e);
}

static void put16(unsigned char *p, unsigned v)
{
    p[0] = (unsigned char)(v >> 8);
    p[1] = (unsigned char)v;
}

static void put_float(unsigned char *p, float v)
{
    uint32_t bits;
    memcpy(&bits, &v, sizeof bits);
    bits = __builtin_bswap32(bits);
    memcpy(p, &bits, sizeof bits);
}

static double get_float(const unsigned char *p)
{
    uint32_t bits;
    float v;
    memcpy(&bits, p, sizeof bits);
    bits = __builtin_bswap32(bits);
    memcpy(&v, &bits, sizeof v);
    return (double)v;
}

/* The tree while it is written, from the leaves up. */
struct builder {
    struct gpkg_conn *conn;
    sqlite3_stmt *put_node, *put_parent, *put_row;
    struct box32 *boxes; /* of the nodes of the level below the one being written */
};

static void cell_put(unsigned char *node, unsigned index, int64_t target, const struct box32 *box)
{
    unsigned char *p = node + NODE_HEAD + index * CELL_SIZE;
    uint64_t big = __builtin_bswap64((uint64_t)target);
    memcpy(p, &big, sizeof big);
    put_float(p + 8, box->minx);
    put_float(p + 12, box->maxx);
    put_float(p + 16, box->miny);
    put_float(p + 20, box->maxy);
}

static void box_join(struct box32 *to, const struct box32 *b, bool first)
{
    to->minx = first || b->minx < to->minx ? b->minx : to->minx;
    to->maxx = first || b->maxx > to->maxx ? b->maxx : to->maxx;
    to->miny = first || b->miny < to->miny ? b->miny : to->miny;
    to->maxy = first || b->maxy > to->maxy ? b->maxy : to->maxy;
}

static int put_pair(struct ctx *ctx, struct gpkg_conn *c, sqlite3_stmt *stmt, int64_t key, int64_t value)
{
    sqlite3_bind_int64(stmt, 1, key);
    sqlite3_bind_int64(stmt, 2, value);
    int rc = gpkg_step(ctx, c, stmt);
    sqlite3_reset(stmt);
    return rc == RC_END ? RC_OK : rc;
}

static int put_node(struct ctx *ctx, struct builder *b, int64_t number, const unsigned char *node)
{
    sqlite3_bind_int64(b->put_node, 1, number);
    sqlite3_bind_blob(b->put_node, 2, node, NODE_SIZE, SQLITE_STATIC);
    int rc = gpkg_step(ctx, b->conn, b->put_node);
    sqlite3_reset(b->put_node);
    return rc == RC_END ? RC_OK : rc;
}

/* Leaves from node `first` on (node 1 when there is one only). Leaves their boxes in b->boxes. */
static int write_leaves(struct ctx *ctx, struct gpkg_rtree *t, struct builder *b, uint64_t leaves, int64_t first)
{
    uint64_t left = sorter_count(t->entries);
    for (uint64_t leaf = 0; leaf < leaves; leaf++) {
        unsigned char node[NODE_SIZE] = {0};
        unsigned cells = left < CELLS ? (unsigned)left : CELLS;
        put16(node + 2, cells);
        for (unsigned i = 0; i < cells; i++) {
            struct entry e;
            TRY(sorter_next(ctx, t->entries, &e));
            cell_put(node, i, e.oid, &e.box);
            box_join(&b->boxes[leaf], &e.box, i == 0);
            struct place p = {.oid = (uint64_t)e.oid ^ (1ULL << 63), .node = first + (int64_t)leaf};
            TRY(sorter_add(ctx, t->places, &p));
        }
        left -= cells;
        TRY(put_node(ctx, b, first + (int64_t)leaf, node));
    }
    return RC_OK;
}

/* The level above `count` nodes that start at `below`; its own start at `first`. The boxes of b become those of the new level. */
static int write_level(struct ctx *ctx, struct builder *b, uint64_t count, int64_t below, int64_t first, unsigned depth)
{
    for (uint64_t at = 0, n = 0; at < count; n++) {
        unsigned char node[NODE_SIZE] = {0};
        int64_t number = first + (int64_t)n;
        unsigned cells = count - at < CELLS ? (unsigned)(count - at) : CELLS;
        struct box32 box = b->boxes[at];
        put16(node, number == 1 ? depth : 0);
        put16(node + 2, cells);
        for (unsigned i = 0; i < cells; i++, at++) {
            cell_put(node, i, below + (int64_t)at, &b->boxes[at]);
            box_join(&box, &b->boxes[at], i == 0);
            TRY(put_pair(ctx, b->conn, b->put_parent, below + (int64_t)at, number));
        }
        b->boxes[n] = box;
        TRY(put_node(ctx, b, number, node));
    }
    return RC_OK;
}

static int write_tree(struct ctx *ctx, struct gpkg_rtree *t, struct builder *b)
{
    uint64_t count = (sorter_count(t->entries) + CELLS - 1) / CELLS;
    int64_t below = count == 1 ? 1 : 2;
    TRY(write_leaves(ctx, t, b, count, below));
    for (unsigned depth = 1; count > 1; depth++) {
        uint64_t above = (count + CELLS - 1) / CELLS;
        int64_t first = above == 1 ? 1 : below + (int64_t)count;
        TRY(write_level(ctx, b, count, below, first, depth));
        count = above;
        below = first;
    }
    struct place p;
    int rc;
    while ((rc = sorter_next(ctx, t->places, &p)) == RC_OK)
        TRY(put_pair(ctx, b->conn, b->put_row, (int64_t)(p.oid ^ (1ULL << 63)), p.node));
    return rc == RC_END ? RC_OK : rc;
}

static int prepare(struct ctx *ctx, struct gpkg_conn *c, str index_table, const char *suffix, const char *columns,
                   sqlite3_stmt **out)
{
    str shadow = arena_printf(ctx->arena, "%.*s_%s", STR_FMT(index_table), suffix);
    str quoted = gpkg_quoted(ctx, shadow);
    return gpkg_prepare(ctx, c, arena_printf(ctx->arena, "REPLACE INTO %.*s(%s) VALUES(?,?)", STR_FMT(quoted), columns), out);
}

int gpkg_rtree_build(struct ctx *ctx, struct gpkg_rtree *t, struct gpkg_conn *c, str index_table)
{
    if (sorter_count(t->entries) == 0)
        return RC_OK;
    struct builder b = {.conn = c};
    int rc = prepare(ctx, c, index_table, "node", "nodeno,data", &b.put_node);
    rc = rc != RC_OK ? rc : prepare(ctx, c, index_table, "parent", "nodeno,parentnode", &b.put_parent);
    rc = rc != RC_OK ? rc : prepare(ctx, c, index_table, "rowid", "rowid,nodeno", &b.put_row);
    if (rc == RC_OK) {
        b.boxes = mem_alloc((sorter_count(t->entries) + CELLS - 1) / CELLS * sizeof *b.boxes);
        rc = write_tree(ctx, t, &b);
        mem_free(b.boxes);
    }
    gpkg_release(c, b.put_node);
    gpkg_release(c, b.put_parent);
    gpkg_release(c, b.put_row);
    return rc;
}

/* Row by row the module would take the tree apart leaf by leaf; an empty root is all that an empty tree has. */
int gpkg_rtree_clear(struct ctx *ctx, struct gpkg_conn *c, str index_table)
{
    static const char *const PARTS[] = {"node", "parent", "rowid"};
    const unsigned char root[NODE_SIZE] = {0};
    struct builder b = {.conn = c};
    for (size_t i = 0; i < COUNT_OF(PARTS); i++) {
        str part = gpkg_quoted(ctx, arena_printf(ctx->arena, "%.*s_%s", STR_FMT(index_table), PARTS[i]));
        TRY(gpkg_execf(ctx, c, "DELETE FROM %.*s", STR_FMT(part)));
    }
    TRY(prepare(ctx, c, index_table, "node", "nodeno,data", &b.put_node));
    int rc = put_node(ctx, &b, 1, root);
    gpkg_release(c, b.put_node);
    return rc;
}

int gpkg_rtree_box(struct ctx *ctx, struct gpkg_conn *c, str index_table, struct envelope *out)
{
    *out = ENVELOPE_EMPTY;
    str quoted = gpkg_quoted(ctx, arena_printf(ctx->arena, "%.*s_node", STR_FMT(index_table)));
    sqlite3_stmt *stmt = NULL;
    TRY(gpkg_prepare(ctx, c, arena_printf(ctx->arena, "SELECT data FROM %.*s WHERE nodeno=1", STR_FMT(quoted)), &stmt));
    int rc = gpkg_step(ctx, c, stmt);
    if (rc == RC_OK && sqlite3_column_bytes(stmt, 0) == NODE_SIZE) {
        const unsigned char *node = sqlite3_column_blob(stmt, 0);
        unsigned cells = (unsigned)(node[2] << 8 | node[3]);
        for (unsigned i = 0; i < cells && i < CELLS; i++) {
            const unsigned char *p = node + NODE_HEAD + i * CELL_SIZE + 8;
            envelope_add(out, get_float(p), get_float(p + 8));
            envelope_add(out, get_float(p + 4), get_float(p + 12));
        }
    }
    gpkg_release(c, stmt);
    return rc == RC_END ? RC_OK : rc;
}
