/* tests/http/contract.h: holds real calls and answers against /openapi.json, so that it cannot drift from what the server does. */
#ifndef MILLRACE_TESTS_HTTP_CONTRACT_H
#define MILLRACE_TESTS_HTTP_CONTRACT_H

#include <stddef.h>

struct contract;

/* Reads a description; NULL where it is no JSON. */
struct contract *contract_of(const char *openapi);
void contract_free(struct contract *contract); /* NULL is allowed */

/* One call and what came of it. `sent` and `got` are bodies, NULL or "" where there is none. */
struct contract_call {
    const char *method, *target, *sent;
    int status;
    const char *got;
};
/* What the description does not allow of the call: its path, method or status is not there; a body that was taken is not as the
 * request's schema; the answer is not as the schema of its status, or has members that this does not name. NULL: all is as it says.
 * The text is good until the next call. */
const char *contract_breach(struct contract *contract, const struct contract_call *call);

#endif
