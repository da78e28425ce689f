/* tests/http/company.c: see company.h. */
#include "company.h"
#include "contract.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#define TEXT_MAX 8000

/* Every call of every scene: what came is what /openapi.json says. */
static struct contract *contract;

static void hold_against_contract(const struct company *company, const struct contract_call *call)
{
    const char *said = call->got == NULL || strlen(call->got) + 1 == sizeof company->client.body ? NULL : contract_breach(contract, call);
    if (said != NULL)
        fail_msg("%s %s %s: %d is not as /openapi.json says: %s: %.600s", call->method, call->target, call->sent == NULL ? "" : call->sent,
                 call->status, said, call->got);
}

static void furnish(struct company *company)
{
    static const struct {
        const char *target, *body;
    } masters[] = {
        { "/v1/units/DE", "{\"name\":\"Shop\",\"currency\":\"EUR\",\"country\":\"DE\",\"time_zone\":\"Europe/Berlin\"}" },
        { "/v1/nodes/LEJ",
          "{\"unit\":\"DE\",\"name\":\"Leipzig\",\"kind\":\"warehouse\",\"country\":\"DE\",\"postal_code\":\"04435\",\"priority\":1}" },
        { "/v1/nodes/HAM",
          "{\"unit\":\"DE\",\"name\":\"Hamburg\",\"kind\":\"warehouse\",\"country\":\"DE\",\"postal_code\":\"21129\",\"priority\":2}" },
        { "/v1/skus/LAMP", "{\"name\":\"Lamp\"}" },
        { "/v1/skus/BULB", "{\"name\":\"Bulb\"}" },
        { "/v1/skus/SHADE", "{\"name\":\"Shade\"}" },
        { "/v1/bundles/KIT", "{\"name\":\"Kit\",\"components\":[{\"sku\":\"BULB\",\"quantity\":2},{\"sku\":\"SHADE\",\"quantity\":1}]}" },
        { "/v1/channels/web",
          "{\"unit\":\"DE\",\"name\":\"Shop\",\"kind\":\"store\",\"priority\":1,\"nodes\":[\"LEJ\",\"HAM\"],\"shortage\":\"backorder\"}" },
        { "/v1/channels/market",
          "{\"unit\":\"DE\",\"name\":\"Market\",\"kind\":\"marketplace\",\"priority\":2,\"nodes\":[\"LEJ\"],\"shortage\":\"backorder\"}" },
    };
    for (size_t i = 0; i < sizeof masters / sizeof masters[0]; i++)
        must(company, 201, "PUT", masters[i].target, "%s", masters[i].body);
}

static struct company *companies[2];

static int open_company(void **state, bool postgres)
{
    *state = companies[postgres];
    if (*state != NULL || (postgres && site_postgres() == NULL))
        return 0;
    struct company *company = calloc(1, sizeof *company);
    *state = companies[postgres] = company;
    site_make(&company->site, NULL, postgres ? site_postgres() : NULL);
    server_start(&company->server, &company->site);
    client_open(&company->client, company->server.port, company->site.key);
    assert_int_equal(client_call(&company->client, "GET", "/openapi.json", NULL, NULL), 200);
    if (contract == NULL) /* both stores' servers describe themselves with the same words */
        contract = contract_of(company->client.body);
    assert_non_null(contract);
    furnish(company);
    return 0;
}

int on_sqlite(void **state)
{
    return open_company(state, false);
}

int on_postgres(void **state)
{
    return open_company(state, true);
}

static int close_company(struct company *company)
{
    if (company == NULL)
        return 0;
    client_close(&company->client);
    server_stop(&company->server);
    int violated = site_check(&company->site);
    site_delete(&company->site);
    free(company);
    return violated;
}

int close_companies(void **state)
{
    int first = close_company(companies[0]), second = close_company(companies[1]);
    contract_free(contract);
    return first != 0 ? first : second;
}

const char *must(struct company *company, int status, const char *method, const char *target, const char *format, ...)
{
    char body[TEXT_MAX];
    va_list args;
    va_start(args, format);
    if (format != NULL)
        vsnprintf(body, sizeof body, format, args);
    va_end(args);
    int came = client_call(&company->client, method, target, NULL, format == NULL ? NULL : body);
    if (came != status)
        fail_msg("%s %s: %d, not %d: %.600s", method, target, came, status, company->client.body);
    hold_against_contract(company, &(struct contract_call){ method, target, format == NULL ? NULL : body, status, company->client.body });
    return company->client.body;
}

const char *get(struct company *company, const char *format, ...)
{
    char target[2000];
    va_list args;
    va_start(args, format);
    vsnprintf(target, sizeof target, format, args);
    va_end(args);
    return must(company, 200, "GET", target, NULL);
}

void says(const struct company *company, const char *text)
{
    if (strstr(company->client.body, text) == NULL)
        fail_msg("not \"%s\" in %.2000s", text, company->client.body);
}

void says_not(const struct company *company, const char *text)
{
    if (strstr(company->client.body, text) != NULL)
        fail_msg("\"%s\" in %.2000s", text, company->client.body);
}

size_t times(const struct company *company, const char *text)
{
    size_t count = 0;
    for (const char *at = company->client.body; (at = strstr(at, text)) != NULL; at += strlen(text))
        count++;
    return count;
}

void text_of(const struct company *company, const char *name, char *out, size_t room)
{
    char quoted[64];
    snprintf(quoted, sizeof quoted, "\"%s\":\"", name);
    const char *at = strstr(company->client.body, quoted);
    if (at == NULL)
        fail_msg("no \"%s\" in %.600s", name, company->client.body);
    snprintf(out, room, "%.*s", (int)strcspn(at + strlen(quoted), "\""), at + strlen(quoted));
}

void put_order(struct company *company, const char *channel, const char *id, const char *customer, const char *sku, int quantity)
{
    must(
        company, 201, "POST", "/v1/orders",
        "{\"channel\":\"%s\",\"channel_order_id\":\"%s\",\"placed_at\":\"2026-11-24T08:00:00Z\",\"currency\":\"EUR\",\"customer\":{\"name\":\"%s\"},"
        "\"ship_to\":{\"name\":\"%s\",\"city\":\"Köln\",\"country\":\"DE\"},\"lines\":[{\"sku\":\"%s\",\"quantity\":%d,\"unit_price\":{\"amount\":\"10.00\","
        "\"currency\":\"EUR\"}}],\"payment\":{\"term\":\"prepaid\",\"status\":\"pending\"}}",
        channel, id, customer, customer, sku, quantity);
}

void receive(struct company *company, const char *node, const char *sku, int quantity)
{
    must(company, 201, "POST", "/v1/inventory/adjustments", "{\"node\":\"%s\",\"sku\":\"%s\",\"delta\":%d,\"reason\":\"receipt\"}", node, sku,
         quantity);
}

size_t items_of(struct company *company, const char *list, int limit, const char *item, size_t *pages)
{
    enum { PAGES_MAX = 300 };
    char next[120] = "";
    size_t count = 0;
    for (size_t page = 1; page <= PAGES_MAX; page++) {
        get(company, "%s%climit=%d%s%s", list, strchr(list, '?') == NULL ? '?' : '&', limit, next[0] == '\0' ? "" : "&cursor=", next);
        size_t came = times(company, item);
        if (came > (size_t)limit)
            fail_msg("%zu items in a page of %d", came, limit);
        count += came;
        if (pages != NULL)
            *pages = page;
        if (strstr(company->client.body, "\"next\":null") != NULL)
            return count;
        text_of(company, "next", next, sizeof next);
    }
    fail_msg("%s has no end", list);
    return 0;
}
