/* A hash table of counters with chains. Addresses are chosen by strangers, so the hash has a key that they do not know. */
#include "net/tally.h"
#include "base/hash.h"
#include "base/mem.h"

#include <pthread.h>

enum { BUCKETS = 4096, NETWORK_BYTES = 8 };

struct counter {
    struct address address;
    uint64_t count;
    struct counter *next;
};
struct tally {
    pthread_mutex_t lock;
    uint64_t key;
    struct counter *buckets[BUCKETS];
};

struct tally *tally_open(void)
{
    struct tally *t = mem_new(struct tally);
    pthread_mutex_init(&t->lock, NULL);
    random_bytes(&t->key, sizeof t->key);
    t->key |= 1;
    return t;
}

void tally_close(struct tally *t)
{
    if (!t)
        return;
    for (size_t i = 0; i < BUCKETS; i++)
        while (t->buckets[i]) {
            struct counter *c = t->buckets[i];
            t->buckets[i] = c->next;
            mem_free(c);
        }
    pthread_mutex_destroy(&t->lock);
    mem_free(t);
}

static struct address counted_as(const struct address *address)
{
    struct address out = *address;
    if (!address_v4(address))
        memset(out.bytes + NETWORK_BYTES, 0, sizeof out.bytes - NETWORK_BYTES);
    return out;
}

/* With the lock. Where the pointer to that counter is, or would be. */
static struct counter **find(struct tally *t, const struct address *address)
{
    uint64_t h = t->key;
    for (size_t i = 0; i < sizeof address->bytes; i++)
        h = (h ^ address->bytes[i]) * t->key + (h >> 29);
    struct counter **at = &t->buckets[(h >> 32) % BUCKETS];
    while (*at && memcmp((*at)->address.bytes, address->bytes, sizeof address->bytes) != 0)
        at = &(*at)->next;
    return at;
}

bool tally_add(struct tally *t, const struct address *address, uint64_t amount, uint64_t limit)
{
    struct address key = counted_as(address);
    pthread_mutex_lock(&t->lock);
    struct counter **at = find(t, &key);
    uint64_t before = *at ? (*at)->count : 0;
    bool allowed = limit == 0 || (amount <= limit && before <= limit - amount);
    if (allowed && !*at) {
        *at = mem_new(struct counter);
        (*at)->address = key;
    }
    if (allowed)
        (*at)->count += amount;
    pthread_mutex_unlock(&t->lock);
    return allowed;
}

void tally_remove(struct tally *t, const struct address *address, uint64_t amount)
{
    struct address key = counted_as(address);
    pthread_mutex_lock(&t->lock);
    struct counter **at = find(t, &key), *c = *at;
    if (c)
        c->count -= amount;
    if (c && c->count == 0) {
        *at = c->next;
        mem_free(c);
    }
    pthread_mutex_unlock(&t->lock);
}

uint64_t tally_count(struct tally *t, const struct address *address)
{
    struct address key = counted_as(address);
    pthread_mutex_lock(&t->lock);
    const struct counter *c = *find(t, &key);
    uint64_t count = c ? c->count : 0;
    pthread_mutex_unlock(&t->lock);
    return count;
}
