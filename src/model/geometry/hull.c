/* Convex hulls: see hull.h. Andrew's monotone chain over what was kept so far. */
#include "model/geometry/hull.h"
#include "base/mem.h"
#include <stdlib.h>

enum { HULL_FULL = 8192 }; /* points, before those inside are dropped */

static int compare_points(const void *a, const void *b)
{
    const double *p = a, *q = b;
    if (p[0] != q[0])
        return p[0] < q[0] ? -1 : 1;
    return (p[1] > q[1]) - (p[1] < q[1]);
}

static bool turns_left(const double *a, const double *b, const double *c)
{
    return (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0]) > 0;
}

/* Appends the point to the chain that begins at `base`, without the corners that it makes superfluous. */
static size_t chain_add(double *chain, size_t base, size_t n, const double *point)
{
    while (n >= base + 2 && !turns_left(chain + (n - 2) * 2, chain + (n - 1) * 2, point))
        n--;
    chain[n * 2] = point[0];
    chain[n * 2 + 1] = point[1];
    return n + 1;
}

void hull_finish(struct hull *h)
{
    if (h->count < 2)
        return;
    qsort(h->points, h->count, 2 * sizeof(double), compare_points);
    double *chain = mem_alloc((h->count + 1) * 2 * 2 * sizeof *chain);
    size_t n = 0;
    for (size_t i = 0; i < h->count; i++)
        n = chain_add(chain, 0, n, h->points + i * 2);
    size_t base = n - 1;
    for (size_t i = h->count - 1; i-- > 0;)
        n = chain_add(chain, base, n, h->points + i * 2);
    h->count = n > 1 ? n - 1 : n; /* the last is the first */
    memcpy(h->points, chain, h->count * 2 * sizeof *chain);
    mem_free(chain);
}

/* When the room is full, points inside are dropped; it grows when that leaves it more than half full. */
static void add_point(struct hull *h, double x, double y)
{
    bool full = h->count == h->capacity;
    if (full && h->count >= HULL_FULL)
        hull_finish(h);
    if (full && h->count * 2 >= h->capacity) {
        h->capacity = h->capacity ? h->capacity * 2 : 64;
        h->points = mem_resize(h->points, h->capacity * 2 * sizeof(double));
    }
    h->points[h->count * 2] = x;
    h->points[h->count * 2 + 1] = y;
    h->count++;
}

int hull_add_wkb(struct ctx *ctx, struct hull *h, str wkb)
{
    struct wkb_reader r;
    struct wkb_sequence s;
    int rc;
    TRY(wkb_reader_open(ctx, wkb, &r));
    while ((rc = wkb_reader_next(ctx, &r, &s)) == RC_OK)
        for (size_t i = 0; i < s.count; i++)
            add_point(h, wkb_coord(&s, i * wkb_dims(&r.form)), wkb_coord(&s, i * wkb_dims(&r.form) + 1));
    return rc == RC_END ? RC_OK : rc;
}

void hull_close(struct hull *h)
{
    mem_free(h->points);
    *h = (struct hull){.points = NULL};
}
