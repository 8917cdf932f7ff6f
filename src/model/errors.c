/* The rows of errors.def as objects. */
#include "model/errors.h"

#define ERROR(kind, http, code, message_code, message) const struct err_kind kind = {#kind, http, code, message_code, message};
#include "model/errors.def"
#undef ERROR
