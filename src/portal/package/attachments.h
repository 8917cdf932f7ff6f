/* attachments.ndjson of a package: one JSON object a line, by layer and id. */
#ifndef MAPFERRY_PORTAL_PACKAGE_ATTACHMENTS_H
#define MAPFERRY_PORTAL_PACKAGE_ATTACHMENTS_H

#include "portal/portal.h"

/* The lines of a source as a stream; the source stays the caller's. *bytes counts the sizes of the attachments that were printed.
 */
struct reader *attachments_print(struct attachment_source *source, uint64_t *bytes);
/* Attachments from a stream of lines; owns the reader. item: for messages. */
struct attachment_source *attachments_parse(struct reader *reader, const id *item);

#endif
