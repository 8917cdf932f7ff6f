/* The generic scan. Hosts are found by Horspool's search, ids by looking at every 32nd character first, so that most of a text is
 * never touched. */
#include "model/refs_scan.h"

/* ---- ids ---- */

/* Start of the next run of exactly 32 hexadecimal digits that is a word of its own, or SIZE_MAX. */
static size_t find_id(const struct refs_view *v, size_t pos)
{
    while (pos + ID_SIZE <= v->n) {
        size_t k = ID_SIZE;
        while (k > 0 && refs_view_is(v->c[pos + k - 1], REFS_HEX))
            k--;
        if (k > 0) {
            pos += k;
            continue;
        }
        size_t end = pos + ID_SIZE;
        bool alone =
            (pos == 0 || !refs_view_is(v->c[pos - 1], REFS_WORD)) && (end == v->n || !refs_view_is(v->c[end], REFS_WORD));
        if (alone)
            return pos;
        while (end < v->n && refs_view_is(v->c[end], REFS_HEX))
            end++;
        pos = end;
    }
    return SIZE_MAX;
}

static bool take_id(const struct refs_scan *s, size_t at, struct refs_hit *out)
{
    const struct idmap_id *entry = idmap_find_id(s->map, s->view->c + at);
    bool known = entry && !id_none(entry->to);
    if (!known && !s->unknown_ids)
        return false;
    *out = (struct refs_hit){.from = at,
                             .to = at + ID_SIZE,
                             .kind = known ? entry->kind : REF_ITEM_ID,
                             .id = known ? entry : NULL,
                             .target = known ? id_str(&entry->to) : STR(""),
                             .same = !known || id_eq(entry->from, entry->to)};
    return true;
}

/* ---- hosts and URLs ---- */

static bool name_at(const struct refs_view *v, size_t at, str lower_name)
{
    for (size_t i = lower_name.n; i > 0; i--)
        if (refs_view_lower(v->c[at + i - 1]) != (unsigned char)lower_name.p[i - 1])
            return false;
    return true;
}

static size_t find_host(const struct refs_view *v, const struct idmap_host *h, size_t pos)
{
    size_t n = h->name.n;
    while (pos + n <= v->n) {
        if (name_at(v, pos, h->name))
            return pos;
        pos += h->skip[v->c[pos + n - 1]];
    }
    return SIZE_MAX;
}

/* Does a URL part end before v[i]? A dot or hyphen ends it only when nothing follows it. */
static bool part_ends(const struct refs_view *v, size_t i)
{
    if (i >= v->n)
        return true;
    unsigned char c = v->c[i];
    if (c == '.' || c == '-' || c == '~')
        return i + 1 >= v->n || !refs_view_is(v->c[i + 1], REFS_WORD);
    return !refs_view_is(c, REFS_WORD);
}

/* Where the host that is named at `at` ends, a default port included; SIZE_MAX when it is another host. */
static size_t host_end(const struct refs_view *v, const struct idmap_host *h, size_t at)
{
    size_t end = at + h->name.n;
    if (end < v->n && v->c[end] == ':' && !h->has_port) {
        size_t port = end + 1;
        while (port < v->n && v->c[port] >= '0' && v->c[port] <= '9')
            port++;
        str digits = str_of(v->c + end + 1, port - end - 1);
        if (str_eq(digits, STR("80")) || str_eq(digits, STR("443")))
            end = port;
        else if (!str_empty(digits))
            return SIZE_MAX;
    }
    return part_ends(v, end) ? end : SIZE_MAX;
}

/* Where the URL begins whose host is at `at`: at its http or https scheme, or at the host. SIZE_MAX when it is no host. */
static size_t url_start(const struct refs_view *v, const struct idmap_host *h, size_t at, bool *scheme_out)
{
    *scheme_out = false;
    if (at == 0)
        return at;
    unsigned char before = v->c[at - 1];
    if (refs_view_is(before, REFS_WORD) || before == '-' || before == '.' || (before == '@' && !h->has_port))
        return SIZE_MAX; /* the end of a longer name, or of a mail address */
    if (at < 3 || !name_at(v, at - 3, STR("://")))
        return at;
    size_t colon = at - 3, length = colon > 0 && refs_view_lower(v->c[colon - 1]) == 's' ? 5 : 4;
    if (colon < length || !name_at(v, colon - length, str_sub(STR("https"), 0, length)) ||
        (colon > length && refs_view_is(v->c[colon - length - 1], REFS_WORD)))
        return at;
    *scheme_out = true;
    return colon - length;
}

static bool goes_on(unsigned char c) { return c >= ' ' && c != '"' && c != '<' && c != '>' && c != '?' && c != '#' && c != '\\'; }

/* The longest known URL prefix that the text has at its host, which is at..end; *end_out is where it ends. */
static const struct idmap_root *find_root(const struct refs_scan *s, const struct idmap_host *h, size_t end, size_t *end_out)
{
    const struct refs_view *v = s->view;
    unsigned char key[2048];
    size_t n = h->name.n, longest = s->map->root_longest < sizeof key ? s->map->root_longest : sizeof key;
    uint64_t hash = IDMAP_HASH_START;
    if (n > sizeof key)
        return NULL;
    memcpy(key, h->name.p, n);
    for (size_t i = 0; i < n; i++)
        hash = idmap_hash_add(hash, key[i]);
    const struct idmap_root *best = idmap_find_root(s->map, str_of(key, n), hash);
    *end_out = end;
    if (end < v->n && v->c[end] != '/')
        return best;
    for (size_t i = end; i < v->n && n < longest && goes_on(v->c[i]);) {
        key[n] = refs_view_lower(v->c[i++]);
        hash = idmap_hash_add(hash, key[n++]);
        const struct idmap_root *root = part_ends(v, i) ? idmap_find_root(s->map, str_of(key, n), hash) : NULL;
        if (root != NULL) {
            best = root;
            *end_out = i;
        }
    }
    return best;
}

static str without_scheme(str url) { return str_sub(url, str_find(url, STR("://"), 0) + 3, url.n); }

/* Does the text at `at`, where the URL's host is, read as the target already? Then a longer target that begins as the source
 * does is not put there twice. */
static bool is_target(const struct refs_view *v, size_t at, size_t end, str target)
{
    str wanted = without_scheme(target);
    if (wanted.n <= end - at || wanted.n > v->n - at)
        return false;
    for (size_t i = 0; i < wanted.n; i++)
        if (refs_view_lower(v->c[at + i]) != refs_view_lower((unsigned char)wanted.p[i]))
            return false;
    return part_ends(v, at + wanted.n);
}

static bool take_host(const struct refs_scan *s, const struct idmap_host *h, size_t at, struct refs_hit *out)
{
    const struct refs_view *v = s->view;
    bool scheme;
    size_t start = url_start(v, h, at, &scheme), end = start == SIZE_MAX ? SIZE_MAX : host_end(v, h, at), root_end;
    if (end == SIZE_MAX)
        return false;
    const struct idmap_root *root = find_root(s, h, end, &root_end);
    if (root == NULL && !h->has_base)
        return false;
    str target = root ? root->to : h->to_url;
    *out = (struct refs_hit){.from = start,
                             .to = root ? root_end : end,
                             .kind = root && root->service ? REF_SERVICE_URL : REF_PORTAL_URL,
                             .host = h,
                             .target = scheme ? target : without_scheme(target),
                             .same = root ? root->same : h->same};
    if (!out->same && is_target(v, at, out->to, target)) {
        out->same = true;
        out->to = at + without_scheme(target).n;
    }
    return true;
}

/* ---- both ---- */

/* Place 0 is that of the next id, place i + 1 that of the next name of host i. */
static size_t find_place(const struct refs_scan *s, size_t which, size_t pos)
{
    if (which > 0)
        return find_host(s->view, s->map->hosts[which - 1], pos);
    return s->unknown_ids || s->map->id_count > 0 ? find_id(s->view, pos) : SIZE_MAX;
}

void refs_scan_start(struct refs_scan *s, const struct idmap *map, const struct refs_view *view, size_t pos, bool unknown_ids)
{
    s->map = map;
    s->view = view;
    s->pos = pos;
    s->unknown_ids = unknown_ids;
    s->place_count = 1 + map->host_count;
    for (size_t i = 0; i < s->place_count; i++)
        s->place[i] = find_place(s, i, pos);
}

bool refs_scan_next(struct refs_scan *s, struct refs_hit *out)
{
    for (;;) {
        size_t first = 0;
        for (size_t i = 0; i < s->place_count; i++) {
            if (s->place[i] < s->pos)
                s->place[i] = find_place(s, i, s->pos);
            if (s->place[i] < s->place[first])
                first = i;
        }
        size_t at = s->place[first];
        if (at == SIZE_MAX)
            return false;
        bool taken = first == 0 ? take_id(s, at, out) : take_host(s, s->map->hosts[first - 1], at, out);
        if (taken && out->from >= s->pos) {
            s->pos = out->to;
            return true;
        }
        s->place[first] = find_place(s, first, at + 1);
    }
}
