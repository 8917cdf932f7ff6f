/* extractChanges: what was added, changed and deleted since a moment (serverGen), which the data set's log of changes tells. */
#include "base/num.h"
#include "web/featureserver/featureserver.h"

enum { FEATURES_MAX = 100000, IDS_AT_ONCE = 20000 };

struct wanted {
    const struct layer *layer;
    int64_t since;
    struct feature_query query; /* of layerQueries and the geometry: which additions and updates are told */
    struct feature_changes features, files;
};
struct extraction {
    struct hosted_service *service;
    struct wanted *list;
    size_t count;
    bool adds, updates, deletes, files;
};

static int bad(struct ctx *ctx, const char *name, const char *what)
{
    return err_set(ctx, &ERR_PARAMETER, "'%s' %s.", name, what);
}

static int add_layer(struct ctx *ctx, struct extraction *x, int64_t layer_id, int64_t since)
{
    const struct layer *l = layer_id < 0 || layer_id > INT32_MAX ? NULL : service_layer(&x->service->def, (int32_t)layer_id);
    if (!l)
        return err_set(ctx, &ERR_LAYER_MISSING, "There is no layer %lld.", (long long)layer_id);
    if (l->source)
        return err_set(ctx, &ERR_UNSUPPORTED,
                       "Changes are extracted from the service that has the features, not from a view of it, and not by those "
                       "who see their own only.");
    if (x->count == SERVICE_LAYERS_MAX)
        return bad(ctx, "layerServerGens", "names too many layers");
    x->list[x->count++] = (struct wanted){.layer = l, .since = since};
    return RC_OK;
}

/* layerServerGens=[{"id":0,"serverGen":…}] */
static int read_layer_gens(struct ctx *ctx, struct extraction *x, struct json list)
{
    struct json v;
    static const char *const form = "has to be an array of objects with 'id' and 'serverGen'";
    if (!json_is(list, JSON_ARRAY) || !json_count(list))
        return bad(ctx, "layerServerGens", form);
    for (struct json_iter it = json_each(list); json_next(&it, NULL, &v);) {
        int64_t layer_id, since = 0;
        struct json from = json_get_c(v, "serverGen");
        if (json_absent(from))
            from = json_get_c(v, "minServerGen");
        if (!json_int(json_get_c(v, "id"), &layer_id) || (!json_absent(from) && !json_int(from, &since)))
            return bad(ctx, "layerServerGens", form);
        TRY(add_layer(ctx, x, layer_id, since));
    }
    return RC_OK;
}

/* layers=[0,1] or 0,1 with one moment for all: serverGens=N or [N,…]. */
static int read_layers(struct ctx *ctx, struct call *call, struct extraction *x)
{
    str rest = str_trim(call_param(call, "layers")), piece, gens = str_trim(call_param(call, "serverGens"));
    int64_t since = 0;
    if (str_starts(gens, STR("[")))
        gens = str_sub(gens, 1, str_find_char(gens, ',', 0) == SIZE_MAX ? gens.n - 1 : str_find_char(gens, ',', 0));
    if (!str_empty(str_trim(gens)) && !num_parse_int(str_trim(gens), &since))
        return bad(ctx, "serverGens", "has to be a number, or an array of them");
    if (str_starts(rest, STR("[")) && str_ends(rest, STR("]")))
        rest = str_sub(rest, 1, rest.n - 1);
    if (str_empty(rest))
        for (size_t i = 0; i < x->service->def.layer_count; i++)
            TRY(add_layer(ctx, x, x->service->def.layers[i].id, since));
    while (str_split(&rest, ',', &piece)) {
        int64_t layer_id;
        if (!num_parse_int(str_trim(piece), &layer_id))
            return bad(ctx, "layers", "has to be a list of layer ids");
        TRY(add_layer(ctx, x, layer_id, since));
    }
    return RC_OK;
}

/* What the log of changes does not know. */
static int refuse_untold(struct ctx *ctx, const struct call *call)
{
    static const struct {
        const char *name, *why;
    } untold[] = {
        {"returnExtentOnly", "extents of changes are not told"},
        {"returnDeletedFeatures", "features that are gone are known by their ids alone"},
        {"returnHasGeometryUpdates", "it is not known what of a feature was changed"},
    };
    for (size_t i = 0; i < COUNT_OF(untold); i++)
        if (call_bool(call, untold[i].name))
            return err_set(ctx, &ERR_UNSUPPORTED, "'%s' is not supported: %s.", untold[i].name, untold[i].why);
    if (!str_empty(str_trim(call_param(call, "fieldsToCompare"))))
        return err_set(ctx, &ERR_UNSUPPORTED,
                       "'fieldsToCompare' is not supported: it is not known what of a feature was changed.");
    str cell = str_trim(call_param(call, "changesExtentGridCell"));
    if (!str_empty(cell) && !str_ieq(cell, STR("none")))
        return err_set(ctx, &ERR_UNSUPPORTED, "'changesExtentGridCell' has to be none.");
    return RC_OK;
}

/* layerQueries={"0":{"where":…,"useGeometry":true,"queryOption":"useFilter"}} and the geometry for all layers. */
static int read_filter(struct ctx *ctx, struct call *call, struct json queries, struct wanted *w)
{
    struct json q = json_get(queries, arena_printf(ctx->arena, "%d", w->layer->id));
    str option = json_string_or(json_get_c(q, "queryOption"), ctx->arena, STR("useFilter"));
    struct where *where = NULL;
    w->query.limit = -1;
    w->query.geometry = true;
    if (!json_absent(q) && !json_is(q, JSON_OBJECT))
        return bad(ctx, "layerQueries", "has to be an object with an object for each layer");
    if (str_ieq(option, STR("none"))) {
        w->query.oids = arena_array(ctx->arena, int64_t, 1); /* no feature */
        return RC_OK;
    }
    if (!str_ieq(option, STR("useFilter")) && !str_ieq(option, STR("all")))
        return bad(ctx, "layerQueries", "has a 'queryOption' that is none of useFilter, all and none");
    if (str_ieq(option, STR("all")))
        return RC_OK;
    TRY(features_where(ctx, w->layer, json_string_or(json_get_c(q, "where"), ctx->arena, STR("")), &where));
    w->query.where = where;
    if (!json_bool(json_get_c(q, "useGeometry"), true))
        return RC_OK;
    return features_filter(ctx, call, w->layer, &w->query);
}

static int read_filters(struct ctx *ctx, struct call *call, struct extraction *x)
{
    struct json queries, name, query;
    TRY(call_json(ctx, call, "layerQueries", &queries));
    if (!json_absent(queries) && !json_is(queries, JSON_OBJECT))
        return bad(ctx, "layerQueries", "has to be an object with an object for each layer");
    for (struct json_iter it = json_each(queries); json_next(&it, &name, &query);) {
        int64_t number;
        bool layer = num_parse_int(json_string(name, ctx->arena), &number) && number >= 0 && number <= INT32_MAX;
        if (!layer || !service_layer(&x->service->def, (int32_t)number))
            return bad(ctx, "layerQueries", "names what is no layer of the service");
    }
    for (size_t i = 0; i < x->count; i++)
        TRY(read_filter(ctx, call, queries, &x->list[i]));
    return RC_OK;
}

static int read_call(struct ctx *ctx, struct call *call, struct extraction *x)
{
    struct json gens;
    str transport = str_trim(call_param(call, "transportType")), format = str_trim(call_param(call, "dataFormat"));
    if (call_bool(call, "async") || str_ieq(transport, STR("esriTransportTypeUrl")))
        return err_set(ctx, &ERR_UNSUPPORTED,
                       "Changes come in the answer: 'transportType' has to be esriTransportTypeEmbedded, and 'async' false.");
    if (!str_empty(format) && !str_ieq(format, STR("json")))
        return err_set(ctx, &ERR_UNSUPPORTED, "'dataFormat' has to be json.");
    TRY(refuse_untold(ctx, call));
    x->list = arena_array(ctx->arena, struct wanted, SERVICE_LAYERS_MAX);
    x->adds = call_bool(call, "returnInserts");
    x->updates = call_bool(call, "returnUpdates");
    x->deletes = call_bool(call, "returnDeletes");
    x->files = call_bool(call, "returnAttachments");
    TRY(call_json(ctx, call, "layerServerGens", &gens));
    TRY(json_absent(gens) ? read_layers(ctx, call, x) : read_layer_gens(ctx, x, gens));
    return read_filters(ctx, call, x);
}

/* ---- answers ---- */

/* GlobalIDs of what is gone where the layer has them, else object ids. */
static void put_deleted(struct json_out *o, const char *name, const struct feature_changes *c)
{
    json_name(o, name);
    json_begin_array(o);
    for (size_t i = 0; i < c->deleted_count; i++)
        if (str_none(c->deleted[i].global_id))
            json_put_int(o, c->deleted[i].oid);
        else
            json_put_str(o, c->deleted[i].global_id);
    json_end_array(o);
}

/* The query of some of the ids. */
static struct feature_query query_of(const struct wanted *w, const int64_t *ids, size_t count)
{
    struct feature_query q = w->query;
    if (!q.oids) {
        q.oids = ids;
        q.oid_count = count;
    }
    return q;
}

static int put_rows(struct ctx *ctx, struct call *call, const struct extraction *x, struct features_rows *rows,
                    const struct feature_query *q)
{
    struct feature_cursor *cursor;
    struct row row;
    int rc;
    TRY(feature_query_open(ctx, call->site->features, &x->service->store, rows->layer, q, &cursor));
    while ((rc = feature_next(ctx, cursor, &row)) == RC_OK && (rc = features_rows_put(ctx, &call->out, rows, &row)) == RC_OK)
        ;
    feature_cursor_close(cursor);
    return rc == RC_END ? RC_OK : rc;
}

static bool is_filtered(const struct feature_query *q) { return q->where || q->has_box || q->shape || q->oids; }

static int put_matching_ids(struct ctx *ctx, struct call *call, const struct extraction *x, const struct wanted *w,
                            const int64_t *ids, size_t count)
{
    struct feature_query q = query_of(w, ids, count);
    struct feature_cursor *cursor;
    struct row row;
    int rc;
    q.fields = &w->layer->oid_field;
    q.field_count = 1;
    q.geometry = false;
    TRY(feature_query_open(ctx, call->site->features, &x->service->store, w->layer, &q, &cursor));
    while ((rc = feature_next(ctx, cursor, &row)) == RC_OK)
        json_put_int(&call->out, row.oid);
    feature_cursor_close(cursor);
    return rc == RC_END ? RC_OK : rc;
}

static int put_ids(struct ctx *ctx, struct call *call, const struct extraction *x, const struct wanted *w, const char *name,
                   const int64_t *ids, size_t count)
{
    bool filtered = is_filtered(&w->query);
    json_name(&call->out, name);
    json_begin_array(&call->out);
    for (size_t i = 0; i < count && !filtered; i++)
        json_put_int(&call->out, ids[i]);
    for (size_t from = 0; from < count && filtered; from += IDS_AT_ONCE)
        TRY(put_matching_ids(ctx, call, x, w, ids + from, count - from < IDS_AT_ONCE ? count - from : IDS_AT_ONCE));
    json_end_array(&call->out);
    return RC_OK;
}

/* Those that are gone again by now are not there to be shown: a later answer tells of them. */
static int put_features(struct ctx *ctx, struct call *call, const struct extraction *x, const struct wanted *w, const char *name,
                        const int64_t *ids, size_t count)
{
    const struct layer *l = w->layer;
    CLEANUP(features_rows_close) struct features_rows rows = {0};
    if (count > FEATURES_MAX)
        return err_set(ctx, &ERR_FEATURE, "More than %d features: ask for 'returnIdsOnly', or from a later moment on.",
                       FEATURES_MAX);
    TRY(features_rows_open(ctx, call, l, &rows));
    size_t *fields = arena_array(ctx->arena, size_t, l->field_count);
    for (size_t i = 0; i < l->field_count; i++)
        fields[i] = i;
    rows.fields = fields;
    rows.field_count = l->field_count;
    json_name(&call->out, name);
    json_begin_array(&call->out);
    for (size_t from = 0; from < count; from += IDS_AT_ONCE) {
        const struct feature_query q = query_of(w, ids + from, count - from < IDS_AT_ONCE ? count - from : IDS_AT_ONCE);
        TRY(put_rows(ctx, call, x, &rows, &q));
    }
    json_end_array(&call->out);
    return RC_OK;
}

static int put_layer(struct ctx *ctx, struct call *call, const struct extraction *x, const struct wanted *w)
{
    struct json_out *o = &call->out;
    const struct feature_changes *c = &w->features;
    bool ids = call_bool(call, "returnIdsOnly");
    json_begin_object(o);
    json_member_int(o, "id", w->layer->id);
    json_name(o, ids ? "objectIds" : "features");
    json_begin_object(o);
    if (ids) {
        TRY(put_ids(ctx, call, x, w, "adds", c->added, x->adds ? c->added_count : 0));
        TRY(put_ids(ctx, call, x, w, "updates", c->updated, x->updates ? c->updated_count : 0));
        json_name(o, "deletes");
        json_begin_array(o);
        for (size_t i = 0; i < c->deleted_count && x->deletes; i++)
            json_put_int(o, c->deleted[i].oid);
        json_end_array(o);
    } else {
        if (x->adds)
            TRY(put_features(ctx, call, x, w, "adds", c->added, c->added_count));
        if (x->updates)
            TRY(put_features(ctx, call, x, w, "updates", c->updated, c->updated_count));
        if (x->deletes)
            put_deleted(o, "deleteIds", c);
    }
    json_end_object(o);
    if (x->files && !ids && w->layer->has_attachments)
        TRY(features_put_changed_files(ctx, call, x->service, w->layer, &w->files));
    json_end_object(o);
    return RC_OK;
}

static void close_extraction(struct extraction *x)
{
    for (size_t i = 0; i < x->count; i++)
        features_filter_close(&x->list[i].query);
    hosted_release(&x->service);
}

/* The changes of a layer, and the moment up to which they are known. */
static int read_changes(struct ctx *ctx, struct call *call, const struct extraction *x, struct wanted *w)
{
    struct feature_store *fs = call->site->features;
    w->files.moment = w->since;
    TRY(feature_changes_since(ctx, fs, &x->service->store, w->layer, w->since, false, &w->features));
    if (x->files && w->layer->has_attachments)
        TRY(feature_changes_since(ctx, fs, &x->service->store, w->layer, w->since, true, &w->files));
    json_begin_object(&call->out);
    json_member_int(&call->out, "id", w->layer->id);
    json_member_int(&call->out, "serverGen", w->files.moment > w->features.moment ? w->files.moment : w->features.moment);
    json_end_object(&call->out);
    return RC_OK;
}

int features_extract_changes(struct ctx *ctx, struct call *call)
{
    CLEANUP(close_extraction) struct extraction x = {0};
    struct json_out *o = &call->out;
    TRY(hosted_open(ctx, call->site, &call->caller, call_path(call, "name"), FEATURE_CHANGES, &x.service));
    TRY(read_call(ctx, call, &x));
    json_begin_object(o);
    json_name(o, "layerServerGens");
    json_begin_array(o);
    for (size_t i = 0; i < x.count; i++)
        TRY(read_changes(ctx, call, &x, &x.list[i]));
    json_end_array(o);
    json_member_c(o, "transportType", "esriTransportTypeEmbedded");
    json_member_c(o, "responseType", "esriDataChangesResponseTypeEdits");
    json_name(o, "edits");
    json_begin_array(o);
    for (size_t i = 0; i < x.count; i++)
        TRY(put_layer(ctx, call, &x, &x.list[i]));
    json_end_array(o);
    json_end_object(o);
    return RC_OK;
}
