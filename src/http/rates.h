/* src/http/rates.h: how often a key may ask, by the generic cell rate algorithm (ITU-T I.371, annex A): for each key the time at which its
 * next request would be due if it asked evenly; who is ahead of it by more than a burst waits. Kept in memory, for one server, by one thread. */
#ifndef MILLRACE_HTTP_RATES_H
#define MILLRACE_HTTP_RATES_H

#include <stdint.h>

#define RATE_MAX 100000 /* requests a second of one key */
#define BURST_MAX 1000000

struct rates;
struct rates *rates_new(void); /* NULL: no memory */
void rates_free(struct rates *rates);
/* Counts a request of a key that may ask `rate` (1 .. RATE_MAX) times a second and `burst` (0 .. BURST_MAX) more at once, at now_us, which
 * never falls. 0: it may ask. Else the whole seconds until it may, at least 1, and the request is not counted. Where the machine has no memory
 * for another key it may ask. */
int rates_take(struct rates *rates, int64_t key, int64_t rate, int64_t burst, int64_t now_us);

#endif
