/* The face over HTTP: routes as a table, typed parameters, one place that renders answers and errors.
 *
 * Way of a request: http_handlers → web/router finds the row by method and path (case-insensitive, trailing slash allowed) →
 * web/body takes the body in (form or multipart; files go to blobs as they arrive) → web/auth finds the caller from the token →
 * parameters are checked against the row → the handler calls service/ and writes JSON into call->out, or gives a stream →
 * web/reply renders json, pjson or the html page. Source: api.md 0 (conventions), clients.md. */
#ifndef MAPFERRY_WEB_WEB_H
#define MAPFERRY_WEB_WEB_H

#include "codec/form.h"
#include "jobs/jobs.h"
#include "model/access.h"
#include "net/http_server.h"

/* Bytes that were taken in from callers who have not shown a token: see strangers.c. */
enum stranger_bytes { STRANGER_MEMORY, STRANGER_DISK, STRANGER_KINDS };
struct strangers {
    uint64_t limits[STRANGER_KINDS]; /* of all together */
    atomic_uint_fast64_t taken[STRANGER_KINDS];
    struct tally *by_address[STRANGER_KINDS];
};

struct web {
    struct site *site;
    struct jobs *jobs;
    str context;           /* "" or "/portal" */
    bool url_fixed;        /* --url was given: site->portal_url holds for every request; else Host and X-Forwarded-* decide */
    str trusted_proxies;   /* origin_proxies: whose X-Forwarded-* and Forwarded count */
    unsigned per_address;  /* running requests of one client behind a proxy; 0: any number */
    struct tally *running; /* those, by client */
    struct strangers strangers;
    str allowed_origins;        /* comma-separated, "*" for all: whose pages may call from a browser */
    struct http_server *server; /* for metrics */
    atomic_uint_fast64_t requests, errors;
    atomic_bool ready;
};

enum format { FORMAT_HTML, FORMAT_JSON, FORMAT_PJSON, FORMAT_GEOJSON, FORMAT_PBF };
enum who { WHO_ANYONE, WHO_USER, WHO_ADMIN };
enum body_kind {
    BODY_PARAMS /* to 1 MiB */,
    BODY_TEXT /* to the limit of texts */,
    BODY_FILES /* and files, to the limit of uploads */
};
enum { METHOD_GET = 1, METHOD_POST = 2, METHOD_READ = 3 /* GET and POST alike */ };

struct call;
typedef int route_fn(struct ctx *ctx, struct call *call);
struct route {
    unsigned methods;
    const char *
        pattern; /* from the root, without the context: "/sharing/rest/content/items/{itemId}/data"; "{path...}" takes the rest */
    route_fn *handler;
    const char *handler_name;
    enum who who;
    enum body_kind body;
    const char *params; /* "itemId!:id async:bool=false start:int=1 title": '!' required; types text (default), int, double, bool,
                           id, csv, json, file; see web/params.c */
    const char *summary; /* a sentence for the html page and docs/api.md */
};
extern const struct route routes[]; /* routes.def */
extern const size_t route_count;

struct path_piece {
    const char *name;
    str value;
};
enum { PATH_PIECES_MAX = 6 };

/* A file part of a multipart body, already a blob on its way in. */
struct upload {
    str field, filename, content_type;
    struct blob_new *blob; /* NULL once a service function has taken it */
};

/* One request being answered. Lives in the request's arena. */
struct call {
    struct web *web;
    struct site *site; /* web->site */
    struct http_request *http;
    struct http_response *answer;
    const struct route *route;
    struct path_piece pieces[PATH_PIECES_MAX];
    struct caller caller;
    enum format format;
    bool format_given;          /* f was there; without it routes that stream bytes do so */
    bool form_only;             /* a POST operation asked for by GET: its form is shown */
    str remote;                 /* the client's address: the peer's, or what trusted proxies say; for limits, bindings and logs */
    str portal_url, server_url; /* bases as this client sees us: "https://host/portal", "https://host/server" */
    struct form *form;          /* query and body fields, body first */
    struct upload *uploads;
    size_t upload_count;
    struct buf text;     /* the JSON answer */
    struct json_out out; /* writes into text */
    bool counted;        /* by origin_enter */
    bool known;          /* has shown a token that is good */
    size_t asked;        /* strangers.c: with how many fields, and one more */
    uint64_t spooled;    /* bytes of files */
    uint64_t taken[STRANGER_KINDS];
    bool secret;              /* the answer holds a token or a key: nobody keeps it */
    bool streamed;            /* the handler set the answer's body itself */
    struct body_reader *body; /* request.c: what takes the body in */
    int64_t started_ms;
};

/* Pieces of the path, decoded: call_path(call, "itemId"); "" when the pattern has none of that name. */
str call_path(const struct call *call, const char *name);
/* An id from the path: ERR with the API's error for that kind of thing is the caller's matter; false when it is no id. */
bool call_path_id(const struct call *call, const char *name, id *out);
/* Parameters, any case, body before query. STR_NONE when absent. Text values are valid UTF-8 without NUL. */
str call_param(const struct call *call, const char *name);
/* The same of the query as it stands, for what has to be known before, or without, the parameters being complete. */
str call_query(struct ctx *ctx, const struct call *call, const char *name);
bool call_has(const struct call *call, const char *name); /* present and not empty */
/* Typed ones: the type was checked before the handler ran (declare it in the row), default from the row. */
int64_t call_int(const struct call *call, const char *name);
double call_double(const struct call *call, const char *name);
bool call_bool(const struct call *call, const char *name);
bool call_id(const struct call *call, const char *name, id *out); /* false: absent */
/* csv of ids: ERR_INVALID naming the piece that is none. */
int call_ids(struct ctx *ctx, const struct call *call, const char *name, id **ids_out, size_t *count_out);
int call_json(struct ctx *ctx, const struct call *call, const char *name, struct json *out); /* absent: JSON_ABSENT */
/* The first file part of that field name (NULL name: the first of any); NULL when there is none. */
struct upload *call_file(const struct call *call, const char *name);

/* Streams as the answer. Name "" gives no Content-Disposition. Range and ETag (the blob's hash) are honoured. */
int reply_blob(struct ctx *ctx, struct call *call, struct hash hash, str content_type, str file_name);
/* Takes the reader over; length -1 unknown. */
int reply_stream(struct ctx *ctx, struct call *call, struct reader *reader, int64_t length, str content_type, str file_name);
int reply_text(struct ctx *ctx, struct call *call, int status, str content_type, str text);
/* Paging members: total, start (1-based), num, nextStart. */
void reply_paging(struct json_out *o, int64_t total, int64_t start, int64_t num, int64_t count);

/* ---- the pieces of the way, one file each ---- */
/* router.c: the row for a path (without the context) and the pieces that its braces caught, decoded; NULL when no pattern fits.
 * *other_method: a pattern fits, but not for this method. */
const struct route *router_find(struct ctx *ctx, unsigned method, str path, struct path_piece pieces_out[PATH_PIECES_MAX],
                                bool *other_method);
int router_compile(struct ctx *ctx);
void router_release(void);
/* params.c: the declarations of a row, one by one. */
enum param_type { PARAM_TEXT, PARAM_INT, PARAM_DOUBLE, PARAM_BOOL, PARAM_ID, PARAM_CSV, PARAM_JSON, PARAM_FILE };
struct param {
    str name, otherwise; /* otherwise: the default, STR_NONE without */
    enum param_type type;
    bool required;
};
bool param_next(str *rest, struct param *out);        /* false at the end or at a bad declaration (*rest not empty then) */
int params_check(struct ctx *ctx, struct call *call); /* ERR_PARAMETER naming the parameter and what it has to be */
/* origin.c: where the request comes from and how its client sees us: fills remote, portal_url and server_url. */
void origin_find(struct ctx *ctx, struct call *call);
str origin_proxies(struct ctx *ctx, str configured); /* this machine's own addresses, and what http.trustedProxies says */
/* One more request of this client: ERR_BUSY when it is behind a proxy and has too many running already. */
int origin_enter(struct ctx *ctx, struct call *call);
void origin_leave(struct call *call);
/* strangers.c: the limits of callers who have not shown a token. */
void strangers_open(struct strangers *s);
void strangers_close(struct strangers *s);
/* So much of the request's body is held by now. ERR_BUSY, ERR_NO_SPACE; ERR_TOKEN_INVALID when a token was shown that is not
 * good. */
int strangers_hold(struct ctx *ctx, struct call *call, enum stranger_bytes kind, uint64_t held);
void strangers_leave(struct call *call);
/* auth.c: who calls. */
/* By a token in the parameters that are there or in a header, else by `otherwise`; anonymous without any. */
int auth_shown(struct ctx *ctx, const struct call *call, str otherwise, struct caller *out);
int auth_caller(struct ctx *ctx, struct call *call);              /* also the row's `who` */
void auth_sign_in(struct ctx *ctx, struct call *call, str token); /* the browser's later pages are this user's */
/* reply.c: everything that goes out. */
void reply_headers(struct ctx *ctx, struct call *call);        /* CORS */
void reply_finish(struct ctx *ctx, struct call *call, int rc); /* renders call->text or the error */
/* The function of callback=, STR_NONE when none is asked for; ERR_PARAMETER when it is no name like "dojo.io.script.cb1": words
 * of letters, digits, _ and $. */
int reply_callback(struct ctx *ctx, const struct call *call, str *out);
/* html.c: the page around a JSON answer (or, for a POST row asked by GET, the form only). */
void html_page(struct ctx *ctx, struct call *call, str json, struct buf *out);
str html_policy(struct ctx *ctx); /* the Content-Security-Policy of such a page: nothing runs, and styles are ours */

/* The handlers for net/http_server. */
extern const struct http_handlers web_handlers;
int web_open(struct ctx *ctx, struct web *w); /* compiles the routes; ERR_INVALID for a bad row */
void web_close(struct web *w);

#endif
