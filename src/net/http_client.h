/* HTTP client: connections kept and reused, bodies streamed both ways, retries where they are harmless. A client may be used by
 * several threads at once; each call takes a connection of its own. Error texts name method, scheme, host, port and path, never
 * query, body or headers, where secrets are. */
#ifndef MAPFERRY_NET_HTTP_CLIENT_H
#define MAPFERRY_NET_HTTP_CLIENT_H

#include "codec/form.h"
#include "net/http.h"

struct http_client_options {
    bool public_only;     /* for addresses that somebody else names: connects to public addresses only (net/address.h), each as it
                           * is connected to, after resolving and for every redirect; no proxy; no user names in URLs */
    const char *networks; /* further networks that such a client may call, see address_listed; NULL: none */
    const char *ca_file;  /* PEM of trusted authorities; NULL: the system's */
    const char *cert_file; /* PEM of a client certificate and its key; both or neither */
    const char *key_file;
    const char *proxy;        /* URL; NULL: from the environment as usual; "" none */
    bool insecure;            /* accepts any certificate */
    unsigned connect_seconds; /* 0: 10 */
    unsigned stall_seconds;   /* no byte in either direction for so long; 0: 120 */
    unsigned tries;           /* of an idempotent call in all; 0: 4 */
    unsigned backoff_ms;      /* before the second try, doubled for each further one, at most 30 s; 0: 500 */
};
struct http_client;
int http_client_open(struct ctx *ctx, const struct http_client_options *options, struct http_client **out);
void http_client_close(struct http_client *c); /* NULL is allowed; no call may be running */

/* One part of a multipart body: a field when `filename` is none, else a file. */
struct http_part {
    str name, filename, content_type; /* content_type none: application/octet-stream for files, absent for fields */
    str value;                        /* used when reader is NULL */
    struct reader *reader;            /* gives exactly `length` bytes; stays the caller's to close */
    uint64_t length;
};
/* Bytes of both bodies so far; a total is 0 while it is not known. */
struct http_progress {
    uint64_t sent, to_send, received, to_receive;
};
struct http_call {
    str url;
    enum http_method method; /* HTTP_GET is the default; with form or parts HTTP_POST is meant */
    struct http_headers headers;
    str bearer;                    /* sent as "Authorization: Bearer ..."; not to another host after a redirect */
    const struct form *form;       /* urlencoded body; NULL: none */
    const struct http_part *parts; /* multipart body; NULL: none */
    size_t part_count;
    bool idempotent;        /* may be tried again although it is a POST; GET and HEAD always may, unless a reader was read from */
    unsigned stall_seconds; /* 0: the client's */
    size_t answer_max;      /* for an answer kept in memory; 0: 16 MiB; beyond it ERR_LIMIT */
    struct writer *to;      /* where the body of a 2xx answer goes (others stay in memory, at most 64 KiB); stays the caller's.
                             * Once it got bytes the call is not tried again */
    void (*progress)(void *arg, const struct http_progress *p); /* called several times a second; NULL: not */
    void *progress_arg;
};
/* How far a call came that got no answer. */
enum http_hop { HTTP_HOP_NONE, HTTP_HOP_NAME, HTTP_HOP_PROXY, HTTP_HOP_CONNECT, HTTP_HOP_TLS, HTTP_HOP_TRUST, HTTP_HOP_ANSWER };
struct http_answer {
    enum http_hop failed; /* HTTP_HOP_NONE: there was an answer, or the failure was not the network's */
    int status;
    struct http_headers headers; /* of the last answer, after redirects */
    str body;                    /* "" when it went to the writer */
    uint64_t body_bytes;         /* wherever it went */
    unsigned tries;
};
/* RC_OK when an answer came, whatever its status: see http_client_expect. GET follows up to 5 redirects. Tried again on failed
 * connections and on 429, 502, 503, 504, with Retry-After honoured up to 60 s. Errors: ERR_IO with host and cause, ERR_LIMIT,
 * ERR_CANCELED, those of reader and writer. The answer lives in ctx->arena. */
int http_client_call(struct ctx *ctx, struct http_client *c, const struct http_call *call, struct http_answer *out);
/* RC_OK for 2xx, else an error naming host, path and status: RC_NOT_FOUND with ERR_MISSING for 404, ERR_BUSY for 429 and 503,
 * ERR_IO for the rest. */
int http_client_expect(struct ctx *ctx, const struct http_call *call, const struct http_answer *answer);

#endif
