/* Scoped release (gcc, clang) and the two control macros of the house. */
#ifndef MAPFERRY_BASE_CLEANUP_H
#define MAPFERRY_BASE_CLEANUP_H

/* CLEANUP(buf_free) struct buf b = ...;  calls buf_free(&b) when b goes out of scope. The function takes a pointer to the
 * variable. */
#define CLEANUP(fn) __attribute__((cleanup(fn)))
/* Leaves the function with the callee's rc when it is not RC_OK. */
#define TRY(call)                                                                                                                \
    do {                                                                                                                         \
        int try_rc_ = (call);                                                                                                    \
        if (try_rc_ != 0)                                                                                                        \
            return try_rc_;                                                                                                      \
    } while (0)
#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))
#define MUST_CHECK __attribute__((warn_unused_result))

#endif
