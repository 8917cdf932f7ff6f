/* addToDefinition and updateDefinition: the change is made on a draft of the text, checked, and brought into force. What is not
 * named in the change stays byte for byte. */
#include "service/hosted_private.h"
#include "service/hosted_view.h"

enum { DEFINITION_MAX = 256 << 20, MEMBERS_MAX = 200 };

/* ---- merging ---- */

/* The members of a change as replacements, except those named in `without`. */
static int members_of(struct ctx *ctx, struct json change, const char *const *without, struct hosted_member *list,
                      size_t *count_out)
{
    struct json name, value;
    *count_out = 0;
    for (struct json_iter it = json_each(change); json_next(&it, &name, &value);) {
        bool skip = false;
        for (size_t i = 0; without[i]; i++)
            skip |= json_string_eq(name, str_c(without[i]));
        if (skip)
            continue;
        if (*count_out == MEMBERS_MAX)
            return err_set(ctx, &ERR_DEFINITION, "More than %d members.", MEMBERS_MAX);
        list[(*count_out)++] =
            (struct hosted_member){arena_cstr(ctx->arena, json_string(name, ctx->arena)), json_raw(value), true};
    }
    return RC_OK;
}

/* What is no array of objects would be passed over in silence, and a layer has no layers. */
static int check_arrays(struct ctx *ctx, int32_t layer_id, struct json change)
{
    if (layer_id >= 0 && !(json_absent(json_get_c(change, "layers")) && json_absent(json_get_c(change, "tables"))))
        return err_set(ctx, &ERR_DEFINITION, "'layers' and 'tables' belong to the operation of the service.");
    static const char *const names[] = {"layers", "tables", "fields", "relationships", "indexes", "types", "templates"};
    struct json v;
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        struct json list = json_get_c(change, names[i]);
        if (!json_absent(list) && !json_is(list, JSON_NULL) && !json_is(list, JSON_ARRAY))
            return err_set(ctx, &ERR_DEFINITION, "'%s' has to be an array.", names[i]);
        for (struct json_iter it = json_each(list); json_next(&it, NULL, &v);)
            if (!json_is(v, JSON_OBJECT))
                return err_set(ctx, &ERR_DEFINITION, "The entries of '%s' have to be objects.", names[i]);
    }
    return RC_OK;
}

static struct json field_named(struct json fields, str name, struct arena *a)
{
    struct json v;
    for (struct json_iter it = json_each(fields); json_next(&it, NULL, &v);)
        if (str_ieq(json_string_or(json_get_c(v, "name"), a, STR("")), name))
            return v;
    return JSON_ABSENT;
}

/* The fields with those of the change merged into them, by name in any case; name and type stay what they are. */
static int merge_fields(struct ctx *ctx, struct json fields, struct json changes, str *out)
{
    static const char *const fixed[] = {"name", "type", NULL};
    struct hosted_member list[MEMBERS_MAX];
    struct json v;
    size_t count;
    for (struct json_iter it = json_each(changes); json_next(&it, NULL, &v);) {
        str name = json_string_or(json_get_c(v, "name"), ctx->arena, STR(""));
        struct json there = field_named(fields, name, ctx->arena), type = json_get_c(v, "type");
        if (json_absent(there))
            return err_set(ctx, &ERR_DEFINITION, "There is no field '%.*s'.", STR_FMT(name));
        if (!json_absent(type) && !json_string_eq(json_get_c(there, "type"), json_string_or(type, ctx->arena, STR(""))))
            return err_set(ctx, &ERR_DEFINITION, "The type of field '%.*s' cannot be changed.", STR_FMT(name));
    }
    CLEANUP(buf_free) struct buf b = BUF_INIT(DEFINITION_MAX);
    struct json_out o;
    json_out_buf(&o, ctx, &b);
    json_begin_array(&o);
    for (struct json_iter it = json_each(fields); json_next(&it, NULL, &v);) {
        struct json change = field_named(changes, json_string_or(json_get_c(v, "name"), ctx->arena, STR("")), ctx->arena);
        TRY(members_of(ctx, change, fixed, list, &count));
        json_put_raw(&o, hosted_json_object(ctx, v, list, count));
    }
    json_end_array(&o);
    *out = arena_str(ctx->arena, buf_str(&b));
    return RC_OK;
}

/* ---- updateDefinition ---- */

static int update_layer(struct ctx *ctx, struct hosted_draft *d, int32_t layer_id, struct json change)
{
    static const char *const fixed[] = {"id",   "fields", "objectIdField", "uniqueIdField", "globalIdField",  "spatialReference",
                                        "type", "layers", "tables",        "serviceItemId", "currentVersion", NULL};
    struct hosted_member list[MEMBERS_MAX + 1];
    size_t count;
    struct json layer;
    struct hosted_draft_layer *l = hosted_draft_find(d, layer_id);
    if (!l)
        return err_set(ctx, &ERR_LAYER_MISSING, "Invalid URL");
    TRY(json_parse(ctx, l->text, &layer));
    TRY(members_of(ctx, change, fixed, list, &count));
    if (!json_absent(json_get_c(change, "fields"))) {
        str fields;
        TRY(merge_fields(ctx, json_get_c(layer, "fields"), json_get_c(change, "fields"), &fields));
        list[count++] = (struct hosted_member){"fields", fields, true};
    }
    l->text = hosted_json_object(ctx, layer, list, count);
    return RC_OK;
}

static int update_layers(struct ctx *ctx, struct hosted_draft *d, struct json list)
{
    struct json v;
    for (struct json_iter it = json_each(list); json_next(&it, NULL, &v);) {
        int64_t layer_id;
        if (!json_int(json_get_c(v, "id"), &layer_id) || layer_id < 0 || layer_id > INT32_MAX)
            return err_set(ctx, &ERR_DEFINITION, "A layer to update has to have an 'id'.");
        TRY(update_layer(ctx, d, (int32_t)layer_id, v));
    }
    return RC_OK;
}

static int update_draft(struct ctx *ctx, struct hosted_draft *d, int32_t layer_id, struct json change, str *out)
{
    static const char *const fixed[] = {"name", "layers", "tables", "serviceItemId", "currentVersion", "spatialReference", NULL};
    struct hosted_member list[MEMBERS_MAX];
    size_t count = 0;
    if (layer_id >= 0) {
        TRY(update_layer(ctx, d, layer_id, change));
    } else {
        TRY(members_of(ctx, change, fixed, list, &count));
        TRY(update_layers(ctx, d, json_get_c(change, "layers")));
        TRY(update_layers(ctx, d, json_get_c(change, "tables")));
    }
    return hosted_draft_finish(ctx, d, list, count, out);
}

int hosted_update_definition(struct ctx *ctx, struct site *s, const struct caller *c, str name, int32_t layer_id,
                             struct json change)
{
    if (!json_is(change, JSON_OBJECT))
        return err_set(ctx, &ERR_DEFINITION, "'updateDefinition' has to be a JSON object.");
    TRY(check_arrays(ctx, layer_id, change));
    hosted_cache_lock(s->hosted, true);
    CLEANUP(hosted_cache_unlock) struct hosted_cache *locked = s->hosted;
    (void)locked;
    CLEANUP(hosted_release) struct hosted_service *h = NULL;
    TRY(hosted_open_admin(ctx, s, c, name, &h));
    struct hosted_draft d;
    str text;
    hosted_draft_open(ctx, &h->def, &d);
    TRY(update_draft(ctx, &d, layer_id, change, &text));
    if (!hosted_is_view(&h->def))
        return hosted_commit(ctx, s, h, text);
    CLEANUP(hosted_release) struct hosted_service *source = NULL;
    TRY(hosted_view_open_again(ctx, s, h, &source));
    return hosted_commit_view(ctx, s, h, source, text);
}

/* ---- addToDefinition ---- */

static void answer_entry(struct json_out *o, str name, int32_t layer_id)
{
    json_begin_object(o);
    json_member_str(o, "name", name);
    json_member_int(o, "id", layer_id);
    json_end_object(o);
}

/* A new layer, or relationships for one that is there (clients.md 12: the second call of a clone). */
static int add_layer(struct ctx *ctx, struct hosted_draft *d, struct json v, bool in_tables, struct json_out *answer)
{
    int64_t wanted = hosted_draft_next_id(d);
    struct json given_id = json_get_c(v, "id");
    bool has_id = !json_absent(given_id) && !json_is(given_id, JSON_NULL);
    if (has_id && (!json_int(given_id, &wanted) || wanted < 0 || wanted > INT32_MAX))
        return err_set(ctx, &ERR_DEFINITION, "The 'id' of a layer has to be a number from 0.");
    struct hosted_draft_layer *l = hosted_draft_find(d, (int32_t)wanted);
    if (l && !json_absent(json_get_c(v, "fields")))
        return err_set(ctx, &ERR_DEFINITION, "There is a layer %lld already.", (long long)wanted);
    if (!l) {
        bool is_table = in_tables || json_string_eq(json_get_c(v, "type"), STR("Table"));
        str text;
        TRY(hosted_complete_layer(ctx, d->service, v, (int32_t)wanted, is_table, &text));
        hosted_draft_add(ctx, d, (int32_t)wanted, is_table, text);
        l = hosted_draft_find(d, (int32_t)wanted);
        answer_entry(answer, json_string_or(json_get_c(v, "name"), ctx->arena, STR("")), l->id);
    }
    l->touched = true;
    return hosted_draft_relate(ctx, d, l, json_get_c(v, "relationships"));
}

static int add_layers(struct ctx *ctx, struct hosted_draft *d, struct json list, bool in_tables, const char *name,
                      struct json_out *answer)
{
    struct json v;
    if (json_count(list) > SERVICE_LAYERS_MAX)
        return err_set(ctx, &ERR_DEFINITION, "More than %d entries in '%s'.", SERVICE_LAYERS_MAX, name);
    json_name(answer, name);
    json_begin_array(answer);
    for (struct json_iter it = json_each(list); json_next(&it, NULL, &v);)
        TRY(add_layer(ctx, d, v, in_tables, answer));
    json_end_array(answer);
    return RC_OK;
}

/* An array with more entries: fields are completed, others come as they are. */
static str longer_array(struct ctx *ctx, struct json old, struct json more, bool fields)
{
    CLEANUP(buf_free) struct buf b = BUF_INIT(DEFINITION_MAX);
    struct json_out o;
    struct json v;
    json_out_buf(&o, ctx, &b);
    json_begin_array(&o);
    for (struct json_iter it = json_each(old); json_next(&it, NULL, &v);)
        json_put_raw(&o, json_raw(v));
    for (struct json_iter it = json_each(more); json_next(&it, NULL, &v);)
        json_put_raw(&o, fields ? hosted_complete_field(ctx, v) : json_raw(v));
    json_end_array(&o);
    return arena_str(ctx->arena, buf_str(&b));
}

/* An index names fields of the layer, old or new ones. */
static int check_indexes(struct ctx *ctx, struct json layer, struct json addition)
{
    struct json v;
    for (struct json_iter it = json_each(json_get_c(addition, "indexes")); json_next(&it, NULL, &v);) {
        str rest = json_string_or(json_get_c(v, "fields"), ctx->arena, STR("")), piece;
        if (str_empty(str_trim(rest)) || str_empty(json_string_or(json_get_c(v, "name"), ctx->arena, STR(""))))
            return err_set(ctx, &ERR_DEFINITION, "An index has to have a 'name' and 'fields'.");
        while (str_split(&rest, ',', &piece)) {
            str name = str_trim(piece);
            bool shape = json_string_eq(json_get_c(json_get_c(layer, "geometryField"), "name"), name);
            if (!shape && json_absent(field_named(json_get_c(layer, "fields"), name, ctx->arena)) &&
                json_absent(field_named(json_get_c(addition, "fields"), name, ctx->arena)))
                return err_set(ctx, &ERR_DEFINITION, "Index: there is no field '%.*s'.", STR_FMT(name));
        }
    }
    return RC_OK;
}

/* The layer's operation: arrays grow, everything else is set. */
static int extend_layer(struct ctx *ctx, struct hosted_draft *d, int32_t layer_id, struct json addition)
{
    static const char *const fixed[] = {"id", "relationships", NULL};
    struct hosted_member list[MEMBERS_MAX];
    size_t count;
    struct json layer;
    struct hosted_draft_layer *l = hosted_draft_find(d, layer_id);
    if (!l)
        return err_set(ctx, &ERR_LAYER_MISSING, "Invalid URL");
    TRY(json_parse(ctx, l->text, &layer));
    TRY(check_indexes(ctx, layer, addition));
    TRY(members_of(ctx, addition, fixed, list, &count));
    for (size_t i = 0; i < count; i++) {
        struct json old = json_get_c(layer, list[i].name), more = json_get_c(addition, list[i].name);
        if (json_is(old, JSON_ARRAY) && json_is(more, JSON_ARRAY))
            list[i].raw = longer_array(ctx, old, more, strcmp(list[i].name, "fields") == 0);
    }
    l->text = hosted_json_object(ctx, layer, list, count);
    l->touched = true;
    return hosted_draft_relate(ctx, d, l, json_get_c(addition, "relationships"));
}

static int add_to_draft(struct ctx *ctx, struct hosted_draft *d, int32_t layer_id, struct json addition, struct json_out *answer)
{
    json_begin_object(answer);
    json_member_bool(answer, "success", true);
    if (layer_id >= 0) {
        TRY(extend_layer(ctx, d, layer_id, addition));
    } else {
        TRY(add_layers(ctx, d, json_get_c(addition, "layers"), false, "layers", answer));
        TRY(add_layers(ctx, d, json_get_c(addition, "tables"), true, "tables", answer));
    }
    json_end_object(answer);
    return RC_OK;
}

int hosted_add_to_definition(struct ctx *ctx, struct site *s, const struct caller *c, str name, int32_t layer_id,
                             struct json addition, str *answer_out)
{
    if (!json_is(addition, JSON_OBJECT))
        return err_set(ctx, &ERR_DEFINITION, "'addToDefinition' has to be a JSON object.");
    TRY(check_arrays(ctx, layer_id, addition));
    hosted_cache_lock(s->hosted, true);
    CLEANUP(hosted_cache_unlock) struct hosted_cache *locked = s->hosted;
    (void)locked;
    CLEANUP(hosted_release) struct hosted_service *h = NULL;
    TRY(hosted_open_admin(ctx, s, c, name, &h));
    struct hosted_draft d;
    CLEANUP(buf_free) struct buf b = BUF_INIT(DEFINITION_MAX);
    struct json_out answer;
    str text;
    CLEANUP(hosted_release) struct hosted_service *source = NULL;
    if (hosted_is_view(&h->def) && layer_id < 0) {
        TRY(hosted_view_open_source(ctx, s, c, h, addition, &source));
        TRY(hosted_view_expand(ctx, source, addition, &addition));
    } else if (hosted_is_view(&h->def)) {
        return err_set(ctx, &ERR_UNSUPPORTED, "Layers of a view get their fields from its source.");
    }
    hosted_draft_open(ctx, &h->def, &d);
    json_out_buf(&answer, ctx, &b);
    TRY(add_to_draft(ctx, &d, layer_id, addition, &answer));
    TRY(hosted_draft_finish(ctx, &d, NULL, 0, &text));
    TRY(source ? hosted_commit_view(ctx, s, h, source, text) : hosted_commit(ctx, s, h, text));
    TRY(json_out_end(&answer, "the answer"));
    *answer_out = arena_str(ctx->arena, buf_str(&b));
    return RC_OK;
}
