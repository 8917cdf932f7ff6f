/* The organization over REST, changing: portals/self/update and the resources; and the lists of regions and languages. Source:
 * api.md 3.1, 3.6. */
#include "service/organization.h"

#include "model/errors.h"
#include "store/meta_people.h"
#include "web/sharing/sharing.h"

int organization_change(struct ctx *ctx, struct call *call)
{
    str given[ORGANIZATION_PROPERTY_COUNT];
    TRY(sharing_portal_check(ctx, call));
    for (enum organization_property p = 0; p < ORGANIZATION_PROPERTY_COUNT; p++)
        given[p] = organization_changes(p) ? call_param(call, organization_name(p)) : STR_NONE;
    TRY(organization_update(ctx, call->site, &call->caller, given, call_bool(call, "clearEmptyFields")));
    return sharing_success(call, "id", call->site->org_id);
}

int organization_add_resource(struct ctx *ctx, struct call *call)
{
    const struct upload *file = call_file(call, NULL);
    str key = str_trim(call_param(call, "key")), text = call_param(call, "text");
    struct blob_new *own = NULL;
    TRY(sharing_portal_check(ctx, call));
    if (!file && str_none(text))
        return err_set(ctx, &ERR_PARAMETER, "'file' or 'text' is required.");
    if (!file)
        TRY(blob_put(ctx, call->site->blobs, text, &own));
    int rc = organization_resource_put(ctx, call->site, &call->caller, key, file ? file->blob : own, sharing_content_type(key));
    blob_new_close(own);
    TRY(rc);
    return sharing_success(call, "key", key);
}

int organization_remove_resource(struct ctx *ctx, struct call *call)
{
    str key = str_trim(call_param(call, "key"));
    TRY(sharing_portal_check(ctx, call));
    TRY(organization_resource_remove(ctx, call->site, &call->caller, key));
    return sharing_success(call, "key", key);
}

int organization_list_resources(struct ctx *ctx, struct call *call)
{
    struct portal_file *list;
    size_t count, from, n;
    struct sharing_page page = sharing_page(call, SHARING_PAGE_MAX);
    struct json_out *o = &call->out;
    TRY(sharing_portal_check(ctx, call));
    TRY(organization_resources(ctx, call->site, &call->caller, &list, &count));
    sharing_page_cut(&page, count, &from, &n);
    json_begin_object(o);
    sharing_paging(call, &page, (int64_t)count, n);
    json_name(o, "resources");
    json_begin_array(o);
    for (size_t i = from; i < from + n; i++) {
        json_begin_object(o);
        json_member_str(o, "key", list[i].name);
        json_member_int(o, "size", list[i].size);
        json_member_int(o, "modified", list[i].modified);
        json_end_object(o);
    }
    json_end_array(o);
    json_end_object(o);
    return RC_OK;
}

/* Its bytes; without f an error is JSON, which programs can read. */
int organization_resource(struct ctx *ctx, struct call *call)
{
    struct portal_file file;
    if (!call->format_given)
        call->format = FORMAT_JSON;
    TRY(sharing_portal_check(ctx, call));
    TRY(organization_resource_get(ctx, call->site, &call->caller, call_path(call, "path"), &file));
    return reply_blob(ctx, call, file.hash, file.content_type, STR(""));
}

int organization_regions(struct ctx *ctx, struct call *call)
{
    static const struct {
        const char *id, *name;
    } regions[] = {
#define REGION(id, name) {id, name},
#include "model/regions.def"
#undef REGION
    };
    (void)ctx;
    json_begin_array(&call->out);
    for (size_t i = 0; i < COUNT_OF(regions); i++) {
        json_begin_object(&call->out);
        json_member_c(&call->out, "name", regions[i].name);
        json_member_c(&call->out, "id", regions[i].id);
        json_end_object(&call->out);
    }
    json_end_array(&call->out);
    return RC_OK;
}

/* The languages that the portal itself speaks. */
int organization_languages(struct ctx *ctx, struct call *call)
{
    (void)ctx;
    json_begin_array(&call->out);
    json_begin_object(&call->out);
    json_member_c(&call->out, "language", "English");
    json_member_c(&call->out, "culture", "en");
    json_end_object(&call->out);
    json_end_array(&call->out);
    return RC_OK;
}
