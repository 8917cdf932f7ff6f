/* Fault points: failing or dying at the n-th changing system call, so that tests can try every such place.
 * Disarmed it is one relaxed load; armed, a counter that all threads share. */
#include "base/fault.h"
#include "base/cleanup.h"
#include "base/num.h"
#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static const struct fault_mode {
    const char *name;
    bool takes_number, repeats, kills, at_checkpoints;
    int error_number; /* 0: none, only counts */
} fault_modes[] = {
    {.name = "kill", .takes_number = true, .kills = true},
    {.name = "kill-checkpoint", .takes_number = true, .kills = true, .at_checkpoints = true},
    {.name = "eio", .takes_number = true, .error_number = EIO},
    {.name = "enospc", .takes_number = true, .error_number = ENOSPC},
    {.name = "enospc-from", .takes_number = true, .repeats = true, .error_number = ENOSPC},
    {.name = "count"},
};

static _Atomic(const struct fault_mode *) fault_armed; /* NULL in normal runs */
static atomic_llong fault_passed;
static long long fault_at; /* written before fault_armed */

static void fault_print_count(void) { fprintf(stderr, "fault points: %lld\n", (long long)atomic_load(&fault_passed)); }

static int fault_hit(const struct fault_mode *mode)
{
    long long number = atomic_fetch_add(&fault_passed, 1) + 1;
    if (!mode->takes_number || number < fault_at || (number > fault_at && !mode->repeats))
        return 0;
    if (mode->kills) {
        kill(getpid(), SIGKILL);
        pause();
    }
    return mode->error_number;
}

int fault_point(void)
{
    const struct fault_mode *mode = atomic_load_explicit(&fault_armed, memory_order_relaxed);
    return mode && !mode->at_checkpoints ? fault_hit(mode) : 0;
}

void fault_checkpoint(void)
{
    const struct fault_mode *mode = atomic_load_explicit(&fault_armed, memory_order_relaxed);
    if (!mode)
        return;
    if (mode->at_checkpoints)
        fault_hit(mode);
    else if (!mode->takes_number)
        fprintf(stderr, "checkpoint after fault point %lld\n", (long long)atomic_load(&fault_passed));
}

static const struct fault_mode *fault_parse(str spec, int64_t *number_out)
{
    str number = spec, name;
    *number_out = 0;
    if (!str_split(&number, ':', &name))
        return NULL;
    for (size_t i = 0; i < COUNT_OF(fault_modes); i++) {
        const struct fault_mode *mode = &fault_modes[i];
        if (!str_eq(name, str_c(mode->name)))
            continue;
        bool numbered = num_parse_int(number, number_out) && *number_out > 0;
        return numbered == mode->takes_number && (numbered || name.n == spec.n) ? mode : NULL;
    }
    return NULL;
}

void fault_arm(const char *spec)
{
    int64_t number = 0;
    const struct fault_mode *mode = spec ? fault_parse(str_c(spec), &number) : NULL;
    if (spec && !mode) { /* a fault run that tests nothing would look like a success */
        fprintf(stderr, "MAPFERRY_FAULT: cannot understand \"%s\"\n", spec);
        exit(2);
    }
    atomic_store(&fault_armed, NULL);
    fault_at = number;
    atomic_store(&fault_passed, 0);
    atomic_store(&fault_armed, mode);
}

void fault_init(void)
{
    const char *spec = getenv("MAPFERRY_FAULT");
    fault_arm(spec && spec[0] ? spec : NULL);
    const struct fault_mode *mode = atomic_load(&fault_armed);
    if (mode && !mode->takes_number)
        atexit(fault_print_count);
}
