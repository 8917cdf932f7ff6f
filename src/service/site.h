/* The site: what a running portal consists of below its use cases. Opened once, shared by all threads. */
#ifndef MAPFERRY_SERVICE_SITE_H
#define MAPFERRY_SERVICE_SITE_H

#include "base/id.h"
#include "base/seal.h"
#include "store/blob.h"
#include "store/feature.h"
#include "store/meta.h"
#include "store/sql.h"

/* Limits and settings that rules need; app/config fills them from options, environment and file (table in app/config.def). */
struct site_settings {
    int64_t upload_max;       /* bytes of one uploaded file */
    int64_t text_max;         /* bytes of a text field */
    int64_t query_ms;         /* that a query of features may take */
    int64_t change_keep_ms;   /* how long changes of features are known; 0: for ever */
    int64_t upload_keep_ms;   /* how long an upload in parts waits for its next part or the commit */
    int64_t package_max;      /* bytes of an export package: 5 GB */
    int64_t package_item_max; /* bytes of one item in it: 1 GB */
    int64_t free_space_min;   /* bytes that must be free before and during export and import: 10 GB */
    int64_t token_minutes_default, token_minutes_max;
    int32_t max_record_count;    /* of a layer that does not say */
    int64_t blob_grace_ms;       /* before unreferenced content is collected */
    const char *convert_program; /* path of mapferry-convert */
    unsigned workers;            /* threads for jobs' CPU work */
    unsigned sync_calls;         /* calls that may wait for a job at once */
    bool strict_types;
    const char *export_done_word; /* "succeeded" */
    const char *api_level;        /* "11.4": what we report, and the version rule */
    const char *fetch_networks;   /* beside public addresses, what dataUrl and thumbnailUrl may lead to; "" none */
    int64_t fetch_seconds;        /* for one of them */
    int64_t login_failures_max;   /* per name and address in ten minutes */
};

struct http_client;                /* net/http_client.h */
struct views;                      /* service/views.c */
struct hosted_cache;               /* service/hosted_cache.c */
#define SITE_KEY_FILE "secret.key" /* in the data folder */
struct site {
    struct sql *sql;
    struct blob_store *blobs;
    struct feature_store *features;
    struct http_client *fetcher; /* for addresses that clients name: service/item_fetch.c */
    struct site_settings settings;
    const char *data_dir;
    str org_id;          /* "0123456789ABCDEF" */
    str portal_id;       /* uuid, made at first start */
    str portal_url;      /* public base as configured or listened on: "http://127.0.0.1:7080" + context; what stored texts get */
    str server_url;      /* "http://127.0.0.1:7080/server" */
    struct arena *arena; /* of the strings above */
    struct hosted_cache *hosted;
    struct views *views;
    struct seal_key key; /* what secrets in the database are sealed with */
};

/* Opens the stores below dir (creating them), migrates, makes ids at the first start. Release with site_close. database, content
 * and features may be NULL: SQLite, files and GeoPackages below dir. */
struct site_open {
    const char *dir, *database, *content, *features;
    const char *portal_url, *server_url;
    struct site_settings settings;
};
int site_open(struct ctx *ctx, const struct site_open *options, struct site *out);
void site_close(struct site *s);
/* Defaults of the settings. */
struct site_settings site_settings_default(void);

/* Drops the data sets that were replaced or deleted. Also done at each start. */
int site_drop_stores(struct ctx *ctx, struct site *s);

/* URLs of our own services are stored relative ("@server/rest/services/…"), so that a portal may change its address. expand: to
 * an absolute URL with that server base; other texts come back as they are. reduce: the reverse, for any scheme and case. */
str site_url_expand(struct ctx *ctx, str server_url, str stored);
str site_url_reduce(struct ctx *ctx, str server_url, str url);

/* The free space rule: ERR_NO_SPACE naming free, needed and the setting. needed_extra: bytes about to be written on top of the
 * minimum. */
int site_check_space(struct ctx *ctx, const struct site *s, int64_t needed_extra);

#endif
