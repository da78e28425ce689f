/* src/fulfilment/parcels.h: what the scheduler does about parcels of which nobody said that they were delivered. */
#ifndef MILLRACE_FULFILMENT_PARCELS_H
#define MILLRACE_FULFILMENT_PARCELS_H

#include "engine/command.h"

/* Takes for delivered what was shipped longer ago than its channel allows (`deliver_after_days`), and nobody confirmed: 20 at a time, the oldest
 * first. No input; unit: whose. command->existing: nothing was due. */
extern const struct command_type fulfilment_assume;

#endif
