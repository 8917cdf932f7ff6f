/* The gate: one thread with epoll for everybody outside, and a look at everybody inside each second.
 *
 * Lists and the table of descriptors are under the lock. The phase of a guest and what it has received are atomics that its own
 * thread writes and this one reads. A descriptor inside belongs to the server, which tells by gate_leave before it closes it;
 * until then it may be shut down from here, which ends the connection as if the peer had done so. */
#include "net/gate.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/mem.h"
#include "net/outflow.h"
#include "net/tally.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

enum {
    PEEK = 8 << 10, /* a head that is longer is let in when so much of it is there */
    EVENTS = 256,
    ACCEPTS = 256,         /* at a time, before others get their turn */
    TICK_MS = 1000,        /* how often everybody is looked at */
    KEPT_AT_LEAST_MS = 50, /* before a connection between two requests may be evicted, when there is no place left */
    KEPT_LONG_MS = 2000,   /* the same when half of the places are taken: each costs a thread */
    TLS_HEADER = 5,
};

enum place { OUTSIDE, READY, INSIDE, PLACES };

struct gate_guest {
    struct gate *gate;
    int fd;
    struct sockaddr_storage from;
    socklen_t from_size;
    struct address address;
    bool limited; /* by per_address */
    bool cut;
    enum place place;
    struct gate_guest *before, *after; /* in the list of its place, the oldest first */
    int64_t came;                      /* outside: when it was accepted, then when its first byte came */
    bool spoke;
    atomic_int phase;
    atomic_int_fast64_t since; /* this phase */
    atomic_uint_fast64_t received;
    uint64_t window_received; /* of `received`, when the window began */
    int64_t window_ms;        /* of this window, spent in GATE_RECEIVING as far as the ticks saw */
    uint64_t window_taken;    /* what the client had taken of all answers, when the window of this one began */
    int64_t waited_ms;        /* of that window: ticks that found something on its way to the client */
};

struct list {
    struct gate_guest *first, *last;
    unsigned count;
};

struct gate {
    struct gate_options o;
    int epoll, wake;
    pthread_t thread;
    pthread_mutex_t lock;
    bool shut;
    struct list places[PLACES];
    struct gate_guest **by_fd;
    size_t by_fd_size;
    struct tally *outside, *inside; /* guests that are limited, by address */
    atomic_uint_fast64_t accepted, turned_away, cut;
};

static int64_t now_ms(void) { return clock_system.monotonic_ms(&clock_system); }

/* ---- lists, with the lock ---- */

static void list_add(struct gate *g, struct gate_guest *guest, enum place place)
{
    struct list *l = &g->places[place];
    guest->place = place;
    guest->before = l->last;
    guest->after = NULL;
    *(l->last ? &l->last->after : &l->first) = guest;
    l->last = guest;
    l->count++;
}

static void list_remove(struct gate *g, struct gate_guest *guest)
{
    struct list *l = &g->places[guest->place];
    *(guest->before ? &guest->before->after : &l->first) = guest->after;
    *(guest->after ? &guest->after->before : &l->last) = guest->before;
    l->count--;
}

static void fd_set_guest(struct gate *g, int fd, struct gate_guest *guest)
{
    size_t at = (size_t)fd;
    if (at >= g->by_fd_size) {
        size_t size = (at + 1) * 2;
        g->by_fd = mem_resize(g->by_fd, size * sizeof(struct gate_guest *));
        memset(g->by_fd + g->by_fd_size, 0, (size - g->by_fd_size) * sizeof(struct gate_guest *));
        g->by_fd_size = size;
    }
    g->by_fd[at] = guest;
}

static void forget(struct gate *g, struct gate_guest *guest)
{
    list_remove(g, guest);
    g->by_fd[guest->fd] = NULL;
    if (guest->limited)
        tally_remove(guest->place == INSIDE ? g->inside : g->outside, &guest->address, 1);
    mem_free(guest);
}

/* ---- those outside ---- */

struct refusal {
    const char *status, *headers, *body;
};
#define REFUSAL_BODY(code, message) "{\"error\":{\"code\":" code ",\"message\":\"" message "\",\"details\":[]}}"
static const struct refusal too_slow = {"408 Request Timeout", "", REFUSAL_BODY("408", "The head of the request took too long.")};
static const struct refusal no_room = {"503 Service Unavailable", "Retry-After: 5\r\n",
                                       REFUSAL_BODY("503", "Too many requests at once, try again later.")};

/* refusal: what is said, NULL for nothing. With TLS there is nobody yet who could hear it. */
static void turn_away(struct gate *g, struct gate_guest *guest, const struct refusal *refusal)
{
    int fd = guest->fd;
    if (refusal && !g->o.secure) {
        CLEANUP(buf_free) struct buf b = BUF_INIT(1024);
        buf_printf(&b,
                   "HTTP/1.1 %s\r\nConnection: close\r\n%sContent-Type: application/json;charset=utf-8\r\n"
                   "Content-Length: %zu\r\n\r\n%s",
                   refusal->status, refusal->headers, strlen(refusal->body), refusal->body);
        (void)!send(fd, b.p, b.n, MSG_NOSIGNAL | MSG_DONTWAIT); /* whoever does not take it does without */
    }
    forget(g, guest);
    close(fd);
    atomic_fetch_add(&g->turned_away, 1);
}

/* Room for one more: the oldest of an address that has half of the room, else the oldest of all. */
static void make_room(struct gate *g, const struct gate_guest *guest)
{
    unsigned outside = g->places[OUTSIDE].count + g->places[READY].count;
    bool crowds = guest->limited && tally_count(g->outside, &guest->address) > (g->o.waiting_limit + 1) / 2;
    if (outside <= g->o.waiting_limit && !crowds)
        return;
    for (enum place p = OUTSIDE; p <= READY; p++)
        for (struct gate_guest *other = g->places[p].first; other; other = other->after)
            if (other != guest && (!crowds || memcmp(&other->address, &guest->address, sizeof other->address) == 0)) {
                turn_away(g, other, p == READY ? &no_room : NULL);
                return;
            }
}

static void accept_one(struct gate *g, int fd, const struct sockaddr_storage *from, socklen_t size)
{
    struct gate_guest *guest = mem_new(struct gate_guest);
    guest->gate = g;
    guest->fd = fd;
    guest->from = *from;
    guest->from_size = size;
    guest->address = address_of_socket((const struct sockaddr *)from);
    guest->limited = !address_listed(g->o.free_addresses, &guest->address);
    guest->came = now_ms();
    atomic_fetch_add(&g->accepted, 1);
    pthread_mutex_lock(&g->lock);
    if ((size_t)fd < g->by_fd_size && g->by_fd[fd])
        forget(g, g->by_fd[fd]); /* the server gave up on it before it began, and closed it */
    fd_set_guest(g, fd, guest);
    if (guest->limited)
        tally_add(g->outside, &guest->address, 1, 0);
    list_add(g, guest, OUTSIDE);
    make_room(g, guest);
    struct epoll_event event = {.events = EPOLLIN | EPOLLRDHUP | EPOLLET, .data.fd = fd};
    if (epoll_ctl(g->epoll, EPOLL_CTL_ADD, fd, &event) != 0)
        turn_away(g, guest, NULL);
    pthread_mutex_unlock(&g->lock);
}

static bool out_of_descriptors(int error) { return error == EMFILE || error == ENFILE || error == ENOBUFS || error == ENOMEM; }

/* True when more may be waiting. Without descriptors the oldest outside gives its own back. */
static bool accept_some(struct gate *g)
{
    for (int i = 0; i < ACCEPTS; i++) {
        struct sockaddr_storage from = {0};
        socklen_t size = sizeof from;
        int fd = accept4(g->o.listen_fd, (struct sockaddr *)&from, &size, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd >= 0) {
            accept_one(g, fd, &from, size);
            continue;
        }
        if (!out_of_descriptors(errno))
            return errno == EINTR || errno == ECONNABORTED;
        pthread_mutex_lock(&g->lock);
        struct gate_guest *oldest = g->places[OUTSIDE].first;
        if (oldest)
            turn_away(g, oldest, NULL);
        pthread_mutex_unlock(&g->lock);
        if (!oldest)
            return false;
    }
    return true;
}

/* An empty line, of "\r\n" or "\n", that does not stand at the very start (RFC 9112, 2.2). */
static bool head_complete(str seen)
{
    size_t from = 0;
    while (from < seen.n && (seen.p[from] == '\r' || seen.p[from] == '\n'))
        from++;
    for (size_t at; (at = str_find_char(seen, '\n', from)) != SIZE_MAX; from = at + 1) {
        str rest = str_sub(seen, at + 1, seen.n);
        if (str_starts(rest, STR("\n")) || str_starts(rest, STR("\r\n")))
            return true;
    }
    return false;
}

static bool record_complete(str seen)
{
    const unsigned char *p = (const unsigned char *)seen.p;
    return seen.n >= TLS_HEADER && seen.n - TLS_HEADER >= (size_t)(p[3] << 8 | p[4]);
}

/* With the lock. Looks at what has come without taking it. */
static void listen_to(struct gate *g, struct gate_guest *guest, uint32_t events)
{
    char seen[PEEK];
    ssize_t n = recv(guest->fd, seen, sizeof seen, MSG_PEEK | MSG_DONTWAIT);
    bool gone = n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR);
    str text = str_of(seen, n > 0 ? (size_t)n : 0);
    bool complete = n == PEEK || (g->o.secure ? record_complete(text) : head_complete(text));
    if (complete) {
        list_remove(g, guest);
        list_add(g, guest, READY);
        epoll_ctl(g->epoll, EPOLL_CTL_DEL, guest->fd, NULL);
    } else if (gone || (events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR))) {
        turn_away(g, guest, NULL);
    } else if (n > 0 && !guest->spoke) {
        guest->spoke = true;
        guest->came = now_ms();
    }
}

/* ---- letting in ---- */

/* With the lock. Ends a connection inside; its place is free when the server has noticed. */
static void cut(struct gate *g, struct gate_guest *guest)
{
    if (guest->cut)
        return;
    guest->cut = true;
    /* Between two requests: one that arrives at this moment is still answered. */
    shutdown(guest->fd, atomic_load(&guest->phase) == GATE_KEPT ? SHUT_RD : SHUT_RDWR);
    atomic_fetch_add(&g->cut, 1);
}

/* The one that has been between two requests for longest, and for so long (of that address, unless NULL), has to go; unless one
 * is about to leave anyway. */
static void evict(struct gate *g, const struct address *of, int64_t at_least_ms)
{
    struct gate_guest *longest = NULL;
    int64_t since = now_ms() - at_least_ms;
    for (struct gate_guest *guest = g->places[INSIDE].first; guest; guest = guest->after) {
        if (of && memcmp(of, &guest->address, sizeof *of) != 0)
            continue;
        bool working = atomic_load(&guest->phase) == GATE_WORKING;
        if (guest->cut && !working)
            return;
        if (!guest->cut && atomic_load(&guest->phase) == GATE_KEPT && atomic_load(&guest->since) < since) {
            since = atomic_load(&guest->since);
            longest = guest;
        }
    }
    if (longest)
        cut(g, longest);
}

/* With the lock; drops it while the server takes the connection. */
static void let_in(struct gate *g, struct gate_guest *guest)
{
    list_remove(g, guest);
    list_add(g, guest, INSIDE);
    atomic_store(&guest->phase, GATE_HEAD);
    atomic_store(&guest->since, now_ms());
    if (guest->limited)
        tally_remove(g->outside, &guest->address, 1);
    int fd = guest->fd;
    struct sockaddr_storage from = guest->from;
    socklen_t size = guest->from_size;
    pthread_mutex_unlock(&g->lock);
    bool taken = g->o.admit(g->o.app, fd, (const struct sockaddr *)&from, size);
    pthread_mutex_lock(&g->lock);
    if (!taken && g->by_fd[fd] == guest) /* the server has closed it */
        forget(g, guest);
}

static void let_in_all(struct gate *g)
{
    pthread_mutex_lock(&g->lock);
    for (struct gate_guest *guest = g->places[READY].first, *next; guest; guest = next) {
        next = guest->after;
        if (g->places[INSIDE].count >= g->o.inside_limit) {
            evict(g, NULL, KEPT_AT_LEAST_MS);
            break;
        }
        if (guest->limited && !tally_add(g->inside, &guest->address, 1, g->o.per_address))
            evict(g, &guest->address, KEPT_AT_LEAST_MS);
        else
            let_in(g, guest);
        if (g->places[INSIDE].count > g->o.inside_limit / 2)
            evict(g, NULL, KEPT_LONG_MS);
    }
    pthread_mutex_unlock(&g->lock);
}

/* ---- time ---- */

static void check_outside(struct gate *g, int64_t now)
{
    const struct {
        enum place place;
        unsigned limit_ms;
    } limits[] = {{OUTSIDE, g->o.head_ms}, {READY, g->o.idle_ms}};
    for (size_t i = 0; i < COUNT_OF(limits); i++)
        for (struct gate_guest *guest = g->places[limits[i].place].first, *next; guest; guest = next) {
            next = guest->after;
            unsigned limit = limits[i].place == OUTSIDE && !guest->spoke ? g->o.idle_ms : limits[i].limit_ms;
            if (now - guest->came >= limit)
                turn_away(g, guest, limits[i].place == READY ? &no_room : guest->spoke ? &too_slow : NULL);
        }
}

static bool body_too_slow(const struct gate *g, struct gate_guest *guest, int64_t passed)
{
    uint64_t received = atomic_load(&guest->received);
    guest->window_ms += passed;
    if (guest->window_ms < g->o.slow_window_ms)
        return false;
    bool slow = received - guest->window_received < g->o.slow_window_bytes;
    guest->window_ms = 0;
    guest->window_received = received;
    return slow;
}

/* Who takes an answer a byte at a time holds a thread, its memory and perhaps a snapshot. Time counts as long as something waits
 * to be taken: the application may think between two pieces for as long as it likes. */
static bool answer_too_slow(const struct gate *g, struct gate_guest *guest, int64_t passed)
{
    struct outflow out;
    if (!outflow_of(guest->fd, &out) || out.waiting == 0) {
        guest->waited_ms = 0;
        return false;
    }
    if (guest->waited_ms == 0)
        guest->window_taken = out.taken;
    guest->waited_ms += passed;
    if (guest->waited_ms < g->o.slow_window_ms)
        return false;
    guest->waited_ms = 0;
    return out.taken - guest->window_taken < g->o.slow_window_bytes;
}

static void check_inside(struct gate *g, int64_t now, int64_t passed)
{
    for (struct gate_guest *guest = g->places[INSIDE].first; guest; guest = guest->after) {
        int64_t time = now - atomic_load(&guest->since);
        bool over = false;
        switch ((enum gate_phase)atomic_load(&guest->phase)) {
        case GATE_HEAD:
            over = time >= g->o.head_ms;
            break;
        case GATE_KEPT:
            guest->window_ms = 0;
            over = time >= g->o.idle_ms;
            break;
        case GATE_RECEIVING:
            over = body_too_slow(g, guest, passed);
            break;
        case GATE_WORKING:
            over = answer_too_slow(g, guest, passed);
            break;
        }
        if (over)
            cut(g, guest);
    }
}

/* ---- the thread ---- */

static void on_events(struct gate *g, const struct epoll_event *events, int count, bool *accepting)
{
    pthread_mutex_lock(&g->lock);
    for (int i = 0; i < count; i++) {
        int fd = events[i].data.fd;
        struct gate_guest *guest = (size_t)fd < g->by_fd_size ? g->by_fd[fd] : NULL;
        uint64_t ignored;
        if (fd == g->o.listen_fd)
            *accepting = true;
        else if (fd == g->wake)
            (void)!read(fd, &ignored, sizeof ignored);
        else if (guest && guest->place == OUTSIDE)
            listen_to(g, guest, events[i].events);
    }
    pthread_mutex_unlock(&g->lock);
}

static void *run(void *arg)
{
    struct gate *g = arg;
    struct epoll_event events[EVENTS];
    int64_t looked = now_ms();
    for (bool accepting = false;;) {
        int count = epoll_wait(g->epoll, events, EVENTS, accepting ? 0 : g->places[READY].count > 0 ? KEPT_AT_LEAST_MS : TICK_MS);
        on_events(g, events, count > 0 ? count : 0, &accepting);
        pthread_mutex_lock(&g->lock);
        bool shut = g->shut;
        int64_t now = now_ms(), passed = now - looked;
        if (!shut && passed >= TICK_MS / 2) {
            check_outside(g, now);
            check_inside(g, now, passed);
            looked = now;
        }
        pthread_mutex_unlock(&g->lock);
        if (shut)
            return NULL;
        if (accepting)
            accepting = accept_some(g);
        let_in_all(g);
    }
}

static void wake(struct gate *g)
{
    uint64_t one = 1;
    (void)!write(g->wake, &one, sizeof one); /* full means that it is awake */
}

static void gate_free(struct gate *g)
{
    file_close(&g->o.listen_fd);
    file_close(&g->epoll);
    file_close(&g->wake);
    tally_close(g->outside);
    tally_close(g->inside);
    pthread_mutex_destroy(&g->lock);
    mem_free(g->by_fd);
    mem_free(g);
}

static int gate_start(struct ctx *ctx, struct gate *g)
{
    g->epoll = epoll_create1(EPOLL_CLOEXEC);
    g->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    struct epoll_event listening = {.events = EPOLLIN, .data.fd = g->o.listen_fd},
                       waking = {.events = EPOLLIN, .data.fd = g->wake};
    if (g->epoll < 0 || g->wake < 0 || epoll_ctl(g->epoll, EPOLL_CTL_ADD, g->o.listen_fd, &listening) != 0 ||
        epoll_ctl(g->epoll, EPOLL_CTL_ADD, g->wake, &waking) != 0)
        return err_errno(ctx, errno, "epoll for the listening socket");
    int failure = pthread_create(&g->thread, NULL, run, g);
    return failure ? err_errno(ctx, failure, "the thread that accepts connections") : RC_OK;
}

int gate_open(struct ctx *ctx, const struct gate_options *options, struct gate **out)
{
    struct gate *g = mem_new(struct gate);
    g->o = *options;
    g->epoll = g->wake = -1;
    pthread_mutex_init(&g->lock, NULL);
    g->outside = tally_open();
    g->inside = tally_open();
    *out = g; /* before anybody is let in who asks for it */
    int rc = gate_start(ctx, g);
    if (rc != RC_OK) {
        gate_free(g);
        *out = NULL;
    }
    return rc;
}

void gate_shut(struct gate *g)
{
    pthread_mutex_lock(&g->lock);
    g->shut = true;
    pthread_mutex_unlock(&g->lock);
    wake(g);
    pthread_join(g->thread, NULL);
    pthread_mutex_lock(&g->lock);
    file_close(&g->o.listen_fd);
    for (enum place p = OUTSIDE; p <= READY; p++)
        while (g->places[p].first)
            turn_away(g, g->places[p].first, p == READY ? &no_room : NULL);
    pthread_mutex_unlock(&g->lock);
}

void gate_close(struct gate *g)
{
    if (!g)
        return;
    while (g->places[INSIDE].first)
        forget(g, g->places[INSIDE].first);
    gate_free(g);
}

/* ---- from inside ---- */

struct gate_guest *gate_guest_of(struct gate *g, int fd)
{
    pthread_mutex_lock(&g->lock);
    struct gate_guest *guest = fd >= 0 && (size_t)fd < g->by_fd_size ? g->by_fd[fd] : NULL;
    pthread_mutex_unlock(&g->lock);
    return guest;
}

void gate_phase(struct gate_guest *guest, enum gate_phase phase)
{
    if (!guest)
        return;
    atomic_store(&guest->since, now_ms());
    atomic_store(&guest->phase, (int)phase);
}

void gate_received(struct gate_guest *guest, size_t bytes)
{
    if (guest)
        atomic_fetch_add(&guest->received, bytes);
}

void gate_leave(struct gate_guest *guest)
{
    if (!guest)
        return;
    struct gate *g = guest->gate;
    pthread_mutex_lock(&g->lock);
    forget(g, guest);
    bool waited_for = g->places[READY].count > 0;
    pthread_mutex_unlock(&g->lock);
    if (waited_for)
        wake(g);
}

void gate_counters(struct gate *g, struct gate_counters *out)
{
    pthread_mutex_lock(&g->lock);
    *out = (struct gate_counters){.accepted = atomic_load(&g->accepted),
                                  .waiting_now = g->places[OUTSIDE].count + g->places[READY].count,
                                  .inside_now = g->places[INSIDE].count,
                                  .turned_away = atomic_load(&g->turned_away),
                                  .cut = atomic_load(&g->cut)};
    pthread_mutex_unlock(&g->lock);
}
