/* Users: see user.h. Passwords are hashed outside of transactions; a transaction may be run more than once. */
#include "service/user.h"
#include "model/errors.h"
#include "model/search.h"

enum { NAME_MAX_BYTES = 128, PASSWORD_MIN = 8, PASSWORD_MAX = 1024 };

static bool name_valid(str name)
{
    if (name.n < 1 || name.n > NAME_MAX_BYTES)
        return false;
    for (size_t i = 0; i < name.n; i++) {
        char c = name.p[i];
        bool ok = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || (c && strchr("._-@", c));
        if (!ok)
            return false;
    }
    return true;
}

static int check_password(struct ctx *ctx, str password)
{
    if (password.n < PASSWORD_MIN || password.n > PASSWORD_MAX)
        return err_set(ctx, &ERR_PARAMETER, "'password' has to be %d to %d bytes long.", PASSWORD_MIN, PASSWORD_MAX);
    return RC_OK;
}

static str or_empty(str s) { return str_none(s) ? STR("") : s; }

/* The row of a new user; the password is checked and hashed. */
static int make_user(struct ctx *ctx, const struct user_input *in, struct user *out)
{
    if (!name_valid(or_empty(in->username)))
        return err_set(ctx, &ERR_PARAMETER, "'username' has to be 1 to %d letters, digits, or characters of '._-@'.",
                       NAME_MAX_BYTES);
    TRY(check_password(ctx, or_empty(in->password)));
    int64_t now = ctx_now(ctx);
    *out = (struct user){.username = in->username,
                         .id = id_new(),
                         .first_name = or_empty(in->first_name),
                         .last_name = or_empty(in->last_name),
                         .email = or_empty(in->email),
                         .description = or_empty(in->description),
                         .full_name = or_empty(in->full_name),
                         .culture = STR("en"),
                         .region = STR("WO"),
                         .units = STR("metric"),
                         .tags = STR("[]"),
                         .thumbnail = STR(""),
                         .properties = STR(""),
                         .access = ITEM_ORG,
                         .role = ROLE_USER,
                         .created = now,
                         .modified = now,
                         .last_login = -1};
    if (str_empty(out->full_name)) {
        str full = arena_printf(ctx->arena, "%.*s %.*s", STR_FMT(out->first_name), STR_FMT(out->last_name));
        out->full_name = str_empty(str_trim(full)) ? out->username : str_trim(full);
    }
    if (!str_empty(or_empty(in->role)) && !role_parse(in->role, &out->role))
        return err_set(ctx, &ERR_PARAMETER, "'role' has to be org_admin, org_publisher, org_user or iAAAAAAAAAAAAAAA (viewer).");
    return password_hash(ctx, in->password, &out->password_hash);
}

struct user_call {
    struct site *site;
    const struct caller *caller;
    str name, text;
    struct user *user;
    bool created;
    const struct meta_page *page;
    const struct meta_search_page *search_page;
    const struct search_query *query;
    struct meta_user_list *list;
    struct membership *memberships;
    size_t count;
};

static int insert_user(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
    struct user_call *call = arg;
    struct user there;
    int rc = meta_user_get(ctx, tx, call->user->username, &there);
    if (rc == RC_OK)
        return err_set(ctx, &ERR_USER_TAKEN, "The username '%.*s' is taken.", STR_FMT(call->user->username));
    return rc == RC_NOT_FOUND ? meta_user_insert(ctx, tx, call->user) : rc;
}

int user_create(struct ctx *ctx, struct site *s, const struct caller *c, const struct user_input *in)
{
    if (!access_administer(c))
        return err_kind(ctx, c->anonymous ? &ERR_TOKEN_REQUIRED : &ERR_FORBIDDEN);
    struct user user;
    TRY(make_user(ctx, in, &user));
    return sql_write(ctx, s->sql, insert_user, &(struct user_call){.user = &user});
}

static int insert_first(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
    struct user_call *call = arg;
    struct meta_page one = {.num = 1};
    struct user *users;
    size_t count;
    int64_t total;
    TRY(meta_users(ctx, tx, &one, &users, &count, &total));
    call->created = total == 0;
    return call->created && call->user ? meta_user_insert(ctx, tx, call->user) : RC_OK;
}

int user_create_first(struct ctx *ctx, struct site *s, str username, str password, bool *created_out)
{
    struct user_call call = {0};
    TRY(sql_read(ctx, s->sql, insert_first, &call)); /* no user given: only looks */
    *created_out = call.created;
    if (!call.created || str_none(password))
        return RC_OK;
    struct user user;
    TRY(make_user(ctx, &(struct user_input){.username = username, .password = password, .role = STR("org_admin")}, &user));
    call.user = &user;
    TRY(sql_write(ctx, s->sql, insert_first, &call));
    *created_out = call.created;
    return RC_OK;
}

static int update_password(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
    struct user_call *call = arg;
    struct user user;
    int rc = meta_user_get(ctx, tx, call->name, &user);
    if (rc == RC_NOT_FOUND)
        return err_set_rc(ctx, rc, &ERR_USER_MISSING, "There is no user '%.*s'.", STR_FMT(call->name));
    TRY(rc);
    user.password_hash = call->text;
    user.modified = ctx_now(ctx);
    TRY(meta_user_update(ctx, tx, &user));
    return meta_tokens_of_user_delete(ctx, tx, user.username);
}

int user_set_password(struct ctx *ctx, struct site *s, str username, str password)
{
    TRY(check_password(ctx, password));
    struct user_call call = {.name = username};
    TRY(password_hash(ctx, password, &call.text));
    return sql_write(ctx, s->sql, update_password, &call);
}

/* ---- reading ---- */

static int get_user(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
    struct user_call *call = arg;
    int rc = meta_user_get(ctx, tx, call->name, call->user);
    if (rc == RC_NOT_FOUND || (rc == RC_OK && !access_user_see(call->caller, call->user->username, call->user->access)))
        return err_set_rc(ctx, RC_NOT_FOUND, &ERR_USER_MISSING, "User '%.*s' does not exist or is inaccessible.",
                          STR_FMT(call->name));
    return rc;
}

int user_get(struct ctx *ctx, struct site *s, const struct caller *c, str username, struct user *out, bool *full_out)
{
    struct user_call call = {.caller = c, .name = username, .user = out};
    TRY(sql_read(ctx, s->sql, get_user, &call));
    *full_out = access_user_details(c, out->username);
    return RC_OK;
}

static int get_groups(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
    struct user_call *call = arg;
    TRY(get_user(ctx, tx, arg));
    struct membership *all;
    size_t count, kept = 0;
    TRY(meta_groups_of_user(ctx, tx, call->user->username, &all, &count));
    for (size_t i = 0; i < count; i++) {
        struct access_group facts = {.access = all[i].group.access, .hidden_members = all[i].group.hidden_members};
        if (!call->caller->anonymous)
            TRY(meta_member_type(ctx, tx, &all[i].group.id, call->caller->username, &facts.member));
        /* who else is in a group is for those who see its members */
        bool mine = access_is_self(call->caller, call->user->username);
        if (access_group_see(call->caller, &facts) &&
            (mine || !facts.hidden_members || access_group_see_members(call->caller, &facts)))
            all[kept++] = all[i];
    }
    call->memberships = all;
    call->count = kept;
    return RC_OK;
}

int user_groups(struct ctx *ctx, struct site *s, const struct caller *c, str username, struct membership **out, size_t *count_out)
{
    struct user user;
    struct user_call call = {.caller = c, .name = username, .user = &user};
    TRY(sql_read(ctx, s->sql, get_groups, &call));
    *out = call.memberships;
    *count_out = call.count;
    return RC_OK;
}

static int search_users(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
    struct user_call *call = arg;
    struct viewer who = {.username = call->caller->anonymous ? STR("") : call->caller->username,
                         .admin = access_administer(call->caller)};
    return meta_search_users(ctx, tx, call->query, &who, call->search_page, call->list);
}

int user_search(struct ctx *ctx, struct site *s, const struct caller *c, str q, const struct meta_search_page *page,
                struct meta_user_list *out)
{
    struct search_query *query;
    TRY(search_parse(ctx, q, &query));
    return sql_read(ctx, s->sql, search_users,
                    &(struct user_call){.caller = c, .query = query, .search_page = page, .list = out});
}

static int list_users(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
    struct user_call *call = arg;
    return meta_users(ctx, tx, call->page, &call->list->users, &call->list->count, &call->list->total);
}

int user_list(struct ctx *ctx, struct site *s, const struct caller *c, const struct meta_page *page, struct meta_user_list *out)
{
    if (c->anonymous)
        return err_kind(ctx, &ERR_TOKEN_REQUIRED);
    return sql_read(ctx, s->sql, list_users, &(struct user_call){.page = page, .list = out});
}
