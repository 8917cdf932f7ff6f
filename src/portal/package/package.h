/* A package file as a portal: written by export, read by import. Format: docs/formats/package.md.
 *
 * Writing appends only. A journal beside the file (path + ".journal") lets a new process go on at the last checkpoint; it stays
 * until package_journal_remove, so that finishing twice is harmless. */
#ifndef MAPFERRY_PORTAL_PACKAGE_PACKAGE_H
#define MAPFERRY_PORTAL_PACKAGE_PACKAGE_H

#include "portal/portal.h"

/* ---- writing ---- */
struct package_options {
    str path;                  /* the file; beside it lie ".journal" and, for a moment, ".layers" */
    int64_t created;           /* ms since 1970 */
    str file_name;             /* as the package item will be called */
    struct portal_info source; /* where the content is from */
    id group;                  /* ID_NONE: no group */
    str group_title;
    uint64_t max_package_bytes; /* of the file, 0: no limit; setting export.maxPackageBytes */
    uint64_t max_item_bytes;    /* unpacked, 0: no limit; setting export.maxItemBytes */
    unsigned threads;           /* workers, 1 to 4 */
};
/* Begins a package, or goes on with the one that the journal at path tells of; then only path, limits and threads of the options
 * count, the rest is as it was. A file without a journal is not touched: ERR_INVALID. */
int package_create(struct ctx *ctx, const struct package_options *options, struct portal **out);
struct package_result {
    uint64_t size;
    struct hash file;               /* SHA-256 of the whole file */
    struct hash content;            /* the content hash of the manifest */
    size_t items, members, aliases; /* aliases: names whose bytes another member holds */
};
/* After finish. */
struct package_result package_result(const struct portal *p);
/* The package is where it belongs: nobody will go on with it. */
int package_journal_remove(struct ctx *ctx, str path);

/* ---- reading ---- */
struct package_limits {
    uint64_t max_package_bytes; /* of the file */
    uint64_t max_member_bytes;  /* of a member, unpacked */
    uint64_t max_members;
    str temp_dir; /* layer files are unpacked there; empty: no rows can be read */
    /* Rows of a layer of a GeoPackage that strangers made. NULL: the slot stays empty. */
    int (*rows_open)(struct ctx *ctx, void *arg, str gpkg_path, const struct service *def, const struct layer *l,
                     struct row_source **out);
    void *rows_arg;
};
/* 5 GiB packages with members to 1 GiB, 1,000,000 of them. */
struct package_limits package_limits_default(void);

/* Opens a package and checks its structure and manifest, not yet the members' bytes: those are verified whenever they are read.
 * The portal owns fd, also when opening fails. Errors say in one sentence what the file is and what to do: ERR_UNSUPPORTED (not
 * ours, or of a later version), ERR_CORRUPT, ERR_INVALID, ERR_LIMIT. */
int package_open(struct ctx *ctx, int fd, const struct package_limits *limits, struct portal **out);
int package_open_path(struct ctx *ctx, str path, const struct package_limits *limits, struct portal **out);

struct package_summary {
    str format_version; /* "1.0" */
    int64_t created;
    str file_name;
    struct portal_info source;
    id group;
    str group_title;
    struct hash content;
    uint64_t file_bytes, unpacked_bytes; /* unpacked: of the members, each once */
    size_t items, members, aliases;
};
/* Strings live as long as the portal. */
void package_summary(const struct portal *p, struct package_summary *out);
/* Takes the bytes of members while they are compared, so that a package is read once only. Called from several threads. The
 * reader compares and fails at its end when the bytes differ; what was taken counts only after it ended well. */
struct package_sink {
    void *arg;
    bool (*wants)(void *arg, str name, uint64_t size);
    int (*take)(struct ctx *ctx, void *arg, struct hash hash, uint64_t size, struct reader *bytes);
};
/* Reads every member and compares size, checksum and SHA-256, in parallel. The first damaged one (in file order, of those that
 * were seen) is the error. Then the items: each can be read, and the bytes of all that it names are there. sink and progress may
 * be NULL; progress is called by the caller's thread. */
int package_verify(struct ctx *ctx, struct portal *p, unsigned threads, const struct package_sink *sink,
                   void (*progress)(void *arg, uint64_t done_bytes, uint64_t all_bytes), void *arg);
/* Members in name order. */
struct package_member {
    str name;
    uint64_t size, packed;
    bool stored; /* not compressed */
    struct hash hash;
};
size_t package_member_count(const struct portal *p);
void package_member(const struct portal *p, size_t rank, struct package_member *out);
/* Names whose bytes another member holds, in name order; strings valid during the call. */
int package_aliases_each(struct ctx *ctx, struct portal *p, int (*visit)(struct ctx *ctx, void *arg, str name, str same_as),
                         void *arg);

#endif
