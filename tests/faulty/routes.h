/* tests/faulty/routes.h: a good request for each route, and what must be there before it. */
#ifndef MILLRACE_TESTS_FAULTY_ROUTES_H
#define MILLRACE_TESTS_FAULTY_ROUTES_H

#include "crash/client.h"
#include "crash/site.h"
#include "engine/api.h"

/* What a request is about, made anew for each: it can be picked, cancelled or given back only once. */
enum about {
    ABOUT_NOTHING, /* or about what the shop had from the start */
    ABOUT_ORDER,   /* reserved, not paid */
    ABOUT_HELD,
    ABOUT_BY_HAND, /* an order of a channel that releases by hand */
    ABOUT_WORK,    /* a fulfilment order, released */
    ABOUT_PICKED,
    ABOUT_PACKED,
    ABOUT_SHIPPED,
    ABOUT_LOST,   /* on its way, and nobody has decided */
    ABOUT_THEIRS, /* a fulfilment order at a node that others run, released */
    ABOUT_SENT,
    ABOUT_ASKED,    /* to give it back */
    ABOUT_DECLINED, /* %o is the order */
    ABOUT_RESERVATION,
    ABOUT_TRANSFER,
    ABOUT_UNDER_WAY, /* a transfer that has left */
    ABOUT_SHORT_TRANSFER,
    ABOUT_SUPPLY,
    ABOUT_WEBHOOK,
    ABOUT_TOY, /* a SKU that was not called back */
    ABOUT_RECALL,
    ABOUT_COUNT,
    ABOUT_DIFFERENCE, /* a count that booked one */
    ABOUT_RETURN,     /* expected */
    ABOUT_CAME_BACK,  /* one unit, not inspected */
    ABOUT_KEYED       /* units that were found, under the key found-%n; %e is the event */
};

/* In target, body and unit %n is a number that no request had before, %o an order, %f a fulfilment order, %r a reservation, %t a
 * transfer, %s a supply, %c a recall, %k a count, %b a return, %x an exception, %e an event. */
struct good_request {
    enum method method;
    const char *path; /* of the route */
    const char *target, *body;
    int status;
    enum about about;
    const char *unit; /* whose events tell what was done; NULL: DE's */
    size_t steps_max; /* 0: as many as there are */
};
extern const struct good_request good_requests[];
extern const size_t good_request_count;

struct shop {
    struct site site;
    struct server server;
    struct client client;
    long number;
    int64_t event, seq; /* of DE's newest event that was seen */
    char order[40], work[40], reservation[40], transfer[40], supply[40], recall[40], count[40], back[40], exception[40]; /* of the next request */
    char first_order[40], first_work[40], first_exception[40];                                                           /* of the shop */
};

void shop_furnish(struct shop *shop);
/* Makes what the request is about, and gives it a new number. */
void shop_prepare(struct shop *shop, const struct good_request *request);
/* The text with its %n, %o, %f, %r, %t, %s, %c, %k, %b and %x written out. */
void shop_write(const struct shop *shop, const char *text, char *out, size_t room);

#endif
