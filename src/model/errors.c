/* The rows of errors.def as objects. */
#include "model/errors.h"

#define ERROR(kind, http, code, message_code, message) const struct err_kind kind = {#kind, http, code, message_code, message};
#include "model/errors.def"
#undef ERROR

const struct err_kind *const error_kinds[] = {
#define ERROR(kind, http, code, message_code, message) &kind,
#include "model/errors.def"
#undef ERROR
    NULL,
};
