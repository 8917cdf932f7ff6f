/* Edits of features over HTTP: addFeatures, updateFeatures, deleteFeatures, and applyEdits of a layer and of a service. */
#include "base/num.h"
#include "web/featureserver/featureserver.h"

enum { DELETES_MAX = 1000000 };

/* ---- answers ---- */

void features_put_edit_result(struct json_out *o, const struct edit_result *r)
{
    json_begin_object(o);
    json_member_int(o, "objectId", r->oid);
    if (!str_none(r->global_id))
        json_member_str(o, "globalId", r->global_id);
    json_member_bool(o, "success", r->success);
    if (!r->success) {
        json_name(o, "error");
        json_begin_object(o);
        json_member_int(o, "code", r->code);
        json_member_str(o, "description", r->description);
        json_end_object(o);
    }
    json_end_object(o);
}

static void put_results(struct json_out *o, const char *name, const struct edit_results *results)
{
    json_name(o, name);
    json_begin_array(o);
    for (size_t i = 0; i < results->count; i++)
        features_put_edit_result(o, &results->list[i]);
    json_end_array(o);
}

/* "attachments" of an answer, when there were any in the call. */
static void put_files(struct json_out *o, const struct hosted_layer_edits *e)
{
    if (e->files_added.count + e->files_updated.count + e->files_deleted.count == 0)
        return;
    json_name(o, "attachments");
    json_begin_object(o);
    put_results(o, "addResults", &e->files_added);
    put_results(o, "updateResults", &e->files_updated);
    put_results(o, "deleteResults", &e->files_deleted);
    json_end_object(o);
}

static void put_moment(struct call *call, int64_t moment)
{
    if (call_bool(call, "returnEditMoment"))
        json_member_int(&call->out, "editMoment", moment);
}

/* ---- parameters ---- */

static int read_json(struct ctx *ctx, str text, const char *name, struct json *out)
{
    struct ctx child = *ctx; /* with an error record of its own */
    child.err = (struct err){0};
    *out = JSON_ABSENT;
    if (str_empty(str_trim(text)) || json_parse(&child, text, out) == RC_OK)
        return RC_OK;
    return err_set(ctx, &ERR_PARAMETER, "'%s' is not valid JSON: %s", name, err_text(&child));
}

static int add_delete(struct ctx *ctx, str piece, bool guids, struct hosted_layer_edits *e, size_t at)
{
    char guid[GUID_SIZE + 1];
    piece = str_trim(piece);
    if (guids) {
        if (!guid_parse(piece, guid))
            return err_set(ctx, &ERR_PARAMETER, "'deletes': '%.*s' is no GlobalID.", STR_FMT(str_sub(piece, 0, 64)));
        e->delete_guids[at] = arena_str(ctx->arena, str_of(guid, GUID_SIZE));
        return RC_OK;
    }
    if (!num_parse_int(piece, &e->delete_oids[at]))
        return err_set(ctx, &ERR_PARAMETER, "'deletes': '%.*s' is no object id.", STR_FMT(str_sub(piece, 0, 64)));
    return RC_OK;
}

/* A number as it stands, or a text. */
static str piece_of(struct ctx *ctx, struct json v)
{
    return json_is(v, JSON_NUMBER) ? json_raw(v) : json_string_or(v, ctx->arena, STR(""));
}

static int read_deletes(struct ctx *ctx, struct json list, str csv, bool guids, struct hosted_layer_edits *e)
{
    struct json v;
    size_t count = json_count(list), at = 0;
    str rest = csv, piece;
    while (json_absent(list) && str_split(&rest, ',', &piece))
        count += !str_empty(str_trim(piece));
    if (count > DELETES_MAX)
        return err_set(ctx, &ERR_PARAMETER, "'deletes' names more than %d features.", DELETES_MAX);
    e->delete_count = count;
    if (guids)
        e->delete_guids = arena_array(ctx->arena, str, count);
    else
        e->delete_oids = arena_array(ctx->arena, int64_t, count);
    for (struct json_iter it = json_each(list); json_next(&it, NULL, &v);)
        TRY(add_delete(ctx, piece_of(ctx, v), guids, e, at++));
    for (rest = csv; json_absent(list) && str_split(&rest, ',', &piece);)
        if (!str_empty(str_trim(piece)))
            TRY(add_delete(ctx, piece, guids, e, at++));
    return RC_OK;
}

/* A parameter that is a csv of ids or a JSON array of them. */
static int read_deletes_text(struct ctx *ctx, str text, bool guids, struct hosted_layer_edits *e)
{
    struct json list = JSON_ABSENT;
    text = str_trim(text);
    if (str_starts(text, STR("[")))
        TRY(read_json(ctx, text, "deletes", &list));
    return read_deletes(ctx, list, text, guids, e);
}

static struct hosted_edit_options options_of(const struct call *call)
{
    return (struct hosted_edit_options){.global_ids = call_bool(call, "useGlobalIds"),
                                        .rollback = call_bool(call, "rollbackOnFailure")};
}

static int refuse_async(struct ctx *ctx, const struct call *call)
{
    return call_bool(call, "async")
               ? err_set(ctx, &ERR_UNSUPPORTED, "'async' is not supported: the answer comes when it is done.")
               : RC_OK;
}

static int find_layer(struct ctx *ctx, const struct hosted_editing *e, int32_t layer_id, const struct layer **out)
{
    *out = service_layer(&e->service->def, layer_id);
    return *out ? RC_OK : err_set(ctx, &ERR_LAYER_MISSING, "Invalid URL");
}

/* ---- the operations of a layer ---- */

static int edit_layer(struct ctx *ctx, struct call *call, const enum feature_right *rights, size_t right_count,
                      struct hosted_layer_edits *e, int64_t *moment_out)
{
    CLEANUP(hosted_editing_close) struct hosted_editing editing = {0};
    struct hosted_edit_options options = options_of(call);
    int32_t layer_id;
    TRY(features_layer_id(ctx, call, &layer_id));
    TRY(hosted_editing_open(ctx, call->site, &call->caller, call_path(call, "name"), rights, right_count, &editing));
    TRY(find_layer(ctx, &editing, layer_id, &e->layer));
    return hosted_apply_edits(ctx, call->site, &call->caller, editing.service, &options, e, 1, moment_out);
}

/* addFeatures and updateFeatures. */
static int edit_features(struct ctx *ctx, struct call *call, enum feature_right right, const char *answer)
{
    struct hosted_layer_edits e = {0};
    int64_t moment;
    struct json features;
    TRY(read_json(ctx, call_param(call, "features"), "features", &features));
    *(right == FEATURE_CREATE ? &e.adds : &e.updates) = features;
    TRY(edit_layer(ctx, call, &right, 1, &e, &moment));
    json_begin_object(&call->out);
    put_results(&call->out, answer, right == FEATURE_CREATE ? &e.added : &e.updated);
    put_moment(call, moment);
    json_end_object(&call->out);
    return RC_OK;
}

int features_add(struct ctx *ctx, struct call *call) { return edit_features(ctx, call, FEATURE_CREATE, "addResults"); }

int features_update(struct ctx *ctx, struct call *call) { return edit_features(ctx, call, FEATURE_UPDATE, "updateResults"); }

/* What to delete: object ids, else a where-clause or a geometry or both. */
static int read_deletion(struct ctx *ctx, struct call *call, struct hosted_layer_edits *e, struct feature_query *q)
{
    if (call_has(call, "objectIds"))
        return read_deletes_text(ctx, call_param(call, "objectIds"), false, e);
    if (!call_has(call, "where") && !call_has(call, "geometry"))
        return err_set(ctx, &ERR_PARAMETER, "'objectIds', 'where' or 'geometry' is missing.");
    struct where *where;
    TRY(features_where(ctx, e->layer, call_param(call, "where"), &where));
    TRY(features_filter(ctx, call, e->layer, q));
    q->where = where;
    e->delete_query = q;
    return RC_OK;
}

int features_delete(struct ctx *ctx, struct call *call)
{
    CLEANUP(hosted_editing_close) struct hosted_editing editing = {0};
    struct hosted_edit_options options = options_of(call);
    struct hosted_layer_edits e = {0};
    CLEANUP(features_filter_close) struct feature_query q = {.limit = -1};
    const enum feature_right right = FEATURE_DELETE;
    int32_t layer_id;
    int64_t moment;
    TRY(features_layer_id(ctx, call, &layer_id));
    TRY(hosted_editing_open(ctx, call->site, &call->caller, call_path(call, "name"), &right, 1, &editing));
    TRY(find_layer(ctx, &editing, layer_id, &e.layer));
    TRY(read_deletion(ctx, call, &e, &q));
    TRY(hosted_apply_edits(ctx, call->site, &call->caller, editing.service, &options, &e, 1, &moment));
    bool all = true;
    for (size_t i = 0; i < e.deleted.count; i++)
        all &= e.deleted.list[i].success;
    json_begin_object(&call->out);
    if (call_bool(call, "returnDeleteResults"))
        put_results(&call->out, "deleteResults", &e.deleted);
    else
        json_member_bool(&call->out, "success", all);
    put_moment(call, moment);
    json_end_object(&call->out);
    return RC_OK;
}

/* ---- applyEdits ---- */

/* The rights that the edits need; without any edit the one to add. */
static size_t rights_of(const struct hosted_layer_edits *e, size_t count, enum feature_right out[3])
{
    bool needed[3] = {false};
    size_t n = 0;
    for (size_t i = 0; i < count; i++) {
        needed[0] |= json_count(e[i].adds) + e[i].file_add_count > 0;
        needed[1] |= json_count(e[i].updates) + e[i].file_update_count > 0;
        needed[2] |= e[i].delete_count + e[i].file_delete_count > 0;
    }
    const enum feature_right rights[] = {FEATURE_CREATE, FEATURE_UPDATE, FEATURE_DELETE};
    for (size_t i = 0; i < COUNT_OF(rights); i++)
        if (needed[i])
            out[n++] = rights[i];
    if (n == 0)
        out[n++] = FEATURE_CREATE;
    return n;
}

int features_apply(struct ctx *ctx, struct call *call)
{
    CLEANUP(features_close_files) struct hosted_layer_edits e = {0};
    enum feature_right rights[3];
    int64_t moment;
    struct json files;
    TRY(refuse_async(ctx, call));
    TRY(read_json(ctx, call_param(call, "adds"), "adds", &e.adds));
    TRY(read_json(ctx, call_param(call, "updates"), "updates", &e.updates));
    TRY(read_deletes_text(ctx, call_param(call, "deletes"), call_bool(call, "useGlobalIds"), &e));
    TRY(read_json(ctx, call_param(call, "attachments"), "attachments", &files));
    TRY(features_read_files(ctx, call, files, &e));
    TRY(edit_layer(ctx, call, rights, rights_of(&e, 1, rights), &e, &moment));
    json_begin_object(&call->out);
    put_results(&call->out, "addResults", &e.added);
    put_results(&call->out, "updateResults", &e.updated);
    put_results(&call->out, "deleteResults", &e.deleted);
    put_files(&call->out, &e);
    put_moment(call, moment);
    json_end_object(&call->out);
    return RC_OK;
}

/* One entry of the service's edits: {"id":…,"adds":[…],"updates":[…],"deletes":[…]}. */
static int read_entry(struct ctx *ctx, struct call *call, struct json v, int32_t *layer_id, struct hosted_layer_edits *out)
{
    int64_t wanted;
    struct json deletes = json_get_c(v, "deletes");
    bool guids = call_bool(call, "useGlobalIds");
    if (!json_int(json_get_c(v, "id"), &wanted) || wanted < 0 || wanted > INT32_MAX)
        return err_set(ctx, &ERR_PARAMETER, "An entry of 'edits' has to have the 'id' of a layer.");
    *layer_id = (int32_t)wanted;
    out->adds = json_get_c(v, "adds");
    out->updates = json_get_c(v, "updates");
    TRY(features_read_files(ctx, call, json_get_c(v, "attachments"), out));
    if (json_is(deletes, JSON_STRING))
        return read_deletes_text(ctx, json_string(deletes, ctx->arena), guids, out);
    if (!json_absent(deletes) && !json_is(deletes, JSON_NULL) && !json_is(deletes, JSON_ARRAY))
        return err_set(ctx, &ERR_PARAMETER, "'deletes' has to be an array.");
    return read_deletes(ctx, deletes, STR(""), guids, out);
}

static void put_entry(struct call *call, const struct hosted_layer_edits *e, int64_t moment)
{
    json_begin_object(&call->out);
    json_member_int(&call->out, "id", e->layer->id);
    put_results(&call->out, "addResults", &e->added);
    put_results(&call->out, "updateResults", &e->updated);
    put_results(&call->out, "deleteResults", &e->deleted);
    put_files(&call->out, e);
    put_moment(call, moment);
    json_end_object(&call->out);
}

/* The edits of a service's layers. */
struct service_edits {
    struct hosted_layer_edits *list;
    size_t count;
};

static void close_edits(struct service_edits *e)
{
    for (size_t i = 0; i < e->count; i++)
        features_close_files(&e->list[i]);
}

int features_apply_service(struct ctx *ctx, struct call *call)
{
    CLEANUP(hosted_editing_close) struct hosted_editing editing = {0};
    struct hosted_edit_options options = options_of(call);
    enum feature_right rights[3];
    struct json edits, v;
    int64_t moment;
    size_t at = 0;
    TRY(refuse_async(ctx, call));
    TRY(read_json(ctx, call_param(call, "edits"), "edits", &edits));
    size_t count = json_count(edits);
    if (!json_is(edits, JSON_ARRAY) || count > SERVICE_LAYERS_MAX)
        return err_set(ctx, &ERR_PARAMETER, "'edits' has to be an array of at most %d layers' edits.", SERVICE_LAYERS_MAX);
    struct hosted_layer_edits *list = arena_array(ctx->arena, struct hosted_layer_edits, count);
    CLEANUP(close_edits) struct service_edits opened = {list, count};
    (void)opened;
    int32_t *layers = arena_array(ctx->arena, int32_t, count);
    for (struct json_iter it = json_each(edits); json_next(&it, NULL, &v); at++)
        TRY(read_entry(ctx, call, v, &layers[at], &list[at]));
    TRY(hosted_editing_open(ctx, call->site, &call->caller, call_path(call, "name"), rights, rights_of(list, count, rights),
                            &editing));
    for (size_t i = 0; i < count; i++)
        TRY(find_layer(ctx, &editing, layers[i], &list[i].layer));
    TRY(hosted_apply_edits(ctx, call->site, &call->caller, editing.service, &options, list, count, &moment));
    json_begin_array(&call->out);
    for (size_t i = 0; i < count; i++)
        put_entry(call, &list[i], moment);
    json_end_array(&call->out);
    return RC_OK;
}

/* ---- calculate ---- */

int features_calculate(struct ctx *ctx, struct call *call)
{
    CLEANUP(hosted_editing_close) struct hosted_editing editing = {0};
    const enum feature_right right = FEATURE_UPDATE;
    const struct layer *l;
    struct json expressions;
    struct where *where;
    int32_t layer_id;
    int64_t count = 0;
    TRY(refuse_async(ctx, call));
    TRY(features_layer_id(ctx, call, &layer_id));
    TRY(read_json(ctx, call_param(call, "calcExpression"), "calcExpression", &expressions));
    TRY(hosted_editing_open(ctx, call->site, &call->caller, call_path(call, "name"), &right, 1, &editing));
    TRY(find_layer(ctx, &editing, layer_id, &l));
    TRY(features_where(ctx, l, call_param(call, "where"), &where));
    TRY(hosted_calculate(ctx, call->site, &call->caller, editing.service, l, where, expressions, &count));
    json_begin_object(&call->out);
    json_member_bool(&call->out, "success", true);
    json_member_int(&call->out, "updatedFeatureCount", count);
    json_end_object(&call->out);
    return RC_OK;
}
