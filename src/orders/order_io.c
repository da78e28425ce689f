/* src/orders/order_io.c: the order's field tables: a new field of an order begins here. */
#include "orders/order_io.h"
#include "orders/orders.h"
#include <string.h>

#define AT(type, member) offsetof(struct type, member)

static const struct field customer_rows[] = {
    { "name", FIELD_TEXT, AT(person_io, name), .required = true, .min = 1, .max = 255, .doc = "as it stands on the parcel" },
    { "email", FIELD_TEXT, AT(person_io, email), .max = 320, .hide_absent = true, .doc = "for messages about the order" },
    { "phone", FIELD_TEXT, AT(person_io, phone), .max = 64, .hide_absent = true, .doc = "for the carrier" },
};
static const struct field_table customer_fields = { "Customer", customer_rows, COUNT(customer_rows), sizeof(struct person_io) };

static const struct field address_rows[] = {
    { "name", FIELD_TEXT, AT(person_io, name), .required = true, .min = 1, .max = 255, .doc = "who receives it" },
    { "street", FIELD_TEXT, AT(person_io, street), .max = 512, .lines = true, .hide_absent = true, .doc = "street and number" },
    { "postal_code", FIELD_TEXT, AT(person_io, postal_code), .max = 32, .hide_absent = true, .doc = "as the country writes it" },
    { "city", FIELD_TEXT, AT(person_io, city), .max = 255, .hide_absent = true, .doc = "town or city" },
    { "country", FIELD_COUNTRY, AT(person_io, country), .required = true, .doc = "ISO 3166-1 alpha-2" },
    { "email", FIELD_TEXT, AT(person_io, email), .max = 320, .hide_absent = true, .doc = "of the receiver" },
    { "phone", FIELD_TEXT, AT(person_io, phone), .max = 64, .hide_absent = true, .doc = "of the receiver" },
};
const struct field_table order_address_fields = { "Address", address_rows, COUNT(address_rows), sizeof(struct person_io) };

static const struct field people_rows[] = {
    { "customer", FIELD_OBJECT, AT(people_io, customer), .of = &customer_fields },
    { "ship_to", FIELD_OBJECT, AT(people_io, ship_to), .of = &order_address_fields },
    { "bill_to", FIELD_OBJECT, AT(people_io, bill_to), .of = &order_address_fields, .hide_absent = true },
};
const struct field_table people_fields = { "People", people_rows, COUNT(people_rows), sizeof(struct people_io) };

static const struct field component_rows[] = {
    { "sku", FIELD_CODE, AT(component_io, sku), .read_only = true, .doc = "the component" },
    { "quantity", FIELD_INT, AT(component_io, quantity), .read_only = true, .doc = "units in one bundle" },
};
static const struct field_table component_fields = { "OrderComponent", component_rows, COUNT(component_rows), sizeof(struct component_io) };

static const struct field line_rows[] = {
    { "line", FIELD_INT, AT(line_io, line), .read_only = true, .doc = "from 1" },
    { "sku", FIELD_CODE, AT(line_io, sku), .either = 1, .hide_absent = true, .doc = "our code; or channel_sku" },
    { "channel_sku", FIELD_CODE, AT(line_io, channel_sku), .either = 1, .hide_absent = true, .doc = "the listing as the channel knows it" },
    { "quantity", FIELD_INT, AT(line_io, quantity), .required = true, .min = 1, .max = 1000000, .doc = "whole units, or whole bundles" },
    { "unit_price", FIELD_MONEY, AT(line_io, unit_price), .required = true, .max = INT64_C(1000000000000), .doc = "before discount and tax" },
    { "discount", FIELD_MONEY, AT(line_io, discount), .max = INT64_C(1000000000000000), .hide_absent = true, .doc = "for the whole line" },
    { "tax", FIELD_MONEY, AT(line_io, tax), .max = INT64_C(1000000000000000), .hide_absent = true, .doc = "for the whole line" },
    { "reserved", FIELD_INT, AT(line_io, reserved), .read_only = true, .doc = "claimed, not yet released" },
    { "allocated", FIELD_INT, AT(line_io, allocated), .read_only = true, .doc = "released to a node" },
    { "shipped", FIELD_INT, AT(line_io, shipped), .read_only = true, .doc = "left" },
    { "backordered", FIELD_INT, AT(line_io, backordered), .read_only = true, .doc = "waits for supply" },
    { "cancelled", FIELD_INT, AT(line_io, cancelled), .read_only = true, .doc = "no longer wanted" },
    { "oversold", FIELD_INT, AT(line_io, oversold), .read_only = true, .doc = "the part of backordered that a marketplace had already sold" },
    { "promised_at", FIELD_TIME, AT(line_io, promised_at), .read_only = true, .nullable = true, .hide_absent = true,
      .doc =
          "of a line that waits, where one order is read: when all its units will have come, as far as supply is known now; null: nobody knows. Of one that does not, where a routing policy stands: by when all of it arrives, as calendars said when it was routed; else, where the channel gave one, the order's promise_by" },
    { "lost", FIELD_INT, AT(line_io, lost), .read_only = true, .hide_absent = true,
      .doc = "units, or bundles of which a part, that left and were lost or came damaged; absent: none" },

    { "replaces", FIELD_INT, AT(line_io, replaces), .read_only = true, .hide_absent = true, .doc = "the line whose pieces it stands in for" },
    { "replaced_by", FIELD_INT, AT(line_io, replaced_by), .read_only = true, .hide_absent = true,
      .doc = "the last line that stands in for pieces of it" },
    { "components", FIELD_LIST, AT(line_io, components), .read_only = true, .hide_absent = true, .of = &component_fields, .doc = "of a bundle" },
};
const struct field_table order_line_fields = { "OrderLine", line_rows, COUNT(line_rows), sizeof(struct line_io) };

static const struct field shipping_rows[] = {
    { "service", FIELD_TEXT, AT(shipping_io, service), .max = 64, .hide_absent = true, .doc = "what the customer chose" },
    { "price", FIELD_MONEY, AT(shipping_io, price), .max = INT64_C(1000000000000), .hide_absent = true, .doc = "part of the total" },
    { "promise_by", FIELD_TIME, AT(shipping_io, promise_by), .hide_absent = true, .doc = "promised to the customer" },
};
static const struct field_table shipping_fields = { "Shipping", shipping_rows, COUNT(shipping_rows), sizeof(struct shipping_io) };

const char *const payment_words[] = { "pending", "authorised", "captured", NULL };
const char *const term_names[] = { "prepaid", "authorised", "on_account", "collected", "none", NULL };
const char *const payment_names[] = { "authorised", "captured", "failed", "voided", "refunded", NULL };
const char *const stage_names[] = { "captured", "reserved", "released", "shipped", "delivered", "settled", "cancelled", NULL };
const char *const fulfilment_names[] = { "open",      "released",         "sent",      "accepted", "declined", "picking", "packed", "shipped",
                                         "delivered", "cancel_requested", "cancelled", "failed",   NULL };

static const struct field payment_rows[] = {
    { "term", FIELD_ENUM, AT(payment_io, term), .required = true, .names = term_names, .doc = "what must be true before release" },
    { "status", FIELD_ENUM, AT(payment_io, status), .required = true, .names = payment_words, .doc = "what is true already" },
    { "method", FIELD_TEXT, AT(payment_io, method), .max = 64, .hide_absent = true, .doc = "card, invoice, ..." },
    { "amount", FIELD_MONEY, AT(payment_io, amount), .hide_absent = true, .doc = "absent: the total" },
    { "reference", FIELD_TEXT, AT(payment_io, reference), .max = 128, .hide_absent = true, .doc = "of the payment provider" },
};
static const struct field_table payment_fields = { "Payment", payment_rows, COUNT(payment_rows), sizeof(struct payment_io) };

static const struct field hold_rows[] = {
    { "kind", FIELD_CODE, AT(hold_io, kind), .read_only = true },
    { "source", FIELD_TEXT, AT(hold_io, source), .read_only = true },
    { "reason", FIELD_TEXT, AT(hold_io, reason), .read_only = true },
    { "since", FIELD_TIME, AT(hold_io, since), .read_only = true },
};
static const struct field_table hold_fields = { "Hold", hold_rows, COUNT(hold_rows), sizeof(struct hold_io) };

static const struct field fulfilment_line_rows[] = {
    { "line", FIELD_INT, AT(fulfilment_line_io, line), .read_only = true },
    { "sku", FIELD_CODE, AT(fulfilment_line_io, sku), .read_only = true },
    { "quantity", FIELD_INT, AT(fulfilment_line_io, quantity), .read_only = true },
    { "cancel_requested", FIELD_INT, AT(fulfilment_line_io, cancel_requested), .read_only = true, .hide_absent = true,
      .doc = "units that the node is asked to give back; absent: none" },
};
const struct field_table fulfilment_line_fields = { "FulfilmentLine", fulfilment_line_rows, COUNT(fulfilment_line_rows),
                                                    sizeof(struct fulfilment_line_io) };
static const struct field package_rows[] = {
    { "weight_g", FIELD_INT, AT(package_io, weight_g), .read_only = true },
    { "tracking", FIELD_TEXT, AT(package_io, tracking), .read_only = true, .nullable = true },
    { "carrier", FIELD_TEXT, AT(package_io, carrier), .read_only = true, .nullable = true },
};
static const struct field_table package_fields = { "Package", package_rows, COUNT(package_rows), sizeof(struct package_io) };
static const struct field fulfilment_rows[] = {
    { "id", FIELD_TEXT, AT(fulfilment_io, id), .read_only = true },
    { "order", FIELD_TEXT, AT(fulfilment_io, order), .read_only = true },
    { "node", FIELD_CODE, AT(fulfilment_io, node), .read_only = true },
    { "state", FIELD_ENUM, AT(fulfilment_io, state), .read_only = true, .names = fulfilment_names },
    { "lines", FIELD_LIST, AT(fulfilment_io, lines), .read_only = true, .of = &fulfilment_line_fields },
    { "packages", FIELD_LIST, AT(fulfilment_io, packages), .read_only = true, .of = &package_fields },
};
const struct field_table fulfilment_fields = { "FulfilmentOrder", fulfilment_rows, COUNT(fulfilment_rows), sizeof(struct fulfilment_io) };

static const struct field timeline_rows[] = {
    { "at", FIELD_TIME, AT(timeline_io, at), .read_only = true },
    { "actor", FIELD_TEXT, AT(timeline_io, actor), .read_only = true },
    { "what", FIELD_TEXT, AT(timeline_io, what), .read_only = true, .doc = "a sentence in English, for people: docs/events.md" },
};
static const struct field_table timeline_fields = { "TimelineEntry", timeline_rows, COUNT(timeline_rows), sizeof(struct timeline_io) };

static const struct field order_rows[] = {
    { "id", FIELD_TEXT, AT(order_io, id), .read_only = true, .doc = "ours" },
    { "number", FIELD_TEXT, AT(order_io, number), .read_only = true, .doc = "for people" },
    { "version", FIELD_INT, AT(order_io, version), .read_only = true, .doc = "rises with every change" },
    { "channel", FIELD_CODE, AT(order_io, channel), .required = true, .doc = "where it was sold" },
    { "channel_order_id", FIELD_CODE, AT(order_io, channel_order_id), .required = true,
      .doc = "the channel's own; with the channel unique for ever" },
    { "placed_at", FIELD_TIME, AT(order_io, placed_at), .required = true, .doc = "when the customer ordered" },
    { "currency", FIELD_CURRENCY, AT(order_io, currency), .required = true, .doc = "of all amounts" },
    { "customer", FIELD_OBJECT, AT(order_io, customer), .required = true, .of = &customer_fields, .doc = "sealed; null once erased" },
    { "ship_to", FIELD_OBJECT, AT(order_io, ship_to), .required = true, .of = &order_address_fields, .doc = "sealed; null once erased" },
    { "bill_to", FIELD_OBJECT, AT(order_io, bill_to), .of = &order_address_fields, .hide_absent = true, .doc = "where it is not ship_to" },
    { "prices_include_tax", FIELD_BOOL, AT(order_io, prices_include_tax), .doc = "unit prices are gross" },
    { "lines", FIELD_LIST, AT(order_io, lines), .required = true, .min = 1, .max = 100000, .of = &order_line_fields, .doc = "at most 1000" },
    { "shipping", FIELD_OBJECT, AT(order_io, shipping), .of = &shipping_fields, .hide_absent = true },
    { "payment", FIELD_OBJECT, AT(order_io, payment), .required = true, .of = &payment_fields },
    { "on_shortage", FIELD_ENUM, AT(order_io, on_shortage), .names = shortage_names, .hide_absent = true,
      .doc = "instead of the channel's; in an answer the one that holds" },
    { "max_shipments", FIELD_INT, AT(order_io, max_shipments), .min = 1, .max = CHANNEL_NODES_MAX, .preset = NULL_INT, .hide_absent = true,
      .doc = "instead of the channel's: it comes apart into so many parcels at most; in an answer the one that holds" },
    { "reservation", FIELD_TEXT, AT(order_io, reservation), .max = 32, .hide_absent = true, .doc = "of the checkout" },
    { "tags", FIELD_CODES, AT(order_io, tags), .max = 32, .hide_absent = true },
    { "stage", FIELD_ENUM, AT(order_io, stage), .read_only = true, .names = stage_names, .doc = "of its least advanced open quantity" },
    { "holds", FIELD_LIST, AT(order_io, holds), .read_only = true, .of = &hold_fields },
    { "total", FIELD_MONEY, AT(order_io, total), .read_only = true },
    { "fulfilments", FIELD_LIST, AT(order_io, fulfilments), .read_only = true, .of = &fulfilment_fields },
    { "timeline", FIELD_LIST, AT(order_io, timeline), .read_only = true, .of = &timeline_fields },
};
const struct field_table order_fields = { "Order", order_rows, COUNT(order_rows), sizeof(struct order_io) };
