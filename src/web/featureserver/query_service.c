/* Queries of a whole service: several layers at once, the domains of their fields; and whether a clause is one. */
#include "base/num.h"
#include "web/featureserver/query.h"

enum { DEFINITIONS_MAX = 500 };

/* ---- layerDefs ---- */

/* A layer with what is asked of it. */
struct definition {
    int64_t layer;
    str where, out_fields;
};
struct definitions {
    struct definition list[DEFINITIONS_MAX];
    size_t count;
};

static int refuse(struct ctx *ctx)
{
    return err_set(ctx, &ERR_FEATURE,
                   "'layerDefs' parameter is invalid: {\"0\":\"where\"}, 0:where;1:where or a list of "
                   "{\"layerId\",\"where\",\"outFields\"} is needed.");
}

static int add_definition(struct ctx *ctx, struct definitions *d, int64_t layer, str where, str out_fields)
{
    if (d->count == DEFINITIONS_MAX)
        return err_set(ctx, &ERR_FEATURE, "More than %d layers.", DEFINITIONS_MAX);
    d->list[d->count++] = (struct definition){layer, where, out_fields};
    return RC_OK;
}

/* 0:where;1:where */
static int read_simple(struct ctx *ctx, str text, str out_fields, struct definitions *d)
{
    str rest = text, piece;
    int64_t layer;
    while (str_split(&rest, ';', &piece)) {
        size_t colon = str_find_char(piece, ':', 0);
        if (colon == SIZE_MAX || !num_parse_int(str_trim(str_sub(piece, 0, colon)), &layer))
            return refuse(ctx);
        TRY(add_definition(ctx, d, layer, str_sub(piece, colon + 1, piece.n), out_fields));
    }
    return RC_OK;
}

static int read_definitions(struct ctx *ctx, const struct call *call, struct definitions *d)
{
    str text = str_trim(call_param(call, "layerDefs")), out_fields = call_param(call, "outFields");
    struct json v, name, entry;
    int64_t layer;
    out_fields = str_empty(out_fields) ? STR("*") : out_fields;
    if (str_empty(text))
        return refuse(ctx);
    if (!json_try_parse(ctx->arena, text, &v))
        return read_simple(ctx, text, out_fields, d);
    struct json_iter it = json_each(v);
    if (!json_is(v, JSON_OBJECT) && !json_is(v, JSON_ARRAY))
        return refuse(ctx);
    while (json_next(&it, &name, &entry)) {
        bool listed = json_is(v, JSON_ARRAY);
        struct json id_of = json_get_c(entry, "layerId");
        bool numbered = listed ? json_int(id_of, &layer) || num_parse_int(json_string_or(id_of, ctx->arena, STR("")), &layer)
                               : num_parse_int(str_trim(json_string(name, ctx->arena)), &layer);
        if (!numbered)
            return refuse(ctx);
        struct json where = listed ? json_get_c(entry, "where") : entry;
        TRY(add_definition(ctx, d, layer, json_string_or(where, ctx->arena, STR("")),
                           listed ? json_string_or(json_get_c(entry, "outFields"), ctx->arena, out_fields) : out_fields));
    }
    return RC_OK;
}

/* ---- the answers ---- */

static int put_layer(struct ctx *ctx, struct call *call, const struct definition *d)
{
    CLEANUP(features_request_close) struct features_request rq = {0};
    struct json_out *o = &call->out;
    int64_t count;
    TRY(hosted_open(ctx, call->site, &call->caller, call_path(call, "name"), FEATURE_QUERY, &rq.service));
    rq.layer = d->layer <= INT32_MAX ? service_layer(&rq.service->def, (int32_t)d->layer) : NULL;
    if (!rq.layer)
        return err_set(ctx, &ERR_FEATURE, "'layerDefs' parameter is invalid: there is no layer %lld.", (long long)d->layer);
    TRY(features_request_read(ctx, call, str_empty(str_trim(d->where)) ? STR("1=1") : d->where, d->out_fields, &rq));
    json_begin_object(o);
    json_member_int(o, "id", d->layer);
    if (call_bool(call, "returnCountOnly")) {
        TRY(features_count(ctx, call, &rq, &count));
        json_member_int(o, "count", count);
    } else {
        TRY(features_put_whole(ctx, call, &rq));
    }
    json_end_object(o);
    return RC_OK;
}

static int put_layers(struct ctx *ctx, struct call *call)
{
    struct definitions *d = arena_new(ctx->arena, struct definitions);
    struct json_out *o = &call->out;
    d->count = 0;
    if (call->format == FORMAT_PBF || call->format == FORMAT_GEOJSON)
        return err_set(ctx, &ERR_PARAMETER, "A query of a whole service is answered as JSON.");
    TRY(read_definitions(ctx, call, d));
    json_begin_object(o);
    json_name(o, "layers");
    json_begin_array(o);
    for (size_t i = 0; i < d->count; i++)
        TRY(put_layer(ctx, call, &d->list[i]));
    json_end_array(o);
    json_end_object(o);
    return RC_OK;
}

int features_service_query(struct ctx *ctx, struct call *call)
{
    CLEANUP(hosted_release) struct hosted_service *h = NULL;
    TRY(hosted_open(ctx, call->site, &call->caller, call_path(call, "name"), FEATURE_QUERY, &h));
    if (call->format == FORMAT_HTML && !call_has(call, "layerDefs")) { /* a browser that has asked for nothing yet */
        json_begin_object(&call->out);
        json_end_object(&call->out);
        return RC_OK;
    }
    features_limit_time(ctx, call);
    return features_late(ctx, call, put_layers(ctx, call));
}

/* ---- domains ---- */

/* Each domain once, by its name. */
struct domains {
    struct json_out *out;
    str *seen;
    size_t count, capacity;
};

static void put_domain(struct ctx *ctx, struct domains *d, struct json domain)
{
    str name = json_string_or(json_get_c(domain, "name"), ctx->arena, STR(""));
    if (!json_is(domain, JSON_OBJECT) || json_string_eq(json_get_c(domain, "type"), STR("inherited")))
        return;
    for (size_t i = 0; i < d->count; i++)
        if (str_eq(d->seen[i], name))
            return;
    d->seen = arena_grow(ctx->arena, d->seen, &d->capacity, d->count + 1, sizeof *d->seen);
    d->seen[d->count++] = name;
    json_put_raw(d->out, json_raw(domain));
}

static void put_domains_of(struct ctx *ctx, struct domains *d, const struct layer *l)
{
    struct json v, domain;
    for (size_t i = 0; i < l->field_count; i++)
        if (!str_empty(l->fields[i].domain) && json_try_parse(ctx->arena, l->fields[i].domain, &v))
            put_domain(ctx, d, v);
    struct json_iter types = json_each(json_get_c(l->json, "types"));
    while (json_next(&types, NULL, &v)) {
        struct json_iter it = json_each(json_get_c(v, "domains"));
        while (json_next(&it, NULL, &domain))
            put_domain(ctx, d, domain);
    }
}

int features_query_domains(struct ctx *ctx, struct call *call)
{
    CLEANUP(hosted_release) struct hosted_service *h = NULL;
    struct domains d = {.out = &call->out};
    struct json list, v;
    int64_t layer;
    TRY(hosted_open(ctx, call->site, &call->caller, call_path(call, "name"), FEATURE_QUERY, &h));
    TRY(call_json(ctx, call, "layers", &list));
    if (!json_absent(list) && (!json_is(list, JSON_ARRAY) || !json_count(list)))
        return err_set(ctx, &ERR_FEATURE, "'layers' parameter is invalid: a list of layer ids is needed.");
    json_begin_object(&call->out);
    json_name(&call->out, "domains");
    json_begin_array(&call->out);
    for (size_t i = 0; json_absent(list) && i < h->def.layer_count; i++)
        put_domains_of(ctx, &d, &h->def.layers[i]);
    struct json_iter it = json_each(list);
    while (json_next(&it, NULL, &v)) {
        bool known = json_int(v, &layer) && layer >= 0 && layer <= INT32_MAX;
        const struct layer *l = known ? service_layer(&h->def, (int32_t)layer) : NULL;
        if (!l)
            return err_set(ctx, &ERR_FEATURE, "'layers' parameter is invalid: there is no layer %.*s.",
                           STR_FMT(str_sub(json_raw(v), 0, 64)));
        put_domains_of(ctx, &d, l);
    }
    json_end_array(&call->out);
    json_end_object(&call->out);
    return RC_OK;
}

/* ---- validateSQL ---- */

int features_validate_sql(struct ctx *ctx, struct call *call)
{
    CLEANUP(hosted_release) struct hosted_service *h = NULL;
    const struct layer *l;
    struct where *tree;
    enum where_type type;
    struct json_out *o = &call->out;
    str kind = str_trim(call_param(call, "sqlType")), sql = call_param(call, "sql");
    TRY(features_open_layer(ctx, call, FEATURE_QUERY, &h, &l));
    bool expression = str_ieq(kind, STR("expression"));
    if (!str_empty(kind) && !expression && !str_ieq(kind, STR("where")))
        return err_set(ctx, &ERR_FEATURE, "'sqlType' is where or expression: statements are not run here.");
    struct ctx child = *ctx; /* with an error record of its own, which is the answer */
    child.err = (struct err){0};
    int rc = expression ? where_parse_value(&child, sql, l, &tree, &type) : where_parse(&child, sql, l, &tree);
    if (rc != RC_OK && !err_is(&child, &ERR_INVALID))
        return ctx_adopt_error(ctx, &child, rc);
    json_begin_object(o);
    json_member_bool(o, "isValidSQL", rc == RC_OK);
    json_name(o, "validationErrors");
    json_begin_array(o);
    if (rc != RC_OK) {
        json_begin_object(o);
        json_member_int(o, "errorCode", ERR_FEATURE.code);
        json_member_c(o, "description", err_text(&child));
        json_end_object(o);
    }
    json_end_array(o);
    json_end_object(o);
    return RC_OK;
}
