/* Views: see hosted_view.h. A layer of a view says what it shows in adminLayerInfo.viewLayerDefinition (api.md 4.6): source layer
 * and fields; and in viewDefinitionQuery which rows. Fields may be hidden one by one ("visible": false). */
#include "service/hosted_view.h"
#include "service/hosted_private.h"

enum { TEXT_MAX = 256 << 20 };

bool hosted_is_view(const struct service *def) { return json_bool(json_get_c(def->json, "isView"), false); }

static bool given(struct json v) { return !json_absent(v) && !json_is(v, JSON_NULL); }

/* The object that says what a layer shows, with or without the table inside of it. */
static struct json shown(struct json layer)
{
    struct json v = json_get_c(json_get_c(layer, "adminLayerInfo"), "viewLayerDefinition");
    return given(v) ? v : json_get_c(layer, "viewLayerDefinition");
}

static struct json shown_member(struct json layer, const char *name)
{
    struct json v = json_get_c(shown(layer), name);
    return given(v) ? v : json_get_c(json_get_c(shown(layer), "table"), name);
}

static str query_of(struct ctx *ctx, struct json layer)
{
    struct json v = json_get_c(layer, "viewDefinitionQuery");
    return str_trim(
        json_string_or(json_is(v, JSON_STRING) ? v : shown_member(layer, "viewDefinitionQuery"), ctx->arena, STR("")));
}

/* ---- binding ---- */

/* What is seen of the source's fields, in the view's order; name and type are the source's. */
static void bind_fields(struct ctx *ctx, struct layer *l, const struct layer *source)
{
    size_t count = 0;
    struct field *fields = arena_array(ctx->arena, struct field, l->field_count);
    l->oid_field = l->globalid_field = SIZE_MAX;
    struct json list = json_get_c(l->json, "fields"), v;
    for (struct json_iter it = json_each(list); json_next(&it, NULL, &v);) {
        size_t at;
        str name = json_string_or(json_get_c(v, "name"), ctx->arena, STR(""));
        const struct field *f = layer_field(source, name, &at), *own = layer_field(l, name, NULL);
        bool hidden = !json_bool(json_get_c(v, "visible"), true) && at != source->oid_field;
        if (!f || !own || hidden)
            continue;
        if (at == source->oid_field)
            l->oid_field = count;
        if (at == source->globalid_field)
            l->globalid_field = count;
        fields[count] = *f;
        fields[count].alias = own->alias;
        fields[count].editable = f->editable && own->editable;
        count++;
    }
    l->fields = fields;
    l->field_count = count;
}

static int bind_layer(struct ctx *ctx, struct layer *l, const struct layer *source)
{
    struct where *filter = NULL;
    l->source = source;
    l->geometry = source->geometry;
    l->has_z = source->has_z;
    l->has_m = source->has_m;
    l->wkid = source->wkid;
    l->latest_wkid = source->latest_wkid;
    l->wkt = source->wkt;
    l->has_attachments &= source->has_attachments;
    l->relation_count = 0;
    bind_fields(ctx, l, source);
    int rc = l->oid_field == SIZE_MAX ? RC_FAIL : where_parse(ctx, query_of(ctx, l->json), source, &filter);
    l->filter = filter;
    return rc;
}

static const struct layer *source_of(const struct service *source, const struct layer *l)
{
    int64_t wanted;
    bool named = json_int(shown_member(l->json, "sourceLayerId"), &wanted) && wanted >= 0 && wanted <= INT32_MAX;
    return named ? service_layer(source, (int32_t)wanted) : NULL;
}

int hosted_view_bind(struct ctx *ctx, str source_definition, struct service *view)
{
    static const struct where nothing = {.kind = WHERE_FALSE};
    struct service *source = arena_new(ctx->arena, struct service);
    size_t count = 0;
    TRY(service_parse(ctx, source_definition, source));
    view->source = source;
    for (size_t i = 0; i < view->layer_count; i++) {
        struct layer l = view->layers[i];
        const struct layer *from = source_of(source, &l);
        if (!from)
            continue;
        int rc = bind_layer(ctx, &l, from);
        if (rc != RC_OK && rc != RC_FAIL)
            return rc;
        if (rc == RC_FAIL) {
            err_clear(ctx);
            l.filter = &nothing;
        }
        if (l.oid_field != SIZE_MAX)
            view->layers[count++] = l;
    }
    view->layer_count = count;
    return RC_OK;
}

int hosted_view_check(struct ctx *ctx, const struct hosted_service *source, str view_definition)
{
    struct service view;
    TRY(service_parse(ctx, view_definition, &view));
    for (size_t i = 0; i < view.layer_count; i++) {
        struct layer *l = &view.layers[i];
        const struct layer *from = source_of(&source->def, l);
        if (!from)
            return err_set(ctx, &ERR_DEFINITION, "Layer %d: 'sourceLayerId' is no layer of the source.", l->id);
        if (given(shown_member(l->json, "filter")) || given(json_get_c(json_get_c(l->json, "viewLayerDefinition"), "filter")))
            return err_set(ctx, &ERR_UNSUPPORTED,
                           "Layer %d: views are filtered by 'viewDefinitionQuery' only, not by a geometry.", l->id);
        if (json_count(shown_member(l->json, "relatedTables")))
            return err_set(ctx, &ERR_UNSUPPORTED, "Layer %d: views that join tables are not supported.", l->id);
        int rc = bind_layer(ctx, l, from);
        if (rc == RC_FAIL && err_is(ctx, &ERR_INVALID)) {
            const char *text = arena_cstr(ctx->arena, str_c(err_text(ctx)));
            err_clear(ctx);
            return err_set(ctx, &ERR_DEFINITION, "Layer %d, 'viewDefinitionQuery': %s", l->id, text);
        }
        TRY(rc);
    }
    return RC_OK;
}

/* ---- the source of an addition ---- */

static int note_source(struct ctx *ctx, struct json list, str *name)
{
    struct json v;
    for (struct json_iter it = json_each(list); json_next(&it, NULL, &v);) {
        str wanted = json_string_or(shown_member(v, "sourceServiceName"), ctx->arena, STR(""));
        if (str_istarts(wanted, STR("Hosted/")))
            wanted = str_sub(wanted, 7, wanted.n);
        if (str_empty(wanted))
            return err_set(ctx, &ERR_DEFINITION, "A layer of a view has to name its 'sourceServiceName' and 'sourceLayerId'.");
        if (!str_empty(*name) && !str_ieq(*name, wanted))
            return err_set(ctx, &ERR_UNSUPPORTED, "A view shows layers of one service: '%.*s' and '%.*s' are two.",
                           STR_FMT(*name), STR_FMT(wanted));
        *name = wanted;
    }
    return RC_OK;
}

int hosted_view_open_source(struct ctx *ctx, struct site *s, const struct caller *c, const struct hosted_service *view,
                            struct json addition, struct hosted_service **out)
{
    str name = STR("");
    TRY(note_source(ctx, json_get_c(addition, "layers"), &name));
    TRY(note_source(ctx, json_get_c(addition, "tables"), &name));
    if (str_empty(name))
        return err_set(ctx, &ERR_DEFINITION, "There is no layer to add to the view.");
    TRY(hosted_open_admin(ctx, s, c, name, out));
    if (hosted_is_view(&(*out)->def))
        return err_set(ctx, &ERR_UNSUPPORTED, "'%.*s' is a view itself: views of views are not supported.", STR_FMT(name));
    if (!id_none(view->source) && !id_eq(view->source, (*out)->item))
        return err_set(ctx, &ERR_UNSUPPORTED, "A view shows layers of one service, and this one shows another.");
    return RC_OK;
}

/* ---- completing ---- */

static bool names_field(struct ctx *ctx, struct json list, str name)
{
    struct json v;
    str rest = json_string_or(list, ctx->arena, STR("")), piece;
    if (json_is(list, JSON_STRING)) {
        while (str_split(&rest, ',', &piece))
            if (str_eq(str_trim(piece), STR("*")) || str_ieq(str_trim(piece), name))
                return true;
        return false;
    }
    for (struct json_iter it = json_each(list); json_next(&it, NULL, &v);) {
        str one = json_string_or(json_is(v, JSON_STRING) ? v : json_get_c(v, "source"), ctx->arena, STR(""));
        if (str_empty(one))
            one = json_string_or(json_get_c(v, "name"), ctx->arena, STR(""));
        if (str_ieq(one, name))
            return true;
    }
    return false;
}

/* Every field that a list names has to be there, and under its own name. */
static int check_names(struct ctx *ctx, const struct layer *source, struct json list)
{
    struct json v;
    for (struct json_iter it = json_each(list); json_next(&it, NULL, &v);) {
        str name = json_string_or(json_is(v, JSON_STRING) ? v : json_get_c(v, "name"), ctx->arena, STR(""));
        str from = json_string_or(json_get_c(v, "source"), ctx->arena, name);
        if (!str_ieq(from, name))
            return err_set(ctx, &ERR_UNSUPPORTED, "Field '%.*s': fields of a view are called as those of the source.",
                           STR_FMT(name));
        if (!layer_field(source, name, NULL))
            return err_set(ctx, &ERR_DEFINITION, "The source has no field '%.*s'.", STR_FMT(name));
    }
    return RC_OK;
}

static str fields_of(struct ctx *ctx, const struct layer *source, struct json wanted)
{
    CLEANUP(buf_free) struct buf b = BUF_INIT(TEXT_MAX);
    struct json_out o;
    struct json v;
    json_out_buf(&o, ctx, &b);
    json_begin_array(&o);
    for (struct json_iter it = json_each(json_get_c(source->json, "fields")); json_next(&it, NULL, &v);) {
        str name = json_string_or(json_get_c(v, "name"), ctx->arena, STR(""));
        bool key = str_ieq(name, source->fields[source->oid_field].name);
        if (key || !given(wanted) || names_field(ctx, wanted, name))
            json_put_raw(&o, json_raw(v));
    }
    json_end_array(&o);
    return arena_str(ctx->arena, buf_str(&b));
}

/* One layer: what the client says of it, over the source's definition. */
static int expand_layer(struct ctx *ctx, const struct hosted_service *h, struct json v, str *out)
{
    enum { MEMBERS_MAX = 200 };
    struct hosted_member list[MEMBERS_MAX + 4];
    size_t count = 0;
    struct json name, value;
    int64_t wanted = -1;
    json_int(shown_member(v, "sourceLayerId"), &wanted);
    const struct layer *source = wanted >= 0 && wanted <= INT32_MAX ? service_layer(&h->def, (int32_t)wanted) : NULL;
    if (!source)
        return err_set(ctx, &ERR_DEFINITION, "'sourceLayerId' is no layer of '%.*s'.", STR_FMT(h->name));
    struct json fields = shown_member(v, "sourceLayerFields");
    TRY(check_names(ctx, source, json_is(fields, JSON_ARRAY) ? fields : JSON_ABSENT));
    for (struct json_iter it = json_each(v); json_next(&it, &name, &value);) {
        if (json_string_eq(name, STR("fields")) || json_string_eq(name, STR("relationships")))
            continue;
        if (count == MEMBERS_MAX)
            return err_set(ctx, &ERR_DEFINITION, "More than %d members.", MEMBERS_MAX);
        list[count++] = (struct hosted_member){arena_cstr(ctx->arena, json_string(name, ctx->arena)), json_raw(value), true};
    }
    list[count++] = (struct hosted_member){"fields", fields_of(ctx, source, fields), true};
    list[count++] = (struct hosted_member){"relationships", STR("[]"), true};
    if (json_absent(json_get_c(v, "id")))
        list[count++] = (struct hosted_member){"id", STR_NONE, true};
    *out = hosted_json_object(ctx, source->json, list, count);
    return RC_OK;
}

int hosted_view_expand(struct ctx *ctx, const struct hosted_service *source, struct json addition, struct json *out)
{
    static const char *const lists[] = {"layers", "tables"};
    struct hosted_member members[COUNT_OF(lists)];
    struct json v;
    for (size_t i = 0; i < COUNT_OF(lists); i++) {
        CLEANUP(buf_free) struct buf b = BUF_INIT(TEXT_MAX);
        struct json_out o;
        str text;
        json_out_buf(&o, ctx, &b);
        json_begin_array(&o);
        for (struct json_iter it = json_each(json_get_c(addition, lists[i])); json_next(&it, NULL, &v);) {
            TRY(expand_layer(ctx, source, v, &text));
            json_put_raw(&o, text);
        }
        json_end_array(&o);
        members[i] = (struct hosted_member){lists[i], arena_str(ctx->arena, buf_str(&b)), true};
    }
    return json_parse(ctx, hosted_json_object(ctx, addition, members, COUNT_OF(members)), out);
}

/* ---- */

struct source_call {
    id source;
    struct hosted row;
};

static int source_row(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
    struct source_call *call = arg;
    return meta_hosted_get(ctx, tx, &call->source, &call->row);
}

int hosted_view_source(struct ctx *ctx, struct site *s, const struct hosted_service *h, struct hosted_created *out)
{
    struct source_call call = {.source = h->source};
    if (id_none(h->source))
        return RC_NOT_FOUND;
    TRY(sql_read(ctx, s->sql, source_row, &call));
    *out = (struct hosted_created){
        .item = call.row.item,
        .name = call.row.name,
        .url = arena_printf(ctx->arena, "@server/rest/services/Hosted/%.*s/FeatureServer", STR_FMT(call.row.name))};
    return RC_OK;
}

int hosted_view_open_again(struct ctx *ctx, struct site *s, const struct hosted_service *view, struct hosted_service **out)
{
    static const struct caller portal = {.role = ROLE_ADMIN}; /* the view was allowed when it was made */
    struct hosted_created source;
    *out = NULL;
    int rc = hosted_view_source(ctx, s, view, &source);
    return rc == RC_NOT_FOUND ? RC_OK : rc != RC_OK ? rc : hosted_open_admin(ctx, s, &portal, source.name, out);
}
