/* What is known on both sides of a migration: ids, URL prefixes, hosts, user names. */
#include "model/idmap.h"

#include "base/mem.h"
#include "model/refs_view.h"

struct idmap *idmap_open(void)
{
    struct idmap *m = mem_new(struct idmap);
    m->arena = arena_open();
    return m;
}

void idmap_close(struct idmap *m)
{
    if (m == NULL)
        return;
    arena_close(m->arena);
    mem_free(m);
}

/* ---- ids ---- */

static uint64_t id_hash(const unsigned char *hex)
{
    uint64_t h = IDMAP_HASH_START;
    for (size_t i = 0; i < ID_SIZE; i++)
        h = idmap_hash_add(h, refs_view_lower(hex[i]));
    return h ^ h >> 32;
}

static bool id_equals(const id *a, const unsigned char *hex)
{
    for (size_t i = 0; i < ID_SIZE; i++)
        if ((unsigned char)a->text[i] != refs_view_lower(hex[i]))
            return false;
    return true;
}

/* The place of an id, or the free place where it belongs. The table always has free places. */
static struct idmap_id *id_place(struct idmap_id *ids, size_t capacity, const unsigned char *hex)
{
    size_t i = id_hash(hex) & (capacity - 1);
    while (!id_none(ids[i].from) && !id_equals(&ids[i].from, hex))
        i = (i + 1) & (capacity - 1);
    return &ids[i];
}

const struct idmap_id *idmap_find_id(const struct idmap *m, const unsigned char *hex)
{
    if (m->id_count == 0)
        return NULL;
    const struct idmap_id *place = id_place(m->ids, m->id_capacity, hex);
    return id_none(place->from) ? NULL : place;
}

static struct idmap_id *id_add(struct idmap *m, const id *from)
{
    const unsigned char *hex = (const unsigned char *)from->text;
    if (2 * (m->id_count + 1) > m->id_capacity) {
        size_t capacity = m->id_capacity ? 2 * m->id_capacity : 64;
        struct idmap_id *ids = arena_array(m->arena, struct idmap_id, capacity);
        for (size_t i = 0; i < m->id_capacity; i++)
            if (!id_none(m->ids[i].from))
                *id_place(ids, capacity, (const unsigned char *)m->ids[i].from.text) = m->ids[i];
        m->ids = ids;
        m->id_capacity = capacity;
    }
    struct idmap_id *place = id_place(m->ids, m->id_capacity, hex);
    m->id_count += id_none(place->from);
    place->from = *from;
    return place;
}

void idmap_item(struct idmap *m, const id *from, const id *to)
{
    struct idmap_id *place = id_add(m, from);
    place->to = *to;
    place->kind = REF_ITEM_ID;
}

void idmap_group(struct idmap *m, const id *from, const id *to)
{
    struct idmap_id *place = id_add(m, from);
    place->to = *to;
    place->kind = REF_GROUP_ID;
}

/* ---- user names ---- */

void idmap_username(struct idmap *m, str from, str to)
{
    m->users = arena_grow(m->arena, m->users, &m->user_capacity, m->user_count + 1, sizeof *m->users);
    m->users[m->user_count++] = (struct idmap_user){.from = arena_str(m->arena, from), .to = arena_str(m->arena, to)};
}

const struct idmap_user *idmap_find_user(const struct idmap *m, str name)
{
    for (size_t i = 0; i < m->user_count; i++)
        if (str_ieq(m->users[i].from, name))
            return &m->users[i];
    return NULL;
}

/* ---- URLs ---- */

struct url_form {
    str scheme; /* "http" or "https" */
    str host;   /* lower case, without a default port */
    str key;    /* host and path, lower case */
    str whole;  /* scheme://host/path as written, decoded, no slash at the end */
};

static str lower(struct arena *a, str s)
{
    str copy = arena_str(a, s);
    char *p = (char *)(uintptr_t)copy.p;
    for (size_t i = 0; i < copy.n; i++)
        p[i] = (char)refs_view_lower((unsigned char)p[i]);
    return copy;
}

static str without_default_port(str host)
{
    size_t colon = str_find_char(host, ':', 0);
    str port = colon == SIZE_MAX ? STR_NONE : str_sub(host, colon, host.n);
    return str_eq(port, STR(":80")) || str_eq(port, STR(":443")) ? str_sub(host, 0, colon) : host;
}

/* False when it is no http(s) URL with a host. */
static bool url_form(struct arena *a, str url, struct url_form *out)
{
    CLEANUP(refs_view_free) struct refs_view v = {0};
    refs_view_set(&v, str_trim(url));
    str text = refs_view_decoded(&v, a, 0, v.n);
    size_t query = 0;
    while (query < text.n && text.p[query] != '?' && text.p[query] != '#')
        query++;
    text = str_sub(text, 0, query);
    while (str_ends(text, STR("/")))
        text.n--;
    size_t scheme = str_find(text, STR("://"), 0);
    if (scheme == SIZE_MAX)
        return false;
    *out = (struct url_form){.scheme = lower(a, str_sub(text, 0, scheme))};
    str rest = str_sub(text, scheme + 3, text.n);
    size_t slash = str_find_char(rest, '/', 0);
    str host = str_sub(rest, 0, slash == SIZE_MAX ? rest.n : slash), path = str_sub(rest, host.n, rest.n);
    if (str_empty(host) || (!str_eq(out->scheme, STR("http")) && !str_eq(out->scheme, STR("https"))))
        return false;
    out->host = lower(a, without_default_port(host));
    out->key = lower(a, arena_printf(a, "%.*s%.*s", STR_FMT(out->host), STR_FMT(path)));
    out->whole = arena_printf(a, "%.*s://%.*s%.*s", STR_FMT(out->scheme), STR_FMT(host), STR_FMT(path));
    return true;
}

static uint64_t key_hash(str key)
{
    uint64_t h = IDMAP_HASH_START;
    for (size_t i = 0; i < key.n; i++)
        h = idmap_hash_add(h, (unsigned char)key.p[i]);
    return h;
}

static struct idmap_root *root_place(struct idmap_root *roots, size_t capacity, str key, uint64_t hash)
{
    size_t i = (hash ^ hash >> 32) & (capacity - 1);
    while (!str_none(roots[i].key) && !str_eq(roots[i].key, key))
        i = (i + 1) & (capacity - 1);
    return &roots[i];
}

const struct idmap_root *idmap_find_root(const struct idmap *m, str key, uint64_t hash)
{
    if (m->root_count == 0)
        return NULL;
    const struct idmap_root *place = root_place(m->roots, m->root_capacity, key, hash);
    return str_none(place->key) ? NULL : place;
}

static void root_add(struct idmap *m, struct idmap_root root)
{
    if (2 * (m->root_count + 1) > m->root_capacity) {
        size_t capacity = m->root_capacity ? 2 * m->root_capacity : 64;
        struct idmap_root *roots = arena_array(m->arena, struct idmap_root, capacity);
        for (size_t i = 0; i < m->root_capacity; i++)
            if (!str_none(m->roots[i].key))
                *root_place(roots, capacity, m->roots[i].key, key_hash(m->roots[i].key)) = m->roots[i];
        m->roots = roots;
        m->root_capacity = capacity;
    }
    struct idmap_root *place = root_place(m->roots, m->root_capacity, root.key, key_hash(root.key));
    m->root_count += str_none(place->key);
    *place = root;
    if (root.key.n > m->root_longest)
        m->root_longest = root.key.n;
}

/* NULL when the map is full of hosts. */
static struct idmap_host *host_add(struct idmap *m, str name)
{
    for (size_t i = 0; i < m->host_count; i++)
        if (str_eq(m->hosts[i]->name, name))
            return m->hosts[i];
    if (m->host_count == IDMAP_HOSTS_MAX)
        return NULL;
    struct idmap_host *h = m->hosts[m->host_count++] = arena_new(m->arena, struct idmap_host);
    /* An IPv6 address has colons of its own inside its brackets. */
    size_t bracket = str_find_char(name, ']', 0);
    *h = (struct idmap_host){.name = name, .has_port = str_find_char(name, ':', bracket == SIZE_MAX ? 0 : bracket) != SIZE_MAX};
    size_t n = name.n < UINT8_MAX ? name.n : UINT8_MAX;
    memset(h->skip, (int)n, sizeof h->skip);
    for (size_t i = 0; i + 1 < name.n; i++) {
        size_t jump = name.n - 1 - i;
        unsigned char c = (unsigned char)name.p[i];
        uint8_t skip = (uint8_t)(jump < UINT8_MAX ? jump : UINT8_MAX);
        h->skip[c] = skip;
        if (c >= 'a' && c <= 'z')
            h->skip[c - 32] = skip;
    }
    return h;
}

/* A URL that cannot be cut is nothing that a text could name. */
static struct idmap_host *url_add(struct idmap *m, str from_url, str to_url, bool service, struct url_form *to)
{
    struct url_form from;
    if (!url_form(m->arena, from_url, &from) || !url_form(m->arena, to_url, to))
        return NULL;
    root_add(m, (struct idmap_root){.key = from.key, .to = to->whole, .service = service, .same = str_eq(from.key, to->key)});
    return host_add(m, from.host);
}

void idmap_service(struct idmap *m, str from_url, str to_url)
{
    struct url_form to;
    url_add(m, from_url, to_url, true, &to);
}

void idmap_base(struct idmap *m, str from_url, str to_url)
{
    struct url_form to;
    struct idmap_host *h = url_add(m, from_url, to_url, false, &to);
    if (h == NULL || h->has_base)
        return; /* the first base of a host says where the rest of it went */
    size_t host_end = str_find_char(to.whole, '/', to.scheme.n + 3);
    h->has_base = true;
    h->same = str_eq(h->name, to.host);
    h->to_url = str_sub(to.whole, 0, host_end == SIZE_MAX ? to.whole.n : host_end);
}

void idmap_service_of_item(struct idmap *m, const id *item, str to_url)
{
    struct url_form to;
    if (!url_form(m->arena, to_url, &to))
        return;
    struct idmap_id *place = id_add(m, item);
    m->service_count += str_empty(place->service_url);
    place->service_url = to.whole;
}
