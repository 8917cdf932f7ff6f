/* What users name by words, found on a portal: groups and folders by title, owners of items. */
#ifndef MAPFERRY_CLI_REMOTE_FIND_H
#define MAPFERRY_CLI_REMOTE_FIND_H

#include "base/id.h"
#include "cli/remote.h"

/* A group by id, or by title when exactly one that can be seen has it. */
int remote_group(struct ctx *ctx, struct remote *r, str wanted, id *out);
/* A folder of that user's content by id or title; "/" is the root folder, "". The error names the folders that there are. */
int remote_folder(struct ctx *ctx, struct remote *r, str content, str wanted, str *id_out);
/* An item by id, with its owner's content: "/content/users/NAME". ERR_USAGE for a word that is no id. */
int remote_item(struct ctx *ctx, struct remote *r, str wanted, struct json *out, str *content_out);

#endif
