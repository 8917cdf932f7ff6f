/* External sorting of fixed-size records: see sorter.h. */
#include "store/sorter.h"

#include "base/file.h"
#include "base/mem.h"

enum { RUN_BUFFER = 32 * 1024, SMALL_BUCKET = 24 };

/* A sorted run in the file, read through a window. */
struct run {
    uint64_t next, end; /* offsets in the file */
    unsigned char *window;
    size_t at, filled;
};
struct sorter {
    char *dir;
    size_t size, capacity, filled; /* records of the buffer */
    unsigned char *buffer;
    uint64_t count, file_size;
    int fd;
    bool merging;
    size_t at; /* next record when there is only the buffer */
    struct run *runs;
    size_t run_count;
    size_t *heap; /* runs that have records, smallest first */
    size_t heap_count;
};

struct sorter *sorter_open(const char *dir, size_t size, size_t memory)
{
    struct sorter *s = mem_new(struct sorter);
    *s = (struct sorter){.dir = mem_cstr(dir), .size = size, .capacity = memory / size, .fd = -1};
    s->buffer = mem_alloc(s->capacity * size);
    return s;
}

void sorter_close(struct sorter *s)
{
    if (!s)
        return;
    for (size_t i = 0; i < s->run_count; i++)
        mem_free(s->runs[i].window);
    mem_free(s->runs);
    mem_free(s->heap);
    mem_free(s->buffer);
    file_close(&s->fd);
    mem_free(s->dir);
    mem_free(s);
}

uint64_t sorter_count(const struct sorter *s) { return s->count; }

static uint64_t key_of(const unsigned char *record)
{
    uint64_t key;
    memcpy(&key, record, sizeof key);
    return key;
}

static void exchange(unsigned char *a, unsigned char *b, size_t size)
{
    for (size_t i = 0; i < size; i += sizeof(uint64_t)) {
        uint64_t x, y;
        memcpy(&x, a + i, sizeof x);
        memcpy(&y, b + i, sizeof y);
        memcpy(a + i, &y, sizeof y);
        memcpy(b + i, &x, sizeof x);
    }
}

static void sort_small(unsigned char *p, size_t count, size_t size)
{
    unsigned char held[SORTER_RECORD_MAX];
    for (size_t i = 1; i < count; i++) {
        uint64_t key = key_of(p + i * size);
        size_t to = i;
        while (to > 0 && key_of(p + (to - 1) * size) > key)
            to--;
        if (to == i)
            continue;
        memcpy(held, p + i * size, size);
        memmove(p + (to + 1) * size, p + to * size, (i - to) * size);
        memcpy(p + to * size, held, size);
    }
}

/* Radix sort in place, a byte of the key at a time from the top: permutes records into their buckets by cycles. */
static void sort_radix(unsigned char *p, size_t count, size_t size, int shift)
{
    if (count <= SMALL_BUCKET) {
        sort_small(p, count, size);
        return;
    }
    size_t start[256] = {0}, end[256] = {0}, total = 0;
    for (size_t i = 0; i < count; i++)
        end[(key_of(p + i * size) >> shift) & 0xff]++;
    for (int b = 0; b < 256; b++) {
        start[b] = total;
        total += end[b];
        end[b] = total;
    }
    size_t next[256];
    memcpy(next, start, sizeof next);
    for (size_t b = 0; b < 256; b++) {
        while (next[b] < end[b]) {
            unsigned char *record = p + next[b] * size;
            size_t to = (key_of(record) >> shift) & 0xff;
            if (to == b)
                next[b]++;
            else
                exchange(record, p + next[to]++ * size, size);
        }
    }
    for (int b = 0; b < 256 && shift > 0; b++)
        if (end[b] - start[b] > 1)
            sort_radix(p + start[b] * size, end[b] - start[b], size, shift - 8);
}

static void sort_buffer(struct sorter *s) { sort_radix(s->buffer, s->filled, s->size, 56); }

static int spill(struct ctx *ctx, struct sorter *s)
{
    if (s->filled == 0)
        return RC_OK;
    if (s->fd < 0)
        TRY(file_create_nameless(ctx, s->dir, &s->fd));
    sort_buffer(s);
    uint64_t bytes = s->filled * s->size;
    TRY(file_pwrite(ctx, s->fd, s->buffer, bytes, s->file_size));
    s->runs = mem_resize(s->runs, (s->run_count + 1) * sizeof *s->runs);
    s->runs[s->run_count++] = (struct run){.next = s->file_size, .end = s->file_size + bytes};
    s->file_size += bytes;
    s->filled = 0;
    return RC_OK;
}

int sorter_add(struct ctx *ctx, struct sorter *s, const void *record)
{
    if (s->filled == s->capacity)
        TRY(spill(ctx, s));
    memcpy(s->buffer + s->filled++ * s->size, record, s->size);
    s->count++;
    return RC_OK;
}

static int refill(struct ctx *ctx, struct sorter *s, struct run *r)
{
    size_t room = RUN_BUFFER / s->size * s->size;
    r->at = 0;
    r->filled = r->end - r->next < room ? (size_t)(r->end - r->next) : room;
    TRY(file_pread(ctx, s->fd, r->window, r->filled, r->next));
    r->next += r->filled;
    return RC_OK;
}

/* Order of the merge: by key, then by run, so that equal keys always come out alike. */
static bool before(const struct sorter *s, size_t a, size_t b)
{
    uint64_t x = key_of(s->runs[a].window + s->runs[a].at), y = key_of(s->runs[b].window + s->runs[b].at);
    return x < y || (x == y && a < b);
}

static void sift_down(struct sorter *s, size_t at)
{
    for (size_t child; (child = 2 * at + 1) < s->heap_count;) {
        if (child + 1 < s->heap_count && before(s, s->heap[child + 1], s->heap[child]))
            child++;
        if (before(s, s->heap[at], s->heap[child]))
            return;
        size_t held = s->heap[at];
        s->heap[at] = s->heap[child];
        s->heap[child] = held;
        at = child;
    }
}

static int merge_begin(struct ctx *ctx, struct sorter *s)
{
    s->merging = true;
    if (s->run_count == 0) {
        sort_buffer(s);
        return RC_OK;
    }
    TRY(spill(ctx, s));
    mem_free(s->buffer);
    s->buffer = NULL;
    s->heap = mem_alloc(s->run_count * sizeof *s->heap);
    for (size_t i = 0; i < s->run_count; i++) {
        s->runs[i].window = mem_alloc(RUN_BUFFER);
        TRY(refill(ctx, s, &s->runs[i]));
        s->heap[s->heap_count++] = i;
    }
    for (size_t i = s->heap_count; i-- > 0;)
        sift_down(s, i);
    return RC_OK;
}

int sorter_next(struct ctx *ctx, struct sorter *s, void *record_out)
{
    if (!s->merging)
        TRY(merge_begin(ctx, s));
    if (s->run_count == 0) {
        if (s->at == s->filled)
            return RC_END;
        memcpy(record_out, s->buffer + s->at++ * s->size, s->size);
        return RC_OK;
    }
    if (s->heap_count == 0)
        return RC_END;
    struct run *r = &s->runs[s->heap[0]];
    memcpy(record_out, r->window + r->at, s->size);
    r->at += s->size;
    if (r->at == r->filled && r->next < r->end)
        TRY(refill(ctx, s, r));
    else if (r->at == r->filled)
        s->heap[0] = s->heap[--s->heap_count];
    sift_down(s, 0);
    return RC_OK;
}
