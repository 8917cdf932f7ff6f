/* The place of a walk. See refs_path.h. */
#include "model/refs_path.h"

enum { POINTER_MAX = 1000 };

void refs_path_push(struct refs_path *p, struct json name, size_t index)
{
    p->steps[p->depth].name = name;
    p->steps[p->depth].index = index;
    p->depth++;
}

str refs_path_name(const struct refs_path *p, size_t step)
{
    str raw = json_raw(p->steps[step].name);
    return json_absent(p->steps[step].name) ? STR_NONE : str_sub(raw, 1, raw.n - 1);
}

str refs_path_pointer(const struct refs_path *p, struct arena *a)
{
    CLEANUP(buf_free) struct buf b = BUF_INIT(POINTER_MAX);
    struct arena_mark mark = arena_mark(a);
    for (size_t i = 0; i < p->depth; i++) {
        buf_add_char(&b, '/');
        if (json_absent(p->steps[i].name)) {
            buf_add_int(&b, (int64_t)p->steps[i].index);
            continue;
        }
        str raw = refs_path_name(p, i), name = raw.n > POINTER_MAX ? raw : json_string(p->steps[i].name, a);
        for (size_t k = 0; k < name.n && !b.overflow; k++) {
            if (name.p[k] == '~' || name.p[k] == '/')
                buf_add(&b, name.p[k] == '~' ? STR("~0") : STR("~1"));
            else
                buf_add_char(&b, name.p[k]);
        }
    }
    arena_release(a, mark);
    return arena_str(a, buf_str(&b));
}
