/* The least that a query of a hosted layer of points or polygons has to do, no generality: the rows of the same file by the same
 * statement, and the same bytes of the features, without HTTP, parameters, access or definitions. Numbers are printed by the
 * program's own base/num.c, since a page is made of little else. One thread. usage: query FILE TABLE OID GEOMETRY COUNT
 * json|pbf|box|field|stream|count|statistics [CONDITION]   (columns between OID and GEOMETRY are the fields; COUNT answers are
 * made; box: CONDITION is xmin,ymin,xmax,ymax). Prints a line of JSON. */
#include "base/num.h"
#include <math.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

enum { COLUMNS_MAX = 64, PAGE = 1000, HEAD = 8, BOXED = 2, POINT = 1 };
static char *out, *names[COLUMNS_MAX];
static size_t size, capacity;
static unsigned long long bytes;

static void die(const char *what)
{
    fprintf(stderr, "query: %s\n", what);
    exit(1);
}

static char *room(size_t n)
{
    if (size + n > capacity && !(out = realloc(out, capacity = (size + n) * 2)))
        die("no memory");
    return out + size;
}

static void put(const void *p, size_t n)
{
    memcpy(room(n), p, n);
    size += n;
}

#define PUT(literal) put(literal, sizeof(literal) - 1)

static void put_text(const char *s, size_t n)
{
    PUT("\"");
    for (size_t i = 0, from = 0; i <= n; i++) {
        if (i < n && s[i] != '"' && s[i] != '\\' && (unsigned char)s[i] >= 0x20)
            continue;
        put(s + from, i - from);
        if (i < n) {
            char escaped[2] = {'\\', s[i]}; /* control characters do not come in this data */
            put(escaped, 2);
        }
        from = i + 1;
    }
    PUT("\"");
}

static void put_value(sqlite3_stmt *s, int column)
{
    switch (sqlite3_column_type(s, column)) {
    case SQLITE_INTEGER:
        size += num_print_int(sqlite3_column_int64(s, column), room(NUM_INT_SIZE));
        break;
    case SQLITE_FLOAT:
        size += num_print_double(sqlite3_column_double(s, column), room(NUM_DOUBLE_SIZE));
        break;
    case SQLITE_NULL:
        PUT("null");
        break;
    default:
        put_text((const char *)sqlite3_column_text(s, column), (size_t)sqlite3_column_bytes(s, column));
    }
}

/* The WKB of a GeoPackage geometry, little endian as the program writes it, behind a head without or with a box. */
static const char *wkb_of(sqlite3_stmt *s, int column)
{
    const char *blob = sqlite3_column_blob(s, column);
    return blob + HEAD + (blob[3] & BOXED ? 4 * sizeof(double) : 0);
}

static unsigned number_at(const char *p)
{
    unsigned n;
    memcpy(&n, p, sizeof n);
    return n;
}

static void put_pair(const char *p, const char *before, const char *between, const char *after)
{
    double xy[2];
    memcpy(xy, p, sizeof xy);
    put(before, strlen(before));
    size += num_print_double(xy[0], room(NUM_DOUBLE_SIZE));
    put(between, strlen(between));
    size += num_print_double(xy[1], room(NUM_DOUBLE_SIZE));
    put(after, strlen(after));
}

/* A point, or the rings of a polygon of several parts. */
static void put_geometry(const char *wkb)
{
    if (number_at(wkb + 1) == POINT) {
        put_pair(wkb + 5, "{\"x\":", ",\"y\":", "}");
        return;
    }
    const char *p = wkb + 9;
    PUT("{\"rings\":[");
    for (unsigned parts = number_at(wkb + 5); parts; parts--) {
        unsigned rings = number_at(p + 5);
        for (p += 9; rings; rings--) {
            unsigned corners = number_at(p);
            PUT("[");
            for (p += 4; corners; corners--, p += 16)
                put_pair(p, "[", ",", corners > 1 ? "]," : "]");
            put("],", rings > 1 || parts > 1 ? 2 : 1);
        }
    }
    PUT("]}");
}

static void put_json(sqlite3_stmt *s, int columns)
{
    PUT("{\"attributes\":{");
    for (int i = 0; i < columns; i++) {
        put(i ? ",\"" : "\"", i ? 2 : 1);
        put(names[i], strlen(names[i]));
        PUT("\":");
        put_value(s, i);
    }
    PUT("},\"geometry\":");
    put_geometry(wkb_of(s, columns));
    PUT("},");
}

static void put_varint(unsigned long long v)
{
    char *p = room(10);
    for (; v >= 0x80; v >>= 7, size++)
        *p++ = (char)(v | 0x80);
    *p = (char)v;
    size++;
}

static void put_pbf(sqlite3_stmt *s, int columns)
{
    static char feature[65536];
    double xy[2];
    size_t start = size, n;
    for (int i = 0; i < columns; i++) {
        size_t at = size + 2;
        PUT("\x0a\x00");
        int type = sqlite3_column_type(s, i);
        double d = type == SQLITE_FLOAT ? sqlite3_column_double(s, i) : 0;
        if (type == SQLITE_INTEGER) {
            PUT("\x40");
            put_varint((unsigned long long)sqlite3_column_int64(s, i) << 1);
        } else if (type == SQLITE_FLOAT) {
            PUT("\x19");
            put(&d, sizeof d);
        } else if (type != SQLITE_NULL) {
            PUT("\x0a");
            put_varint((unsigned)sqlite3_column_bytes(s, i));
            put(sqlite3_column_text(s, i), (size_t)sqlite3_column_bytes(s, i));
        }
        out[at - 1] = (char)(size - at); /* texts of this data are short */
    }
    memcpy(xy, wkb_of(s, columns) + 5, sizeof xy);
    long long q[2] = {llround(xy[0] / 1e-9), llround(-xy[1] / 1e-9)};
    size_t at = size + 4;
    PUT("\x12\x00\x1a\x00");
    for (int k = 0; k < 2; k++)
        put_varint((unsigned long long)(q[k] << 1) ^ (unsigned long long)(q[k] >> 63));
    out[at - 1] = (char)(size - at);
    out[at - 3] = (char)(size - at + 2);
    n = size - start;
    memcpy(feature, out + start, n);
    size = start;
    PUT("\x7a");
    put_varint(n);
    put(feature, n);
}

static double cpu(void)
{
    struct rusage u;
    getrusage(RUSAGE_SELF, &u);
    return (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) + 1e-6 * (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec);
}

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* The statement of a mode; `columns` fields, then the geometry. */
static char *statement(char **a, const char *mode)
{
    const char *table = a[2], *oid = a[3], *geometry = a[4], *condition = a[7] ? a[7] : "";
    static char sql[8192];
    double box[4];
    if (!strcmp(mode, "count"))
        snprintf(sql, sizeof sql, "SELECT count(*) FROM %s %s %s", table, *condition ? "WHERE" : "", condition);
    else if (!strcmp(mode, "statistics"))
        snprintf(sql, sizeof sql, "SELECT %s FROM %s", condition, table);
    else if (!strcmp(mode, "box") && sscanf(condition, "%lf,%lf,%lf,%lf", box, box + 1, box + 2, box + 3) == 4)
        snprintf(sql, sizeof sql,
                 "SELECT * FROM %s WHERE %s IN (SELECT id FROM rtree_%s_%s WHERE minx<=%.17g AND maxx>=%.17g AND miny<=%.17g AND "
                 "maxy>=%.17g) ORDER BY %s LIMIT %d",
                 table, oid, table, geometry, box[2], box[0], box[3], box[1], oid, PAGE);
    else
        snprintf(sql, sizeof sql, "SELECT * FROM %s %s %s ORDER BY %s LIMIT %d", table, *condition ? "WHERE" : "", condition, oid,
                 !strcmp(mode, "stream") ? -1 : PAGE);
    return sql;
}

int main(int argc, char **argv)
{
    sqlite3 *db;
    sqlite3_stmt *s;
    char *a[9] = {NULL};
    if (argc < 7 || argc > 8)
        die("usage: query FILE TABLE OID GEOMETRY COUNT MODE [CONDITION]");
    memcpy(a, argv, (size_t)argc * sizeof *a);
    const char *mode = a[6];
    int count = atoi(a[5]), numbers = !strcmp(mode, "count") || !strcmp(mode, "statistics");
    if (sqlite3_open_v2(a[1], &db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL) != SQLITE_OK)
        die(sqlite3_errmsg(db));
    if (sqlite3_prepare_v2(db, statement(a, mode), -1, &s, NULL) != SQLITE_OK)
        die(sqlite3_errmsg(db));
    int columns = sqlite3_column_count(s) - 1;
    for (int i = 0; i < columns && i < COLUMNS_MAX; i++)
        names[i] = strdup(sqlite3_column_name(s, i));
    double start = now(), spent = cpu();
    unsigned long long rows = 0;
    for (int k = 0; k < count; k++, sqlite3_reset(s)) {
        size = 0;
        for (; sqlite3_step(s) == SQLITE_ROW; rows++) {
            if (numbers)
                put_value(s, 0);
            else if (!strcmp(mode, "pbf"))
                put_pbf(s, columns);
            else
                put_json(s, columns);
            if (size > 65536 && !strcmp(mode, "stream")) {
                bytes += size;
                size = 0;
            }
        }
        bytes += size;
    }
    printf("{\"wall\": %.6f, \"cpu\": %.6f, \"rows\": %llu, \"bytes\": %llu}\n", now() - start, cpu() - spent, rows, bytes);
    return 0;
}
