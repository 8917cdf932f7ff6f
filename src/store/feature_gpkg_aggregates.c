/* SQL aggregates of our connections: sums that keep their digits, deviations, percentiles, and what stands for the geometry of
 * many features. Rows without a value do not count; without any row with one there is no result. */
#include "base/mem.h"
#include "model/geometry/centroid.h"
#include "model/geometry/hull.h"
#include "store/feature_gpkg.h"
#include <stdlib.h>

enum { PERCENTILE_VALUES = 16 << 20 }; /* of one group: 128 MiB */

struct aggregate {
    int64_t count;
    double mean, squares; /* Welford's running mean and sum of squared differences */
    double sum, rest;     /* Neumaier's sum and what rounding cost it */
    double *values;       /* of a percentile */
    size_t capacity;
    double fraction;
    bool discrete, descending;
    struct envelope box;
    struct hull hull;
};

static struct aggregate *state_of(sqlite3_context *sc) { return sqlite3_aggregate_context(sc, sizeof(struct aggregate)); }

/* The state without making one: NULL when no row came. */
static struct aggregate *state_at_end(sqlite3_context *sc) { return sqlite3_aggregate_context(sc, 0); }

static bool has_value(sqlite3_value *v)
{
    int type = sqlite3_value_type(v);
    return type == SQLITE_INTEGER || type == SQLITE_FLOAT;
}

/* ---- sums and deviations ---- */

static void sum_step(sqlite3_context *sc, int n, sqlite3_value **args)
{
    (void)n;
    struct aggregate *a = state_of(sc);
    if (!a || !has_value(args[0]))
        return;
    double v = sqlite3_value_double(args[0]), sum = a->sum + v;
    a->rest += fabs(a->sum) >= fabs(v) ? (a->sum - sum) + v : (v - sum) + a->sum;
    a->sum = sum;
    a->count++;
}

static void sum_final(sqlite3_context *sc)
{
    const struct aggregate *a = state_at_end(sc);
    if (a && a->count)
        sqlite3_result_double(sc, isfinite(a->rest) ? a->sum + a->rest : a->sum);
}

static void deviation_step(sqlite3_context *sc, int n, sqlite3_value **args)
{
    (void)n;
    struct aggregate *a = state_of(sc);
    if (!a || !has_value(args[0]))
        return;
    double v = sqlite3_value_double(args[0]), before = v - a->mean;
    a->mean += before / (double)++a->count;
    a->squares += before * (v - a->mean);
}

/* Of a sample: one value has none. */
static void variance_final(sqlite3_context *sc)
{
    const struct aggregate *a = state_at_end(sc);
    if (a && a->count > 1)
        sqlite3_result_double(sc, a->squares / (double)(a->count - 1));
}

static void deviation_final(sqlite3_context *sc)
{
    const struct aggregate *a = state_at_end(sc);
    if (a && a->count > 1)
        sqlite3_result_double(sc, sqrt(a->squares / (double)(a->count - 1)));
}

/* ---- number_percentile(value, fraction, discrete, descending) ---- */

static void percentile_step(sqlite3_context *sc, int n, sqlite3_value **args)
{
    (void)n;
    struct aggregate *a = state_of(sc);
    if (!a || !has_value(args[0]))
        return;
    if (a->count == PERCENTILE_VALUES) {
        sqlite3_result_error(sc, "a percentile of too many values", -1);
        return;
    }
    if ((size_t)a->count == a->capacity) {
        a->capacity = a->capacity ? a->capacity * 2 : 64;
        a->values = mem_resize(a->values, a->capacity * sizeof *a->values);
    }
    a->values[a->count++] = sqlite3_value_double(args[0]);
    a->fraction = sqlite3_value_double(args[1]);
    a->discrete = sqlite3_value_int(args[2]);
    a->descending = sqlite3_value_int(args[3]);
}

static int compare_doubles(const void *a, const void *b)
{
    const double *x = a, *y = b;
    return (*x > *y) - (*x < *y);
}

/* The value at a place counted from the end that the order begins with. */
static double value_at(const struct aggregate *a, int64_t place)
{
    return a->values[a->descending ? a->count - 1 - place : place];
}

/* As SQL's PERCENTILE_DISC and PERCENTILE_CONT: the first value that so large a part of all is not beyond, or between two. */
static void percentile_final(sqlite3_context *sc)
{
    struct aggregate *a = state_at_end(sc);
    if (!a || !a->count)
        return;
    qsort(a->values, (size_t)a->count, sizeof *a->values, compare_doubles);
    double place = a->discrete ? ceil(a->fraction * (double)a->count) - 1 : a->fraction * (double)(a->count - 1);
    int64_t below = place > 0 ? (int64_t)floor(place) : 0;
    double low = value_at(a, below), part = place - (double)below;
    if (!a->discrete && part > 0 && below + 1 < a->count)
        low += (value_at(a, below + 1) - low) * part;
    sqlite3_result_double(sc, low);
    mem_free(a->values);
}

/* ---- geometry: results are doubles in a blob ---- */

static str blob_of(sqlite3_value *v) { return str_of(sqlite3_value_blob(v), (size_t)sqlite3_value_bytes(v)); }

static void envelope_step(sqlite3_context *sc, int n, sqlite3_value **args)
{
    (void)n;
    struct aggregate *a = state_of(sc);
    struct envelope box = gpkg_blob_box(blob_of(args[0]));
    if (!a || envelope_empty(&box))
        return;
    if (a->count++ == 0)
        a->box = ENVELOPE_EMPTY;
    envelope_add(&a->box, box.xmin, box.ymin);
    envelope_add(&a->box, box.xmax, box.ymax);
}

static void envelope_final(sqlite3_context *sc)
{
    const struct aggregate *a = state_at_end(sc);
    if (a && a->count)
        sqlite3_result_blob(sc, &a->box, sizeof a->box, SQLITE_TRANSIENT);
}

/* The mean of the features' centroids. A damaged geometry has none. */
static void centroid_step(sqlite3_context *sc, int n, sqlite3_value **args)
{
    (void)n;
    struct gpkg_conn *c = sqlite3_user_data(sc);
    struct aggregate *a = state_of(sc);
    str wkb = gpkg_blob_wkb(blob_of(args[0]));
    double xy[2];
    bool found = false;
    if (!a || str_none(wkb))
        return;
    if (geometry_centroid(c->ctx, wkb, xy, &found) != RC_OK)
        err_clear(c->ctx);
    if (!found)
        return;
    a->count++;
    a->box.xmin += (xy[0] - a->box.xmin) / (double)a->count;
    a->box.ymin += (xy[1] - a->box.ymin) / (double)a->count;
}

static void centroid_final(sqlite3_context *sc)
{
    const struct aggregate *a = state_at_end(sc);
    if (a && a->count)
        sqlite3_result_blob(sc, (const double[]){a->box.xmin, a->box.ymin}, 2 * sizeof(double), SQLITE_TRANSIENT);
}

static void hull_step(sqlite3_context *sc, int n, sqlite3_value **args)
{
    (void)n;
    struct gpkg_conn *c = sqlite3_user_data(sc);
    struct aggregate *a = state_of(sc);
    str wkb = gpkg_blob_wkb(blob_of(args[0]));
    if (a && !str_none(wkb) && hull_add_wkb(c->ctx, &a->hull, wkb) != RC_OK)
        err_clear(c->ctx);
}

static void hull_final(sqlite3_context *sc)
{
    struct aggregate *a = state_at_end(sc);
    if (!a || !a->hull.count)
        return;
    hull_finish(&a->hull);
    sqlite3_result_blob64(sc, a->hull.points, a->hull.count * 2 * sizeof(double), SQLITE_TRANSIENT);
    hull_close(&a->hull);
}

int gpkg_aggregates_add(struct ctx *ctx, struct gpkg_conn *c)
{
    static const struct {
        const char *name;
        int arguments;
        void (*step)(sqlite3_context *, int, sqlite3_value **);
        void (*final)(sqlite3_context *);
    } AGGREGATES[] = {{"number_sum", 1, sum_step, sum_final},
                      {"number_variance", 1, deviation_step, variance_final},
                      {"number_deviation", 1, deviation_step, deviation_final},
                      {"number_percentile", 4, percentile_step, percentile_final},
                      {"geometry_envelope", 1, envelope_step, envelope_final},
                      {"geometry_centroid", 1, centroid_step, centroid_final},
                      {"geometry_hull", 1, hull_step, hull_final}};
    for (size_t i = 0; i < COUNT_OF(AGGREGATES); i++) {
        int flags = SQLITE_UTF8 | SQLITE_DETERMINISTIC | SQLITE_DIRECTONLY;
        if (sqlite3_create_function(c->db, AGGREGATES[i].name, AGGREGATES[i].arguments, flags, c, NULL, AGGREGATES[i].step,
                                    AGGREGATES[i].final) != SQLITE_OK)
            return gpkg_fail(ctx, c->db, "features");
    }
    return RC_OK;
}
