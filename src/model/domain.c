/* Domains of fields: see domain.h. */
#include "model/domain.h"

static int bad(struct ctx *ctx, const struct field *f, const char *what)
{
    return err_set(ctx, &ERR_INVALID, "domain of field '%.*s': %s", STR_FMT(f->name), what);
}

/* A code or type id in the kind of value that the field holds. */
static bool code_value(struct ctx *ctx, struct json v, const struct field *f, struct value *out)
{
    *out = (struct value){.kind = VALUE_TEXT, .s = json_string(v, ctx->arena)};
    if (f->type == FIELD_STRING) {
        if (json_is(v, JSON_NUMBER))
            out->s = json_raw(v);
        return !str_none(out->s);
    }
    if (f->type == FIELD_DOUBLE || f->type == FIELD_SINGLE) {
        out->kind = VALUE_DOUBLE;
        return json_double(v, &out->d);
    }
    if (!str_none(out->s)) /* a text field's neighbours: dates without time, GUIDs */
        return true;
    out->kind = VALUE_INT;
    return json_int(v, &out->i);
}

static int parse_codes(struct ctx *ctx, struct json list, const struct field *f, struct domain *out)
{
    struct json v;
    if (!json_is(list, JSON_ARRAY))
        return bad(ctx, f, "'codedValues' has to be an array");
    out->codes = arena_array(ctx->arena, struct value, json_count(list));
    for (struct json_iter it = json_each(list); json_next(&it, NULL, &v);)
        if (!code_value(ctx, json_get_c(v, "code"), f, &out->codes[out->code_count++]))
            return bad(ctx, f, "a code that is no value of the field");
    return RC_OK;
}

int domain_parse(struct ctx *ctx, struct json v, const struct field *f, struct domain *out)
{
    str type = json_string_or(json_get_c(v, "type"), ctx->arena, STR(""));
    *out = (struct domain){.name = json_string_or(json_get_c(v, "name"), ctx->arena, STR(""))};
    if (json_absent(v) || json_is(v, JSON_NULL) || str_eq(type, STR("inherited")))
        return RC_OK;
    if (str_eq(type, STR("codedValue"))) {
        out->kind = DOMAIN_CODED;
        return parse_codes(ctx, json_get_c(v, "codedValues"), f, out);
    }
    if (!str_eq(type, STR("range")))
        return bad(ctx, f, "'type' has to be codedValue or range");
    struct json range = json_get_c(v, "range");
    out->kind = DOMAIN_RANGE;
    if (!json_double(json_at(range, 0), &out->least) || !json_double(json_at(range, 1), &out->most) || out->least > out->most)
        return bad(ctx, f, "'range' has to be two numbers, the lesser one first");
    return RC_OK;
}

static double number_of(const struct value *v) { return v->kind == VALUE_INT ? (double)v->i : v->d; }

static bool same(const struct value *a, const struct value *b)
{
    if (a->kind == VALUE_TEXT || b->kind == VALUE_TEXT)
        return a->kind == b->kind && str_eq(a->s, b->s);
    if (a->kind == VALUE_INT && b->kind == VALUE_INT)
        return a->i == b->i;
    return number_of(a) == number_of(b);
}

bool domain_has(const struct domain *d, const struct value *v)
{
    if (d->kind == DOMAIN_NONE || v->kind == VALUE_NULL || v->kind == VALUE_BLOB)
        return true;
    if (d->kind == DOMAIN_RANGE)
        return v->kind == VALUE_TEXT || (number_of(v) >= d->least && number_of(v) <= d->most);
    for (size_t i = 0; i < d->code_count; i++)
        if (same(&d->codes[i], v))
            return true;
    return false;
}

/* ---- of a layer ---- */

static int parse_type(struct ctx *ctx, const struct layer_domains *d, struct json v, struct layer_type *out)
{
    const struct layer *l = d->layer;
    struct json name, domain;
    out->own = arena_array(ctx->arena, bool, l->field_count);
    out->domains = arena_array(ctx->arena, struct domain, l->field_count);
    if (!code_value(ctx, json_get_c(v, "id"), &l->fields[d->type_field], &out->id))
        return bad(ctx, &l->fields[d->type_field], "a type whose 'id' is no value of the field");
    for (struct json_iter it = json_each(json_get_c(v, "domains")); json_next(&it, &name, &domain);) {
        size_t index;
        const struct field *f = layer_field(l, json_string(name, ctx->arena), &index);
        if (!f || json_string_eq(json_get_c(domain, "type"), STR("inherited")))
            continue;
        out->own[index] = true;
        TRY(domain_parse(ctx, domain, f, &out->domains[index]));
    }
    return RC_OK;
}

int domain_layer_parse(struct ctx *ctx, const struct layer *l, struct layer_domains *out)
{
    *out = (struct layer_domains){
        .layer = l, .type_field = SIZE_MAX, .fields = arena_array(ctx->arena, struct domain, l->field_count)};
    for (size_t i = 0; i < l->field_count; i++) {
        struct json v = JSON_ABSENT;
        if (!str_empty(l->fields[i].domain))
            TRY(json_parse(ctx, l->fields[i].domain, &v));
        TRY(domain_parse(ctx, v, &l->fields[i], &out->fields[i]));
    }
    struct json types = json_get_c(l->json, "types"), v;
    str name = json_string_or(json_get_c(l->json, "typeIdField"), ctx->arena, STR(""));
    if (str_empty(name))
        name = json_string_or(json_get_c(l->json, "subtypeField"), ctx->arena, STR(""));
    if (!layer_field(l, name, &out->type_field)) {
        out->type_field = SIZE_MAX;
        return RC_OK;
    }
    out->types = arena_array(ctx->arena, struct layer_type, json_count(types));
    for (struct json_iter it = json_each(types); json_next(&it, NULL, &v);)
        TRY(parse_type(ctx, out, v, &out->types[out->type_count++]));
    return RC_OK;
}

const struct domain *domain_of(const struct layer_domains *d, size_t field, const struct value *type)
{
    for (size_t i = 0; type && i < d->type_count; i++)
        if (same(&d->types[i].id, type) && d->types[i].own[field])
            return &d->types[i].domains[field];
    return &d->fields[field];
}
