/* Groups: see group.h. Their members are in group_member.c, invitations and applications in group_request.c. */
#include "service/group_private.h"
#include "base/utf8.h"
#include "model/search.h"
#include "service/input.h"

enum { TITLE_CHARS = 250, SHORT_CHARS = 2048, LONG_CHARS = 1 << 20 };

/* ---- facts ---- */

int group_access(struct ctx *ctx, struct sql_tx *tx, const struct caller *c, const struct group *g, struct access_group *out)
{
    *out = (struct access_group){.member = MEMBER_NONE,
                                 .access = g->access,
                                 .shared_update = g->update_item_control,
                                 .view_only = g->is_view_only,
                                 .hidden_members = g->hidden_members,
                                 .read_only = g->is_read_only,
                                 .favourites = g->favourites};
    if (g->favourites && access_is_self(c, g->owner))
        out->member = MEMBER_OWNER; /* it has no members */
    return c->anonymous || g->favourites ? RC_OK : meta_member_type(ctx, tx, &g->id, c->username, &out->member);
}

int group_find(struct ctx *ctx, struct sql_tx *tx, const struct caller *c, const id *group, struct group *group_out,
               struct access_group *facts_out)
{
    TRY(meta_group_get(ctx, tx, group, group_out));
    TRY(group_access(ctx, tx, c, group_out, facts_out));
    return access_group_see(c, facts_out) ? RC_OK : RC_NOT_FOUND;
}

int group_facts(struct ctx *ctx, struct sql_tx *tx, const struct caller *c, const id *group, struct group *group_out,
                struct access_group *facts_out)
{
    int rc = group_find(ctx, tx, c, group, group_out, facts_out);
    return rc == RC_NOT_FOUND ? err_set_rc(ctx, rc, &ERR_GROUP_MISSING, "There is no group '%s'.", group->text) : rc;
}

int group_allowed(struct ctx *ctx, struct sql_tx *tx, const struct caller *c, const id *group, group_question *may,
                  struct group *out)
{
    struct access_group facts;
    TRY(group_facts(ctx, tx, c, group, out, &facts));
    return service_require(ctx, c, may(c, &facts));
}

struct group_call {
    const struct caller *caller;
    const id *id;
    struct group *group; /* result, or the checked input of a new group */
    const struct group_input *in;
    const struct picture *picture;
    enum member_type *member;
    bool protect;
    str text;
    struct portal_file *file;
    const struct search_query *query;
    const struct meta_search_page *page;
    struct meta_groups *found;
};

static int allowed_group(struct ctx *ctx, struct sql_tx *tx, const struct group_call *call, group_question *may,
                         struct group *out)
{
    return group_allowed(ctx, tx, call->caller, call->id, may, out);
}

/* ---- input ---- */

static int take_texts(struct ctx *ctx, const struct group_input *in, struct group *g)
{
    str title = str_trim(in->title), tags = STR_NONE;
    if (!str_empty(title))
        TRY(input_text(ctx, "title", title, TITLE_CHARS, false, &g->title));
    TRY(input_text(ctx, "tags", in->tags, LONG_CHARS, in->clear_empty, &tags));
    if (!str_none(tags))
        TRY(item_list_parse(ctx, tags, &g->tags));
    TRY(input_text(ctx, "description", in->description, LONG_CHARS, in->clear_empty, &g->description));
    TRY(input_text(ctx, "snippet", in->snippet, SHORT_CHARS, in->clear_empty, &g->snippet));
    TRY(input_text(ctx, "phone", in->phone, SHORT_CHARS, in->clear_empty, &g->phone));
    return input_object(ctx, "displaySettings", in->display_settings, LONG_CHARS, in->clear_empty, &g->display_settings);
}

static int take_words(struct ctx *ctx, const struct group_input *in, struct group *g)
{
    static const char *const sort_fields[] = {"title", "owner", "avgrating", "numviews", "created", "modified", NULL};
    static const char *const sort_orders[] = {"asc", "desc", NULL};
    static const char *const memberships[] = {"org", "collaboration", "none", NULL};
    TRY(input_word(ctx, "sortField", in->sort_field, sort_fields, &g->sort_field));
    TRY(input_word(ctx, "sortOrder", in->sort_order, sort_orders, &g->sort_order));
    TRY(input_word(ctx, "membershipAccess", in->membership_access, memberships, &g->membership_access));
    if (!str_empty(in->access) && (!item_access_parse(in->access, &g->access) || g->access == ITEM_SHARED))
        return err_set(ctx, &ERR_PARAMETER, "'access' has to be private, org or public.");
    TRY(input_bool(ctx, "isViewOnly", in->is_view_only, &g->is_view_only));
    TRY(input_bool(ctx, "isInvitationOnly", in->is_invitation_only, &g->is_invitation_only));
    TRY(input_bool(ctx, "autoJoin", in->auto_join, &g->auto_join));
    TRY(input_bool(ctx, "isReadOnly", in->is_read_only, &g->is_read_only));
    TRY(input_bool(ctx, "hiddenMembers", in->hidden_members, &g->hidden_members));
    return input_bool(ctx, "leavingDisallowed", in->leaving_disallowed, &g->leaving_disallowed);
}

static int title_free(struct ctx *ctx, struct sql_tx *tx, const struct group *g)
{
    id there;
    int rc = meta_group_by_title(ctx, tx, g->owner, g->title, &there);
    if (rc == RC_OK && !id_eq(there, g->id))
        return err_set(ctx, &ERR_GROUP_TITLE, "You already have a group named '%.*s'. Try a different name.", STR_FMT(g->title));
    return rc == RC_NOT_FOUND ? RC_OK : rc;
}

/* ---- create, read, update, delete ---- */

/* In the transaction that stores the row. */
static int put_thumbnail(struct ctx *ctx, struct sql_tx *tx, const struct picture *picture, struct group *g)
{
    if (!picture->blob)
        return RC_OK;
    g->thumbnail = picture->name;
    return portal_file_put_picture(ctx, tx, FILE_GROUP, id_str(&g->id), picture);
}

static int create_group(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
    struct group_call *call = arg;
    TRY(title_free(ctx, tx, call->group));
    TRY(put_thumbnail(ctx, tx, call->picture, call->group));
    return meta_group_insert(ctx, tx, call->group);
}

int group_create(struct ctx *ctx, struct site *s, const struct caller *c, const struct group_input *in, struct group *out)
{
    TRY(service_require(ctx, c, access_group_create(c)));
    int64_t now = ctx_now(ctx);
    *out = (struct group){.id = id_new(),
                          .owner = c->username,
                          .tags = STR("[]"),
                          .sort_field = STR("modified"),
                          .sort_order = STR("desc"),
                          .membership_access = STR("org"),
                          .access = ITEM_PRIVATE,
                          .created = now,
                          .modified = now};
    TRY(take_texts(ctx, in, out));
    if (str_empty(out->title))
        return err_set(ctx, &ERR_GROUP_TITLE, "'title' is required.");
    TRY(take_words(ctx, in, out));
    TRY(service_require(ctx, c, access_group_set_access(c, out->access)));
    struct picture picture;
    TRY(portal_file_picture(ctx, s, in->thumbnail, in->thumbnail_name, &picture));
    out->update_item_control = str_ifind(in->capabilities, STR("updateitemcontrol"), 0) != SIZE_MAX; /* at creation only */
    return sql_write(ctx, s->sql, create_group, &(struct group_call){.group = out, .picture = &picture});
}

static int get_group(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
    struct group_call *call = arg;
    struct access_group facts;
    TRY(group_facts(ctx, tx, call->caller, call->id, call->group, &facts));
    *call->member = facts.member;
    if (!access_group_manage_members(call->caller, &facts))
        return RC_OK;
    struct group_request *applications;
    size_t count;
    TRY(meta_requests(ctx, tx, &(struct meta_request_query){.group = call->id, .username = STR_NONE, .now = ctx_now(ctx)},
                      &applications, &count));
    call->group->applications = (int64_t)count;
    return RC_OK;
}

int group_get(struct ctx *ctx, struct site *s, const struct caller *c, const id *group, struct group *out,
              enum member_type *member_out)
{
    return sql_read(ctx, s->sql, get_group, &(struct group_call){.caller = c, .id = group, .group = out, .member = member_out});
}

static int update_group(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
    struct group_call *call = arg;
    struct group g;
    TRY(allowed_group(ctx, tx, call, access_group_update, &g));
    const struct group before = g;
    TRY(take_texts(ctx, call->in, &g));
    TRY(take_words(ctx, call->in, &g));
    if (before.is_read_only && g.is_read_only)
        return err_set(ctx, &ERR_GROUP_CHANGE, "The group is read-only: 'isReadOnly' has to become false first.");
    if (before.favourites && g.access != ITEM_PRIVATE)
        return err_set(ctx, &ERR_GROUP_CHANGE, "A group of favourites is private.");
    if (g.access != before.access)
        TRY(service_require(ctx, call->caller, access_group_set_access(call->caller, g.access)));
    TRY(title_free(ctx, tx, &g));
    TRY(put_thumbnail(ctx, tx, call->picture, &g));
    g.modified = ctx_now(ctx);
    return meta_group_update(ctx, tx, &g);
}

int group_update(struct ctx *ctx, struct site *s, const struct caller *c, const id *group, const struct group_input *in)
{
    struct picture picture;
    if (in->thumbnail)
        TRY(service_require(ctx, c, !c->anonymous)); /* before any byte is stored */
    TRY(portal_file_picture(ctx, s, in->thumbnail, in->thumbnail_name, &picture));
    return sql_write(ctx, s->sql, update_group, &(struct group_call){.caller = c, .id = group, .in = in, .picture = &picture});
}

static int delete_group(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
    struct group_call *call = arg;
    struct group g;
    TRY(allowed_group(ctx, tx, call, access_group_delete, &g));
    if (g.protected)
        return err_set(ctx, &ERR_GROUP_PROTECTED, "Group '%s' is protected from deletion.", g.id.text);
    if (g.favourites)
        return err_set(ctx, &ERR_GROUP_CHANGE, "A group of favourites goes with its user.");
    return meta_group_delete(ctx, tx, &g.id);
}

int group_delete(struct ctx *ctx, struct site *s, const struct caller *c, const id *group)
{
    return sql_write(ctx, s->sql, delete_group, &(struct group_call){.caller = c, .id = group});
}

static int protect_group(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
    struct group_call *call = arg;
    struct group g;
    TRY(allowed_group(ctx, tx, call, access_group_delete, &g));
    g.protected = call->protect;
    return meta_group_update(ctx, tx, &g);
}

int group_protect(struct ctx *ctx, struct site *s, const struct caller *c, const id *group, bool protect)
{
    return sql_write(ctx, s->sql, protect_group, &(struct group_call){.caller = c, .id = group, .protect = protect});
}

/* ---- files, categories ---- */

static int get_file(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
    struct group_call *call = arg;
    struct group g;
    struct access_group facts;
    TRY(group_facts(ctx, tx, call->caller, call->id, &g, &facts));
    return portal_file_get(ctx, tx, FILE_GROUP, id_str(&g.id), call->text, call->file);
}

int group_file(struct ctx *ctx, struct site *s, const struct caller *c, const id *group, str name, struct portal_file *out)
{
    return sql_read(ctx, s->sql, get_file, &(struct group_call){.caller = c, .id = group, .text = name, .file = out});
}

/* A list of {"title":"…","categories":[…]}. */
static int categories_check(struct ctx *ctx, struct json list, int depth, int *left)
{
    enum { DEPTH_MAX = 5, NAME_CHARS = 100 };
    struct json_iter it = json_each(list);
    struct json v;
    if (!json_is(list, JSON_ARRAY) || depth > DEPTH_MAX)
        return err_set(ctx, &ERR_PARAMETER, "'categorySchema' has to be a list of categories, nested at most %d deep.",
                       DEPTH_MAX);
    while (json_next(&it, NULL, &v)) {
        str title = json_string_or(json_get_c(v, "title"), ctx->arena, STR(""));
        if (str_empty(str_trim(title)))
            return err_set(ctx, &ERR_PARAMETER, "'categorySchema': a category needs a 'title'.");
        TRY(item_text_check(ctx, "categorySchema", title, NAME_CHARS));
        if (--*left < 0)
            return err_set(ctx, &ERR_PARAMETER, "'categorySchema' has too many categories.");
        struct json below = json_get_c(v, "categories");
        if (!json_absent(below))
            TRY(categories_check(ctx, below, depth + 1, left));
    }
    return RC_OK;
}

static int put_schema(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
    struct group_call *call = arg;
    struct group g;
    TRY(allowed_group(ctx, tx, call, access_group_update, &g));
    TRY(meta_schema_put(ctx, tx, id_str(&g.id), call->text));
    g.modified = ctx_now(ctx);
    return meta_group_update(ctx, tx, &g);
}

int group_set_categories(struct ctx *ctx, struct site *s, const struct caller *c, const id *group, str schema)
{
    struct json v = JSON_ABSENT;
    int left = 300;
    TRY(service_require(ctx, c, !c->anonymous));
    if (!str_empty(schema)) {
        if (!json_try_parse(ctx->arena, schema, &v))
            return err_set(ctx, &ERR_PARAMETER, "'categorySchema' is not JSON.");
        if (json_is(v, JSON_OBJECT))
            v = json_get_c(v, "categorySchema");
        TRY(categories_check(ctx, v, 0, &left));
    }
    str text = json_count(v) ? json_raw(v) : STR("");
    return sql_write(ctx, s->sql, put_schema, &(struct group_call){.caller = c, .id = group, .text = text});
}

static int get_schema(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
    struct group_call *call = arg;
    struct group g;
    struct access_group facts;
    TRY(group_facts(ctx, tx, call->caller, call->id, &g, &facts));
    int rc = meta_schema_get(ctx, tx, id_str(&g.id), &call->text);
    if (rc == RC_NOT_FOUND)
        call->text = STR("[]");
    return rc == RC_NOT_FOUND ? RC_OK : rc;
}

int group_categories(struct ctx *ctx, struct site *s, const struct caller *c, const id *group, str *schema_out)
{
    struct group_call call = {.caller = c, .id = group};
    TRY(sql_read(ctx, s->sql, get_schema, &call));
    *schema_out = call.text;
    return RC_OK;
}

/* ---- export and import, search ---- */

static int check_move(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
    struct group_call *call = arg;
    return allowed_group(ctx, tx, call, access_group_move, call->group);
}

int group_move_check(struct ctx *ctx, struct site *s, const struct caller *c, const id *group, struct group *out)
{
    return sql_read(ctx, s->sql, check_move, &(struct group_call){.caller = c, .id = group, .group = out});
}

static int search_groups(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
    struct group_call *call = arg;
    struct viewer who = service_viewer(call->caller, access_groups_sight(call->caller));
    return meta_search_groups(ctx, tx, call->query, &who, call->page, call->found);
}

int group_search(struct ctx *ctx, struct site *s, const struct caller *c, const struct group_search_input *in,
                 struct meta_groups *out)
{
    struct search_query *query;
    TRY(service_search_page(ctx, &in->page, meta_search_sorts_groups(in->page.sort_field)));
    TRY(search_parse(ctx, in->q, &query));
    if (in->groups)
        query = search_and(ctx, query, search_any(ctx, STR("id"), in->groups, in->group_count));
    return sql_read(ctx, s->sql, search_groups,
                    &(struct group_call){.caller = c, .query = query, .page = &in->page, .found = out});
}
