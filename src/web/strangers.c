/* What callers may send before they have shown a token. Clients send it last, behind the files (clients.md 9), so what comes
 * before it has to be taken in; but all strangers together have a share of memory and disk only, and one address
 * half of it. Whoever shows a token first, in a header, the query or an earlier field, is asked for it at once: with a good one
 * these limits are not theirs, with a bad one nothing is taken in. */
#include "base/file.h"
#include "model/errors.h"
#include "net/tally.h"
#include "web/web.h"

enum {
    LOOK_EVERY = 4 << 20,      /* bytes to disk between two looks at the free space */
    FREE_OF_CHARGE = 256 << 10 /* of each kind, in a request */
};

/* Asked once for each state of the fields, and not for what an ordinary form or a small file takes: most requests are answered
 * without it. */
static int ask(struct ctx *ctx, struct call *call)
{
    struct caller caller;
    if (call->known || call->asked == call->form->count + 1)
        return RC_OK;
    call->asked = call->form->count + 1;
    TRY(auth_shown(ctx, call, call_query(ctx, call, "token"), &caller));
    call->known = !caller.anonymous;
    if (call->known)
        strangers_leave(call);
    return RC_OK;
}

static int too_much(struct ctx *ctx, str remote)
{
    return err_set(ctx, &ERR_BUSY,
                   "Too much is being sent by callers who have not shown a token yet (%.*s). Send it in the header "
                   "X-Esri-Authorization, in the query or before the files, or try again later.",
                   STR_FMT(remote));
}

static int take(struct ctx *ctx, struct call *call, enum stranger_bytes kind, uint64_t bytes)
{
    struct strangers *s = &call->web->strangers;
    struct address from;
    uint64_t limit = s->limits[kind];
    bool counted = address_parse(call->remote, &from);
    if (atomic_fetch_add(&s->taken[kind], bytes) + bytes > limit ||
        (counted && !tally_add(s->by_address[kind], &from, bytes, limit / 2))) {
        atomic_fetch_sub(&s->taken[kind], bytes);
        return too_much(ctx, call->remote);
    }
    call->taken[kind] += bytes;
    return RC_OK;
}

/* Half of what is free, or all but what the stores need for their work, whichever is more. */
static int check_space(struct ctx *ctx, const struct call *call)
{
    uint64_t available, taken = atomic_load(&call->web->strangers.taken[STRANGER_DISK]);
    TRY(dir_free_space(ctx, blob_store_dir(call->site->blobs), &available));
    if (available >= taken + LOOK_EVERY || available >= (uint64_t)call->site->settings.free_space_min + LOOK_EVERY)
        return RC_OK;
    return err_set(ctx, &ERR_NO_SPACE, "%llu bytes are free, too few for a file of a caller who has not shown a token yet.",
                   (unsigned long long)available);
}

int strangers_hold(struct ctx *ctx, struct call *call, enum stranger_bytes kind, uint64_t held)
{
    uint64_t before = call->taken[kind];
    if (held < FREE_OF_CHARGE || held <= before)
        return RC_OK;
    TRY(ask(ctx, call));
    if (call->known)
        return RC_OK;
    TRY(take(ctx, call, kind, held - before));
    bool look = kind == STRANGER_DISK && (before == 0 || before / LOOK_EVERY != held / LOOK_EVERY);
    return look ? check_space(ctx, call) : RC_OK;
}

void strangers_leave(struct call *call)
{
    struct strangers *s = &call->web->strangers;
    struct address from;
    bool counted = address_parse(call->remote, &from);
    for (enum stranger_bytes kind = STRANGER_MEMORY; kind < STRANGER_KINDS; kind++) {
        atomic_fetch_sub(&s->taken[kind], call->taken[kind]);
        if (counted && call->taken[kind])
            tally_remove(s->by_address[kind], &from, call->taken[kind]);
        call->taken[kind] = 0;
    }
}

void strangers_open(struct strangers *s)
{
    for (enum stranger_bytes kind = STRANGER_MEMORY; kind < STRANGER_KINDS; kind++)
        s->by_address[kind] = tally_open();
}

void strangers_close(struct strangers *s)
{
    for (enum stranger_bytes kind = STRANGER_MEMORY; kind < STRANGER_KINDS; kind++)
        tally_close(s->by_address[kind]);
}
