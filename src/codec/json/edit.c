/* Editing JSON text by splices: what nobody asked to change stays as it was, byte for byte. Edits are collected by value and
 * become byte ranges only when they are applied, because which comma goes with a removed member depends on its neighbours. */
#include "codec/json/tape.h"
#include <assert.h>
#include <stdlib.h>

struct json_splice {
    struct json value;  /* what is replaced, or the name of the member that is removed */
    struct json object; /* where a member is removed; absent: a replacement */
    str text;           /* the replacement */
};

/* A range of the text and what comes in its place. */
struct span {
    size_t from, to, order;
    str text;
    bool removal;
};

void json_edit_begin(struct json_edit *e, struct ctx *ctx, str text) { *e = (struct json_edit){.ctx = ctx, .text = text}; }

static void add_splice(struct json_edit *e, struct json_splice splice)
{
    assert(json_text(splice.value).p == e->text.p && json_text(splice.value).n == e->text.n);
    e->list = arena_grow(e->ctx->arena, e->list, &e->capacity, e->count + 1, sizeof *e->list);
    e->list[e->count++] = splice;
}

void json_edit_replace(struct json_edit *e, struct json v, str raw)
{
    assert(raw.n > 0);
    add_splice(e, (struct json_splice){.value = v, .text = arena_str(e->ctx->arena, raw)});
}

void json_edit_string(struct json_edit *e, struct json v, str decoded)
{
    CLEANUP(buf_free) struct buf raw = BUF_INIT(6 * decoded.n + 2);
    json_escape(&raw, decoded);
    json_edit_replace(e, v, buf_str(&raw));
}

void json_edit_remove_member(struct json_edit *e, struct json object, struct json name)
{
    assert(json_is(object, JSON_OBJECT) && object.tape == name.tape);
    add_splice(e, (struct json_splice){.value = name, .object = object});
}

bool json_edit_empty(const struct json_edit *e) { return e->count == 0; }

static size_t end_of(struct json v) { return json_offset(v) + json_raw(v).n; }

static int compare(size_t a, size_t b) { return (a > b) - (a < b); }

/* Removals by object, then in the order of the members. */
static int compare_removals(const void *a, const void *b)
{
    const struct json_splice *x = a, *y = b;
    int by_object = compare(json_offset(x->object), json_offset(y->object));
    return by_object ? by_object : compare(json_offset(x->value), json_offset(y->value));
}

/* By place, the longer first, so that a range comes before those inside it; the later edit of one value first. */
static int compare_spans(const void *a, const void *b)
{
    const struct span *x = a, *y = b;
    int by_from = compare(x->from, y->from), by_to = compare(y->to, x->to);
    return by_from ? by_from : by_to ? by_to : compare(y->order, x->order);
}

/* Ranges of the removals in one object, the first of `count` at `removals`; sets *used to how many were of this object.
 * A run of removed members takes the comma behind it along, the last run the comma before it. Returns the ranges made. */
static size_t remove_members(const struct json_splice *removals, size_t count, size_t *used, struct span *spans)
{
    struct json object = removals[0].object, name, value;
    struct json_iter it = json_each(object);
    size_t made = 0, i = 0, kept_end = json_offset(object) + 1;
    bool in_run = false, kept_any = false;
    while (json_next(&it, &name, &value)) {
        bool removed = false;
        for (; i < count && json_offset(removals[i].object) == json_offset(object) &&
               json_offset(removals[i].value) == json_offset(name);
             i++)
            removed = true;
        if (removed && !in_run)
            spans[made++] = (struct span){.from = json_offset(name), .removal = true};
        if (!removed) {
            if (in_run)
                spans[made - 1].to = json_offset(name);
            kept_end = end_of(value);
            kept_any = true;
        }
        in_run = removed;
    }
    if (in_run) {
        spans[made - 1].from = kept_end;
        spans[made - 1].to = kept_any ? end_of(value) : end_of(object) - 1;
    }
    assert(i > 0); /* the name was none of this object */
    *used = i;
    return made;
}

static size_t make_spans(struct json_edit *e, struct span *spans)
{
    struct json_splice *removals = arena_array(e->ctx->arena, struct json_splice, e->count);
    size_t made = 0, removal_count = 0, used;
    for (size_t i = 0; i < e->count; i++) {
        struct json_splice s = e->list[i];
        if (json_absent(s.object))
            spans[made++] = (struct span){.from = json_offset(s.value), .to = end_of(s.value), .order = i, .text = s.text};
        else
            removals[removal_count++] = s;
    }
    qsort(removals, removal_count, sizeof *removals, compare_removals);
    for (size_t i = 0; i < removal_count; i += used)
        made += remove_members(removals + i, removal_count - i, &used, spans + made);
    qsort(spans, made, sizeof *spans, compare_spans);
    return made;
}

/* Leaves the spans that count: not those inside a removed member, nor earlier replacements of the same value. */
static size_t drop_covered(struct span *spans, size_t count)
{
    size_t kept = 0;
    for (size_t i = 0; i < count; i++) {
        const struct span *last = kept > 0 ? &spans[kept - 1] : NULL;
        if (!last || spans[i].from >= last->to)
            spans[kept++] = spans[i];
        else
            assert(last->removal || (spans[i].from == last->from && spans[i].to == last->to));
    }
    return kept;
}

int json_edit_apply(struct json_edit *e, str *out)
{
    *out = e->text;
    if (e->count == 0)
        return RC_OK;
    struct span *spans = arena_array(e->ctx->arena, struct span, e->count);
    size_t count = drop_covered(spans, make_spans(e, spans));
    size_t total = e->text.n, from = 0, n = 0;
    for (size_t i = 0; i < count; i++)
        total += spans[i].text.n - (spans[i].to - spans[i].from);
    if (total > JSON_SIZE_MAX)
        return err_set(e->ctx, &ERR_LIMIT, "edited JSON text of %zu bytes, at most %zu can be read", total, JSON_SIZE_MAX);
    char *text = arena_alloc(e->ctx->arena, total + 1);
    for (size_t i = 0; i <= count; i++) {
        size_t to = i < count ? spans[i].from : e->text.n;
        memcpy(text + n, e->text.p + from, to - from);
        n += to - from;
        if (i == count)
            break;
        memcpy(text + n, spans[i].text.p ? spans[i].text.p : "", spans[i].text.n);
        n += spans[i].text.n;
        from = spans[i].to;
    }
    *out = str_of(text, n);
    return RC_OK;
}
