/* tests/store/sale.c: see sale.h. */
#include "store/sale.h"
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

const char *line_of(struct shop *shop, const char *sku, int quantity)
{
    return arena_printf(shop->arena, "{\"sku\":\"%s\",\"quantity\":%d,\"unit_price\":{\"amount\":\"10.00\",\"currency\":\"EUR\"}}", sku, quantity);
}

const char *order_lines(struct shop *shop, const char *channel, const char *lines)
{
    static int number;
    char id[32];
    struct reply made = shop_must(
        shop, 201, "POST", "/v1/orders",
        "{\"channel\":\"%s\",\"channel_order_id\":\"S-%d\",\"placed_at\":\"2026-11-24T08:00:00Z\",\"currency\":\"EUR\",\"customer\":{\"name\":\"A\"},"
        "\"ship_to\":{\"name\":\"A\",\"country\":\"DE\"},\"lines\":[%s],\"payment\":{\"term\":\"on_account\",\"status\":\"pending\"}}",
        channel, ++number, lines);
    text_in(made.body, NULL, "id", id, sizeof id);
    return arena_text(shop->arena, id);
}

const char *buys(struct shop *shop, const char *channel, const char *sku, int quantity)
{
    return order_lines(shop, channel, line_of(shop, sku, quantity));
}

const char *order_text(struct shop *shop, const char *id)
{
    return shop_must(shop, 200, "GET", arena_printf(shop->arena, "/v1/orders/%s", id), NULL).body;
}

const char *work_of(struct shop *shop, const char *id, int which)
{
    char work[32] = "";
    const char *at = strstr(order_text(shop, id), "\"fulfilments\":");
    for (int i = 0; at != NULL && i <= which; i++) {
        at = strstr(at + 1, "\"id\":\"ful_");
        if (at != NULL)
            text_in(at, NULL, "id", work, sizeof work);
    }
    assert_non_null(at);
    return arena_text(shop->arena, work);
}

int count_of(const char *text, const char *what)
{
    int count = 0;
    for (; (text = strstr(text, what)) != NULL; text++)
        count++;
    return count;
}

int works(struct shop *shop, const char *id)
{
    return count_of(order_text(shop, id), "\"id\":\"ful_");
}

static const struct {
    const char *verb, *body;
} bodies[] = {
    { "pack", "{\"packages\":[{\"weight_g\":500}]}" },
    { "ship", "{\"carrier\":\"DHL\",\"tracking\":\"T\"}" },
    { "decline", "{\"reason\":\"no cartons\"}" },
    { "fail", "{\"reason\":\"the belt stands\"}" },
    { "reject_cancel", "{\"reason\":\"it is on the belt\"}" },
    { "lost", "{\"reason\":\"the van burnt\"}" },
    { "settle", "{\"then\":\"refund\"}" },
};

struct reply report(struct shop *shop, const char *work, const char *verb, const char *body)
{
    const char *usual = "{}";
    for (size_t i = 0; i < COUNT(bodies); i++)
        usual = strcmp(bodies[i].verb, verb) == 0 ? bodies[i].body : usual;
    const bool miss = strcmp(verb, "miss") == 0;
    return shop_call(shop, "POST", arena_printf(shop->arena, "/v1/fulfilments/%s/%s", work, miss ? "pick" : verb), "%s",
                     miss           ? "{\"lines\":[{\"line\":1,\"quantity\":0}]}"
                     : body == NULL ? usual
                                    : body);
}

const char *reports(struct shop *shop, const char *work, const char *verbs)
{
    const char *body = "";
    char verb[32];
    for (const char *at = verbs; *at != '\0'; at += strspn(at, " ")) {
        const size_t size = strcspn(at, " ");
        snprintf(verb, sizeof verb, "%.*s", (int)size, at);
        struct reply reply = report(shop, work, verb, NULL);
        if (reply.status != 200)
            fail_msg("%s of %s: %d %s", verb, verbs, reply.status, reply.body);
        body = reply.body;
        at += size;
    }
    return body;
}

int64_t stock(struct shop *shop, const char *node, const char *sku, const char *bucket)
{
    return number_in(shop_must(shop, 200, "GET", arena_printf(shop->arena, "/v1/inventory?sku=%s&node=%s", sku, node), NULL).body, "\"items\"",
                     bucket);
}

void buckets(struct shop *shop, const char *node, const char *sku, int64_t available, int64_t allocated, int64_t quarantined)
{
    const int64_t found[] = { stock(shop, node, sku, "available"), stock(shop, node, sku, "allocated"), stock(shop, node, sku, "quarantined") };
    if (found[0] != available || found[1] != allocated || found[2] != quarantined)
        fail_msg("%s of %s: %ld available, %ld allocated, %ld quarantined", node, sku, (long)found[0], (long)found[1], (long)found[2]);
}

int64_t figure(struct shop *shop, const char *id, const char *name)
{
    return number_in(order_text(shop, id), "\"lines\"", name);
}

bool says(struct shop *shop, const char *id, const char *what)
{
    const char *text = order_text(shop, id);
    if (strstr(text, what) == NULL)
        print_message("%s\n", text);
    return strstr(text, what) != NULL;
}

const char *exceptions(struct shop *shop, const char *type, const char *state)
{
    return shop_must(shop, 200, "GET", arena_printf(shop->arena, "/v1/exceptions?type=%s&state=%s", type, state), NULL).body;
}

int open_exceptions(struct shop *shop, const char *type)
{
    return count_of(exceptions(shop, type, "open"), "\"id\"");
}

const char *state_of(struct shop *shop, const char *work)
{
    char state[32];
    text_in(shop_must(shop, 200, "GET", arena_printf(shop->arena, "/v1/fulfilments/%s", work), NULL).body, NULL, "state", state, sizeof state);
    return arena_text(shop->arena, state);
}
