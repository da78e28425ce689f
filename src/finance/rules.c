/* src/finance/rules.c: what is booked. A movement is booked by its two places, each of which is an account: debit where goods go, credit where
 * they come from, with what they cost. An event is booked by its type. Both stand in tables: a type of event without a row does not build, a
 * movement without one is booked and marked, so that millrace check names it. */
#include "finance/finance.h"
#include "inventory/inventory.h"
#include "orders/orders.h"
#include <stdio.h>
#include <string.h>

const char *const account_names[] = {
#define ACCOUNT_NAME(name, text, says) text,
    ACCOUNTS(ACCOUNT_NAME)
#undef ACCOUNT_NAME
        NULL
};
const char *const note_names[] = {
#define NOTE_NAME(name, text, says) text,
    LEDGER_NOTES(NOTE_NAME)
#undef NOTE_NAME
        NULL
};

int64_t currency_number(const char *currency)
{
    return currency == NULL || strlen(currency) != 3 ? 0 : (currency[0] << 16 | currency[1] << 8 | currency[2]);
}

void currency_letters(int64_t number, char out[4])
{
    out[0] = (char)(number >> 16 & 0x7f);
    out[1] = (char)(number >> 8 & 0x7f);
    out[2] = (char)(number & 0x7f);
    out[3] = '\0';
}

/* An amount of 0 is booked too where units moved: its note is to be seen. */
static void post(struct entry *entry, enum account debit, enum account credit, int64_t amount)
{
    entry->postings[entry->count++] = (struct posting){ debit, amount };
    entry->postings[entry->count++] = (struct posting){ credit, -amount };
}

/* ---- movements ---- */

/* By place; 0 stands for all nodes. */
static const enum account place_accounts[] = {
    [0] = ACCOUNT_STOCK,
    [PLACE_SUPPLIER] = ACCOUNT_RECEIVED,
    [PLACE_CUSTOMER] = ACCOUNT_COST_OF_GOODS,
    [PLACE_ADJUSTMENT] = ACCOUNT_ADJUSTMENT,
    [PLACE_SCRAP] = ACCOUNT_SCRAP,
    [PLACE_TRANSIT] = ACCOUNT_TRANSIT,
};

static int64_t place_of(int64_t node)
{
    return node >= PLACE_NODES ? 0 : node;
}

#define NODE 0
/* What is moved for which cause, and what that means. */
static const struct movement_rule {
    enum cause_kind cause;
    int64_t from, to;
    const char *says;
} movement_rules[] = {
    { CAUSE_ADJUSTMENT, PLACE_SUPPLIER, NODE, "a receipt; opening stock is booked against `opening`" },
    { CAUSE_ADJUSTMENT, NODE, PLACE_SUPPLIER, "a receipt or opening stock is corrected downwards" },
    { CAUSE_ADJUSTMENT, PLACE_ADJUSTMENT, NODE, "found, counted or corrected upwards" },
    { CAUSE_ADJUSTMENT, NODE, PLACE_ADJUSTMENT, "counted or corrected downwards" },
    { CAUSE_ADJUSTMENT, NODE, PLACE_SCRAP, "damaged or lost" },
    { CAUSE_FULFILMENT, NODE, PLACE_CUSTOMER, "shipped" },
    { CAUSE_FULFILMENT, PLACE_CUSTOMER, PLACE_ADJUSTMENT, "lost on its way" },
    { CAUSE_FULFILMENT, PLACE_CUSTOMER, PLACE_SCRAP, "came damaged" },
    { CAUSE_FULFILMENT, PLACE_ADJUSTMENT, PLACE_CUSTOMER, "what was lost on its way has arrived after all" },
    { CAUSE_FULFILMENT, PLACE_SCRAP, PLACE_CUSTOMER, "what was told to be damaged is not" },
    { CAUSE_TRANSFER, NODE, PLACE_TRANSIT, "a transfer leaves" },
    { CAUSE_TRANSFER, PLACE_TRANSIT, NODE, "a transfer arrives" },
    { CAUSE_TRANSFER, PLACE_TRANSIT, PLACE_ADJUSTMENT, "a transfer arrives short" },
    { CAUSE_TRANSFER, PLACE_ADJUSTMENT, NODE, "a transfer brings more than was on the way, or what was missing" },
    { CAUSE_INSPECTION, NODE, PLACE_ADJUSTMENT, "graded otherwise, or inspected and missing" },
    { CAUSE_INSPECTION, PLACE_ADJUSTMENT, NODE, "graded otherwise: worth what it was" },
    { CAUSE_INSPECTION, NODE, PLACE_SUPPLIER, "inspected, and goes back to the supplier" },
    { CAUSE_INSPECTION, NODE, PLACE_SCRAP, "inspected, and scrapped" },
    { CAUSE_SUPPLY, PLACE_SUPPLIER, NODE, "what was announced is received" },
    { CAUSE_RETURN, PLACE_CUSTOMER, NODE, "a customer sends goods back: worth what they were" },
    { CAUSE_RETURN, NODE, PLACE_CUSTOMER, "what came back goes to the customer again" },
    { CAUSE_RETURN, NODE, PLACE_ADJUSTMENT, "graded otherwise, or inspected and missing" },
    { CAUSE_RETURN, PLACE_ADJUSTMENT, NODE, "graded otherwise: worth what it was" },
    { CAUSE_RETURN, NODE, PLACE_SUPPLIER, "came back, and goes on to the supplier" },
    { CAUSE_RETURN, NODE, PLACE_SCRAP, "came back, and is scrapped" },
    { CAUSE_RETURN, NODE, NODE, "nothing: inspected, and restocked or to be refurbished" },
    { CAUSE_ORDER, NODE, NODE, "nothing: claims move goods between buckets of a node" },
    { CAUSE_RESERVATION, NODE, NODE, "nothing: a checkout claims goods" },
    { CAUSE_FENCE, NODE, NODE, "nothing: a fence claims goods" },
    { CAUSE_RECALL, NODE, NODE, "nothing: goods are called back into quarantine, or given free" },
    { CAUSE_SNAPSHOT, NODE, NODE, "nothing: a keeper holds goods back, or no longer" },
};

bool ledger_knows(int64_t cause_kind, int64_t from_node, int64_t to_node)
{
    for (size_t i = 0; i < COUNT(movement_rules); i++)
        if ((int64_t)movement_rules[i].cause == cause_kind && movement_rules[i].from == place_of(from_node) &&
            movement_rules[i].to == place_of(to_node))
            return true;
    return false;
}

bool ledger_knows_cause(int64_t cause_kind)
{
    for (size_t i = 0; i < COUNT(movement_rules); i++)
        if ((int64_t)movement_rules[i].cause == cause_kind)
            return true;
    return false;
}

/* The part of `value` that `quantity` of `units` take with them, rounded half up; the last ones take all. */
static int64_t part_of(int64_t value, int64_t quantity, int64_t units)
{
    __extension__ typedef __int128 wide;
    return quantity >= units ? value : (int64_t)(((wide)value * quantity * 2 + units) / ((wide)units * 2));
}

static int64_t take_out(int64_t *units, int64_t *value, int64_t quantity)
{
    int64_t taken = part_of(*value, quantity, *units);
    *units -= min_i64(quantity, *units);
    *value -= taken;
    return taken;
}

/* What goods that come from outside are worth. */
static int64_t worth(const struct moved *moved, const struct ledger_stock_row *stock, enum ledger_note *note)
{
    int64_t amount = 0;
    __extension__ typedef __int128 wide;
    if (moved->unit_cost != NULL_INT) {
        *note = money_multiply(moved->unit_cost, moved->quantity, &amount) ? NOTE_NONE : NOTE_TOO_LARGE;
    } else if (stock->units > 0 && stock->value > 0) {
        wide exact = ((wide)stock->value * moved->quantity * 2 + stock->units) / ((wide)stock->units * 2);
        *note = exact <= INT64_MAX ? NOTE_AVERAGE : NOTE_TOO_LARGE;
        amount = exact <= INT64_MAX ? (int64_t)exact : 0;
    } else if (stock->last_cost != NULL_INT) {
        *note = money_multiply(stock->last_cost, moved->quantity, &amount) ? NOTE_LAST_COST : NOTE_TOO_LARGE;
    } else {
        *note = NOTE_NO_COST;
    }
    int64_t sum;
    if (money_add(stock->value, amount, &sum))
        return amount;
    *note = NOTE_TOO_LARGE;
    return 0;
}

static bool may_grade(const struct moved *moved)
{
    return moved->cause_kind == CAUSE_INSPECTION || moved->cause_kind == CAUSE_RETURN;
}

/* Units that change their class leave and come back in two movements of one cause, one behind the other. */
static bool is_graded(const struct moved *moved, const struct carried *carried)
{
    return may_grade(moved) && moved->from_node == PLACE_ADJUSTMENT && moved->id == carried->movement + 1;
}

void book_movement(const struct moved *moved, int64_t currency, struct ledger_stock_row *stock, struct carried *carried, struct entry *entry)
{
    int64_t from = place_of(moved->from_node), to = place_of(moved->to_node), amount;
    *entry = (struct entry){ .id = moved->id, .at = moved->at, .subject = moved->cause, .currency = currency };
    if (from == NODE)
        amount = take_out(&stock->units, &stock->value, moved->quantity);
    else if (from == PLACE_TRANSIT)
        amount = take_out(&stock->transit_units, &stock->transit_value, moved->quantity);
    else
        amount = is_graded(moved, carried) ? carried->amount : worth(moved, stock, &entry->note);
    if (may_grade(moved) && to == PLACE_ADJUSTMENT)
        *carried = (struct carried){ moved->id, amount };
    if (to == NODE) {
        stock->units += moved->quantity;
        stock->value += amount;
    } else if (to == PLACE_TRANSIT) {
        stock->transit_units += moved->quantity;
        stock->transit_value += amount;
    }
    if (from == PLACE_SUPPLIER && moved->unit_cost != NULL_INT)
        stock->last_cost = moved->unit_cost;
    if (!ledger_knows(moved->cause_kind, moved->from_node, moved->to_node))
        entry->note = NOTE_UNDECIDED;
    const enum account outside = moved->opens ? ACCOUNT_OPENING : ACCOUNT_NONE; /* where it was not a supplier after all */
    post(entry, outside != ACCOUNT_NONE && to == PLACE_SUPPLIER ? outside : place_accounts[to],
         outside != ACCOUNT_NONE && from == PLACE_SUPPLIER ? outside : place_accounts[from], amount);
}

/* ---- events ---- */

/* What an event's text says for the books. */
struct words {
    const char *kind;
    int64_t amount, tax, shipping;
    bool tax_included, bad;
};

static int64_t read_money(struct json_reader *json, struct words *words)
{
    int64_t minor = 0;
    const char *amount = NULL, *currency = NULL;
    enum json_token token = json_next(json);
    words->bad = words->bad || token != JSON_OBJECT;
    while (!words->bad && json_next(json) == JSON_KEY) {
        bool is_amount = json->bytes == strlen("amount");
        words->bad = json_next(json) != JSON_STRING;
        *(is_amount ? &amount : &currency) = arena_text_n(json->arena, json->text, json->bytes);
    }
    int exponent = currency_exponent(currency);
    words->bad = words->bad || amount == NULL || exponent < 0 || !money_parse(amount, strlen(amount), exponent, &minor);
    return minor;
}

static bool key_is(const struct json_reader *json, const char *key)
{
    return json->bytes == strlen(key) && memcmp(json->text, key, json->bytes) == 0;
}

/* The members that matter, wherever `inside` (NULL: the whole text) stands; they come before the order's state, which is long. */
static void read_words(struct arena *arena, const char *text, const char *inside, struct words *words)
{
    struct json_reader json;
    json_open(&json, arena, text, strlen(text));
    words->bad = json_next(&json) != JSON_OBJECT;
    while (inside != NULL && !words->bad) {
        if (json_next(&json) != JSON_KEY)
            return; /* it is not there: nothing to book */
        if (key_is(&json, inside)) {
            words->bad = json_next(&json) != JSON_OBJECT;
            break;
        }
        words->bad = !json_skip(&json);
    }
    while (!words->bad && json_next(&json) == JSON_KEY) {
        if (key_is(&json, "kind")) {
            words->bad = json_next(&json) != JSON_STRING;
            words->kind = arena_text_n(arena, json.text, json.bytes);
        } else if (key_is(&json, "amount") || key_is(&json, "tax") || key_is(&json, "shipping")) {
            int64_t *into = json.bytes == strlen("tax") ? &words->tax : key_is(&json, "amount") ? &words->amount : &words->shipping;
            *into = read_money(&json, words);
        } else if (key_is(&json, "tax_included")) {
            words->tax_included = json_next(&json) == JSON_TRUE;
        } else {
            words->bad = !json_skip(&json);
        }
    }
}

static void post_payment(struct entry *entry, const struct words *words, int64_t amount)
{
    if (words->kind == NULL)
        entry->note = NOTE_UNDECIDED;
    else if (strcmp(words->kind, payment_names[PAYMENT_CAPTURED]) == 0)
        post(entry, ACCOUNT_CLEARING, ACCOUNT_RECEIVABLE, amount);
    else if (strcmp(words->kind, payment_names[PAYMENT_REFUNDED]) == 0)
        post(entry, ACCOUNT_RECEIVABLE, ACCOUNT_CLEARING, amount);
}

/* The order's payment, where it came with one. */
static void book_payment_within(struct arena *arena, const struct told *told, struct entry *entry)
{
    struct words words = { 0 };
    read_words(arena, told->data, "payment", &words);
    entry->note = words.bad ? NOTE_UNDECIDED : NOTE_NONE;
    if (words.kind != NULL)
        post_payment(entry, &words, words.amount);
}

static void book_payment(struct arena *arena, const struct told *told, struct entry *entry)
{
    struct words words = { 0 };
    read_words(arena, told->data, NULL, &words);
    post_payment(entry, &words, told->amount);
}

static void book_sale(struct arena *arena, const struct told *told, struct entry *entry)
{
    struct words words = { 0 };
    read_words(arena, told->data, NULL, &words);
    entry->note = words.bad ? NOTE_UNDECIDED : NOTE_NONE;
    const int64_t goods = told->amount - (words.tax_included ? words.tax : 0);
    const struct posting postings[] = { { ACCOUNT_RECEIVABLE, goods + words.tax + words.shipping },
                                        { ACCOUNT_REVENUE, -goods },
                                        { ACCOUNT_TAX, -words.tax },
                                        { ACCOUNT_SHIPPING, -words.shipping } };
    for (size_t i = 0; i < COUNT(postings); i++)
        if (postings[i].amount != 0)
            entry->postings[entry->count++] = postings[i];
}

struct event_rule {
    void (*book)(struct arena *arena, const struct told *told, struct entry *entry); /* NULL: nothing, and `says` says why */
    const char *says;
};
/* One for each type of engine/event.h: a new type does not build until it is said here what it books, or why nothing. An event that
 * books something bears its amount and currency in these columns. */
#define BOOKS(TYPE) static const struct event_rule books_of_##TYPE
BOOKS(ORDER_CREATED) = { book_payment_within, "a payment that came with it: captured, clearing to receivable" };
BOOKS(ORDER_RESERVED) = { NULL, "nothing: goods are promised, none moved" };
BOOKS(ORDER_RELEASED) = { NULL, "nothing: nodes are told, nothing has left" };
BOOKS(ORDER_SHIPPED) = { NULL, "nothing: its fulfilments told what left" };
BOOKS(ORDER_DELIVERED) = { NULL, "nothing: it was sold when it left" };
BOOKS(ORDER_CANCELLED) = { NULL, "nothing: what has not left was not booked" };
BOOKS(ORDER_EDITED) = { NULL, "nothing: what has not left was not booked" };
BOOKS(ORDER_BACKORDERED) = { NULL, "nothing: goods are promised, none moved" };
BOOKS(ORDER_HELD) = { NULL, "nothing: it waits" };
BOOKS(ORDER_HOLD_CLEARED) = { NULL, "nothing: it waits no longer" };
BOOKS(ORDER_PAYMENT) = { book_payment,
                         "captured: clearing to receivable; refunded: receivable to clearing; authorised, voided, failed: nothing moved" };
BOOKS(FULFILMENT_CHANGED) = { book_sale,
                              "shipped: receivable to revenue, tax and, with an order's first parcel, shipping_revenue; lost and sent once "
                              "more or refunded: the same back" };
BOOKS(POSITION_CHANGED) = { NULL, "nothing: its movements are booked" };
BOOKS(CLAIM_BROKEN) = { NULL, "nothing: its movements are booked" };
BOOKS(EXCEPTION_OPENED) = { NULL, "nothing: work for people" };
BOOKS(EXCEPTION_CLOSED) = { NULL, "nothing: work for people" };
BOOKS(MASTER_CHANGED) = { NULL, "nothing: masters bear no value" };
BOOKS(RESERVATION_MADE) = { NULL, "nothing: goods are promised, none moved" };
BOOKS(RESERVATION_ENDED) = { NULL, "nothing: goods are promised, none moved" };
BOOKS(STOCK_ADJUSTED) = { NULL, "nothing: its movements are booked" };
BOOKS(ORDER_MAPPED) = { NULL, "nothing: it names goods, none moved" };
BOOKS(TRANSFER_CHANGED) = { NULL, "nothing: its movements are booked" };
BOOKS(STOCK_QUARANTINED) = { NULL, "nothing: goods are kept back, none left" };
BOOKS(STOCK_RELEASED) = { NULL, "nothing: goods are no longer kept back" };
BOOKS(STOCK_REGRADED) = { NULL, "nothing: its movements are booked" };
BOOKS(STOCK_INSPECTED) = { NULL, "nothing: its movements are booked" };
BOOKS(STOCK_DISPOSED) = { NULL, "nothing: its movements are booked" };
BOOKS(RECALL_CHANGED) = { NULL, "nothing: goods are kept back, none left" };
BOOKS(SNAPSHOT_TAKEN) = { NULL, "nothing: the movements of its adjustments are booked" };
BOOKS(RETURN_CHANGED) = { NULL, "nothing: its movements are booked" };
BOOKS(SUPPLY_CHANGED) = { NULL, "nothing: what is expected is no stock" };
BOOKS(SUPPLY_RECEIVED) = { NULL, "nothing: its movement is booked, at the cost that both tell" };
BOOKS(ORDER_CANCEL_REQUESTED) = { NULL, "nothing: a node is asked to give back what has not left" };
BOOKS(ORDER_CANCEL_REFUSED) = { NULL, "nothing: what it ships tells by itself" };
BOOKS(ORDER_REFUSAL_CLEARED) = { NULL, "nothing: where goods may be promised from" };
BOOKS(ORDER_PARCEL_LOST) = { NULL, "nothing: its movements are booked, and what was sold when it is decided" };
BOOKS(ORDER_PARCEL_FOUND) = { NULL, "nothing: its movements are booked" };
BOOKS(WEBHOOK_CHANGED) = { NULL, "nothing: what was sent to whom" };
BOOKS(COUNT_CHANGED) = { NULL, "nothing: what it corrects is an adjustment of its own" };
BOOKS(ORDER_PROMISE_CHANGED) = { NULL, "nothing: when goods will be there" };
BOOKS(COUNT_CLASSES_CHANGED) = { NULL, "nothing: how often goods are counted" };
BOOKS(ORDER_REROUTED) = { NULL, "nothing: goods are promised from elsewhere, none moved" };

static const struct event_rule *const event_rules[] = { NULL,
#define EVENT_RULE(name, text, said) &books_of_##name,
                                                        EVENT_TYPES(EVENT_RULE)
#undef EVENT_RULE
};

void book_event(struct arena *arena, const struct told *told, struct entry *entry)
{
    *entry = (struct entry){ .id = told->seq, .at = told->at, .subject = told->subject, .currency = currency_number(told->currency) };
    const struct event_rule *rule = told->type > EVENT_NONE && told->type < EVENT_TYPE_COUNT ? event_rules[told->type] : NULL;
    if (rule == NULL || (rule->book != NULL && (told->data == NULL || entry->currency == 0)))
        entry->note = NOTE_UNDECIDED;
    else if (rule->book != NULL)
        rule->book(arena, told, entry);
}

/* ---- as pages ---- */

static const char *place_said(int64_t place)
{
    return place == NODE ? "a node" : place_name(place);
}

void ledger_print(FILE *out)
{
    static const char *const account_says[] = {
#define ACCOUNT_SAYS(name, text, says) says,
        ACCOUNTS(ACCOUNT_SAYS)
#undef ACCOUNT_SAYS
    };
    static const char *const note_says[] = {
#define NOTE_SAYS(name, text, says) says,
        LEDGER_NOTES(NOTE_SAYS)
#undef NOTE_SAYS
    };
    fputs("## Accounts\n\n| account | what stands in it |\n| --- | --- |\n", out);
    for (size_t i = 0; i < COUNT(account_says); i++)
        fprintf(out, "| `%s` | %s |\n", account_names[i], account_says[i]);
    fputs("\n## What movements book\n\nA movement of any other kind is booked by its places, and `millrace check` names it.\n\n"
          "| cause | from | to | debit | credit | what it is |\n| --- | --- | --- | --- | --- | --- |\n",
          out);
    for (size_t i = 0; i < COUNT(movement_rules); i++) {
        const struct movement_rule *rule = &movement_rules[i];
        bool books = rule->from != NODE || rule->to != NODE;
        fprintf(out, "| %s | %s | %s | %s | %s | %s |\n", cause_names[rule->cause], place_said(rule->from), place_said(rule->to),
                books ? account_names[place_accounts[rule->to] - 1] : "", books ? account_names[place_accounts[rule->from] - 1] : "", rule->says);
    }
    fputs("\n## What events book\n\n| event | books |\n| --- | --- |\n", out);
    for (int type = EVENT_NONE + 1; type < EVENT_TYPE_COUNT; type++)
        fprintf(out, "| `%s` | %s |\n", event_name((enum event_type)type), event_rules[type]->says);
    fputs("\n## Notes\n\n| note | what it means |\n| --- | --- |\n", out);
    for (size_t i = 0; i < COUNT(note_says); i++)
        fprintf(out, "| `%s` | %s |\n", note_names[i], note_says[i]);
}
