/* A hosted service's definition as the feature stores and the query path need it. The full JSON definition is kept as text
 * (it may hold members that we do not interpret); this is the part of it that has meaning for us. */
#ifndef MAPFERRY_MODEL_LAYER_H
#define MAPFERRY_MODEL_LAYER_H

#include "base/id.h"
#include "codec/json/json.h"

enum field_type {
    FIELD_OID,
    FIELD_GLOBALID,
    FIELD_GUID,
    FIELD_STRING,
    FIELD_INTEGER,
    FIELD_SMALL_INTEGER,
    FIELD_BIG_INTEGER,
    FIELD_DOUBLE,
    FIELD_SINGLE,
    FIELD_DATE,
    FIELD_DATE_ONLY,
    FIELD_TIME_ONLY,
    FIELD_TIMESTAMP_OFFSET,
    FIELD_BLOB,
    FIELD_XML,
    FIELD_TYPE_COUNT
};
const char *field_type_name(enum field_type t); /* "esriFieldTypeOID" ... */
bool field_type_parse(str s, enum field_type *out);

struct field {
    str name, alias;
    enum field_type type;
    int32_t length; /* characters of strings, 0 unlimited */
    bool nullable, editable;
    str domain;        /* JSON text, "" none */
    str default_value; /* JSON text, "" none */
};

enum geometry_type { GEOMETRY_NONE, GEOMETRY_POINT, GEOMETRY_MULTIPOINT, GEOMETRY_POLYLINE, GEOMETRY_POLYGON };
const char *geometry_type_name(enum geometry_type t); /* "esriGeometryPoint" ..., "" for none */
bool geometry_type_parse(str s, enum geometry_type *out);

enum { RELATION_ONE_TO_ONE, RELATION_ONE_TO_MANY, RELATION_MANY_TO_MANY };
struct layer_relation {
    int32_t id, related_layer; /* relatedTableId */
    str name, key_field;
    int cardinality;
    bool origin; /* role: esriRelRoleOrigin, else destination */
    bool composite;
};

struct where; /* model/query/where.h */
struct layer {
    int32_t id; /* as in the URL; any value >= 0 */
    /* Of a layer of a view, whose rows are those of another layer: that one, whose table in the data set has them, and what rows
     * have to fulfil to be seen (over the source's fields, NULL: nothing). The fields of the view are some of the source's. */
    const struct layer *source;
    const struct where *filter;
    str name;
    bool is_table;
    enum geometry_type geometry;
    bool has_z, has_m;
    int32_t wkid, latest_wkid; /* 0: wkt only or unknown */
    str wkt;
    str display_field;
    size_t field_count;
    struct field *fields;  /* attributes in order; the oid field is one of them */
    size_t oid_field;      /* index */
    size_t globalid_field; /* index, SIZE_MAX none */
    bool has_attachments;
    size_t relation_count;
    struct layer_relation *relations;
    struct json json; /* the layer's definition in the service's text */
};
enum { LAYER_FIELDS_MAX = 500, SERVICE_LAYERS_MAX = 500 }; /* more are refused */

struct service {
    str name; /* "Parks": the URL is …/Hosted/Parks/FeatureServer */
    size_t layer_count;
    struct layer *layers; /* layers and tables, by id */
    int32_t max_record_count;
    str capabilities;             /* "Query,Editing,…" */
    const struct service *source; /* of a view: the service that has the features; NULL else */
    struct json json;             /* the whole definition: service members, "layers":[full], "tables":[full] */
};
/* Parses a definition text (the form of the admin resource: service members plus full layers[] and tables[]). Everything in
 * the arena; the text must outlive the result. Checks: unique layer ids and names, one OID field, unique field names
 * (without regard to case), known types, relationships that name existing layers and fields. ERR_INVALID names the place. */
int service_parse(struct ctx *ctx, str definition, struct service *out);
/* Member "fields" of an open object: all that service_parse reads of the layer's fields. */
void layer_put_fields(struct json_out *o, const struct layer *l);
/* The layer whose table has the rows: itself, but for layers of views. */
static inline const struct layer *layer_stored(const struct layer *l) { return l->source ? l->source : l; }
const struct layer *service_layer(const struct service *s, int32_t layer_id);        /* NULL when missing */
const struct field *layer_field(const struct layer *l, str name, size_t *index_out); /* any case; NULL when missing */

/* ---- rows ---- */
enum value_kind { VALUE_NULL, VALUE_INT, VALUE_DOUBLE, VALUE_TEXT, VALUE_BLOB };
/* DATE: VALUE_INT, ms since 1970 UTC. DATE_ONLY "YYYY-MM-DD", TIME_ONLY "hh:mm:ss", TIMESTAMP_OFFSET ISO text: VALUE_TEXT.
 * GlobalID and GUID: VALUE_TEXT "{…}" upper case. */
struct value {
    enum value_kind kind;
    union {
        int64_t i;
        double d;
        str s;
    };
};
struct row {
    int64_t oid;
    struct value *values; /* one for each field of the layer, the oid field included */
    str wkb;              /* ISO WKB, little endian; STR_NONE: no geometry */
};

#endif
