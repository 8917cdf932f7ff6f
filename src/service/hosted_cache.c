/* Parsed definitions, one entry a version of a service. Entries are immutable; a service that changed gets a new entry, and the
 * old one lives until its last reader has put it back. */
#include "service/hosted_cache.h"
#include "base/mem.h"
#include "service/hosted_view.h"
#include <pthread.h>

enum { ENTRIES_MAX = 128 };

struct hosted_entry {
    struct hosted_service service;
    int64_t modified, source_modified;
    struct arena *arena; /* everything of the service lives here */
    unsigned users;      /* readers, and one while it is in the list */
    struct hosted_entry *next;
};
struct hosted_cache {
    pthread_mutex_t lock; /* guards the list and the counters */
    pthread_rwlock_t definitions;
    struct hosted_entry *first; /* most recently used first */
    size_t count;
};

struct hosted_cache *hosted_cache_open(void)
{
    struct hosted_cache *c = mem_new(struct hosted_cache);
    pthread_mutex_init(&c->lock, NULL);
    pthread_rwlock_init(&c->definitions, NULL);
    return c;
}

static void entry_free(struct hosted_entry *e)
{
    arena_close(e->arena);
    mem_free(e);
}

void hosted_cache_close(struct hosted_cache *c)
{
    if (!c)
        return;
    while (c->first) {
        struct hosted_entry *e = c->first;
        c->first = e->next;
        entry_free(e);
    }
    pthread_rwlock_destroy(&c->definitions);
    pthread_mutex_destroy(&c->lock);
    mem_free(c);
}

/* ---- under the lock ---- */

static void entry_put(struct hosted_entry *e)
{
    if (--e->users == 0)
        entry_free(e);
}

static void take_out(struct hosted_cache *c, struct hosted_entry **at)
{
    struct hosted_entry *e = *at;
    *at = e->next;
    c->count--;
    entry_put(e);
}

static void put_first(struct hosted_cache *c, struct hosted_entry *e)
{
    e->next = c->first;
    c->first = e;
    c->count++;
    e->users++;
}

static int64_t modified_of(const struct hosted *row) { return row ? row->modified : 0; }

/* The entry of this version, referenced and moved to the front; other versions of the service leave the list. */
static struct hosted_entry *find(struct hosted_cache *c, const struct hosted_version *v)
{
    const struct hosted *row = v->row, *stored = v->source ? v->source : row;
    struct hosted_entry *found = NULL;
    for (struct hosted_entry **at = &c->first; *at;) {
        struct hosted_entry *e = *at;
        if (!id_eq(e->service.item, row->item)) {
            at = &e->next;
            continue;
        }
        bool same = e->modified == row->modified && e->source_modified == modified_of(v->source) &&
                    id_eq(e->service.store, stored->store);
        if (same) {
            found = e;
            e->users++;
        }
        take_out(c, at);
    }
    if (found)
        put_first(c, found);
    return found;
}

static void insert(struct hosted_cache *c, struct hosted_entry *e)
{
    put_first(c, e);
    if (c->count <= ENTRIES_MAX)
        return;
    struct hosted_entry **at = &c->first;
    while ((*at)->next)
        at = &(*at)->next;
    take_out(c, at);
}

/* ---- getting ---- */

static int parse(struct ctx *ctx, const struct hosted_version *v, struct hosted_entry **out)
{
    const struct hosted *row = v->row, *stored = v->source ? v->source : row;
    struct ctx child;
    ctx_child(&child, ctx);
    struct hosted_entry *e = mem_new(struct hosted_entry);
    *e = (struct hosted_entry){
        .arena = child.arena, .modified = row->modified, .source_modified = modified_of(v->source), .users = 1};
    struct hosted_service *h = &e->service;
    *h = (struct hosted_service){.item = row->item,
                                 .store = stored->store,
                                 .source = row->source,
                                 .modified = row->modified,
                                 .name = arena_str(e->arena, row->name),
                                 .definition = arena_str(e->arena, row->definition)};
    int rc = service_parse(&child, h->definition, &h->def);
    if (rc == RC_OK && v->source)
        rc = hosted_view_bind(&child, arena_str(e->arena, v->source->definition), &h->def);
    ctx_adopt_error(ctx, &child, rc);
    if (rc != RC_OK)
        entry_free(e);
    else
        *out = e;
    return rc;
}

struct hosted_entry *hosted_cache_find(struct hosted_cache *c, const struct hosted_version *v)
{
    pthread_mutex_lock(&c->lock);
    struct hosted_entry *e = find(c, v);
    pthread_mutex_unlock(&c->lock);
    return e;
}

int hosted_cache_get(struct ctx *ctx, struct hosted_cache *c, const struct hosted_version *v, struct hosted_entry **out)
{
    *out = hosted_cache_find(c, v);
    if (*out)
        return RC_OK;
    TRY(parse(ctx, v, out));
    pthread_mutex_lock(&c->lock);
    struct hosted_entry *other = find(c, v); /* made by another thread meanwhile */
    if (other) {
        entry_free(*out);
        *out = other;
    } else {
        insert(c, *out);
    }
    pthread_mutex_unlock(&c->lock);
    return RC_OK;
}

void hosted_cache_put(struct hosted_cache *c, struct hosted_entry *e)
{
    pthread_mutex_lock(&c->lock);
    entry_put(e);
    pthread_mutex_unlock(&c->lock);
}

const struct hosted_service *hosted_entry_service(const struct hosted_entry *e) { return &e->service; }

void hosted_cache_lock(struct hosted_cache *c, bool change)
{
    if (change)
        pthread_rwlock_wrlock(&c->definitions);
    else
        pthread_rwlock_rdlock(&c->definitions);
}

void hosted_cache_unlock(struct hosted_cache **c)
{
    if (*c)
        pthread_rwlock_unlock(&(*c)->definitions);
}
