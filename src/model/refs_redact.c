/* Cutting stored credentials out of item texts before they leave a portal: members of layer and item objects that hold them, and
 * token parameters of URLs. A field, an attribute or a label that is merely named like a credential stays. */
#include "model/refs.h"

#include "base/utf8.h"
#include "model/refs_path.h"
#include "model/refs_view.h"

enum { NESTED_MAX = 4 /* JSON in strings of JSON that is looked into */, SIBLINGS_MAX = 256 };

struct redact {
    struct ctx *ctx;
    enum ref_place place;
    str name;
    struct ref_list *found;
    struct refs_view view;
    unsigned nested;
    str pointer;            /* of the string that the JSON at hand stands in; "" for the text itself */
    struct refs_path *path; /* inside of that; NULL when it is no JSON */
    struct refs_path paths[NESTED_MAX + 1];
};

/* The pointer of where the walk is. */
static str place_of(struct redact *r)
{
    str inner = r->path ? refs_path_pointer(r->path, r->ctx->arena) : STR("");
    return str_empty(r->pointer) ? inner : arena_printf(r->ctx->arena, "%.*s%.*s", STR_FMT(r->pointer), STR_FMT(inner));
}

static void record(struct redact *r, size_t count)
{
    struct ref_list *l = r->found;
    for (; l && count > 0; count--) {
        l->list = arena_grow(r->ctx->arena, l->list, &l->capacity, l->count + 1, sizeof *l->list);
        l->list[l->count++] = (struct ref_found){
            .place = r->place, .name = r->name, .pointer = place_of(r), .kind = REF_URL, .value = STR(""), .outcome = REF_SECRET};
    }
}

static bool is_one_of(str s, const str *names)
{
    for (; !str_none(*names); names++)
        if (s.n == names->n && str_ieq(s, *names))
            return true;
    return false;
}

/* ---- token parameters ---- */

static bool ends_value(unsigned char c) { return c <= ' ' || memchr("&#\"'<>\\}|", c, 9) != NULL; }

/* Where the parameter "token=value" that begins at pos ends; SIZE_MAX when there is none. */
static size_t token_end(const struct refs_view *v, size_t pos)
{
    static const str names[] = {{"token=", 6}, {"access_token=", 13}};
    str rest = str_sub(str_of(v->c, v->n), pos, v->n);
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        size_t value = pos + names[i].n, end = value;
        if (!str_istarts(rest, names[i]))
            continue;
        while (end < v->n && !ends_value(v->c[end]))
            end++;
        /* "{token}" and "${token}" are filled in by whoever opens the URL. */
        return end == value || v->c[value] == '{' || v->c[value] == '$' ? SIZE_MAX : end;
    }
    return SIZE_MAX;
}

/* The first token parameter at or after pos: [from, to) is what to cut, with the separator that it makes needless. */
static bool find_token(const struct refs_view *v, size_t pos, size_t *from, size_t *to)
{
    for (; pos < v->n; pos++) {
        if (v->c[pos] != '?' && v->c[pos] != '&')
            continue;
        size_t end = token_end(v, pos + 1), next;
        if (end == SIZE_MAX)
            continue;
        while (end < v->n && v->c[end] == '&' && (next = token_end(v, end + 1)) != SIZE_MAX)
            end = next;
        /* "?token=a&x=1" keeps its question mark, "?x=1&token=a" and "?token=a" lose what stood before the token. */
        bool keeps = v->c[pos] == '?' && end < v->n && v->c[end] == '&';
        *from = keeps ? pos + 1 : pos;
        *to = keeps ? end + 1 : end;
        return true;
    }
    return false;
}

/* Is there any need to look closer? */
static bool mentions_token(str s)
{
    for (size_t k = 2; k + 2 < s.n; k++)
        if ((s.p[k] | 32) == 'k' && str_ieq(str_sub(s, k - 2, k + 3), STR("token")))
            return true;
    return false;
}

/* `bytes` (in place in the text, or the inside of a JSON string) without token parameters; the same slice when there are none. */
static str cut_tokens(struct redact *r, str bytes, size_t *cut_count)
{
    size_t from, to, pos = 0, copied = 0;
    *cut_count = 0;
    if (!mentions_token(bytes))
        return bytes;
    CLEANUP(buf_free) struct buf out = BUF_INIT(bytes.n + 1);
    refs_view_set(&r->view, bytes);
    while (find_token(&r->view, pos, &from, &to)) {
        buf_add(&out, str_sub(bytes, copied, refs_view_offset(&r->view, from)));
        copied = refs_view_offset(&r->view, to);
        pos = to;
        (*cut_count)++;
    }
    if (*cut_count == 0)
        return bytes;
    buf_add(&out, str_sub(bytes, copied, bytes.n));
    return arena_str(r->ctx->arena, buf_str(&out));
}

/* ---- members ---- */

/* Never anything else than what a portal stores for a secured service. */
static const str service_names[] = {STR("serviceUsername"), STR("servicePassword"), STR("serviceProxyParams"), STR_NONE};
/* Credentials where they stand beside what they give access to. */
static const str secret_names[] = {STR("password"),      STR("token"),        STR("access_token"),  STR("accessToken"),
                                   STR("refresh_token"), STR("refreshToken"), STR("client_secret"), STR("clientSecret"),
                                   STR("apiKey"),        STR("api_key"),      STR("credential"),    STR_NONE};
/* Members that make an object one of an item, a layer or a data source. */
static const str access_names[] = {
    STR("url"),        STR("itemId"),   STR("serviceItemId"),     STR("featureServiceItemId"), STR("layerType"), STR("portalUrl"),
    STR("serviceUrl"), STR("styleUrl"), STR("operationalLayers"), STR("dataSources"),          STR("username"),  STR("userName"),
    STR("wmsUrl"),     STR_NONE};
/* Below these are rows and labels of users, whatever they are named. */
static const str data_names[] = {STR("attributes"),  STR("fieldAliases"), STR("aliases"), STR("i18n"),
                                 STR("strings"),     STR("labels"),       STR("fields"),  STR("fieldInfos"),
                                 STR("codedValues"), STR("prototype"),    STR_NONE};

static str name_text(struct redact *r, struct json name) { return json_string(name, r->ctx->arena); }

static bool gives_access(struct redact *r, struct json object)
{
    struct json name, value;
    struct json_iter it = json_each(object);
    for (size_t i = 0; i < SIBLINGS_MAX && json_next(&it, &name, &value); i++)
        if (is_one_of(name_text(r, name), access_names))
            return true;
    return false;
}

static bool is_set(struct json v)
{
    return (json_is(v, JSON_STRING) && json_raw(v).n > 2) || (json_is(v, JSON_OBJECT) && json_count(v) > 0);
}

/* Is this object the place for credentials: the item's data or the values of an app, or something that is reached by them? */
static bool is_access(struct redact *r, struct json object)
{
    bool whole = r->place == REF_DATA && r->nested == 0;
    struct json root = {.tape = object.tape, .node = 0};
    return gives_access(r, object) || (whole && (object.node == 0 || object.node == json_get_c(root, "values").node));
}

static bool is_secret(struct redact *r, struct json object, struct json name, struct json value)
{
    str text = name_text(r, name);
    if (is_one_of(text, service_names))
        return is_set(value);
    return is_one_of(text, secret_names) && json_is(value, JSON_STRING) && is_set(value) && is_access(r, object);
}

/* Rows and labels of users, where any name may stand; "properties" are a row's in GeoJSON only. */
static bool is_data(struct redact *r, struct json object, struct json name)
{
    str text = name_text(r, name);
    return is_one_of(text, data_names) || (str_eq(text, STR("properties")) && !json_absent(json_get_c(object, "geometry")));
}

static int redact_text(struct redact *r, str text, str *out);

/* JSON inside a string is redacted as JSON, so that a member is cut whole. */
static int redact_nested(struct redact *r, struct json v, struct json_edit *e, bool *done)
{
    struct json inner;
    str text = json_string(v, r->ctx->arena), changed;
    *done = false;
    if (r->nested == NESTED_MAX || text.n < 2 || (text.p[0] != '{' && text.p[0] != '[') ||
        !json_try_parse(r->ctx->arena, text, &inner))
        return RC_OK;
    str outer = r->pointer;
    struct refs_path *outer_path = r->path;
    r->pointer = place_of(r);
    r->nested++;
    TRY(redact_text(r, text, &changed));
    r->nested--;
    r->pointer = outer;
    r->path = outer_path;
    if (changed.p != text.p)
        json_edit_string(e, v, changed);
    *done = true;
    return RC_OK;
}

static int redact_string(struct redact *r, struct json v, struct json_edit *e)
{
    size_t count;
    bool done;
    str raw = json_raw(v), inside = str_sub(raw, 1, raw.n - 1);
    TRY(redact_nested(r, v, e, &done));
    if (done)
        return RC_OK;
    str changed = cut_tokens(r, inside, &count);
    record(r, count);
    if (count > 0)
        json_edit_replace(e, v, arena_printf(r->ctx->arena, "\"%.*s\"", STR_FMT(changed)));
    return RC_OK;
}

/* data: inside of rows and labels. */
static int redact_value(struct redact *r, struct json v, bool data, struct json_edit *e)
{
    struct json name, value;
    if (json_is(v, JSON_STRING))
        return redact_string(r, v, e);
    struct json_iter it = json_each(v);
    for (size_t index = 0; json_next(&it, &name, &value); index++) {
        refs_path_push(r->path, it.object ? name : JSON_ABSENT, index);
        if (it.object && !data && is_secret(r, v, name, value)) {
            record(r, 1);
            json_edit_remove_member(e, v, name);
        } else {
            TRY(redact_value(r, value, data || (it.object && is_data(r, v, name)), e));
        }
        refs_path_pop(r->path);
    }
    return RC_OK;
}

static int redact_text(struct redact *r, str text, str *out)
{
    struct json root;
    size_t count = 0;
    *out = text;
    r->path = NULL;
    if (json_try_parse(r->ctx->arena, text, &root)) {
        struct json_edit e;
        r->path = &r->paths[r->nested];
        r->path->depth = 0;
        json_edit_begin(&e, r->ctx, text);
        TRY(redact_value(r, root, false, &e));
        return json_edit_empty(&e) ? RC_OK : json_edit_apply(&e, out);
    }
    if (utf8_valid(text))
        *out = cut_tokens(r, text, &count);
    record(r, count);
    return RC_OK;
}

int refs_redact(struct ctx *ctx, enum ref_place place, str name, str text, str *out, struct ref_list *found)
{
    struct redact r = {.ctx = ctx, .place = place, .name = arena_str(ctx->arena, name), .found = found, .pointer = STR("")};
    int rc = redact_text(&r, text, out);
    refs_view_free(&r.view);
    return rc;
}
