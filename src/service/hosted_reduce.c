/* deleteFromDefinition: layers and tables of a service; fields, indexes, relationships, types and templates of a layer. Something
 * that others need is not deleted: they are named instead. */
#include "service/hosted_private.h"
#include "service/hosted_view.h"

enum { TEXT_MAX = 256 << 20 };

/* The arrays of a layer that entries are deleted from, and what they are named by. */
static const struct {
    const char *list, *key;
} PARTS[] = {{"fields", "name"}, {"indexes", "name"}, {"relationships", "id"}, {"types", "id"}, {"templates", "name"}};

/* The key of an entry as text: names without regard to case, numbers as they stand. */
static str key_of(struct ctx *ctx, struct json entry, const char *key)
{
    struct json v = json_get_c(entry, key);
    return json_is(v, JSON_NUMBER) ? json_raw(v) : json_string_or(v, ctx->arena, STR(""));
}

static bool is_listed(struct ctx *ctx, struct json list, const char *key, str wanted)
{
    struct json v;
    for (struct json_iter it = json_each(list); json_next(&it, NULL, &v);)
        if (str_ieq(key_of(ctx, v, key), wanted))
            return true;
    return false;
}

/* The array without the entries of `gone`, each of which has to be there. */
static int array_without(struct ctx *ctx, struct json list, struct json gone, const char *name, const char *key, str *out)
{
    CLEANUP(buf_free) struct buf b = BUF_INIT(TEXT_MAX);
    struct json_out o;
    struct json v;
    for (struct json_iter it = json_each(gone); json_next(&it, NULL, &v);) {
        str wanted = key_of(ctx, v, key);
        if (!is_listed(ctx, list, key, wanted))
            return err_set(ctx, &ERR_DEFINITION, "'%s': there is no '%.*s'.", name, STR_FMT(str_sub(wanted, 0, 200)));
    }
    json_out_buf(&o, ctx, &b);
    json_begin_array(&o);
    for (struct json_iter it = json_each(list); json_next(&it, NULL, &v);)
        if (!is_listed(ctx, gone, key, key_of(ctx, v, key)))
            json_put_raw(&o, json_raw(v));
    json_end_array(&o);
    *out = arena_str(ctx->arena, buf_str(&b));
    return RC_OK;
}

/* ---- fields ---- */

/* What of the layer names a field besides relationships, which the definition's own check knows. */
static const char *user_of(struct ctx *ctx, const struct layer *l, size_t field)
{
    static const char *const TRACKED[] = {"creationDateField", "creatorField", "editDateField", "editorField"};
    const struct field *f = &l->fields[field];
    if (field == l->oid_field)
        return "it is the object id";
    if (field == l->globalid_field)
        return "it is the GlobalID";
    if (str_ieq(json_string_or(json_get_c(l->json, "typeIdField"), ctx->arena, STR("")), f->name))
        return "types depend on it";
    struct json info = json_get_c(l->json, "editFieldsInfo");
    for (size_t i = 0; i < COUNT_OF(TRACKED); i++)
        if (str_ieq(json_string_or(json_get_c(info, TRACKED[i]), ctx->arena, STR("")), f->name))
            return "editor tracking keeps it";
    for (size_t i = 0; i < l->relation_count; i++)
        if (str_ieq(l->relations[i].key_field, f->name))
            return "a relationship depends on it";
    return NULL;
}

static int check_fields(struct ctx *ctx, const struct layer *l, struct json gone)
{
    struct json v;
    for (struct json_iter it = json_each(gone); json_next(&it, NULL, &v);) {
        size_t index;
        const struct field *f = layer_field(l, key_of(ctx, v, "name"), &index);
        const char *why = f ? user_of(ctx, l, index) : NULL;
        if (why)
            return err_set(ctx, &ERR_DEFINITION, "Field '%.*s' cannot be deleted: %s.", STR_FMT(f->name), why);
    }
    return RC_OK;
}

/* Indexes go with their fields, and the display field becomes the object id. */
static str indexes_without(struct ctx *ctx, struct json indexes, struct json fields)
{
    CLEANUP(buf_free) struct buf b = BUF_INIT(TEXT_MAX);
    struct json_out o;
    struct json v;
    json_out_buf(&o, ctx, &b);
    json_begin_array(&o);
    for (struct json_iter it = json_each(indexes); json_next(&it, NULL, &v);) {
        str rest = json_string_or(json_get_c(v, "fields"), ctx->arena, STR("")), piece;
        bool keep = true;
        while (str_split(&rest, ',', &piece))
            keep &= !is_listed(ctx, fields, "name", str_trim(piece));
        if (keep)
            json_put_raw(&o, json_raw(v));
    }
    json_end_array(&o);
    return arena_str(ctx->arena, buf_str(&b));
}

/* ---- a layer ---- */

/* The other halves of relationships that go. */
static int drop_other_halves(struct ctx *ctx, struct hosted_draft *d, const struct service *def, const struct layer *l,
                             struct json gone)
{
    for (size_t i = 0; i < l->relation_count; i++) {
        const struct layer_relation *r = &l->relations[i];
        if (!is_listed(ctx, gone, "id", arena_printf(ctx->arena, "%d", r->id)))
            continue;
        const struct layer_relation *other = hosted_relation_other(def, l, r);
        struct hosted_draft_layer *t = hosted_draft_find(d, r->related_layer);
        struct json layer, half;
        str rest;
        if (!other || !t)
            continue;
        TRY(json_parse(ctx, t->text, &layer));
        TRY(json_parse(ctx, arena_printf(ctx->arena, "[{\"id\":%d}]", other->id), &half));
        TRY(array_without(ctx, json_get_c(layer, "relationships"), half, "relationships", "id", &rest));
        const struct hosted_member list[] = {{"relationships", rest, true}};
        t->text = hosted_json_object(ctx, layer, list, COUNT_OF(list));
    }
    return RC_OK;
}

static int reduce_layer(struct ctx *ctx, struct hosted_draft *d, const struct service *def, int32_t layer_id, struct json change)
{
    struct hosted_member list[COUNT_OF(PARTS) + 2];
    size_t count = 0;
    struct json layer;
    struct hosted_draft_layer *draft = hosted_draft_find(d, layer_id);
    const struct layer *l = service_layer(def, layer_id);
    if (!draft || !l)
        return err_set(ctx, &ERR_LAYER_MISSING, "Invalid URL");
    struct json fields = json_get_c(change, "fields"), relations = json_get_c(change, "relationships");
    TRY(check_fields(ctx, l, fields));
    TRY(drop_other_halves(ctx, d, def, l, relations));
    TRY(json_parse(ctx, draft->text, &layer));
    for (size_t i = 0; i < COUNT_OF(PARTS); i++) {
        struct json gone = json_get_c(change, PARTS[i].list);
        if (json_count(gone) == 0)
            continue;
        list[count] = (struct hosted_member){.name = PARTS[i].list, .replace = true};
        TRY(array_without(ctx, json_get_c(layer, PARTS[i].list), gone, PARTS[i].list, PARTS[i].key, &list[count++].raw));
    }
    if (json_count(fields) && json_count(json_get_c(change, "indexes")) == 0)
        list[count++] = (struct hosted_member){"indexes", indexes_without(ctx, json_get_c(layer, "indexes"), fields), true};
    if (is_listed(ctx, fields, "name", l->display_field))
        list[count++] = (struct hosted_member){"displayField", hosted_json_string(ctx, l->fields[l->oid_field].name), true};
    if (count == 0)
        return err_set(ctx, &ERR_DEFINITION, "There is nothing to delete in 'deleteFromDefinition'.");
    draft->text = hosted_json_object(ctx, layer, list, count);
    return RC_OK;
}

/* ---- a service ---- */

/* Layers that others are related to stay until the relationship is deleted. */
static int drop_layers(struct ctx *ctx, struct hosted_draft *d, const struct service *def, struct json list, size_t *dropped)
{
    struct json v;
    for (struct json_iter it = json_each(list); json_next(&it, NULL, &v);) {
        int64_t wanted = -1;
        if (!json_int(json_get_c(v, "id"), &wanted) || wanted < 0 || wanted > INT32_MAX || !hosted_draft_find(d, (int32_t)wanted))
            return err_set(ctx, &ERR_DEFINITION, "There is no layer or table '%.*s' to delete.", STR_FMT(key_of(ctx, v, "id")));
        for (size_t i = 0; i < def->layer_count; i++)
            for (size_t k = 0; k < def->layers[i].relation_count; k++)
                if (def->layers[i].relations[k].related_layer == wanted && def->layers[i].id != wanted)
                    return err_set(ctx, &ERR_DEFINITION, "Layer %lld cannot be deleted: layer %d has a relationship with it.",
                                   (long long)wanted, def->layers[i].id);
        hosted_draft_remove(d, (int32_t)wanted);
        ++*dropped;
    }
    return RC_OK;
}

struct views_call {
    id item;
    struct hosted *list;
    size_t count;
};

static int views_rows(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
    struct views_call *call = arg;
    return meta_hosted_views(ctx, tx, &call->item, &call->list, &call->count);
}

/* Layers and fields that views may show stay as long as there are views. */
static int check_views(struct ctx *ctx, struct site *s, const struct hosted_service *h, int32_t layer_id, struct json change)
{
    struct views_call call = {.item = h->item};
    if (layer_id >= 0 && json_count(json_get_c(change, "fields")) == 0)
        return RC_OK;
    TRY(sql_read(ctx, s->sql, views_rows, &call));
    return call.count == 0 ? RC_OK
                           : err_set(ctx, &ERR_DEFINITION,
                                     "Layers and fields cannot be deleted: there are views of the service, '%.*s' is one.",
                                     STR_FMT(call.list[0].name));
}

static int reduce(struct ctx *ctx, struct hosted_draft *d, const struct service *def, int32_t layer_id, struct json change)
{
    size_t dropped = 0;
    if (layer_id >= 0)
        return reduce_layer(ctx, d, def, layer_id, change);
    TRY(drop_layers(ctx, d, def, json_get_c(change, "layers"), &dropped));
    TRY(drop_layers(ctx, d, def, json_get_c(change, "tables"), &dropped));
    return dropped ? RC_OK : err_set(ctx, &ERR_DEFINITION, "There is nothing to delete in 'deleteFromDefinition'.");
}

int hosted_delete_from_definition(struct ctx *ctx, struct site *s, const struct caller *c, str name, int32_t layer_id,
                                  struct json change)
{
    hosted_cache_lock(s->hosted, true);
    CLEANUP(hosted_cache_unlock) struct hosted_cache *locked = s->hosted;
    (void)locked;
    CLEANUP(hosted_release) struct hosted_service *h = NULL;
    struct hosted_draft d;
    str text;
    TRY(hosted_open_admin(ctx, s, c, name, &h));
    if (!json_is(change, JSON_OBJECT))
        return err_set(ctx, &ERR_DEFINITION, "'deleteFromDefinition' has to be a JSON object.");
    hosted_draft_open(ctx, &h->def, &d);
    TRY(reduce(ctx, &d, &h->def, layer_id, change));
    TRY(hosted_draft_finish(ctx, &d, NULL, 0, &text));
    if (!hosted_is_view(&h->def)) {
        TRY(check_views(ctx, s, h, layer_id, change));
        return hosted_commit(ctx, s, h, text);
    }
    CLEANUP(hosted_release) struct hosted_service *source = NULL;
    TRY(hosted_view_open_again(ctx, s, h, &source));
    return hosted_commit_view(ctx, s, h, source, text);
}
