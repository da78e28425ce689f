/* src/orders/order_io.h: the order as it comes in and goes out: one struct, one field table. */
#ifndef MILLRACE_ORDERS_ORDER_IO_H
#define MILLRACE_ORDERS_ORDER_IO_H

#include "base/fields.h"

struct person_io {
    struct field_presence presence;
    const char *name, *email, *phone, *street, *postal_code, *city;
    char country[3];
};
struct people_io { /* what is sealed */
    struct field_presence presence;
    struct person_io *customer, *ship_to, *bill_to;
};
struct component_io {
    struct field_presence presence;
    const char *sku;
    int64_t quantity;
};
struct line_io {
    struct field_presence presence;
    int64_t line;
    const char *sku, *channel_sku;
    int64_t quantity;
    struct money unit_price, discount, tax;
    int64_t reserved, allocated, shipped, backordered, cancelled, oversold, lost, promised_at, replaces, replaced_by;
    struct field_list components;
};
struct shipping_io {
    struct field_presence presence;
    const char *service;
    struct money price;
    int64_t promise_by;
};
struct payment_io {
    struct field_presence presence;
    int64_t term, status;
    const char *method;
    struct money amount;
    const char *reference;
};
struct hold_io {
    struct field_presence presence;
    const char *kind, *source, *reason;
    int64_t since;
};
struct fulfilment_line_io {
    struct field_presence presence;
    int64_t line;
    const char *sku;
    int64_t quantity, cancel_requested;
};
struct package_io {
    struct field_presence presence;
    int64_t weight_g;
    const char *tracking, *carrier;
};
struct fulfilment_io {
    struct field_presence presence;
    const char *id, *order, *node;
    int64_t state;
    struct field_list lines, packages;
};
struct timeline_io {
    struct field_presence presence;
    int64_t at;
    const char *actor, *what;
};
struct order_io {
    struct field_presence presence;
    const char *id, *number;
    int64_t version;
    const char *channel, *channel_order_id;
    int64_t placed_at;
    char currency[4];
    struct person_io *customer, *ship_to, *bill_to;
    bool prices_include_tax;
    struct field_list lines;
    struct shipping_io *shipping;
    struct payment_io *payment;
    int64_t on_shortage, max_shipments;
    const char *reservation;
    struct field_list tags;
    int64_t stage;
    struct field_list holds;
    struct money total;
    struct field_list fulfilments, timeline;

    /* Made at the edge. */
    struct bytes wrapped_key, sealed;
    int64_t key; /* order_key_of (channel, channel order id) */
};

extern const struct field_table order_fields, order_line_fields, order_address_fields, people_fields, fulfilment_fields, fulfilment_line_fields;

#endif
