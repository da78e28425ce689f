/* src/http/readers.h: the threads that may wait for the store: reads, key look-ups, large bodies, pages of events. */
#ifndef MILLRACE_HTTP_READERS_H
#define MILLRACE_HTTP_READERS_H

#include "http/server.h"

#define STREAM_PAGE_BYTES (128u << 10) /* of events at once; a connection holds two pages at most */

struct readers *readers_start(struct http_server *server, int threads); /* NULL: no threads, no memory */
void readers_stop(struct readers *readers);                             /* after what was taken is done */
void readers_take(struct readers *readers, struct exchange *exchange);  /* server_done follows */
size_t readers_queued(struct readers *readers);

#endif
