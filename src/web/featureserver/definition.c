/* What changes services: createService and the definitions. */
#include "web/featureserver/featureserver.h"

/* ---- services ---- */

static int read_folder(struct ctx *ctx, const struct call *call, id *out)
{
    str text = call_path(call, "folderId");
    *out = ID_NONE;
    if (str_empty(text))
        text = str_trim(call_param(call, "folderId"));
    if (str_empty(text) || id_parse(text, out))
        return RC_OK;
    return err_set(ctx, &ERR_FOLDER_MISSING, "'%.*s' is no folder id.", STR_FMT(str_sub(text, 0, 64)));
}

int features_create_service(struct ctx *ctx, struct call *call)
{
    struct json_out *o = &call->out;
    struct json parameters;
    str fields[ITEM_FIELD_COUNT];
    id folder;
    struct hosted_created created;
    if (call_has(call, "outputType") && !str_ieq(str_trim(call_param(call, "outputType")), STR("featureService")))
        return err_set(ctx, &ERR_UNSUPPORTED, "'outputType' has to be featureService.");
    TRY(read_folder(ctx, call, &folder));
    TRY(call_json(ctx, call, "createParameters", &parameters));
    for (size_t f = 0; f < ITEM_FIELD_COUNT; f++)
        fields[f] = call_has(call, item_fields[f].name) ? call_param(call, item_fields[f].name) : STR_NONE;
    fields[ITEM_NAME] = fields[ITEM_TYPE] = fields[ITEM_URL] = fields[ITEM_THUMBNAIL] = STR_NONE;
    bool is_view = call_bool(call, "isView") || json_bool(json_get_c(parameters, "isView"), false);
    if (is_view && !json_bool(json_get_c(parameters, "isView"), false)) { /* either place will do */
        const struct hosted_member view = {"isView", STR("true"), true};
        TRY(json_parse(ctx, hosted_json_object(ctx, parameters, &view, 1), &parameters));
    }
    TRY(hosted_create(ctx, call->site, &call->caller, call_path(call, "username"), &folder, parameters, fields, &created));
    str url = site_url_expand(ctx, call->server_url, created.url);
    json_begin_object(o);
    json_member_str(o, "encodedServiceURL", url);
    json_member_str(o, "itemId", id_str(&created.item));
    json_member_str(o, "name", created.name);
    json_member_str(o, "serviceItemId", id_str(&created.item));
    json_member_str(o, "serviceurl", url);
    json_member_int(o, "size", -1);
    json_member_bool(o, "success", true);
    json_member_c(o, "type", "Feature Service");
    json_member_bool(o, "isView", is_view);
    json_end_object(o);
    return RC_OK;
}

int features_add_definition(struct ctx *ctx, struct call *call)
{
    int32_t layer_id;
    struct json addition;
    str answer;
    TRY(features_layer_id(ctx, call, &layer_id));
    TRY(call_json(ctx, call, "addToDefinition", &addition));
    TRY(hosted_add_to_definition(ctx, call->site, &call->caller, call_path(call, "name"), layer_id, addition, &answer));
    json_put_raw(&call->out, answer);
    return RC_OK;
}

static int put_success(struct call *call)
{
    json_begin_object(&call->out);
    json_member_bool(&call->out, "success", true);
    json_end_object(&call->out);
    return RC_OK;
}

/* The operations that change what is there: of a service or of the layer of the path. */
static int change_definition(struct ctx *ctx, struct call *call, const char *parameter,
                             int (*change)(struct ctx *, struct site *, const struct caller *, str, int32_t, struct json))
{
    int32_t layer_id;
    struct json v;
    TRY(features_layer_id(ctx, call, &layer_id));
    TRY(call_json(ctx, call, parameter, &v));
    TRY(change(ctx, call->site, &call->caller, call_path(call, "name"), layer_id, v));
    return put_success(call);
}

int features_update_definition(struct ctx *ctx, struct call *call)
{
    return change_definition(ctx, call, "updateDefinition", hosted_update_definition);
}

int features_delete_definition(struct ctx *ctx, struct call *call)
{
    return change_definition(ctx, call, "deleteFromDefinition", hosted_delete_from_definition);
}

int features_truncate(struct ctx *ctx, struct call *call)
{
    int32_t layer_id;
    TRY(features_layer_id(ctx, call, &layer_id));
    TRY(hosted_truncate(ctx, call->site, &call->caller, call_path(call, "name"), layer_id, call_bool(call, "attachmentOnly")));
    return put_success(call);
}

int features_refresh(struct ctx *ctx, struct call *call)
{
    CLEANUP(hosted_release) struct hosted_service *h = NULL;
    TRY(hosted_open_admin(ctx, call->site, &call->caller, call_path(call, "name"), &h));
    return put_success(call);
}
