/* The Forwarded header (RFC 7239): what each proxy on the way says about the request that it got. Depends on base only. */
#ifndef MAPFERRY_CODEC_FORWARDED_H
#define MAPFERRY_CODEC_FORWARDED_H

#include "base/ctx.h"

/* One element, the values without quotes; STR_NONE for what it does not say. */
struct forwarded {
    str client; /* "for": an address, with brackets when IPv6 and perhaps a port; "unknown"; or "_hidden" */
    str host, proto;
};
/* Cuts the first element off *rest; false at the end, and at an element that is malformed (*rest is empty then). Values are
 * slices of the text, or in the arena when they had escapes. */
bool forwarded_next(struct arena *a, str *rest, struct forwarded *out);

#endif
