/* The gate before the HTTP server: accepts connections, keeps those that have not sent a whole request head yet at the price of a
 * descriptor each, lets in those that have, and watches over those that are in. So what costs a thread is a request, not a
 * connection: ten thousand that say nothing, or say it a byte at a time, keep nobody out.
 *
 * Who is let in, when it is crowded: no address has more than `per_address` places (unless it is a proxy, who speaks for many);
 * when all places are taken, the connection that has waited longest for its next request leaves. Outside, the oldest of the
 * address that has most of the room leaves, else the oldest of all. */
#ifndef MAPFERRY_NET_GATE_H
#define MAPFERRY_NET_GATE_H

#include "net/address.h"

struct gate_options {
    int listen_fd; /* the gate's from here on, also when it does not open; does not block */
    bool secure;   /* TLS: the first record has to be there instead of the head */
    unsigned inside_limit, waiting_limit;
    unsigned per_address; /* places of one address inside; 0: all of them. Outside: half of the room */
    str free_addresses;   /* list of addresses and networks that have no such limit */
    unsigned head_ms;     /* for a request head, from the connection or its first byte on */
    unsigned idle_ms;     /* between two requests of a connection */
    unsigned slow_window_ms;
    uint64_t slow_window_bytes; /* in each window of its time a body has to bring so many, and an answer to be taken by so many,
                                   or the connection is cut */
    /* Takes the descriptor over and answers what comes. On the gate's thread. */
    bool (*admit)(void *app, int fd, const struct sockaddr *from, socklen_t size);
    void *app;
};
struct gate;
struct gate_guest; /* a connection */

/* Starts the thread. Release with gate_shut, then gate_close. ERR_IO when the system refuses. */
int gate_open(struct ctx *ctx, const struct gate_options *options, struct gate **out);
/* Nobody is let in any more; the listening socket is closed, those who wait are turned away. */
void gate_shut(struct gate *g);
/* After gate_shut, when nobody is inside any more. NULL is allowed. */
void gate_close(struct gate *g);

/* ---- what the server tells about a connection that it was given ---- */
enum gate_phase {
    GATE_HEAD,      /* admitted, its first request is being read */
    GATE_WORKING,   /* the application is at work, or the answer is on its way */
    GATE_RECEIVING, /* waits for more of the body */
    GATE_KEPT,      /* between two requests */
};
/* NULL for a descriptor that did not come through this gate. */
struct gate_guest *gate_guest_of(struct gate *g, int fd);
/* These three allow NULL. */
void gate_phase(struct gate_guest *guest, enum gate_phase phase);
void gate_received(struct gate_guest *guest, size_t bytes);
/* The descriptor is about to be closed. */
void gate_leave(struct gate_guest *guest);

struct gate_counters {
    uint64_t accepted, waiting_now, inside_now;
    uint64_t turned_away; /* waited in vain, or were too slow with the head */
    uint64_t cut;         /* inside: evicted, idle for too long, too slow with a body or an answer */
};
/* Since the start, but for those that say "now". */
void gate_counters(struct gate *g, struct gate_counters *out);

#endif
