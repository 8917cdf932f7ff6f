/* Configuration of the portal, from options, environment and file by one table (config.def). */
#ifndef MAPFERRY_APP_CONFIG_H
#define MAPFERRY_APP_CONFIG_H

#include "base/ctx.h"

enum config_kind { CONFIG_TEXT, CONFIG_INT, CONFIG_BYTES, CONFIG_BOOL };
enum config_key {
#define CONFIG(member, name, kind, otherwise, meaning) CONFIG_KEY_##member,
#include "app/config.def"
#undef CONFIG
    CONFIG_KEY_COUNT
};
struct config_row {
    const char *name;
    enum config_kind kind;
    const char *otherwise, *meaning;
};
extern const struct config_row config_rows[CONFIG_KEY_COUNT];

struct config {
    str text[CONFIG_KEY_COUNT];
};
/* argv: what stands behind `serve`. ERR_USAGE naming an unknown option, a missing value, or a value of the wrong kind and where
 * it came from. */
int config_load(struct ctx *ctx, int argc, char **argv, struct config *out);
#define config_text(c, member) ((c)->text[CONFIG_KEY_##member])
#define config_int(c, member) config_number((c), CONFIG_KEY_##member)
#define config_bool(c, member) (config_number((c), CONFIG_KEY_##member) != 0)
/* Was nothing said about it? */
#define config_is_default(c, member) ((c)->text[CONFIG_KEY_##member].p == config_rows[CONFIG_KEY_##member].otherwise)
int64_t config_number(const struct config *c, enum config_key key);

#endif
