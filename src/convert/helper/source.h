/* The file as GDAL sees it: its layers, their fields as a service will have them, and their rows. Only the files of this folder
 * know the library. */
#ifndef MAPFERRY_CONVERT_HELPER_SOURCE_H
#define MAPFERRY_CONVERT_HELPER_SOURCE_H

#include "codec/json/json.h"
#include "convert/helper/guess.h"
#include "convert/protocol.h"
#include "model/geometry/crs.h"
#include "model/geometry/wkb.h"
#include <gdal.h>
#include <ogr_api.h>

enum { SOURCE_OID = -1, SOURCE_TEXT_SIZE = 40, SOURCE_GEOMETRY_MAX = 256 << 20 };

/* Where a column's values come from. */
struct source_field {
    struct field field;     /* as the service will have it */
    int index;              /* in the library's feature or the file's record; SOURCE_OID: the row's id */
    enum field_type native; /* what the file has it as */
    enum guess_form form;   /* of texts */
};
struct source;
struct source_layer;
struct source_rows;
/* A format that is read without the library. */
struct source_reader {
    int (*open)(struct ctx *ctx, struct source *s); /* adds the layers */
    int (*describe)(struct ctx *ctx, struct source *s, struct source_layer *l);
    int (*rows_open)(struct ctx *ctx, struct source_rows *r); /* the first row is next */
    void (*rows_close)(struct source_rows *r);
    int (*rows_next)(struct ctx *ctx, struct source_rows *r, struct row *out); /* values of r->columns; RC_END */
};
/* The columns that a row's place is made of. */
struct source_place {
    int x, y;   /* indexes, -1: none */
    bool given; /* they were named, not found by their names */
    struct crs crs;
};
struct source_layer {
    OGRLayerH ogr;
    const struct source_reader *reader; /* NULL: the library's */
    const struct source *source;
    void *own; /* the reader's */
    struct source_place place;
    str name;
    bool numbered; /* rows are numbered from 1: the file gives them no id, or none that could be kept */
    bool exact;    /* texts are not repaired */
    enum geometry_type geometry;
    bool has_z, has_m;
    struct crs crs, target; /* of the file, and of the rows */
    bool moves;             /* the two differ */
    bool degrees;           /* coordinates of the file are degrees */
    struct envelope box;    /* of the rows, in the target */
    size_t field_count;
    struct source_field *fields;
};
struct source {
    struct protocol_open options;
    GDALDatasetH *sets;
    size_t set_count;
    size_t layer_count, layer_capacity;
    struct source_layer *layers;        /* layers with geometry first once they are described; an index is a layer id */
    const struct source_reader *reader; /* NULL: the library's */
    bool opened, described;
    struct json parameters; /* publishParameters, absent without */
    struct buf messages;    /* JSON strings */
    struct buf found;       /* members of publishParameters that were found out, as JSON text */
};

/* ---- source.c ---- */
/* The library's settings, and its drivers; before the sandbox is entered. */
void source_prepare(void);
int source_open(struct ctx *ctx, struct source *s);
struct source_layer *source_add_layer(struct ctx *ctx, struct source *s, str name); /* NULL: an error, there are too many */
/* What the library said last, as an error; `doing` when it said nothing. */
int source_fail(struct ctx *ctx, const char *doing);
/* The table of a package that is named for the layer's id; its columns are found by the names of the fields. */
int source_table(struct ctx *ctx, struct source *s, const struct protocol_rows *want, struct source_layer *out);
/* The library cuts what an integer column of a GeoPackage holds to 32 bits without a word: ERR_INVALID naming layer, row and
 * column when there is such a value. Other formats have none. */
int source_check_integers(struct ctx *ctx, struct source *s, const struct source_layer *l);

/* ---- schema.c ---- */
/* Describes all layers: a pass over all rows. Repeated calls do nothing. */
int source_describe(struct ctx *ctx, struct source *s);
/* A sentence for whom publishes. */
void source_tell(struct ctx *ctx, struct source *s, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
/* The first field: the row's id. capacity: of all fields. */
void source_add_oid(struct ctx *ctx, struct source_layer *l, size_t capacity);
/* A column as a field, its name made valid and unique; NULL when there are too many, which is told. */
struct source_field *source_add_field(struct ctx *ctx, struct source *s, struct source_layer *l, str name, str alias);
/* The target system, once the file's is known. */
void source_aim(struct ctx *ctx, struct source *s, struct source_layer *l, struct crs crs);

/* ---- domains.c ---- */
/* The domain of a column as the definition of a field has it, "" without one. In the arena. */
str source_domain(struct ctx *ctx, const struct source *s, OGRFieldDefnH column, enum field_type type);

/* ---- facts.c: what the rows say about a column of texts ---- */
struct source_facts {
    size_t longest; /* in characters */
    bool seen;      /* a text, that is */
    bool guid;      /* only GUIDs so far */
    char *guids;    /* for a column that may be a GlobalID: all of them */
    size_t guid_count, guid_capacity;
};
void source_facts_note(struct source_facts *facts, const struct source_field *f, str text);
/* What the field is: a GlobalID, a GUID (when it is declared as one), a text of that length. Frees the facts. */
void source_facts_decide(struct source_facts *facts, struct source_field *f, int64_t rows, bool declared);

/* ---- choice.c: what publishParameters ask of a layer ---- */
/* Fields chosen and their types, the layer's name. ERR_INVALID naming what cannot be. */
int source_choose(struct ctx *ctx, struct source *s, struct source_layer *l);
/* A value that the file has as `from`, as the field has it; in `space` when it becomes a text. False: it cannot be one. */
bool source_cast(const struct source_field *f, struct value *v, char space[SOURCE_TEXT_SIZE]);
/* The columns of that table that name a place. ERR_INVALID: the parameters ask for what is not there, or for addresses. */
int source_place_find(struct ctx *ctx, struct source *s, const str *names, const bool *numbers, size_t count,
                      struct source_place *out);

/* ---- names.c ---- */
/* A name of letters, digits and underscores that `taken` does not know; in the arena. */
str source_field_name(struct ctx *ctx, str wanted, bool (*taken)(const void *arg, str name), const void *arg);
str source_layer_name(struct ctx *ctx, str wanted, bool (*taken)(const void *arg, str name), const void *arg);

/* ---- rows.c ---- */
struct source_rows {
    struct source_layer *layer;
    size_t column_count;
    const struct source_field **columns;
    OGRFeatureH feature; /* the row's memory */
    struct value *values;
    char (*texts)[SOURCE_TEXT_SIZE]; /* one a column: dates as text */
    char **recoded;                  /* one a column, NULL: nothing */
    struct buf wkb, moved;
    int64_t count;
    void *own; /* the reader's */
};
/* A point as the row's geometry, in the layer's target. */
int source_rows_point(struct ctx *ctx, struct source_rows *r, double x, double y, str *out);
/* columns: fields of the layer, in the order wanted; NULL: all. */
int source_rows_open(struct ctx *ctx, struct source_layer *l, const struct source_field **columns, size_t count,
                     struct source_rows *out);
void source_rows_close(struct source_rows *r);
/* RC_END at the end. The row's memory is valid until the next call. */
int source_rows_next(struct ctx *ctx, struct source_rows *r, struct row *out);

/* ---- definition.c ---- */
/* {"definition":…,"messages":[…],"parameters":{…}} appended to out. */
int source_print(struct ctx *ctx, struct source *s, struct buf *out);

/* ---- readers of our own ---- */
extern const struct source_reader source_csv, source_collection;

#endif
