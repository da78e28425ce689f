/* src/inventory/snapshots.h: POST /v1/nodes/{code}/snapshot: what the keeper of a mirrored node (3PL, marketplace warehouse) says is there. It is a
 * fact: ours is made equal, each difference by an adjustment of reason snapshot, and claims give way. Design: docs/design/inventory.md. */
#ifndef MILLRACE_INVENTORY_SNAPSHOTS_H
#define MILLRACE_INVENTORY_SNAPSHOTS_H

#include "engine/command.h"

/* At the edge INVALID (a SKU and class named twice); SKU_UNKNOWN, HOLDS_NO_STOCK, CLASS_UNKNOWN, OUT_OF_RANGE (quarantined above quantity, taken in
 * the future), BATCH_TOO_LARGE (whole, and too much stands there), all at once; NOT_FOUND; STATE_CONFLICT: the node is governed, or a newer one was
 * taken, or the parts of one differ in time or event. A document (and part) that is known answers with the first result. OUT_OF_RANGE and
 * TOO_LONG_AGO of an as_of; REQUIRED: a part without a document. */
extern const struct command_type snapshot_take;
extern const struct field_table snapshot_fields;

#endif
