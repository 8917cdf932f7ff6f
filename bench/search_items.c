/* Fills the database of a portal with items as people write them, through the store itself, for bench/search.py. The same number
 * gives the same items. usage: search_items DATABASE FIRST COUNT
 *
 * What a migration or a copy of rows left to do for the index is done, too (COUNT 0 does nothing else).
 *
 * "survey" stands in half of the titles, a "some<n>" in a thousandth of the descriptions, a "rare<n>" in twenty of a million; the
 * other words come from a vocabulary in which each is rarer than the one before. */
#include "base/buf.h"
#include "base/num.h"
#include "store/meta.h"

#include <stdio.h>
#include <stdlib.h>

enum { STEP = 2000, VOCABULARY = 50000, WORDS = 18 };

struct random {
    uint64_t state;
};

static uint32_t next(struct random *r, uint32_t below)
{
    r->state = r->state * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)((r->state >> 33) % below);
}

/* Rank n about n times rarer than the first. */
static unsigned word(struct random *r)
{
    unsigned most = VOCABULARY;
    for (unsigned i = 0; i < 3; i++)
        most = 1 + next(r, most);
    return most;
}

static str text_of(struct ctx *ctx, struct random *r, unsigned words)
{
    static const char *const syllables[] = {"ka", "ro", "mi", "ten", "sul", "va", "pe", "nor", "li", "du", "gar", "es"};
    CLEANUP(buf_free) struct buf b = BUF_INIT(4096);
    for (unsigned i = 0; i < words; i++) {
        buf_add(&b, i == 0 ? STR("") : STR(" "));
        for (unsigned w = word(r); w > 0; w /= 12)
            buf_add(&b, str_c(syllables[w % 12]));
    }
    return arena_str(ctx->arena, buf_str(&b));
}

static struct item item_of(struct ctx *ctx, unsigned n)
{
    static const char *const types[] = {"Feature Service",         "Web Map",   "CSV",  "Shapefile", "PDF",
                                        "Web Mapping Application", "Dashboard", "Image"};
    struct random r = {n * 2654435761u + 1};
    struct item it = {.size = next(&r, 1u << 20), .created = 1500000000000 + 60000 * (int64_t)n, .num_views = next(&r, 1000)};
    char hex[33];
    snprintf(hex, sizeof hex, "%08x%08x%016x", next(&r, UINT32_MAX), next(&r, UINT32_MAX), n);
    id_parse(str_c(hex), &it.id);
    unsigned access = next(&r, 100);
    double x = next(&r, 340) - 170.0, y = next(&r, 160) - 80.0;
    it.modified = it.created + next(&r, 1000000000);
    it.access = access < 60 ? ITEM_PUBLIC : access < 85 ? ITEM_ORG : ITEM_PRIVATE;
    it.owner = arena_printf(ctx->arena, "owner%u", next(&r, 200));
    it.field[ITEM_TITLE] = arena_printf(ctx->arena, "%.*s %s %u", STR_FMT(text_of(ctx, &r, 4)), n % 2 ? "survey" : "plan", n);
    it.field[ITEM_TYPE] = str_c(types[next(&r, 8)]);
    it.field[ITEM_TYPE_KEYWORDS] = STR("[\"ArcGIS\",\"Data\",\"Hosted\"]");
    it.field[ITEM_TAGS] = arena_printf(ctx->arena, "[\"theme%u\",\"project %u\",\"%s\"]", next(&r, 40), next(&r, 3000),
                                       n % 3 ? "open" : "internal");
    it.field[ITEM_SNIPPET] = text_of(ctx, &r, 6);
    it.field[ITEM_DESCRIPTION] =
        arena_printf(ctx->arena, "<p>%.*s some%u rare%u</p>", STR_FMT(text_of(ctx, &r, WORDS)), next(&r, 1000), next(&r, 50000));
    it.field[ITEM_EXTENT] = arena_printf(ctx->arena, "[[%.3f,%.3f],[%.3f,%.3f]]", x, y, x + 1 + next(&r, 5), y + 1 + next(&r, 5));
    it.field[ITEM_CATEGORIES] = arena_printf(ctx->arena, "[\"/Categories/C%u\"]", next(&r, 20));
    it.field[ITEM_CONTENT_STATUS] = next(&r, 10) ? STR("") : STR("org_authoritative");
    return it;
}

struct part {
    unsigned first, end;
};

static int fill(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
    const struct part *p = arg;
    for (unsigned n = p->first; n < p->end; n++) {
        const struct item it = item_of(ctx, n);
        TRY(meta_item_insert(ctx, tx, &it));
    }
    return RC_OK;
}

static int run(struct ctx *ctx, const char *path, unsigned first, unsigned count)
{
    struct sql *db;
    TRY(sql_open(ctx, arena_printf(ctx->arena, "sqlite:%s", path).p, meta_migrations, meta_migration_count, &db));
    int rc = RC_OK;
    for (unsigned n = first; rc == RC_OK && n < first + count; n += STEP) {
        struct ctx step;
        ctx_child(&step, ctx);
        struct part p = {n, n + STEP < first + count ? n + STEP : first + count};
        rc = ctx_adopt_error(ctx, &step, sql_write(&step, db, fill, &p));
        ctx_close(&step);
    }
    if (rc == RC_OK)
        rc = meta_search_rebuild(ctx, db);
    sql_close(db);
    return rc;
}

int main(int argc, char **argv)
{
    struct ctx ctx;
    int64_t first = 0, count = 0;
    if (argc != 4 || !num_parse_int(str_c(argv[2]), &first) || !num_parse_int(str_c(argv[3]), &count))
        return 2;
    ctx_open(&ctx);
    int rc = run(&ctx, argv[1], (unsigned)first, (unsigned)count);
    if (rc != RC_OK)
        fprintf(stderr, "search_items: %s\n", err_text(&ctx));
    ctx_close(&ctx);
    return rc == RC_OK ? 0 : 1;
}
