/* Domains of fields, as File Geodatabases and GeoPackages have them: lists of codes and ranges, in the form of a layer's
 * definition. */
#include "base/num.h"
#include "convert/helper/source.h"

enum { DOMAIN_BYTES_MAX = 1 << 20 };

static OGRFieldDomainH find_domain(const struct source *s, const char *name)
{
    OGRFieldDomainH found = NULL;
    for (size_t i = 0; i < s->set_count && !found; i++)
        found = GDALDatasetGetFieldDomain(s->sets[i], name);
    return found;
}

static bool is_number(enum field_type type)
{
    return type == FIELD_INTEGER || type == FIELD_SMALL_INTEGER || type == FIELD_BIG_INTEGER || type == FIELD_DOUBLE ||
           type == FIELD_SINGLE;
}

/* A code of a numeric field is a number. */
static void put_code(struct json_out *o, enum field_type type, str code)
{
    double d;
    json_name(o, "code");
    if (is_number(type) && num_parse_double(code, &d))
        json_put_raw(o, code);
    else
        json_put_str(o, code);
}

static void put_codes(struct json_out *o, OGRFieldDomainH domain, enum field_type type)
{
    json_member_c(o, "type", "codedValue");
    json_name(o, "codedValues");
    json_begin_array(o);
    for (const OGRCodedValue *v = OGR_CodedFldDomain_GetEnumeration(domain); v && v->pszCode; v++) {
        json_begin_object(o);
        json_member_c(o, "name", v->pszValue ? v->pszValue : v->pszCode);
        put_code(o, type, str_c(v->pszCode));
        json_end_object(o);
    }
    json_end_array(o);
}

static void put_bound(struct json_out *o, const OGRField *bound, OGRFieldType type)
{
    if (type == OFTInteger)
        json_put_int(o, bound->Integer);
    else if (type == OFTInteger64)
        json_put_int(o, bound->Integer64);
    else
        json_put_double(o, bound->Real);
}

static void put_range(struct json_out *o, const OGRField *least, const OGRField *most, OGRFieldType type)
{
    json_member_c(o, "type", "range");
    json_name(o, "range");
    json_begin_array(o);
    put_bound(o, least, type);
    put_bound(o, most, type);
    json_end_array(o);
}

str source_domain(struct ctx *ctx, const struct source *s, OGRFieldDefnH column, enum field_type type)
{
    const char *name = OGR_Fld_GetDomainName(column);
    OGRFieldDomainH domain = name && name[0] ? find_domain(s, name) : NULL;
    if (!domain)
        return STR("");
    CLEANUP(buf_free) struct buf b = BUF_INIT(DOMAIN_BYTES_MAX);
    struct json_out o;
    bool inclusive;
    OGRFieldType as = OGR_FldDomain_GetFieldType(domain);
    const OGRField *least = NULL, *most = NULL;
    bool coded = OGR_FldDomain_GetDomainType(domain) == OFDT_CODED;
    if (OGR_FldDomain_GetDomainType(domain) == OFDT_RANGE && (as == OFTInteger || as == OFTInteger64 || as == OFTReal)) {
        least = OGR_RangeFldDomain_GetMin(domain, &inclusive);
        most = OGR_RangeFldDomain_GetMax(domain, &inclusive);
    }
    if (!coded && (!least || !most))
        return STR("");
    json_out_buf(&o, ctx, &b);
    json_begin_object(&o);
    json_member_c(&o, "name", name);
    json_member_c(&o, "description", OGR_FldDomain_GetDescription(domain));
    if (coded)
        put_codes(&o, domain, type);
    else
        put_range(&o, least, most, as);
    json_member_c(&o, "mergePolicy", "esriMPTDefaultValue");
    json_member_c(&o, "splitPolicy", "esriSPTDefaultValue");
    json_end_object(&o);
    return b.overflow ? STR("") : arena_str(ctx->arena, buf_str(&b));
}
