/* tests/unit/base/jansson_oracle.h: the one function of the module. */
#ifndef MILLRACE_TESTS_BASE_JANSSON_ORACLE_H
#define MILLRACE_TESTS_BASE_JANSSON_ORACLE_H

#include <stddef.h>

/* The values in the order of the text: { } [ ] t f n, kBYTES:key sBYTES:string iINTEGER; rHEXFLOAT; from malloc. NULL where
 * jansson takes the text for no JSON; then beyond_it says whether only a number was too large for it. */
char *oracle_events(const char *text, size_t bytes, int *beyond_it);

#endif
