/* The page around a JSON answer: where we are, the answer, and the form of the operation, all from its row. No script. */
#include "codec/html.h"
#include "codec/url.h"
#include "web/web.h"

static const char style[] =
    "body{font:15px/1.5 "
    "system-ui,sans-serif;margin:0;color:#1b2a33;background:#f5f7f8}header{background:#12394a;color:#fff;padding:.8em 1.5em}"
    "header a{color:#bfe3f2;text-decoration:none}header span{float:right}main{padding:1em "
    "1.5em;max-width:70em}pre{background:#fff;border:1px solid #d5dde1;padding:1em;"
    "overflow:auto;border-radius:4px;font:13px/1.45 ui-monospace,monospace}table{border-collapse:collapse}td{padding:.25em .8em "
    ".25em 0;vertical-align:top}"
    "input,textarea,select{font:inherit;padding:.2em .4em;border:1px solid "
    "#9fb3bd;border-radius:3px;min-width:22em}button{font:inherit;padding:.35em 1.2em;"
    "background:#12394a;color:#fff;border:0;border-radius:3px}li{margin:.2em 0}small{color:#5b6f7a}";

static void text(struct buf *b, str s) { html_escape(b, s); }
static void raw(struct buf *b, const char *s) { buf_add(b, str_c(s)); }

/* /sharing/rest/content/… as links, each to its prefix. */
static void crumbs(struct call *call, struct buf *b)
{
    str path = call->http->path;
    while (str_starts(path, STR("//"))) /* would lead to another host */
        path = str_sub(path, 1, path.n);
    for (size_t at = 1; at < path.n;) {
        size_t end = str_find_char(path, '/', at);
        if (end == SIZE_MAX)
            end = path.n;
        raw(b, " / <a href=\"");
        text(b, str_sub(path, 0, end));
        raw(b, "\">");
        text(b, str_sub(path, at, end));
        raw(b, "</a>");
        at = end + 1;
    }
}

static void signed_in(struct call *call, struct buf *b)
{
    raw(b, "<span>");
    if (!call->caller.anonymous) {
        text(b, call->caller.username);
    } else {
        raw(b, "<a href=\"");
        text(b, call->web->context);
        raw(b, "/sharing/rest/generateToken\">sign in</a>");
    }
    raw(b, "</span>");
}

static void field(struct buf *b, const struct param *p, str value)
{
    raw(b, "<tr><td><label>");
    text(b, p->name);
    raw(b, p->required ? " *" : "");
    raw(b, "</label></td><td>");
    if (p->type == PARAM_JSON) {
        raw(b, "<textarea rows=\"4\" name=\"");
        text(b, p->name);
        raw(b, "\">");
        text(b, value);
        raw(b, "</textarea>");
    } else {
        raw(b, p->type == PARAM_FILE ? "<input type=\"file\" name=\"" : "<input name=\"");
        text(b, p->name);
        raw(b, "\" value=\"");
        text(b, str_empty(value) ? p->otherwise : value);
        raw(b, "\">");
    }
    raw(b, "</td></tr>\n");
}

static void form(struct call *call, struct buf *b)
{
    str rest = str_c(call->route->params);
    bool post = call->route->methods == METHOD_POST;
    if (str_empty(rest) && !post)
        return;
    raw(b, "<h2>");
    text(b, STR("Call"));
    raw(b, "</h2><form method=\"");
    raw(b, post ? "post\"" : "get\"");
    raw(b, call->route->body == BODY_FILES ? " enctype=\"multipart/form-data\">" : ">");
    raw(b, "<table>\n");
    struct param p;
    bool password = false;
    while (param_next(&rest, &p)) {
        if (str_eq(p.name, STR("password"))) {
            raw(b, "<tr><td>password *</td><td><input type=\"password\" name=\"password\"></td></tr>\n");
            password = true;
            continue;
        }
        str name = p.name;
        str value = STR("");
        for (size_t i = 0; i < call->form->count && !post; i++)
            if (str_ieq(call->form->fields[i].name, name))
                value = call->form->fields[i].value;
        field(b, &p, value);
    }
    if (!password && call->caller.anonymous)
        field(b, &(struct param){.name = STR("token"), .otherwise = STR("")}, STR(""));
    raw(b, "<tr><td>f</td><td><select name=\"f\"><option>html<option>json<option>pjson</select></td></tr></table><p><button>");
    raw(b, post ? "Call by POST" : "Ask");
    raw(b, "</button></p></form>\n");
}

static size_t depth_of(const char *pattern)
{
    size_t n = 0;
    for (; *pattern; pattern++)
        n += *pattern == '/';
    return n;
}

/* ---- the answer, with what it names as links ---- */

/* A line of pretty JSON as `"key": value` (value without its comma); false for other lines. */
static bool line_cut(str line, str *key_out, str *value_out)
{
    str rest = str_trim(line);
    size_t colon = str_find(rest, STR("\": "), 1);
    if (!str_starts(rest, STR("\"")) || colon == SIZE_MAX)
        return false;
    *key_out = str_sub(rest, 1, colon);
    *value_out = str_sub(rest, colon + 3, rest.n);
    if (str_ends(*value_out, STR(",")))
        value_out->n--;
    return true;
}

static str unquoted(str value)
{
    bool quoted = value.n >= 2 && value.p[0] == '"' && value.p[value.n - 1] == '"';
    return quoted ? str_sub(value, 1, value.n - 1) : STR_NONE;
}

/* Where a value leads: ids of items and groups, services of the directory, layers of a service, URLs. */
static str target_of(struct ctx *ctx, const struct call *call, str key, str value)
{
    const char *pattern = call->route->pattern;
    str text_value = unquoted(value);
    id parsed;
    bool groups = strstr(pattern, "/community/groups") && !strchr(pattern, '{');
    if (str_none(text_value)) {
        bool layer =
            str_ends(str_c(pattern), STR("/FeatureServer")) && (str_eq(key, STR("id")) || str_eq(key, STR("relatedTableId")));
        return layer ? arena_printf(ctx->arena, "%.*s/FeatureServer/%.*s",
                                    STR_FMT(str_sub(call->http->path, 0, str_ifind(call->http->path, STR("/FeatureServer"), 0))),
                                    STR_FMT(value))
                     : STR_NONE;
    }
    if (str_istarts(text_value, STR("http://")) || str_istarts(text_value, STR("https://")))
        return text_value;
    if (str_eq(key, STR("name")) && str_starts(text_value, STR("Hosted/")))
        return arena_printf(ctx->arena, "%.*s/rest/services/%.*s/FeatureServer", STR_FMT(call->server_url), STR_FMT(text_value));
    bool item = str_eq(key, STR("id")) || str_eq(key, STR("itemId")) || str_eq(key, STR("serviceItemId"));
    if (!item || !id_parse(text_value, &parsed))
        return STR_NONE;
    return arena_printf(ctx->arena, "%.*s/sharing/rest/%s/%s", STR_FMT(call->portal_url),
                        groups ? "community/groups" : "content/items", parsed.text);
}

static void answer(struct ctx *ctx, const struct call *call, str json, struct buf *b)
{
    str line, key, value;
    raw(b, "<pre>");
    while (str_split(&json, '\n', &line)) {
        str target = call->route && line_cut(line, &key, &value) ? target_of(ctx, call, key, value) : STR_NONE;
        if (str_none(target)) {
            text(b, line);
        } else {
            text(b, str_of(line.p, (size_t)(value.p - line.p)));
            raw(b, "<a href=\"");
            text(b, target);
            raw(b, "\">");
            text(b, value);
            raw(b, "</a>");
            text(b, str_of(value.p + value.n, (size_t)(line.p + line.n - value.p) - value.n));
        }
        raw(b, "\n");
    }
    raw(b, "</pre>");
}

/* The operations one step below this one, as far as their path is known. */
static void children(struct call *call, struct buf *b)
{
    str here = str_c(call->route->pattern);
    bool any = false;
    for (size_t i = 0; i < route_count; i++) {
        str there = str_c(routes[i].pattern);
        if (!str_starts(there, here) || there.n <= here.n + 1 || there.p[here.n] != '/' ||
            depth_of(there.p) != depth_of(here.p) + 1)
            continue;
        raw(b, any ? "" : "<h2>Below</h2><ul>\n");
        any = true;
        str step = str_sub(there, here.n + 1, there.n);
        bool open = step.p[0] == '{';
        raw(b, "<li>");
        if (!open) {
            raw(b, "<a href=\"");
            text(b,
                 str_ends(call->http->path, STR("/")) ? str_sub(call->http->path, 0, call->http->path.n - 1) : call->http->path);
            raw(b, "/");
            text(b, step);
            raw(b, "\">");
        }
        text(b, step);
        raw(b, open ? " <small>" : "</a> <small>");
        text(b, str_c(routes[i].summary));
        raw(b, "</small></li>\n");
    }
    raw(b, any ? "</ul>\n" : "");
}

void html_page(struct ctx *ctx, struct call *call, str json, struct buf *out)
{
    raw(out, "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><title>");
    text(out, call->http->path);
    raw(out, "</title><style>");
    raw(out, style);
    raw(out, "</style></head><body><header><b>mapferry</b>");
    crumbs(call, out);
    signed_in(call, out);
    raw(out, "</header><main>");
    if (call->route) {
        raw(out, "<p>");
        text(out, str_c(call->route->summary));
        raw(out, "</p>");
    }
    if (!str_empty(json))
        answer(ctx, call, json, out);
    if (call->route) {
        form(call, out);
        children(call, out);
    }
    raw(out, "</main></body></html>\n");
}
