/* The formats that features leave the portal in: what each is called, what it cannot carry, and a writer that takes rows one by
 * one and holds none of them. Where rows come from is the caller's matter. */
#ifndef MAPFERRY_FORMATS_FORMAT_H
#define MAPFERRY_FORMATS_FORMAT_H

#include "base/stream.h"
#include "model/geometry/crs.h"
#include "model/layer.h"

enum format_id {
#define FORMAT(id, name, others, type, type_many, extension, extension_many, traits, open) id,
#define NO_FORMAT(name, others, why)
#include "formats/formats.def"
#undef FORMAT
#undef NO_FORMAT
    FORMAT_COUNT
};
enum format_subject {
#define SUBJECT(id, title) id,
#define CARRY(format, subject, rule, message)
#include "formats/carry.def"
#undef SUBJECT
#undef CARRY
    FORMAT_SUBJECTS
};
enum format_trait {
    FORMAT_WGS84 = 1,     /* coordinates are WGS 84 when nobody asks for another system */
    FORMAT_ROW_IDS = 2,   /* rows have ids: the object id field is always there */
    FORMAT_MEASURED = 4,  /* the writer wants to know the longest value of each field beforehand */
    FORMAT_WGS84_ONLY = 8 /* and nobody can */
};

/* A layer as it is written. */
struct format_layer {
    const struct layer *layer; /* the fields, geometry and spatial reference of the rows; has_z and has_m as in the rows' WKB */
    bool has_oid;              /* the object id is one of the fields, else layer->oid_field is SIZE_MAX */
    struct crs crs;            /* of the rows */
    str x_name, y_name;        /* CSV: columns of points */
    const size_t *widths;      /* FORMAT_MEASURED: bytes of the longest value of each field as text; NULL otherwise */
    str *names; /* of the fields and, behind them, of the layer, as the file has them: the writer changes those that it renames */
    int64_t *counts; /* by enum format_subject: the writer counts what it changed */
};

struct format_target {
    size_t layer_count;  /* that will come */
    struct writer *to;   /* where the result's bytes go; the caller's */
    const char *dir;     /* an empty folder for files on the way */
    const char *convert; /* path of mapferry-convert */
    const char *name;    /* the result's, without extension */
};

/* Embed as the first member of an implementation. Between layer and layer_end come the layer's rows. */
struct format_writer {
    int (*layer)(struct ctx *ctx, struct format_writer *w, const struct format_layer *l);
    int (*row)(struct ctx *ctx, struct format_writer *w, const struct row *row);
    int (*layer_end)(struct ctx *ctx, struct format_writer *w);
    int (*finish)(struct ctx *ctx, struct format_writer *w); /* the target has all bytes */
    void (*close)(struct format_writer *w);                  /* gives back the writer itself as well */
    const char *file; /* the result is this file in the target's folder, instead of bytes; NULL: bytes */
};
static inline void format_writer_cleanup(struct format_writer **w) /* for CLEANUP */
{
    if (*w)
        (*w)->close(*w);
}
typedef int format_open(struct ctx *ctx, const struct format_target *t, struct format_writer **out);

struct file_format {
    enum format_id id;
    const char *name, *others;
    const char *item_type, *item_type_many;
    const char *extension, *extension_many;
    unsigned traits;
    format_open *open;
};
/* By the name of exportFormat, any case. ERR_PARAMETER: with the reason and what to use instead for formats that are known and
 * not written; with the list of formats for others. */
int format_find(struct ctx *ctx, str name, const struct file_format **out);
/* What a job says of `count` things of that kind ("attachments were left out"); NULL: the format carries them. */
const char *format_loss(enum format_id format, enum format_subject subject);

/* ---- for the writers ---- */
/* A name for a file or table: what cannot be in a path becomes an underscore, at most `most` bytes, other than those before it in
 * any case (`taken`, which it is added to). */
struct format_names {
    str *list;
    size_t count, capacity;
};
str format_name_unique(struct ctx *ctx, struct format_names *taken, str wanted, size_t most);
/* The bytes of a buffer to the target when there are many; all of them with `enough` 0. */
int format_flush(struct ctx *ctx, struct buf *b, size_t enough, struct writer *to);
/* The names of the fields as JSON strings. */
str *format_json_names(struct ctx *ctx, const struct layer *l);
enum { FORMAT_PIECE = 128 << 10, FORMAT_BUFFER_MAX = 512 << 20 };

/* A point's coordinates (NaN: it has none), and whether it has an M. */
struct format_point {
    double xyz[3];
    bool has_m;
};
int format_point_of(struct ctx *ctx, str wkb, struct format_point *out);
format_open excel_open, library_geodatabase_open, geopackage_open, library_kml_open, shapefile_open;
format_open csv_open, geojson_open, collection_open;

#endif
