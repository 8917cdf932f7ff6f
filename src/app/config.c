/* Configuration: see config.h. */
#include "app/config.h"
#include "base/file.h"
#include "base/num.h"
#include "cli/command.h"

extern char **environ;

const struct config_row config_rows[CONFIG_KEY_COUNT] = {
#define CONFIG(member, name, kind, otherwise, meaning) {name, CONFIG_##kind, otherwise, meaning},
#include "app/config.def"
#undef CONFIG
};

enum { CONFIG_FILE_MAX = 1 << 20 };

/* The next character of a name that counts, lower case; 0 at the end. */
static char name_char(str s, size_t *at)
{
    while (*at < s.n) {
        char c = s.p[(*at)++];
        if (c == '-' || c == '_' || c == '.')
            continue;
        return c >= 'A' && c <= 'Z' ? (char)(c + 32) : c;
    }
    return 0;
}

static bool name_same(str a, str b)
{
    size_t i = 0, j = 0;
    for (;;) {
        char x = name_char(a, &i), y = name_char(b, &j);
        if (x != y)
            return false;
        if (!x)
            return true;
    }
}

static enum config_key key_find(str name)
{
    int key = 0;
    while (key < CONFIG_KEY_COUNT && !name_same(str_c(config_rows[key].name), name))
        key++;
    return (enum config_key)key;
}

/* "10G", "512M", "64K" or a number. */
static bool bytes_parse(str s, int64_t *out)
{
    static const char units[] = "KMGT";
    int shift = 0;
    if (s.n) {
        char last = s.p[s.n - 1];
        const char *unit = last ? strchr(units, last >= 'a' ? last - 32 : last) : NULL;
        if (unit) {
            shift = 10 * ((int)(unit - units) + 1);
            s = str_sub(s, 0, s.n - 1);
        }
    }
    if (!num_parse_int(s, out) || *out < 0 || *out > INT64_MAX >> shift)
        return false;
    *out <<= shift;
    return true;
}

static bool number_parse(enum config_kind kind, str value, int64_t *out)
{
    bool flag;
    switch (kind) {
    case CONFIG_TEXT:
        *out = 0;
        return true;
    case CONFIG_INT:
        return num_parse_int(value, out) && *out >= 0;
    case CONFIG_BYTES:
        return bytes_parse(value, out);
    case CONFIG_BOOL:
        if (!num_parse_bool(value, &flag))
            return false;
        *out = flag;
        return true;
    }
    return false;
}

static int set(struct ctx *ctx, struct config *c, enum config_key key, str value, const char *from)
{
    static const char *const words[] = {"text", "a whole number", "a number of bytes such as 512M", "true or false"};
    int64_t number;
    if (!number_parse(config_rows[key].kind, value, &number))
        return err_set(ctx, &ERR_USAGE, "%s: %s has to be %s, not '%.*s'.", from, config_rows[key].name,
                       words[config_rows[key].kind], STR_FMT(value));
    c->text[key] = arena_str(ctx->arena, value);
    return RC_OK;
}

int64_t config_number(const struct config *c, enum config_key key)
{
    int64_t number = 0;
    (void)number_parse(config_rows[key].kind, c->text[key], &number); /* checked when it was set */
    return number;
}

static int load_file(struct ctx *ctx, struct config *c, const char *path)
{
    str text, line;
    TRY(file_read_all(ctx, path, CONFIG_FILE_MAX, &text));
    for (int n = 1; str_split(&text, '\n', &line); n++) {
        line = str_trim(line);
        if (str_empty(line) || line.p[0] == '#')
            continue;
        size_t equal = str_find_char(line, '=', 0);
        str name = str_trim(str_sub(line, 0, equal == SIZE_MAX ? line.n : equal));
        enum config_key key = key_find(name);
        str from = arena_printf(ctx->arena, "%s, line %d", path, n);
        if (equal == SIZE_MAX || key == CONFIG_KEY_COUNT)
            return err_set(ctx, &ERR_USAGE, "%s: '%.*s' is no `key = value` with a key that there is.", from.p, STR_FMT(name));
        TRY(set(ctx, c, key, str_trim(str_sub(line, equal + 1, line.n)), from.p));
    }
    return RC_OK;
}

static int load_environment(struct ctx *ctx, struct config *c)
{
    const str prefix = STR("MAPFERRY_");
    for (char **e = environ; e && *e; e++) {
        str line = str_c(*e);
        if (!str_starts(line, prefix))
            continue;
        size_t equal = str_find_char(line, '=', 0);
        enum config_key key = key_find(str_sub(line, prefix.n, equal));
        if (key != CONFIG_KEY_COUNT) /* others belong to other commands: MAPFERRY_TOKEN */
            TRY(set(ctx, c, key, str_sub(line, equal + 1, line.n), arena_cstr(ctx->arena, str_sub(line, 0, equal))));
    }
    return RC_OK;
}

static int load_options(struct ctx *ctx, struct config *c, int argc, char **argv)
{
    for (int i = 0; i < argc; i++) {
        str option = str_c(argv[i]);
        if (!str_starts(option, STR("--")))
            return err_set(ctx, &ERR_USAGE, "'%s' is no option of serve; see `mapferry help serve`.", argv[i]);
        size_t equal = str_find_char(option, '=', 0);
        enum config_key key = key_find(str_sub(option, 2, equal == SIZE_MAX ? option.n : equal));
        if (key == CONFIG_KEY_COUNT)
            return err_set(ctx, &ERR_USAGE, "'%s' is no option of serve; see `mapferry help serve`.", argv[i]);
        if (equal != SIZE_MAX) {
            TRY(set(ctx, c, key, str_sub(option, equal + 1, option.n), argv[i]));
        } else if (config_rows[key].kind == CONFIG_BOOL) {
            TRY(set(ctx, c, key, STR("true"), argv[i]));
        } else if (i + 1 < argc) {
            TRY(set(ctx, c, key, str_c(argv[i + 1]), argv[i]));
            i++;
        } else {
            return err_set(ctx, &ERR_USAGE, "'%s' needs a value.", argv[i]);
        }
    }
    return RC_OK;
}

int config_load(struct ctx *ctx, int argc, char **argv, struct config *out)
{
    struct config first = {0};
    for (int k = 0; k < CONFIG_KEY_COUNT; k++)
        first.text[k] = out->text[k] = str_c(config_rows[k].otherwise);
    /* Where the file is, only environment and options can say. */
    TRY(load_environment(ctx, &first));
    TRY(load_options(ctx, &first, argc, argv));
    str file = config_text(&first, config);
    if (!str_empty(file))
        TRY(load_file(ctx, out, arena_cstr(ctx->arena, file)));
    TRY(load_environment(ctx, out));
    return load_options(ctx, out, argc, argv);
}
