/* One query on its way from parameters to an answer, shared by the files that make the forms of answers. Not for others. */
#ifndef MAPFERRY_WEB_FEATURESERVER_QUERY_H
#define MAPFERRY_WEB_FEATURESERVER_QUERY_H

#include "web/featureserver/featureserver.h"

struct features_request {
    struct hosted_service *service;
    const struct layer *layer;
    struct feature_query query;
    struct features_rows rows;
    int64_t limit;        /* rows of the answer, -1 all */
    bool ids, unique_ids; /* ids instead of features */
    /* Of statistics: groups.count is 0 for a query of features. The rows of the answer are those of the layer `result`. */
    struct feature_groups groups;
    struct layer result;
};
void features_request_close(struct features_request *rq); /* for CLEANUP */
/* The parameters of a query on a layer that is open (rq->service, rq->layer); where and out_fields stand apart since queries of a
 * whole service have them for each layer. */
int features_request_read(struct ctx *ctx, struct call *call, str where, str out_fields, struct features_request *rq);
/* The rows of the answer, one more than its limit where that shows that there are more. */
int features_request_open(struct ctx *ctx, const struct call *call, const struct features_request *rq,
                          struct feature_cursor **out);
int features_count(struct ctx *ctx, const struct call *call, const struct features_request *rq, int64_t *out);
/* In the system of the answer. */
int features_extent(struct ctx *ctx, const struct call *call, const struct features_request *rq, struct envelope *out,
                    bool *empty);
/* From now on the call is late after the time that a query may take; such an end becomes an error that says so. */
void features_limit_time(struct ctx *ctx, const struct call *call);
int features_late(struct ctx *ctx, const struct call *call, int rc);

/* ---- query_stream.c ---- */
/* Features, ids or statistics as JSON or GeoJSON. Takes over what the request holds. */
int features_put_json(struct ctx *ctx, struct call *call, struct features_request *rq);
/* Leaves no features (limit 0) where there are more than the limit and a client wants all or none. */
int features_hide_part(struct ctx *ctx, const struct call *call, struct features_request *rq);
/* The members of one answer into call->out, whole: for answers that are part of another one. */
int features_put_whole(struct ctx *ctx, struct call *call, struct features_request *rq);

/* ---- pbf.c ---- */
/* Features, ids or statistics, a count, an extent as protocol buffers. */
int features_put_pbf(struct ctx *ctx, struct call *call, struct features_request *rq);

/* ---- statistics.c ---- */
/* Reads outStatistics, groupByFieldsForStatistics, having and orderByFields. */
int features_statistics_read(struct ctx *ctx, const struct call *call, struct features_request *rq);
/* "aggregateGeometries" of a row, where there are any. */
int features_statistics_put_shapes(struct ctx *ctx, struct json_out *o, const struct features_rows *r, const struct row *row);

#endif
