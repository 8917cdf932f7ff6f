/* The content of users: folders, listings, search. What a search finds is decided in SQL (meta_search_items), by the same rules
 * as model/access. */
#include "service/item_private.h"
#include "model/search.h"

enum { FOLDER_TITLE_CHARS = 250 };

struct content_call {
    const struct caller *caller;
    str owner, title;
    const id *folder, *group;
    const struct meta_page *page;
    struct user_content *content;
    struct folder *row;
    const struct search_query *query;
    const struct meta_search_page *search_page;
    struct item_views *views;
};

/* ---- owners and folders ---- */

int content_owner_get(struct ctx *ctx, struct sql_tx *tx, const struct caller *c, str owner, struct user *out)
{
    TRY(service_require(ctx, c, !c->anonymous));
    int rc = meta_user_get(ctx, tx, owner, out);
    if (rc == RC_NOT_FOUND)
        return err_set_rc(ctx, rc, &ERR_USER_MISSING, "There is no user '%.*s'.", STR_FMT(str_sub(owner, 0, 200)));
    return rc;
}

int content_folder_get(struct ctx *ctx, struct sql_tx *tx, str owner, const id *folder, struct folder *out)
{
    int rc = meta_folder_get(ctx, tx, owner, folder, out);
    if (rc == RC_NOT_FOUND)
        return err_set_rc(ctx, rc, &ERR_FOLDER_MISSING, "User '%.*s' has no folder '%s'.", STR_FMT(owner), folder->text);
    return rc;
}

int folder_title_check(struct ctx *ctx, str title)
{
    TRY(item_text_check(ctx, "title", title, FOLDER_TITLE_CHARS));
    if (str_empty(title) || str_eq(title, STR("/"))) /* the root's name in requests */
        return err_set(ctx, &ERR_FOLDER_TITLE, "Folder title '%.*s' not available.", STR_FMT(title));
    return RC_OK;
}

/* Titles are unique for a user, without regard to case. self: the folder that is renamed, ID_NONE for a new one. */
static int title_free(struct ctx *ctx, struct sql_tx *tx, str owner, str title, const id *self)
{
    struct folder there;
    int rc = meta_folder_by_title(ctx, tx, owner, title, &there);
    if (rc == RC_OK && !id_eq(there.id, *self))
        return err_set(ctx, &ERR_FOLDER_TITLE, "Folder title '%.*s' not available.", STR_FMT(title));
    return rc == RC_NOT_FOUND ? RC_OK : rc;
}

static int folder_insert(struct ctx *ctx, struct sql_tx *tx, str owner, str title, struct folder *out)
{
    *out = (struct folder){.id = id_new(), .owner = owner, .title = title, .created = ctx_now(ctx)};
    return meta_folder_insert(ctx, tx, out);
}

int content_folder_named(struct ctx *ctx, struct sql_tx *tx, str owner, str title, id *out)
{
    struct folder folder;
    *out = ID_NONE;
    title = str_trim(title);
    if (str_empty(title) || str_eq(title, STR("/")))
        return RC_OK;
    TRY(folder_title_check(ctx, title));
    int rc = meta_folder_by_title(ctx, tx, owner, title, &folder);
    if (rc == RC_NOT_FOUND)
        rc = folder_insert(ctx, tx, owner, title, &folder);
    TRY(rc);
    *out = folder.id;
    return RC_OK;
}

/* The owner of a folder that the caller may change. */
static int changeable_content(struct ctx *ctx, struct sql_tx *tx, const struct content_call *call, struct user *owner)
{
    TRY(content_owner_get(ctx, tx, call->caller, call->owner, owner));
    return service_require(ctx, call->caller, access_content_add(call->caller, owner->username));
}

static int create_folder(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
    struct content_call *call = arg;
    struct user owner;
    TRY(changeable_content(ctx, tx, call, &owner));
    TRY(folder_title_check(ctx, call->title));
    TRY(title_free(ctx, tx, owner.username, call->title, &ID_NONE));
    return folder_insert(ctx, tx, owner.username, call->title, call->row);
}

int folder_create(struct ctx *ctx, struct site *s, const struct caller *c, str owner, str title, struct folder *out)
{
    return sql_write(ctx, s->sql, create_folder,
                     &(struct content_call){.caller = c, .owner = owner, .title = str_trim(title), .row = out});
}

static int delete_folder(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
    struct content_call *call = arg;
    struct user owner;
    struct meta_items items;
    TRY(changeable_content(ctx, tx, call, &owner));
    TRY(content_folder_get(ctx, tx, owner.username, call->folder, call->row));
    TRY(meta_items_of_user(ctx, tx, owner.username, call->folder, &(struct meta_page){.num = INT32_MAX}, &items));
    for (size_t i = 0; i < items.count; i++)
        if (items.items[i].protected)
            return err_set(ctx, &ERR_ITEM_PROTECTED, "Item '%s' is protected from deletion.", items.items[i].id.text);
    for (size_t i = 0; i < items.count; i++)
        TRY(item_remove(ctx, tx, &items.items[i].id));
    return meta_folder_delete(ctx, tx, owner.username, call->folder);
}

int folder_delete(struct ctx *ctx, struct site *s, const struct caller *c, str owner, const id *folder, struct folder *out)
{
    return sql_write(ctx, s->sql, delete_folder,
                     &(struct content_call){.caller = c, .owner = owner, .folder = folder, .row = out});
}

static int rename_folder(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
    struct content_call *call = arg;
    struct user owner;
    TRY(changeable_content(ctx, tx, call, &owner));
    TRY(content_folder_get(ctx, tx, owner.username, call->folder, call->row));
    TRY(folder_title_check(ctx, call->title));
    TRY(title_free(ctx, tx, owner.username, call->title, call->folder));
    call->row->title = call->title;
    return meta_folder_update(ctx, tx, call->row);
}

int folder_rename(struct ctx *ctx, struct site *s, const struct caller *c, str owner, const id *folder, str title,
                  struct folder *out)
{
    struct content_call call = {.caller = c, .owner = owner, .folder = folder, .title = str_trim(title), .row = out};
    return sql_write(ctx, s->sql, rename_folder, &call);
}

/* ---- listing ---- */

static int list_content(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
    struct content_call *call = arg;
    struct user_content *out = call->content;
    struct user owner;
    struct meta_items found;
    TRY(content_owner_get(ctx, tx, call->caller, call->owner, &owner));
    TRY(service_require(ctx, call->caller, access_content_list(call->caller, owner.username)));
    *out = (struct user_content){.has_folder = call->folder && !id_none(*call->folder)};
    if (out->has_folder)
        TRY(content_folder_get(ctx, tx, owner.username, call->folder, &out->folder));
    else
        TRY(meta_folders(ctx, tx, owner.username, &out->folders, &out->folder_count));
    TRY(meta_items_of_user(ctx, tx, owner.username, &out->folder.id, call->page, &found));
    out->count = found.count;
    out->total = found.total;
    return item_views_make(ctx, tx, call->caller, found.items, found.count, &out->items);
}

int content_list(struct ctx *ctx, struct site *s, const struct caller *c, str owner, const id *folder,
                 const struct meta_page *page, struct user_content *out)
{
    struct content_call call = {.caller = c, .owner = owner, .folder = folder, .page = page, .content = out};
    return sql_read(ctx, s->sql, list_content, &call);
}

/* ---- search ---- */

enum { SEARCH_WINDOW = 10000 }; /* how far pages reach */

int service_search_page(struct ctx *ctx, const struct meta_search_page *page, bool sorts)
{
    if (!sorts)
        return err_set(ctx, &ERR_PARAMETER, "'%.*s' is not a 'sortField' of this search.",
                       STR_FMT(str_sub(page->sort_field, 0, 64)));
    if (page->start >= SEARCH_WINDOW && !page->everything)
        return err_set(ctx, &ERR_PARAMETER, "'start' is at most %d: narrow the search to see more.", SEARCH_WINDOW);
    return RC_OK;
}

static int search_items(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
    struct content_call *call = arg;
    struct viewer who = service_viewer(call->caller, access_items_sight(call->caller));
    struct meta_items found;
    if (call->group) {
        struct group group;
        struct access_group facts;
        int rc = group_find(ctx, tx, call->caller, call->group, &group, &facts);
        if (rc == RC_NOT_FOUND)
            return err_set_rc(ctx, rc, &ERR_CONTENT_GROUP_MISSING, "There is no group '%s'.", call->group->text);
        TRY(rc);
    }
    TRY(meta_search_items(ctx, tx, call->query, &who, call->group, call->search_page, &found));
    call->views->count = found.count;
    call->views->total = found.total;
    return item_views_make(ctx, tx, call->caller, found.items, found.count, &call->views->items);
}

/* All that was asked for at once; RC_OK with NULL when nothing was. */
static int query_of(struct ctx *ctx, const struct search_input *in, struct search_query **out)
{
    struct search_query *part;
    *out = NULL;
    if (!str_empty(str_trim(in->q))) {
        TRY(search_parse(ctx, in->q, out));
    }
    if (!str_empty(str_trim(in->filter))) {
        TRY(search_parse_filter(ctx, in->filter, &part));
        *out = search_and(ctx, *out, part);
    }
    TRY(search_parse_categories(ctx, in->categories, &part));
    *out = search_and(ctx, *out, part);
    TRY(search_parse_category_filters(ctx, in->category_filters, &part));
    *out = search_and(ctx, *out, part);
    if (in->groups)
        *out = search_and(ctx, *out, search_any(ctx, STR("group"), in->groups, in->group_count));
    TRY(search_parse_box(ctx, in->bbox, &part));
    *out = search_and(ctx, *out, part);
    return RC_OK;
}

int item_search(struct ctx *ctx, struct site *s, const struct caller *c, const struct search_input *in, struct item_views *out)
{
    struct search_query *query;
    TRY(service_search_page(ctx, &in->page, meta_search_sorts_items(in->page.sort_field)));
    TRY(query_of(ctx, in, &query));
    if (!query) /* an empty q finds nothing, but a group has content */
        TRY(search_parse(ctx, in->group ? STR("*") : STR(""), &query));
    struct content_call call = {.caller = c, .query = query, .group = in->group, .search_page = &in->page, .views = out};
    return sql_read(ctx, s->sql, search_items, &call);
}

int group_content(struct ctx *ctx, struct site *s, const struct caller *c, const id *group, const struct meta_page *page,
                  struct item_views *out)
{
    static const struct search_query all = {.kind = SEARCH_ALL};
    const struct meta_search_page search_page = {.start = page->start,
                                                 .num = page->num,
                                                 .sort_field = page->sort_field,
                                                 .descending = page->descending,
                                                 .everything = true};
    struct content_call call = {.caller = c, .query = &all, .group = group, .search_page = &search_page, .views = out};
    TRY(service_search_page(ctx, &search_page, meta_search_sorts_items(page->sort_field)));
    return sql_read(ctx, s->sql, search_items, &call);
}
