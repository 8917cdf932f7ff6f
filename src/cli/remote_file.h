/* Files on their way to a portal and back, with progress: uploads in one request or in parts, downloads that appear whole. */
#ifndef MAPFERRY_CLI_REMOTE_FILE_H
#define MAPFERRY_CLI_REMOTE_FILE_H

#include "cli/output.h"
#include "cli/remote.h"

/* An item that is added or updated with files. */
struct remote_put {
    str content;             /* whose: "/content/users/NAME", with "/FOLDERID" behind it for a folder */
    str item;                /* "" adds one */
    const struct form *form; /* its fields */
    const char *file;        /* its data; NULL: none */
    str name;                /* the file's name on the portal */
    const char *thumbnail;   /* a file; NULL: none */
};
/* Sends the item; a file beyond 64 MiB goes in parts, each tried again by itself, and is taken back when one fails in the end.
 * The id of the item. */
int remote_put(struct ctx *ctx, struct remote *r, struct output *o, const struct remote_put *put, str *item_out);

/* Streams the answer of a GET into a file that appears only whole; "-" is standard output. */
int remote_download(struct ctx *ctx, struct remote *r, struct output *o, str path, const char *file, uint64_t *bytes_out);

/* "name.ext" of "some/path/name.ext". */
str remote_file_name(str path);

#endif
