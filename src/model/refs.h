/* References from one item to others: find them and rewrite them, by the registry's rules first and by a generic scan for known
 * ids and hosts second (also percent-encoded once or twice, JSON inside strings, "\/" escapes, HTML entities). Edits are splices:
 * bytes that no rule and no known id or host names stay as they are. */
#ifndef MAPFERRY_MODEL_REFS_H
#define MAPFERRY_MODEL_REFS_H

#include "model/itemtype.h"

/* What the texts may name on the source side and what stands for it on the target side. Built once per migration, read-only while
 * used (several threads may use it with contexts of their own). */
struct idmap;
struct idmap *idmap_open(void);
void idmap_close(struct idmap *m);
/* An item of the source that is known on the target. from equals to when ids are kept. */
void idmap_item(struct idmap *m, const id *from, const id *to);
/* A service root ("http://a/server/rest/services/Hosted/X/FeatureServer") and its counterpart; layer ids and query strings behind
 * it follow. Compared without regard to case and to http/https. */
void idmap_service(struct idmap *m, str from_url, str to_url);
/* A service whose item has this id: used when a text names the id beside a URL that idmap_service does not know (an item that
 * exists in the target already: its URL is taken). */
void idmap_service_of_item(struct idmap *m, const id *item, str to_url);
/* A base URL of the source portal or its server and its counterpart ("http://a:7080" → "http://b:7081", "http://a:7080/portal" →
 * …); longest first is the map's matter. Also covers host-only spellings ("a:7080"). */
void idmap_base(struct idmap *m, str from_url, str to_url);
void idmap_group(struct idmap *m, const id *from, const id *to);
void idmap_username(struct idmap *m, str from, str to);
/* Usernames are replaced only where a rule says that a username stands there. */

enum ref_outcome {
    REF_KEPT /* known, and the same on both sides */,
    REF_REWRITTEN,
    REF_GUESSED /* rewritten by the generic scan */,
    REF_UNRESOLVED /* not known: unchanged */,
    REF_SECRET /* a stored credential or token that was cut out */
};
struct ref_found {
    enum ref_place place;
    str name;    /* field or resource name, "" for data */
    str pointer; /* JSON pointer, "" when the text is no JSON */
    enum ref_kind kind;
    str value; /* as it stood there (secrets: never the value, "") */
    enum ref_outcome outcome;
    bool required;
};
struct ref_list {
    struct ref_found *list;
    size_t count, capacity;
};
/* Finds every reference of a text by the rules (and ids of the map's items by the scan). The list grows in the context's arena.
 * type NULL: only the scan. */
int refs_find(struct ctx *ctx, const struct itemtype *type, enum ref_place place, str name, str text, const struct idmap *known,
              struct ref_list *found);
/* Rewrites. text may be JSON or any text; binary content (not valid UTF-8) comes back as it is. *out is text itself when nothing
 * changed. */
int refs_rewrite(struct ctx *ctx, const struct itemtype *type, enum ref_place place, str name, str text, const struct idmap *map,
                 str *out, struct ref_list *found);
/* Is a base URL of the source named anywhere in these bytes, in any of the encodings? For verification. at_out: offset. */
bool refs_names_source(const struct idmap *map, str bytes, size_t *at_out);
/* Cuts stored service credentials and tokens out of an item text (members serviceUsername, servicePassword, serviceProxyParams,
 * password, token members, "token=…" in URLs): the bytes without them, each listed in found as REF_SECRET. */
int refs_redact(struct ctx *ctx, enum ref_place place, str name, str text, str *out, struct ref_list *found);

#endif
