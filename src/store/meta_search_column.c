/* Leaves whose values are columns: ids, addresses, numbers and times, extents; and groups, which the viewer has to see. The text
 * of a statement is made of the rows of the field tables only; what was searched for is bound. */
#include "store/meta_search_private.h"

#include "base/clock.h"
#include "base/num.h"
#include "base/utf8.h"

enum { SQL_MAX = 16 * 1024 };

static void add(struct meta_condition *c, const char *text) { buf_add(&c->sql, str_c(text)); }

static void bind(struct ctx *ctx, struct meta_condition *c, struct sql_value v)
{
    c->values = arena_grow(ctx->arena, c->values, &c->capacity, c->count + 1, sizeof *c->values);
    c->values[c->count++] = v;
}

static void condition_free(struct meta_condition *c) { buf_free(&c->sql); }

/* ---- comparing ---- */

/* A text with * and ? as a pattern for LIKE; everything that means something there is escaped by "!". */
static str like_pattern(struct ctx *ctx, str pattern)
{
    char *out = arena_alloc(ctx->arena, 2 * pattern.n + 1);
    size_t n = 0;
    for (size_t i = 0; i < pattern.n; i++) {
        char c = pattern.p[i];
        if (c == '%' || c == '_' || c == '!')
            out[n++] = '!';
        out[n++] = c;
        if (c == '*')
            out[n - 1] = '%';
        else if (c == '?')
            out[n - 1] = '_';
    }
    return str_of(out, n);
}

/* The beginning as a range, which an index serves; LIKE for the rest when there is more than a star at the end. */
static void add_wildcard(struct ctx *ctx, struct meta_condition *c, const char *expression, str pattern)
{
    size_t n = 0;
    while (n < pattern.n && pattern.p[n] != '*' && pattern.p[n] != '?')
        n++;
    str prefix = str_sub(pattern, 0, n);
    if (n > 0) {
        buf_printf(&c->sql, "%s >= ? AND %s < ?", expression, expression);
        bind(ctx, c, SQL_S(prefix));
        bind(ctx, c, SQL_S(arena_printf(ctx->arena, "%.*s\xf4\x8f\xbf\xbf", STR_FMT(prefix)))); /* U+10FFFF */
        if (str_eq(str_sub(pattern, n, pattern.n), STR("*")))
            return;
        add(c, " AND ");
    }
    buf_printf(&c->sql, "%s LIKE ? ESCAPE '!'", expression);
    bind(ctx, c, SQL_S(like_pattern(ctx, pattern)));
}

/* Bounds that are STR_NONE are open. */
static void add_range(struct ctx *ctx, struct meta_condition *c, const char *expression, const struct search_query *q,
                      struct sql_value from, struct sql_value to)
{
    add(c, "1 = 1");
    if (!str_none(q->from)) {
        buf_printf(&c->sql, " AND %s %s ?", expression, q->from_inclusive ? ">=" : ">");
        bind(ctx, c, from);
    }
    if (!str_none(q->to)) {
        buf_printf(&c->sql, " AND %s %s ?", expression, q->to_inclusive ? "<=" : "<");
        bind(ctx, c, to);
    }
}

/* prepare: what the stored side went through (folding), applied to what is searched. */
void meta_condition_text(struct ctx *ctx, struct meta_condition *c, const char *expression, const struct search_query *q,
                         str (*prepare)(struct ctx *, str))
{
    str text = str_none(q->text) ? STR("") : prepare(ctx, q->text);
    if (q->kind == SEARCH_RANGE) {
        str from = str_none(q->from) ? STR_NONE : prepare(ctx, q->from), to = str_none(q->to) ? STR_NONE : prepare(ctx, q->to);
        add_range(ctx, c, expression, q, SQL_S(from), SQL_S(to));
    } else if (q->kind == SEARCH_WILDCARD) {
        add_wildcard(ctx, c, expression, text);
    } else {
        buf_printf(&c->sql, "%s = ?", expression);
        bind(ctx, c, SQL_S(text));
    }
}

static str as_is(struct ctx *ctx, str s)
{
    (void)ctx;
    return s;
}
static str folded(struct ctx *ctx, str s) { return utf8_fold(ctx->arena, s); }

/* A number, zero padded or not, or a date. */
static bool number_parse(str s, int64_t *out)
{
    while (s.n > 1 && s.p[0] == '0')
        s = str_sub(s, 1, s.n);
    return num_parse_int(s, out) || clock_iso_parse(s, out);
}

/* The interval of numbers that is asked for, both ends within; false when nothing can be in it: a bound that is no number. */
static bool interval_of(const struct search_query *q, int64_t *from, int64_t *to)
{
    *from = INT64_MIN;
    *to = INT64_MAX;
    if (q->kind == SEARCH_WILDCARD)
        return str_eq(q->text, STR("*"));
    if (q->kind != SEARCH_RANGE) {
        bool good = number_parse(q->text, from);
        *to = *from;
        return good;
    }
    if ((!str_none(q->from) && !number_parse(q->from, from)) || (!str_none(q->to) && !number_parse(q->to, to)))
        return false;
    if (!str_none(q->from) && !q->from_inclusive && (*from)++ == INT64_MAX)
        return false;
    return str_none(q->to) || q->to_inclusive || (*to)-- != INT64_MIN;
}

static bool add_number(struct ctx *ctx, struct meta_condition *c, const char *expression, const struct search_query *q)
{
    int64_t from, to;
    if (!interval_of(q, &from, &to))
        return false;
    buf_printf(&c->sql, "%s >= ? AND %s <= ?", expression, expression);
    bind(ctx, c, SQL_I(from));
    bind(ctx, c, SQL_I(to));
    return true;
}

static bool add_flag(struct ctx *ctx, struct meta_condition *c, const char *column, const struct search_query *q)
{
    bool value;
    if (q->kind == SEARCH_RANGE || !num_parse_bool(q->text, &value))
        return false;
    buf_printf(&c->sql, "%s = ?", column);
    bind(ctx, c, SQL_I(value));
    return true;
}

/* ---- the leaves ---- */

static int places(const struct meta_search *s, struct meta_condition *c, struct bits *out)
{
    CLEANUP(sql_rows_close) struct sql_rows rows = {0};
    int rc;
    TRY(buf_check(&c->sql, s->ctx, "search"));
    TRY(sql_query_n(s->ctx, s->tx, &rows, c->sql.p, c->values, c->count));
    while ((rc = sql_next(s->ctx, &rows)) == RC_OK)
        bits_set(out, (size_t)meta_place_of(sql_int(&rows, 0)));
    return rc == RC_END ? RC_OK : rc;
}

int meta_search_column(const struct meta_search *s, const struct meta_field *f, const struct search_query *q, struct bits *out)
{
    CLEANUP(condition_free) struct meta_condition c = {.sql = BUF_INIT(SQL_MAX)};
    bool possible = true;
    buf_printf(&c.sql, "SELECT %s.number FROM %s WHERE ", s->entity->table, s->entity->table);
    if (f->kind == FIELD_NUMBER)
        possible = add_number(s->ctx, &c, f->column, q);
    else if (f->kind == FIELD_FLAG)
        possible = add_flag(s->ctx, &c, f->column, q);
    else
        meta_condition_text(s->ctx, &c, f->column, q, folded);
    return possible ? places(s, &c, out) : RC_OK;
}

struct interval {
    int64_t from, to;
    struct bits *out;
};

static enum meta_column_need interval_need(void *arg, int64_t least, int64_t most)
{
    const struct interval *i = arg;
    if (most < i->from || least > i->to)
        return META_COLUMN_SKIP;
    return least >= i->from && most <= i->to ? META_COLUMN_ALL : META_COLUMN_READ;
}

static void in_interval(void *arg, size_t place, int64_t value)
{
    const struct interval *i = arg;
    if (value >= i->from && value <= i->to)
        bits_set(i->out, place);
}

/* A bound in the unit of the column; what does not fit is beyond all numbers. */
static int64_t in_millionths(int64_t bound)
{
    int64_t out;
    return __builtin_mul_overflow(bound, 1000000, &out) ? (bound < 0 ? INT64_MIN : INT64_MAX) : out;
}

int meta_search_number(const struct meta_search *s, const struct meta_field *f, const struct search_query *q,
                       const struct bits *within, struct bits *out)
{
    struct interval i = {.out = out};
    const struct meta_column_reading r = {
        .column = f->packed, .set = within, .need = interval_need, .see = in_interval, .arg = &i};
    if (!interval_of(q, &i.from, &i.to))
        return RC_OK;
    if (f->packed == COLUMN_RATING) {
        i.from = in_millionths(i.from);
        i.to = in_millionths(i.to);
    }
    return meta_columns_read(s->ctx, s->tx, &r);
}

/* A group that is not seen is as good as missing, also when what is in it is seen for another reason. */
int meta_search_group(const struct meta_search *s, const struct search_query *q, struct bits *out)
{
    CLEANUP(condition_free) struct meta_condition c = {.sql = BUF_INIT(SQL_MAX)};
    CLEANUP(sql_rows_close) struct sql_rows rows = {0};
    const struct viewer *who = s->who;
    int rc;
    add(&c, "SELECT portal_group.id FROM portal_group WHERE ");
    meta_condition_text(s->ctx, &c, "portal_group.id", q, folded);
    if (!who->admin) {
        add(&c, " AND (portal_group.access = ?");
        bind(s->ctx, &c, SQL_I(ITEM_PUBLIC));
        if (!str_empty(who->username)) {
            add(&c, " OR portal_group.access = ? OR portal_group.owner = ? OR EXISTS (SELECT 1 FROM group_member WHERE "
                    "group_member.group_id = portal_group.id AND group_member.username = ?)");
            bind(s->ctx, &c, SQL_I(who->outside ? ITEM_PUBLIC : ITEM_ORG));
            bind(s->ctx, &c, SQL_S(who->username));
            bind(s->ctx, &c, SQL_S(who->username));
        }
        add(&c, ")");
    }
    TRY(buf_check(&c.sql, s->ctx, "search"));
    TRY(sql_query_n(s->ctx, s->tx, &rows, c.sql.p, c.values, c.count));
    while ((rc = sql_next(s->ctx, &rows)) == RC_OK)
        TRY(meta_search_value(s, TERM_ITEM_GROUP, sql_str(s->ctx, &rows, 0), out));
    return rc == RC_END ? RC_OK : rc;
}

int meta_search_org(const struct meta_search *s, const struct search_query *q, const struct bits *within, struct bits *out)
{
    CLEANUP(condition_free) struct meta_condition c = {.sql = BUF_INIT(SQL_MAX)};
    int64_t here;
    add(&c, "SELECT COUNT(*) FROM setting WHERE name = '" META_ORG_ID "' AND ");
    meta_condition_text(s->ctx, &c, "value", q, as_is);
    TRY(buf_check(&c.sql, s->ctx, "search"));
    TRY(meta_count(s->ctx, s->tx, c.sql.p, c.values, c.count, &here));
    if (here > 0)
        bits_copy(out, within);
    return RC_OK;
}

/* ---- extents ---- */

/* An extent "[[xmin,ymin],[xmax,ymax]]"; false for "" and "[]". */
static bool extent_parse(struct arena *a, str text, struct search_box *out)
{
    double v[4];
    if (!meta_extent_parse(a, text, v))
        return false;
    *out = (struct search_box){v[0], v[1], v[2], v[3]};
    return true;
}

/* Does the interval of longitudes meet the other one? One that ends before it begins crosses the antimeridian. */
static bool longitudes_meet(double a0, double a1, double b0, double b1)
{
    if (a0 > a1)
        return longitudes_meet(a0, 180, b0, b1) || longitudes_meet(-180, a1, b0, b1);
    if (b0 > b1)
        return longitudes_meet(a0, a1, b0, 180) || longitudes_meet(a0, a1, -180, b1);
    return a0 <= b1 && b0 <= a1;
}

static bool boxes_meet(const struct search_box *a, const struct search_box *b)
{
    return a->ymin <= b->ymax && b->ymin <= a->ymax && longitudes_meet(a->xmin, a->xmax, b->xmin, b->xmax);
}

/* The packed steps decide but for those whose rounded edges are near the edge of the box. */
struct box_search {
    const struct search_box *box;
    struct search_box steps; /* the box in steps and a bit larger; all longitudes when it crosses the antimeridian */
    struct bits *meets, *unsure;
};

static double degrees(int64_t packed, unsigned corner, double half, double inwards)
{
    double step = (double)((uint64_t)packed >> (16 * corner) & 0xffff) + inwards;
    return step / META_EXTENT_STEPS * 2 * half - half;
}

static struct search_box box_of(int64_t packed, double inwards)
{
    return (struct search_box){degrees(packed, 0, 180, inwards), degrees(packed, 1, 90, inwards),
                               degrees(packed, 2, 180, -inwards), degrees(packed, 3, 90, -inwards)};
}

static double edge(int64_t packed, unsigned corner) { return (double)((uint64_t)packed >> (16 * corner) & 0xffff); }

/* What most are, at little cost. */
static bool is_far(const struct search_box *steps, int64_t packed)
{
    return edge(packed, 1) > steps->ymax || edge(packed, 3) < steps->ymin || edge(packed, 0) > steps->xmax ||
           edge(packed, 2) < steps->xmin;
}

static struct search_box in_steps(const struct search_box *box)
{
    bool crosses = box->xmin > box->xmax;
    double x = META_EXTENT_STEPS / 360.0, y = META_EXTENT_STEPS / 180.0, room = 2;
    return (struct search_box){.xmin = crosses ? 0 : (box->xmin + 180) * x - room,
                               .ymin = (box->ymin + 90) * y - room,
                               .xmax = crosses ? META_EXTENT_STEPS : (box->xmax + 180) * x + room,
                               .ymax = (box->ymax + 90) * y + room};
}

static void extent_see(void *arg, size_t place, int64_t packed)
{
    const struct box_search *b = arg;
    if (packed == META_EXTENT_NONE || (packed != META_EXTENT_ODD && is_far(&b->steps, packed)))
        return;
    struct search_box outer = box_of(packed, -0.5), inner = box_of(packed, 1.5); /* with room for rounding of both */
    if (packed != META_EXTENT_ODD && !boxes_meet(b->box, &outer))
        return;
    bool sure = packed != META_EXTENT_ODD && inner.xmin <= inner.xmax && inner.ymin <= inner.ymax && boxes_meet(b->box, &inner);
    bits_set(sure ? b->meets : b->unsure, place);
}

int meta_search_box(const struct meta_search *s, const struct search_box *box, const struct bits *within, struct bits *out)
{
    struct bits unsure = meta_search_set(s);
    struct box_search b = {.box = box, .steps = in_steps(box), .meets = out, .unsure = &unsure};
    if (s->entity->kind != META_ITEM)
        return RC_OK;
    const struct meta_column_reading r = {.column = COLUMN_EXTENT, .set = within, .see = extent_see, .arg = &b};
    TRY(meta_columns_read(s->ctx, s->tx, &r));
    for (size_t place = bits_below(&unsure, SIZE_MAX); place != SIZE_MAX; place = bits_below(&unsure, place)) {
        CLEANUP(sql_rows_close) struct sql_rows rows;
        struct arena_mark mark = arena_mark(s->ctx->arena);
        struct search_box extent;
        TRY(sql_query(s->ctx, s->tx, &rows, "SELECT extent FROM item WHERE number = ?",
                      SQL_I(meta_subject_of(META_ITEM, place))));
        int rc = sql_next(s->ctx, &rows);
        if (rc != RC_OK && rc != RC_END)
            return rc;
        if (rc == RC_OK && extent_parse(s->ctx->arena, sql_text(&rows, 0), &extent) && boxes_meet(box, &extent))
            bits_set(out, place);
        arena_release(s->ctx->arena, mark);
    }
    return RC_OK;
}
