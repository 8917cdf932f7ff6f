/* Certificates over GnuTLS: see tls.h. Server (libmicrohttpd) and client (libcurl) are built on the same library. */
#include "net/tls.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/log.h"
#include "base/mem.h"

#include <arpa/inet.h>
#include <gnutls/abstract.h>
#include <gnutls/gnutls.h>
#include <gnutls/x509.h>
#include <pthread.h>
#include <time.h>

enum { PEM_MAX = 1 << 20, CHAIN_MAX = 16, SERIAL_BYTES = 16, KEY_ID_BYTES = 64 };
#define DAY_MS (24LL * 3600 * 1000)
#define AUTHORITY_DAYS 3650
#define SERVER_DAYS 397 /* browsers accept no longer ones */
#define RENEW_DAYS 30
#define SKEW_MS (3600LL * 1000) /* clocks of clients that are behind */

const char tls_priorities[] = "NORMAL:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2";

static int refuse(struct ctx *ctx, int code, const char *what)
{
    return err_set(ctx, &ERR_INVALID, "%s: %s", what, gnutls_strerror(code));
}

/* The library's calls that return a negative code. */
#define TRY_TLS(call, what)                                                                                                      \
    do {                                                                                                                         \
        int tls_code_ = (call);                                                                                                  \
        if (tls_code_ < 0)                                                                                                       \
            return refuse(ctx, tls_code_, (what));                                                                               \
    } while (0)

static gnutls_datum_t datum(str s) { return (gnutls_datum_t){.data = (unsigned char *)(uintptr_t)s.p, .size = (unsigned)s.n}; }

/* ---- what a server shows ---- */

struct identity {
    struct identity *older;
    gnutls_pcert_st chain[CHAIN_MAX];
    unsigned count;
    gnutls_privkey_t key;
};

/* Identities that were replaced stay until the end: a handshake may be using one, and there are few. */
struct tls {
    pthread_mutex_t lock;
    struct identity *newest; /* under lock; what it points at does not change */
};

static void identity_free(struct identity *i)
{
    if (!i)
        return;
    for (unsigned n = 0; n < i->count; n++)
        gnutls_pcert_deinit(&i->chain[n]);
    if (i->key)
        gnutls_privkey_deinit(i->key);
    mem_free(i);
}
static void identity_cleanup(struct identity **i) { identity_free(*i); }

static void pubkey_cleanup(gnutls_pubkey_t *key)
{
    if (*key)
        gnutls_pubkey_deinit(*key);
}

static int check_pair(struct ctx *ctx, const struct identity *i, const char *key_file)
{
    CLEANUP(pubkey_cleanup) gnutls_pubkey_t of_key = NULL;
    unsigned char a[KEY_ID_BYTES], b[KEY_ID_BYTES];
    size_t a_size = sizeof a, b_size = sizeof b;
    TRY_TLS(gnutls_pubkey_init(&of_key), key_file);
    TRY_TLS(gnutls_pubkey_import_privkey(of_key, i->key, 0, 0), key_file);
    TRY_TLS(gnutls_pubkey_get_key_id(of_key, GNUTLS_KEYID_USE_SHA256, a, &a_size), key_file);
    TRY_TLS(gnutls_pubkey_get_key_id(i->chain[0].pubkey, GNUTLS_KEYID_USE_SHA256, b, &b_size), key_file);
    if (a_size == b_size && memcmp(a, b, a_size) == 0)
        return RC_OK;
    return err_set(ctx, &ERR_INVALID, "%s: this is not the key of the certificate", key_file);
}

static int identity_load(struct ctx *ctx, const char *cert_file, const char *key_file, struct identity **out)
{
    str cert, key;
    TRY(file_read_all(ctx, cert_file, PEM_MAX, &cert));
    TRY(file_read_all(ctx, key_file, PEM_MAX, &key));
    CLEANUP(identity_cleanup) struct identity *i = mem_new(struct identity);
    gnutls_datum_t cert_bytes = datum(cert), key_bytes = datum(key);
    unsigned count = CHAIN_MAX;
    int code = gnutls_pcert_list_import_x509_raw(i->chain, &count, &cert_bytes, GNUTLS_X509_FMT_PEM, 0);
    if (code >= 0)
        i->count = count;
    if (code < 0 || count == 0)
        return err_set(ctx, &ERR_INVALID, "%s: no certificate in PEM: %s", cert_file, code < 0 ? gnutls_strerror(code) : "empty");
    TRY_TLS(gnutls_privkey_init(&i->key), key_file);
    code = gnutls_privkey_import_x509_raw(i->key, &key_bytes, GNUTLS_X509_FMT_PEM, NULL, 0);
    if (code < 0)
        return err_set(ctx, &ERR_INVALID, "%s: no private key in PEM, or it has a passphrase: %s", key_file,
                       gnutls_strerror(code));
    TRY(check_pair(ctx, i, key_file));
    *out = i;
    i = NULL;
    return RC_OK;
}

int tls_open(struct ctx *ctx, const char *cert_file, const char *key_file, struct tls **out)
{
    struct identity *i = NULL;
    TRY(identity_load(ctx, cert_file, key_file, &i));
    struct tls *t = mem_new(struct tls);
    pthread_mutex_init(&t->lock, NULL);
    t->newest = i;
    *out = t;
    return RC_OK;
}

int tls_replace(struct ctx *ctx, struct tls *t, const char *cert_file, const char *key_file)
{
    struct identity *i = NULL;
    TRY(identity_load(ctx, cert_file, key_file, &i));
    pthread_mutex_lock(&t->lock);
    i->older = t->newest;
    t->newest = i;
    pthread_mutex_unlock(&t->lock);
    return RC_OK;
}

void tls_close(struct tls *t)
{
    if (!t)
        return;
    for (struct identity *i = t->newest, *older; i; i = older) {
        older = i->older;
        identity_free(i);
    }
    pthread_mutex_destroy(&t->lock);
    mem_free(t);
}

static int on_certificate_wanted(gnutls_session_t session, const gnutls_datum_t *authorities, int authority_count,
                                 const gnutls_pk_algorithm_t *algorithms, int algorithm_count, gnutls_pcert_st **chain,
                                 unsigned *count, gnutls_privkey_t *key)
{
    (void)authorities, (void)authority_count, (void)algorithms, (void)algorithm_count;
    struct tls *t = gnutls_session_get_ptr(session);
    pthread_mutex_lock(&t->lock);
    struct identity *i = t->newest;
    pthread_mutex_unlock(&t->lock);
    *chain = i->chain;
    *count = i->count;
    *key = i->key;
    return 0;
}

void *tls_callback(void)
{
    gnutls_certificate_retrieve_function2 *callback = on_certificate_wanted;
    void *out;
    memcpy(&out, &callback, sizeof out); /* functions and objects have pointers of one size here (POSIX) */
    return out;
}

void tls_bind(struct tls *t, void *session) { gnutls_session_set_ptr(session, t); }

/* ---- a local authority ---- */

/* A certificate and its key while they are made or looked at. */
struct pair {
    gnutls_x509_crt_t cert;
    gnutls_x509_privkey_t key;
};
static void pair_cleanup(struct pair *p)
{
    if (p->cert)
        gnutls_x509_crt_deinit(p->cert);
    if (p->key)
        gnutls_x509_privkey_deinit(p->key);
    *p = (struct pair){0};
}

static int pair_init(struct ctx *ctx, struct pair *p)
{
    TRY_TLS(gnutls_x509_crt_init(&p->cert), "certificate");
    TRY_TLS(gnutls_x509_privkey_init(&p->key), "key");
    return RC_OK;
}

/* Texts in PEM; false when they are no certificate and key that belong together. */
static bool pair_import(struct pair *p, str cert, str key)
{
    unsigned char a[KEY_ID_BYTES], b[KEY_ID_BYTES];
    size_t a_size = sizeof a, b_size = sizeof b;
    gnutls_datum_t cert_bytes = datum(cert), key_bytes = datum(key);
    return gnutls_x509_crt_import(p->cert, &cert_bytes, GNUTLS_X509_FMT_PEM) >= 0 &&
           gnutls_x509_privkey_import(p->key, &key_bytes, GNUTLS_X509_FMT_PEM) >= 0 &&
           gnutls_x509_crt_get_key_id(p->cert, GNUTLS_KEYID_USE_SHA256, a, &a_size) >= 0 &&
           gnutls_x509_privkey_get_key_id(p->key, GNUTLS_KEYID_USE_SHA256, b, &b_size) >= 0 && a_size == b_size &&
           memcmp(a, b, a_size) == 0;
}

/* A missing file is an empty text. */
static int read_or_empty(struct ctx *ctx, const char *path, str *out)
{
    *out = STR("");
    return file_exists(path) ? file_read_all(ctx, path, PEM_MAX, out) : RC_OK;
}

static int pem_of(struct ctx *ctx, const struct pair *p, str *cert_out, str *key_out)
{
    gnutls_datum_t cert = {0}, key = {0};
    TRY_TLS(gnutls_x509_crt_export2(p->cert, GNUTLS_X509_FMT_PEM, &cert), "certificate");
    *cert_out = arena_str(ctx->arena, str_of(cert.data, cert.size));
    gnutls_free(cert.data);
    TRY_TLS(gnutls_x509_privkey_export2(p->key, GNUTLS_X509_FMT_PEM, &key), "key");
    *key_out = arena_str(ctx->arena, str_of(key.data, key.size));
    gnutls_memset(key.data, 0, key.size);
    gnutls_free(key.data);
    return RC_OK;
}

/* What all certificates have: key, serial number, title, times. */
static int certificate_begin(struct ctx *ctx, struct pair *p, str title, int days)
{
    unsigned char serial[SERIAL_BYTES], id[KEY_ID_BYTES];
    size_t id_size = sizeof id;
    random_bytes(serial, sizeof serial);
    serial[0] = (unsigned char)((serial[0] & 0x7f) | 0x40); /* positive, and of full length */
    int64_t now = ctx_now(ctx);
    TRY_TLS(gnutls_x509_privkey_generate(p->key, GNUTLS_PK_ECDSA, (unsigned)GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP256R1), 0),
            "key");
    TRY_TLS(gnutls_x509_crt_set_version(p->cert, 3), "certificate");
    TRY_TLS(gnutls_x509_crt_set_key(p->cert, p->key), "certificate");
    TRY_TLS(gnutls_x509_crt_set_serial(p->cert, serial, sizeof serial), "certificate");
    TRY_TLS(gnutls_x509_crt_set_dn_by_oid(p->cert, GNUTLS_OID_X520_COMMON_NAME, 0, title.p, (unsigned)title.n), "certificate");
    TRY_TLS(gnutls_x509_crt_set_activation_time(p->cert, (time_t)((now - SKEW_MS) / 1000)), "certificate");
    TRY_TLS(gnutls_x509_crt_set_expiration_time(p->cert, (time_t)((now + days * DAY_MS) / 1000)), "certificate");
    TRY_TLS(gnutls_x509_crt_get_key_id(p->cert, GNUTLS_KEYID_USE_SHA1, id, &id_size), "certificate");
    TRY_TLS(gnutls_x509_crt_set_subject_key_id(p->cert, id, id_size), "certificate");
    return RC_OK;
}

static int64_t expires_ms(const struct pair *p) { return (int64_t)gnutls_x509_crt_get_expiration_time(p->cert) * 1000; }

static bool lasts(const struct ctx *ctx, const struct pair *p, int days)
{
    int64_t now = ctx_now(ctx), from = (int64_t)gnutls_x509_crt_get_activation_time(p->cert) * 1000;
    return from <= now && expires_ms(p) - now >= days * DAY_MS;
}

static int authority_make(struct ctx *ctx, struct pair *p, str host, const char *cert_file, const char *key_file)
{
    str cert, key;
    enum { TITLE_MAX = 64 }; /* of a common name, RFC 5280 */
    str title = str_sub(arena_printf(ctx->arena, "mapferry authority of %.*s", STR_FMT(host)), 0, TITLE_MAX);
    TRY(certificate_begin(ctx, p, title, AUTHORITY_DAYS));
    TRY_TLS(gnutls_x509_crt_set_basic_constraints(p->cert, 1, 0), "authority");
    TRY_TLS(gnutls_x509_crt_set_key_usage(p->cert, GNUTLS_KEY_KEY_CERT_SIGN | GNUTLS_KEY_CRL_SIGN), "authority");
    TRY_TLS(gnutls_x509_crt_sign2(p->cert, p->cert, p->key, GNUTLS_DIG_SHA256, 0), "authority");
    TRY(pem_of(ctx, p, &cert, &key));
    TRY(file_write_all(ctx, key_file, key, 0600));
    return file_write_all(ctx, cert_file, cert, 0644);
}

static int add_name(struct ctx *ctx, gnutls_x509_crt_t cert, str name)
{
    unsigned char address[16];
    const char *text = arena_cstr(ctx->arena, name);
    unsigned size = inet_pton(AF_INET, text, address) == 1 ? 4 : inet_pton(AF_INET6, text, address) == 1 ? 16 : 0;
    int code = size ? gnutls_x509_crt_set_subject_alt_name(cert, GNUTLS_SAN_IPADDRESS, address, size, GNUTLS_FSAN_APPEND)
                    : gnutls_x509_crt_set_subject_alt_name(cert, GNUTLS_SAN_DNSNAME, text, (unsigned)name.n, GNUTLS_FSAN_APPEND);
    return code < 0 ? err_set(ctx, &ERR_INVALID, "the name '%s' cannot be in a certificate: %s", text, gnutls_strerror(code))
                    : RC_OK;
}

static int server_make(struct ctx *ctx, struct pair *p, const struct pair *authority, const struct tls_local *local,
                       const char *file)
{
    str cert, key;
    unsigned char id[KEY_ID_BYTES];
    size_t id_size = sizeof id;
    TRY(certificate_begin(ctx, p, str_sub(local->names[0], 0, 64), SERVER_DAYS));
    for (size_t i = 0; i < local->name_count; i++)
        TRY(add_name(ctx, p->cert, local->names[i]));
    TRY_TLS(gnutls_x509_crt_get_subject_key_id(authority->cert, id, &id_size, NULL), "authority");
    TRY_TLS(gnutls_x509_crt_set_authority_key_id(p->cert, id, id_size), "certificate");
    TRY_TLS(gnutls_x509_crt_set_basic_constraints(p->cert, 0, -1), "certificate");
    TRY_TLS(gnutls_x509_crt_set_key_usage(p->cert, GNUTLS_KEY_DIGITAL_SIGNATURE), "certificate");
    TRY_TLS(gnutls_x509_crt_set_key_purpose_oid(p->cert, GNUTLS_KP_TLS_WWW_SERVER, 0), "certificate");
    TRY_TLS(gnutls_x509_crt_sign2(p->cert, authority->cert, authority->key, GNUTLS_DIG_SHA256, 0), "certificate");
    TRY(pem_of(ctx, p, &cert, &key));
    /* One file, so that certificate and key can only change together. */
    return file_write_all(ctx, file, arena_printf(ctx->arena, "%.*s%.*s", STR_FMT(cert), STR_FMT(key)), 0600);
}

static bool server_serves(const struct ctx *ctx, const struct pair *p, const struct pair *authority,
                          const struct tls_local *local)
{
    unsigned status = 0;
    if (!lasts(ctx, p, RENEW_DAYS) ||
        gnutls_x509_crt_verify(p->cert, &authority->cert, 1, GNUTLS_VERIFY_DISABLE_TIME_CHECKS, &status) < 0 || status != 0)
        return false;
    for (size_t i = 0; i < local->name_count; i++)
        if (!gnutls_x509_crt_check_hostname2(p->cert, arena_cstr(ctx->arena, local->names[i]), 0))
            return false;
    return true;
}

int tls_local_ensure(struct ctx *ctx, const struct tls_local *local, struct tls_local_files *out)
{
    CLEANUP(pair_cleanup) struct pair authority = {0}, server = {0};
    str cert, key, both;
    const char *key_file = arena_printf(ctx->arena, "%s/authority-key.pem", local->dir).p;
    *out = (struct tls_local_files){.authority = arena_printf(ctx->arena, "%s/authority.pem", local->dir).p,
                                    .server = arena_printf(ctx->arena, "%s/server.pem", local->dir).p};
    TRY(dir_create(ctx, local->dir));
    TRY(pair_init(ctx, &authority));
    TRY(pair_init(ctx, &server));
    TRY(read_or_empty(ctx, out->authority, &cert));
    TRY(read_or_empty(ctx, key_file, &key));
    if (!pair_import(&authority, cert, key) || !lasts(ctx, &authority, SERVER_DAYS)) {
        pair_cleanup(&authority);
        TRY(pair_init(ctx, &authority));
        TRY(authority_make(ctx, &authority, local->names[0], out->authority, key_file));
        out->authority_made = true;
    }
    TRY(read_or_empty(ctx, out->server, &both));
    if (!pair_import(&server, both, both) || !server_serves(ctx, &server, &authority, local)) {
        pair_cleanup(&server);
        TRY(pair_init(ctx, &server));
        TRY(server_make(ctx, &server, &authority, local, out->server));
        out->server_made = true;
    }
    out->expires = expires_ms(&server);
    return RC_OK;
}
