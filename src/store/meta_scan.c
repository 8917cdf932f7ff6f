/* A cursor that goes on to the next rows, and is set anew only when the one that is wanted is far away: finding a row costs
 * several pages, the next one costs one. */
#include "store/meta_scan.h"

enum { NEAR = 4 }; /* rows that are sooner passed over */

void meta_scan_close(struct meta_scan *s)
{
    sql_rows_close(&s->rows);
    s->open = false;
}

static int step(struct ctx *ctx, struct meta_scan *s)
{
    int rc = sql_next(ctx, &s->rows);
    s->open = rc == RC_OK;
    if (rc == RC_OK)
        s->number = sql_int(&s->rows, 0);
    return rc == RC_END ? RC_OK : rc;
}

/* Rows from where it stands to the number, in its direction; negative when it is behind. */
static int64_t ahead(const struct meta_scan *s, int64_t number) { return s->backwards ? s->number - number : number - s->number; }

int meta_scan_get(struct ctx *ctx, struct sql_tx *tx, struct meta_scan *s, int64_t number, str *content_out)
{
    if (!s->open || ahead(s, number) < 0 || ahead(s, number) > NEAR) {
        meta_scan_close(s);
        TRY(sql_query(ctx, tx, &s->rows,
                      s->backwards ? "SELECT number, content FROM search_column WHERE number <= ? ORDER BY number DESC"
                                   : "SELECT number, content FROM search_column WHERE number >= ? ORDER BY number",
                      SQL_I(number)));
        TRY(step(ctx, s));
    }
    while (s->open && ahead(s, number) > 0)
        TRY(step(ctx, s));
    *content_out = s->open && s->number == number ? sql_bytes(&s->rows, 1) : STR("");
    return RC_OK;
}
