/* Sends one request again and again over kept connections and says how long it took: a client that costs little beside the server
 * that is measured. "########" in the request becomes a number of eight digits, each once, so that what is added differs.
 * usage: load PORT CONNECTIONS COUNT < REQUEST (on 127.0.0.1). Answers have to be 200, with a Content-Length or in chunks, and a
 * body that names no error in its beginning. Prints a line of JSON; times of single requests in microseconds. */
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { REQUEST_MAX = 1 << 16, ANSWER_MAX = 16 << 20, BEGINNING = 2000, CONNECTIONS_MAX = 256, NUMBER_SIZE = 8 };
static const char number_mark[NUMBER_SIZE + 1] = "########";

struct client {
    pthread_t thread;
    int fd;
    size_t number_at[4], number_count;
    char request[REQUEST_MAX + 1], answer[ANSWER_MAX + 1];
};
static size_t request_size;
static unsigned count;
static float *times;
static atomic_uint next, failed;
static atomic_ullong bytes;

static void die(const char *what)
{
    perror(what);
    exit(1);
}

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static void connect_to(struct client *c, uint16_t port)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int on = 1;
    c->fd = socket(AF_INET, SOCK_STREAM, 0);
    if (c->fd < 0 || connect(c->fd, (struct sockaddr *)&address, sizeof address) != 0)
        die("connect");
    setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

static size_t receive(struct client *c, size_t n)
{
    ssize_t got = recv(c->fd, c->answer + n, ANSWER_MAX - n, 0);
    if (got <= 0)
        die("the server closed the connection, or the answer is too large");
    c->answer[n + (size_t)got] = 0;
    return n + (size_t)got;
}

/* Reads chunks from `at` on, of which n bytes are there; the end of the last one. */
static size_t chunks_read(struct client *c, size_t at, size_t n)
{
    for (size_t size = 1; size; at += size + 2) {
        char *line;
        while (!(line = strstr(c->answer + at, "\r\n")))
            n = receive(c, n);
        size = strtoul(c->answer + at, NULL, 16);
        at = (size_t)(line - c->answer) + 2;
        while (n < at + size + 2)
            n = receive(c, n);
    }
    return at;
}

/* The whole answer, and where its body begins. */
static const char *answer_read(struct client *c, size_t *size_out)
{
    size_t n = 0;
    const char *end;
    c->answer[0] = 0;
    while (!(end = strstr(c->answer, "\r\n\r\n")))
        n = receive(c, n);
    size_t head = (size_t)(end - c->answer) + 4;
    const char *length = strcasestr(c->answer, "\r\nContent-Length:"),
               *chunked = strcasestr(c->answer, "\r\nTransfer-Encoding: chunked");
    if (chunked && chunked < end) {
        *size_out = chunks_read(c, head, n);
        return c->answer + head;
    }
    if (!length || length > end)
        die("an answer without a length");
    size_t all = head + strtoul(length + sizeof "\r\nContent-Length:" - 1, NULL, 10);
    while (n < all)
        n = receive(c, n);
    *size_out = n;
    return c->answer + head;
}

/* Only the beginning: errors are short. */
static bool names_error(const char *body)
{
    char beginning[BEGINNING + 1];
    snprintf(beginning, sizeof beginning, "%.*s", BEGINNING, body);
    return strstr(beginning, "\"error\":") || strstr(beginning, "Exception");
}

static void exchange(struct client *c, unsigned k)
{
    char digits[16];
    snprintf(digits, sizeof digits, "%0*u", NUMBER_SIZE, k);
    for (size_t i = 0; i < c->number_count; i++)
        memcpy(c->request + c->number_at[i], digits, NUMBER_SIZE);
    double start = now();
    if (send(c->fd, c->request, request_size, MSG_NOSIGNAL) != (ssize_t)request_size)
        die("send");
    size_t size;
    const char *body = answer_read(c, &size);
    times[k] = (float)(1e6 * (now() - start));
    atomic_fetch_add(&bytes, size);
    if (strncmp(c->answer, "HTTP/1.1 200 ", 13) == 0 && !names_error(body))
        return;
    if (atomic_fetch_add(&failed, 1) == 0)
        fprintf(stderr, "load: %.300s\n", c->answer);
}

static void *client_run(void *arg)
{
    struct client *c = arg;
    for (unsigned k; (k = atomic_fetch_add(&next, 1)) < count;)
        exchange(c, k);
    return NULL;
}

static int time_compare(const void *a, const void *b)
{
    float x = *(const float *)a, y = *(const float *)b;
    return (x > y) - (x < y);
}

int main(int argc, char **argv)
{
    static struct client *clients[CONNECTIONS_MAX];
    unsigned connections = argc == 4 ? (unsigned)atoi(argv[2]) : 0;
    count = argc == 4 ? (unsigned)atoi(argv[3]) : 0;
    if (connections < 1 || connections > CONNECTIONS_MAX || count < 1)
        return 2;
    static char request[REQUEST_MAX + 1];
    request_size = fread(request, 1, REQUEST_MAX, stdin);
    times = calloc(count, sizeof *times);
    for (unsigned i = 0; i < connections; i++) {
        struct client *c = clients[i] = calloc(1, sizeof *c);
        memcpy(c->request, request, request_size);
        for (char *at = c->request; (at = strstr(at, number_mark)) && c->number_count < 4; at += NUMBER_SIZE)
            c->number_at[c->number_count++] = (size_t)(at - c->request);
        connect_to(c, (uint16_t)atoi(argv[1]));
    }
    double start = now();
    for (unsigned i = 0; i < connections; i++)
        pthread_create(&clients[i]->thread, NULL, client_run, clients[i]);
    for (unsigned i = 0; i < connections; i++)
        pthread_join(clients[i]->thread, NULL);
    double seconds = now() - start;
    qsort(times, count, sizeof *times, time_compare);
    printf("{\"seconds\": %.6f, \"requests\": %u, \"failed\": %u, \"bytes\": %llu, \"p50\": %.1f, \"p99\": %.1f}\n", seconds,
           count, atomic_load(&failed), atomic_load(&bytes), (double)times[count / 2], (double)times[count / 100 * 99]);
    return 0;
}
