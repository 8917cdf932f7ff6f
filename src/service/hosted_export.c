/* What an export asks for, checked against the service, and the moment that it sees. Rows are in hosted_export_rows.c. */
#include "service/hosted_export.h"
#include "model/geometry/esri_json.h"
#include "service/hosted_private.h"

enum { COLUMN_NAME_MAX = 128, ATTACHMENT_PAGE = 1000 };

/* ---- parameters ---- */

static int refuse(struct ctx *ctx, const char *what) { return err_set(ctx, &ERR_PARAMETER, "'exportParameters': %s", what); }

static int refuse_layer(struct ctx *ctx, const struct layer *l, const char *what)
{
    return err_set(ctx, &ERR_PARAMETER, "'exportParameters', layer %d: %s", l->id, what);
}

static int read_target(struct ctx *ctx, const struct hosted_export_wish *w, struct crs *out, bool *given)
{
    struct json v = json_get_c(w->parameters, "targetSR");
    struct crs_info info;
    struct ctx child;
    *given = !json_absent(v) && !json_is(v, JSON_NULL);
    *out = (struct crs){.wkid = w->wgs84 ? CRS_WGS84 : 0};
    if (!*given) {
        *given = w->wgs84;
        return RC_OK;
    }
    if (json_is(v, JSON_STRING)) { /* as some clients send it */
        str text = json_string(v, ctx->arena);
        if (!json_try_parse(ctx->arena, text, &v))
            return refuse(ctx, "targetSR is no spatial reference.");
    }
    if (!esri_json_parse_crs(ctx->arena, v, out))
        return refuse(ctx, "targetSR is no spatial reference.");
    if (w->wgs84_only && !crs_same(out, &(struct crs){.wkid = CRS_WGS84}))
        return refuse(ctx, "targetSR: this format has coordinates in WGS 84 (wkid 4326) only.");
    ctx_child(&child, ctx);
    int rc = crs_describe(&child, out, &info);
    if (rc != RC_OK && err_is(&child, &ERR_INVALID))
        rc = err_set(ctx, &ERR_PARAMETER, "'exportParameters': targetSR: %s", err_text(&child));
    else
        rc = ctx_adopt_error(ctx, &child, rc);
    ctx_close(&child);
    return rc;
}

static int read_where(struct ctx *ctx, struct json v, struct hosted_export_layer *l)
{
    struct json where = json_get_c(v, "where");
    struct where *tree = NULL;
    if (json_absent(where) || json_is(where, JSON_NULL))
        return RC_OK;
    if (!json_is(where, JSON_STRING))
        return refuse_layer(ctx, l->from, "where is a text.");
    struct ctx child = *ctx; /* with an error record of its own */
    child.err = (struct err){0};
    int rc = where_parse(&child, json_string(where, ctx->arena), l->from, &tree);
    l->query.where = tree;
    if (rc != RC_OK && err_is(&child, &ERR_INVALID))
        return err_set(ctx, &ERR_PARAMETER, "'exportParameters', layer %d: where: %s", l->from->id, err_text(&child));
    return ctx_adopt_error(ctx, &child, rc);
}

struct field_list {
    size_t *list, count;
};

static int add_field(struct ctx *ctx, const struct layer *l, str name, struct field_list *f)
{
    size_t index;
    if (!layer_field(l, name, &index))
        return err_set(ctx, &ERR_PARAMETER, "'exportParameters', layer %d: outFields: there is no field '%.*s'.", l->id,
                       STR_FMT(str_sub(name, 0, 100)));
    for (size_t i = 0; i < f->count; i++)
        if (f->list[i] == index)
            return RC_OK;
    f->list[f->count++] = index;
    return RC_OK;
}

static int add_fields(struct ctx *ctx, const struct layer *l, str csv, struct field_list *f)
{
    str rest = csv, piece;
    while (str_split(&rest, ',', &piece)) {
        piece = str_trim(piece);
        if (str_eq(piece, STR("*")))
            for (size_t i = 0; i < l->field_count; i++)
                TRY(add_field(ctx, l, l->fields[i].name, f));
        else if (!str_empty(piece))
            TRY(add_field(ctx, l, piece, f));
    }
    return RC_OK;
}

/* A list of names or a text with commas; without it all fields. */
static int read_fields(struct ctx *ctx, struct json v, bool row_ids, struct hosted_export_layer *l)
{
    const struct layer *from = l->from;
    struct json given = json_get_c(v, "outFields"), name;
    struct field_list f = {.list = arena_array(ctx->arena, size_t, from->field_count + 1)};
    if (json_is(given, JSON_STRING))
        TRY(add_fields(ctx, from, json_string(given, ctx->arena), &f));
    else if (json_is(given, JSON_ARRAY))
        for (struct json_iter it = json_each(given); json_next(&it, NULL, &name);)
            TRY(add_fields(ctx, from, json_string_or(name, ctx->arena, STR("")), &f));
    else if (!json_absent(given) && !json_is(given, JSON_NULL))
        return refuse_layer(ctx, from, "outFields is a list of names.");
    if (f.count == 0)
        TRY(add_fields(ctx, from, STR("*"), &f));
    if (row_ids)
        TRY(add_field(ctx, from, from->fields[from->oid_field].name, &f));
    l->query.fields = l->fields = f.list;
    l->query.field_count = f.count;
    return RC_OK;
}

static int read_flag(struct ctx *ctx, const struct layer *l, struct json v, bool *out)
{
    *out = true;
    if (json_absent(v) || json_is(v, JSON_NULL))
        return RC_OK;
    bool text = json_string_eq(v, STR("true")) || json_string_eq(v, STR("false"));
    if (!text && !json_is(v, JSON_TRUE) && !json_is(v, JSON_FALSE))
        return refuse_layer(ctx, l, "includeGeometry is true or false.");
    *out = text ? json_string_eq(v, STR("true")) : json_bool(v, true);
    return RC_OK;
}

static int read_column(struct ctx *ctx, struct json v, const char *member, struct hosted_export_layer *l, str *out)
{
    struct json given = json_get_c(v, member);
    if (json_absent(given) || json_is(given, JSON_NULL)) {
        while (layer_field(&l->as, *out, NULL))
            *out = arena_printf(ctx->arena, "%.*s_", STR_FMT(*out));
        return RC_OK;
    }
    *out = str_trim(json_string_or(given, ctx->arena, STR("")));
    if (str_empty(*out) || out->n > COLUMN_NAME_MAX)
        return err_set(ctx, &ERR_PARAMETER, "'exportParameters', layer %d: %s is a text of 1 to %d bytes.", l->from->id, member,
                       COLUMN_NAME_MAX);
    if (layer_field(&l->as, *out, NULL))
        return err_set(ctx, &ERR_PARAMETER, "'exportParameters', layer %d: %s: there is a field '%.*s'.", l->from->id, member,
                       STR_FMT(*out));
    return RC_OK;
}

/* ---- layers ---- */

static size_t index_of(const struct hosted_export_layer *l, size_t field)
{
    for (size_t i = 0; i < l->query.field_count; i++)
        if (l->fields[i] == field)
            return i;
    return SIZE_MAX;
}

/* The layer with the fields that were asked for, in that order. */
static void derive(struct ctx *ctx, bool geometry, struct hosted_export_layer *l)
{
    const struct layer *from = l->from;
    struct layer *as = &l->as;
    *as = *from;
    as->source = NULL;
    as->filter = NULL;
    as->field_count = l->query.field_count;
    as->fields = arena_array(ctx->arena, struct field, as->field_count);
    for (size_t i = 0; i < as->field_count; i++)
        as->fields[i] = from->fields[l->fields[i]];
    as->oid_field = index_of(l, from->oid_field);
    as->globalid_field = from->globalid_field == SIZE_MAX ? SIZE_MAX : index_of(l, from->globalid_field);
    if (!layer_field(as, as->display_field, NULL))
        as->display_field = STR("");
    l->query.geometry = geometry && from->geometry != GEOMETRY_NONE;
    if (!l->query.geometry) {
        as->geometry = GEOMETRY_NONE;
        as->has_z = as->has_m = false;
    }
    as->wkid = as->latest_wkid = crs_latest_wkid(l->crs.wkid);
    as->wkt = l->crs.wkt;
}

static int add_layer(struct ctx *ctx, struct hosted_export *e, const struct hosted_export_wish *w, const struct layer *from,
                     struct json v)
{
    struct hosted_export_layer *l = &e->layers[e->count];
    struct crs target;
    bool given, geometry;
    for (size_t i = 0; i < e->count; i++)
        if (e->layers[i].from == from)
            return refuse_layer(ctx, from, "it is there twice.");
    *l = (struct hosted_export_layer){.from = from, .query = {.limit = -1}, .x_name = STR("x"), .y_name = STR("y")};
    l->crs = (struct crs){.wkid = from->latest_wkid ? from->latest_wkid : crs_latest_wkid(from->wkid), .wkt = from->wkt};
    TRY(read_target(ctx, w, &target, &given));
    if (given && (l->crs.wkid > 0 || !str_empty(l->crs.wkt)))
        l->crs = target;
    TRY(read_where(ctx, v, l));
    TRY(read_fields(ctx, v, w->row_ids, l));
    TRY(read_flag(ctx, from, json_get_c(v, "includeGeometry"), &geometry));
    derive(ctx, geometry, l);
    TRY(read_column(ctx, v, "xColumnName", l, &l->x_name));
    TRY(read_column(ctx, v, "yColumnName", l, &l->y_name));
    if (str_ieq(l->x_name, l->y_name))
        return refuse_layer(ctx, from, "xColumnName and yColumnName are the same.");
    e->count++;
    return RC_OK;
}

static int add_layers(struct ctx *ctx, struct hosted_export *e, const struct hosted_export_wish *w)
{
    const struct service *def = &e->service->def;
    struct json list = json_get_c(w->parameters, "layers"), v;
    bool listed = !json_absent(list) && !json_is(list, JSON_NULL);
    if (!json_absent(w->parameters) && !json_is(w->parameters, JSON_OBJECT))
        return refuse(ctx, "it is no object.");
    if (listed && !json_is(list, JSON_ARRAY))
        return refuse(ctx, "layers is a list.");
    e->layers = arena_array(ctx->arena, struct hosted_export_layer, def->layer_count + 1);
    for (struct json_iter it = json_each(list); listed && json_next(&it, NULL, &v);) {
        int64_t number = -1;
        bool valid = json_int(json_get_c(v, "id"), &number) && number >= 0 && number <= INT32_MAX;
        const struct layer *l = valid ? service_layer(def, (int32_t)number) : NULL;
        if (!valid)
            return refuse(ctx, "each of layers is an object with the id of a layer.");
        if (!l)
            return err_set(ctx, &ERR_PARAMETER, "'exportParameters': there is no layer %lld.", (long long)number);
        TRY(add_layer(ctx, e, w, l, v));
    }
    for (size_t i = 0; !listed && i < def->layer_count; i++)
        TRY(add_layer(ctx, e, w, &def->layers[i], JSON_ABSENT));
    return e->count ? RC_OK : refuse(ctx, "there is no layer to export.");
}

/* ---- opening ---- */

struct name_call {
    const id *item;
    struct hosted hosted;
};

static int name_row(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
    struct name_call *call = arg;
    int rc = meta_hosted_get(ctx, tx, call->item, &call->hosted);
    return rc == RC_NOT_FOUND ? err_set(ctx, &ERR_PARAMETER, "Item '%s' is no hosted feature service: only those are exported.",
                                        call->item->text)
                              : rc;
}

static int count_attachments(struct ctx *ctx, struct hosted_export *e, struct hosted_export_layer *l)
{
    int64_t last = 0;
    size_t n = ATTACHMENT_PAGE;
    while (l->from->has_attachments && n == ATTACHMENT_PAGE) {
        struct arena_mark mark = arena_mark(ctx->arena);
        struct attachment *page;
        TRY(hosted_attachments_of(ctx, e->site, e->service, l->from->id, -1, last, ATTACHMENT_PAGE, &page, &n));
        l->attachments += (int64_t)n;
        last = n ? page[n - 1].id : last;
        arena_release(ctx->arena, mark);
    }
    return RC_OK;
}

static int open_export(struct ctx *ctx, const struct caller *c, str name, const struct hosted_export_wish *w,
                       struct hosted_export *e)
{
    /* No definition changes between reading it and the moment of the rows. */
    hosted_cache_lock(e->site->hosted, false);
    CLEANUP(hosted_cache_unlock) struct hosted_cache *locked = e->site->hosted;
    (void)locked;
    TRY(hosted_open(ctx, e->site, c, name, FEATURE_EXTRACT, &e->service));
    TRY(add_layers(ctx, e, w));
    for (size_t i = 0; i < e->count; i++)
        TRY(count_attachments(ctx, e, &e->layers[i]));
    return feature_snapshot_open(ctx, e->site->features, &e->service->store, &e->snapshot);
}

int hosted_export_open(struct ctx *ctx, struct site *s, const struct caller *c, const id *item,
                       const struct hosted_export_wish *w, struct hosted_export *out)
{
    struct name_call call = {.item = item};
    struct item_view view;
    *out = (struct hosted_export){.site = s};
    TRY(item_get(ctx, s, c, item, &view));
    TRY(sql_read(ctx, s->sql, name_row, &call));
    int rc = open_export(ctx, c, call.hosted.name, w, out);
    if (rc != RC_OK)
        hosted_export_close(out);
    return rc;
}

void hosted_export_close(struct hosted_export *e)
{
    feature_snapshot_close(e->snapshot);
    hosted_release(&e->service);
    e->snapshot = NULL;
}
