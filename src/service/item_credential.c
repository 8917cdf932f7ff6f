/* Credentials of services: JSON of the members that were given, sealed for the item. */
#include "service/item_credential.h"
#include "base/file.h"
#include "base/seal.h"
#include "service/item_private.h"

enum { VALUE_CHARS = 4000, SEALED_MAX = 1 << 20 };

const char *const item_credential_names[ITEM_CREDENTIAL_COUNT] = {"serviceUsername", "servicePassword", "serviceCredentialsType",
                                                                  "serviceProxyParams", "serviceProxyFilter"};

int item_credential_check(struct ctx *ctx, const struct item_input *in)
{
    for (size_t i = 0; i < ITEM_CREDENTIAL_COUNT; i++)
        if (!str_none(in->credential[i]))
            TRY(item_text_check(ctx, item_credential_names[i], in->credential[i], VALUE_CHARS));
    return RC_OK;
}

static str members_print(struct ctx *ctx, const str members[ITEM_CREDENTIAL_COUNT])
{
    CLEANUP(buf_free) struct buf b = BUF_INIT(SEALED_MAX);
    struct json_out o;
    json_out_buf(&o, ctx, &b);
    json_begin_object(&o);
    for (size_t i = 0; i < ITEM_CREDENTIAL_COUNT; i++)
        if (!str_empty(members[i]))
            json_member_str(&o, item_credential_names[i], members[i]);
    json_end_object(&o);
    return arena_str(ctx->arena, buf_str(&b));
}

static bool members_open(struct ctx *ctx, const struct seal_key *key, const struct credential *c,
                         str members[ITEM_CREDENTIAL_COUNT])
{
    str text;
    struct json v;
    if (!seal_open(ctx->arena, key, id_str(&c->item), c->sealed, &text) || !json_try_parse(ctx->arena, text, &v))
        return false;
    for (size_t i = 0; i < ITEM_CREDENTIAL_COUNT; i++)
        members[i] = json_string_or(json_get_c(v, item_credential_names[i]), ctx->arena, STR(""));
    return true;
}

/* What was stored before, nothing when it cannot be opened any more: it is replaced then. */
static int members_before(struct ctx *ctx, struct sql_tx *tx, const struct seal_key *key, const id *item,
                          str members[ITEM_CREDENTIAL_COUNT])
{
    struct credential before;
    int rc = meta_credential_get(ctx, tx, item, &before);
    if (rc == RC_OK)
        members_open(ctx, key, &before, members);
    return rc == RC_NOT_FOUND ? RC_OK : rc;
}

int item_credential_apply(struct ctx *ctx, struct sql_tx *tx, const struct seal_key *key, const struct item_input *in,
                          const struct item *it, bool url_changed)
{
    str members[ITEM_CREDENTIAL_COUNT] = {{0}};
    bool given = false, any = false;
    if (url_changed)
        TRY(meta_credential_delete(ctx, tx, &it->id));
    for (size_t i = 0; i < ITEM_CREDENTIAL_COUNT; i++)
        given = given || !str_empty(in->credential[i]) || (in->clear_empty && !str_none(in->credential[i]));
    if (!given)
        return RC_OK;
    TRY(members_before(ctx, tx, key, &it->id, members));
    for (size_t i = 0; i < ITEM_CREDENTIAL_COUNT; i++) {
        if (!str_empty(in->credential[i]) || (in->clear_empty && !str_none(in->credential[i])))
            members[i] = in->credential[i];
        any = any || !str_empty(members[i]);
    }
    if (!any)
        return meta_credential_delete(ctx, tx, &it->id);
    return meta_credential_put(ctx, tx, &it->id, seal_close(ctx->arena, key, id_str(&it->id), members_print(ctx, members)));
}

/* ---- check ---- */

struct check {
    struct credential *list;
    size_t count;
};

static int all_rows(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
    struct check *c = arg;
    return meta_credentials(ctx, tx, &c->list, &c->count);
}

int item_credentials_check(struct ctx *ctx, struct sql *db, const char *data_dir, void (*report)(void *arg, const char *line),
                           void *arg, uint64_t *bad_out)
{
    struct check c;
    struct seal_key key;
    str members[ITEM_CREDENTIAL_COUNT];
    *bad_out = 0;
    TRY(sql_read(ctx, db, all_rows, &c));
    if (c.count == 0)
        return RC_OK;
    str path = arena_printf(ctx->arena, "%s/" SITE_KEY_FILE, data_dir);
    bool has_key = file_exists(path.p);
    if (has_key)
        TRY(seal_key_open(ctx, path.p, &key));
    for (size_t i = 0; i < c.count; i++)
        if (!has_key || !members_open(ctx, &key, &c.list[i], members)) {
            report(arg, arena_printf(ctx->arena, "item %s: its service credentials do not open with the key of %s",
                                     c.list[i].item.text, path.p)
                            .p);
            *bad_out += 1;
        }
    return RC_OK;
}
