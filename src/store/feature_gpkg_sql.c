/* Queries as SQL. Only identifiers of the definition and `?` get into the text; every value is bound. The text depends on the
 * shape of a query alone, so that its statement is found again in the cache. SQLite's parser takes some twenty levels of nesting;
 * what goes deeper it refuses, which is ERR_INVALID. */
#include "store/feature_gpkg.h"

enum { GROUP = 100 }; /* conditions in a flat chain */

static const char *const OPERATORS[] = {
    [OP_EQ] = "=",  [OP_NE] = "<>", [OP_LT] = "<",  [OP_LE] = "<=", [OP_GT] = ">",      [OP_GE] = ">=",
    [OP_ADD] = "+", [OP_SUB] = "-", [OP_MUL] = "*", [OP_DIV] = "/", [OP_CONCAT] = "||",
};
static const char *const FUNCTIONS[FN_COUNT] = {
    [FN_UPPER] = "text_upper",
    [FN_LOWER] = "text_lower",
    [FN_CHAR_LENGTH] = "length",
    [FN_ABS] = "abs",
    [FN_TRIM] = "trim",
    [FN_SUBSTRING] = "text_part",
    [FN_ROUND] = "number_round",
    [FN_FLOOR] = "floor",
    [FN_CEILING] = "ceil",
    [FN_TRIM_LEFT] = "ltrim",
    [FN_TRIM_RIGHT] = "rtrim",
    [FN_POSITION] = "instr",
    [FN_CONCAT] = "text_concat",
    [FN_TRUNCATE] = "number_truncate",
    [FN_SIGN] = "sign",
    [FN_SQRT] = "sqrt",
    [FN_POWER] = "power",
    [FN_LOG] = "ln",
    [FN_LOG10] = "log10",
    [FN_EXP] = "exp",
    [FN_MOD] = "mod",
    [FN_SIN] = "sin",
    [FN_COS] = "cos",
    [FN_TAN] = "tan",
    [FN_ASIN] = "asin",
    [FN_ACOS] = "acos",
    [FN_ATAN] = "atan",
    [FN_ATAN2] = "atan2",
    [FN_NULLIF] = "nullif",
    [FN_COALESCE] = "coalesce",
    [FN_EXTRACT] = "date_part",
    [FN_DATE_SHIFT] = "date_shift",
    [FN_DATE_DAYS] = "date_days",
    [FN_CAST_TEXT] = "cast_text",
    [FN_CAST_INTEGER] = "cast_integer",
    [FN_CAST_REAL] = "cast_real",
    [FN_CAST_DAY] = "cast_day",
    [FN_CAST_DATE] = "cast_date",
};
static const char *const STATISTICS[STATISTIC_KINDS] = {
    [STATISTIC_COUNT] = "count",
    [STATISTIC_SUM] = "number_sum",
    [STATISTIC_MIN] = "min",
    [STATISTIC_MAX] = "max",
    [STATISTIC_AVG] = "avg",
    [STATISTIC_STDDEV] = "number_deviation",
    [STATISTIC_VAR] = "number_variance",
    [STATISTIC_PERCENTILE_CONT] = "number_percentile",
    [STATISTIC_PERCENTILE_DISC] = "number_percentile",
    [STATISTIC_ENVELOPE] = "geometry_envelope",
    [STATISTIC_CENTROID] = "geometry_centroid",
    [STATISTIC_HULL] = "geometry_hull",
};

void gpkg_sql_value(struct ctx *ctx, struct gpkg_sql *sql, struct value v)
{
    sql->values = arena_grow(ctx->arena, sql->values, &sql->value_capacity, sql->value_count + 1, sizeof v);
    sql->values[sql->value_count++] = v;
    buf_add_char(&sql->text, '?');
}

/* Dates are kept as text, which sorts as the years 0 to 9999 do; others lie before or after all of it. */
static struct value date_text(struct ctx *ctx, int64_t ms)
{
    char text[CLOCK_ISO_SIZE];
    str s = ms < 0 ? STR("") : STR("~");
    if (clock_iso_print(ms, text))
        s = arena_str(ctx->arena, str_of(text, CLOCK_ISO_SIZE - 1));
    return (struct value){.kind = VALUE_TEXT, .s = s};
}

static void add_list(struct ctx *ctx, struct gpkg_sql *sql, const struct layer *l, struct where *const *list, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (i)
            buf_add_char(&sql->text, ',');
        gpkg_sql_tree(ctx, sql, l, list[i]);
    }
}

/* Flat groups in parentheses, themselves flat: SQLite allows an expression 1,000 levels, of which a chain takes one for each
 * link. */
static void add_joined(struct ctx *ctx, struct gpkg_sql *sql, const struct layer *l, const struct where *w)
{
    str word = w->kind == WHERE_AND ? STR(" AND ") : STR(" OR ");
    bool groups = w->arg_count > GROUP;
    for (size_t i = 0; i < w->arg_count; i++) {
        bool starts = groups && i % GROUP == 0;
        if (starts && i)
            buf_add_char(&sql->text, ')');
        if (i)
            buf_add(&sql->text, word);
        if (starts)
            buf_add_char(&sql->text, '(');
        gpkg_sql_tree(ctx, sql, l, w->args[i]);
    }
    if (groups)
        buf_add_char(&sql->text, ')');
}

/* The left side needs no parentheses when it is of the same precedence: long sums stay flat for SQLite's parser. */
static void add_arithmetic(struct ctx *ctx, struct gpkg_sql *sql, const struct layer *l, const struct where *w)
{
    static const int PRECEDENCE[] = {[OP_ADD] = 1, [OP_SUB] = 1, [OP_MUL] = 2, [OP_DIV] = 2, [OP_CONCAT] = 3};
    const struct where *left = w->args[0];
    if (left->kind == WHERE_ARITHMETIC && PRECEDENCE[left->op] == PRECEDENCE[w->op])
        add_arithmetic(ctx, sql, l, left);
    else
        gpkg_sql_tree(ctx, sql, l, left);
    buf_add(&sql->text, str_c(OPERATORS[w->op]));
    gpkg_sql_tree(ctx, sql, l, w->args[1]);
}

static void add_like(struct ctx *ctx, struct gpkg_sql *sql, const struct layer *l, const struct where *w)
{
    add_list(ctx, sql, l, w->args, 1);
    buf_add(&sql->text, w->negated ? STR(" NOT LIKE ") : STR(" LIKE "));
    add_list(ctx, sql, l, w->args + 1, 1);
    if (w->escape) {
        buf_add(&sql->text, STR(" ESCAPE "));
        gpkg_sql_value(ctx, sql, (struct value){.kind = VALUE_TEXT, .s = arena_str(ctx->arena, str_of(&w->escape, 1))});
    }
}

static void add_case(struct ctx *ctx, struct gpkg_sql *sql, const struct layer *l, const struct where *w)
{
    struct buf *b = &sql->text;
    size_t i = w->has_operand;
    buf_add(b, STR("CASE "));
    add_list(ctx, sql, l, w->args, i);
    for (; i + 1 < w->arg_count; i += 2) {
        buf_add(b, STR(" WHEN "));
        gpkg_sql_tree(ctx, sql, l, w->args[i]);
        buf_add(b, STR(" THEN "));
        gpkg_sql_tree(ctx, sql, l, w->args[i + 1]);
    }
    if (i < w->arg_count) {
        buf_add(b, STR(" ELSE "));
        gpkg_sql_tree(ctx, sql, l, w->args[i]);
    }
    buf_add(b, STR(" END"));
}

/* The arguments of an aggregate: the value, what a percentile needs besides, or the geometry. */
static void add_aggregate(struct ctx *ctx, struct gpkg_sql *sql, const struct layer *l, const struct where *w)
{
    struct buf *b = &sql->text;
    if (w->statistic >= STATISTIC_ENVELOPE)
        gpkg_quote(b, gpkg_geometry_column(ctx, l));
    else if (w->arg_count == 0)
        buf_add_char(b, '*');
    add_list(ctx, sql, l, w->args, w->arg_count);
    bool exact = w->statistic == STATISTIC_PERCENTILE_DISC;
    if (!exact && w->statistic != STATISTIC_PERCENTILE_CONT)
        return;
    buf_add_char(b, ',');
    gpkg_sql_value(ctx, sql, (struct value){.kind = VALUE_DOUBLE, .d = w->fraction});
    buf_add(b, exact ? STR(",1") : STR(",0"));
    buf_add(b, w->negated ? STR(",1") : STR(",0"));
}

/* What stands in parentheses: conditions and calculations. */
static void add_inner(struct ctx *ctx, struct gpkg_sql *sql, const struct layer *l, const struct where *w)
{
    struct buf *b = &sql->text;
    str no = w->negated ? STR(" NOT") : STR("");
    switch (w->kind) {
    case WHERE_AND:
    case WHERE_OR:
        add_joined(ctx, sql, l, w);
        return;
    case WHERE_ARITHMETIC:
        add_arithmetic(ctx, sql, l, w);
        return;
    case WHERE_LIKE:
        add_like(ctx, sql, l, w);
        return;
    case WHERE_CASE:
        add_case(ctx, sql, l, w);
        return;
    case WHERE_AGGREGATE:
        add_aggregate(ctx, sql, l, w);
        return;
    case WHERE_NOT:
    case WHERE_FUNCTION:
        add_list(ctx, sql, l, w->args, w->arg_count);
        return;
    default:
        break;
    }
    gpkg_sql_tree(ctx, sql, l, w->args[0]);
    if (w->kind == WHERE_COMPARE) {
        buf_add(b, str_c(OPERATORS[w->op]));
        gpkg_sql_tree(ctx, sql, l, w->args[1]);
    } else if (w->kind == WHERE_IN) {
        buf_printf(b, "%.*s IN (", STR_FMT(no));
        add_list(ctx, sql, l, w->args + 1, w->arg_count - 1);
        buf_add_char(b, ')');
    } else if (w->kind == WHERE_BETWEEN) {
        buf_printf(b, "%.*s BETWEEN ", STR_FMT(no));
        gpkg_sql_tree(ctx, sql, l, w->args[1]);
        buf_add(b, STR(" AND "));
        gpkg_sql_tree(ctx, sql, l, w->args[2]);
    } else {
        buf_printf(b, " IS%.*s NULL", STR_FMT(no));
    }
}

void gpkg_sql_tree(struct ctx *ctx, struct gpkg_sql *sql, const struct layer *l, const struct where *w)
{
    struct buf *b = &sql->text;
    switch (w->kind) {
    case WHERE_FIELD:
        gpkg_quote(b, l->fields[w->field].name);
        return;
    case WHERE_LITERAL:
        gpkg_sql_value(ctx, sql, w->is_date && w->literal.kind == VALUE_INT ? date_text(ctx, w->literal.i) : w->literal);
        return;
    case WHERE_TRUE:
    case WHERE_FALSE:
        buf_add_char(b, w->kind == WHERE_TRUE ? '1' : '0');
        return;
    case WHERE_FUNCTION:
        buf_add(b, str_c(FUNCTIONS[w->function]));
        break;
    case WHERE_AGGREGATE:
        buf_add(b, str_c(STATISTICS[w->statistic]));
        break;
    case WHERE_NOT:
        buf_add(b, STR("NOT "));
        break;
    default:
        break;
    }
    buf_add_char(b, '(');
    add_inner(ctx, sql, l, w);
    buf_add_char(b, ')');
}

/* The list as one bound text: any number of ids, one statement. */
static int add_oids(struct ctx *ctx, struct gpkg_sql *sql, const struct layer *l, const int64_t *oids, size_t count)
{
    CLEANUP(buf_free) struct buf list = BUF_INIT(GPKG_SQL_MAX);
    for (size_t i = 0; i < count; i++) {
        buf_add_char(&list, i ? ',' : '[');
        buf_add_int(&list, oids[i]);
    }
    buf_add(&list, count ? STR("]") : STR("[]"));
    TRY(buf_check(&list, ctx, "the list of object ids"));
    gpkg_quote(&sql->text, l->fields[l->oid_field].name);
    buf_add(&sql->text, STR(" IN (SELECT value FROM json_each("));
    gpkg_sql_value(ctx, sql, (struct value){.kind = VALUE_TEXT, .s = arena_str(ctx->arena, buf_str(&list))});
    buf_add(&sql->text, STR("))"));
    return RC_OK;
}

static void add_number(struct ctx *ctx, struct gpkg_sql *sql, const char *before, double d)
{
    buf_add(&sql->text, str_c(before));
    gpkg_sql_value(ctx, sql, (struct value){.kind = VALUE_DOUBLE, .d = d});
}

/* geometry_relates(geometry, shape) */
static void add_shape(struct ctx *ctx, struct gpkg_sql *sql, const struct layer *l, const struct feature_query *q)
{
    buf_add(&sql->text, STR("geometry_relates("));
    gpkg_quote(&sql->text, gpkg_geometry_column(ctx, l));
    buf_add_char(&sql->text, ',');
    gpkg_sql_value(ctx, sql, (struct value){.kind = VALUE_NULL});
    buf_add_char(&sql->text, ')');
    sql->shape = q->shape;
    sql->shape_at = sql->value_count;
}

/* The index has boxes rounded outwards, so the exact test follows. A point is its bounding box. */
static void add_box(struct ctx *ctx, struct gpkg_sql *sql, const struct layer *l, const struct feature_query *q, bool index)
{
    struct buf *b = &sql->text;
    const struct envelope *box = &q->box;
    const str tables[] = {gpkg_index_table(ctx, l), gpkg_pending_table(ctx, l)};
    for (size_t i = 0; index && i < COUNT_OF(tables); i++) {
        if (i == 0)
            gpkg_quote(b, l->fields[l->oid_field].name);
        buf_add(b, i ? STR(" UNION ALL SELECT id FROM ") : STR(" IN (SELECT id FROM "));
        gpkg_quote(b, tables[i]);
        add_number(ctx, sql, " WHERE minx<=", box->xmax);
        add_number(ctx, sql, " AND maxx>=", box->xmin);
        add_number(ctx, sql, " AND miny<=", box->ymax);
        add_number(ctx, sql, " AND maxy>=", box->ymin);
    }
    if (index)
        buf_add(b, STR(") AND "));
    if (q->shape) { /* which looks at the boxes itself */
        add_shape(ctx, sql, l, q);
        return;
    }
    buf_add(b, q->box_exact && l->geometry != GEOMETRY_POINT ? STR("geometry_meets(") : STR("box_meets("));
    gpkg_quote(b, gpkg_geometry_column(ctx, l));
    add_number(ctx, sql, ",", box->xmin);
    add_number(ctx, sql, ",", box->ymin);
    add_number(ctx, sql, ",", box->xmax);
    add_number(ctx, sql, ",", box->ymax);
    buf_add_char(b, ')');
}

int gpkg_sql_conditions(struct ctx *ctx, struct gpkg_sql *sql, const struct layer *l, const struct feature_query *q,
                        bool box_index)
{
    const char *word = " WHERE ";
    if (q->has_box) {
        buf_add(&sql->text, str_c(word));
        if (l->geometry == GEOMETRY_NONE)
            buf_add_char(&sql->text, '0');
        else
            add_box(ctx, sql, l, q, box_index);
        word = " AND ";
    } else if (q->shape) {
        buf_add(&sql->text, str_c(word));
        add_shape(ctx, sql, l, q);
        word = " AND ";
    }
    if (q->oids) {
        buf_add(&sql->text, str_c(word));
        TRY(add_oids(ctx, sql, l, q->oids, q->oid_count));
        word = " AND ";
    }
    if (q->where) {
        buf_add(&sql->text, str_c(word));
        gpkg_sql_tree(ctx, sql, l, q->where);
        word = " AND ";
    }
    if (l->filter) { /* whatever is asked, the rows of a view are these */
        buf_add(&sql->text, str_c(word));
        gpkg_sql_tree(ctx, sql, l->source, l->filter);
    }
    return RC_OK;
}

static bool is_wanted(const struct feature_query *q, size_t field)
{
    for (size_t i = 0; i < q->field_count; i++)
        if (q->fields[i] == field)
            return true;
    return !q->fields;
}

/* No value sorts as the greatest, as in PostgreSQL, which Esri's hosted layers live in. */
int gpkg_sql_order(struct ctx *ctx, struct gpkg_sql *sql, const struct layer *l, const struct feature_query *q)
{
    const char *word = " ORDER BY ";
    for (size_t i = 0; i < q->order_count; i++) {
        const struct feature_order *o = &q->order[i];
        const struct field *f = &l->fields[o->field];
        if (q->distinct && !is_wanted(q, o->field))
            return err_set(ctx, &ERR_INVALID, "order by %.*s, which is not among the distinct fields", STR_FMT(f->name));
        buf_add(&sql->text, str_c(word));
        gpkg_quote(&sql->text, f->name);
        buf_add(&sql->text, o->descending ? STR(" DESC") : STR(" ASC"));
        if (o->field != l->oid_field)
            buf_add(&sql->text, o->descending ? STR(" NULLS FIRST") : STR(" NULLS LAST"));
        word = ",";
    }
    if (q->distinct)
        return RC_OK;
    buf_add(&sql->text, str_c(word));
    gpkg_quote(&sql->text, l->fields[l->oid_field].name);
    return RC_OK;
}

int gpkg_sql_prepare(struct ctx *ctx, struct gpkg_sql *sql, struct gpkg_conn *c, sqlite3_stmt **out)
{
    *out = NULL;
    TRY(buf_check(&sql->text, ctx, "the query"));
    sqlite3_stmt *stmt = NULL;
    TRY(gpkg_prepare(ctx, c, buf_str(&sql->text), &stmt));
    int rc = RC_OK;
    for (size_t i = 0; i < sql->value_count && rc == RC_OK; i++) {
        const struct value *v = &sql->values[i];
        int parameter = (int)i + 1;
        if (v->kind == VALUE_INT)
            sqlite3_bind_int64(stmt, parameter, v->i);
        else if (v->kind == VALUE_DOUBLE)
            sqlite3_bind_double(stmt, parameter, v->d);
        else if (v->kind != VALUE_NULL)
            rc = gpkg_bind_text(ctx, c, stmt, parameter, v->s);
    }
    if (sql->shape)
        sqlite3_bind_pointer(stmt, (int)sql->shape_at, sql->shape, GPKG_SHAPE, NULL);
    if (rc != RC_OK)
        gpkg_release(c, stmt);
    else
        *out = stmt;
    return rc;
}
