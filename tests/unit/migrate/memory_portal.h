/* Two portals in memory: a source that gives what the test put into it, and a target that writes down what happens to it. */
#ifndef MAPFERRY_TESTS_UNIT_MIGRATE_MEMORY_PORTAL_H
#define MAPFERRY_TESTS_UNIT_MIGRATE_MEMORY_PORTAL_H

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>

#include "base/mem.h"
#include "migrate/migrate.h"
#include "model/errors.h"
#include <stdio.h>
#include <stdlib.h>

#define assert_ok(call)                                                                                                          \
    do {                                                                                                                         \
        int assert_rc_ = (call);                                                                                                 \
        if (assert_rc_ != RC_OK)                                                                                                 \
            fail_msg("%s: rc %d: %s", #call, assert_rc_, err_text(CTX));                                                         \
    } while (0)
#define assert_str(a, literal)                                                                                                   \
    do {                                                                                                                         \
        str assert_a_ = (a), assert_b_ = STR(literal);                                                                           \
        if (!str_eq(assert_a_, assert_b_))                                                                                       \
            fail_msg("%s: \"%.*s\" is not \"%s\"", #a, STR_FMT(assert_a_), literal);                                             \
    } while (0)

enum { MEMORY_ITEMS = 600, MEMORY_PARTS = 8 };

struct memory_item {
    struct portal_item item;
    struct item_part parts[MEMORY_PARTS];
    str bytes[MEMORY_PARTS];
    struct relationship relationships[2];
};
struct memory_source {
    struct portal base;
    struct memory_item *items;
    size_t count;
    unsigned opened;         /* parts */
    const char *broken_part; /* cannot be read */
};
struct memory_target {
    struct portal base;
    char
        log[4096]; /* "1" a put of item 1, "!1" one refused, "+" before it: overwritten, "r12" a relationship, "|" a checkpoint */
    size_t log_count;
    unsigned checkpoints;
    size_t puts; /* since the last checkpoint */
    size_t puts_all;
    id waiting[MEMORY_ITEMS];
    int refuse_item; /* its put fails with refuse_kind */
    const struct err_kind *refuse_kind;
    int refuse_rc;
    int refuse_late; /* that item's result at the checkpoint is "no" */
    int put_before;  /* items up to this number were put before a restart */
    int cancel_at;   /* the put of this item sets cancel */
    atomic_bool cancel;
    bool break_checkpoint;
};

static struct memory {
    struct ctx ctx;
    struct memory_source source;
    struct memory_target target;
} mem;
#define CTX (&mem.ctx)
#define ARENA (mem.ctx.arena)

static inline id id_of(int n)
{
    id out;
    snprintf(out.text, sizeof out.text, "%032x", (unsigned)n);
    return out;
}

static inline int number_of(const id *i) { return (int)strtol(i->text + 24, NULL, 16); }

static inline void memory_log(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
static inline void memory_log(const char *fmt, ...)
{
    struct memory_target *t = &mem.target;
    va_list args;
    va_start(args, fmt);
    int n = vsnprintf(t->log + t->log_count, sizeof t->log - t->log_count, fmt, args);
    va_end(args);
    assert_true(n >= 0);
    t->log_count += (size_t)n;
    assert_true(t->log_count < sizeof t->log);
}

/* ---- source ---- */

static inline struct memory_item *memory_find(const id *item)
{
    for (size_t i = 0; i < mem.source.count; i++)
        if (id_eq(mem.source.items[i].item.item.id, *item))
            return &mem.source.items[i];
    return NULL;
}

static inline void memory_close(struct portal *p) { (void)p; }

static inline int memory_item_get(struct ctx *ctx, struct portal *p, const id *item, struct portal_item *out)
{
    (void)p;
    const struct memory_item *found = memory_find(item);
    if (!found)
        return err_set_rc(ctx, RC_NOT_FOUND, &ERR_MISSING, "There is no item %d.", number_of(item));
    *out = found->item;
    /* As with a real one, the strings end with the context that asked. */
    for (int f = 0; f < ITEM_FIELD_COUNT; f++)
        out->item.field[f] = arena_str(ctx->arena, found->item.item.field[f]);
    out->relationships = arena_array(ctx->arena, struct relationship, found->item.relationship_count);
    for (size_t i = 0; i < found->item.relationship_count; i++) {
        out->relationships[i] = found->relationships[i];
        out->relationships[i].type = arena_str(ctx->arena, found->relationships[i].type);
    }
    return RC_OK;
}

static inline int memory_part_open(struct ctx *ctx, struct portal *p, const id *item, const struct item_part *part,
                                   struct reader **out)
{
    struct memory_source *s = (struct memory_source *)p;
    const struct memory_item *found = memory_find(item);
    s->opened++;
    for (size_t i = 0; i < found->item.part_count; i++)
        if (found->parts[i].kind == part->kind && str_eq(found->parts[i].name, part->name)) {
            if (s->broken_part && str_eq(part->name, str_c(s->broken_part)))
                return err_set(ctx, &ERR_CORRUPT, "The part is damaged.");
            *out = reader_mem(found->bytes[i]);
            return RC_OK;
        }
    return err_set_rc(ctx, RC_NOT_FOUND, &ERR_MISSING, "no part");
}

/* ---- target ---- */

static inline int memory_was_put(struct ctx *ctx, struct portal *p, const id *item, bool *out)
{
    (void)ctx;
    *out = number_of(item) <= ((struct memory_target *)p)->put_before;
    return RC_OK;
}

static inline int memory_item_put(struct ctx *ctx, struct portal *p, const struct item_put *put)
{
    struct memory_target *t = (struct memory_target *)p;
    const id *item = &put->item->item.id;
    int n = number_of(item);
    if (n == t->refuse_item) {
        memory_log("!%d", n);
        return err_set_rc(ctx, t->refuse_rc, t->refuse_kind, "The target refuses item %d.", n);
    }
    if (mem.source.count < 10)
        memory_log("%s%d", put->overwrite ? "+" : "", n);
    t->waiting[t->puts++] = *item;
    t->puts_all++;
    if (n == t->cancel_at)
        atomic_store(&t->cancel, true);
    return RC_OK;
}

static inline int memory_relationship_put(struct ctx *ctx, struct portal *p, const struct relationship *r)
{
    (void)ctx, (void)p;
    memory_log("r%d%d", number_of(&r->origin), number_of(&r->destination));
    assert_str(r->type, "Map2Service");
    return RC_OK;
}

static inline int memory_checkpoint(struct ctx *ctx, struct portal *p, struct put_result **results_out, size_t *count_out)
{
    struct memory_target *t = (struct memory_target *)p;
    if (t->break_checkpoint)
        return err_set(ctx, &ERR_NO_SPACE, "The disk is full.");
    memory_log("|");
    t->checkpoints++;
    *results_out = arena_array(ctx->arena, struct put_result, t->puts);
    *count_out = t->puts;
    for (size_t i = 0; i < t->puts; i++) {
        bool ok = number_of(&t->waiting[i]) != t->refuse_late;
        (*results_out)[i] = (struct put_result){
            .item = t->waiting[i], .ok = ok, .reason = ok ? STR("") : arena_printf(ctx->arena, "%s", "The name is taken.")};
    }
    t->puts = 0;
    return RC_OK;
}

static const struct portal_ops memory_source_ops = {
    .name = "source", .close = memory_close, .item_get = memory_item_get, .part_open = memory_part_open};
static const struct portal_ops memory_target_ops = {.name = "target",
                                                    .close = memory_close,
                                                    .was_put = memory_was_put,
                                                    .item_put = memory_item_put,
                                                    .relationship_put = memory_relationship_put,
                                                    .checkpoint = memory_checkpoint};

/* ---- setting up ---- */

static inline int memory_open(void **state)
{
    (void)state;
    memset(&mem, 0, sizeof mem);
    ctx_open(CTX);
    mem.source.base.ops = &memory_source_ops;
    mem.target.base.ops = &memory_target_ops;
    mem.target.refuse_rc = RC_FAIL;
    mem.source.items = arena_array(ARENA, struct memory_item, MEMORY_ITEMS);
    return 0;
}

static inline int memory_shut(void **state)
{
    (void)state;
    ctx_close(CTX);
    return 0;
}

static inline struct memory_item *memory_add(int n, const char *type)
{
    struct memory_item *m = &mem.source.items[mem.source.count++];
    m->item.item.id = id_of(n);
    for (int f = 0; f < ITEM_FIELD_COUNT; f++)
        m->item.item.field[f] = STR("");
    m->item.item.field[ITEM_TYPE] = str_c(type);
    m->item.item.field[ITEM_TITLE] = arena_printf(ARENA, "Item %d", n);
    m->item.item.created = 1000 + n;
    m->item.item.modified = 2000 + n;
    m->item.item.size = -1;
    m->item.parts = m->parts;
    m->item.relationships = m->relationships;
    m->item.service_name = STR("");
    m->item.definition = STR("");
    return m;
}

static inline void memory_part(struct memory_item *m, enum part_kind kind, const char *name, const char *bytes)
{
    size_t i = m->item.part_count++;
    m->bytes[i] = str_c(bytes);
    m->parts[i] = (struct item_part){.kind = kind, .name = str_c(name), .size = (int64_t)m->bytes[i].n, .content_type = STR("")};
    if (kind == PART_DATA)
        m->item.item.size = (int64_t)m->bytes[i].n;
}

static inline void memory_relate(struct memory_item *m, int to)
{
    m->relationships[m->item.relationship_count++] = (struct relationship){
        .origin = m->item.item.id, .destination = id_of(to), .type = arena_printf(ARENA, "%s", "Map2Service")};
}

static inline int decide_create(struct ctx *ctx, void *arg, const struct portal_item *item, struct plan_item *out)
{
    (void)ctx, (void)arg, (void)item;
    out->action = PLAN_CREATE;
    return RC_OK;
}

/* A plan that creates all there is. */
static inline struct plan memory_plan(void)
{
    struct plan p;
    id *ids = arena_array(ARENA, id, mem.source.count);
    for (size_t i = 0; i < mem.source.count; i++)
        ids[i] = mem.source.items[i].item.item.id;
    assert_ok(plan_make(CTX, &mem.source.base, ids, mem.source.count, decide_create, NULL, &p));
    return p;
}

#endif
