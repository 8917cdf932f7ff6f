/* Users: see user.h. Passwords are hashed outside of transactions; a transaction may be run more than once. */
#include "service/group_private.h"
#include "model/search.h"
#include "service/input.h"

enum { NAME_MAX_BYTES = 128, PASSWORD_MIN = 8, PASSWORD_MAX = 1024, SHORT_CHARS = 256, LONG_CHARS = 1 << 20 };

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

int user_password_check(struct ctx *ctx, const char *parameter, str password)
{
    if (password.n < PASSWORD_MIN || password.n > PASSWORD_MAX)
        return err_set(ctx, &ERR_PARAMETER, "'%s' has to be %d to %d bytes long.", parameter, PASSWORD_MIN, PASSWORD_MAX);
    return RC_OK;
}

static str or_empty(str s) { return str_none(s) ? STR("") : s; }

static int take_texts(struct ctx *ctx, const struct user_input *in, struct user *out)
{
    TRY(input_text(ctx, "firstname", in->first_name, SHORT_CHARS, false, &out->first_name));
    TRY(input_text(ctx, "lastname", in->last_name, SHORT_CHARS, false, &out->last_name));
    TRY(input_text(ctx, "fullname", in->full_name, SHORT_CHARS, false, &out->full_name));
    TRY(input_text(ctx, "email", in->email, SHORT_CHARS, false, &out->email));
    TRY(input_text(ctx, "description", in->description, LONG_CHARS, false, &out->description));
    TRY(input_text(ctx, "idpUsername", in->idp_username, SHORT_CHARS, false, &out->idp_username));
    if (str_empty(out->full_name)) {
        str full = arena_printf(ctx->arena, "%.*s %.*s", STR_FMT(out->first_name), STR_FMT(out->last_name));
        out->full_name = str_empty(str_trim(full)) ? out->username : str_trim(full);
    }
    return RC_OK;
}

/* A level is the older word for what user types say: 1 views, 2 does more. */
static int take_license(struct ctx *ctx, const struct user_input *in, struct user *out)
{
    static const char *const levels[] = {"1", "2", NULL};
    bool viewer;
    str level = STR("");
    TRY(input_word(ctx, "level", in->level, levels, &level));
    if (!str_empty(or_empty(in->license)) && !user_license_parse(in->license, &out->license, &viewer))
        return err_set(ctx, &ERR_PARAMETER, "'userLicenseTypeId' is no user type of this portal: %.*s",
                       STR_FMT(str_sub(in->license, 0, 100)));
    if (str_empty(out->license) && str_eq(level, STR("1")))
        out->license = STR("viewerUT");
    return RC_OK;
}

/* The row of a new user but for the role, which the transaction looks up; the password is checked and hashed. */
static int make_user(struct ctx *ctx, const struct user_input *in, struct user *out)
{
    if (!name_valid(or_empty(in->username)))
        return err_set(ctx, &ERR_PARAMETER, "'username' has to be 1 to %d letters, digits, or characters of '._-@'.",
                       NAME_MAX_BYTES);
    int64_t now = ctx_now(ctx);
    *out = (struct user){.username = in->username,
                         .id = id_new(),
                         .culture = STR("en"),
                         .region = STR("WO"),
                         .units = STR("metric"),
                         .tags = STR("[]"),
                         .provider = STR("arcgis"),
                         .password_hash = STR("!"),
                         .access = ITEM_ORG,
                         .role = ROLE_USER,
                         .created = now,
                         .modified = now,
                         .last_login = USER_NEVER};
    if (!str_empty(or_empty(in->provider)) && !user_provider_parse(in->provider, &out->provider))
        return err_set(ctx, &ERR_PARAMETER, "'provider' has to be arcgis, enterprise or webadaptor.");
    TRY(take_texts(ctx, in, out));
    TRY(take_license(ctx, in, out));
    if (!str_eq(out->provider, STR("arcgis")))
        return RC_OK; /* signs in elsewhere */
    TRY(user_password_check(ctx, "password", or_empty(in->password)));
    return password_hash(ctx, in->password, &out->password_hash);
}

struct user_call {
    struct site *site;
    const struct caller *caller;
    str name, text;
    const struct user_input *in;
    struct user *user;
    bool created;
    const struct meta_page *page;
    const struct meta_search_page *search_page;
    const struct search_query *query;
    const struct user_filter *filter;
    struct meta_user_list *list;
    struct membership *memberships;
    size_t count;
    int64_t number;
};

int user_role_take(struct ctx *ctx, struct sql_tx *tx, str role, struct user *u)
{
    struct custom_role custom;
    if (str_empty(or_empty(role)))
        return RC_OK;
    if (role_parse(role, &u->role)) {
        u->role_id = STR("");
        return RC_OK;
    }
    int rc = meta_role_get(ctx, tx, role, &custom);
    if (rc == RC_NOT_FOUND)
        return err_set(
            ctx, &ERR_PARAMETER,
            "'role' has to be org_admin, org_publisher, org_user, iAAAAAAAAAAAAAAA (viewer) or the id of a role of the "
            "organization.");
    TRY(rc);
    u->role_id = custom.id;
    u->role = role_floor(custom.privileges);
    u->custom_privileges = custom.privileges;
    return RC_OK;
}

int user_license_check(struct ctx *ctx, const struct user *u)
{
    str license;
    bool viewer = false;
    if (!str_empty(u->license) && user_license_parse(u->license, &license, &viewer) && viewer && u->role != ROLE_VIEWER)
        return err_set(ctx, &ERR_USER_CHANGE,
                       "The user type 'viewerUT' goes with roles that only view, and not with that of '%.*s'.",
                       STR_FMT(u->username));
    return RC_OK;
}

static int insert_user(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
    struct user_call *call = arg;
    struct user there;
    TRY(user_role_take(ctx, tx, call->in->role, call->user));
    TRY(service_require(ctx, call->caller, access_role_give(call->caller, call->user)));
    TRY(user_license_check(ctx, call->user));
    int rc = meta_user_get(ctx, tx, call->user->username, &there);
    if (rc == RC_OK)
        return err_set(ctx, &ERR_USER_TAKEN, "The username '%.*s' is taken.", STR_FMT(call->user->username));
    TRY(rc == RC_NOT_FOUND ? meta_user_insert(ctx, tx, call->user) : rc);
    for (size_t i = 0; i < call->in->group_count; i++) {
        struct group g;
        TRY(group_allowed(ctx, tx, call->caller, &call->in->groups[i], access_group_assign, &g));
        TRY(group_member_put(ctx, tx, &g, call->user->username, MEMBER_MEMBER));
    }
    return RC_OK;
}

int user_create(struct ctx *ctx, struct site *s, const struct caller *c, const struct user_input *in)
{
    TRY(service_require(ctx, c, access_user_create(c)));
    struct user user;
    TRY(make_user(ctx, in, &user));
    return sql_write(ctx, s->sql, insert_user, &(struct user_call){.caller = c, .user = &user, .in = in});
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
    TRY(make_user(ctx, &(struct user_input){.username = username, .password = password}, &user));
    user.role = ROLE_ADMIN;
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
    user.password_expires = 0;
    user.modified = ctx_now(ctx);
    TRY(meta_user_update(ctx, tx, &user));
    return meta_tokens_of_user_delete(ctx, tx, user.username);
}

int user_set_password(struct ctx *ctx, struct site *s, str username, str password)
{
    TRY(user_password_check(ctx, "password", password));
    struct user_call call = {.name = username};
    TRY(password_hash(ctx, password, &call.text));
    return sql_write(ctx, s->sql, update_password, &call);
}

/* ---- reading ---- */

int user_find(struct ctx *ctx, struct sql_tx *tx, const struct caller *c, str username, struct user *out)
{
    int rc = meta_user_get(ctx, tx, username, out);
    if (rc == RC_NOT_FOUND || (rc == RC_OK && !access_user_see(c, out->username, out->access)))
        return err_set_rc(ctx, RC_NOT_FOUND, &ERR_USER_MISSING, "User '%.*s' does not exist or is inaccessible.",
                          STR_FMT(str_sub(username, 0, 200)));
    return rc;
}

static int get_user(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
    struct user_call *call = arg;
    return user_find(ctx, tx, call->caller, call->name, call->user);
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
    struct viewer who = service_viewer(call->caller, access_users_sight(call->caller));
    return meta_search_users(ctx, tx, call->query, &who, call->search_page, call->list);
}

int user_search(struct ctx *ctx, struct site *s, const struct caller *c, str q, const struct meta_search_page *page,
                struct meta_user_list *out)
{
    struct search_query *query;
    struct viewer who = service_viewer(c, access_users_sight(c));
    TRY(service_search_page(ctx, page, meta_search_sorts_users(page->sort_field, &who)));
    TRY(search_parse(ctx, q, &query));
    return sql_read(ctx, s->sql, search_users,
                    &(struct user_call){.caller = c, .query = query, .search_page = page, .list = out});
}

static int list_users(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
    struct user_call *call = arg;
    struct access_sight sight = access_users_sight(call->caller);
    const struct meta_user_filter filter = {.text = or_empty(call->filter->text),
                                            .role = or_empty(call->filter->role),
                                            .provider = or_empty(call->filter->provider),
                                            .self = call->caller->username,
                                            .all = sight.all,
                                            .org = sight.org};
    return meta_users_filtered(ctx, tx, &filter, call->page, call->list);
}

int user_list(struct ctx *ctx, struct site *s, const struct caller *c, const struct user_filter *filter,
              const struct meta_page *page, struct meta_user_list *out)
{
    TRY(service_require(ctx, c, access_org_members(c)));
    return sql_read(ctx, s->sql, list_users, &(struct user_call){.caller = c, .filter = filter, .page = page, .list = out});
}

static int sum_storage(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
    struct user_call *call = arg;
    TRY(get_user(ctx, tx, arg));
    TRY(service_require(ctx, call->caller, access_user_details(call->caller, call->user->username)));
    return meta_user_storage(ctx, tx, call->user->username, &call->number);
}

int user_storage(struct ctx *ctx, struct site *s, const struct caller *c, str username, int64_t *bytes_out)
{
    struct user user;
    struct user_call call = {.caller = c, .name = username, .user = &user};
    TRY(sql_read(ctx, s->sql, sum_storage, &call));
    *bytes_out = call.number;
    return RC_OK;
}

static int suggest_name(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
    enum { TRIES = 1000 };
    struct user_call *call = arg;
    struct user there;
    for (int i = 0; i < TRIES; i++) {
        call->text = i ? arena_printf(ctx->arena, "%.*s%d", STR_FMT(str_sub(call->name, 0, NAME_MAX_BYTES - 4)), i) : call->name;
        int rc = meta_user_get(ctx, tx, call->text, &there);
        if (rc != RC_OK)
            return rc == RC_NOT_FOUND ? RC_OK : rc;
    }
    return err_set(ctx, &ERR_USER_TAKEN, "'%.*s' and its variations are taken.", STR_FMT(call->name));
}

int user_suggest(struct ctx *ctx, struct site *s, const struct caller *c, str wanted, str *out)
{
    struct user_call call = {.name = wanted};
    TRY(service_require(ctx, c, access_user_create(c)));
    if (!name_valid(wanted))
        return err_set(ctx, &ERR_PARAMETER, "'%.*s' cannot be a username: letters, digits and characters of '._-@' can.",
                       STR_FMT(str_sub(wanted, 0, 200)));
    TRY(sql_read(ctx, s->sql, suggest_name, &call));
    *out = call.text;
    return RC_OK;
}

struct file_call {
    const struct caller *caller;
    str username, name;
    struct portal_file *file;
};

static int get_file(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
    struct file_call *call = arg;
    struct user user;
    TRY(user_find(ctx, tx, call->caller, call->username, &user));
    return portal_file_get(ctx, tx, FILE_USER, id_str(&user.id), call->name, call->file);
}

int user_file(struct ctx *ctx, struct site *s, const struct caller *c, str username, str name, struct portal_file *out)
{
    return sql_read(ctx, s->sql, get_file, &(struct file_call){.caller = c, .username = username, .name = name, .file = out});
}
