/* tests/connect/receiver.h: a receiver of webhooks on this machine, good or bad as its path says, which remembers what came. */
#ifndef MILLRACE_TESTS_CONNECT_RECEIVER_H
#define MILLRACE_TESTS_CONNECT_RECEIVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What is done with a request to the path; all but HANG and CLOSE are remembered first. */
#define RECEIVER_PATHS(X)                                                      \
    X(OK, "/ok")             /* 200 */                                         \
    X(DOWN, "/down")         /* 503 while receiver_down, else 200 */           \
    X(POISON, "/poison")     /* 500 to what has the word of receiver_poison */ \
    X(HANG, "/hang")         /* never answers */                               \
    X(CLOSE, "/close")       /* hangs up */                                    \
    X(SLOW, "/slow")         /* an answer of one byte after the other */       \
    X(FLOOD, "/flood")       /* 200, and a body without an end */              \
    X(HEADERS, "/headers")   /* headers without an end */                      \
    X(REDIRECT, "/redirect") /* 307 to /redirected */                          \
    X(GONE, "/gone")         /* 410 */                                         \
    X(BUSY, "/busy")         /* 429, in two minutes */                         \
    X(GARBAGE, "/garbage")   /* what is no HTTP */
enum receiver_path {
#define RECEIVER_ENUM(name, path) RECEIVE_##name,
    RECEIVER_PATHS(RECEIVER_ENUM)
#undef RECEIVER_ENUM
        RECEIVE_COUNT
};

struct received {
    char path[64], id[64], timestamp[32], signature[512];
    int status; /* that it was answered with; 0: another end */
    char *body;
    size_t body_bytes;
};

struct receiver;
struct receiver *receiver_start(void); /* fails the process where it cannot */
void receiver_stop(struct receiver *receiver);
uint16_t receiver_port(const struct receiver *receiver);

void receiver_down(struct receiver *receiver, bool down);
void receiver_poison(struct receiver *receiver, const char *word); /* "": none */

/* How many came, to all paths; and the i-th: its texts stay as long as the receiver. */
size_t receiver_count(struct receiver *receiver);
struct received receiver_at(struct receiver *receiver, size_t i);
/* The same of one path only; answered 2xx where `good`. */
size_t receiver_count_of(struct receiver *receiver, const char *path, bool good);

#endif
