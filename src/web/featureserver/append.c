/* append of a layer: starts the job, and says how far it is (api.md 4.4). */
#include "jobs/append.h"
#include "web/featureserver/featureserver.h"

static str text_of(const struct call *call, const char *name)
{
    str s = call_param(call, name);
    return str_none(s) ? STR("") : str_trim(s);
}

static int json_given(struct ctx *ctx, const struct call *call, const char *name, enum json_type type, str *out)
{
    struct json v;
    *out = STR("");
    TRY(call_json(ctx, call, name, &v));
    if (json_absent(v))
        return RC_OK;
    if (!json_is(v, type))
        return err_set(ctx, &ERR_PARAMETER, "'%s' has to be a JSON %s.", name, type == JSON_ARRAY ? "array" : "object");
    *out = json_raw(v);
    return RC_OK;
}

/* The options that real servers have, and that are not done here, are refused instead of passed over. */
static int refuse_others(struct ctx *ctx, const struct call *call)
{
    static const struct {
        const char *name, *instead;
    } OTHERS[] = {{"appendUploadId", "add the file as an item and give 'appendItemId'"},
                  {"edits", "use applyEdits, or add the features as an item and give 'appendItemId'"},
                  {"layerMappings", "append to each layer, with 'sourceTableName'"}};
    for (size_t i = 0; i < COUNT_OF(OTHERS); i++)
        if (call_has(call, OTHERS[i].name))
            return err_set(ctx, &ERR_UNSUPPORTED, "'%s' is not taken: %s.", OTHERS[i].name, OTHERS[i].instead);
    return RC_OK;
}

int features_append(struct ctx *ctx, struct call *call)
{
    id job;
    struct append a = {.caller = call->caller,
                       .service = call_path(call, "name"),
                       .format = text_of(call, "appendUploadFormat"),
                       .fields = text_of(call, "appendFields"),
                       .table = text_of(call, "sourceTableName"),
                       .matching_field = text_of(call, "upsertMatchingField"),
                       .upsert = call_bool(call, "upsert"),
                       .skip_inserts = call_bool(call, "skipInserts"),
                       .skip_updates = call_bool(call, "skipUpdates"),
                       .keep_geometry = !call_bool(call, "updateGeometry"),
                       .global_ids = call_bool(call, "useGlobalIds"),
                       .rollback = call_bool(call, "rollbackOnFailure")};
    TRY(refuse_others(ctx, call));
    if (!call_id(call, "appendItemId", &a.item))
        return err_set(ctx, &ERR_PARAMETER, "'appendItemId' is needed.");
    TRY(features_layer_id(ctx, call, &a.layer));
    TRY(json_given(ctx, call, "fieldMappings", JSON_ARRAY, &a.mappings));
    TRY(json_given(ctx, call, "appendSourceInfo", JSON_OBJECT, &a.source_info));
    TRY(append_submit(ctx, call->site, call->web->jobs, &a, &job));
    json_begin_object(&call->out);
    json_member_str(&call->out, "statusUrl",
                    arena_printf(ctx->arena, "%.*s/rest/services/Hosted/%.*s/FeatureServer/%d/append/jobs/%s",
                                 STR_FMT(call->server_url), STR_FMT(a.service), a.layer, job.text));
    json_end_object(&call->out);
    return RC_OK;
}

static const char *const STATUS_WORDS[] = {[JOB_SUBMITTED] = "Pending",
                                           [JOB_RUNNING] = "InProgress",
                                           [JOB_SUCCEEDED] = "Completed",
                                           [JOB_FAILED] = "Failed",
                                           [JOB_CANCELED] = "Failed"};

/* Who started it, and administrators. */
int features_append_status(struct ctx *ctx, struct call *call)
{
    id wanted;
    struct job job;
    struct json result = JSON_ABSENT;
    int64_t count = 0;
    bool known = call_path_id(call, "jobId", &wanted);
    int rc = known ? jobs_get(ctx, call->web->jobs, &wanted, &job) : RC_NOT_FOUND;
    bool mine = rc == RC_OK && (access_is_self(&call->caller, job.owner) || access_administer(&call->caller));
    if (rc == RC_NOT_FOUND || (rc == RC_OK && (!mine || !str_eq(job.kind, STR("append"))))) {
        err_clear(ctx);
        return err_kind(ctx, &ERR_JOB_MISSING);
    }
    TRY(rc);
    if (json_try_parse(ctx->arena, job.result, &result))
        json_int(json_get_c(result, "recordCount"), &count);
    struct json_out *o = &call->out;
    json_begin_object(o);
    json_member_str(o, "layerName", json_string_or(json_get_c(result, "layerName"), ctx->arena, STR("")));
    json_member_int(o, "submissionTime", job.created);
    json_member_int(o, "lastUpdatedTime", job.modified);
    json_member_int(o, "recordCount", count);
    json_member_c(o, "status", STATUS_WORDS[job.state]);
    if (!json_absent(result)) {
        json_member_raw(o, "inserted", json_raw(json_get_c(result, "inserted")));
        json_member_raw(o, "updated", json_raw(json_get_c(result, "updated")));
        json_member_raw(o, "skipped", json_raw(json_get_c(result, "skipped")));
    }
    json_member_raw(o, "messages", str_empty(job.messages) ? STR("[]") : job.messages);
    json_end_object(o);
    return RC_OK;
}
