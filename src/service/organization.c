/* The organization: see organization.h. What was changed is a setting of the database, one for each property; the others are what
 * the table says. */
#include "service/organization.h"

#include "base/num.h"
#include "service/input.h"
#include "service/user_private.h"

#define SETTING_PREFIX "org."
#define MODIFIED SETTING_PREFIX "~modified" /* no name of a property */

enum { TEXT_CHARS = 1 << 16, KEY_CHARS = 128, RESOURCE_MAX = 10 << 20, RESOURCES_MAX = 1000, COUNT_MAX = 1000 };

enum property_kind { FIXED, TEXT, FLAG, NUMBER, OBJECT, LIST, ACCESS, UNITS };
static const struct property_row {
    const char *name;
    enum property_kind kind;
    const char *otherwise;
} properties[] = {
#define PROPERTY(name, kind, otherwise) {#name, kind, otherwise},
#include "model/organization.def"
#undef PROPERTY
};

const char *organization_name(enum organization_property p) { return properties[p].name; }

bool organization_changes(enum organization_property p) { return properties[p].kind != FIXED; }

struct organization_call {
    const struct caller *caller;
    struct organization *out;
    const str *values; /* JSON of what changes, "" what goes back to the table, STR_NONE the others */
    str key, content_type;
    struct blob_new *blob;
    struct portal_file *file, *list;
    size_t count;
    str org_id;
};

/* ---- properties ---- */

static int read_settings(struct ctx *ctx, struct sql_tx *tx, struct organization *out)
{
    struct setting *list;
    size_t count;
    for (size_t p = 0; p < COUNT_OF(properties); p++)
        out->json[p] = str_c(properties[p].otherwise);
    out->modified = USER_NEVER;
    TRY(meta_first_user_created(ctx, tx, &out->created));
    TRY(meta_settings(ctx, tx, SETTING_PREFIX, &list, &count));
    for (size_t i = 0; i < count; i++) {
        str name = str_sub(list[i].name, sizeof SETTING_PREFIX - 1, list[i].name.n);
        if (str_eq(list[i].name, STR(MODIFIED)))
            num_parse_int(list[i].value, &out->modified);
        for (size_t p = 0; p < COUNT_OF(properties); p++)
            if (str_eq(name, str_c(properties[p].name)))
                out->json[p] = list[i].value;
    }
    return RC_OK;
}

/* Whether somebody may see the organization hangs on a property of it. */
static int seen(struct ctx *ctx, struct sql_tx *tx, const struct caller *c, struct organization *out)
{
    TRY(read_settings(ctx, tx, out));
    return service_require(ctx, c, access_org_see(c, str_eq(out->json[ORGANIZATION_access], STR("\"public\""))));
}

static int get_organization(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
    const struct organization_call *call = arg;
    return seen(ctx, tx, call->caller, call->out);
}

int organization_get(struct ctx *ctx, struct site *s, const struct caller *c, struct organization *out)
{
    return sql_read(ctx, s->sql, get_organization, &(struct organization_call){.caller = c, .out = out});
}

static str quoted(struct ctx *ctx, str text)
{
    struct buf b = BUF_INIT(8 * TEXT_CHARS);
    json_escape(&b, text);
    str out = arena_str(ctx->arena, buf_str(&b));
    buf_free(&b);
    return out;
}

static int take_text(struct ctx *ctx, const struct property_row *row, str given, str *out)
{
    static const char *const accesses[] = {"public", "private", NULL}, *const units[] = {"english", "metric", NULL};
    if (row->kind == TEXT)
        TRY(item_text_check(ctx, row->name, given, TEXT_CHARS));
    else
        TRY(input_word(ctx, row->name, given, row->kind == ACCESS ? accesses : units, &given));
    *out = quoted(ctx, given);
    return RC_OK;
}

static int take_json(struct ctx *ctx, const struct property_row *row, str given, str *out)
{
    struct json v;
    TRY(item_text_check(ctx, row->name, given, TEXT_CHARS));
    if (!json_try_parse(ctx->arena, given, &v) || !json_is(v, row->kind == OBJECT ? JSON_OBJECT : JSON_ARRAY))
        return err_set(ctx, &ERR_PARAMETER, "'%s' has to be a JSON %s.", row->name, row->kind == OBJECT ? "object" : "array");
    *out = json_raw(v);
    return RC_OK;
}

/* The stored form of what is given for a property. */
static int take(struct ctx *ctx, const struct property_row *row, str given, str *out)
{
    bool flag;
    int64_t number;
    switch (row->kind) {
    case FIXED:
        return RC_OK;
    case FLAG:
        TRY(input_bool(ctx, row->name, given, &flag));
        *out = flag ? STR("true") : STR("false");
        return RC_OK;
    case NUMBER:
        if (!num_parse_int(given, &number) || number < 0 || number > COUNT_MAX)
            return err_set(ctx, &ERR_PARAMETER, "'%s' has to be 0 to %d.", row->name, COUNT_MAX);
        *out = given;
        return RC_OK;
    case OBJECT:
    case LIST:
        return take_json(ctx, row, given, out);
    case TEXT:
    case ACCESS:
    case UNITS:
        return take_text(ctx, row, given, out);
    }
    return RC_OK;
}

static int put_settings(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
    const struct organization_call *call = arg;
    for (size_t p = 0; p < COUNT_OF(properties); p++) {
        const char *key = arena_printf(ctx->arena, SETTING_PREFIX "%s", properties[p].name).p;
        if (!str_none(call->values[p]))
            TRY(str_empty(call->values[p]) ? meta_setting_delete(ctx, tx, key) : meta_setting_put(ctx, tx, key, call->values[p]));
    }
    return meta_setting_put(ctx, tx, MODIFIED, arena_printf(ctx->arena, "%lld", (long long)ctx_now(ctx)));
}

int organization_update(struct ctx *ctx, struct site *s, const struct caller *c, const str given[ORGANIZATION_PROPERTY_COUNT],
                        bool clear_empty)
{
    str values[ORGANIZATION_PROPERTY_COUNT];
    TRY(service_require(ctx, c, access_org_update(c)));
    for (size_t p = 0; p < COUNT_OF(properties); p++) {
        str text = str_none(given[p]) ? STR_NONE : str_trim(given[p]);
        values[p] = !str_none(text) && str_empty(text) && clear_empty ? STR("") : STR_NONE;
        if (!str_empty(text))
            TRY(take(ctx, &properties[p], text, &values[p]));
    }
    return sql_write(ctx, s->sql, put_settings, &(struct organization_call){.values = values});
}

/* ---- resources ---- */

static int put_resource(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
    struct organization_call *call = arg;
    struct portal_file *all;
    size_t count;
    struct portal_file there;
    TRY(meta_files(ctx, tx, FILE_ORG, call->org_id, &all, &count));
    if (count >= RESOURCES_MAX && meta_file_get(ctx, tx, FILE_ORG, call->org_id, call->key, &there) == RC_NOT_FOUND)
        return err_set(ctx, &ERR_PARAMETER, "The organization has %d resources already.", RESOURCES_MAX);
    TRY(blob_attach(ctx, tx, call->blob));
    return meta_file_put(ctx, tx,
                         &(struct portal_file){.kind = FILE_ORG,
                                               .owner = call->org_id,
                                               .name = call->key,
                                               .hash = blob_new_hash(call->blob),
                                               .size = (int64_t)blob_new_size(call->blob),
                                               .modified = ctx_now(ctx),
                                               .content_type = call->content_type});
}

int organization_resource_put(struct ctx *ctx, struct site *s, const struct caller *c, str key, struct blob_new *blob,
                              str content_type)
{
    TRY(service_require(ctx, c, access_org_update(c)));
    TRY(item_name_check(ctx, "key", key));
    TRY(item_text_check(ctx, "key", key, KEY_CHARS));
    if (blob_new_size(blob) > RESOURCE_MAX)
        return err_set(ctx, &ERR_PARAMETER, "A resource has to be at most %d bytes large.", RESOURCE_MAX);
    TRY(blob_sync(ctx, s->blobs, &blob, 1));
    struct organization_call call = {.key = key, .blob = blob, .content_type = content_type, .org_id = s->org_id};
    return sql_write(ctx, s->sql, put_resource, &call);
}

static int missing(struct ctx *ctx, str key)
{
    return err_set_rc(ctx, RC_NOT_FOUND, &ERR_USER_FILE_MISSING, "There is no resource '%.*s'.", STR_FMT(str_sub(key, 0, 200)));
}

static int remove_resource(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
    const struct organization_call *call = arg;
    int rc = meta_file_delete(ctx, tx, FILE_ORG, call->org_id, call->key);
    return rc == RC_NOT_FOUND ? missing(ctx, call->key) : rc;
}

int organization_resource_remove(struct ctx *ctx, struct site *s, const struct caller *c, str key)
{
    TRY(service_require(ctx, c, access_org_update(c)));
    return sql_write(ctx, s->sql, remove_resource, &(struct organization_call){.key = key, .org_id = s->org_id});
}

static int get_resource(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
    const struct organization_call *call = arg;
    struct organization org;
    TRY(seen(ctx, tx, call->caller, &org));
    return portal_file_get(ctx, tx, FILE_ORG, call->org_id, call->key, call->file);
}

int organization_resource_get(struct ctx *ctx, struct site *s, const struct caller *c, str key, struct portal_file *out)
{
    struct organization_call call = {.caller = c, .key = key, .file = out, .org_id = s->org_id};
    return sql_read(ctx, s->sql, get_resource, &call);
}

static int list_resources(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
    struct organization_call *call = arg;
    struct organization org;
    TRY(seen(ctx, tx, call->caller, &org));
    return meta_files(ctx, tx, FILE_ORG, call->org_id, &call->list, &call->count);
}

int organization_resources(struct ctx *ctx, struct site *s, const struct caller *c, struct portal_file **out, size_t *count_out)
{
    struct organization_call call = {.caller = c, .org_id = s->org_id};
    TRY(sql_read(ctx, s->sql, list_resources, &call));
    *out = call.list;
    *count_out = call.count;
    return RC_OK;
}
