/* What `serve` needs to speak HTTPS: the files of its certificate, given or made by a local authority, and their renewal. */
#ifndef MAPFERRY_APP_HTTPS_H
#define MAPFERRY_APP_HTTPS_H

#include "app/config.h"
#include "net/http_server.h"
#include "net/tls.h"

struct https {
    const char *cert, *key; /* NULL: plain HTTP */
    bool own;               /* made here: --tls-self-signed */
    struct tls_local local; /* of our own */
};
enum { HTTPS_PORT = 7443 };
/* Does the configuration ask for HTTPS? */
bool https_wanted(const struct config *c);
/* host: the address that is listened on, NULL for all. Makes what --tls-self-signed needs, and tells on stderr how to trust it.
 */
int https_open(struct ctx *ctx, const struct config *c, const char *host, struct https *out);
/* Own certificates are renewed when they are near their end; the server gets what the files hold now. Failures are logged: the
 * certificate before stays. */
void https_renew(const struct ctx *ctx, const struct https *h, struct http_server *server);

#endif
