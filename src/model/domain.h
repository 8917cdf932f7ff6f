/* Domains of fields: which values an edit may write. Source: field and type objects of the layer resource (api.md 4.1). */
#ifndef MAPFERRY_MODEL_DOMAIN_H
#define MAPFERRY_MODEL_DOMAIN_H

#include "model/layer.h"

struct domain {
    enum domain_kind { DOMAIN_NONE, DOMAIN_CODED, DOMAIN_RANGE } kind;
    str name;
    double least, most;  /* of a range, both included; dates are ms */
    struct value *codes; /* of the field's type */
    size_t code_count;
};
/* A domain object of a definition for a field; no object and null are DOMAIN_NONE, and so is "inherited". ERR_INVALID names what
 * is wrong with it. Everything in the arena. */
int domain_parse(struct ctx *ctx, struct json v, const struct field *f, struct domain *out);
/* Null is in every domain: whether a field may be null is the field's matter. */
bool domain_has(const struct domain *d, const struct value *v);

/* The domains of a layer: of its fields, and of its types, which have other ones for some fields. */
struct layer_domains {
    const struct layer *layer;
    struct domain *fields; /* one for each field */
    size_t type_field;     /* SIZE_MAX: the layer has no types */
    struct layer_type {
        struct value id;
        bool *own;              /* which fields have a domain of this type, */
        struct domain *domains; /* and which */
    } * types;
    size_t type_count;
};
int domain_layer_parse(struct ctx *ctx, const struct layer *l, struct layer_domains *out);
/* The domain of a field in a row whose type field has that value. */
const struct domain *domain_of(const struct layer_domains *d, size_t field, const struct value *type);

#endif
