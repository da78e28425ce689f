/* src/routing/masters.h: what a unit says of its routing: rate tables, how each node ships, policies. Each is one row with its resource as text
 * (and a rate table its zones as rows): they are read when an order is routed, and a company without any has none to read. */
#ifndef MILLRACE_ROUTING_MASTERS_H
#define MILLRACE_ROUTING_MASTERS_H

#include "catalog/catalog.h"

enum routing_kind { ROUTING_RATES = 1, ROUTING_SHIPPING, ROUTING_POLICY };

struct step_io {
    struct field_presence presence;
    int64_t up_to_g;
    struct money price;
};
struct zone_io {
    struct field_presence presence;
    char country[3];
    const char *postal_prefix;
    int64_t transit_days; /* NULL_INT: the node's */
    struct field_list steps;
};
struct rates_io {
    struct field_presence presence;
    const char *code;
    int64_t version;
    const char *unit, *name;
    struct field_list zones;
};

#define WEEK_DAYS 7
struct ships_io {
    struct field_presence presence;
    const char *code;
    int64_t version;
    const char *time_zone;
    const char *cut_off[WEEK_DAYS]; /* from Monday, "14:00"; NULL: closed */
    struct field_list closed;       /* dates */
    int64_t handling_days, transit_days;
    const char *rates; /* NULL: carriage costs nothing */
    struct money parcel;
    const char *changes; /* made at the edge: see routing_master.zone */
};

enum rule_effect { RULE_ONLY, RULE_NEVER };
struct rule_io {
    struct field_presence presence;
    const char *name;
    struct field_list countries, postal_prefixes, tags, goods, channels, customer_domains; /* any of each that is given */
    bool hazmat;
    int64_t effect;
    struct field_list nodes, kinds;
    bool same_country;
};
struct policy_io {
    struct field_presence presence;
    const char *code;
    int64_t version;
    const char *unit, *channel; /* channel NULL: all that have none of their own */
    int64_t first;              /* what is weighed first: FIRST_... */
    struct money split_penalty, late_per_day, replan_saving;
    struct field_list rules;
};
enum { FIRST_SHIPMENTS, FIRST_COST };

extern const struct field_table rates_fields, ships_fields, policy_fields;
extern const struct master_kind rates_master, ships_master, policy_master;

/* A row's resource once more. */
void routing_master_read(struct ws *ws, const struct routing_master_row *row, const struct field_table *fields, void *io);
/* "14:30" to minutes of the day; -1: it is no time. */
int64_t cut_off_minutes(const char *text);

#endif
