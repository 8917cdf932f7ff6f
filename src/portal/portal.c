/* What all kinds of portals have in common. */
#include "portal/portal.h"

void portal_close(struct portal *p)
{
    if (p)
        p->ops->close(p);
}

void portal_cleanup(struct portal **p) { portal_close(*p); }
