/* src/engine/event.h: what an event may be and may be about, one row each; the API's names are made from these. */
#ifndef MILLRACE_ENGINE_EVENT_H
#define MILLRACE_ENGINE_EVENT_H

#include "engine/ws.h"

#define EVENT_TYPES(X) /* name, as the API says it, what happened, for a timeline */  \
    X(ORDER_CREATED, "order.created", "captured")                                     \
    X(ORDER_RESERVED, "order.reserved", "reserved")                                   \
    X(ORDER_RELEASED, "order.released", "released to the nodes")                      \
    X(ORDER_SHIPPED, "order.shipped", "shipped")                                      \
    X(ORDER_DELIVERED, "order.delivered", "delivered")                                \
    X(ORDER_CANCELLED, "order.cancelled", "cancelled")                                \
    X(ORDER_EDITED, "order.edited", "edited")                                         \
    X(ORDER_BACKORDERED, "order.backordered", "waits for supply")                     \
    X(ORDER_HELD, "order.held", "held")                                               \
    X(ORDER_HOLD_CLEARED, "order.hold_cleared", "hold cleared")                       \
    X(ORDER_PAYMENT, "order.payment", "payment")                                      \
    X(FULFILMENT_CHANGED, "fulfilment.changed", "fulfilment")                         \
    X(POSITION_CHANGED, "position.changed", "stock changed")                          \
    X(CLAIM_BROKEN, "claim.broken", "lost its claim")                                 \
    X(EXCEPTION_OPENED, "exception.opened", "exception opened")                       \
    X(EXCEPTION_CLOSED, "exception.closed", "exception closed")                       \
    X(MASTER_CHANGED, "master.changed", "changed")                                    \
    X(RESERVATION_MADE, "reservation.made", "reserved at checkout")                   \
    X(RESERVATION_ENDED, "reservation.ended", "checkout ended")                       \
    X(STOCK_ADJUSTED, "stock.adjusted", "stock adjusted")                             \
    X(ORDER_MAPPED, "order.mapped", "a line that named nothing stands for a SKU now") \
    X(TRANSFER_CHANGED, "transfer.changed", "transfer")                               \
    X(STOCK_QUARANTINED, "stock.quarantined", "kept back")                            \
    X(STOCK_RELEASED, "stock.released", "no longer kept back")                        \
    X(STOCK_REGRADED, "stock.regraded", "graded otherwise")                           \
    X(STOCK_INSPECTED, "stock.inspected", "inspected")                                \
    X(STOCK_DISPOSED, "stock.disposed", "what became of inspected units")             \
    X(SUPPLY_CHANGED, "supply.changed", "supply")                                     \
    X(SUPPLY_RECEIVED, "supply.received", "goods received")                           \
    X(ORDER_CANCEL_REQUESTED, "order.cancel_requested", "asked to be cancelled")      \
    X(ORDER_CANCEL_REFUSED, "order.cancel_refused", "a node did not give it back")    \
    X(ORDER_REFUSAL_CLEARED, "order.refusal_cleared", "may go to the node again")     \
    X(WEBHOOK_CHANGED, "webhook.changed", "webhook")                                  \
    X(RECALL_CHANGED, "recall.changed", "recall")                                     \
    X(SNAPSHOT_TAKEN, "snapshot.taken", "stock as its keeper says")                   \
    X(COUNT_CHANGED, "count.changed", "count")                                        \
    X(RETURN_CHANGED, "return.changed", "return")                                     \
    X(ORDER_PARCEL_LOST, "order.parcel_lost", "lost or damaged on its way")           \
    X(ORDER_PARCEL_FOUND, "order.parcel_found", "has arrived after all")              \
    X(ORDER_REROUTED, "order.rerouted", "moved to other nodes")                       \
    X(ORDER_PROMISE_CHANGED, "order.promise_changed", "another date")                 \
    X(COUNT_CLASSES_CHANGED, "count.classes_changed", "classes of what is counted")

enum event_type {
    EVENT_NONE,
#define EVENT_ENUM(name, text, said) EVENT_##name,
    EVENT_TYPES(EVENT_ENUM)
#undef EVENT_ENUM
        EVENT_TYPE_COUNT
};
const char *event_name(enum event_type type);      /* "order.created" */
const char *event_said(enum event_type type);      /* "captured" */
enum event_type event_from_name(const char *name); /* EVENT_NONE: unknown */

/* What an event is about; `prefix` makes its id outside, NULL where the id is a code (position: NODE/SKU). */
#define SUBJECT_KINDS(X)                 \
    X(ORDER, "order", "ord")             \
    X(FULFILMENT, "fulfilment", "ful")   \
    X(POSITION, "position", NULL)        \
    X(EXCEPTION, "exception", "exc")     \
    X(UNIT, "unit", NULL)                \
    X(NODE, "node", NULL)                \
    X(SKU, "sku", NULL)                  \
    X(BUNDLE, "bundle", NULL)            \
    X(CHANNEL, "channel", NULL)          \
    X(LISTING, "listing", "lst")         \
    X(FENCE, "fence", NULL)              \
    X(RESERVATION, "reservation", "rsv") \
    X(ADJUSTMENT, "adjustment", "adj")   \
    X(TRANSFER, "transfer", "trf")       \
    X(CLASS, "class", NULL)              \
    X(INSPECTION, "inspection", "ins")   \
    X(SUPPLY, "supply", "sup")           \
    X(WEBHOOK, "webhook", NULL)          \
    X(RECALL, "recall", "rec")           \
    X(SNAPSHOT, "snapshot", "snp")       \
    X(COUNT, "count", "cnt")             \
    X(RETURN, "return", "rtn")           \
    X(RATES, "rates", NULL)              \
    X(SHIPPING, "shipping", NULL)        \
    X(POLICY, "policy", NULL)

enum subject_kind {
    SUBJECT_NONE,
#define SUBJECT_ENUM(name, text, prefix) SUBJECT_##name,
    SUBJECT_KINDS(SUBJECT_ENUM)
#undef SUBJECT_ENUM
        SUBJECT_KIND_COUNT
};
const char *subject_name(enum subject_kind kind);
const char *subject_prefix(enum subject_kind kind);

/* An event that says nothing yet but what it is and what it is about: every figure is NULL. */
struct event_row event_of(enum event_type type, enum subject_kind kind, int64_t subject);

/* For command_type.again where a command's event bears its whole answer: that text once more. */
void event_again(struct ws *ws, struct command *command, int64_t seq);

#endif
