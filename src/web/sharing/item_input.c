/* What a request says about an item, for every operation that makes or changes one: addItem, update, commit. Source: api.md 2.6.
 */
#include "model/errors.h"
#include "web/sharing/sharing.h"

static struct blob_new *file_of(const struct call *call, const char *name, str *name_out, str *type_out)
{
    struct upload *u = call_file(call, name);
    if (!u)
        return NULL;
    *name_out = u->filename;
    if (type_out)
        *type_out = u->content_type;
    return u->blob;
}

void sharing_item_input(const struct call *call, struct item_input *in)
{
    *in = (struct item_input){.clear_empty = call_bool(call, "clearEmptyFields"),
                              .overwrite = call_bool(call, "overwrite"),
                              .relationship_type = str_trim(sharing_text(call, "relationshipType")),
                              .access = str_trim(sharing_text(call, "access"))};
    for (enum item_field f = 0; f < ITEM_FIELD_COUNT; f++)
        in->field[f] = call_param(call, item_fields[f].name);
    in->data_url = str_trim(sharing_text(call, "dataUrl"));
    in->thumbnail_url = str_trim(sharing_text(call, "thumbnailUrl"));
    str text = call_param(call, "text");
    if (str_none(text))
        text = call_param(call, "data");
    in->has_text = !str_none(text);
    in->text = in->has_text ? text : STR("");
    in->file = file_of(call, call_file(call, "file") ? "file" : "data", &in->file_name, &in->file_content_type);
    if (call_has(call, "fileName"))
        in->file_name = str_trim(call_param(call, "fileName"));
    for (size_t i = 0; i < ITEM_PICTURE_COUNT; i++)
        in->picture[i].blob = file_of(call, item_pictures[i].name, &in->picture[i].name, NULL);
    str unused;
    in->metadata = file_of(call, "metadata", &unused, NULL);
    for (size_t i = 0; i < ITEM_CREDENTIAL_COUNT; i++)
        in->credential[i] = call_param(call, item_credential_names[i]);
    if (call_has(call, "commentsEnabled"))
        in->comments = call_bool(call, "commentsEnabled") ? SWITCH_ON : SWITCH_OFF;
    call_id(call, "itemIdToCreate", &in->wanted_id);
    call_id(call, "originItemId", &in->origin);
    call_id(call, "destinationItemId", &in->destination);
}

int sharing_item_fetch(struct ctx *ctx, struct call *call, struct item_input *in, struct item_fetched *out)
{
    if (!item_fetch_needed(in))
        return RC_OK;
    TRY(jobs_wait_begin(ctx, call->web->jobs));
    int rc = item_fetch(ctx, call->site, in, out);
    jobs_wait_end(call->web->jobs);
    return rc;
}

int sharing_item_made(struct call *call, const id *item, const id *folder)
{
    json_begin_object(&call->out);
    json_member_bool(&call->out, "success", true);
    json_member_str(&call->out, "id", id_str(item));
    json_member_str(&call->out, "folder", id_none(*folder) ? STR_NONE : id_str(folder));
    json_end_object(&call->out);
    return RC_OK;
}
