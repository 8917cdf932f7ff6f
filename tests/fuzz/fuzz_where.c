/* Any bytes as a where-clause: a tree or an error, and a tree keeps what readers of trees rely on: how many arguments a node has,
 * fields that exist, and depth and size within the limits. */
#include "base/clock.h"
#include "model/query/where.h"
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char DEFINITION[] =
    "{\"tables\":[{\"id\":0,\"name\":\"t\",\"fields\":[{\"name\":\"id\",\"type\":\"esriFieldTypeOID\"},"
    "{\"name\":\"n\",\"type\":\"esriFieldTypeInteger\"},{\"name\":\"s\",\"type\":\"esriFieldTypeString\"},"
    "{\"name\":\"d\",\"type\":\"esriFieldTypeDate\"},{\"name\":\"day\",\"type\":\"esriFieldTypeDateOnly\"},"
    "{\"name\":\"b\",\"type\":\"esriFieldTypeBlob\"},{\"name\":\"g\",\"type\":\"esriFieldTypeGUID\"},"
    "{\"name\":\"x y\",\"type\":\"esriFieldTypeDouble\"}]}]}";

static void require(bool condition)
{
    if (!condition)
        abort();
}

static bool is_condition(const struct where *w) { return w->kind <= WHERE_FALSE; }

static size_t check(const struct where *w, const struct layer *l, unsigned depth)
{
    static const struct {
        size_t least, most;
    } ARGS[] = {
        [WHERE_AND] = {2, 10000},    [WHERE_OR] = {2, 10000},     [WHERE_NOT] = {1, 1},      [WHERE_COMPARE] = {2, 2},
        [WHERE_IN] = {2, 10000},     [WHERE_BETWEEN] = {3, 3},    [WHERE_LIKE] = {2, 2},     [WHERE_IS_NULL] = {1, 1},
        [WHERE_TRUE] = {0, 0},       [WHERE_FALSE] = {0, 0},      [WHERE_FIELD] = {0, 0},    [WHERE_LITERAL] = {0, 0},
        [WHERE_FUNCTION] = {1, 100}, [WHERE_ARITHMETIC] = {2, 2}, [WHERE_CASE] = {2, 10000},
    };
    bool logical = w->kind == WHERE_AND || w->kind == WHERE_OR || w->kind == WHERE_NOT;
    size_t nodes = 1;
    require(depth <= 100);
    require(w->arg_count >= ARGS[w->kind].least && w->arg_count <= ARGS[w->kind].most);
    require(w->kind != WHERE_FIELD || w->field < l->field_count);
    require(!w->is_date || w->literal.kind == VALUE_INT);
    for (size_t i = 0; i < w->arg_count; i++) {
        bool when = w->kind == WHERE_CASE && !w->has_operand && i % 2 == 0 && i + 1 < w->arg_count;
        require(is_condition(w->args[i]) == (logical || when));
        nodes += check(w->args[i], l, depth + 1);
    }
    return nodes;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct ctx ctx;
    struct service s;
    struct where *tree;
    struct clock_fixed clock = clock_fixed_at(1700000000000);
    ctx_open(&ctx);
    ctx.clock = &clock.base;
    require(service_parse(&ctx, str_c(DEFINITION), &s) == RC_OK);
    int rc = where_parse(&ctx, str_of(data, size), &s.layers[0], &tree);
    require(rc == RC_OK || (rc == RC_FAIL && err_is(&ctx, &ERR_INVALID) && !tree));
    if (tree)
        require(is_condition(tree) && check(tree, &s.layers[0], 1) <= 10000);
    ctx_close(&ctx);
    return 0;
}
