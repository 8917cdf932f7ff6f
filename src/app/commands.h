/* The commands of this room. */
#ifndef MAPFERRY_APP_COMMANDS_H
#define MAPFERRY_APP_COMMANDS_H

#include "cli/command.h"

command_fn app_serve, app_help;

#endif
