/* Counted views: a hash table of items under a lock, swapped for an empty one when it is flushed. */
#include "service/views.h"
#include "base/mem.h"

#include <pthread.h>

enum { SLOTS_FIRST = 256, SLOTS_MAX = 1 << 17, ROWS_A_STEP = 500 };

struct view {
    id item; /* ID_NONE: a free slot */
    int64_t count, when;
};
struct view_table {
    struct view *slots; /* a power of two of them, at most three quarters used */
    size_t size, used;
};
struct views {
    pthread_mutex_t lock;
    struct view_table table;
};

struct views *views_open(void)
{
    struct views *v = mem_new(struct views);
    pthread_mutex_init(&v->lock, NULL);
    return v;
}

void views_close(struct views *v)
{
    if (!v)
        return;
    pthread_mutex_destroy(&v->lock);
    mem_free(v->table.slots);
    mem_free(v);
}

/* The slot of an item, or the free one where it belongs. Ids are random, so a few of their digits spread well. */
static struct view *slot_of(const struct view_table *t, const id *item)
{
    uint64_t h = 14695981039346656037U; /* FNV-1a: ids may also be chosen */
    for (size_t i = 0; i < ID_SIZE; i++)
        h = (h ^ (uint8_t)item->text[i]) * 1099511628211U;
    size_t at = (size_t)h & (t->size - 1);
    while (!id_none(t->slots[at].item) && !id_eq(t->slots[at].item, *item))
        at = (at + 1) & (t->size - 1);
    return &t->slots[at];
}

static void table_grow(struct view_table *t)
{
    struct view_table larger = {.size = t->size ? t->size * 2 : SLOTS_FIRST, .used = t->used};
    larger.slots = mem_alloc(larger.size * sizeof *larger.slots);
    for (size_t i = 0; i < t->size; i++)
        if (!id_none(t->slots[i].item))
            *slot_of(&larger, &t->slots[i].item) = t->slots[i];
    mem_free(t->slots);
    *t = larger;
}

/* Under the lock. More items between two flushes than the table may hold are not counted. */
static void table_add(struct view_table *t, const id *item, int64_t count, int64_t when)
{
    if (t->used >= t->size / 4 * 3 && t->size < SLOTS_MAX)
        table_grow(t);
    struct view *slot = slot_of(t, item);
    if (id_none(slot->item)) {
        if (t->used >= t->size / 4 * 3)
            return;
        slot->item = *item;
        t->used++;
    }
    slot->count += count;
    slot->when = when > slot->when ? when : slot->when;
}

void views_add(struct ctx *ctx, struct views *v, const id *item)
{
    pthread_mutex_lock(&v->lock);
    table_add(&v->table, item, 1, ctx_now(ctx));
    pthread_mutex_unlock(&v->lock);
}

int64_t views_pending(struct views *v, const id *item, int64_t *when_out)
{
    int64_t count = 0;
    pthread_mutex_lock(&v->lock);
    const struct view *slot = v->table.size ? slot_of(&v->table, item) : NULL;
    if (slot && !id_none(slot->item)) {
        count = slot->count;
        *when_out = slot->when;
    }
    pthread_mutex_unlock(&v->lock);
    return count;
}

struct flush {
    struct view *list;
    size_t count;
};

static int flush_rows(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
    const struct flush *f = arg;
    for (size_t i = 0; i < f->count; i++)
        TRY(meta_item_viewed(ctx, tx, &f->list[i].item, f->list[i].count, f->list[i].when));
    return RC_OK;
}

/* The views of a table in a row, from its beginning. */
static void table_pack(struct view_table *t)
{
    size_t n = 0;
    for (size_t i = 0; i < t->size; i++)
        if (!id_none(t->slots[i].item))
            t->slots[n++] = t->slots[i];
}

int views_flush(struct ctx *ctx, struct site *s)
{
    struct views *v = s->views;
    pthread_mutex_lock(&v->lock);
    struct view_table t = v->table;
    v->table = (struct view_table){0};
    pthread_mutex_unlock(&v->lock);
    table_pack(&t);
    int rc = RC_OK;
    size_t done = 0;
    while (rc == RC_OK && done < t.used) {
        struct flush f = {.list = t.slots + done, .count = t.used - done < ROWS_A_STEP ? t.used - done : ROWS_A_STEP};
        rc = sql_write(ctx, s->sql, flush_rows, &f);
        done += rc == RC_OK ? f.count : 0;
    }
    pthread_mutex_lock(&v->lock);
    for (; done < t.used; done++) /* for the next time */
        table_add(&v->table, &t.slots[done].item, t.slots[done].count, t.slots[done].when);
    pthread_mutex_unlock(&v->lock);
    mem_free(t.slots);
    return rc;
}
