/* src/insight/follow.c: one round of following: for each unit, pages of its events and movements go from the main store
 * into the projections'. A page is one transaction that takes the unit's cursor first, so that two servers take turns,
 * and moves it last: a crash loses a page or nothing, never half of one. What is forgotten goes in pieces of their own; the cursor is
 * marked before the first and goes with the last, so that a round after a crash goes on with it. */
#include "insight/insight.h"
#include "finance/finance.h"
#include "insight_sql.h"
#include "orders/order_io.h"
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#define WAL_PAGES_MAX 4096 /* 16 MiB */
#define PAGE 2000          /* events, and movements, of one transaction */
#define FORGET_ROWS 10000  /* of one transaction: PostgreSQL ends a statement after 5 s, on the slowest disk too */
#define FORGETTING (-1)    /* a cursor's seq while what was followed of the unit is forgotten in pieces */
#define TOKENS_OF_TEXT 32  /* words of one name or id that can be searched */

struct clock {
    int64_t unit, event_seq, next_id;
};
struct page {
    const struct follower *follower;
    struct clock head; /* what may be followed */
    struct cursor_of_unit_row from, to;
    bool is_new;  /* the unit has no cursor yet */
    bool careful; /* some rows are there already: each is looked for */
    struct order_token_row *tokens;
    size_t token_count, token_room;
};

/* ---- orders: words by which they are found ---- */

static void token_add(struct page *page, int64_t order, const char *token)
{
    page->tokens = arena_room(page->follower->arena, page->tokens, page->token_count, &page->token_room, 1024, sizeof *page->tokens);
    page->tokens[page->token_count++] = (struct order_token_row){ .unit = page->head.unit, .token = token, .ord = order };
}

static void text_add(struct page *page, int64_t order, const char *text)
{
    const char *tokens[TOKENS_OF_TEXT];
    size_t count = text == NULL ? 0 : text_tokens(page->follower->arena, text, tokens, COUNT(tokens));
    for (size_t i = 0; i < count; i++)
        token_add(page, order, tokens[i]);
}

/* An erased person, or one sealed under another key, has no words. */
static void people_add(struct page *page, struct bytes wrapped_key, struct bytes sealed, int64_t order)
{
    struct arena *arena = page->follower->arena;
    struct people_io *people = ARENA_NEW(arena, struct people_io);
    struct faults faults = { .arena = arena };
    struct bytes plain;
    if (wrapped_key.at == NULL || !vault_unseal(page->follower->vault, arena, wrapped_key, sealed, &plain) ||
        !fields_read_text(arena, (const char *)plain.at, plain.size, &people_fields, FIELDS_KEPT, people, &faults))
        return;
    const struct person_io *const each[] = { people->customer, people->ship_to, people->bill_to };
    for (size_t i = 0; i < COUNT(each); i++) {
        if (each[i] == NULL)
            continue;
        text_add(page, order, each[i]->name);
        text_add(page, order, each[i]->email);
        text_add(page, order, each[i]->city);
    }
}

static int by_token(const void *a, const void *b)
{
    const struct order_token_row *left = a, *right = b;
    int by_text = strcmp(left->token, right->token);
    return by_text != 0 ? by_text : left->ord < right->ord ? -1 : left->ord > right->ord;
}

/* Each word of an order once, and in the order of the key: neighbours fall on the same page of the store. */
static void tokens_sort(struct page *page)
{
    size_t kept = 0;
    if (page->token_count > 1)
        qsort(page->tokens, page->token_count, sizeof *page->tokens, by_token);
    for (size_t i = 0; i < page->token_count; i++)
        if (i == 0 || by_token(&page->tokens[i], &page->tokens[kept - 1]) != 0)
            page->tokens[kept++] = page->tokens[i];
    page->token_count = kept;
}

/* In one snapshot: by themselves SQLite locks the file for each key, and forgets what it has read of it whenever the writer has
 * written. Not longer, for a snapshot keeps the WAL from beginning anew. */
static enum db_result load_of_store(const struct follower *f, const struct db_table *table, const int64_t *keys, size_t count, struct db_rows *rows)
{
    if (!db_is_sqlite(f->store))
        return db_load(f->store, f->arena, table, keys, count, rows);
    enum db_result result = db_begin_read(f->store);
    if (result == DB_OK)
        result = db_load(f->store, f->arena, table, keys, count, rows);
    enum db_result ended = result == DB_OK ? db_commit(f->store) : db_rollback(f->store);
    return result != DB_OK ? result : ended;
}

static int by_id(const void *key, const void *row)
{
    const int64_t id = *(const int64_t *)key;
    const struct person_row *person = row;
    return id < person->id ? -1 : id > person->id;
}

static enum db_result persons_read(struct page *page, const struct db_rows *orders)
{
    const struct follower *f = page->follower;
    struct db_rows persons = { 0 };
    int64_t *keys = ARENA_ARRAY(f->arena, int64_t, 2 * orders->count + 1);
    for (size_t i = 0; i < orders->count; i++) {
        const struct orders_row *order = db_row(orders, i);
        keys[2 * i] = page->head.unit;
        keys[2 * i + 1] = order->person;
    }
    enum db_result result = orders->count == 0 ? DB_OK : load_of_store(f, &person_table, keys, orders->count, &persons);
    for (size_t i = 0; result == DB_OK && i < orders->count; i++) {
        const struct orders_row *order = db_row(orders, i);
        const struct person_row *person = persons.count == 0 ? NULL : bsearch(&order->person, persons.at, persons.count, persons.stride, by_id);
        if (person != NULL)
            people_add(page, person->wrapped_key, person->sealed, order->id);
    }
    return result;
}

/* Words by which an edited order was found and is no more: those of an earlier address that no part of it has now. */
static enum db_result words_drop(const struct page *page, const struct followed_orders_result *told, size_t count)
{
    const struct follower *f = page->follower;
    struct page before = { .follower = f, .head = page->head };
    enum db_result result = DB_OK;
    int64_t rows;
    for (size_t i = 0; i < count && result == DB_OK; i++) {
        struct followed_people_before_result *people;
        size_t n = 0;
        if (told[i].type == EVENT_ORDER_EDITED)
            result = followed_people_before(f->store, f->arena, page->head.unit, told[i].subject, &people, &n);
        for (size_t k = 0; k < n && result == DB_OK; k++)
            people_add(&before, people[k].wrapped_key, people[k].sealed, told[i].subject);
    }
    tokens_sort(&before);
    for (size_t i = 0; i < before.token_count && result == DB_OK; i++)
        if (page->token_count == 0 || bsearch(&before.tokens[i], page->tokens, page->token_count, sizeof *page->tokens, by_token) == NULL)
            result = token_drop(f->read, page->head.unit, before.tokens[i].token, before.tokens[i].ord, &rows);
    return result;
}

static enum db_result orders_read(struct page *page)
{
    const struct follower *f = page->follower;
    struct followed_orders_result *told;
    struct db_rows orders = { 0 };
    size_t count;
    enum db_result result =
        followed_orders(f->store, f->arena, page->head.unit, page->from.seq, page->to.seq, EVENT_ORDER_CREATED, EVENT_ORDER_EDITED, &told, &count);
    if (result != DB_OK || count == 0)
        return result;
    int64_t *keys = ARENA_ARRAY(f->arena, int64_t, 2 * count);
    for (size_t i = 0; i < count; i++) {
        keys[2 * i] = page->head.unit;
        keys[2 * i + 1] = told[i].subject;
        page->careful = page->careful || told[i].type == EVENT_ORDER_EDITED; /* its words may be there from its making */
    }
    result = load_of_store(f, &orders_table, keys, count, &orders);
    for (size_t i = 0; result == DB_OK && i < orders.count; i++) {
        const struct orders_row *order = db_row(&orders, i);
        token_add(page, order->id, arena_printf(f->arena, "%ld", (long)order->id)); /* its number */
        text_add(page, order->id, order->channel_order_id);
    }
    if (result == DB_OK)
        result = persons_read(page, &orders);
    tokens_sort(page);
    return result == DB_OK ? words_drop(page, told, count) : result;
}

/* ---- writing ---- */

/* Drops the tokens that are there already. */
static enum db_result tokens_sift(struct page *page)
{
    const struct follower *f = page->follower;
    enum db_result result = DB_OK;
    size_t kept = 0;
    for (size_t i = 0; i < page->token_count && result == DB_OK; i++) {
        struct token_is_there_result there;
        bool found;
        result = token_is_there(f->read, f->arena, page->tokens[i].unit, page->tokens[i].token, page->tokens[i].ord, &there, &found);
        if (!found)
            page->tokens[kept++] = page->tokens[i];
    }
    page->token_count = kept;
    return result;
}

static enum db_result insert_all(const struct follower *f, const struct db_table *table, const void *rows, size_t count)
{
    const void **each = ARENA_ARRAY(f->arena, const void *, count + 1);
    for (size_t i = 0; i < count; i++)
        each[i] = (const char *)rows + i * table->row_size;
    return count == 0 ? DB_OK : db_insert(f->read, table, each, count);
}

static enum db_result tokens_write(struct page *page)
{
    enum db_result result = orders_read(page);
    if (result == DB_OK && page->careful)
        result = tokens_sift(page);
    return result == DB_OK ? insert_all(page->follower, &order_token_table, page->tokens, page->token_count) : result;
}

/* Drops the movements that are there already. Both come in the order of (unit, sku, id). */
static enum db_result movements_sift(const struct page *page, struct movement_by_sku_row *rows, size_t *count)
{
    const struct follower *f = page->follower;
    int64_t *keys = ARENA_ARRAY(f->arena, int64_t, 3 * *count + 1);
    struct db_rows there = { 0 };
    for (size_t i = 0; i < *count; i++)
        memcpy(keys + 3 * i, (const int64_t[]){ rows[i].unit, rows[i].sku, rows[i].id }, 3 * sizeof *keys);
    enum db_result result = *count == 0 ? DB_OK : db_load(f->read, f->arena, &movement_by_sku_table, keys, *count, &there);
    size_t kept = 0, t = 0;
    for (size_t i = 0; i < *count && result == DB_OK; i++) {
        const struct movement_by_sku_row *row = t < there.count ? db_row(&there, t) : NULL;
        if (row != NULL && row->sku == rows[i].sku && row->id == rows[i].id)
            t++;
        else
            rows[kept++] = rows[i];
    }
    *count = kept;
    return result;
}

static int by_sku(const void *a, const void *b)
{
    const struct movement_by_sku_row *left = a, *right = b;
    if (left->sku != right->sku)
        return left->sku < right->sku ? -1 : 1;
    return left->id < right->id ? -1 : left->id > right->id;
}

/* node is where the units came from, other_node where they went: the same where they changed buckets, a place outside
 * (inventory.h) where they came in or left. */
static enum db_result movements_write(struct page *page)
{
    const struct follower *f = page->follower;
    struct followed_movements_result *moved;
    size_t count;
    enum db_result result = followed_movements(f->store, f->arena, page->head.unit, page->from.movement_id, page->head.next_id, PAGE, &moved, &count);
    if (result != DB_OK)
        return result;
    page->to.movement_id = count == PAGE ? moved[count - 1].id : max_i64(page->from.movement_id, page->head.next_id - 1);
    struct movement_by_sku_row *rows = ARENA_ARRAY(f->arena, struct movement_by_sku_row, count + 1);
    for (size_t i = 0; i < count; i++)
        rows[i] = (struct movement_by_sku_row){
            .unit = page->head.unit, .sku = moved[i].sku, .id = moved[i].id, .node = moved[i].from_node, .other_node = moved[i].to_node
        };
    qsort(rows, count, sizeof *rows, by_sku);
    if (page->careful)
        result = movements_sift(page, rows, &count);
    return result == DB_OK ? insert_all(f, &movement_by_sku_table, rows, count) : result;
}

static enum db_result cursor_take(struct page *page)
{
    const struct follower *f = page->follower;
    struct follow_take_result taken;
    bool found;
    enum db_result result = follow_take(f->read, f->arena, page->head.unit, &taken, &found);
    page->is_new = result == DB_OK && !found;
    page->from = (struct cursor_of_unit_row){
        .unit = page->head.unit, .seq = found ? taken.seq : 0, .movement_id = found ? taken.movement_id : 0, .event_at = found ? taken.event_at : 0
    };
    return result;
}

static enum db_result cursor_write(const struct page *page)
{
    const void *row = &page->to;
    enum db_result (*const write)(struct db *, const struct db_table *, const void *const *, size_t) = page->is_new ? db_insert : db_update;
    return write(page->follower->read, &cursor_of_unit_table, &row, 1);
}

/* When event `seq` happened; 0: there is none. */
static enum db_result event_time(const struct follower *f, int64_t unit, int64_t seq, int64_t *at)
{
    struct followed_event_at_result event = { 0 };
    bool found = false;
    enum db_result result = seq == 0 ? DB_OK : followed_event_at(f->store, f->arena, unit, seq, &event, &found);
    *at = found ? event.at : 0;
    return result;
}

/* ---- a store that was restored from a copy: what was followed of its later past is forgotten, and followed anew ---- */

struct forgetting {
    const struct follower *follower;
    int64_t unit, rows;
    const char *token; /* the piece begins here: all before it is gone, and need not be walked over until it is vacuumed */
    int64_t sku;
    bool tokens_gone, gone;
};

static enum db_result tokens_forget(struct forgetting *g)
{
    struct db *read = g->follower->read;
    struct forget_tokens_upto_result upto;
    bool more;
    int64_t rows;
    enum db_result result = forget_tokens_upto(read, g->follower->arena, g->unit, g->token, g->rows - 1, &upto, &more);
    if (result == DB_OK && !more)
        result = forget_tokens_from(read, g->unit, g->token, &rows);
    if (result == DB_OK && more)
        result = forget_tokens_between(read, g->unit, g->token, upto.token, &rows);
    if (result == DB_OK && more)
        result = forget_orders_of_token(read, g->unit, upto.token, upto.ord, &rows);
    g->tokens_gone = !more;
    g->token = more ? upto.token : g->token;
    return result;
}

/* The cursor goes with the last of them. */
static enum db_result movements_forget(struct forgetting *g)
{
    struct db *read = g->follower->read;
    struct forget_movements_upto_result upto;
    bool more;
    int64_t rows;
    enum db_result result = forget_movements_upto(read, g->follower->arena, g->unit, g->sku, g->rows - 1, &upto, &more);
    if (result == DB_OK && !more)
        result = forget_movements_from(read, g->unit, g->sku, &rows);
    if (result == DB_OK && !more)
        result = follow_forget_cursor(read, g->unit, &rows);
    if (result == DB_OK && more)
        result = forget_movements_between(read, g->unit, g->sku, upto.sku, &rows);
    if (result == DB_OK && more)
        result = forget_movements_of_sku(read, g->unit, upto.sku, upto.id, &rows);
    g->gone = !more;
    g->sku = more ? upto.sku : g->sku;
    return result;
}

/* The first only marks the cursor: until all is gone nothing is followed, whoever takes up what is left. Where another server has
 * ended it meanwhile there is no mark. */
static enum db_result piece_forget(struct forgetting *g, bool mark)
{
    struct db *read = g->follower->read;
    struct follow_take_result cursor = { 0 };
    bool found = false;
    int64_t rows;
    enum db_result result = db_begin(read);
    if (result == DB_OK)
        result = follow_take(read, g->follower->arena, g->unit, &cursor, &found);
    g->gone = result == DB_OK && (!found || (!mark && cursor.seq != FORGETTING));
    if (result == DB_OK && mark && found)
        result = follow_mark(read, g->unit, FORGETTING, &rows);
    else if (result == DB_OK && !g->gone && !g->tokens_gone)
        result = tokens_forget(g);
    /* With the last words, so that who takes up what is left gets further than where there are none. */
    if (result == DB_OK && !g->gone && g->tokens_gone)
        result = movements_forget(g);
    if (result == DB_OK)
        result = db_commit(read);
    if (result != DB_OK)
        db_rollback(read);
    return result;
}

static enum db_result unit_forget(const struct follower *f, int64_t unit, bool *goes_on)
{
    struct forgetting g = { .follower = f, .unit = unit, .rows = f->forget_rows == 0 ? FORGET_ROWS : f->forget_rows, .token = "" };
    enum db_result result = piece_forget(&g, true);
    while (result == DB_OK && !g.gone && *goes_on) {
        result = piece_forget(&g, false);
        if (result == DB_OK && f->reached != NULL)
            *goes_on = f->reached(f->context, unit, 0);
    }
    return result;
}

/* Whether what was followed is the past of what stands now: its last event is there, as it was. That it is further than the clock which this
 * round has read says nothing: another server may have followed meanwhile. Cursors of old know no time. */
static enum db_result history_look(const struct follower *f, const struct clock *head, struct cursor_of_unit_row *at, bool *goes_on)
{
    int64_t happened;
    enum db_result result = event_time(f, head->unit, at->seq, &happened);
    bool is_past = at->event_at == 0 ? at->seq <= head->event_seq : at->event_at == happened;
    if (result != DB_OK || (is_past && at->seq != FORGETTING))
        return result;
    *at = (struct cursor_of_unit_row){ .unit = head->unit };
    return unit_forget(f, head->unit, goes_on);
}

/* ---- a page ---- */

static enum db_result page_run(struct page *page)
{
    struct db *read = page->follower->read;
    enum db_result result = db_begin(read);
    if (result == DB_OK)
        result = cursor_take(page);
    if (result == DB_OK && page->from.seq == FORGETTING)
        result = DB_BUSY; /* another server is at it: a later round helps */
    page->to = page->from;
    page->to.seq = max_i64(page->from.seq, min_i64(page->head.event_seq, page->from.seq + PAGE));
    if (result == DB_OK)
        result = event_time(page->follower, page->head.unit, page->to.seq, &page->to.event_at);
    if (result == DB_OK)
        result = tokens_write(page);
    if (result == DB_OK)
        result = movements_write(page);
    if (result == DB_OK)
        result = cursor_write(page);
    if (result == DB_OK)
        result = db_commit(read);
    if (result != DB_OK)
        db_rollback(read);
    return result;
}

/* ---- a round ---- */

/* A row that was there already makes the store refuse the page: then it is run again with care. */
static enum db_result page_follow(const struct follower *f, const struct clock *head, struct cursor_of_unit_row *at)
{
    struct arena_mark mark = arena_mark(f->arena);
    struct arena_door full, *before = arena_set_door(f->arena, &full);
    enum db_result result = DB_BUSY; /* no memory: a later round may have it */
    if (setjmp(full.where) == 0) {
        for (int careful = 0; careful <= 1; careful++) {
            struct page page = { .follower = f, .head = *head, .careful = careful == 1 };
            result = page_run(&page);
            *at = page.to;
            if (result != DB_CONSTRAINT)
                break;
        }
    } else {
        db_rollback(f->store);
        db_rollback(f->read);
        result = DB_BUSY;
    }
    arena_set_door(f->arena, before);
    arena_rewind(f->arena, mark);
    return result;
}

static bool is_behind(const struct cursor_of_unit_row *at, const struct clock *head)
{
    return at->seq < head->event_seq || at->movement_id < head->next_id - 1;
}

static enum db_result unit_follow(const struct follower *f, const struct clock *head, bool *goes_on)
{
    struct db_rows cursors = { 0 };
    struct cursor_of_unit_row at = { 0 };
    enum db_result result = db_load(f->read, f->arena, &cursor_of_unit_table, &head->unit, 1, &cursors);
    if (result == DB_OK && cursors.count == 1)
        memcpy(&at, db_row(&cursors, 0), sizeof at);
    if (result == DB_OK)
        result = history_look(f, head, &at, goes_on);
    while (result == DB_OK && *goes_on && is_behind(&at, head)) {
        result = page_follow(f, head, &at);
        if (result == DB_OK && f->reached != NULL)
            *goes_on = f->reached(f->context, head->unit, at.seq);
    }
    if (result == DB_OK && *goes_on && f->reached != NULL) /* nothing was new: it is still worth knowing how far it is */
        *goes_on = f->reached(f->context, head->unit, at.seq);
    return result;
}

/* Pages of the projections' WAL are many, and nobody else writes them back. PostgreSQL sees to its own. */
static enum db_result wal_write_back(struct follower *f)
{
    struct db_wal_use use;
    int64_t left;
    if (!db_is_sqlite(f->read))
        return DB_OK;
    enum db_result result = db_wal_use(f->read, &use);
    if (result != DB_OK || (f->wal_pages += use.pages) < WAL_PAGES_MAX)
        return result;
    f->wal_pages = 0;
    return db_checkpoint(f->read, CHECKPOINT_WAITS_US, &left);
}

/* The ledger keeps a cursor of its own. Units come in the order of their numbers, the company, which has no books, first. */
static enum db_result ledgers_follow(struct follower *follower, const struct followed_clocks_result *clocks, size_t count)
{
    const struct ledger_follower ledger = {
        .store = follower->store, .read = follower->read, .arena = follower->arena, .forget_rows = follower->forget_rows
    };
    const int pages = follower->ledger_pages == 0 ? INT_MAX : follower->ledger_pages;
    enum db_result result = DB_OK;
    follower->ledger_behind = false;
    for (size_t i = 0; result == DB_OK && i < count; i++) {
        bool behind = false;
        if (clocks[i].unit != 0)
            result = ledger_follow(&ledger, clocks[i].unit, clocks[i].event_seq, clocks[i].next_id, pages, &behind);
        follower->ledger_behind = follower->ledger_behind || behind;
    }
    return result;
}

static enum db_result round_run(struct follower *follower)
{
    struct followed_clocks_result *clocks;
    size_t count;
    bool goes_on = true;
    enum db_result result = followed_clocks(follower->store, follower->arena, &clocks, &count);
    if (result == DB_OK)
        result = db_settle(follower->store);
    for (size_t i = 0; result == DB_OK && goes_on && i < count; i++)
        result = unit_follow(follower, &(struct clock){ clocks[i].unit, clocks[i].event_seq, clocks[i].next_id }, &goes_on);
    if (result == DB_OK && goes_on)
        result = ledgers_follow(follower, clocks, count);
    return result == DB_OK ? wal_write_back(follower) : result;
}

enum db_result projection_round(struct follower *follower)
{
    struct arena_door full;
    arena_reset(follower->arena);
    struct arena_door *before = arena_set_door(follower->arena, &full);
    if (setjmp(full.where) != 0) { /* no memory between two pages, or in one of the ledger's: a later round may have it */
        db_rollback(follower->store);
        db_rollback(follower->read);
        arena_set_door(follower->arena, before);
        return DB_BUSY;
    }
    enum db_result result = round_run(follower);
    arena_set_door(follower->arena, before);
    return result;
}
