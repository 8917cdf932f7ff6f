/* Rows of one layer, pulled: what data sets, packages and converted files have in common. */
#ifndef MAPFERRY_MODEL_ROW_SOURCE_H
#define MAPFERRY_MODEL_ROW_SOURCE_H

#include "model/layer.h"

struct row_source {
    /* RC_OK with a row (its memory is valid until the next call), RC_END at the end. */
    int (*next)(struct ctx *ctx, struct row_source *s, struct row *out);
    void (*close)(struct row_source *s); /* gives back the source itself as well */
};
/* For CLEANUP. */
static inline void row_source_cleanup(struct row_source **s)
{
    if (*s)
        (*s)->close(*s);
}

#endif
