/* Hosted services: opening one for a call, names, and making a new one. The other use cases are in the files hosted_*.c. */
#include "service/hosted_private.h"
#include "model/geometry/esri_json.h"

enum { NAME_MAX_CHARS = 120, SUFFIX_ROOM = 12 };

/* ---- opening ---- */

/* What hosted_open hands out: the first member; the rest is for giving it back. */
struct opened {
    struct hosted_service service;
    struct hosted_cache *cache;
    struct hosted_entry *entry;
};
struct open_call {
    const struct caller *caller;
    str name;
    bool definition; /* read it too, which calls seldom need */
    struct hosted row, source;
    bool is_view;
    struct item item;
    struct access_item facts;
};

/* Its features are the source's, whoever may see that one. */
static int open_source(struct ctx *ctx, struct sql_tx *tx, struct open_call *call)
{
    call->is_view = !id_none(call->row.source);
    if (!call->is_view)
        return RC_OK;
    int rc = meta_hosted_get(ctx, tx, &call->row.source, &call->source);
    if (rc == RC_NOT_FOUND)
        return err_set_rc(ctx, rc, &ERR_SERVICE_MISSING, "The service that '%.*s' is a view of was deleted.",
                          STR_FMT(call->row.name));
    return rc;
}

static int open_rows(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
    struct open_call *call = arg;
    int rc = (call->definition ? meta_hosted_by_name : meta_hosted_ref)(ctx, tx, call->name, &call->row);
    if (rc == RC_NOT_FOUND)
        return err_set_rc(ctx, rc, &ERR_SERVICE_MISSING, "There is no service '%.*s'.", STR_FMT(str_sub(call->name, 0, 200)));
    TRY(rc);
    TRY(open_source(ctx, tx, call));
    return item_facts(ctx, tx, call->caller, &call->row.item, &call->item, &call->facts);
}

static int open_service(struct ctx *ctx, struct site *s, const struct caller *c, str name, struct opened **out)
{
    struct open_call call = {.caller = c, .name = name};
    TRY(sql_read(ctx, s->sql, open_rows, &call));
    struct opened *o = arena_new(ctx->arena, struct opened);
    struct hosted_version version = {&call.row, call.is_view ? &call.source : NULL};
    o->entry = hosted_cache_find(s->hosted, &version);
    if (!o->entry) {
        call.definition = true;
        TRY(sql_read(ctx, s->sql, open_rows, &call));
        version.source = call.is_view ? &call.source : NULL;
        TRY(hosted_cache_get(ctx, s->hosted, &version, &o->entry));
    }
    o->cache = s->hosted;
    o->service = *hosted_entry_service(o->entry);
    o->service.owner = call.item.owner;
    o->service.facts = call.facts;
    *out = o;
    return RC_OK;
}

void hosted_release(struct hosted_service **h)
{
    if (!*h)
        return;
    struct opened *o = (struct opened *)*h;
    hosted_cache_put(o->cache, o->entry);
    *h = NULL;
}

/* The rows of a layer that this caller made: a condition of everything that is asked of the layer. */
static void show_own_rows(struct ctx *ctx, const struct caller *c, struct layer *l, size_t creator)
{
    const struct layer *stored = layer_stored(l);
    struct where *nodes = arena_array(ctx->arena, struct where, 4), **args = arena_array(ctx->arena, struct where *, 4);
    nodes[0] = (struct where){.kind = WHERE_FIELD, .field = creator};
    nodes[1] = (struct where){.kind = WHERE_LITERAL, .literal = {.kind = VALUE_TEXT, .s = c->username}};
    args[0] = &nodes[0];
    args[1] = &nodes[1];
    nodes[2] = (struct where){.kind = c->anonymous ? WHERE_FALSE : WHERE_COMPARE, .op = OP_EQ, .args = args, .arg_count = 2};
    args[2] = &nodes[2];
    args[3] = (struct where *)l->filter;
    nodes[3] = (struct where){.kind = WHERE_AND, .args = args + 2, .arg_count = 2};
    l->filter = l->filter ? &nodes[3] : &nodes[2];
    l->source = stored;
}

/* Ownership-based access to queries. The layers are shared by all callers, so those that show less are copied for this one. */
static void restrict_layers(struct ctx *ctx, const struct caller *c, struct hosted_service *h)
{
    struct layer *own = NULL;
    for (size_t i = 0; i < h->def.layer_count; i++) {
        const struct layer *l = &h->def.layers[i], *stored = layer_stored(l);
        struct json rules = json_get_c(stored->json, "ownershipBasedAccessControlForFeatures");
        str name = json_string_or(json_get_c(json_get_c(stored->json, "editFieldsInfo"), "creatorField"), ctx->arena, STR(""));
        size_t creator;
        if (!layer_field(stored, name, &creator) ||
            access_feature_of(c, &h->facts, STR(""), json_bool(json_get_c(rules, "allowOthersToQuery"), true),
                              json_bool(json_get_c(rules, "allowAnonymousToQuery"), true)))
            continue;
        if (!own) {
            own = arena_array(ctx->arena, struct layer, h->def.layer_count);
            memcpy(own, h->def.layers, h->def.layer_count * sizeof *own);
        }
        show_own_rows(ctx, c, &own[i], creator);
    }
    if (own)
        h->def.layers = own;
}

static int hand_out(struct ctx *ctx, const struct caller *c, bool may, struct opened *o, struct hosted_service **out)
{
    struct hosted_service *h = &o->service;
    if (may)
        restrict_layers(ctx, c, h);
    else
        hosted_release(&h);
    *out = h;
    return service_require(ctx, c, may);
}

int hosted_open(struct ctx *ctx, struct site *s, const struct caller *c, str name, enum feature_right right,
                struct hosted_service **out)
{
    struct opened *o;
    *out = NULL;
    TRY(open_service(ctx, s, c, name, &o));
    return hand_out(ctx, c, access_features(c, &o->service.facts, o->service.def.capabilities, right), o, out);
}

int hosted_open_admin(struct ctx *ctx, struct site *s, const struct caller *c, str name, struct hosted_service **out)
{
    struct opened *o;
    *out = NULL;
    TRY(open_service(ctx, s, c, name, &o));
    return hand_out(ctx, c, access_item_update(c, &o->service.facts), o, out);
}

int hosted_layer(struct ctx *ctx, const struct hosted_service *h, int32_t layer_id, const struct layer **out)
{
    *out = service_layer(&h->def, layer_id);
    return *out ? RC_OK : err_set(ctx, &ERR_LAYER_MISSING, "Invalid URL");
}

const struct layer_relation *hosted_relation_other(const struct service *def, const struct layer *l,
                                                   const struct layer_relation *r)
{
    const struct layer *related = service_layer(def, r->related_layer);
    const struct layer_relation *found = NULL;
    for (size_t i = 0; related && i < related->relation_count; i++) {
        const struct layer_relation *back = &related->relations[i];
        if (back->related_layer != l->id || back->origin == r->origin)
            continue;
        if (back->id == r->id)
            return back;
        bool own = false; /* the other half of another relationship of these two */
        for (size_t k = 0; k < l->relation_count; k++)
            own |= l->relations[k].id == back->id && l->relations[k].related_layer == related->id;
        if (!own && !found)
            found = back;
    }
    return found;
}

/* ---- listing ---- */

struct list_call {
    const struct caller *caller;
    str *names;
    size_t count;
};

static int list_rows(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
    struct list_call *call = arg;
    struct hosted *all;
    size_t count;
    TRY(meta_hosted_all(ctx, tx, &all, &count));
    call->names = arena_array(ctx->arena, str, count);
    call->count = 0;
    for (size_t i = 0; i < count; i++) {
        struct item item;
        struct access_item facts;
        struct arena_mark mark = arena_mark(ctx->arena);
        TRY(item_facts(ctx, tx, call->caller, &all[i].item, &item, &facts));
        bool may = access_item_read(call->caller, &facts);
        arena_release(ctx->arena, mark);
        if (may)
            call->names[call->count++] = all[i].name;
    }
    return RC_OK;
}

int hosted_list(struct ctx *ctx, struct site *s, const struct caller *c, str **names_out, size_t *count_out)
{
    struct list_call call = {.caller = c};
    TRY(sql_read(ctx, s->sql, list_rows, &call));
    *names_out = call.names;
    *count_out = call.count;
    return RC_OK;
}

/* ---- names ---- */

static bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
static bool is_name_char(char c) { return is_letter(c) || (c >= '0' && c <= '9') || c == '_'; }

static bool hosted_name_valid(str name)
{
    if (name.n < 1 || name.n > NAME_MAX_CHARS || !is_letter(name.p[0]))
        return false;
    for (size_t i = 0; i < name.n; i++)
        if (!is_name_char(name.p[i]))
            return false;
    return true;
}

struct name_call {
    str name;
    bool is_free;
};

static int name_row(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
    struct name_call *call = arg;
    struct hosted there;
    int rc = meta_hosted_ref(ctx, tx, call->name, &there);
    call->is_free = rc == RC_NOT_FOUND;
    return rc == RC_NOT_FOUND ? RC_OK : rc;
}

int hosted_name_available(struct ctx *ctx, struct site *s, str name, bool *out)
{
    struct name_call call = {.name = name};
    *out = false;
    if (!hosted_name_valid(name))
        return RC_OK;
    TRY(sql_read(ctx, s->sql, name_row, &call));
    *out = call.is_free;
    return RC_OK;
}

/* Every other character becomes an underscore; a first character that is no letter gets one before it. */
str hosted_name_make(struct ctx *ctx, str wanted)
{
    if (hosted_name_valid(wanted))
        return wanted;
    str name = str_sub(str_trim(wanted), 0, NAME_MAX_CHARS - SUFFIX_ROOM);
    char *p = arena_alloc(ctx->arena, name.n + 2);
    size_t n = 0;
    if (name.n == 0 || !is_letter(name.p[0]))
        p[n++] = 'S';
    for (size_t i = 0; i < name.n; i++)
        p[n++] = is_name_char(name.p[i]) ? name.p[i] : '_';
    return str_of(p, n);
}

int hosted_name_free(struct ctx *ctx, struct sql_tx *tx, str wanted, str *out)
{
    str base = hosted_name_make(ctx, wanted);
    struct name_call call = {.name = base};
    TRY(name_row(ctx, tx, &call));
    base = str_sub(base, 0, NAME_MAX_CHARS - SUFFIX_ROOM);
    for (unsigned i = 1; !call.is_free; i++) {
        call.name = arena_printf(ctx->arena, "%.*s_%u", STR_FMT(base), i);
        TRY(name_row(ctx, tx, &call));
    }
    *out = call.name;
    return RC_OK;
}

/* ---- the item of a service ---- */

/* The service's extent in WGS 84, as items keep it; "" when there is none, or none that can be transformed. */
static str extent_text(struct ctx *ctx, const struct service *def)
{
    struct json extent = json_get_c(def->json, "initialExtent");
    struct envelope given, box;
    struct crs from = {0}, to = {.wkid = CRS_WGS84};
    struct ctx child;
    str text = STR("");
    ctx_child(&child, ctx);
    if (!esri_json_parse_crs(child.arena, json_get_c(extent, "spatialReference"), &from))
        esri_json_parse_crs(child.arena, json_get_c(def->json, "spatialReference"), &from);
    if (!json_absent(extent) && esri_json_parse_envelope(&child, extent, &given) == RC_OK &&
        crs_transform_envelope(&child, &from, &to, &given, &box) == RC_OK && !envelope_empty(&box)) {
        str csv = arena_printf(child.arena, "%.15g,%.15g,%.15g,%.15g", box.xmin, box.ymin, box.xmax, box.ymax);
        str made;
        if (item_extent_parse(&child, csv, &made) == RC_OK && !str_eq(made, STR("[]")))
            text = arena_str(ctx->arena, made);
    }
    ctx_close(&child);
    return text;
}

void hosted_item_make(struct ctx *ctx, const struct service *def, str name, const str fields[ITEM_FIELD_COUNT], struct item *it)
{
    int64_t now = ctx_now(ctx);
    it->created = it->modified = now;
    it->size = -1;
    for (size_t f = 0; f < ITEM_FIELD_COUNT; f++)
        it->field[f] = fields && !str_none(fields[f]) ? fields[f] : STR("");
    if (str_empty(it->field[ITEM_TITLE]))
        it->field[ITEM_TITLE] = name;
    if (str_empty(it->field[ITEM_EXTENT]))
        it->field[ITEM_EXTENT] = extent_text(ctx, def);
    it->field[ITEM_NAME] = name;
    it->field[ITEM_TYPE] = STR("Feature Service");
    it->field[ITEM_TYPE_KEYWORDS] =
        hosted_is_view(def)
            ? STR("[\"ArcGIS Server\",\"Data\",\"Feature Access\",\"Feature Service\",\"Service\",\"Hosted Service\",\"View "
                  "Service\"]")
            : STR("[\"ArcGIS Server\",\"Data\",\"Feature Access\",\"Feature Service\",\"Service\",\"Hosted Service\"]");
    it->field[ITEM_URL] = arena_printf(ctx->arena, "@server/rest/services/Hosted/%.*s/FeatureServer", STR_FMT(name));
}

/* ---- creating ---- */

struct create_call {
    struct site *site;
    const struct caller *caller;
    str owner;
    const id *folder;
    const str *fields;
    const struct service *def;
    struct hosted hosted;
};

static int create_rows(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
    struct create_call *call = arg;
    struct user owner;
    struct folder folder;
    TRY(content_owner_get(ctx, tx, call->caller, call->owner, &owner));
    TRY(service_require(ctx, call->caller, access_content_add(call->caller, owner.username)));
    if (!id_none(*call->folder))
        TRY(content_folder_get(ctx, tx, owner.username, call->folder, &folder));
    struct name_call name = {.name = call->hosted.name};
    TRY(name_row(ctx, tx, &name));
    if (!name.is_free)
        return err_set(ctx, &ERR_SERVICE_NAME, "Service name '%.*s' is not available.", STR_FMT(call->hosted.name));
    struct item it = {.id = call->hosted.item, .owner = owner.username, .folder = *call->folder};
    hosted_item_make(ctx, call->def, call->hosted.name, call->fields, &it);
    TRY(meta_item_insert(ctx, tx, &it));
    return meta_hosted_insert(ctx, tx, &call->hosted);
}

int hosted_create(struct ctx *ctx, struct site *s, const struct caller *c, str owner, const id *folder,
                  struct json create_parameters, const str fields[ITEM_FIELD_COUNT], struct hosted_created *out)
{
    TRY(service_require(ctx, c, access_publish(c)));
    str name = json_string_or(json_get_c(create_parameters, "name"), ctx->arena, STR(""));
    if (!hosted_name_valid(name))
        return err_set(ctx, &ERR_PARAMETER,
                       "'name' of a service has to be 1 to %d letters, digits and underscores, a letter first.", NAME_MAX_CHARS);
    struct item_input input = {0};
    memcpy(input.field, fields, sizeof input.field);
    CLEANUP(item_change_close) struct item_change change = {0};
    TRY(item_change_make(ctx, s, &input, &change));
    struct service def;
    struct create_call call = {.site = s, .caller = c, .owner = owner, .folder = folder, .fields = change.field, .def = &def};
    call.hosted = (struct hosted){.item = id_new(), .name = name, .store = id_new(), .modified = ctx_now(ctx)};
    TRY(hosted_complete_service(ctx, name, create_parameters, s->settings.max_record_count, &call.hosted.definition));
    TRY(service_parse(ctx, call.hosted.definition, &def));
    TRY(feature_create(ctx, s->features, &call.hosted.store, &def));
    int rc = sql_write(ctx, s->sql, create_rows, &call);
    if (rc != RC_OK) {
        (void)feature_drop(ctx, s->features, &call.hosted.store);
        return rc;
    }
    *out = (struct hosted_created){
        .item = call.hosted.item,
        .name = name,
        .url = arena_printf(ctx->arena, "@server/rest/services/Hosted/%.*s/FeatureServer", STR_FMT(name))};
    return RC_OK;
}
