/* src/routing/api.h: what the routes of routing's masters need of masters.c. */
#ifndef MILLRACE_ROUTING_API_H
#define MILLRACE_ROUTING_API_H

#include "engine/command.h"

bool ships_edge(struct edge *edge, const struct request *request, struct command *command, struct faults *faults); /* the time zone is read here */

#endif
