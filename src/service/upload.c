/* Uploads in parts. See upload.h. */
#include "service/upload.h"
#include "service/item_private.h"
#include "store/meta_service_upload.h"

enum { JOIN_PIECE = 256 << 10, FIELDS_MAX = 64 << 20 };

struct upload_call {
    const struct caller *caller;
    const struct upload_begin *begin;
    const struct upload_ref *ref;
    id item;
    str file_name, fields;
    const struct upload_part *part;
    const struct blob_new *bytes;
    int64_t bytes_max;
    struct meta_upload upload;
    struct upload_part *parts;
    size_t count;
};

/* ---- beginning ---- */

static int begin_row(struct ctx *ctx, struct sql_tx *tx, struct upload_call *call, struct meta_upload u)
{
    u.file_name = call->file_name;
    u.fields = call->fields;
    u.created = u.touched = ctx_now(ctx);
    call->item = u.item;
    return meta_upload_put(ctx, tx, &u);
}

/* The item of that file name in the folder, RC_NOT_FOUND when the name is free. */
static int named_item(struct ctx *ctx, struct sql_tx *tx, const struct upload_call *call, const struct meta_upload *u,
                      struct item *out)
{
    id there;
    TRY(meta_item_by_name(ctx, tx, u->owner, &u->folder, call->file_name, &there));
    return meta_item_get(ctx, tx, &there, out);
}

static int begin_add(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
    struct upload_call *call = arg;
    struct user owner;
    struct folder folder = {.id = ID_NONE};
    struct item there;
    TRY(content_owner_get(ctx, tx, call->caller, call->begin->owner, &owner));
    TRY(service_require(ctx, call->caller, access_content_add(call->caller, owner.username)));
    if (call->begin->folder && !id_none(*call->begin->folder))
        TRY(content_folder_get(ctx, tx, owner.username, call->begin->folder, &folder));
    struct meta_upload u = {.item = call->begin->wanted_id, .owner = owner.username, .folder = folder.id};
    int rc = named_item(ctx, tx, call, &u, &there);
    if (rc == RC_OK && !call->begin->overwrite)
        return err_set(ctx, &ERR_ITEM_NAME_TAKEN, "[itemId=%s]", there.id.text);
    if (rc == RC_OK) {
        u.item = there.id;
        u.is_update = true;
        return begin_row(ctx, tx, call, u);
    }
    if (rc != RC_NOT_FOUND)
        return rc;
    TRY(item_wanted_id_check(ctx, tx, call->caller, &u.item));
    if (id_none(u.item))
        u.item = id_new();
    return begin_row(ctx, tx, call, u);
}

/* What is said at the beginning is checked there, and kept as it was said. */
static int fields_keep(struct ctx *ctx, const struct site *s, const str *fields, str *out)
{
    CLEANUP(buf_free) struct buf b = BUF_INIT(FIELDS_MAX);
    struct json_out o;
    *out = STR("{}");
    if (!fields)
        return RC_OK;
    TRY(item_fields_check(ctx, s, fields));
    json_out_buf(&o, ctx, &b);
    item_given_print(&o, fields);
    TRY(json_out_end(&o, "the fields"));
    *out = arena_str(ctx->arena, buf_str(&b));
    return RC_OK;
}

int upload_begin(struct ctx *ctx, struct site *s, const struct caller *c, const struct upload_begin *what, id *out)
{
    TRY(service_require(ctx, c, !c->anonymous));
    TRY(item_name_check(ctx, "filename", what->file_name));
    struct upload_call call = {.caller = c, .begin = what, .file_name = what->file_name};
    TRY(fields_keep(ctx, s, what->fields, &call.fields));
    TRY(sql_write(ctx, s->sql, begin_add, &call));
    *out = call.item;
    return RC_OK;
}

static int begin_update(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
    struct upload_call *call = arg;
    struct item it;
    struct access_item facts;
    TRY(item_facts(ctx, tx, call->caller, &call->item, &it, &facts));
    TRY(service_require(ctx, call->caller, access_item_update(call->caller, &facts)));
    return begin_row(ctx, tx, call,
                     (struct meta_upload){.item = it.id, .owner = it.owner, .folder = it.folder, .is_update = true});
}

int upload_begin_update(struct ctx *ctx, struct site *s, const struct caller *c, const id *item, str file_name, const str *fields)
{
    struct upload_call call = {.caller = c, .item = *item, .file_name = file_name};
    TRY(service_require(ctx, c, !c->anonymous));
    TRY(item_name_check(ctx, "filename", file_name));
    TRY(fields_keep(ctx, s, fields, &call.fields));
    return sql_write(ctx, s->sql, begin_update, &call);
}

/* ---- the upload of a path ---- */

/* An upload for data of an item belongs to whom the item belongs to now. */
static int item_of_upload(struct ctx *ctx, struct sql_tx *tx, const struct upload_call *call, str *owner_out)
{
    struct item it;
    struct access_item facts;
    TRY(item_facts(ctx, tx, call->caller, &call->ref->item, &it, &facts));
    TRY(service_require(ctx, call->caller, access_item_update(call->caller, &facts)));
    *owner_out = it.owner;
    return RC_OK;
}

/* The caller may go on with the upload, and it is the path's user's. */
static int upload_check(struct ctx *ctx, struct sql_tx *tx, const struct upload_call *call)
{
    struct user user;
    str owner = call->upload.owner;
    TRY(content_owner_get(ctx, tx, call->caller, call->ref->owner, &user));
    if (call->upload.is_update)
        TRY(item_of_upload(ctx, tx, call, &owner));
    else
        TRY(service_require(ctx, call->caller, access_content_add(call->caller, owner)));
    return str_ieq(owner, user.username) ? RC_OK : err_kind(ctx, &ERR_ITEM_NOT_IN_FOLDER);
}

static int upload_get(struct ctx *ctx, struct sql_tx *tx, struct upload_call *call)
{
    str unused;
    int rc = meta_upload_get(ctx, tx, &call->ref->item, &call->upload);
    if (rc == RC_OK)
        return upload_check(ctx, tx, call);
    if (rc != RC_NOT_FOUND)
        return rc;
    TRY(item_of_upload(ctx, tx, call, &unused));
    return err_set(ctx, &ERR_UPLOAD, "No upload in parts was begun for item '%s'.", call->ref->item.text);
}

static int find(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
    struct upload_call *call = arg;
    TRY(meta_upload_get(ctx, tx, &call->ref->item, &call->upload));
    return upload_check(ctx, tx, call);
}

int upload_find(struct ctx *ctx, struct site *s, const struct caller *c, const struct upload_ref *ref, int64_t *touched_out)
{
    struct upload_call call = {.caller = c, .ref = ref};
    int rc = sql_read(ctx, s->sql, find, &call);
    *touched_out = rc == RC_OK ? call.upload.touched : -1;
    return rc == RC_NOT_FOUND && !ctx->err.kind ? RC_OK : rc;
}

/* ---- parts ---- */

int upload_check_room(struct ctx *ctx, const struct upload_part *parts, size_t count, const struct upload_part *part,
                      int64_t bytes_max)
{
    int64_t total = part->size;
    for (size_t i = 0; i < count; i++)
        total += parts[i].number == part->number ? 0 : parts[i].size;
    return total > bytes_max ? err_set(ctx, &ERR_LIMIT, "The parts have more than %lld bytes together.", (long long)bytes_max)
                             : RC_OK;
}

static int add_part(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
    struct upload_call *call = arg;
    TRY(upload_get(ctx, tx, call));
    TRY(meta_upload_parts(ctx, tx, &call->ref->item, &call->parts, &call->count));
    TRY(upload_check_room(ctx, call->parts, call->count, call->part, call->bytes_max));
    TRY(blob_attach(ctx, tx, call->bytes));
    return meta_upload_part_put(ctx, tx, &call->ref->item, call->part);
}

int upload_part_add(struct ctx *ctx, struct site *s, const struct caller *c, const struct upload_ref *ref, int64_t number,
                    struct blob_new *bytes)
{
    TRY(service_require(ctx, c, !c->anonymous));
    if (number < 1 || number > UPLOAD_PARTS_MAX)
        return err_set(ctx, &ERR_PARAMETER, "'partNum' has to be a number from 1 to %d.", UPLOAD_PARTS_MAX);
    const struct upload_part part = {.number = number, .size = (int64_t)blob_new_size(bytes), .hash = blob_new_hash(bytes)};
    struct upload_call call = {.caller = c, .ref = ref, .part = &part, .bytes = bytes, .bytes_max = s->settings.upload_max};
    TRY(blob_sync(ctx, s->blobs, &bytes, 1));
    return sql_write(ctx, s->sql, add_part, &call);
}

static int list_parts(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
    struct upload_call *call = arg;
    TRY(upload_get(ctx, tx, call));
    return meta_upload_parts(ctx, tx, &call->ref->item, &call->parts, &call->count);
}

int upload_parts(struct ctx *ctx, struct site *s, const struct caller *c, const struct upload_ref *ref, struct upload_part **out,
                 size_t *count_out)
{
    struct upload_call call = {.caller = c, .ref = ref};
    TRY(sql_read(ctx, s->sql, list_parts, &call));
    *out = call.parts;
    *count_out = call.count;
    return RC_OK;
}

/* ---- the end of it ---- */

static int parts_complete(struct ctx *ctx, const struct upload_part *parts, size_t count)
{
    if (count == 0)
        return err_set(ctx, &ERR_UPLOAD, "No part was uploaded.");
    for (size_t i = 0; i < count; i++)
        if (parts[i].number != (int64_t)i + 1)
            return err_set(ctx, &ERR_UPLOAD, "Part %zu is missing.", i + 1);
    return RC_OK;
}

int upload_ready(struct ctx *ctx, struct site *s, const struct caller *c, const struct upload_ref *ref, id *folder_out)
{
    struct upload_call call = {.caller = c, .ref = ref};
    TRY(sql_read(ctx, s->sql, list_parts, &call));
    *folder_out = call.upload.folder;
    return parts_complete(ctx, call.parts, call.count);
}

static int part_append(struct ctx *ctx, struct site *s, const struct upload_part *part, void *piece, struct blob_new *to)
{
    CLEANUP(reader_cleanup) struct reader *r = NULL;
    size_t got = 1;
    int rc = blob_open(ctx, s->blobs, part->hash, &r);
    if (rc == RC_NOT_FOUND) /* cancelled, and collected */
        return err_set(ctx, &ERR_UPLOAD, "Part %lld is missing.", (long long)part->number);
    TRY(rc);
    while (got > 0) {
        TRY(ctx_check(ctx));
        TRY(reader_read(ctx, r, piece, JOIN_PIECE, &got));
        TRY(blob_write(ctx, to, piece, got));
    }
    return RC_OK;
}

/* The parts stay what they are: whoever changes them meanwhile is found in the transaction that takes the upload away. */
int upload_join(struct ctx *ctx, struct site *s, const struct upload_part *parts, size_t count, struct blob_new **out)
{
    void *piece = arena_alloc(ctx->arena, JOIN_PIECE);
    TRY(parts_complete(ctx, parts, count));
    TRY(blob_begin(ctx, s->blobs, (uint64_t)s->settings.upload_max, NULL, out));
    for (size_t i = 0; i < count; i++)
        TRY(part_append(ctx, s, &parts[i], piece, *out));
    return blob_finish(ctx, *out);
}

static int fields_take(struct ctx *ctx, str kept, struct item_input *in)
{
    struct json v;
    str field[ITEM_FIELD_COUNT];
    TRY(json_parse(ctx, kept, &v));
    item_given_parse(ctx->arena, v, field);
    for (enum item_field f = 0; f < ITEM_FIELD_COUNT; f++)
        if (str_none(in->field[f]))
            in->field[f] = field[f];
    return RC_OK;
}

static void blob_cleanup(struct blob_new **b) { blob_new_close(*b); }

int upload_commit(struct ctx *ctx, struct site *s, const struct caller *c, const struct upload_ref *ref, struct item_input *in,
                  id *folder_out)
{
    CLEANUP(blob_cleanup) struct blob_new *whole = NULL;
    struct upload_call call = {.caller = c, .ref = ref};
    id unused;
    TRY(service_require(ctx, c, !c->anonymous));
    TRY(sql_read(ctx, s->sql, list_parts, &call));
    TRY(fields_take(ctx, call.upload.fields, in));
    TRY(upload_join(ctx, s, call.parts, call.count, &whole));
    const struct upload_joined joined = {.upload = call.upload, .parts = call.parts, .count = call.count};
    in->file = whole;
    in->file_name = call.upload.file_name;
    in->joined = &joined;
    *folder_out = call.upload.folder;
    int rc = call.upload.is_update ? item_update(ctx, s, c, &ref->item, in)
                                   : item_add(ctx, s, c, call.upload.owner, &call.upload.folder, in, &unused);
    in->file = NULL;
    in->joined = NULL;
    return rc;
}

int upload_consume(struct ctx *ctx, struct sql_tx *tx, const struct upload_joined *joined)
{
    struct upload_part *parts;
    size_t count;
    TRY(meta_upload_parts(ctx, tx, &joined->upload.item, &parts, &count));
    bool same = count == joined->count;
    for (size_t i = 0; i < count && same; i++)
        same = parts[i].number == joined->parts[i].number && hash_eq(parts[i].hash, joined->parts[i].hash);
    if (!same)
        return err_set(ctx, &ERR_UPLOAD, "The parts changed while they were joined.");
    return meta_upload_delete(ctx, tx, &joined->upload.item);
}

static int cancel(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
    struct upload_call *call = arg;
    TRY(upload_get(ctx, tx, call));
    return meta_upload_delete(ctx, tx, &call->ref->item);
}

int upload_cancel(struct ctx *ctx, struct site *s, const struct caller *c, const struct upload_ref *ref)
{
    return sql_write(ctx, s->sql, cancel, &(struct upload_call){.caller = c, .ref = ref});
}

static int expire(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
    int64_t before = ctx_now(ctx) - *(const int64_t *)arg;
    TRY(meta_uploads_expire(ctx, tx, before));
    return meta_service_uploads_expire(ctx, tx, before);
}

int upload_expire(struct ctx *ctx, struct site *s) { return sql_write(ctx, s->sql, expire, &s->settings.upload_keep_ms); }
