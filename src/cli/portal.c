/* `mapferry portal add|list|remove` and `mapferry whoami`. */
#include "cli/command.h"
#include "cli/output.h"
#include "cli/profile.h"
#include "cli/remote.h"
#include "codec/url.h"
#include <stdio.h>
#include <stdlib.h>

/* Absolute, since commands are run from anywhere. */
static int file_option(struct ctx *ctx, const struct options *o, const char *name, str *out)
{
    *out = STR("");
    if (str_none(options_get(o, name)))
        return RC_OK;
    char full[4096];
    const char *given = arena_cstr(ctx->arena, options_get(o, name));
    if (!realpath(given, full))
        return err_set(ctx, &ERR_USAGE, "--%s: there is no file '%s'.", name, given);
    *out = arena_str(ctx->arena, str_c(full));
    return RC_OK;
}

static str or_empty(str s) { return str_none(s) ? STR("") : s; }

/* With --json what was done; else silence says that all went well. */
static int tell(struct ctx *ctx, const struct options *o, str name, const char *did)
{
    struct output out;
    output_open(&out, o->json);
    output_result(ctx, &out, arena_printf(ctx->arena, "{\"name\":\"%.*s\",\"did\":\"%s\"}", STR_FMT(name), did));
    return RC_OK;
}

int cli_portal_add(struct ctx *ctx, const struct options *o, int *exit_out)
{
    (void)exit_out;
    struct url_parts parts;
    if (!url_split(o->words[1], &parts))
        return err_set(ctx, &ERR_USAGE, "'%.*s' is no absolute http or https URL.", STR_FMT(o->words[1]));
    if (!str_none(parts.userinfo))
        return err_set(ctx, &ERR_USAGE, "User and password do not belong into the URL: give --user and --password-file.");
    struct profile p = {.name = o->words[0],
                        .url = o->words[1],
                        .user = or_empty(options_get(o, "user")),
                        .proxy = or_empty(options_get(o, "proxy")),
                        .insecure = options_flag(o, "insecure")};
    TRY(file_option(ctx, o, "password-file", &p.password_file));
    TRY(file_option(ctx, o, "token-file", &p.token_file));
    TRY(file_option(ctx, o, "cert", &p.cert));
    TRY(file_option(ctx, o, "key", &p.key));
    TRY(file_option(ctx, o, "ca", &p.ca));
    if (!str_empty(p.token_file) && !(str_empty(p.user) && str_empty(p.password_file)))
        return err_set(ctx, &ERR_USAGE, "Give either --token-file, or --user and --password-file.");
    if (!str_empty(p.user) && str_empty(p.password_file))
        return err_set(ctx, &ERR_USAGE, "--user needs --password-file.");
    if (str_empty(p.cert) != str_empty(p.key))
        return err_set(ctx, &ERR_USAGE, "A client certificate needs both --cert and --key.");
    TRY(profile_store(ctx, &p));
    return tell(ctx, o, p.name, "added");
}

int cli_portal_list(struct ctx *ctx, const struct options *o, int *exit_out)
{
    (void)exit_out;
    struct profile *list;
    size_t count;
    TRY(profile_list(ctx, &list, &count));
    static const char *const header[] = {"name", "url", "user"};
    str *cells = arena_array(ctx->arena, str, count * 3);
    for (size_t i = 0; i < count; i++) {
        cells[i * 3] = list[i].name;
        cells[i * 3 + 1] = list[i].url;
        cells[i * 3 + 2] = str_empty(list[i].token_file) ? list[i].user : STR("(token)");
    }
    if (!o->json) {
        output_table(ctx, header, 3, cells, count);
        return RC_OK;
    }
    CLEANUP(buf_free) struct buf b = BUF_INIT(1 << 20);
    struct json_out out;
    json_out_buf(&out, ctx, &b);
    json_begin_array(&out);
    for (size_t i = 0; i < count; i++) {
        json_begin_object(&out);
        for (size_t c = 0; c < 3; c++)
            json_member_str(&out, header[c], cells[i * 3 + c]);
        json_end_object(&out);
    }
    json_end_array(&out);
    TRY(json_out_end(&out, "the list"));
    struct output output;
    output_open(&output, true);
    output_result(ctx, &output, buf_str(&b));
    return RC_OK;
}

int cli_portal_remove(struct ctx *ctx, const struct options *o, int *exit_out)
{
    (void)exit_out;
    int rc = profile_remove(ctx, o->words[0]);
    if (rc == RC_NOT_FOUND)
        return err_set(ctx, &ERR_USAGE, "There is no portal '%.*s'.", STR_FMT(o->words[0]));
    TRY(rc);
    return tell(ctx, o, o->words[0], "removed");
}

/* ---- whoami ---- */

/* A server that the portal names: does it answer, and as one of this portal? */
static bool server_answers(struct ctx *ctx, struct remote *r, struct output *out, str url)
{
    struct ctx own;
    struct http_answer answer;
    struct json info = {0};
    ctx_child(&own, ctx);
    struct http_call call = {.url = arena_printf(own.arena, "%.*s/rest/info?f=json", STR_FMT(url))};
    int rc = http_client_call(&own, r->client, &call, &answer);
    str owner = STR("");
    if (rc == RC_OK && json_try_parse(own.arena, answer.body, &info))
        owner = remote_text(&own, info, "owningSystemUrl");
    bool federated = str_ieq(owner, r->base) || str_ieq(owner, arena_printf(own.arena, "%.*s/", STR_FMT(r->base)));
    if (rc != RC_OK)
        output_event(ctx, out, "hop", "server %.*s: %s", STR_FMT(url), err_text(&own));
    else if (str_empty(owner))
        output_event(ctx, out, "hop", "server %.*s: answered HTTP %d, and not as a server does", STR_FMT(url), answer.status);
    else if (federated)
        output_event(ctx, out, "hop", "server %.*s: answers, federated with this portal", STR_FMT(url));
    else
        output_event(ctx, out, "hop", "server %.*s: answers, and says that it belongs to %.*s", STR_FMT(url), STR_FMT(owner));
    ctx_close(&own);
    return rc == RC_OK && owner.n;
}

int cli_whoami(struct ctx *ctx, const struct options *o, int *exit_out)
{
    struct output out;
    struct json about, self, portal, servers, server;
    str username;
    output_open(&out, o->json);
    CLEANUP(remote_close) struct remote r = {0};
    TRY(remote_open(ctx, o->words[0], &r));
    TRY(remote_call(ctx, &r, false, STR(""), NULL, &about));
    output_event(ctx, &out, "hop", "portal %.*s: answers, version %.*s", STR_FMT(r.base),
                 STR_FMT(remote_text(ctx, about, "currentVersion")));
    TRY(remote_self(ctx, &r, &username, &self));
    output_event(ctx, &out, "hop", "signed in as %.*s", STR_FMT(username));
    TRY(remote_call(ctx, &r, false, STR("/portals/self"), NULL, &portal));
    TRY(remote_call(ctx, &r, false, STR("/portals/self/servers"), NULL, &servers));
    struct json_iter it = json_each(json_get_c(servers, "servers"));
    while (json_next(&it, NULL, &server))
        if (!server_answers(ctx, &r, &out, remote_text(ctx, server, "url")))
            *exit_out = EXIT_FAILED;
    output_result(ctx, &out, json_raw(self));
    if (o->json)
        return RC_OK;
    printf("%.*s (%.*s) at %.*s\n", STR_FMT(output_plain(ctx, username)),
           STR_FMT(output_plain(ctx, remote_text(ctx, self, "role"))), STR_FMT(r.base));
    printf("portal: %.*s, id %.*s\n", STR_FMT(output_plain(ctx, remote_text(ctx, portal, "name"))),
           STR_FMT(output_plain(ctx, remote_text(ctx, portal, "id"))));
    return RC_OK;
}
