/* The table of all operations. */
#include "web/handlers.h"

const struct route routes[] = {
#define ROUTE(methods, pattern, handler, who, body, params, summary)                                                             \
    {methods, pattern, handler, #handler, who, body, params, summary},
#include "web/routes.def"
#undef ROUTE
};
const size_t route_count = COUNT_OF(routes);
