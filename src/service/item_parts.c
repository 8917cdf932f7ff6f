/* The stored files of items: data, info files, resources. */
#include "service/item_private.h"

#include <assert.h>

enum { PART_NAME_MAX = 1000 };

struct part_call {
    const struct caller *caller;
    const id *item;
    enum part_kind kind;
    str name, prefix;
    struct item_part *part;
    struct item_part *list;
    size_t count;
    const struct part_input *inputs;
    bool replace;
};

static int part_missing(struct ctx *ctx, enum part_kind kind, str name)
{
    return err_set_rc(ctx, RC_NOT_FOUND, kind == PART_INFO ? &ERR_ITEM_INFO_MISSING : &ERR_ITEM_RESOURCE_MISSING,
                      "The item has no file '%.*s'.", STR_FMT(str_sub(name, 0, 200)));
}

/* A private resource is for those who may update the item. */
static bool may_see_part(const struct caller *c, const struct access_item *facts, const struct item_part *part)
{
    return !part->private_access || access_item_update(c, facts);
}

/* The facts about an item whose files are wanted for reading. */
static int readable_item(struct ctx *ctx, struct sql_tx *tx, const struct part_call *call, struct access_item *facts_out)
{
    struct item it;
    TRY(item_facts(ctx, tx, call->caller, call->item, &it, facts_out));
    return service_require(ctx, call->caller, access_item_read(call->caller, facts_out));
}

static int get_part(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
    struct part_call *call = arg;
    struct access_item facts;
    TRY(readable_item(ctx, tx, call, &facts));
    int rc = meta_part_get(ctx, tx, call->item, call->kind, call->name, call->part);
    if (rc == RC_NOT_FOUND && call->kind != PART_DATA)
        return part_missing(ctx, call->kind, call->name);
    TRY(rc);
    return service_require(ctx, call->caller, may_see_part(call->caller, &facts, call->part));
}

int item_part_get(struct ctx *ctx, struct site *s, const struct caller *c, const id *item, enum part_kind kind, str name,
                  struct item_part *out)
{
    return sql_read(ctx, s->sql, get_part,
                    &(struct part_call){.caller = c, .item = item, .kind = kind, .name = name, .part = out});
}

/* A prefix is a folder: "a" means "a/", and never "ab/…". */
static str folder_prefix(struct ctx *ctx, str prefix)
{
    if (str_empty(prefix) || str_ends(prefix, STR("/")))
        return prefix;
    return arena_printf(ctx->arena, "%.*s/", STR_FMT(prefix));
}

static int list_parts(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
    struct part_call *call = arg;
    struct access_item facts;
    struct item_part *all;
    size_t count;
    TRY(readable_item(ctx, tx, call, &facts));
    TRY(meta_parts(ctx, tx, call->item, call->kind, folder_prefix(ctx, call->prefix), &all, &count));
    call->list = all;
    call->count = 0;
    for (size_t i = 0; i < count; i++)
        if (may_see_part(call->caller, &facts, &all[i]))
            all[call->count++] = all[i];
    return RC_OK;
}

int item_parts_list(struct ctx *ctx, struct site *s, const struct caller *c, const id *item, enum part_kind kind, str prefix,
                    struct item_part **out, size_t *count_out)
{
    struct part_call call = {.caller = c, .item = item, .kind = kind, .prefix = prefix};
    TRY(sql_read(ctx, s->sql, list_parts, &call));
    *out = call.list;
    *count_out = call.count;
    return RC_OK;
}

/* ---- writing ---- */

/* A file that is put where a picture is becomes that picture. */
static void picture_name(enum part_kind kind, str name, struct item *it)
{
    for (size_t i = 0; i < ITEM_PICTURE_COUNT && kind == PART_INFO; i++)
        if (str_starts(name, str_c(item_pictures[i].folder)))
            it->field[item_pictures[i].field] = name;
}

static int updatable_item(struct ctx *ctx, struct sql_tx *tx, const struct part_call *call, struct item *out)
{
    struct access_item facts;
    TRY(item_facts(ctx, tx, call->caller, call->item, out, &facts));
    return service_require(ctx, call->caller, access_item_update(call->caller, &facts));
}

static int name_check(struct ctx *ctx, str name)
{
    str rest = name, piece;
    if (str_empty(name) || name.n > PART_NAME_MAX || name.p[name.n - 1] == '/')
        return err_set(ctx, &ERR_PARAMETER, "The name of a file has to be 1 to %d bytes long, without '/' at its end.",
                       PART_NAME_MAX);
    while (str_split(&rest, '/', &piece))
        TRY(item_name_check(ctx, "fileName", piece));
    return RC_OK;
}

static int put_part(struct ctx *ctx, struct sql_tx *tx, const struct part_call *call, const struct part_input *in,
                    struct item *it)
{
    struct item_part old, part = {.kind = call->kind,
                                  .name = in->name,
                                  .hash = blob_new_hash(in->blob),
                                  .size = (int64_t)blob_new_size(in->blob),
                                  .content_type = in->content_type,
                                  .private_access = in->private_access,
                                  .created = ctx_now(ctx),
                                  .modified = ctx_now(ctx)};
    int rc = meta_part_get(ctx, tx, &it->id, call->kind, in->name, &old);
    if (rc == RC_OK && !call->replace)
        return err_set(ctx, &ERR_PARAMETER, "The item has a file '%.*s' already.", STR_FMT(in->name));
    if (rc == RC_OK)
        part.created = old.created;
    else if (rc != RC_NOT_FOUND)
        return rc;
    TRY(blob_attach(ctx, tx, in->blob));
    picture_name(call->kind, in->name, it);
    return meta_part_put(ctx, tx, &it->id, &part);
}

static int put_parts(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
    struct part_call *call = arg;
    struct item it;
    TRY(updatable_item(ctx, tx, call, &it));
    for (size_t i = 0; i < call->count; i++)
        TRY(put_part(ctx, tx, call, &call->inputs[i], &it));
    it.modified = ctx_now(ctx);
    return meta_item_update(ctx, tx, &it);
}

int item_parts_put(struct ctx *ctx, struct site *s, const struct caller *c, const id *item, enum part_kind kind,
                   const struct part_input *list, size_t count, bool replace)
{
    assert(kind != PART_DATA); /* data change size and name of the item: item_update */
    TRY(service_require(ctx, c, !c->anonymous));
    struct blob_new **blobs = arena_array(ctx->arena, struct blob_new *, count);
    for (size_t i = 0; i < count; i++) {
        TRY(name_check(ctx, list[i].name));
        blobs[i] = list[i].blob;
    }
    TRY(blob_sync(ctx, s->blobs, blobs, count));
    struct part_call call = {.caller = c, .item = item, .kind = kind, .inputs = list, .count = count, .replace = replace};
    return sql_write(ctx, s->sql, put_parts, &call);
}

static int remove_named(struct ctx *ctx, struct sql_tx *tx, const struct part_call *call)
{
    int rc = meta_part_delete(ctx, tx, call->item, call->kind, call->name);
    return rc == RC_NOT_FOUND ? part_missing(ctx, call->kind, call->name) : rc;
}

static int remove_folder(struct ctx *ctx, struct sql_tx *tx, const struct part_call *call)
{
    struct item_part *list;
    size_t count;
    TRY(meta_parts(ctx, tx, call->item, call->kind, folder_prefix(ctx, call->prefix), &list, &count));
    for (size_t i = 0; i < count; i++)
        TRY(meta_part_delete(ctx, tx, call->item, call->kind, list[i].name));
    return RC_OK;
}

/* A field that names a stored file goes with the file. */
static int picture_fields_check(struct ctx *ctx, struct sql_tx *tx, struct item *it)
{
    for (size_t i = 0; i < ITEM_PICTURE_COUNT; i++) {
        struct item_part part;
        str *name = &it->field[item_pictures[i].field];
        if (str_empty(*name))
            continue;
        int rc = meta_part_get(ctx, tx, &it->id, PART_INFO, *name, &part);
        if (rc == RC_NOT_FOUND)
            *name = STR("");
        else
            TRY(rc);
    }
    return RC_OK;
}

static int remove_parts(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
    struct part_call *call = arg;
    struct item it;
    TRY(updatable_item(ctx, tx, call, &it));
    TRY(str_none(call->name) ? remove_folder(ctx, tx, call) : remove_named(ctx, tx, call));
    if (call->kind == PART_INFO)
        TRY(picture_fields_check(ctx, tx, &it));
    it.modified = ctx_now(ctx);
    return meta_item_update(ctx, tx, &it);
}

int item_part_remove(struct ctx *ctx, struct site *s, const struct caller *c, const id *item, enum part_kind kind, str name,
                     str prefix)
{
    assert(kind != PART_DATA);
    struct part_call call = {.caller = c, .item = item, .kind = kind, .name = name, .prefix = prefix};
    return sql_write(ctx, s->sql, remove_parts, &call);
}

int item_thumbnail_remove(struct ctx *ctx, struct site *s, const struct caller *c, const id *item)
{
    return item_part_remove(ctx, s, c, item, PART_INFO, STR_NONE, STR("thumbnail/"));
}
