/* A portal in memory with a handful of items that have everything a package can carry, and the loop that carries them. */
#ifndef MAPFERRY_TESTS_FAKE_PORTAL_H
#define MAPFERRY_TESTS_FAKE_PORTAL_H

#include "portal/package/package.h"

struct fake_options {
    bool big;               /* adds parts of several MiB: text, random, zeros */
    str layers;             /* bytes of the layer file of the hosted item, "" some text */
    const char *break_part; /* part_open of the part with this name gives other bytes */
};
/* Source with five items (ids 0…1 to 0…5). Lives in the arena of ctx. */
struct portal *fake_portal_open(struct ctx *ctx, const struct fake_options *options);
/* Puts every item that was not put yet, a checkpoint after each `every`; then finishes. */
int fake_portal_copy(struct ctx *ctx, struct portal *source, struct portal *target, size_t every);
id fake_id(int n);
/* Options for a package of that source at path. */
struct package_options fake_package_options(str path);
/* Copies the source into a new package file. */
int fake_package(struct ctx *ctx, struct portal *source, str path, size_t every, struct package_result *result_out);

#endif
