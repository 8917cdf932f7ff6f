/* What the handlers of the Sharing API have in common: ids of the path, paging, short answers. */
#ifndef MAPFERRY_WEB_SHARING_SHARING_H
#define MAPFERRY_WEB_SHARING_SHARING_H

#include "service/item_fetch.h"
#include "service/item.h"
#include "web/handlers.h"

/* Ids of the path. ERR_ITEM_MISSING, ERR_GROUP_MISSING, ERR_FOLDER_MISSING when the piece is no id; a pattern without {folderId}
 * gives ID_NONE. */
int sharing_item_id(struct ctx *ctx, const struct call *call, id *out);
int sharing_group_id(struct ctx *ctx, const struct call *call, id *out);
int sharing_folder_id(struct ctx *ctx, const struct call *call, id *out);
/* The item of a path below /content/users/{user}: it has to belong to that user (ERR_ITEM_NOT_IN_FOLDER). Its folder is not
 * compared: clients use the path with and without it (api.md 0.1). Errors as item_get. */
int sharing_owned_item(struct ctx *ctx, struct call *call, struct item_view *out);
/* {portalId} of the path is "self" or our id: ERR_NOT_FOUND otherwise. */
int sharing_portal_check(struct ctx *ctx, const struct call *call);

/* A parameter, "" when it is absent. */
str sharing_text(const struct call *call, const char *name);

/* start, num, sortField and sortOrder; the row declares start and num. start counts from 1; num is cut at `most`. */
struct sharing_page {
    int64_t start, num;
    str sort_field;
    bool descending;
};
enum { SHARING_PAGE_MAX = 100 };
struct sharing_page sharing_page(const struct call *call, int64_t most);
struct meta_page sharing_meta_page(const struct sharing_page *p);
struct meta_search_page sharing_search_page(const struct sharing_page *p);
/* Which of `count` things stand on the page: n of them from index `from`. */
void sharing_page_cut(const struct sharing_page *p, size_t count, size_t *from_out, size_t *n_out);
/* total, start, num, nextStart as members of the object that is open. */
void sharing_paging(struct call *call, const struct sharing_page *p, int64_t total, size_t count);

/* {"success":true,"<name>":"<value>"}; name NULL: only success. */
int sharing_success(struct call *call, const char *name, str value);
/* "<name>":[items] in the object that is open. */
void sharing_items_print(struct ctx *ctx, struct call *call, const char *name, const struct item_view *items, size_t count);
void sharing_ids_print(struct call *call, const char *name, const id *list, size_t count);
/* The content type by the extension of a file name, "" when it is not known. */
str sharing_content_type(str file_name);

/* What addItem, update and commit take. */
void sharing_item_input(const struct call *call, struct item_input *in);
/* Fetches what the input names addresses of, as a call that waits: ERR_BUSY when there are too many. */
int sharing_item_fetch(struct ctx *ctx, struct call *call, struct item_input *in, struct item_fetched *out);
/* {"success":true,"id":…,"folder":… or null} */
int sharing_item_made(struct call *call, const id *item, const id *folder);

/* The error of one of several things, as "error" of the object that is open. */
void sharing_error_print(struct json_out *o, const struct err *e);
/* What is known of the item as XML, the info file of that name; as an answer. */
#define ITEM_INFO_NAME "iteminfo.xml"
int item_info_print(struct ctx *ctx, struct call *call, const id *item);

/* Batch operations: the step for each item of `items`, the results in one list; a step that fails is an entry with its error. The
 * step may add members to the entry. */
typedef int sharing_step(struct ctx *ctx, struct call *call, const id *item, void *arg);
int sharing_batch(struct ctx *ctx, struct call *call, sharing_step *step, void *arg);

#endif
