/* Statistics of a query: what rows are grouped by and what is told of each group. The rows of such an answer are those of a layer
 * that is made for it, so that they are written as all others. */
#include "web/featureserver/query.h"

enum { OUTPUTS_MAX = 100, NAME_MAX_BYTES = 128, EXPRESSION_MAX = 2000 };

static const struct {
    const char *name;
    enum where_statistic statistic;
} STATISTICS[] = {
    {"count", STATISTIC_COUNT},
    {"sum", STATISTIC_SUM},
    {"min", STATISTIC_MIN},
    {"max", STATISTIC_MAX},
    {"avg", STATISTIC_AVG},
    {"stddev", STATISTIC_STDDEV},
    {"var", STATISTIC_VAR},
    {"percentile_cont", STATISTIC_PERCENTILE_CONT},
    {"percentile_disc", STATISTIC_PERCENTILE_DISC},
    {"EnvelopeAggregate", STATISTIC_ENVELOPE},
    {"CentroidAggregate", STATISTIC_CENTROID},
    {"ConvexHullAggregate", STATISTIC_HULL},
};

static bool is_shape(const struct where *w) { return w->kind == WHERE_AGGREGATE && w->statistic >= STATISTIC_ENVELOPE; }

/* The outputs in the making, and as what their values are read. */
struct outputs {
    const struct layer *layer;
    struct where_output *list;
    struct field *fields;
    size_t count, group_count;
};

static enum field_type field_type_of(const struct where *w, enum where_type type, const struct layer *l)
{
    static const enum field_type TYPES[] = {
        [WHERE_TYPE_NUMBER] = FIELD_DOUBLE, [WHERE_TYPE_TEXT] = FIELD_STRING,         [WHERE_TYPE_GUID] = FIELD_GUID,
        [WHERE_TYPE_DATE] = FIELD_DATE,     [WHERE_TYPE_DATE_ONLY] = FIELD_DATE_ONLY, [WHERE_TYPE_TIME] = FIELD_TIME_ONLY,
        [WHERE_TYPE_BLOB] = FIELD_BLOB,     [WHERE_TYPE_NULL] = FIELD_STRING};
    if (w->kind == WHERE_AGGREGATE && w->statistic == STATISTIC_COUNT)
        return FIELD_INTEGER;
    bool extreme = w->kind == WHERE_AGGREGATE && (w->statistic == STATISTIC_MIN || w->statistic == STATISTIC_MAX);
    const struct where *value = extreme ? w->args[0] : w;
    if (value->kind == WHERE_FIELD) /* the field's own, but no second object id */
        return l->fields[value->field].type == FIELD_OID ? FIELD_BIG_INTEGER : l->fields[value->field].type;
    return is_shape(w) ? FIELD_BLOB : TYPES[type];
}

static int add_output(struct ctx *ctx, struct outputs *o, str name, struct where *tree, enum where_type type)
{
    if (o->count == OUTPUTS_MAX)
        return err_set(ctx, &ERR_FEATURE, "More than %d statistics and groups.", OUTPUTS_MAX);
    if (str_empty(name) || name.n > NAME_MAX_BYTES)
        return err_set(ctx, &ERR_FEATURE, "'outStatisticFieldName' has to have 1 to %d bytes.", NAME_MAX_BYTES);
    for (size_t i = 0; i < o->count; i++)
        if (str_ieq(o->list[i].name, name))
            return err_set(ctx, &ERR_FEATURE, "Two outputs of the name '%.*s'.", STR_FMT(name));
    const struct field *own = tree->kind == WHERE_FIELD ? &o->layer->fields[tree->field] : NULL;
    o->list[o->count] = (struct where_output){.name = name, .tree = tree, .type = type};
    o->fields[o->count] = (struct field){.name = name,
                                         .alias = own ? own->alias : name,
                                         .type = field_type_of(tree, type, o->layer),
                                         .length = own ? own->length : 0,
                                         .nullable = true,
                                         .domain = own ? own->domain : STR("")};
    o->count++;
    return RC_OK;
}

static int parse_value(struct ctx *ctx, const struct layer *l, const char *parameter, str text, struct where **tree,
                       enum where_type *type)
{
    struct ctx child = *ctx; /* with an error record of its own */
    child.err = (struct err){0};
    if (text.n > EXPRESSION_MAX)
        return err_set(ctx, &ERR_FEATURE, "'%s' parameter is invalid: an expression of more than %d bytes.", parameter,
                       EXPRESSION_MAX);
    int rc = where_parse_value(&child, text, l, tree, type);
    if (rc != RC_OK && err_is(&child, &ERR_INVALID))
        return err_set(ctx, &ERR_FEATURE, "'%s' parameter is invalid: %s", parameter, err_text(&child));
    return ctx_adopt_error(ctx, &child, rc);
}

/* The next piece before a comma that stands outside of parentheses and quotes. */
static bool next_expression(str *rest, str *out)
{
    size_t depth = 0, at = 0;
    char quote = 0;
    if (str_empty(*rest))
        return false;
    for (; at < rest->n; at++) {
        char c = rest->p[at];
        if (quote)
            quote = c == quote ? 0 : quote;
        else if (c == '\'' || c == '"')
            quote = c;
        else if (c == '(')
            depth++;
        else if (c == ')')
            depth -= depth > 0;
        else if (c == ',' && depth == 0)
            break;
    }
    *out = str_trim(str_sub(*rest, 0, at));
    *rest = str_sub(*rest, at + 1, rest->n);
    return true;
}

static int read_groups(struct ctx *ctx, const struct call *call, struct outputs *o)
{
    str rest = str_trim(call_param(call, "groupByFieldsForStatistics")), piece;
    while (next_expression(&rest, &piece)) {
        struct where *tree;
        enum where_type type;
        TRY(parse_value(ctx, o->layer, "groupByFieldsForStatistics", piece, &tree, &type));
        TRY(add_output(ctx, o, tree->kind == WHERE_FIELD ? o->layer->fields[tree->field].name : piece, tree, type));
    }
    o->group_count = o->count;
    return RC_OK;
}

/* statisticParameters of a percentile: {"value":0.9,"orderBy":"DESC"}. */
static int read_fraction(struct ctx *ctx, struct json v, struct where *w)
{
    struct json parameters = json_get_c(v, "statisticParameters");
    if (!json_double(json_get_c(parameters, "value"), &w->fraction) || !(w->fraction >= 0 && w->fraction <= 1))
        return err_set(ctx, &ERR_FEATURE, "'outStatistics' parameter is invalid: the value of a percentile is 0 to 1.");
    w->negated = str_ieq(str_trim(json_string_or(json_get_c(parameters, "orderBy"), ctx->arena, STR(""))), STR("DESC"));
    return RC_OK;
}

static int read_statistic(struct ctx *ctx, struct json v, struct outputs *o)
{
    str kind = json_string_or(json_get_c(v, "statisticType"), ctx->arena, STR(""));
    str on = str_trim(json_string_or(json_get_c(v, "onStatisticField"), ctx->arena, STR("")));
    str name = str_trim(json_string_or(json_get_c(v, "outStatisticFieldName"), ctx->arena, STR("")));
    struct where *w = arena_new(ctx->arena, struct where);
    enum where_type type = WHERE_TYPE_NUMBER;
    size_t i = 0;
    while (i < COUNT_OF(STATISTICS) && !str_ieq(kind, str_c(STATISTICS[i].name)))
        i++;
    if (i == COUNT_OF(STATISTICS))
        return err_set(ctx, &ERR_FEATURE, "'outStatistics' parameter is invalid: statisticType '%.*s'.",
                       STR_FMT(str_sub(kind, 0, 64)));
    *w = (struct where){.kind = WHERE_AGGREGATE, .statistic = STATISTICS[i].statistic};
    if (str_empty(name))
        name = arena_printf(ctx->arena, "%s_%.*s", STATISTICS[i].name, STR_FMT(on));
    if (is_shape(w)) { /* of the features' geometry, whatever field is named */
        if (o->layer->geometry == GEOMETRY_NONE)
            return err_set(ctx, &ERR_FEATURE, "'outStatistics' parameter is invalid: a table has no geometry.");
        return add_output(ctx, o, name, w, WHERE_TYPE_BLOB);
    }
    if (w->statistic == STATISTIC_COUNT && str_eq(on, STR("*")))
        return add_output(ctx, o, name, w, type);
    w->args = arena_array(ctx->arena, struct where *, 1);
    w->arg_count = 1;
    TRY(parse_value(ctx, o->layer, "onStatisticField", on, &w->args[0], &type));
    if (!where_statistic_type(w->statistic, type, &type))
        return err_set(ctx, &ERR_FEATURE, "'outStatistics' parameter is invalid: no %s over '%.*s'.", STATISTICS[i].name,
                       STR_FMT(str_sub(on, 0, 64)));
    if (w->statistic == STATISTIC_PERCENTILE_CONT || w->statistic == STATISTIC_PERCENTILE_DISC)
        TRY(read_fraction(ctx, v, w));
    return add_output(ctx, o, name, w, type);
}

static int read_statistics(struct ctx *ctx, const struct call *call, struct outputs *o)
{
    struct json list, v;
    if (!json_try_parse(ctx->arena, call_param(call, "outStatistics"), &list) || !json_is(list, JSON_ARRAY) ||
        json_count(list) == 0)
        return err_set(ctx, &ERR_FEATURE, "'outStatistics' parameter is invalid: a list of statistics is needed.");
    struct json_iter it = json_each(list);
    while (json_next(&it, NULL, &v))
        TRY(read_statistic(ctx, v, o));
    return RC_OK;
}

static int read_having(struct ctx *ctx, const struct call *call, const struct outputs *o, const struct where **out)
{
    struct where *having;
    struct ctx child = *ctx; /* with an error record of its own */
    child.err = (struct err){0};
    int rc = where_parse_having(&child, call_param(call, "having"), o->layer, o->list, o->count, &having);
    *out = having;
    if (rc != RC_OK && err_is(&child, &ERR_INVALID))
        return err_set(ctx, &ERR_FEATURE, "'having' parameter is invalid: %s", err_text(&child));
    return ctx_adopt_error(ctx, &child, rc);
}

int features_statistics_read(struct ctx *ctx, const struct call *call, struct features_request *rq)
{
    struct outputs o = {.layer = rq->layer,
                        .list = arena_array(ctx->arena, struct where_output, OUTPUTS_MAX),
                        .fields = arena_array(ctx->arena, struct field, OUTPUTS_MAX)};
    struct feature_order *order;
    TRY(read_groups(ctx, call, &o));
    TRY(read_statistics(ctx, call, &o));
    rq->groups = (struct feature_groups){.outputs = o.list,
                                         .fields = o.fields,
                                         .count = o.count,
                                         .group_count = o.group_count,
                                         .offset = rq->query.offset,
                                         .limit = rq->limit + 1}; /* one more tells that there is more */
    TRY(read_having(ctx, call, &o, &rq->groups.having));
    rq->result = (struct layer){
        .name = rq->layer->name, .fields = o.fields, .field_count = o.count, .oid_field = SIZE_MAX, .globalid_field = SIZE_MAX};
    TRY(features_order(ctx, &rq->result, call_param(call, "orderByFields"), &order, &rq->groups.order_count));
    rq->groups.order = order;
    size_t *fields = arena_array(ctx->arena, size_t, o.count), n = 0;
    for (size_t i = 0; i < o.count; i++) {
        if (!is_shape(o.list[i].tree))
            fields[n++] = i;
        else if (call->format == FORMAT_PBF)
            return err_set(ctx, &ERR_FEATURE, "Statistics of geometry come as JSON only.");
    }
    rq->rows.names = arena_array(ctx->arena, str, o.count);
    for (size_t i = 0; i < o.count; i++)
        rq->rows.names[i] = hosted_json_string(ctx, o.fields[i].name);
    rq->rows.fields = fields;
    rq->rows.field_count = n;
    rq->rows.outputs = o.list;
    rq->rows.layer = &rq->result;
    rq->rows.geometry = rq->rows.centroid = rq->rows.envelope = false;
    rq->ids = rq->unique_ids = false;
    return RC_OK;
}

/* ---- geometry of groups: doubles, in the layer's system ---- */

static int put_envelope(struct ctx *ctx, struct json_out *o, const struct features_shape *s, const double *v, size_t count)
{
    struct envelope box = {v[0], v[1], v[2], v[3]};
    (void)count;
    TRY(crs_transform_envelope(ctx, &s->from, &s->to, &box, &box));
    features_put_corners(o, &box);
    return RC_OK;
}

static int put_centroid(struct ctx *ctx, struct json_out *o, const struct features_shape *s, const double *v, size_t count)
{
    double xy[2] = {v[0], v[1]};
    (void)count;
    TRY(crs_transform_points(ctx, &s->from, &s->to, xy, 1, 2));
    json_member_double(o, "x", xy[0]);
    json_member_double(o, "y", xy[1]);
    return RC_OK;
}

/* The corners run counter-clockwise; outer rings are clockwise. */
static int put_hull(struct ctx *ctx, struct json_out *o, const struct features_shape *s, const double *v, size_t count)
{
    json_name(o, "rings");
    json_begin_array(o);
    json_begin_array(o);
    for (size_t i = 0; i <= count / 2; i++) {
        size_t at = i == 0 || i == count / 2 ? 0 : count / 2 - i;
        double xy[2] = {v[at * 2], v[at * 2 + 1]};
        TRY(crs_transform_points(ctx, &s->from, &s->to, xy, 1, 2));
        json_begin_array(o);
        json_put_double(o, xy[0]);
        json_put_double(o, xy[1]);
        json_end_array(o);
    }
    json_end_array(o);
    json_end_array(o);
    return RC_OK;
}

static int put_shape(struct ctx *ctx, struct json_out *o, const struct features_rows *r, size_t index, const struct value *v)
{
    static int (*const PUT[])(struct ctx *, struct json_out *, const struct features_shape *, const double *, size_t) = {
        [STATISTIC_ENVELOPE] = put_envelope, [STATISTIC_CENTROID] = put_centroid, [STATISTIC_HULL] = put_hull};
    json_name_raw(o, r->names[index]);
    if (v->kind != VALUE_BLOB) {
        json_put_null(o);
        return RC_OK;
    }
    size_t count = v->s.n / sizeof(double);
    double *numbers = arena_array(ctx->arena, double, count);
    memcpy(numbers, v->s.p, count * sizeof *numbers);
    json_begin_object(o);
    TRY(PUT[r->outputs[index].tree->statistic](ctx, o, &r->shape, numbers, count));
    json_name(o, "spatialReference");
    esri_json_put_crs(o, &r->shape.to);
    json_end_object(o);
    return RC_OK;
}

int features_statistics_put_shapes(struct ctx *ctx, struct json_out *o, const struct features_rows *r, const struct row *row)
{
    if (r->field_count == r->layer->field_count)
        return RC_OK;
    json_name(o, "aggregateGeometries");
    json_begin_object(o);
    for (size_t i = 0; i < r->layer->field_count; i++)
        if (is_shape(r->outputs[i].tree))
            TRY(put_shape(ctx, o, r, i, &row->values[i]));
    json_end_object(o);
    return RC_OK;
}
