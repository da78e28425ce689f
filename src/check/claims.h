/* src/check/claims.h: what claims say of the positions in a range. */
#ifndef MILLRACE_CHECK_CLAIMS_H
#define MILLRACE_CHECK_CLAIMS_H

#include "check/check.h"
#include "check_sql.h"

struct claim_sums {
    int64_t soft, hard, fenced; /* fenced: the part of soft that fences hold */
};
/* The sums of the claims of those whom each position names and of its fences, *sums in check->arena; positions are all of the
 * SKUs above `after` and up to `upto`, sorted by SKU, node and class. Tells who is named without a claim, or twice. In the
 * caller's read transaction. */
enum db_result claims_of_positions(struct check *check, int64_t unit, const struct check_positions_result *positions, size_t count, int64_t after,
                                   int64_t upto, struct claim_sums **sums);

#endif
