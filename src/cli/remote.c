/* See remote.h. Tokens travel in a header, never in a URL. */
#include "cli/remote.h"
#include "base/clock.h"
#include "base/file.h"
#include "cli/command.h"
#include "cli/profile.h"
#include "codec/url.h"
#include "model/errors.h"
#include <stdlib.h>

const struct err_kind ERR_REMOTE = {"remote", 502, 502, NULL, "The portal answered with an error."};

enum { SECRET_FILE_MAX = 64 << 10, ANSWER_MAX = 256 << 20, FORM_FIELDS = 64, FORM_BYTES = 32 << 20 };

struct form remote_form(void) { return FORM_INIT(FORM_FIELDS, FORM_BYTES, FORM_BYTES); }

str remote_text(struct ctx *ctx, struct json v, const char *name)
{
    return json_string_or(json_get_c(v, name), ctx->arena, STR(""));
}

static str line_of(str text)
{
    while (text.n && (text.p[text.n - 1] == '\n' || text.p[text.n - 1] == '\r'))
        text.n--;
    return text;
}

static int secret_read(struct ctx *ctx, str file, str *out)
{
    TRY(file_read_all(ctx, arena_cstr(ctx->arena, file), SECRET_FILE_MAX, out));
    *out = line_of(*out);
    return RC_OK;
}

/* "http://host/portal/sharing/rest/" and "http://host/portal/" are both "http://host/portal". */
static int base_of(struct ctx *ctx, str url, str *out)
{
    struct url_parts parts;
    while (str_ends(url, STR("/")))
        url.n--;
    static const str tails[] = {{"/sharing/rest", 13}, {"/sharing", 8}, {"/home", 5}};
    for (size_t i = 0; i < COUNT_OF(tails); i++)
        if (str_ends(url, tails[i])) {
            url.n -= tails[i].n;
            break;
        }
    if (!url_split(url, &parts))
        return err_set(ctx, &ERR_INVALID, "'%.*s' is neither a profile (see `mapferry portal list`) nor a URL.", STR_FMT(url));
    if (!str_none(parts.userinfo))
        return err_set(ctx, &ERR_USAGE,
                       "User and password do not belong into a URL: give them by MAPFERRY_USER and MAPFERRY_PASSWORD, "
                       "or in files by `mapferry portal add`.");
    *out = arena_str(ctx->arena, url);
    return RC_OK;
}

static str environment(const char *name)
{
    const char *v = getenv(name);
    return v ? str_c(v) : STR("");
}

static int profile_or_environment(struct ctx *ctx, str portal, struct profile *p, struct remote *out)
{
    int rc = profile_load(ctx, portal, p);
    if (rc == RC_NOT_FOUND) {
        *p = (struct profile){.url = portal};
        out->user = environment("MAPFERRY_USER");
        out->password = environment("MAPFERRY_PASSWORD");
        out->token = environment("MAPFERRY_TOKEN");
        return RC_OK;
    }
    TRY(rc);
    out->user = p->user;
    if (!str_empty(p->password_file))
        TRY(secret_read(ctx, p->password_file, &out->password));
    if (!str_empty(p->token_file))
        TRY(secret_read(ctx, p->token_file, &out->token));
    return RC_OK;
}

static int parse_answer(struct ctx *ctx, struct remote *r, str path, const struct http_answer *answer, struct json *out);

/* A call of the client; to the error of a hop comes what can be done about it. */
static int send_call(struct ctx *ctx, const struct remote *r, const struct http_call *call, struct http_answer *answer)
{
    static const char *const advice[] = {
        [HTTP_HOP_NAME] = "Is the address spelled right, and does this machine reach the network it is in?",
        [HTTP_HOP_PROXY] = "The proxy comes from --proxy of the profile, or from https_proxy or http_proxy in the environment.",
        [HTTP_HOP_CONNECT] =
            "Is the portal running, and is the port right? A proxy may be needed: `mapferry portal add` with --proxy.",
        [HTTP_HOP_TLS] = "Does this port speak HTTPS? A portal may also ask for a client certificate: `mapferry portal add` with "
                         "--cert and --key.",
        [HTTP_HOP_TRUST] =
            "If it is the right portal: `mapferry portal add` with --ca and the file of the authority that made its certificate.",
        [HTTP_HOP_ANSWER] = NULL};
    int rc = http_client_call(ctx, r->client, call, answer);
    if (rc != RC_OK && answer->failed && advice[answer->failed])
        err_add(ctx, "%s", advice[answer->failed]);
    return rc;
}

static int sign_in(struct ctx *ctx, struct remote *r)
{
    struct form form = remote_form();
    TRY(form_add(ctx, &form, STR("username"), r->user));
    TRY(form_add(ctx, &form, STR("password"), r->password));
    TRY(form_add(ctx, &form, STR("client"), STR("referer")));
    TRY(form_add(ctx, &form, STR("referer"), r->base));
    TRY(form_add(ctx, &form, STR("expiration"), STR("1440")));
    TRY(form_add(ctx, &form, STR("f"), STR("json")));
    struct http_call call = {
        .url = arena_printf(ctx->arena, "%.*s/sharing/rest/generateToken", STR_FMT(r->base)), .method = HTTP_POST, .form = &form};
    struct http_answer answer;
    struct json v;
    TRY(send_call(ctx, r, &call, &answer));
    TRY(parse_answer(ctx, r, STR("/generateToken"), &answer, &v));
    r->token = arena_str(r->arena, json_string_or(json_get_c(v, "token"), ctx->arena, STR("")));
    if (str_empty(r->token))
        return err_set(ctx, &ERR_REMOTE, "%.*s gave no token.", STR_FMT(r->base));
    return RC_OK;
}

static const char *text_or_null(struct ctx *ctx, str name) { return str_empty(name) ? NULL : arena_cstr(ctx->arena, name); }

int remote_open(struct ctx *ctx, str portal, struct remote *out)
{
    struct profile p;
    *out = (struct remote){.user = STR(""), .password = STR(""), .token = STR(""), .content = STR(""), .arena = arena_open()};
    TRY(profile_or_environment(ctx, portal, &p, out));
    TRY(base_of(ctx, p.url, &out->base));
    struct http_client_options options = {.ca_file = text_or_null(ctx, p.ca),
                                          .cert_file = text_or_null(ctx, p.cert),
                                          .key_file = text_or_null(ctx, p.key),
                                          .proxy = text_or_null(ctx, p.proxy),
                                          .insecure = p.insecure};
    TRY(http_client_open(ctx, &options, &out->client));
    out->renews = !str_empty(out->user) && !str_empty(out->password);
    return out->renews ? sign_in(ctx, out) : RC_OK;
}

void remote_close(struct remote *r)
{
    if (r->client)
        http_client_close(r->client);
    arena_close(r->arena);
    *r = (struct remote){0};
}

/* ---- answers ---- */

struct ctx remote_aftermath(const struct ctx *ctx)
{
    enum { AFTERMATH_MS = 10000 };
    struct ctx own;
    ctx_child(&own, ctx);
    own.cancel = NULL;
    own.deadline_ms = own.clock->monotonic_ms(own.clock) + AFTERMATH_MS;
    return own;
}

/* Portals often live below a path of their host: is there one? */
static void suggest_path(struct ctx *ctx, const struct remote *r)
{
    static const char *const contexts[] = {"/portal", "/arcgis"};
    for (size_t i = 0; i < COUNT_OF(contexts); i++) {
        struct ctx own;
        struct http_answer answer;
        struct json v;
        ctx_child(&own, ctx);
        str base = arena_printf(own.arena, "%.*s%s", STR_FMT(r->base), contexts[i]);
        struct http_call call = {.url = arena_printf(own.arena, "%.*s/sharing/rest?f=json", STR_FMT(base))};
        if (http_client_call(&own, r->client, &call, &answer) == RC_OK && json_try_parse(own.arena, answer.body, &v) &&
            !json_absent(json_get_c(v, "currentVersion")))
            err_add(ctx, "There is a portal at %.*s: use that address.", STR_FMT(base));
        ctx_close(&own);
    }
}

static int no_portal(struct ctx *ctx, const struct remote *r, str path, int status)
{
    err_set(ctx, &ERR_REMOTE, "%.*s%.*s answered HTTP %d with something that is not JSON. Is this the address of a portal?",
            STR_FMT(r->base), STR_FMT(path), status);
    if (!r->answered)
        suggest_path(ctx, r);
    return RC_FAIL;
}

static const struct err_kind *kind_of(int64_t code)
{
    return code == 498 ? &ERR_TOKEN_INVALID : code == 499 ? &ERR_TOKEN_REQUIRED : code == 403 ? &ERR_FORBIDDEN : &ERR_REMOTE;
}

static int parse_answer(struct ctx *ctx, struct remote *r, str path, const struct http_answer *answer, struct json *out)
{
    if (!json_try_parse(ctx->arena, answer->body, out))
        return no_portal(ctx, r, path, answer->status);
    r->answered = true;
    struct json error = json_get_c(*out, "error");
    if (json_absent(error))
        return answer->status < 400
                   ? RC_OK
                   : err_set(ctx, &ERR_REMOTE, "%.*s%.*s answered HTTP %d.", STR_FMT(r->base), STR_FMT(path), answer->status);
    int64_t code = 0;
    json_int(json_get_c(error, "code"), &code);
    str message = json_string_or(json_get_c(error, "message"), ctx->arena, STR("error"));
    const struct err_kind *kind = kind_of(code);
    if (str_eq(path, STR("/generateToken")))
        kind = &ERR_TOKEN_GENERATE;
    int rc = err_set(ctx, kind, "%.*s: %.*s (%lld)", STR_FMT(r->base), STR_FMT(message), (long long)code);
    struct json_iter it = json_each(json_get_c(error, "details"));
    struct json detail;
    while (json_next(&it, NULL, &detail))
        err_add(ctx, "%.*s", STR_FMT(json_string(detail, ctx->arena)));
    return rc;
}

static void headers_fill(struct ctx *ctx, const struct remote *r, struct http_headers *h)
{
    http_headers_add(ctx->arena, h, STR("Referer"), r->base);
    if (!str_empty(r->token))
        http_headers_add(ctx->arena, h, STR("X-Esri-Authorization"), arena_printf(ctx->arena, "Bearer %.*s", STR_FMT(r->token)));
}

/* One call of /sharing/rest + path (query included): signs it, and renews an expired token once when the body can be sent again.
 */
static int exchange(struct ctx *ctx, struct remote *r, str path, struct http_call *call, bool again, struct json *out)
{
    struct http_answer answer;
    call->url = arena_printf(ctx->arena, "%.*s%s%.*s", STR_FMT(r->base),
                             str_starts(path, STR("/portaladmin")) ? "" : "/sharing/rest", STR_FMT(path));
    for (bool renewed = false;; renewed = true) {
        call->headers = (struct http_headers){0};
        headers_fill(ctx, r, &call->headers);
        TRY(send_call(ctx, r, call, &answer));
        int rc = parse_answer(ctx, r, str_sub(path, 0, str_find_char(path, '?', 0)), &answer, out);
        if (rc == RC_OK || renewed || !again || !r->renews ||
            !(err_is(ctx, &ERR_TOKEN_INVALID) || err_is(ctx, &ERR_TOKEN_REQUIRED)))
            return rc;
        err_clear(ctx);
        TRY(sign_in(ctx, r));
    }
}

int remote_call(struct ctx *ctx, struct remote *r, bool post, str path, const struct form *form, struct json *out)
{
    struct form all = remote_form();
    for (size_t i = 0; form && i < form->count; i++)
        TRY(form_add(ctx, &all, form->fields[i].name, form->fields[i].value));
    TRY(form_add(ctx, &all, STR("f"), STR("json")));
    struct http_call call = {.answer_max = ANSWER_MAX, .method = post ? HTTP_POST : HTTP_GET};
    if (post) {
        call.form = &all;
    } else {
        struct buf b = BUF_INIT(1 << 20);
        form_print(&b, &all);
        path = arena_printf(ctx->arena, "%.*s?%.*s", STR_FMT(path), STR_FMT(buf_str(&b)));
        buf_free(&b);
    }
    return exchange(ctx, r, path, &call, true, out);
}

int remote_post(struct ctx *ctx, struct remote *r, str path, struct http_call *call, struct json *out)
{
    bool again = true;
    for (size_t i = 0; i < call->part_count; i++)
        again = again && !call->parts[i].reader;
    call->method = HTTP_POST;
    return exchange(ctx, r, path, call, again, out);
}

int remote_get(struct ctx *ctx, struct remote *r, str path, struct http_call *call, struct http_answer *answer)
{
    call->url = arena_printf(ctx->arena, "%.*s/sharing/rest%.*s", STR_FMT(r->base), STR_FMT(path));
    headers_fill(ctx, r, &call->headers);
    TRY(send_call(ctx, r, call, answer));
    struct json error;
    if (answer->status / 100 != 2 && json_try_parse(ctx->arena, answer->body, &error))
        return parse_answer(ctx, r, path, answer, &error);
    return http_client_expect(ctx, call, answer);
}

int remote_self(struct ctx *ctx, struct remote *r, str *username_out, struct json *out)
{
    TRY(remote_call(ctx, r, false, STR("/community/self"), NULL, out));
    *username_out = json_string(json_get_c(*out, "username"), ctx->arena);
    return str_empty(*username_out) ? err_set(ctx, &ERR_TOKEN_REQUIRED, "%.*s: nobody is signed in.", STR_FMT(r->base)) : RC_OK;
}

int remote_content(struct ctx *ctx, struct remote *r, str *path_out)
{
    struct json self;
    if (str_empty(r->content)) {
        str username;
        TRY(remote_self(ctx, r, &username, &self));
        r->content = arena_printf(r->arena, "/content/users/%.*s", STR_FMT(url_encoded(ctx->arena, username)));
    }
    *path_out = r->content;
    return RC_OK;
}
