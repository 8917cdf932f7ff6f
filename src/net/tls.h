/* Certificates: what a server shows to its clients, replaceable while it runs, and a local authority that makes one for a portal
 * that has none. The only place that knows the TLS library by name. */
#ifndef MAPFERRY_NET_TLS_H
#define MAPFERRY_NET_TLS_H

#include "base/ctx.h"

/* ---- what a server shows ---- */

struct tls; /* a certificate chain and its key; used by many threads at once */
/* Both PEM; one file may hold both. ERR_INVALID naming the file and what is wrong with it, a key of another certificate included.
 */
int tls_open(struct ctx *ctx, const char *cert_file, const char *key_file, struct tls **out);
/* From now on this certificate; on an error the one before stays. */
int tls_replace(struct ctx *ctx, struct tls *t, const char *cert_file, const char *key_file);
void tls_close(struct tls *t); /* NULL is allowed; no handshake may be running */
/* For the HTTP library: its certificate callback, and what binds a session of its own to t before the handshake. */
void *tls_callback(void);
void tls_bind(struct tls *t, void *session);
/* Versions and ciphers, as the library spells them: TLS 1.2 and 1.3. */
extern const char tls_priorities[];

/* ---- a local authority ---- */

struct tls_local {
    const char *dir;  /* the files: authority.pem, authority-key.pem, server.pem (certificate and key) */
    const str *names; /* DNS names and addresses of the server, the first one its title */
    size_t name_count;
};
struct tls_local_files {
    const char *authority, *server; /* paths, in the arena */
    bool authority_made, server_made;
    int64_t expires; /* ms, of the server's certificate */
};
/* Makes what is missing: an authority for ten years, a certificate for about a year. The certificate is made anew when it ends
 * within thirty days, lacks one of the names, or is not of this authority; the authority is kept until it ends within that year.
 * Keys are written before what needs them, 0600. ERR_INVALID for a name that cannot be in a certificate. */
int tls_local_ensure(struct ctx *ctx, const struct tls_local *local, struct tls_local_files *out);

#endif
