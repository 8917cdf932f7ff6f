/* extractChanges: what was added, changed and deleted since a moment (serverGen), which the data set's log of changes tells. */
#include "base/num.h"
#include "web/featureserver/featureserver.h"

enum { FEATURES_MAX = 100000, IDS_AT_ONCE = 20000 };

struct wanted {
    const struct layer *layer;
    int64_t since;
};
struct extraction {
    struct hosted_service *service;
    struct wanted *list;
    size_t count;
    bool adds, updates, deletes;
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
    x->list[x->count++] = (struct wanted){l, since};
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

static int read_call(struct ctx *ctx, struct call *call, struct extraction *x)
{
    struct json gens;
    str transport = str_trim(call_param(call, "transportType")), format = str_trim(call_param(call, "dataFormat"));
    if (call_bool(call, "async") || str_ieq(transport, STR("esriTransportTypeUrl")))
        return err_set(ctx, &ERR_UNSUPPORTED,
                       "Changes come in the answer: 'transportType' has to be esriTransportTypeEmbedded, and 'async' false.");
    if (!str_empty(format) && !str_ieq(format, STR("json")))
        return err_set(ctx, &ERR_UNSUPPORTED, "'dataFormat' has to be json.");
    if (call_bool(call, "returnAttachments"))
        return err_set(ctx, &ERR_UNSUPPORTED, "Changes of attachments are not tracked.");
    x->list = arena_array(ctx->arena, struct wanted, SERVICE_LAYERS_MAX);
    x->adds = call_bool(call, "returnInserts");
    x->updates = call_bool(call, "returnUpdates");
    x->deletes = call_bool(call, "returnDeletes");
    TRY(call_json(ctx, call, "layerServerGens", &gens));
    return json_absent(gens) ? read_layers(ctx, call, x) : read_layer_gens(ctx, x, gens);
}

/* ---- answers ---- */

static void put_ids(struct json_out *o, const char *name, const int64_t *ids, size_t count)
{
    json_name(o, name);
    json_begin_array(o);
    for (size_t i = 0; i < count; i++)
        json_put_int(o, ids[i]);
    json_end_array(o);
}

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

static int put_rows(struct ctx *ctx, struct call *call, const struct extraction *x, struct features_rows *rows,
                    const int64_t *ids, size_t count)
{
    const struct feature_query q = {.oids = ids, .oid_count = count, .limit = -1, .geometry = true};
    struct feature_cursor *cursor;
    struct row row;
    int rc;
    TRY(feature_query_open(ctx, call->site->features, &x->service->store, rows->layer, &q, &cursor));
    while ((rc = feature_next(ctx, cursor, &row)) == RC_OK && (rc = features_rows_put(ctx, &call->out, rows, &row)) == RC_OK)
        ;
    feature_cursor_close(cursor);
    return rc == RC_END ? RC_OK : rc;
}

/* Those that are gone again by now are not there to be shown: a later answer tells of them. */
static int put_features(struct ctx *ctx, struct call *call, const struct extraction *x, const struct layer *l, const char *name,
                        const int64_t *ids, size_t count)
{
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
    for (size_t from = 0; from < count; from += IDS_AT_ONCE)
        TRY(put_rows(ctx, call, x, &rows, ids + from, count - from < IDS_AT_ONCE ? count - from : IDS_AT_ONCE));
    json_end_array(&call->out);
    return RC_OK;
}

static int put_layer(struct ctx *ctx, struct call *call, const struct extraction *x, const struct layer *l,
                     const struct feature_changes *c)
{
    struct json_out *o = &call->out;
    bool ids = call_bool(call, "returnIdsOnly");
    json_begin_object(o);
    json_member_int(o, "id", l->id);
    json_name(o, ids ? "objectIds" : "features");
    json_begin_object(o);
    if (ids) {
        put_ids(o, "adds", c->added, x->adds ? c->added_count : 0);
        put_ids(o, "updates", c->updated, x->updates ? c->updated_count : 0);
        json_name(o, "deletes");
        json_begin_array(o);
        for (size_t i = 0; i < c->deleted_count && x->deletes; i++)
            json_put_int(o, c->deleted[i].oid);
        json_end_array(o);
    } else {
        if (x->adds)
            TRY(put_features(ctx, call, x, l, "adds", c->added, c->added_count));
        if (x->updates)
            TRY(put_features(ctx, call, x, l, "updates", c->updated, c->updated_count));
        if (x->deletes)
            put_deleted(o, "deleteIds", c);
    }
    json_end_object(o);
    json_end_object(o);
    return RC_OK;
}

static void close_extraction(struct extraction *x) { hosted_release(&x->service); }

int features_extract_changes(struct ctx *ctx, struct call *call)
{
    CLEANUP(close_extraction) struct extraction x = {0};
    struct json_out *o = &call->out;
    TRY(hosted_open(ctx, call->site, &call->caller, call_path(call, "name"), FEATURE_CHANGES, &x.service));
    TRY(read_call(ctx, call, &x));
    struct feature_changes *changes = arena_array(ctx->arena, struct feature_changes, x.count);
    json_begin_object(o);
    json_name(o, "layerServerGens");
    json_begin_array(o);
    for (size_t i = 0; i < x.count; i++) {
        TRY(feature_changes_since(ctx, call->site->features, &x.service->store, x.list[i].layer, x.list[i].since, &changes[i]));
        json_begin_object(o);
        json_member_int(o, "id", x.list[i].layer->id);
        json_member_int(o, "serverGen", changes[i].moment);
        json_end_object(o);
    }
    json_end_array(o);
    json_member_c(o, "transportType", "esriTransportTypeEmbedded");
    json_member_c(o, "responseType", "esriDataChangesResponseTypeEdits");
    json_name(o, "edits");
    json_begin_array(o);
    for (size_t i = 0; i < x.count; i++)
        TRY(put_layer(ctx, call, &x, x.list[i].layer, &changes[i]));
    json_end_array(o);
    json_end_object(o);
    return RC_OK;
}
