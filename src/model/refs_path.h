/* Where a walk through a JSON text is, kept on the way: json_pointer would search for the place anew at every find.
 * For the refs files only. */
#ifndef MAPFERRY_MODEL_REFS_PATH_H
#define MAPFERRY_MODEL_REFS_PATH_H

#include "codec/json/json.h"

struct refs_path {
    size_t depth;
    struct {
        struct json name; /* absent: an element of an array */
        size_t index;
    } steps[JSON_DEPTH_MAX + 1];
};
void refs_path_push(struct refs_path *p, struct json name, size_t index);
static inline void refs_path_pop(struct refs_path *p) { p->depth--; }
/* The name of a step as it is written, escapes and all; none for an element. */
str refs_path_name(const struct refs_path *p, size_t step);
/* As JSON pointer in the arena. Cut when it is longer than anybody reads, so that a hostile text cannot make many long ones. */
str refs_path_pointer(const struct refs_path *p, struct arena *a);

#endif
