/* HTTP/1.1 server: one thread per connection, so that handlers are straight-line code which may block.
 * Everything of a request runs on its connection's thread, with a ctx that the server opens before `begin` (arena; tag = 16 hex
 * digits; cancelled when the server stops and the time of grace is over) and closes after `end`. */
#ifndef MAPFERRY_NET_HTTP_SERVER_H
#define MAPFERRY_NET_HTTP_SERVER_H

#include "net/http.h"

/* begin, body*, finish, end; only `end` is certain to come. Handlers are called from many threads at once. */
struct http_handlers {
    /* Line and headers are there, the body is not. Sets rq->body_limit and rq->state. Any rc but RC_OK refuses the request:
     * the body is not read (nor asked for by 100-continue), finish follows with that rc. */
    int (*begin)(struct ctx *ctx, void *app, struct http_request *rq);
    /* The next bytes of the body, within body_limit. Any rc but RC_OK: the rest is thrown away, finish follows with that rc. */
    int (*body)(struct ctx *ctx, void *app, struct http_request *rq, str piece);
    /* Fills the answer. rc is RC_OK when the body is complete, else what begin or body returned, or RC_FAIL from the server
     * itself (ERR_LIMIT for a body beyond body_limit, ERR_INVALID for a request that is not HTTP); ctx->err has the record. */
    void (*finish)(struct ctx *ctx, void *app, struct http_request *rq, int rc, struct http_response *answer);
    /* Last call, exactly once for every begin: releases rq->state and what was spooled. answer: what finish gave (its body is
     * released already), or NULL when the client went away or was too slow before finish was called; sent: it went out whole. */
    void (*end)(struct ctx *ctx, void *app, struct http_request *rq, const struct http_response *answer, bool sent);
};

struct http_server_options {
    const char *host;           /* address to listen on; NULL: all, both families where there are two */
    unsigned port;              /* 0: the kernel chooses, see http_server_port */
    unsigned connection_limit;  /* that have sent a request, a thread each; 0: 1000. See net/gate.h for the others */
    unsigned waiting_limit;     /* 0: half of the descriptors that the process may have, at most 16384 */
    unsigned per_address_limit; /* of connection_limit, from one address; 0: all */
    str free_addresses;         /* addresses and networks without that limit: proxies */
    unsigned idle_seconds;      /* without a byte moving in either direction; 0: 60. Time inside handlers does not count */
    unsigned head_seconds;      /* for the head of a request; 0: 20 */
    unsigned slow_seconds; /* in such a time a body has to bring 8 KiB, or its end, and an answer to be taken by as much; 0: 30 */
    const char *cert_file, *key_file; /* PEM; both or neither (plain HTTP) */
};
struct http_server;

/* Starts listening and serving. *handlers and app outlive the server. Release with http_server_stop. The application ignores
 * SIGPIPE. Errors: ERR_IO naming the address or the file, ERR_INVALID for a certificate that does not load. */
int http_server_start(struct ctx *ctx, const struct http_server_options *options, const struct http_handlers *handlers, void *app,
                      struct http_server **out);
/* Connections made from now on see this certificate; on an error (see net/tls.h) they see the one before. For a server that was
 * started with one. */
int http_server_certificate(struct ctx *ctx, struct http_server *s, const char *cert_file, const char *key_file);
/* Stops accepting, lets running requests finish for at most grace_ms, then cancels their contexts, cuts the connections, waits
 * for their threads and frees the server. NULL is allowed. */
void http_server_stop(struct http_server *s, unsigned grace_ms);
/* The port it listens on. */
unsigned http_server_port(const struct http_server *s);

/* Since the start, but for the two that say "now". */
struct http_counters {
    uint64_t connections;
    uint64_t connections_now; /* with a thread */
    uint64_t waiting_now;     /* that have not sent a request yet */
    uint64_t turned_away;     /* before they had sent one: too slow, or too many */
    uint64_t cut;             /* later: too slow, idle for too long, or idle while others waited */
    uint64_t requests, requests_now;
    uint64_t broken;      /* requests that ended before their answer was out whole */
    uint64_t bytes_in;    /* of bodies, as far as handed to the application */
    uint64_t bytes_out;   /* of bodies */
    uint64_t statuses[6]; /* answers 1xx..5xx at [1]..[5] */
};
void http_server_counters(const struct http_server *s, struct http_counters *out);

#endif
