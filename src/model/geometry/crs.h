/* Coordinate reference systems and transformation, through PROJ. The only files that know the library.
 *
 * Systems are named by Esri's wkid, or by WKT where there is none. Coordinates are always x, y: easting or longitude first,
 * whatever order the authority's definition has. */
#ifndef MAPFERRY_MODEL_GEOMETRY_CRS_H
#define MAPFERRY_MODEL_GEOMETRY_CRS_H

#include "base/buf.h"
#include "model/geometry/envelope.h"

struct crs {
    int32_t wkid; /* 0: see wkt */
    str wkt;
};
enum { CRS_WGS84 = 4326, CRS_WEB_MERCATOR = 3857 };

/* The id in use today for one that Esri replaced: 102100 -> 3857. Others, and unknown ones, come back unchanged. */
int32_t crs_latest_wkid(int32_t wkid);
/* The wkid that Esri writes beside latestWkid for these: 3857 -> 102100. */
int32_t crs_esri_wkid(int32_t wkid);
/* Same system by what we know without a database: equal latest ids, or equal texts. */
bool crs_same(const struct crs *a, const struct crs *b);

struct crs_info {
    str name, authority, wkt; /* authority "EPSG", "ESRI", or "NONE" for WKT alone; WKT as GeoPackage keeps it (WKT 1) */
    int32_t code;             /* the authority's, 0 for NONE */
    bool geographic;          /* coordinates are degrees */
    double unit_meters;       /* of projected coordinates; 1 where it is not known */
};
/* ERR_INVALID for a system that the database does not know. Texts in the arena. */
int crs_describe(struct ctx *ctx, const struct crs *crs, struct crs_info *out);

/* Its WKT as Esri's software writes it into .prj files; "" for a system that is unknown, or that this WKT has no words for. */
int crs_esri_wkt(struct ctx *ctx, const struct crs *crs, str *out);

/* A plane around that place (degrees, WGS 84) in which distances from it are true, in metres. Text in the arena. */
void crs_local(struct ctx *ctx, double lon, double lat, struct crs *out);

/* Transformations are prepared once a thread and pair, and kept there (a few); same or unknown (wkid 0 without WKT) systems mean
 * no change. ERR_INVALID: a system is not known, or there is no way between them, or a coordinate lies outside of it. */
int crs_transform_points(struct ctx *ctx, const struct crs *from, const struct crs *to, double *xy, size_t count, size_t stride);
/* Whether latitudes near the poles have to be kept off (wkb_clamp_y) on the way from one system to the other: Mercator has no
 * place for them. */
#define CRS_NEAR_POLE 89.9
int crs_clamps(struct ctx *ctx, const struct crs *from, const struct crs *to, bool *out);
/* WKB with the same form in the other system, appended to `out`. The input is checked. */
int crs_transform_wkb(struct ctx *ctx, const struct crs *from, const struct crs *to, str wkb, struct buf *out);
/* The box around the transformed box: a grid of its points is followed, not only its corners. Parts that cannot be
 * transformed are left out; ERR_INVALID when nothing remains. An empty box stays empty. */
int crs_transform_envelope(struct ctx *ctx, const struct crs *from, const struct crs *to, const struct envelope *in,
                           struct envelope *out);

#endif
