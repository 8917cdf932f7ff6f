/* The handlers that the route tables name. */
#ifndef MAPFERRY_WEB_HANDLERS_H
#define MAPFERRY_WEB_HANDLERS_H

#include "web/web.h"

#define ROUTE(methods, pattern, handler, who, body, params, summary) route_fn handler;
#include "web/routes.def"
#undef ROUTE

#endif
