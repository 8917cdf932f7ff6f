/* The error kinds of the APIs (errors.def). */
#ifndef MAPFERRY_MODEL_ERRORS_H
#define MAPFERRY_MODEL_ERRORS_H

#include "base/err.h"

#define ERROR(kind, http, code, message_code, message) extern const struct err_kind kind;
#include "model/errors.def"
#undef ERROR

#endif
