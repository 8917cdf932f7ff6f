/* Comments on items and ratings of them. Who may read an item reads its comments; who may is in model/access. Errors beside those
 * of access: ERR_COMMENT_MISSING, ERR_COMMENT (disabled, a reply to a reply), ERR_RATING_MISSING, ERR_PARAMETER. */
#ifndef MAPFERRY_SERVICE_ITEM_COMMENT_H
#define MAPFERRY_SERVICE_ITEM_COMMENT_H

#include "service/item.h"

/* parent: the comment that it replies to, ID_NONE. */
int item_comment_add(struct ctx *ctx, struct site *s, const struct caller *c, const id *item, const id *parent, str text,
                     id *out);
int item_comment_get(struct ctx *ctx, struct site *s, const struct caller *c, const id *item, const id *comment,
                     struct comment *out);
int item_comment_update(struct ctx *ctx, struct site *s, const struct caller *c, const id *item, const id *comment, str text);
int item_comment_delete(struct ctx *ctx, struct site *s, const struct caller *c, const id *item, const id *comment);
struct item_comment_page {
    struct comment *list;
    size_t count;
    int64_t total;
};
/* Oldest first. */
int item_comments(struct ctx *ctx, struct site *s, const struct caller *c, const id *item, const struct meta_page *page,
                  struct item_comment_page *out);

/* The caller's own rating, 1 to 5, in place of an earlier one. */
int item_rating_put(struct ctx *ctx, struct site *s, const struct caller *c, const id *item, double value);
int item_rating_get(struct ctx *ctx, struct site *s, const struct caller *c, const id *item, struct rating *out);
int item_rating_delete(struct ctx *ctx, struct site *s, const struct caller *c, const id *item);

#endif
