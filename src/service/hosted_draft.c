/* A definition while it is being changed: the layers as texts, put together and checked at the end. */
#include "service/hosted_private.h"

enum { DEFINITION_MAX = 256 << 20 };

static const char *const cardinalities[] = {[RELATION_ONE_TO_ONE] = "esriRelCardinalityOneToOne",
                                            [RELATION_ONE_TO_MANY] = "esriRelCardinalityOneToMany",
                                            [RELATION_MANY_TO_MANY] = "esriRelCardinalityManyToMany"};

void hosted_draft_add(struct ctx *ctx, struct hosted_draft *d, int32_t layer_id, bool is_table, str text)
{
    d->layers = arena_grow(ctx->arena, d->layers, &d->capacity, d->count + 1, sizeof *d->layers);
    d->layers[d->count++] = (struct hosted_draft_layer){.id = layer_id, .is_table = is_table, .text = text};
}

static void add_all(struct ctx *ctx, struct hosted_draft *d, struct json list, bool is_table)
{
    struct json v;
    for (struct json_iter it = json_each(list); json_next(&it, NULL, &v);) {
        int64_t layer_id = 0;
        json_int(json_get_c(v, "id"), &layer_id);
        hosted_draft_add(ctx, d, (int32_t)layer_id, is_table, json_raw(v));
    }
}

void hosted_draft_open(struct ctx *ctx, const struct service *def, struct hosted_draft *d)
{
    *d = (struct hosted_draft){.service = def->json};
    add_all(ctx, d, json_get_c(def->json, "layers"), false);
    add_all(ctx, d, json_get_c(def->json, "tables"), true);
}

struct hosted_draft_layer *hosted_draft_find(struct hosted_draft *d, int32_t layer_id)
{
    for (size_t i = 0; i < d->count; i++)
        if (d->layers[i].id == layer_id)
            return &d->layers[i];
    return NULL;
}

void hosted_draft_remove(struct hosted_draft *d, int32_t layer_id)
{
    size_t kept = 0;
    for (size_t i = 0; i < d->count; i++)
        if (d->layers[i].id != layer_id)
            d->layers[kept++] = d->layers[i];
    d->count = kept;
}

int32_t hosted_draft_next_id(const struct hosted_draft *d)
{
    int32_t next = 0;
    for (size_t i = 0; i < d->count; i++)
        if (d->layers[i].id >= next)
            next = d->layers[i].id + 1;
    return next;
}

/* ---- relationships ---- */

static int64_t id_of(struct json v, int64_t otherwise)
{
    int64_t n;
    return json_int(json_get_c(v, "id"), &n) ? n : otherwise;
}

static bool has_id(struct json list, int64_t wanted)
{
    struct json v;
    for (struct json_iter it = json_each(list); json_next(&it, NULL, &v);)
        if (id_of(v, -1) == wanted)
            return true;
    return false;
}

static int64_t next_relation_id(struct json old, struct json added)
{
    int64_t next = 0;
    struct json v, lists[] = {old, added};
    for (size_t i = 0; i < COUNT_OF(lists); i++)
        for (struct json_iter it = json_each(lists[i]); json_next(&it, NULL, &v);)
            if (id_of(v, -1) >= next)
                next = id_of(v, -1) + 1;
    return next;
}

int hosted_draft_relate(struct ctx *ctx, struct hosted_draft *d, struct hosted_draft_layer *l, struct json relationships)
{
    (void)d;
    struct json layer, v;
    if (json_count(relationships) == 0)
        return RC_OK;
    TRY(json_parse(ctx, l->text, &layer));
    struct json old = json_get_c(layer, "relationships");
    CLEANUP(buf_free) struct buf b = BUF_INIT(DEFINITION_MAX);
    struct json_out o;
    json_out_buf(&o, ctx, &b);
    json_begin_array(&o);
    for (struct json_iter it = json_each(old); json_next(&it, NULL, &v);)
        if (!has_id(relationships, id_of(v, -1)))
            json_put_raw(&o, json_raw(v));
    int64_t next = next_relation_id(old, relationships);
    for (struct json_iter it = json_each(relationships); json_next(&it, NULL, &v);) {
        if (!json_is(v, JSON_OBJECT))
            return err_set(ctx, &ERR_DEFINITION, "A relationship has to be a JSON object.");
        const struct hosted_member list[] = {
            {"id", json_absent(json_get_c(v, "id")) ? arena_printf(ctx->arena, "%lld", (long long)next++) : STR("0"), false},
            {"name", STR("\"\""), false},
            {"composite", STR("false"), false},
        };
        json_put_raw(&o, hosted_json_object(ctx, v, list, COUNT_OF(list)));
    }
    json_end_array(&o);
    const struct hosted_member list[] = {{"relationships", arena_str(ctx->arena, buf_str(&b)), true}};
    l->text = hosted_json_object(ctx, layer, list, COUNT_OF(list));
    return RC_OK;
}

/* The half of `r` that its related layer lacks. The key there is the field of the same name. */
static int add_other_half(struct ctx *ctx, struct hosted_draft *d, const struct service *def, const struct layer *l,
                          const struct layer_relation *r)
{
    const struct layer *related = service_layer(def, r->related_layer);
    struct hosted_draft_layer *target = hosted_draft_find(d, r->related_layer);
    const struct field *key = layer_field(related, r->key_field, NULL);
    if (!key)
        return err_set(ctx, &ERR_DEFINITION,
                       "Relationship %d of layer %d: layer %d has no relationship back, and no field '%.*s' to make one with.",
                       r->id, l->id, related->id, STR_FMT(r->key_field));
    str text =
        arena_printf(ctx->arena,
                     "[{\"id\":%d,\"name\":%.*s,\"relatedTableId\":%d,\"cardinality\":\"%s\",\"role\":\"%s\",\"keyField\":%.*s,"
                     "\"composite\":%s}]",
                     r->id, STR_FMT(hosted_json_string(ctx, r->name)), l->id, cardinalities[r->cardinality],
                     r->origin ? "esriRelRoleDestination" : "esriRelRoleOrigin", STR_FMT(hosted_json_string(ctx, key->name)),
                     r->composite ? "true" : "false");
    struct json half;
    TRY(json_parse(ctx, text, &half));
    return hosted_draft_relate(ctx, d, target, half);
}

/* ---- completing ---- */

static int complete_all(struct ctx *ctx, struct hosted_draft *d, struct json list, bool are_tables)
{
    struct json v;
    if (json_count(list) > SERVICE_LAYERS_MAX)
        return err_set(ctx, &ERR_DEFINITION, "More than %d layers.", SERVICE_LAYERS_MAX);
    for (struct json_iter it = json_each(list); json_next(&it, NULL, &v);) {
        bool is_table = are_tables || json_string_eq(json_get_c(v, "type"), STR("Table"));
        int32_t layer_id = (int32_t)id_of(v, hosted_draft_next_id(d));
        str text;
        TRY(hosted_complete_layer(ctx, d->service, v, layer_id, is_table, &text));
        hosted_draft_add(ctx, d, layer_id, is_table, text);
        TRY(hosted_draft_relate(ctx, d, &d->layers[d->count - 1], json_get_c(v, "relationships")));
    }
    return RC_OK;
}

int hosted_draft_complete(struct ctx *ctx, str name, str definition, int32_t record_count, struct hosted_draft *d)
{
    struct json given;
    str text;
    *d = (struct hosted_draft){0};
    TRY(json_parse(ctx, definition, &given));
    TRY(hosted_complete_service(ctx, name, given, record_count, &text));
    TRY(json_parse(ctx, text, &d->service));
    TRY(complete_all(ctx, d, json_get_c(d->service, "layers"), false));
    return complete_all(ctx, d, json_get_c(d->service, "tables"), true);
}

/* ---- finishing ---- */

static str layer_list(struct ctx *ctx, const struct hosted_draft *d, bool tables)
{
    CLEANUP(buf_free) struct buf b = BUF_INIT(DEFINITION_MAX);
    struct json_out o;
    json_out_buf(&o, ctx, &b);
    json_begin_array(&o);
    for (size_t i = 0; i < d->count; i++)
        if (d->layers[i].is_table == tables)
            json_put_raw(&o, d->layers[i].text);
    json_end_array(&o);
    return arena_str(ctx->arena, buf_str(&b));
}

/* Put together and parsed; what is wrong with it is the API's error. */
static int put_together(struct ctx *ctx, const struct hosted_draft *d, const struct hosted_member *list, size_t count,
                        str *text_out, struct service *def_out)
{
    struct hosted_member *all = arena_array(ctx->arena, struct hosted_member, count + 2);
    for (size_t i = 0; i < count; i++)
        all[i] = list[i];
    all[count] = (struct hosted_member){"layers", layer_list(ctx, d, false), true};
    all[count + 1] = (struct hosted_member){"tables", layer_list(ctx, d, true), true};
    *text_out = hosted_json_object(ctx, d->service, all, count + 2);
    struct ctx child;
    ctx_child(&child, ctx);
    struct arena *own = child.arena;
    child.arena = ctx->arena; /* the result stays */
    int rc = service_parse(&child, *text_out, def_out);
    arena_close(own);
    if (rc != RC_OK && err_is(&child, &ERR_INVALID))
        return err_set(ctx, &ERR_DEFINITION, "%s", err_text(&child));
    return ctx_adopt_error(ctx, &child, rc);
}

int hosted_draft_finish(struct ctx *ctx, struct hosted_draft *d, const struct hosted_member *list, size_t count, str *text_out)
{
    struct service def;
    TRY(put_together(ctx, d, list, count, text_out, &def));
    bool added = false;
    for (size_t i = 0; i < def.layer_count; i++) {
        const struct layer *l = &def.layers[i];
        for (size_t k = 0; k < l->relation_count && hosted_draft_find(d, l->id)->touched; k++) {
            const struct layer_relation *r = &l->relations[k];
            if (r->related_layer == l->id || hosted_relation_other(&def, l, r))
                continue;
            TRY(add_other_half(ctx, d, &def, l, r));
            added = true;
        }
    }
    return added ? put_together(ctx, d, list, count, text_out, &def) : RC_OK;
}
