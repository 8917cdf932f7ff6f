/* The page around a JSON answer: where we are, the answer, and the form of the operation, all from its row. No script. */
#include "base/hash.h"
#include "codec/html.h"
#include "codec/url.h"
#include "web/web.h"

static const char style[] =
    ":root{color-scheme:light;--ink:#17262e;--soft:#5a6d77;--line:#d8e0e4;--blue:#0b5c7d;--paper:#f4f7f8}"
    "*{box-sizing:border-box}body{font:16px/1.55 system-ui,sans-serif;margin:0;color:var(--ink);background:var(--paper)}"
    "a{color:var(--blue)}header{display:flex;gap:1em;flex-wrap:wrap;padding:.8em 1.5em;background:#fff;border-bottom:1px solid "
    "var(--line)}"
    "header nav{flex:1;overflow-wrap:anywhere}main{padding:1em 1.5em 3em;max-width:62em;margin:0 "
    "auto}h1{font-size:1.5em;margin:.4em 0 0;overflow-wrap:anywhere}h2{font-size:1.1em;margin:1.6em 0 .5em}"
    ".lead{margin:.2em 0 1em;color:var(--soft)}pre,.card{background:#fff;border:1px solid "
    "var(--line);border-radius:6px;padding:1em}"
    "pre{overflow:auto;max-height:42em;font:13px/1.5 ui-monospace,monospace;margin:0}"
    ".error{background:#fff3f1;border:1px solid #e3b3ab;border-left:5px solid #b3261e;border-radius:6px;padding:.7em "
    "1em;margin:0 0 1em}"
    ".error ul{margin:.3em 0 0;padding-left:1.2em}.row{display:grid;grid-template-columns:13em 1fr;gap:.2em 1em;padding:.35em "
    "0;align-items:start}.row label{padding-top:.3em;overflow-wrap:anywhere}"
    "input,textarea,select{font:inherit;width:100%;padding:.3em .5em;border:1px solid #9fb1ba;border-radius:4px;background:#fff}"
    "textarea{font:13px/1.5 ui-monospace,monospace}:focus-visible{outline:2px solid "
    "var(--blue);outline-offset:1px}button{font:inherit;padding:.4em "
    "1.4em;margin-top:.8em;background:var(--blue);color:#fff;border:0;"
    "border-radius:4px}small{color:var(--soft)}ul.ops{list-style:none;margin:0;padding:.3em 1em}ul.ops "
    "li{padding:.4em 0;border-top:1px solid var(--line)}ul.ops li:first-child{border:0}"
    "@media(max-width:40em){.row{grid-template-columns:1fr}}";

str html_policy(struct ctx *ctx)
{
    struct hash h = hash_of(str_c(style));
    return arena_printf(ctx->arena,
                        "default-src 'none'; style-src 'sha256-%.*s'; img-src 'self'; form-action 'self'; base-uri 'none'; "
                        "frame-ancestors 'none'",
                        STR_FMT(base64_encode(ctx->arena, str_of(h.bytes, sizeof h.bytes))));
}

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

/* ---- the form of an operation ---- */

static void options(struct buf *b, str chosen, const char *const *words, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        raw(b, str_ieq(chosen, str_c(words[i])) ? "<option selected>" : "<option>");
        raw(b, words[i]);
        raw(b, "</option>");
    }
}

static void input(struct buf *b, const struct param *p, str value)
{
    static const struct {
        enum param_type type;
        const char *attributes;
    } kinds[] = {{PARAM_INT, "type=\"number\" step=\"1\""},
                 {PARAM_DOUBLE, "type=\"number\" step=\"any\""},
                 {PARAM_FILE, "type=\"file\""},
                 {PARAM_ID, "type=\"text\" pattern=\" *[0-9A-Fa-f]{32} *\" title=\"32 hexadecimal digits\""},
                 {PARAM_CSV, "type=\"text\" placeholder=\"one,two,three\""}};
    const char *attributes = str_ifind(p->name, STR("password"), 0) != SIZE_MAX ? "type=\"password\"" : "type=\"text\"";
    for (size_t i = 0; i < COUNT_OF(kinds); i++)
        if (kinds[i].type == p->type)
            attributes = kinds[i].attributes;
    raw(b, "<input ");
    raw(b, attributes);
    raw(b, p->required ? " required" : "");
    raw(b, " id=\"p-");
    text(b, p->name);
    raw(b, "\" name=\"");
    text(b, p->name);
    if (p->type != PARAM_FILE) {
        raw(b, "\" value=\"");
        text(b, value);
    }
    raw(b, "\">");
}

/* A control by the type of the parameter. */
static void control(struct buf *b, const struct param *p, str value)
{
    static const char *const truth[] = {"", "true", "false"};
    if (p->type != PARAM_BOOL && p->type != PARAM_JSON) {
        input(b, p, value);
        return;
    }
    raw(b, p->type == PARAM_BOOL ? "<select id=\"p-" : "<textarea rows=\"4\" spellcheck=\"false\" id=\"p-");
    text(b, p->name);
    raw(b, "\" name=\"");
    text(b, p->name);
    raw(b, p->required ? "\" required>" : "\">");
    if (p->type == PARAM_BOOL) {
        options(b, value, truth, COUNT_OF(truth));
        raw(b, "</select>");
    } else {
        raw(b, "\n"); /* the first line end of a textarea does not count */
        text(b, value);
        raw(b, "</textarea>");
    }
}

static void field(struct buf *b, const struct param *p, str value)
{
    raw(b, "<div class=\"row\"><label for=\"p-");
    text(b, p->name);
    raw(b, "\">");
    text(b, p->name);
    raw(b, p->required ? " <small>required</small>" : "");
    raw(b, "</label><div>");
    control(b, p, str_empty(value) ? p->otherwise : value);
    raw(b, "</div></div>\n");
}

/* What the caller asked with stands in the form again, but passwords and tokens: a page may be kept or printed. */
static str asked(const struct call *call, const struct param *p)
{
    bool secret = str_ifind(p->name, STR("password"), 0) != SIZE_MAX || str_ifind(p->name, STR("token"), 0) != SIZE_MAX;
    for (size_t i = 0; i < call->form->count && !secret; i++)
        if (str_ieq(call->form->fields[i].name, p->name))
            return call->form->fields[i].value;
    return STR("");
}

static void form(struct call *call, struct buf *b)
{
    static const char *const formats[] = {"html", "json", "pjson"};
    str rest = str_c(call->route->params);
    bool post = call->route->methods == METHOD_POST;
    if (str_empty(rest) && !post)
        return;
    raw(b, "<h2>Call</h2><form class=\"card\" method=\"");
    raw(b, post ? "post\"" : "get\"");
    raw(b, call->route->body == BODY_FILES ? " enctype=\"multipart/form-data\">\n" : ">\n");
    struct param p;
    while (param_next(&rest, &p))
        field(b, &p, asked(call, &p));
    raw(b, "<div class=\"row\"><label for=\"p-f\">f <small>format</small></label><div><select id=\"p-f\" name=\"f\">");
    options(b, STR("html"), formats, COUNT_OF(formats));
    raw(b, "</select></div></div><button>");
    raw(b, post ? "Call by POST" : "Ask");
    raw(b, "</button></form>\n");
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

/* An error in words, before the JSON that says the same. */
static void error_box(struct ctx *ctx, str json, struct buf *b)
{
    struct json root;
    if (!json_try_parse(ctx->arena, json, &root))
        return;
    struct json error = json_at_pointer(root, STR("/error")), details = json_at_pointer(error, STR("/details")), each;
    struct json message = json_at_pointer(error, STR("/message"));
    if (!json_is(message, JSON_STRING))
        return;
    raw(b, "<div class=\"error\" role=\"alert\"><b>");
    text(b, json_string(message, ctx->arena));
    raw(b, "</b><ul>");
    struct json_iter it = json_each(details);
    while (json_next(&it, NULL, &each)) {
        raw(b, "<li>");
        text(b, json_string(each, ctx->arena));
        raw(b, "</li>");
    }
    raw(b, "</ul></div>\n");
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
        raw(b, any ? "" : "<h2>Operations below</h2><ul class=\"ops card\">\n");
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

/* The last part of the pattern names the operation, or what its braces caught names the thing. */
static str title_of(const struct call *call)
{
    str rest = call->route ? str_c(call->route->pattern) : STR("Not found"), piece, last = STR("");
    while (str_split(&rest, '/', &piece))
        last = str_empty(piece) ? last : piece;
    for (size_t i = 0; i < PATH_PIECES_MAX && call->pieces[i].name; i++)
        if (str_starts(last, STR("{")) && str_starts(str_sub(last, 1, last.n), str_c(call->pieces[i].name)))
            last = call->pieces[i].value;
    return str_empty(last) ? STR("mapferry") : last;
}

void html_page(struct ctx *ctx, struct call *call, str json, struct buf *out)
{
    raw(out, "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" "
             "content=\"width=device-width\"><title>");
    text(out, call->http->path);
    raw(out, "</title><style>");
    raw(out, style);
    raw(out, "</style></head><body><header><nav aria-label=\"Path\"><b>mapferry</b>");
    crumbs(call, out);
    raw(out, "</nav>");
    signed_in(call, out);
    raw(out, "</header><main><h1>");
    text(out, title_of(call));
    raw(out, "</h1>");
    if (call->route) {
        raw(out, "<p class=\"lead\">");
        text(out, str_c(call->route->summary));
        raw(out, "</p>\n");
    }
    if (!str_empty(json)) {
        error_box(ctx, json, out);
        answer(ctx, call, json, out);
    }
    if (call->route) {
        form(call, out);
        children(call, out);
    }
    raw(out, "</main></body></html>\n");
}
