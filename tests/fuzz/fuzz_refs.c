/* Texts of items come from packages that anybody may have made: finding, rewriting and redacting references in any bytes. What
 * was rewritten names the source no more, and rewriting it again changes nothing. */
#include "model/refs.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct idmap *map_open(void)
{
    struct idmap *m = idmap_open();
    id from, to;
    id_parse(STR("aaaaaaaabbbbccccdddd000000000001"), &from);
    id_parse(STR("bbbbbbbbaaaaccccdddd000000000002"), &to);
    idmap_item(m, &from, &to);
    idmap_base(m, STR("http://a.b:7080"), STR("http://c.d:7081"));
    idmap_base(m, STR("http://a.b:7080/portal"), STR("http://c.d:7081/gis"));
    idmap_service(m, STR("http://a.b:7080/server/rest/services/X/FeatureServer"),
                  STR("http://c.d:7081/server/rest/services/Y/FeatureServer"));
    idmap_service_of_item(m, &to, STR("http://c.d:7081/server/rest/services/Z/FeatureServer"));
    return m;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct idmap *map;
    if (map == NULL)
        map = map_open();
    struct ctx ctx;
    ctx_open(&ctx);
    str text = str_of(data, size), out, again;
    struct ref_list found = {0};
    size_t at;
    if (refs_redact(&ctx, REF_DATA, STR(""), text, &out, &found) != RC_OK ||
        refs_rewrite(&ctx, itemtype_find(STR("Web Map")), REF_DATA, STR(""), text, map, &out, &found) != RC_OK)
        abort();
    /* By the scan alone nothing stays that the map knows, but in bytes that are no text. */
    if (refs_rewrite(&ctx, NULL, REF_DATA, STR(""), out, map, &out, NULL) != RC_OK ||
        refs_rewrite(&ctx, NULL, REF_DATA, STR(""), out, map, &again, NULL) != RC_OK || !str_eq(out, again))
        abort();
    refs_names_source(map, out, &at);
    ctx_close(&ctx);
    return 0;
}
