/* References in the texts of items: found and rewritten in one walk.
 *
 * Every string of a JSON text is visited once, where it stands; a rule of the item's type may say what it is, the scan finds the
 * rest. Replacements are splices into the original bytes. */
#include "model/refs.h"

#include "base/utf8.h"
#include "model/refs_path.h"
#include "model/refs_scan.h"

enum { RULE_PARTS_MAX = 12, RULES_MAX = 64, PIECE_SIZE = 32 * 1024, SIBLINGS_MAX = 256 };

/* A rule that may apply to the text at hand, its path cut into parts. */
struct rule {
    const struct ref_rule *row;
    size_t part_count;
    str parts[RULE_PARTS_MAX];
};
struct run {
    struct ctx *ctx;
    const struct idmap *map;
    enum ref_place place;
    str name, text;
    bool name_kept;         /* name is in the arena, for the list */
    struct ref_list *found; /* NULL: nobody wants to know */
    size_t shortest;        /* what the scan looks for has at least so many characters */
    bool rewrite;
    struct buf out; /* the new text up to copied; empty while nothing changed */
    size_t copied;
    struct refs_view view;
    size_t rule_count;
    struct rule rules[RULES_MAX];
    struct refs_path path;
};

/* ---- rules ---- */

/* A name against a pattern in which "*" stands for any bytes. */
static bool glob(str pattern, str s)
{
    size_t star = str_find_char(pattern, '*', 0);
    if (star == SIZE_MAX)
        return str_eq(pattern, s);
    if (!str_starts(s, str_sub(pattern, 0, star)))
        return false;
    str rest = str_sub(pattern, star + 1, pattern.n);
    for (size_t i = star; i <= s.n; i++)
        if (glob(rest, str_sub(s, i, s.n)))
            return true;
    return false;
}

static void rules_prepare(struct run *r, const struct itemtype *type)
{
    for (size_t i = 0; type && i < type->rule_count && r->rule_count < RULES_MAX; i++) {
        const struct ref_rule *row = &type->rules[i];
        if (row->place != r->place || (row->name && !glob(str_c(row->name), r->name)))
            continue;
        struct rule *rule = &r->rules[r->rule_count++];
        str path = str_c(row->path);
        *rule = (struct rule){.row = row};
        while (rule->part_count < RULE_PARTS_MAX && str_split(&path, '/', &rule->parts[rule->part_count]))
            rule->part_count++;
    }
}

/* The first `parts` parts of the rule against the first `depth` steps, from the end, where they differ most. */
static bool rule_matches(const struct run *r, const struct rule *rule, size_t parts, size_t depth)
{
    for (; parts > 0; parts--, depth--) {
        str part = rule->parts[parts - 1];
        if (str_eq(part, STR("**"))) {
            for (size_t d = 0; d <= depth; d++)
                if (rule_matches(r, rule, parts - 1, d))
                    return true;
            return false;
        }
        if (depth == 0)
            return false;
        bool any = part.n == 1 && part.p[0] == '*';
        if (!any && !glob(part, refs_path_name(&r->path, depth - 1)))
            return false;
    }
    return depth == 0;
}

static const struct ref_rule *rule_here(const struct run *r)
{
    for (size_t i = 0; i < r->rule_count; i++)
        if (rule_matches(r, &r->rules[i], r->rules[i].part_count, r->path.depth))
            return r->rules[i].row;
    return NULL;
}

/* ---- results ---- */

static void record(struct run *r, const struct ref_rule *rule, enum ref_kind kind, str value, enum ref_outcome outcome)
{
    struct ref_list *l = r->found;
    if (l == NULL)
        return;
    if (!r->name_kept)
        r->name = arena_str(r->ctx->arena, r->name);
    r->name_kept = true;
    l->list = arena_grow(r->ctx->arena, l->list, &l->capacity, l->count + 1, sizeof *l->list);
    l->list[l->count++] = (struct ref_found){.place = r->place,
                                             .name = r->name,
                                             .pointer = refs_path_pointer(&r->path, r->ctx->arena),
                                             .kind = kind,
                                             .value = value,
                                             .outcome = outcome,
                                             .required = rule && rule->required};
}

/* Puts `spelled` in place of the bytes from..to of the whole text. Calls come in the order of the text. */
static void splice_begin(struct run *r, str replaced)
{
    size_t from = (size_t)(replaced.p - r->text.p);
    buf_add(&r->out, str_sub(r->text, r->copied, from));
    r->copied = from + replaced.n;
}

static void splice_decoded(struct run *r, size_t from, size_t to, str decoded)
{
    if (!r->rewrite)
        return;
    splice_begin(r, refs_view_source(&r->view, from, to));
    refs_view_spell(&r->view, from, to, decoded, &r->out);
}

static enum ref_outcome outcome_of(const struct ref_rule *rule, bool same)
{
    return same ? REF_KEPT : rule ? REF_REWRITTEN : REF_GUESSED;
}

/* ---- one string ---- */

/* Everything that the view names from `pos` on. */
static void scan_rest(struct run *r, const struct ref_rule *rule, size_t pos)
{
    struct refs_scan scan;
    struct refs_hit hit;
    /* A relative URL or one of the source that holds an unknown id misses its item. */
    bool ours = r->view.n > 0 && r->view.c[0] == '/';
    refs_scan_start(&scan, r->map, &r->view, pos, rule && rule->kind == REF_URL);
    while (refs_scan_next(&scan, &hit)) {
        ours = ours || hit.host != NULL;
        bool unknown = hit.host == NULL && hit.id == NULL;
        if (unknown && !ours)
            continue;
        str value = refs_view_decoded(&r->view, r->ctx->arena, hit.from, hit.to);
        record(r, rule, hit.kind, value, unknown ? REF_UNRESOLVED : outcome_of(rule, hit.same));
        if (!hit.same)
            splice_decoded(r, hit.from, hit.to, hit.target);
    }
}

/* Where a service's URL root ends in the view: behind ".../FeatureServer"; SIZE_MAX when it is none. type_out: that last part. */
static size_t service_root_end(const struct refs_view *v, str *type_out)
{
    str url = str_of(v->c, v->n);
    if (!str_istarts(url, STR("http://")) && !str_istarts(url, STR("https://")))
        return SIZE_MAX;
    size_t part = str_ifind(url, STR("/rest/services/"), 0);
    while (part != SIZE_MAX && part < url.n) {
        size_t end = part + 1;
        while (end < url.n && url.p[end] != '/' && url.p[end] != '?' && url.p[end] != '#')
            end++;
        *type_out = str_sub(url, part + 1, end);
        if (type_out->n > 6 && str_ieq(str_sub(*type_out, type_out->n - 6, type_out->n), STR("Server")))
            return end;
        part = end < url.n && url.p[end] == '/' ? end : SIZE_MAX;
    }
    return SIZE_MAX;
}

/* The target service of an item that one of the first siblings names. */
static str sibling_service(const struct run *r, struct json object, str type)
{
    struct json member;
    struct json_iter it = json_each(object);
    for (size_t i = 0; r->map->service_count > 0 && it.object && i < SIBLINGS_MAX && json_next(&it, NULL, &member); i++) {
        str raw = json_raw(member);
        id item;
        if (raw.n != ID_SIZE + 2 || !json_is(member, JSON_STRING) || !id_parse(str_sub(raw, 1, raw.n - 1), &item))
            continue;
        const struct idmap_id *entry = idmap_find_id(r->map, (const unsigned char *)item.text);
        if (entry == NULL || str_empty(entry->service_url))
            continue;
        str url = entry->service_url;
        if (url.n > type.n && url.p[url.n - type.n - 1] == '/' && str_ieq(str_sub(url, url.n - type.n, url.n), type))
            return url;
    }
    return STR_NONE;
}

/* A URL of a service that the map does not know by its URL. True when that settles the string. */
static bool unknown_service(struct run *r, const struct ref_rule *rule, struct json object)
{
    struct refs_scan scan;
    struct refs_hit hit = {.kind = REF_URL};
    str type = STR_NONE;
    if ((rule == NULL || rule->kind != REF_SERVICE_URL) && r->map->service_count == 0)
        return false;
    size_t end = service_root_end(&r->view, &type);
    if (end == SIZE_MAX)
        return false;
    refs_scan_start(&scan, r->map, &r->view, 0, false);
    bool ours = refs_scan_next(&scan, &hit) && hit.host && hit.from == 0;
    if (ours && hit.kind == REF_SERVICE_URL)
        return false;
    str target = sibling_service(r, object, type), whole = refs_view_decoded(&r->view, r->ctx->arena, 0, r->view.n);
    if (!str_none(target)) {
        bool same = str_ieq(str_sub(whole, 0, end), target);
        record(r, rule, REF_SERVICE_URL, whole, outcome_of(rule, same));
        if (!same)
            splice_decoded(r, 0, end, target);
        scan_rest(r, rule, end);
        return true;
    }
    if (rule && rule->kind == REF_SERVICE_URL && ours) {
        record(r, rule, REF_SERVICE_URL, whole, REF_UNRESOLVED);
        return true;
    }
    return false;
}

/* A string that is nothing but an id, where a rule says so. */
static bool lone_id(struct run *r, const struct ref_rule *rule, str inside)
{
    id item;
    if ((rule->kind != REF_ITEM_ID && rule->kind != REF_GROUP_ID) || !id_parse(inside, &item))
        return false;
    const struct idmap_id *entry = idmap_find_id(r->map, (const unsigned char *)item.text);
    str value = arena_str(r->ctx->arena, id_str(&item));
    if (entry == NULL || id_none(entry->to)) {
        record(r, rule, rule->kind, value, REF_UNRESOLVED);
        return true;
    }
    bool same = id_eq(entry->from, entry->to);
    record(r, rule, rule->kind, value, outcome_of(rule, same));
    if (!same && r->rewrite) {
        splice_begin(r, inside);
        buf_add(&r->out, id_str(&entry->to));
    }
    return true;
}

static void username(struct run *r, const struct ref_rule *rule, str inside, str decoded)
{
    const struct idmap_user *user = idmap_find_user(r->map, decoded);
    str value = arena_str(r->ctx->arena, decoded);
    bool same = user && str_eq(user->from, user->to);
    record(r, rule, REF_USERNAME, value, user == NULL ? REF_UNRESOLVED : outcome_of(rule, same));
    if (user == NULL || same || !r->rewrite)
        return;
    CLEANUP(buf_free) struct buf quoted = BUF_INIT(1 << 20);
    json_escape(&quoted, user->to);
    splice_begin(r, inside);
    buf_add(&r->out, str_sub(buf_str(&quoted), 1, quoted.n - 1));
}

/* A string of a JSON text; object: what it is a member of, or absent. */
static void json_text_string(struct run *r, const struct ref_rule *rule, struct json v, struct json object)
{
    str raw = json_raw(v), inside = str_sub(raw, 1, raw.n - 1);
    if (str_empty(inside))
        return;
    if (rule && rule->kind == REF_USERNAME) {
        username(r, rule, inside, json_string(v, r->ctx->arena));
        return;
    }
    if (rule && lone_id(r, rule, inside))
        return;
    if (inside.n < r->shortest)
        return;
    refs_view_set(&r->view, inside);
    if (!unknown_service(r, rule, object))
        scan_rest(r, rule, 0);
}

/* ---- the walk ---- */

static void walk(struct run *r, struct json v, struct json object)
{
    struct json name = JSON_ABSENT, value;
    if (json_is(v, JSON_STRING)) {
        json_text_string(r, rule_here(r), v, object);
        return;
    }
    struct json_iter it = json_each(v);
    for (size_t index = 0; json_next(&it, &name, &value); index++) {
        refs_path_push(&r->path, it.object ? name : JSON_ABSENT, index);
        if (it.object)
            json_text_string(r, NULL, name, JSON_ABSENT);
        walk(r, value, v);
        refs_path_pop(&r->path);
    }
}

static void scan_text(struct run *r)
{
    const struct ref_rule *rule = rule_here(r);
    for (size_t from = 0, end; from < r->text.n; from = end) {
        end = refs_view_piece_end(r->text, from, PIECE_SIZE);
        refs_view_set(&r->view, str_sub(r->text, from, end));
        if (from > 0 || !unknown_service(r, rule, JSON_ABSENT))
            scan_rest(r, rule, 0);
    }
}

static void run_close(struct run *r)
{
    refs_view_free(&r->view);
    buf_free(&r->out);
}

static int run_text(struct run *r, const struct itemtype *type)
{
    struct json root;
    rules_prepare(r, type);
    r->shortest = ID_SIZE;
    for (size_t i = 0; i < r->map->host_count; i++)
        if (r->map->hosts[i]->name.n < r->shortest)
            r->shortest = r->map->hosts[i]->name.n;
    if (json_try_parse(r->ctx->arena, r->text, &root))
        walk(r, root, JSON_ABSENT);
    else if (utf8_valid(r->text))
        scan_text(r);
    return ctx_check(r->ctx);
}

static const struct idmap nothing_known;

int refs_find(struct ctx *ctx, const struct itemtype *type, enum ref_place place, str name, str text, const struct idmap *known,
              struct ref_list *found)
{
    CLEANUP(run_close)
    struct run r = {
        .ctx = ctx, .map = known ? known : &nothing_known, .place = place, .name = name, .text = text, .found = found};
    return run_text(&r, type);
}

int refs_rewrite(struct ctx *ctx, const struct itemtype *type, enum ref_place place, str name, str text, const struct idmap *map,
                 str *out, struct ref_list *found)
{
    CLEANUP(run_close)
    struct run r = {.ctx = ctx, .map = map, .place = place, .name = name, .text = text, .found = found, .rewrite = true};
    r.out = BUF_INIT(8 * text.n + (1 << 20));
    *out = text;
    TRY(run_text(&r, type));
    if (r.copied == 0)
        return RC_OK;
    buf_add(&r.out, str_sub(text, r.copied, text.n));
    TRY(buf_check(&r.out, ctx, "rewritten text"));
    *out = arena_str(ctx->arena, buf_str(&r.out));
    return RC_OK;
}

bool refs_names_source(const struct idmap *map, str bytes, size_t *at_out)
{
    CLEANUP(refs_view_free) struct refs_view view = {0};
    for (size_t from = 0, end; from < bytes.n; from = end) {
        struct refs_scan scan;
        struct refs_hit hit;
        end = refs_view_piece_end(bytes, from, PIECE_SIZE);
        refs_view_set(&view, str_sub(bytes, from, end));
        refs_scan_start(&scan, map, &view, 0, false);
        while (refs_scan_next(&scan, &hit))
            if (hit.host && hit.host->has_base && !hit.same) {
                *at_out = from + refs_view_offset(&view, hit.from);
                return true;
            }
    }
    return false;
}
