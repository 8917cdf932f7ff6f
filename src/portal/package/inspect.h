/* What `mapferry inspect` says about a package: summary, items, what they depend on, members with checksums. */
#ifndef MAPFERRY_PORTAL_PACKAGE_INSPECT_H
#define MAPFERRY_PORTAL_PACKAGE_INSPECT_H

#include "portal/package/package.h"

struct inspect_options {
    bool json;        /* one JSON object a line instead of text */
    bool verify;      /* read and compare every byte first; damage is the error */
    unsigned threads; /* for verify */
};
/* Prints to out (not closed). Errors are those of package_verify and of the items that cannot be read. */
int inspect_print(struct ctx *ctx, struct portal *package, const struct inspect_options *options, struct writer *out);

#endif
