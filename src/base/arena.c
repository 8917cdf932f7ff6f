/* Arena: blocks that double from 4 to 256 KiB; what is larger gets memory of its own, noted by a small entry in the
 * current block, so that one position in the blocks says of everything whether it is older or newer than a mark.
 * Under the address sanitizer everything that is not allocated is poisoned: use after a release is seen at once. */
#include "base/arena.h"
#include "base/mem.h"
#include <stdio.h>

#if defined(__SANITIZE_ADDRESS__)
#    define ARENA_ASAN 1
#elif defined(__has_feature)
#    if __has_feature(address_sanitizer)
#        define ARENA_ASAN 1
#    endif
#endif
#ifdef ARENA_ASAN
#    include <sanitizer/asan_interface.h>
#else
#    define ASAN_POISON_MEMORY_REGION(p, n) ((void)(p), (void)(n))
#    define ASAN_UNPOISON_MEMORY_REGION(p, n) ((void)(p), (void)(n))
#endif

enum { ARENA_ALIGN = 16, BLOCK_MIN = 4096, BLOCK_MAX = 256 * 1024, LARGE_MIN = BLOCK_MAX / 4 };

struct block {
    struct block *older;
    size_t capacity, used; /* of data */
    _Alignas(ARENA_ALIGN) char data[];
};

/* An allocation outside the blocks. Lives in `block`, behind everything that is older. */
struct large {
    struct large *older;
    struct block *block;
    void *memory;
    size_t size;
};

struct arena {
    struct block *block; /* the newest */
    struct large *large; /* the newest */
    size_t held;
    size_t own; /* bytes of the first block that hold this structure */
};

static size_t arena_round(size_t n) { return (n + ARENA_ALIGN - 1) & ~(size_t)(ARENA_ALIGN - 1); }

static struct block *block_open(struct block *older, size_t size)
{
    struct block *b = mem_resize(NULL, size);
    *b = (struct block){.older = older, .capacity = size - sizeof *b};
    ASAN_POISON_MEMORY_REGION(b->data, b->capacity);
    return b;
}

static size_t block_size(const struct block *b) { return sizeof *b + b->capacity; }

static void block_close(struct block *b)
{
    ASAN_UNPOISON_MEMORY_REGION(b->data, b->capacity);
    mem_free(b);
}

/* The next `size` bytes of a block that has room for them. */
static void *block_take(struct block *b, size_t size)
{
    void *p = b->data + b->used;
    b->used += arena_round(size);
    ASAN_UNPOISON_MEMORY_REGION(p, size);
    return p;
}

static bool block_has_room(const struct block *b, size_t size) { return size <= b->capacity - b->used; }

struct arena *arena_open(void)
{
    struct block *b = block_open(NULL, BLOCK_MIN);
    struct arena *a = block_take(b, sizeof *a);
    *a = (struct arena){.block = b, .held = block_size(b), .own = b->used};
    return a;
}

static void arena_pop_large(struct arena *a)
{
    struct large *l = a->large;
    a->large = l->older;
    a->held -= l->size;
    mem_free(l->memory);
}

static void arena_pop_block(struct arena *a)
{
    struct block *b = a->block;
    while (a->large && a->large->block == b)
        arena_pop_large(a);
    a->block = b->older;
    a->held -= block_size(b);
    block_close(b);
}

void arena_release(struct arena *a, struct arena_mark mark)
{
    while (a->block != mark.block)
        arena_pop_block(a);
    struct block *b = a->block;
    while (a->large && a->large->block == b && (char *)a->large >= b->data + mark.used)
        arena_pop_large(a);
    b->used = mark.used;
    ASAN_POISON_MEMORY_REGION(b->data + b->used, b->capacity - b->used);
}

struct arena_mark arena_mark(struct arena *a) { return (struct arena_mark){.block = a->block, .used = a->block->used}; }

void arena_reset(struct arena *a)
{
    struct block *first = a->block;
    while (first->older)
        first = first->older;
    arena_release(a, (struct arena_mark){.block = first, .used = a->own});
}

void arena_close(struct arena *a)
{
    if (!a)
        return;
    arena_reset(a);
    block_close(a->block); /* the arena itself lives in it */
}

size_t arena_size(const struct arena *a) { return a->held; }

/* Not zeroed; size is at most LARGE_MIN. */
static void *arena_take(struct arena *a, size_t size)
{
    size_t need = arena_round(size);
    if (!block_has_room(a->block, need)) {
        size_t next = block_size(a->block);
        do
            next = next < BLOCK_MAX ? next * 2 : BLOCK_MAX;
        while (next - sizeof(struct block) < need);
        a->block = block_open(a->block, next);
        a->held += next;
    }
    return block_take(a->block, size);
}

static void *arena_take_large(struct arena *a, size_t size)
{
    void *memory = mem_alloc(size); /* an absurd size ends the process here */
    struct large *l = arena_take(a, sizeof *l);
    *l = (struct large){.older = a->large, .block = a->block, .memory = memory, .size = size};
    a->large = l;
    a->held += size;
    return memory;
}

void *arena_alloc(struct arena *a, size_t size)
{
    if (size > LARGE_MIN)
        return arena_take_large(a, size);
    return memset(arena_take(a, size), 0, size);
}

void *arena_alloc_array(struct arena *a, size_t count, size_t size)
{
    size_t total;
    if (__builtin_mul_overflow(count, size, &total))
        total = SIZE_MAX; /* no machine has it: ends the process as any other shortage */
    return arena_alloc(a, total);
}

/* The newest allocation of the newest block can be made longer where it is. */
static bool arena_extend(struct arena *a, char *p, size_t old_size, size_t new_size)
{
    struct block *b = a->block;
    if (!p || new_size > LARGE_MIN || p + arena_round(old_size) != b->data + b->used)
        return false;
    size_t more = arena_round(new_size) - arena_round(old_size);
    if (!block_has_room(b, more))
        return false;
    b->used += more;
    ASAN_UNPOISON_MEMORY_REGION(p, new_size);
    memset(p + old_size, 0, new_size - old_size);
    return true;
}

void *arena_grow(struct arena *a, void *array, size_t *capacity, size_t need, size_t size)
{
    size_t old = *capacity;
    if (need <= old)
        return array;
    *capacity = need > old * 2 ? need : old * 2;
    size_t total;
    if (!__builtin_mul_overflow(*capacity, size, &total) && arena_extend(a, array, old * size, total))
        return array;
    void *bigger = arena_alloc_array(a, *capacity, size);
    if (old)
        memcpy(bigger, array, old * size);
    return bigger;
}

str arena_str(struct arena *a, str s) { return str_none(s) ? s : str_of(arena_cstr(a, s), s.n); }

char *arena_cstr(struct arena *a, str s)
{
    char *copy = arena_alloc(a, s.n + 1);
    if (s.n)
        memcpy(copy, s.p, s.n);
    return copy;
}

str arena_vprintf(struct arena *a, const char *fmt, va_list args)
{
    char small[256];
    va_list again;
    va_copy(again, args);
    int n = vsnprintf(small, sizeof small, fmt, args);
    str s = arena_str(a, str_of(small, n > 0 && (size_t)n < sizeof small ? (size_t)n : 0));
    if (n > 0 && (size_t)n >= sizeof small) {
        char *p = arena_alloc(a, (size_t)n + 1);
        vsnprintf(p, (size_t)n + 1, fmt, again);
        s = str_of(p, (size_t)n);
    }
    va_end(again);
    return s;
}

str arena_printf(struct arena *a, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    str s = arena_vprintf(a, fmt, args);
    va_end(args);
    return s;
}
