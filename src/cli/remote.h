/* A portal at the other end of the wire, as commands use it: sign-in, calls with f=json, errors of the API as errors of ours. */
#ifndef MAPFERRY_CLI_REMOTE_H
#define MAPFERRY_CLI_REMOTE_H

#include "codec/form.h"
#include "codec/json/json.h"
#include "net/http_client.h"

struct remote {
    struct http_client *client;
    struct arena *arena; /* of what changes while calls are made: token, content */
    str base;            /* "http://127.0.0.1:7080/portal": before /sharing/rest */
    str user, password;
    str token;     /* "" anonymous */
    bool answered; /* there was JSON: it is the address of a portal */
    bool renews;   /* there is a password to renew it with */
    str content;   /* "/content/users/NAME" of the user that is signed in, "" before it is known */
};
/* portal: a profile's name or a URL. Without a profile the credentials come from MAPFERRY_USER, MAPFERRY_PASSWORD,
 * MAPFERRY_TOKEN. Signs in when there are any. Release with remote_close. */
int remote_open(struct ctx *ctx, str portal, struct remote *out);
void remote_close(struct remote *r); /* for CLEANUP */

/* One call of /sharing/rest + path. form may be NULL. POST when post, else GET. Answers that hold an error become ERR_TOKEN_*,
 * ERR_FORBIDDEN or ERR_REMOTE with the API's words; an expired token is renewed once. */
int remote_call(struct ctx *ctx, struct remote *r, bool post, str path, const struct form *form, struct json *out);
/* As a POST with the body that call describes; only a body without readers is sent again after a renewed sign-in. */
int remote_post(struct ctx *ctx, struct remote *r, str path, struct http_call *call, struct json *out);
/* A GET of bytes, to call->to; an error that is not of the API names the status. */
int remote_get(struct ctx *ctx, struct remote *r, str path, struct http_call *call, struct http_answer *answer);
/* The user that is signed in: community/self. */
int remote_self(struct ctx *ctx, struct remote *r, str *username_out, struct json *out);

/* "/content/users/NAME" of that user. */
int remote_content(struct ctx *ctx, struct remote *r, str *path_out);

/* A text member of an answer, "" when there is none. */
str remote_text(struct ctx *ctx, struct json v, const char *name);
/* A context for putting right what a failure or an interrupt broke off: not cancelled itself, ten seconds at most. ctx_close it.
 */
struct ctx remote_aftermath(const struct ctx *ctx);
/* A form with room for what commands send. */
struct form remote_form(void);

extern const struct err_kind ERR_REMOTE;

#endif
