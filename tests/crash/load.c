/* tests/crash/load.c: see load.h. */
#include "crash/load.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#define STOCK 5000     /* of each SKU, before the load */
#define PAUSE_US 20000 /* after a refusal by the store */

static const char *suffix(const struct load *load)
{
    return load->unit == NULL ? "" : load->unit;
}

static void note_wrong(struct load_sender *sender, size_t i, const char *what)
{
    sender->wrong++;
    snprintf(sender->said, sizeof sender->said, "%d-%d-%zu %s: %d %.280s", sender->load->round, sender->number, i, what, sender->client.status,
             sender->client.body);
}

static uint64_t hash_of(const char *text)
{
    uint64_t hash = 1469598103934665603u;
    for (; *text != '\0'; text++)
        hash = (hash ^ (uint8_t)*text) * 1099511628211u;
    return hash;
}

/* ---- what it sells ---- */

void load_sell(struct load *load, const struct site *site, uint16_t port)
{
    static const char *const calls[][3] = {
        { "PUT", "/v1/units/DE@", "{\"name\":\"Germany\",\"currency\":\"EUR\",\"country\":\"DE\",\"time_zone\":\"Europe/Berlin\"}" },
        { "PUT", "/v1/nodes/LEJ@",
          "{\"unit\":\"DE@\",\"name\":\"Leipzig\",\"kind\":\"warehouse\",\"country\":\"DE\",\"postal_code\":\"04103\",\"priority\":1}" },
        { "PUT", "/v1/skus/LAMP@", "{\"name\":\"Lamp\"}" },
        { "PUT", "/v1/skus/BULB@", "{\"name\":\"Bulb\"}" },
        { "PUT", "/v1/bundles/KIT@", "{\"name\":\"Kit\",\"components\":[{\"sku\":\"BULB@\",\"quantity\":2},{\"sku\":\"LAMP@\",\"quantity\":1}]}" },
        { "PUT", "/v1/channels/web@",
          "{\"unit\":\"DE@\",\"name\":\"Web\",\"kind\":\"store\",\"priority\":2,\"nodes\":[\"LEJ@\"],\"shortage\":\"backorder\"}" },
        { "PUT", "/v1/channels/b2b@",
          "{\"unit\":\"DE@\",\"name\":\"B2B\",\"kind\":\"b2b\",\"priority\":1,\"nodes\":[\"LEJ@\"],\"shortage\":\"reject\"}" },
        { "POST", "/v1/inventory/adjustments", "{\"node\":\"LEJ@\",\"sku\":\"LAMP@\",\"delta\":5000,\"reason\":\"receipt\"}" },
        { "POST", "/v1/inventory/adjustments", "{\"node\":\"LEJ@\",\"sku\":\"BULB@\",\"delta\":5000,\"reason\":\"receipt\"}" },
    };
    struct client *client = &load->senders[0].client;
    client_open(client, port, site->key);
    for (size_t i = 0; i < sizeof calls / sizeof calls[0]; i++) {
        char text[2][400];
        for (int t = 0; t < 2; t++) {
            size_t bytes = 0;
            for (const char *at = calls[i][t + 1]; *at != '\0' && bytes < sizeof text[t] - 16; at++)
                bytes += (size_t)snprintf(text[t] + bytes, sizeof text[t] - bytes, "%.*s", *at == '@' ? 16 : 1, *at == '@' ? suffix(load) : at);
        }
        client_must(client, calls[i][0], text[0], text[1]);
    }
    client_close(client);
}

/* ---- one command ---- */

static int send_order(struct load_sender *sender, size_t i, const char *key)
{
    static const char *const skus[] = { "LAMP", "KIT", "BULB" };
    const char *of = suffix(sender->load);
    char body[800];
    snprintf(
        body, sizeof body,
        "{\"channel\":\"%s%s\",\"channel_order_id\":\"%s\",\"placed_at\":\"2026-11-24T08:00:00Z\",\"currency\":\"EUR\",\"customer\":{\"name\":"
        "\"A\"},\"ship_to\":{\"name\":\"A\",\"country\":\"DE\"},\"lines\":[{\"sku\":\"%s%s\",\"quantity\":2,\"unit_price\":{\"amount\":\"10.00\","
        "\"currency\":\"EUR\"}},{\"sku\":\"LAMP%s\",\"quantity\":1,\"unit_price\":{\"amount\":\"9.00\",\"currency\":\"EUR\"}}],\"payment\":{"
        "\"term\":\"on_account\",\"status\":\"pending\"}}",
        i % 5 == 4 ? "b2b" : "web", of, key, skus[i % 3], of, of);
    return client_call(&sender->client, "POST", "/v1/orders", key, body);
}

static int send_one(struct load_sender *sender, size_t i)
{
    const struct load_sent *sent = &sender->sent[i];
    const char *of = suffix(sender->load);
    char key[40], target[80], body[160];
    snprintf(key, sizeof key, "%s.%d-%d-%zu", of, sender->load->round, sender->number, i);
    switch (sent->kind) {
    case LOAD_ORDER:
        return send_order(sender, i, key);
    case LOAD_CANCEL:
        snprintf(target, sizeof target, "/v1/orders/%s/cancel", sent->order);
        return client_call(&sender->client, "POST", target, key, "{\"reason\":\"changed mind\"}");
    case LOAD_RECEIPT:
        snprintf(body, sizeof body, "{\"node\":\"LEJ%s\",\"sku\":\"BULB%s\",\"delta\":1,\"reason\":\"receipt\"}", of, of);
        return client_call(&sender->client, "POST", "/v1/inventory/adjustments", key, body);
    }
    return 0;
}

/* 201 made, 200 cancelled; an order may be short. */
static bool is_fair(const struct load_sent *sent, int status)
{
    return status == (sent->kind == LOAD_CANCEL ? 200 : 201) || (sent->kind == LOAD_ORDER && status == 409);
}

/* ---- a round ---- */

static void plan(struct load_sender *sender, size_t i)
{
    struct load_sent *sent = &sender->sent[i];
    const struct load_sent *before = i > 0 ? &sender->sent[i - 1] : NULL;
    *sent = (struct load_sent){ .kind = i % 7 == 6 ? LOAD_RECEIPT : LOAD_ORDER };
    if (i % 7 == 5 && before->status == 201) {
        sent->kind = LOAD_CANCEL;
        memcpy(sent->order, before->order, sizeof sent->order);
    }
}

static void count_what_is_there(struct load_sender *sender, const struct load_sent *sent)
{
    char id[40];
    if (sender->client.status != 201)
        return;
    sender->receipts += sent->kind == LOAD_RECEIPT;
    if (sent->kind != LOAD_ORDER)
        return;
    text_after(sender->client.body, "channel_order_id", id, sizeof id);
    sender->orders++;
    sender->order_sum += hash_of(id);
}

static void *send_all(void *context)
{
    struct load_sender *sender = context;
    struct load *load = sender->load;
    for (sender->count = 0; sender->count < LOAD_MOST && !atomic_load(&load->stop);) {
        size_t i = sender->count++;
        struct load_sent *sent = &sender->sent[i];
        plan(sender, i);
        int status = send_one(sender, i);
        if (atomic_load(&load->dark))
            status = 0;
        if (status == 503 || status == 507 || (load->power_goes && status >= 500)) {
            atomic_fetch_add(status == 507 ? &load->full : &load->busy, 1);
            usleep(PAUSE_US);
        } else if (status != 0 && !is_fair(sent, status)) {
            note_wrong(sender, i, "is answered");
        } else if (status != 0) {
            sent->status = status;
            sent->body = hash_of(sender->client.body);
            if (sent->kind == LOAD_ORDER)
                text_after(sender->client.body, "id", sent->order, sizeof sent->order);
            count_what_is_there(sender, sent);
        }
        atomic_fetch_add(sent->status == 0 ? &load->open : &load->acknowledged, 1);
        if (status == 0)
            break; /* the server is gone */
    }
    client_close(&sender->client);
    return NULL;
}

static void begin(struct load *load, const struct site *site, const struct server *servers, int server_count, void *(*work)(void *))
{
    for (int i = 0; i < LOAD_THREADS; i++) {
        struct load_sender *sender = &load->senders[i];
        client_open(&sender->client, servers[i % server_count].port, site->key);
        sender->load = load;
        sender->number = i;
        sender->lost = sender->wrong = sender->orders = sender->receipts = 0;
        sender->order_sum = 0;
        assert_int_equal(pthread_create(&sender->thread, NULL, work, sender), 0);
    }
}

void load_start(struct load *load, const struct site *site, const struct server *servers, int server_count)
{
    load->round++;
    atomic_store(&load->stop, false);
    atomic_store(&load->dark, false);
    atomic_store(&load->acknowledged, 0);
    atomic_store(&load->open, 0);
    atomic_store(&load->full, 0);
    atomic_store(&load->busy, 0);
    begin(load, site, servers, server_count, send_all);
}

void load_stop(struct load *load)
{
    atomic_store(&load->stop, true);
}

static bool join(struct load *load)
{
    size_t wrong = 0;
    const char *said = "";
    for (int i = 0; i < LOAD_THREADS; i++) {
        const struct load_sender *sender = &load->senders[i];
        pthread_join(sender->thread, NULL);
        wrong += sender->wrong;
        said = sender->wrong > 0 ? sender->said : said;
        load->lost += sender->lost;
        load->orders += sender->orders;
        load->receipts += sender->receipts;
        load->order_sum += sender->order_sum;
    }
    if (wrong > 0)
        print_message("%zu are wrong, such as %s\n", wrong, said);
    return wrong == 0;
}

bool load_wait(struct load *load)
{
    bool fair = join(load);
    load->all_acknowledged += atomic_load(&load->acknowledged);
    load->all_open += atomic_load(&load->open);
    load->all_full += atomic_load(&load->full);
    load->all_busy += atomic_load(&load->busy);
    return fair;
}

/* ---- after the crash ---- */

/* What was not answered is done now, or was: then it is whole, an order with its two lines. */
static bool is_whole(const struct load_sent *sent, const struct client *client)
{
    if (!is_fair(sent, client->status))
        return false;
    return sent->kind != LOAD_ORDER || client->status != 201 ||
           (strstr(client->body, "\"line\":1,") != NULL && strstr(client->body, "\"line\":2,") != NULL);
}

static void *send_again(void *context)
{
    struct load_sender *sender = context;
    for (size_t i = 0; i < sender->count; i++) {
        const struct load_sent *sent = &sender->sent[i];
        int status = send_one(sender, i);
        bool whole = is_whole(sent, &sender->client);
        bool same = sent->status == 0 || (status == sent->status && hash_of(sender->client.body) == sent->body);
        sender->lost += !same;
        if (!sender->load->count_losses && !(whole && same))
            note_wrong(sender, i, whole ? "was acknowledged and is answered otherwise now" : "is not whole");
        if (sent->status == 0)
            count_what_is_there(sender, sent);
    }
    client_close(&sender->client);
    return NULL;
}

bool load_again(struct load *load, const struct site *site, const struct server *servers, int server_count)
{
    begin(load, site, servers, server_count, send_again);
    return join(load);
}

static bool stock_is_right(const struct load *load, struct client *client)
{
    char target[80];
    snprintf(target, sizeof target, "/v1/inventory?sku=BULB%s&node=LEJ%s", suffix(load), suffix(load));
    client_must(client, "GET", target, NULL);
    int64_t there = number_after(client->body, "available") + number_after(client->body, "reserved") + number_after(client->body, "allocated");
    if (there == STOCK + (int64_t)load->receipts)
        return true;
    print_message("%zu receipts of 1 on top of %d, and %ld are there\n", load->receipts, STOCK, (long)there);
    return false;
}

bool load_look(struct load *const *loads, int count, const struct site *site, uint16_t port)
{
    static const char name[] = "\"channel_order_id\":\"";
    struct client *client = &loads[0]->senders[0].client;
    size_t sent = 0, listed = 0;
    uint64_t sent_sum = 0, listed_sum = 0;
    char target[300] = "/v1/orders?limit=100", next[200];
    bool right = true;
    client_open(client, port, site->key);
    do {
        client_must(client, "GET", target, NULL);
        for (const char *at = client->body; (at = strstr(at, name)) != NULL; listed++) {
            char id[40];
            at += sizeof name - 1;
            snprintf(id, sizeof id, "%.*s", (int)strcspn(at, "\""), at);
            listed_sum += hash_of(id);
        }
        text_after(client->body, "next", next, sizeof next);
        snprintf(target, sizeof target, "/v1/orders?limit=100&cursor=%s", next);
    } while (next[0] != '\0');
    for (int i = 0; i < count; i++) {
        sent += loads[i]->orders;
        sent_sum += loads[i]->order_sum;
        right = stock_is_right(loads[i], client) && right;
    }
    client_close(client);
    if (sent == listed && sent_sum == listed_sum)
        return right;
    print_message("%zu orders were taken, %zu are listed%s\n", sent, listed, sent == listed ? ", and not the same" : "");
    return false;
}
