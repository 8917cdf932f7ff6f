/* Items: adding, updating, deleting, protecting, moving, reassigning. */
#include "model/itemtype.h"
#include "service/item_private.h"

struct write_call {
    const struct caller *caller;
    const struct seal_key *key;
    const struct item_input *in;
    const struct item_change *change;
    str owner; /* whose content, or who gets the item */
    const id *folder;
    str folder_text; /* move: as given; reassign: title */
    id item;         /* add: the fresh id, then the id of what was written */
    bool protect;
};

/* ---- what add and update share ---- */

/* No other item of that folder has the file name. */
static int name_check(struct ctx *ctx, struct sql_tx *tx, const struct item *it)
{
    id there;
    if (str_empty(it->field[ITEM_NAME]))
        return RC_OK;
    int rc = meta_item_by_name(ctx, tx, it->owner, &it->folder, it->field[ITEM_NAME], &there);
    if (rc == RC_OK && !id_eq(there, it->id))
        return err_set(ctx, &ERR_ITEM_NAME_TAKEN, "[itemId=%s]", there.text);
    return rc == RC_NOT_FOUND ? RC_OK : rc;
}

static int is_hosted(struct ctx *ctx, struct sql_tx *tx, const id *item, bool *out)
{
    struct hosted hosted;
    int rc = meta_hosted_get(ctx, tx, item, &hosted);
    *out = rc == RC_OK;
    return rc == RC_NOT_FOUND ? RC_OK : rc;
}

/* The address, type and name of a hosted service are those of the service: what a client sends back of them is not taken. */
static bool is_of_service(enum item_field f) { return f == ITEM_URL || f == ITEM_TYPE || f == ITEM_NAME; }

static void fields_apply(const struct item_change *change, bool hosted, struct item *it)
{
    for (enum item_field f = 0; f < ITEM_FIELD_COUNT; f++)
        if (!str_none(change->field[f]) && !(hosted && is_of_service(f)))
            it->field[f] = change->field[f];
    for (size_t i = 0; i < ITEM_PICTURE_COUNT; i++)
        if (!str_none(change->picture[i].name))
            it->field[item_pictures[i].field] = change->picture[i].name;
    if (change->comments != SWITCH_AS_IT_IS)
        it->comments_disabled = change->comments == SWITCH_OFF;
}

/* Size and file name of the item follow its data. old: the data so far, NULL none. */
static void data_apply(const struct item_change *change, bool hosted, const struct item_part *old, struct item *it)
{
    if (change->has_data)
        it->size = change->data.size;
    else if (change->erase_text && old && str_empty(old->name))
        it->size = -1;
    if (!change->has_data || hosted)
        return;
    if (!str_empty(change->data.name))
        it->field[ITEM_NAME] = change->data.name;
    else if (old && !str_empty(old->name) && str_eq(old->name, it->field[ITEM_NAME]))
        it->field[ITEM_NAME] = STR("");
}

static int picture_put(struct ctx *ctx, struct sql_tx *tx, const id *item, const char *folder, const struct item_part *picture)
{
    struct item_part *old;
    size_t count;
    TRY(meta_parts(ctx, tx, item, PART_INFO, str_c(folder), &old, &count));
    for (size_t i = 0; i < count; i++)
        TRY(meta_part_delete(ctx, tx, item, PART_INFO, old[i].name));
    return meta_part_put(ctx, tx, item, picture);
}

static int parts_put(struct ctx *ctx, struct sql_tx *tx, const struct item_change *change, const struct item_part *old,
                     const id *item)
{
    for (size_t i = 0; i < change->blob_count; i++)
        TRY(blob_attach(ctx, tx, change->blobs[i]));
    if (change->has_data) {
        struct item_part data = change->data;
        data.created = old ? old->created : data.created;
        TRY(meta_part_put(ctx, tx, item, &data));
    } else if (change->erase_text && old && str_empty(old->name)) {
        TRY(meta_part_delete(ctx, tx, item, PART_DATA, STR("")));
    }
    for (size_t i = 0; i < ITEM_PICTURE_COUNT; i++)
        if (!str_none(change->picture[i].name))
            TRY(picture_put(ctx, tx, item, item_pictures[i].folder, &change->picture[i]));
    return str_none(change->metadata.name) ? RC_OK : meta_part_put(ctx, tx, item, &change->metadata);
}

static int relation_put(struct ctx *ctx, struct sql_tx *tx, const struct write_call *call)
{
    if (call->change->relation == RELATION_NONE)
        return RC_OK;
    bool is_origin = call->change->relation == RELATION_ORIGIN;
    const struct relationship r = {.origin = is_origin ? call->in->origin : call->item,
                                   .destination = is_origin ? call->item : call->in->destination,
                                   .type = call->in->relationship_type};
    return item_relation_put(ctx, tx, call->caller, &r);
}

/* Applies the change to a row that exists. */
static int change_item(struct ctx *ctx, struct sql_tx *tx, const struct write_call *call, struct item *it)
{
    struct item_part old;
    bool hosted;
    TRY(is_hosted(ctx, tx, &it->id, &hosted));
    int rc = meta_part_get(ctx, tx, &it->id, PART_DATA, STR(""), &old);
    if (rc != RC_OK && rc != RC_NOT_FOUND)
        return rc;
    const struct item_part *data = rc == RC_OK ? &old : NULL;
    str name_before = it->field[ITEM_NAME], url_before = it->field[ITEM_URL];
    fields_apply(call->change, hosted, it);
    data_apply(call->change, hosted, data, it);
    if (!str_eq(it->field[ITEM_NAME], name_before))
        TRY(name_check(ctx, tx, it));
    it->modified = ctx_now(ctx);
    TRY(meta_item_update(ctx, tx, it));
    TRY(item_credential_apply(ctx, tx, call->key, call->in, it, !str_eq(it->field[ITEM_URL], url_before)));
    TRY(parts_put(ctx, tx, call->change, data, &it->id));
    return relation_put(ctx, tx, call);
}

/* ---- add ---- */

static int id_free(struct ctx *ctx, struct sql_tx *tx, const id *wanted)
{
    struct item there;
    int rc = meta_item_get(ctx, tx, wanted, &there);
    if (rc == RC_OK)
        return err_set(ctx, &ERR_ITEM_ID_TAKEN, "[itemId=%s]", there.id.text);
    return rc == RC_NOT_FOUND ? RC_OK : rc;
}

int item_wanted_id_check(struct ctx *ctx, struct sql_tx *tx, const struct caller *c, const id *wanted)
{
    struct meta_upload begun;
    if (id_none(*wanted))
        return RC_OK;
    TRY(service_require(ctx, c, access_administer(c)));
    TRY(id_free(ctx, tx, wanted));
    int rc = meta_upload_get(ctx, tx, wanted, &begun);
    if (rc == RC_OK)
        return err_set(ctx, &ERR_ITEM_ID_TAKEN, "[itemId=%s] An upload in parts has this id.", begun.item.text);
    return rc == RC_NOT_FOUND ? RC_OK : rc;
}

/* The id of a new item: given out before, chosen by the caller, or fresh. */
static int id_choose(struct ctx *ctx, struct sql_tx *tx, const struct write_call *call, id *out)
{
    const struct item_input *in = call->in;
    *out = in->joined ? in->joined->upload.item : in->wanted_id;
    if (id_none(*out))
        *out = id_new();
    else
        TRY(in->joined || in->id_given ? id_free(ctx, tx, out) : item_wanted_id_check(ctx, tx, call->caller, out));
    return RC_OK;
}

static int joined_consume(struct ctx *ctx, struct sql_tx *tx, const struct write_call *call)
{
    return call->in->joined ? upload_consume(ctx, tx, call->in->joined) : RC_OK;
}

/* overwrite: the item of the same file name that the upload replaces, RC_NOT_FOUND when there is none that it may. */
static int replaced_get(struct ctx *ctx, struct sql_tx *tx, const struct write_call *call, const struct item *fresh,
                        struct item *out)
{
    id there;
    bool hosted;
    if (!call->in->overwrite || !id_none(call->in->wanted_id) || call->in->joined || str_empty(fresh->field[ITEM_NAME]))
        return RC_NOT_FOUND;
    TRY(meta_item_by_name(ctx, tx, fresh->owner, &fresh->folder, fresh->field[ITEM_NAME], &there));
    TRY(is_hosted(ctx, tx, &there, &hosted));
    return hosted ? RC_NOT_FOUND : meta_item_get(ctx, tx, &there, out);
}

static int insert_item(struct ctx *ctx, struct sql_tx *tx, struct write_call *call, struct item *it)
{
    call->item = it->id;
    TRY(name_check(ctx, tx, it));
    TRY(meta_item_insert(ctx, tx, it));
    TRY(item_credential_apply(ctx, tx, call->key, call->in, it, false));
    TRY(parts_put(ctx, tx, call->change, NULL, &it->id));
    return relation_put(ctx, tx, call);
}

static int add_item(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
    struct write_call *call = arg;
    struct user owner;
    struct folder folder = {.id = ID_NONE};
    TRY(content_owner_get(ctx, tx, call->caller, call->owner, &owner));
    TRY(service_require(ctx, call->caller, access_content_add(call->caller, owner.username)));
    if (call->folder && !id_none(*call->folder))
        TRY(content_folder_get(ctx, tx, owner.username, call->folder, &folder));
    TRY(joined_consume(ctx, tx, call));
    id fresh;
    TRY(id_choose(ctx, tx, call, &fresh));
    int64_t now = ctx_now(ctx);
    struct item it = {.id = fresh,
                      .owner = owner.username,
                      .folder = folder.id,
                      .created = now,
                      .modified = now,
                      .access = ITEM_PRIVATE,
                      .size = -1};
    fields_apply(call->change, false, &it);
    data_apply(call->change, false, NULL, &it);
    struct item there;
    int rc = replaced_get(ctx, tx, call, &it, &there);
    if (rc == RC_NOT_FOUND)
        return insert_item(ctx, tx, call, &it);
    TRY(rc);
    call->item = there.id;
    return change_item(ctx, tx, call, &there);
}

int item_add(struct ctx *ctx, struct site *s, const struct caller *c, str owner, const id *folder, const struct item_input *in,
             id *out)
{
    TRY(service_require(ctx, c, !c->anonymous)); /* before any byte is stored */
    CLEANUP(item_change_close) struct item_change change;
    TRY(item_change_make(ctx, s, in, &change));
    if (str_none(change.field[ITEM_TITLE]) && in->file)
        change.field[ITEM_TITLE] = in->file_name;
    if (str_empty(change.field[ITEM_TITLE]) || str_empty(change.field[ITEM_TYPE]))
        return err_kind(ctx, &ERR_ITEM_TITLE_TYPE);
    TRY(itemtype_keywords_add(ctx, change.field[ITEM_TYPE], &change.field[ITEM_TYPE_KEYWORDS]));
    struct write_call call = {.caller = c, .key = &s->key, .in = in, .change = &change, .owner = owner, .folder = folder};
    TRY(sql_write(ctx, s->sql, add_item, &call));
    *out = call.item;
    return RC_OK;
}

/* ---- update ---- */

static int update_item(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
    struct write_call *call = arg;
    struct item it;
    struct access_item facts;
    TRY(item_facts(ctx, tx, call->caller, &call->item, &it, &facts));
    TRY(service_require(ctx, call->caller, access_item_update(call->caller, &facts)));
    if (call->change->has_access && call->change->access != it.access) {
        TRY(service_require(ctx, call->caller, access_item_set_access(call->caller, &facts, call->change->access)));
        it.access = call->change->access;
    }
    TRY(joined_consume(ctx, tx, call));
    return change_item(ctx, tx, call, &it);
}

int item_update(struct ctx *ctx, struct site *s, const struct caller *c, const id *item, const struct item_input *in)
{
    TRY(service_require(ctx, c, !c->anonymous));
    CLEANUP(item_change_close) struct item_change change;
    TRY(item_change_make(ctx, s, in, &change));
    return sql_write(ctx, s->sql, update_item,
                     &(struct write_call){.caller = c, .key = &s->key, .in = in, .change = &change, .item = *item});
}

/* ---- delete, protect ---- */

int item_remove(struct ctx *ctx, struct sql_tx *tx, const id *item)
{
    struct hosted hosted, *views;
    size_t view_count;
    TRY(meta_hosted_views(ctx, tx, item, &views, &view_count));
    if (view_count)
        return err_set(ctx, &ERR_ITEM_VIEWS, "Item '%s' has views, which show its features: '%.*s' is one.", item->text,
                       STR_FMT(views[0].name));
    int rc = meta_hosted_get(ctx, tx, item, &hosted);
    if (rc == RC_OK)
        rc = meta_store_drop_later(ctx, tx, &hosted.store);
    if (rc != RC_OK && rc != RC_NOT_FOUND)
        return rc;
    rc = meta_upload_delete(ctx, tx, item);
    if (rc != RC_OK && rc != RC_NOT_FOUND)
        return rc;
    return meta_item_delete(ctx, tx, item);
}

/* The row for an operation that only its owner and administrators have. */
static int owned_item_get(struct ctx *ctx, struct sql_tx *tx, const struct write_call *call, struct item *out)
{
    struct access_item facts;
    TRY(item_facts(ctx, tx, call->caller, &call->item, out, &facts));
    return service_require(ctx, call->caller, access_item_delete(call->caller, &facts));
}

static int delete_item(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
    struct write_call *call = arg;
    struct item it;
    TRY(owned_item_get(ctx, tx, call, &it));
    if (it.protected)
        return err_set(ctx, &ERR_ITEM_PROTECTED, "Item '%s' is protected from deletion.", it.id.text);
    return item_remove(ctx, tx, &it.id);
}

int item_delete(struct ctx *ctx, struct site *s, const struct caller *c, const id *item)
{
    return sql_write(ctx, s->sql, delete_item, &(struct write_call){.caller = c, .item = *item});
}

static int protect_item(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
    struct write_call *call = arg;
    struct item it;
    TRY(owned_item_get(ctx, tx, call, &it));
    it.protected = call->protect;
    return meta_item_update(ctx, tx, &it);
}

int item_protect(struct ctx *ctx, struct site *s, const struct caller *c, const id *item, bool protect)
{
    return sql_write(ctx, s->sql, protect_item, &(struct write_call){.caller = c, .item = *item, .protect = protect});
}

/* ---- move, reassign ---- */

static int move_item(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
    struct write_call *call = arg;
    struct item it;
    struct folder folder = {.id = ID_NONE};
    str text = call->folder_text;
    TRY(owned_item_get(ctx, tx, call, &it));
    TRY(service_require(ctx, call->caller, access_content_add(call->caller, it.owner)));
    if (!str_empty(text) && !str_eq(text, STR("/"))) {
        id wanted;
        if (!id_parse(text, &wanted))
            return err_set_rc(ctx, RC_NOT_FOUND, &ERR_FOLDER_MISSING, "'%.*s' is not the id of a folder.",
                              STR_FMT(str_sub(text, 0, 100)));
        TRY(content_folder_get(ctx, tx, it.owner, &wanted, &folder));
    }
    it.folder = folder.id;
    TRY(name_check(ctx, tx, &it));
    return meta_item_update(ctx, tx, &it);
}

int item_move(struct ctx *ctx, struct site *s, const struct caller *c, const id *item, str folder)
{
    return sql_write(ctx, s->sql, move_item, &(struct write_call){.caller = c, .item = *item, .folder_text = folder});
}

/* The new owner has to be somebody who could have added the item, and a member of the groups it is shared with. */
static int new_owner_check(struct ctx *ctx, struct sql_tx *tx, const struct user *target, const id *item)
{
    const struct caller as_target = access_caller(target);
    if (target->disabled || !access_content_add(&as_target, target->username))
        return err_set(ctx, &ERR_PARAMETER, "User '%.*s' cannot own items.", STR_FMT(target->username));
    struct group *groups;
    struct access_group *facts;
    size_t count;
    TRY(item_shares(ctx, tx, &as_target, item, &groups, &facts, &count));
    for (size_t i = 0; i < count; i++)
        if (facts[i].member == MEMBER_NONE && !access_administer(&as_target))
            return err_set(ctx, &ERR_PARAMETER, "The item is shared with group '%.*s', and user '%.*s' is no member of it.",
                           STR_FMT(groups[i].title), STR_FMT(target->username));
    return RC_OK;
}

static int reassign_item(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
    struct write_call *call = arg;
    struct item it;
    struct user target;
    TRY(owned_item_get(ctx, tx, call, &it));
    TRY(content_owner_get(ctx, tx, call->caller, call->owner, &target));
    TRY(service_require(ctx, call->caller, access_item_reassign(call->caller)));
    TRY(new_owner_check(ctx, tx, &target, &it.id));
    it.owner = target.username;
    TRY(content_folder_named(ctx, tx, target.username, call->folder_text, &it.folder));
    TRY(name_check(ctx, tx, &it));
    return meta_item_update(ctx, tx, &it);
}

int item_reassign(struct ctx *ctx, struct site *s, const struct caller *c, const id *item, str target_user,
                  str target_folder_title)
{
    struct write_call call = {.caller = c, .item = *item, .owner = target_user, .folder_text = target_folder_title};
    return sql_write(ctx, s->sql, reassign_item, &call);
}
