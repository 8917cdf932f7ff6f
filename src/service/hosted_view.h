/* Views: services whose layers show features of another service. Private to the hosted services. */
#ifndef MAPFERRY_SERVICE_HOSTED_VIEW_H
#define MAPFERRY_SERVICE_HOSTED_VIEW_H

#include "service/hosted.h"

/* Makes the layers of a view's definition those of its source (text of its definition, which outlives the result): fields that
 * are there and not hidden, the geometry, the filter. A layer that the source does not have any more is left out; a where-clause
 * that does not fit the source any more finds nothing. */
int hosted_view_bind(struct ctx *ctx, str source_definition, struct service *view);
/* The same as a check: ERR_DEFINITION for what does not fit. */
int hosted_view_check(struct ctx *ctx, const struct hosted_service *source, str view_definition);
/* The source that an addition to a view names, opened for the caller, who has to be allowed to update it. One source a view. */
int hosted_view_open_source(struct ctx *ctx, struct site *s, const struct caller *c, const struct hosted_service *view,
                            struct json addition, struct hosted_service **out);
/* The source of a view that has one, whoever asks; NULL when it has none. */
int hosted_view_open_again(struct ctx *ctx, struct site *s, const struct hosted_service *view, struct hosted_service **out);
/* The addition with its layers completed from those of the source. */
int hosted_view_expand(struct ctx *ctx, const struct hosted_service *source, struct json addition, struct json *out);

#endif
