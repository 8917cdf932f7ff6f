/* What the parts of the database border need of each other; nobody else includes this. */
#ifndef MAPFERRY_STORE_SQL_DRIVER_H
#define MAPFERRY_STORE_SQL_DRIVER_H

#include "store/sql.h"
#include <pthread.h>

/* The driver: a copy of the database beside it, named "<file><suffix>", whole and durable or not there at all. Not inside a
 * transaction. */
int sql_copy(struct ctx *ctx, struct sql *db, const char *suffix);

/* The driver: a statement of a migration in the words of its engine. In the context's arena. */
const char *sql_engine_text(struct ctx *ctx, str statement);

/* sql_migrate.c: brings an open database to the newest of the migrations (sql_open says how). */
/* ERR_UNSUPPORTED when the schema is another than the newest of these. */
int sql_schema_check(struct ctx *ctx, struct sql *db, const struct sql_migration *migrations, size_t count);
int sql_migrate(struct ctx *ctx, struct sql *db, const struct sql_migration *migrations, size_t count);

/* sql_queue.c: write transactions that wait. One of the waiting threads leads: it runs what is there for all, and what comes
 * meanwhile as long as it asks for more. */
struct sql_job {
    struct ctx *ctx;
    sql_fn *fn;
    void *arg;
    int rc; /* RC_OK until the leader says otherwise */
    struct sql_job *next;
    bool done, leads;
    pthread_cond_t wake;
};
struct sql_queue {
    pthread_mutex_t lock;
    struct sql_job *first, *last;
    bool led;                                      /* somebody leads or was told to */
    unsigned taken;                                /* jobs of the batch that is run */
    void (*run)(void *arg, struct sql_job *batch); /* gives each job of the list its rc; one call at a time */
    void *arg;
};
void sql_queue_open(struct sql_queue *q, void (*run)(void *arg, struct sql_job *batch), void *arg);
void sql_queue_close(struct sql_queue *q);
/* Returns when the job was run, by this thread or another one. */
void sql_queue_run(struct sql_queue *q, struct sql_job *job);
/* For the leader, within run: takes those that came meanwhile into its batch, whose last job is given. The first of them, NULL
 * when nobody waits or the batch is as large as one may be. */
struct sql_job *sql_queue_more(struct sql_queue *q, struct sql_job *last);

#endif
