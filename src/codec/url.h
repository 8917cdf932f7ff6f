/* URLs as text: percent coding (RFC 3986) and the parts of an absolute URL. */
#ifndef MAPFERRY_CODEC_URL_H
#define MAPFERRY_CODEC_URL_H

#include "base/buf.h"

/* Undoes percent coding; with `plus`, '+' is a space (application/x-www-form-urlencoded). A '%' without two hex digits stays
 * as it is, as the WHATWG URL standard has it. The bytes may be anything, NUL included: callers check what they need. The
 * result is `s` itself when there is nothing to undo, else in the arena and NUL-terminated. */
str url_decode(struct arena *a, str s, bool plus);
/* Appends `s` with everything but RFC 3986 "unreserved" characters percent-coded: right for a path segment and a query value. */
void url_encode(struct buf *b, str s);
/* The same into the arena. */
str url_encoded(struct arena *a, str s);
/* As url_encode, but '/' stays: for a path of several segments. */
void url_encode_path(struct buf *b, str s);

/* An absolute http or https URL, cut into slices of the text. */
struct url_parts {
    str scheme;    /* "http" or "https", as written */
    str userinfo;  /* before '@', none when absent */
    str host;      /* name or address; "[::1]" with its brackets */
    str path;      /* from the first '/', "" when absent */
    str query;     /* after '?', none when absent */
    str fragment;  /* after '#', none when absent */
    unsigned port; /* as written, or 80 or 443 */
    bool secure;   /* https */
};
/* False when `url` is not an absolute http(s) URL with a host, or has white space or control characters. */
bool url_split(str url, struct url_parts *out);
/* For messages and logs: scheme, host, port and path; user information, query and fragment, where secrets are, left out.
 * "(not a URL)" when it cannot be cut. Result in the arena. */
str url_safe(struct arena *a, str url);

#endif
