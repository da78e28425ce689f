/* src/connect/post.h: HTTP out, by libcurl: many requests at once from one thread. What is connected to is looked at when it is connected to, after
 * the name was resolved, so a name that stands for another address a moment later gains nothing. No redirect is followed, no proxy of the
 * environment asked, no more of an answer read than its bound. Nothing of libcurl leaves this file. */
#ifndef MILLRACE_CONNECT_POST_H
#define MILLRACE_CONNECT_POST_H

#include "connect/target.h"

struct postbox;

struct postbox_options {
    struct target_rules rules;
    int64_t connect_ms, answer_ms; /* 0: 5 s, 15 s: from the beginning of a request */
    size_t answer_bytes;           /* of body, and of headers; 0: 64 KiB. Of a longer answer the status counts */
    size_t connections;            /* kept open; 0: 64 */
    const char *const *resolve;    /* tests: "name:port:address,address", ends in NULL; NULL: the system is asked */
};

/* NULL: no memory. */
struct postbox *postbox_new(const struct postbox_options *options);
void postbox_free(struct postbox *postbox); /* ends what is under way; NULL is allowed */

struct letter {
    const char *url, *id, *signature;
    int64_t timestamp_s;
    struct bytes body; /* copied */
    void *owner;
    int64_t seq; /* the owner's */
};
/* Begins to send; false: no memory. */
bool postbox_send(struct postbox *postbox, const struct letter *letter);
/* Ends what this owner has under way, without a result. */
void postbox_forget(struct postbox *postbox, const void *owner);
size_t postbox_flying(const struct postbox *postbox);

struct post_result {
    void *owner;
    int64_t seq, took_us;
    int64_t status;        /* 0: no answer came */
    int64_t retry_after_s; /* what it asked for, in seconds or as a date; 0: nothing */
    char detail[128];      /* "" where it was answered 2xx, else why not */
};
/* The next that has ended. */
bool postbox_next(struct postbox *postbox, struct post_result *result);

/* Waits for something to happen, at most so long. */
void postbox_wait(struct postbox *postbox, int milliseconds);
void postbox_wake(struct postbox *postbox); /* from any thread */

#endif
