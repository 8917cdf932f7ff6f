/* Notes about the texts of an item: see notes.h. */
#include "jobs/notes.h"
#include "jobs/jobs.h"

struct notes *notes_open(struct ctx *ctx, void *run, const id *item)
{
    struct notes *n = arena_new(ctx->arena, struct notes);
    *n = (struct notes){.run = run, .item = *item, .ctx = ctx};
    return n;
}

static struct note *add(struct notes *n)
{
    n->list = arena_grow(n->ctx->arena, n->list, &n->capacity, n->count + 1, sizeof *n->list);
    return &n->list[n->count++];
}

void notes_reference(struct notes *n, const struct ref_found *f, const char *why)
{
    struct arena *a = n->ctx->arena;
    struct note *note = add(n);
    *note = (struct note){.found = *f, .why = why, .message = STR_NONE};
    note->found.name = arena_str(a, f->name);
    note->found.pointer = arena_str(a, f->pointer);
    note->found.value = arena_str(a, f->value);
}

void notes_message(struct notes *n, str message) { *add(n) = (struct note){.message = arena_str(n->ctx->arena, message)}; }

void notes_tell(const struct notes *n, struct ctx *keep, struct plan *plan, struct job_run *job, bool only_leaving)
{
    for (size_t i = 0; i < n->count; i++) {
        const struct note *note = &n->list[i];
        if (!str_none(note->message))
            job_message(job, "%.*s", STR_FMT(note->message));
        else if (!only_leaving || plan_leaves(plan, &n->item, &note->found))
            plan_reference_add(keep, plan, &n->item, &note->found, note->why);
    }
}
