/* Finding the row of a request. Patterns are cut once into segments; a literal segment beats a captured one, the earlier the
 * stronger, so that the order of the rows does not matter. Paths are compared without regard to case (clients.md 4). */
#include "base/mem.h"
#include "base/utf8.h"
#include "codec/url.h"
#include "web/web.h"

enum { SEGMENTS_MAX = 14 };

struct pattern {
    const struct route *route;
    size_t count;
    str segments[SEGMENTS_MAX]; /* a capture keeps its braces */
    bool rest;                  /* the last segment takes all that is left */
    uint32_t literal;           /* a bit per literal segment, the first the highest */
};

static struct pattern *patterns;

static bool is_capture(str segment) { return segment.n > 2 && segment.p[0] == '{' && segment.p[segment.n - 1] == '}'; }

static str capture_name(str segment)
{
    str name = str_sub(segment, 1, segment.n - 1);
    return str_ends(name, STR("...")) ? str_sub(name, 0, name.n - 3) : name;
}

static int pattern_compile(struct ctx *ctx, const struct route *route, struct pattern *p)
{
    *p = (struct pattern){.route = route};
    str rest = str_sub(str_c(route->pattern), 1, SIZE_MAX), piece;
    while (str_split(&rest, '/', &piece)) {
        if (p->count == SEGMENTS_MAX || p->rest)
            return err_set(ctx, &ERR_INVALID, "route pattern '%s'", route->pattern);
        p->rest = is_capture(piece) && str_ends(piece, STR("...}"));
        if (!is_capture(piece))
            p->literal |= 1u << (31 - p->count);
        p->segments[p->count++] = piece;
    }
    return RC_OK;
}

int router_compile(struct ctx *ctx)
{
    patterns = mem_alloc(route_count * sizeof *patterns);
    for (size_t i = 0; i < route_count; i++) {
        TRY(pattern_compile(ctx, &routes[i], &patterns[i]));
        str rest = str_c(routes[i].params);
        struct param param;
        while (param_next(&rest, &param))
            ;
        if (!str_empty(str_trim(rest)))
            return err_set(ctx, &ERR_INVALID, "parameters of route '%s' at '%.*s'", routes[i].pattern, STR_FMT(rest));
    }
    return RC_OK;
}

void router_release(void)
{
    mem_free(patterns);
    patterns = NULL;
}

struct cut_path {
    str segments[SEGMENTS_MAX + 1];
    size_t starts[SEGMENTS_MAX + 1]; /* offsets in the path */
    size_t count;                    /* SEGMENTS_MAX + 1: more than any pattern names */
};

/* Empty segments (doubled or trailing slashes) do not count; a path beyond the most segments only a pattern that takes the rest
 * can fit. */
static void path_cut(str path, struct cut_path *out)
{
    out->count = 0;
    for (size_t at = 0; at < path.n;) {
        size_t end = str_find_char(path, '/', at);
        if (end == SIZE_MAX)
            end = path.n;
        if (end > at) {
            if (out->count > SEGMENTS_MAX)
                return;
            out->starts[out->count] = at;
            out->segments[out->count++] = str_sub(path, at, end);
        }
        at = end + 1;
    }
}

static bool fits(const struct pattern *p, const struct cut_path *path)
{
    if (p->rest ? path->count < p->count : path->count != p->count)
        return false;
    for (size_t i = 0; i < p->count; i++)
        if (p->literal & (1u << (31 - i)) && !str_ieq(p->segments[i], path->segments[i]))
            return false;
    return true;
}

/* False when a piece is no text: valid UTF-8 without NUL. */
static bool pieces_fill(struct ctx *ctx, const struct pattern *p, const struct cut_path *cut, str path,
                        struct path_piece pieces[PATH_PIECES_MAX])
{
    size_t n = 0;
    for (size_t i = 0; i < p->count && n < PATH_PIECES_MAX; i++) {
        if (!is_capture(p->segments[i]))
            continue;
        str raw = p->rest && i + 1 == p->count ? str_sub(path, cut->starts[i], path.n) : cut->segments[i];
        pieces[n++] = (struct path_piece){.name = arena_cstr(ctx->arena, capture_name(p->segments[i])),
                                          .value = url_decode(ctx->arena, raw, false)};
        if (!utf8_valid(pieces[n - 1].value))
            return false;
    }
    return true;
}

const struct route *router_find(struct ctx *ctx, unsigned method, str path, struct path_piece pieces_out[PATH_PIECES_MAX],
                                bool *other_method)
{
    struct cut_path cut;
    path_cut(path, &cut);
    const struct pattern *best = NULL;
    for (size_t i = 0; i < route_count; i++) {
        const struct pattern *p = &patterns[i];
        if (fits(p, &cut) && (!best || p->literal > best->literal || (p->literal == best->literal && p->route->methods & method)))
            best = p;
    }
    *other_method = best && !(best->route->methods & method);
    if (!best || *other_method)
        return NULL;
    return pieces_fill(ctx, best, &cut, path, pieces_out) ? best->route : NULL;
}
