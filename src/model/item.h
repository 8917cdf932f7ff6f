/* Item, its parts and relationships: pure data. Names follow the Sharing API's item resource. */
#ifndef MAPFERRY_MODEL_ITEM_H
#define MAPFERRY_MODEL_ITEM_H

#include "base/hash.h"
#include "base/id.h"
#include "codec/json/json.h"

enum item_field {
#define FIELD(member, name, kind, column, packed) ITEM_##member,
#include "model/item_fields.def"
#undef FIELD
    ITEM_FIELD_COUNT
};
enum item_field_kind { ITEM_KIND_TEXT, ITEM_KIND_LIST, ITEM_KIND_JSON, ITEM_KIND_EXTENT };
struct item_field_row {
    const char *name; /* in JSON and as request parameter */
    enum item_field_kind kind;
    const char *column; /* in the item table */
    bool packed;
};
extern const struct item_field_row item_fields[ITEM_FIELD_COUNT];
/* By JSON name, any case ("licenseinfo" is seen too); ITEM_FIELD_COUNT when unknown. */
enum item_field item_field_find(str name);

enum item_access { ITEM_PRIVATE, ITEM_SHARED, ITEM_ORG, ITEM_PUBLIC };
const char *item_access_name(enum item_access a); /* "private", "shared", "org", "public" */
bool item_access_parse(str s, enum item_access *out);

struct item {
    id id;
    str owner;
    id folder;                 /* ID_NONE: root */
    int64_t created, modified; /* ms since 1970 */
    enum item_access access;   /* everyone and org only; "shared" is derived from groups when printed */
    bool protected;
    int64_t size;                                 /* bytes of data, -1 none */
    int64_t num_views, num_comments, num_ratings; /* counters: kept beside the row's other members, see store/meta.h */
    double avg_rating;                            /* 0 without ratings */
    int64_t last_viewed;                          /* ms since 1970, -1 never */
    bool comments_disabled;
    str field[ITEM_FIELD_COUNT];
};

enum part_kind { PART_DATA, PART_INFO, PART_RESOURCE };
/* A stored file of an item. data: at most one, name is the file name ("" for text). info: "metadata/metadata.xml",
 * "thumbnail/x.png", "form.json". resource: "prefix/name". */
struct item_part {
    enum part_kind kind;
    str name;
    struct hash hash;
    int64_t size;
    str content_type;    /* "" unknown */
    bool private_access; /* resources: access=private, else inherit */
    int64_t created, modified;
};

struct relationship {
    id origin, destination;
    str type; /* "Service2Data" ... */
};
/* The relationship types the API knows. */
bool relationship_type_known(str type);

/* Reads the item JSON of the API or of a package into *out (strings in the arena). Unknown members are ignored; wrong types
 * of known ones are ERR_INVALID. Access, owner, id and times are taken when present. */
int item_parse(struct ctx *ctx, struct json v, struct item *out);
/* Fields as a client gave them, as an object and back, for what is done later; those that were not given (STR_NONE) are left out.
 */
void item_given_print(struct json_out *o, const str field[ITEM_FIELD_COUNT]);
void item_given_parse(struct arena *a, struct json v, str field[ITEM_FIELD_COUNT]);
/* The comma-separated or JSON-array form of a list parameter to JSON array text; pieces trimmed, empties dropped. */
int item_list_parse(struct ctx *ctx, str text, str *json_out);
/* "xmin,ymin,xmax,ymax", JSON array or envelope object to EXTENT text. */
int item_extent_parse(struct ctx *ctx, str text, str *json_out);
bool item_has_keyword(struct ctx *ctx, const struct item *it, str keyword); /* exact, any case */

/* What item JSON prints: everything of the API's item resource. */
struct item_print_opts {
    bool has_groups;          /* shared to a group: access "shared" instead of "private" */
    bool single;              /* single item read: ownerFolder, protected, itemControl */
    const char *item_control; /* "admin", "update", "view"; single only */
    str org_id;
};
void item_print(struct json_out *o, const struct item *it, const struct item_print_opts *opts);

#endif
