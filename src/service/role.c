/* Custom roles: see role.h. What the holders of a role may changes with its row, at their next request. */
#include "service/role.h"

#include "service/input.h"
#include "service/item_private.h"
#include "store/meta_people.h"

enum { NAME_CHARS = 128, DESCRIPTION_CHARS = 2048, ROLES_MAX = 1000, PRIVILEGES_MAX = 1 << 20 };

struct role_call {
    const struct caller *caller;
    str id;
    const struct role_input *in;
    struct custom_role *role;
    struct custom_role *list;
    size_t count;
};

/* Clients that send lists as JSON and those that separate them by commas. */
static str as_json(struct ctx *ctx, str given)
{
    CLEANUP(buf_free) struct buf b = BUF_INIT(PRIVILEGES_MAX);
    str piece;
    if (str_starts(given, STR("[")) || str_starts(given, STR("{")))
        return given;
    while (str_split(&given, ',', &piece)) {
        buf_add_char(&b, buf_str(&b).n ? ',' : '[');
        json_escape(&b, str_trim(piece));
    }
    buf_add_char(&b, ']');
    return arena_str(ctx->arena, buf_str(&b));
}

static int take_privileges(struct ctx *ctx, str given, struct custom_role *r)
{
    struct json v;
    str unknown;
    if (str_empty(given))
        return RC_OK;
    if (!json_try_parse(ctx->arena, as_json(ctx, str_trim(given)), &v))
        return err_set(ctx, &ERR_PARAMETER, "'privileges' is no list of privileges.");
    if (json_is(v, JSON_OBJECT))
        v = json_get_c(v, "privileges");
    if (role_privileges_parse(ctx->arena, v, &r->privileges, &unknown))
        return RC_OK;
    if (str_empty(unknown))
        return err_set(ctx, &ERR_PARAMETER, "'privileges' is no list of privileges.");
    return err_set(ctx, &ERR_PARAMETER, "'privileges': this portal has no privilege '%.*s'.", STR_FMT(str_sub(unknown, 0, 100)));
}

static int take(struct ctx *ctx, const struct role_input *in, struct custom_role *r)
{
    str name = str_none(in->name) ? STR_NONE : str_trim(in->name);
    TRY(input_text(ctx, "name", name, NAME_CHARS, false, &r->name));
    TRY(input_text(ctx, "description", in->description, DESCRIPTION_CHARS, true, &r->description));
    if (str_empty(r->name))
        return err_set(ctx, &ERR_PARAMETER, "'name' is missing.");
    return take_privileges(ctx, in->privileges, r);
}

static int name_free(struct ctx *ctx, struct sql_tx *tx, const struct custom_role *r)
{
    struct custom_role there;
    enum role builtin;
    int rc = meta_role_by_name(ctx, tx, r->name, &there);
    if (role_parse(r->name, &builtin) || (rc == RC_OK && !str_eq(there.id, r->id)))
        return err_set(ctx, &ERR_ROLE, "There is a role named '%.*s' already.", STR_FMT(r->name));
    return rc == RC_NOT_FOUND ? RC_OK : rc;
}

static int create_role(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
    const struct role_call *call = arg;
    struct custom_role *all;
    size_t count;
    TRY(meta_roles(ctx, tx, &all, &count));
    if (count >= ROLES_MAX)
        return err_set(ctx, &ERR_ROLE, "The organization has %d roles already.", ROLES_MAX);
    TRY(name_free(ctx, tx, call->role));
    return meta_role_insert(ctx, tx, call->role);
}

int role_create(struct ctx *ctx, struct site *s, const struct caller *c, const struct role_input *in, struct custom_role *out)
{
    TRY(service_require(ctx, c, access_roles_manage(c)));
    id random = id_new();
    int64_t now = ctx_now(ctx);
    *out = (struct custom_role){.id = arena_str(ctx->arena, str_sub(id_str(&random), 0, ROLE_ID_SIZE)),
                                .description = STR(""),
                                .created = now,
                                .modified = now};
    TRY(take(ctx, in, out));
    return sql_write(ctx, s->sql, create_role, &(struct role_call){.role = out});
}

static int missing(struct ctx *ctx, str role)
{
    return err_set_rc(ctx, RC_NOT_FOUND, &ERR_ROLE_MISSING, "There is no role '%.*s'.", STR_FMT(str_sub(role, 0, 64)));
}

static int find_role(struct ctx *ctx, struct sql_tx *tx, str role, struct custom_role *out)
{
    int rc = meta_role_get(ctx, tx, role, out);
    return rc == RC_NOT_FOUND ? missing(ctx, role) : rc;
}

static int update_role(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
    const struct role_call *call = arg;
    TRY(find_role(ctx, tx, call->id, call->role));
    TRY(take(ctx, call->in, call->role));
    TRY(name_free(ctx, tx, call->role));
    call->role->modified = ctx_now(ctx);
    return meta_role_update(ctx, tx, call->role);
}

/* The default roles are what they are. */
static int changeable(struct ctx *ctx, const struct caller *c, str role)
{
    enum role builtin;
    TRY(service_require(ctx, c, access_roles_manage(c)));
    return role_parse(role, &builtin) ? err_set(ctx, &ERR_ROLE, "The default roles cannot be changed.") : RC_OK;
}

int role_update(struct ctx *ctx, struct site *s, const struct caller *c, str role, const struct role_input *in,
                struct custom_role *out)
{
    TRY(changeable(ctx, c, role));
    return sql_write(ctx, s->sql, update_role, &(struct role_call){.id = role, .in = in, .role = out});
}

static int delete_role(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
    const struct role_call *call = arg;
    struct custom_role r;
    int64_t users;
    TRY(find_role(ctx, tx, call->id, &r));
    TRY(meta_role_user_count(ctx, tx, r.id, &users));
    if (users)
        return err_set(ctx, &ERR_ROLE, "%lld users have the role '%.*s': give them another one first.", (long long)users,
                       STR_FMT(r.name));
    return meta_role_delete(ctx, tx, r.id);
}

int role_delete(struct ctx *ctx, struct site *s, const struct caller *c, str role)
{
    TRY(changeable(ctx, c, role));
    return sql_write(ctx, s->sql, delete_role, &(struct role_call){.id = role});
}

static int get_role(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
    const struct role_call *call = arg;
    return find_role(ctx, tx, call->id, call->role);
}

int role_get(struct ctx *ctx, struct site *s, const struct caller *c, str role, struct custom_role *out)
{
    static const char *const names[ROLE_COUNT] = {"Viewer", "User", "Publisher", "Administrator"};
    enum role builtin;
    TRY(service_require(ctx, c, access_org_members(c)));
    if (!role_parse(role, &builtin))
        return sql_read(ctx, s->sql, get_role, &(struct role_call){.id = role, .role = out});
    *out = (struct custom_role){.id = str_c(role_id(builtin)),
                                .name = str_c(names[builtin]),
                                .description = STR(""),
                                .privileges = role_privileges_of(builtin),
                                .created = USER_NEVER,
                                .modified = USER_NEVER};
    return RC_OK;
}

static int list_roles(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
    struct role_call *call = arg;
    return meta_roles(ctx, tx, &call->list, &call->count);
}

int role_list(struct ctx *ctx, struct site *s, const struct caller *c, struct custom_role **out, size_t *count_out)
{
    struct role_call call = {0};
    TRY(service_require(ctx, c, access_org_members(c)));
    TRY(sql_read(ctx, s->sql, list_roles, &call));
    *out = call.list;
    *count_out = call.count;
    return RC_OK;
}
