/* The registry of item types: one row a type (model/itemtypes.def). What its content is, since which version it may be exported,
 * where it keeps references. The same rules drive dependency search, rewriting and verification. */
#ifndef MAPFERRY_MODEL_ITEMTYPE_H
#define MAPFERRY_MODEL_ITEMTYPE_H

#include "model/item.h"

enum content_kind { CONTENT_NONE, CONTENT_TEXT, CONTENT_FILE, CONTENT_URL, CONTENT_SERVICE };
enum export_source { EXPORT_NO, EXPORT_DOCUMENTED, EXPORT_ASSUMED }; /* EXPORT_ASSUMED: the row is lost from the public table */

enum ref_place { REF_ITEM_FIELD, REF_DATA, REF_RESOURCE };
enum ref_kind {
    REF_ITEM_ID,
    REF_SERVICE_URL /* with or without a layer id behind */,
    REF_PORTAL_URL,
    REF_GROUP_ID,
    REF_USERNAME,
    REF_URL /* any of the URLs */
};
struct ref_rule {
    enum ref_place place;
    const char *name; /* field name, or resource glob ("config/config.json", "draft_*.json"); NULL for data */
    const char
        *path; /* members separated by '/', "*" any member or element, "**" any depth: "operationalLayers/" "*" "/itemId" */
    enum ref_kind kind;
    bool required; /* the item does not work without it */
};
struct itemtype {
    const char *name; /* "Web Map" */
    enum content_kind content;
    const char *extensions; /* "csv", "doc,docx", NULL any */
    enum export_source exportable;
    const char *exportable_since; /* "10.8.1", "10.9.1", "11.0", "11.1" */
    const struct ref_rule *rules; /* NULL with count 0: only the generic scan */
    size_t rule_count;
    int creation_rank; /* services 0, files 1, maps 2, apps 3, collections of apps 4 */
};
/* By name, any case. NULL for a type that is not in the registry: it is carried losslessly and scanned generically. */
const struct itemtype *itemtype_find(str name);
size_t itemtype_count(void);
const struct itemtype *itemtype_at(size_t index);
/* May an item be in an export package of a portal of that version? strict: only documented rows. When not, *reason_out says why
 * in a sentence (static or arena): not in the table, hosted feature service view, proxied, spatiotemporal, group-based template
 * (values.group; data is the item's text data or STR_NONE), introduced later. Source: the group export document's table. */
bool itemtype_exportable(struct ctx *ctx, const struct item *it, bool hosted, str data, bool strict, str version,
                         str *reason_out);

/* Adds the keywords that come with the type (any case) to a list of typeKeywords, JSON or "", those that are not there: behind
 * what was given. */
int itemtype_keywords_add(struct ctx *ctx, str type, str *list);

#endif
