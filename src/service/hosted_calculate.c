/* calculate: fields of many features set at once. Every new value is checked as that of any edit is. */
#include "base/num.h"
#include "service/hosted_private.h"
#include "service/hosted_targets.h"

enum { EXPRESSIONS_MAX = 100, TEXT_MAX = 16 << 20 };

struct calculation {
    size_t count;
    size_t *fields;          /* of the table's layer */
    struct value *values;    /* of those that are the same for all, already checked for their type */
    struct where **formulas; /* NULL: a value */
};

static int refuse(struct ctx *ctx, str field, const char *what)
{
    return err_set(ctx, &ERR_FEATURE, "'calcExpression', field '%.*s': %s", STR_FMT(field), what);
}

/* What the parts below find is wrong, as the operation's error. */
static int blame(struct ctx *ctx, str field, int rc)
{
    if (rc != RC_FAIL || !err_is(ctx, &ERR_INVALID))
        return rc;
    const char *text = arena_cstr(ctx->arena, str_c(err_text(ctx)));
    err_clear(ctx);
    return refuse(ctx, field, text);
}

static int read_expression(struct ctx *ctx, const struct hosted_rows *r, struct json v, struct calculation *out)
{
    size_t seen, at = out->count;
    str name = json_string_or(json_get_c(v, "field"), ctx->arena, STR(""));
    struct json value = json_get_c(v, "value"), formula = json_get_c(v, "sqlExpression");
    enum where_type type;
    if (!layer_field(r->seen, name, &seen))
        return refuse(ctx, name, "the layer has no such field.");
    if (hosted_rows_is_fixed(r, seen))
        return refuse(ctx, name, "it cannot be edited.");
    out->fields[at] = r->stored[seen];
    for (size_t i = 0; i < at; i++)
        if (out->fields[i] == out->fields[at])
            return refuse(ctx, name, "it is named twice.");
    if (json_absent(value) == json_absent(formula))
        return refuse(ctx, name, "either 'value' or 'sqlExpression' is needed.");
    out->count++;
    if (!json_absent(value))
        return blame(ctx, name, hosted_rows_value(ctx, r, out->fields[at], value, &out->values[at]));
    str text = json_string_or(formula, ctx->arena, STR(""));
    return blame(ctx, name, where_parse_value(ctx, text, r->seen, &out->formulas[at], &type));
}

static int read_expressions(struct ctx *ctx, const struct hosted_rows *r, struct json list, struct calculation *out)
{
    struct json v;
    size_t most = json_count(list);
    if (!json_is(list, JSON_ARRAY) || most == 0 || most > EXPRESSIONS_MAX)
        return err_set(ctx, &ERR_FEATURE,
                       "'calcExpression' has to be an array of 1 to %d objects with 'field' and 'value' or 'sqlExpression'.",
                       EXPRESSIONS_MAX);
    *out = (struct calculation){.fields = arena_array(ctx->arena, size_t, most + TRACK_COUNT),
                                .values = arena_array(ctx->arena, struct value, most),
                                .formulas = arena_array(ctx->arena, struct where *, most)};
    for (struct json_iter it = json_each(list); json_next(&it, NULL, &v);)
        TRY(read_expression(ctx, r, v, out));
    return RC_OK;
}

/* A calculated value as JSON, which is what the checks of values read. */
static int to_field(struct ctx *ctx, const struct hosted_rows *r, size_t field, const struct value *v, struct value *out)
{
    CLEANUP(buf_free) struct buf b = BUF_INIT(TEXT_MAX);
    char number[NUM_DOUBLE_SIZE];
    struct json parsed;
    *out = (struct value){.kind = VALUE_NULL};
    if (v->kind == VALUE_NULL)
        return RC_OK;
    if (v->kind == VALUE_TEXT)
        json_escape(&b, v->s);
    else if (v->kind == VALUE_INT)
        buf_add_int(&b, v->i);
    else if (isfinite(v->d))
        buf_add_bytes(&b, number, num_print_double(v->d, number));
    else
        return err_set(ctx, &ERR_INVALID, "the result is no number");
    TRY(buf_check(&b, ctx, "a calculated value"));
    TRY(json_parse(ctx, arena_str(ctx->arena, buf_str(&b)), &parsed));
    return hosted_rows_value(ctx, r, field, parsed, out);
}

static int calculate_row(struct ctx *ctx, struct feature_edit *e, const struct hosted_rows *r, const struct calculation *k,
                         const struct value *results, const struct hosted_target *t)
{
    struct hosted_row_change change = {
        .row = {.oid = t->oid, .values = arena_array(ctx->arena, struct value, r->layer->field_count), .wkb = STR_NONE},
        .fields = arena_array(ctx->arena, size_t, k->count + TRACK_COUNT)};
    for (size_t i = 0, formula = 0; i < k->count; i++) {
        size_t field = k->fields[i];
        change.fields[change.field_count++] = field;
        change.row.values[field] = k->values[i];
        if (k->formulas[i])
            TRY(to_field(ctx, r, field, &results[formula++], &change.row.values[field]));
    }
    TRY(hosted_rows_check_change(ctx, r, &change, &t->type));
    hosted_rows_track(r, &change);
    return feature_edit_update(ctx, e, r->layer, &(struct feature_update){&change.row, change.fields, change.field_count, false});
}

static int write_rows(struct ctx *ctx, struct feature_edit *e, const struct hosted_rows *r, const struct calculation *k,
                      const struct hosted_targets *targets, const struct feature_values *v, size_t formulas)
{
    for (size_t i = 0; i < v->count; i++) {
        struct arena_mark mark = arena_mark(ctx->arena);
        const struct hosted_target *t = hosted_targets_find(targets, v->oids[i]);
        int rc = t ? calculate_row(ctx, e, r, k, v->values + i * formulas, t) : RC_OK;
        if (rc == RC_FAIL && err_is(ctx, &ERR_INVALID)) {
            const char *text = arena_cstr(ctx->arena, str_c(err_text(ctx)));
            err_clear(ctx);
            return err_set(ctx, &ERR_FEATURE, "Feature %lld: %s", (long long)v->oids[i], text);
        }
        TRY(rc);
        arena_release(ctx->arena, mark);
        TRY(ctx_check(ctx));
    }
    return RC_OK;
}

int hosted_calculate(struct ctx *ctx, struct site *s, const struct caller *c, const struct hosted_service *h,
                     const struct layer *l, const struct where *where, struct json expressions, int64_t *count_out)
{
    struct hosted_rows rows;
    struct calculation k = {.count = 0};
    struct hosted_targets targets;
    struct feature_values values;
    const struct feature_query q = {.where = where, .limit = -1};
    int64_t moment;
    size_t formulas = 0;
    TRY(hosted_rows_open(ctx, l, c, &rows));
    TRY(read_expressions(ctx, &rows, expressions, &k));
    struct where **trees = arena_array(ctx->arena, struct where *, k.count);
    for (size_t i = 0; i < k.count; i++)
        if (k.formulas[i])
            trees[formulas++] = k.formulas[i];
    CLEANUP(feature_edit_cleanup) struct feature_edit *e = NULL;
    TRY(feature_edit_begin(ctx, s->features, &h->store, &e));
    TRY(feature_edit_values(ctx, e, l, &q, trees, formulas, &values));
    hosted_targets_open(&rows, &targets);
    TRY(hosted_targets_oids(ctx, e, &targets, values.oids, values.count));
    hosted_targets_sort(&targets, false);
    for (size_t i = 0; i < targets.count; i++)
        TRY(hosted_ownership_check(ctx, c, h, &rows, &targets.list[i]));
    TRY(write_rows(ctx, e, &rows, &k, &targets, &values, formulas));
    *count_out = (int64_t)values.count;
    return feature_edit_commit(ctx, e, &moment);
}
