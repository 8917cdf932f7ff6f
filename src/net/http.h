/* HTTP as the rest of the program sees it: requests, responses, header lists. No library shows through. */
#ifndef MAPFERRY_NET_HTTP_H
#define MAPFERRY_NET_HTTP_H

#include "base/buf.h"
#include "base/stream.h"

struct http_header {
    str name, value;
};
/* In an arena; {0} is the empty list. */
struct http_headers {
    struct http_header *items;
    size_t count, capacity;
};
/* Adds a copy. Control characters in the value become spaces, so that no value can add a line of its own. */
void http_headers_add(struct arena *a, struct http_headers *h, str name, str value);
/* Value of the first header of that name, without regard to case; STR_NONE when there is none. */
str http_headers_get(const struct http_headers *h, str name);

enum http_method { HTTP_GET, HTTP_HEAD, HTTP_POST, HTTP_PUT, HTTP_DELETE, HTTP_OPTIONS, HTTP_PATCH, HTTP_OTHER };
/* "GET" and so on; "?" for HTTP_OTHER. */
const char *http_method_name(enum http_method m);
/* The usual words for a status code ("Not Found"); "" for codes that are not in the table. */
const char *http_status_text(int status);

/* A request, valid from `begin` to `end`. */
struct http_request {
    enum http_method method;
    str path;  /* as sent, percent-coded, starting with '/'; "*" is possible for OPTIONS */
    str query; /* as sent, without '?'; STR_NONE when there is none */
    struct http_headers headers;
    str remote;             /* address of the peer: "127.0.0.1", "::1" */
    bool secure;            /* over TLS */
    int64_t body_length;    /* Content-Length; 0 without a body, -1 when sent in chunks */
    uint64_t body_received; /* so far */
    uint64_t body_limit;    /* begin sets it; 0, the default: any body is refused with 413 */
    void *state;            /* the application's, for this request */
};

enum http_body { HTTP_BODY_NONE, HTTP_BODY_BYTES, HTTP_BODY_BUF, HTTP_BODY_READER, HTTP_BODY_FD };
/* An answer. The http_response_* functions set the body; whatever was set before is released. */
struct http_response {
    int status; /* 200 when left 0 */
    struct http_headers headers;
    bool close; /* end the connection after this answer */
    enum http_body body;
    str bytes;
    struct buf buf;
    struct reader *reader;
    int fd;
    uint64_t offset;
    int64_t length; /* of a reader or fd body; -1: not known, sent in chunks */
};
void http_response_header(struct ctx *ctx, struct http_response *r, str name, str value);
/* Bytes that live until the request ends (in ctx->arena, or constant). */
void http_response_bytes(struct http_response *r, str bytes);
/* Takes the buffer over; *b is empty afterwards. */
void http_response_buf(struct http_response *r, struct buf *b);
/* Takes the reader over. length -1: not known. The server reads with the request's ctx after `finish` has returned; an error
 * then cuts the connection, since the status is out already. */
void http_response_reader(struct http_response *r, struct reader *reader, int64_t length);
/* Takes the descriptor over and sends [offset, offset+length) of the file by sendfile. */
void http_response_fd(struct http_response *r, int fd, uint64_t offset, uint64_t length);
/* Releases the body. The server calls it; needed elsewhere only for an answer that was never given. */
void http_response_clear(struct http_response *r);

#endif
