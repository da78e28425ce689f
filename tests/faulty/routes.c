/* tests/faulty/routes.c: see routes.h. */
#include "routes.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#define TEXT_MAX 2000
#define ORDER(CHANNEL, TERM)                                                                                                                         \
    "{\"channel\":\"" CHANNEL "\",\"channel_order_id\":\"O-%n\",\"placed_at\":\"2026-11-24T08:00:00Z\",\"currency\":\"EUR\",\"customer\":{\"name\":" \
    "\"Ann\"},\"ship_to\":{\"name\":\"Ann\",\"country\":\"DE\"},\"lines\":[{\"sku\":\"LAMP\",\"quantity\":1,\"unit_price\":{\"amount\":\"10.00\","   \
    "\"currency\":\"EUR\"}}],\"payment\":{\"term\":\"" TERM "\",\"status\":\"pending\"}}"
#define KIT "\"components\":[{\"sku\":\"BULB\",\"quantity\":2},{\"sku\":\"SHADE\",\"quantity\":1}]}"
#define UNIT "\"currency\":\"EUR\",\"country\":\"DE\",\"time_zone\":\"Europe/Berlin\"}"
#define HAM "\"unit\":\"DE\",\"kind\":\"warehouse\",\"country\":\"DE\",\"postal_code\":\"21129\",\"priority\":2}"
#define WEB "\"unit\":\"DE\",\"kind\":\"store\",\"priority\":1,\"nodes\":[\"LEJ\",\"HAM\"],\"shortage\":\"backorder\"}"
#define RATES "\"unit\":\"DE\",\"zones\":[{\"country\":\"DE\",\"steps\":[{\"up_to_g\":5000,\"price\":{\"amount\":\"4.90\",\"currency\":\"EUR\"}}]}]}"
#define SHIPS "{\"time_zone\":\"Europe/Berlin\",\"monday\":\"14:00\",\"rates\":\"L\",\"handling_days\":1,\"transit_days\":1}"
#define POLICY "{\"unit\":\"DE\",\"channel\":\"hand\"}"
#define TRANSFER "{\"from\":\"LEJ\",\"to\":\"HAM\",\"lines\":[{\"sku\":\"LAMP\",\"quantity\":3}]}"
#define SUPPLY \
    "{\"node\":\"LEJ\",\"kind\":\"asn\",\"reference\":\"ASN-%n\",\"lines\":[{\"sku\":\"LAMP\",\"quantity\":3,\"expected_at\":\"2030-01-01T00:00:00Z\"}]}"
#define COUNT_TRAYS "{\"node\":\"LEJ\",\"skus\":[\"TRAY\"]}"
#define TRAYS_COUNTED(COUNTER, UNITS) "{\"counter\":\"" COUNTER "\",\"lines\":[{\"sku\":\"TRAY\",\"counted\":" UNITS "}]}"
#define PAST_COUNT "{\"node\":\"HAM\",\"sku\":\"BULB\",\"set\":0,\"reason\":\"count\",\"as_of\":1}"
#define FOUND "{\"node\":\"LEJ\",\"sku\":\"LAMP\",\"delta\":1,\"reason\":\"found\"}"

#define RECALL "{\"sku\":\"TOY-%n\",\"nodes\":[\"LEJ\",\"HAM\"],\"reason\":\"paint\"}"
#define RETURN "{\"order\":\"%o\",\"node\":\"LEJ\",\"lines\":[{\"line\":1,\"quantity\":1}]}"
#define LAMPS "\"node\":\"LEJ\",\"sku\":\"LAMP\""
#define INSPECTED "{\"disposition\":\"restock_as\",\"class\":\"B\",\"quantity\":1},{\"disposition\":\"scrap\",\"quantity\":1}"

/* clang-format off */
/* Few steps where the projections are read: a round of theirs that failed is run again half a second later. */
const struct good_request good_requests[] = {
    { METHOD_GET, "/healthz", "/healthz", NULL, 200 },
    { METHOD_GET, "/readyz", "/readyz", NULL, 200 },
    { METHOD_GET, "/metrics", "/metrics", NULL, 200 },
    { METHOD_GET, "/openapi.json", "/openapi.json", NULL, 200 },
    { METHOD_GET, "/docs", "/docs", NULL, 200 },
    { METHOD_GET, "/v1/commands", "/v1/commands", NULL, 200 },

    { METHOD_PUT, "/v1/units/{code}", "/v1/units/DE", "{\"name\":\"Shop %n\"," UNIT, 200 },
    { METHOD_PATCH, "/v1/units/{code}", "/v1/units/DE", "{\"name\":\"Shop %n\"}", 200 },
    { METHOD_GET, "/v1/units/{code}", "/v1/units/DE", NULL, 200 },
    { METHOD_GET, "/v1/units/{code}/history", "/v1/units/DE/history?limit=20", NULL, 200 },
    { METHOD_GET, "/v1/units", "/v1/units", NULL, 200 },
    { METHOD_POST, "/v1/units", "/v1/units", "{\"units\":[{\"code\":\"DE\",\"name\":\"Shop %n\"," UNIT "]}", 200 },
    { METHOD_PUT, "/v1/nodes/{code}", "/v1/nodes/HAM", "{\"name\":\"Hamburg %n\"," HAM, 200 },
    { METHOD_PATCH, "/v1/nodes/{code}", "/v1/nodes/HAM", "{\"name\":\"Hamburg %n\"}", 200 },
    { METHOD_GET, "/v1/nodes/{code}", "/v1/nodes/HAM", NULL, 200 },
    { METHOD_GET, "/v1/nodes/{code}/history", "/v1/nodes/HAM/history?limit=20", NULL, 200 },
    { METHOD_GET, "/v1/nodes", "/v1/nodes", NULL, 200 },
    { METHOD_POST, "/v1/nodes", "/v1/nodes", "{\"nodes\":[{\"code\":\"HAM\",\"name\":\"Hamburg %n\"," HAM "]}", 200 },
    { METHOD_PUT, "/v1/skus/{code}", "/v1/skus/SKU-%n", "{\"name\":\"New\"}", 201 },
    { METHOD_PATCH, "/v1/skus/{code}", "/v1/skus/LAMP", "{\"weight_g\":%n}", 200 },
    { METHOD_GET, "/v1/skus/{code}", "/v1/skus/LAMP", NULL, 200 },
    { METHOD_GET, "/v1/skus/{code}/history", "/v1/skus/LAMP/history?limit=20", NULL, 200 },
    { METHOD_GET, "/v1/skus", "/v1/skus?limit=20", NULL, 200 },
    { METHOD_POST, "/v1/skus", "/v1/skus", "{\"skus\":[{\"code\":\"SKU-%n\",\"name\":\"New\"},{\"code\":\"LAMP\",\"name\":\"Lamp %n\"}]}", 200 },
    { METHOD_PUT, "/v1/bundles/{code}", "/v1/bundles/KIT", "{\"name\":\"Kit %n\"," KIT, 200 },
    { METHOD_PATCH, "/v1/bundles/{code}", "/v1/bundles/KIT", "{\"name\":\"Kit %n\"}", 200 },
    { METHOD_GET, "/v1/bundles/{code}", "/v1/bundles/KIT", NULL, 200 },
    { METHOD_GET, "/v1/bundles/{code}/history", "/v1/bundles/KIT/history?limit=20", NULL, 200 },
    { METHOD_GET, "/v1/bundles", "/v1/bundles", NULL, 200 },
    { METHOD_PUT, "/v1/classes/{code}", "/v1/classes/B", "{\"name\":\"B %n\"}", 200 },
    { METHOD_PATCH, "/v1/classes/{code}", "/v1/classes/B", "{\"name\":\"B %n\"}", 200 },
    { METHOD_GET, "/v1/classes/{code}", "/v1/classes/B", NULL, 200 },
    { METHOD_GET, "/v1/classes/{code}/history", "/v1/classes/B/history?limit=20", NULL, 200 },
    { METHOD_GET, "/v1/classes", "/v1/classes", NULL, 200 },
    { METHOD_POST, "/v1/classes", "/v1/classes", "{\"classes\":[{\"code\":\"B\",\"name\":\"B %n\"}]}", 200 },
    { METHOD_POST, "/v1/bundles", "/v1/bundles", "{\"bundles\":[{\"code\":\"KIT\",\"name\":\"Kit %n\"," KIT "]}", 200 },
    { METHOD_PUT, "/v1/channels/{code}", "/v1/channels/web", "{\"name\":\"Shop %n\"," WEB, 200 },
    { METHOD_PATCH, "/v1/channels/{code}", "/v1/channels/web", "{\"name\":\"Shop %n\"}", 200 },
    { METHOD_GET, "/v1/channels/{code}", "/v1/channels/web", NULL, 200 },
    { METHOD_GET, "/v1/channels/{code}/history", "/v1/channels/web/history?limit=20", NULL, 200 },
    { METHOD_GET, "/v1/channels", "/v1/channels", NULL, 200 },
    { METHOD_POST, "/v1/channels", "/v1/channels", "{\"channels\":[{\"code\":\"web\",\"name\":\"Shop %n\"," WEB "]}", 200 },
    { METHOD_PUT, "/v1/channels/{code}/listings/{channel_sku}", "/v1/channels/web/listings/L", "{\"sku\":\"LAMP\",\"cap\":%n}", 200 },
    { METHOD_PATCH, "/v1/channels/{code}/listings/{channel_sku}", "/v1/channels/web/listings/L", "{\"cap\":%n}", 200 },
    { METHOD_GET, "/v1/channels/{code}/listings/{channel_sku}", "/v1/channels/web/listings/L", NULL, 200 },
    { METHOD_GET, "/v1/channels/{code}/listings/{channel_sku}/history", "/v1/channels/web/listings/L/history?limit=20", NULL, 200 },
    { METHOD_GET, "/v1/channels/{code}/listings", "/v1/channels/web/listings", NULL, 200 },
    { METHOD_POST, "/v1/channels/{code}/listings", "/v1/channels/web/listings", "{\"listings\":[{\"channel_sku\":\"L\",\"sku\":\"LAMP\",\"cap\":%n}]}", 200 },

    { METHOD_PUT, "/v1/routing/rates/{code}", "/v1/routing/rates/L", "{\"name\":\"Rates %n\"," RATES, 200 },
    { METHOD_PATCH, "/v1/routing/rates/{code}", "/v1/routing/rates/L", "{\"name\":\"Rates %n\"}", 200 },
    { METHOD_GET, "/v1/routing/rates/{code}", "/v1/routing/rates/L", NULL, 200 },
    { METHOD_GET, "/v1/routing/rates/{code}/history", "/v1/routing/rates/L/history?limit=20", NULL, 200 },
    { METHOD_GET, "/v1/routing/rates", "/v1/routing/rates", NULL, 200 },
    { METHOD_POST, "/v1/routing/rates", "/v1/routing/rates", "{\"rates\":[{\"code\":\"L\",\"name\":\"Rates %n\"," RATES "]}", 200 },
    { METHOD_PUT, "/v1/routing/nodes/{code}", "/v1/routing/nodes/LEJ", SHIPS, 200 },
    { METHOD_PATCH, "/v1/routing/nodes/{code}", "/v1/routing/nodes/LEJ", "{\"parcel\":{\"amount\":\"%n.00\",\"currency\":\"EUR\"}}", 200 },
    { METHOD_GET, "/v1/routing/nodes/{code}", "/v1/routing/nodes/LEJ", NULL, 200 },
    { METHOD_GET, "/v1/routing/nodes/{code}/history", "/v1/routing/nodes/LEJ/history?limit=20", NULL, 200 },
    { METHOD_GET, "/v1/routing/nodes", "/v1/routing/nodes", NULL, 200 },
    { METHOD_POST, "/v1/routing/nodes", "/v1/routing/nodes", "{\"nodes\":[{\"code\":\"LEJ\",\"time_zone\":\"Europe/Berlin\",\"handling_days\":%n}]}", 200 },
    { METHOD_PUT, "/v1/routing/policies/{code}", "/v1/routing/policies/hand", POLICY, 200 },
    { METHOD_PATCH, "/v1/routing/policies/{code}", "/v1/routing/policies/hand", "{\"split_penalty\":{\"amount\":\"%n.00\",\"currency\":\"EUR\"}}", 200 },
    { METHOD_GET, "/v1/routing/policies/{code}", "/v1/routing/policies/hand", NULL, 200 },
    { METHOD_GET, "/v1/routing/policies/{code}/history", "/v1/routing/policies/hand/history?limit=20", NULL, 200 },
    { METHOD_GET, "/v1/routing/policies", "/v1/routing/policies", NULL, 200 },
    { METHOD_POST, "/v1/routing/policies", "/v1/routing/policies", "{\"policies\":[{\"code\":\"hand\",\"unit\":\"DE\",\"channel\":\"hand\",\"late_per_day\":{\"amount\":\"%n.00\",\"currency\":\"EUR\"}}]}", 200 },
    { METHOD_POST, "/v1/routing/try", "/v1/routing/try", "{\"channel\":\"hand\",\"ship_to\":{\"country\":\"DE\"},\"lines\":[{\"sku\":\"LAMP\",\"quantity\":1}]}", 200 },
    { METHOD_POST, "/v1/orders/{id}/replan", "/v1/orders/%o/replan", NULL, 200, ABOUT_BY_HAND },

    { METHOD_POST, "/v1/inventory/adjustments", "/v1/inventory/adjustments", FOUND, 201 },
    { METHOD_POST, "/v1/inventory/adjustments", "/v1/inventory/adjustments", PAST_COUNT, 201 },
    { METHOD_POST, "/v1/inventory/adjustments/batch", "/v1/inventory/adjustments/batch", "{\"adjustments\":[" FOUND "," FOUND "]}", 200 },
    { METHOD_POST, "/v1/inventory/adjustments/batch", "/v1/inventory/adjustments/batch", "{\"adjustments\":[" FOUND "," FOUND "],\"dry_run\":true}", 200 },
    { METHOD_POST, "/v1/inventory/quarantine", "/v1/inventory/quarantine", "{" LAMPS ",\"quantity\":9,\"reason\":\"quality\"}", 201 },
    { METHOD_POST, "/v1/inventory/release", "/v1/inventory/release", "{" LAMPS ",\"quantity\":1}", 201 },
    { METHOD_POST, "/v1/inventory/regrade", "/v1/inventory/regrade", "{" LAMPS ",\"quantity\":1,\"to_class\":\"B\"}", 201 },
    { METHOD_POST, "/v1/inspections", "/v1/inspections", "{" LAMPS ",\"lines\":[" INSPECTED "]}", 201 },
    { METHOD_GET, "/v1/inventory", "/v1/inventory?sku=LAMP", NULL, 200 },
    { METHOD_GET, "/v1/inventory/movements", "/v1/inventory/movements?sku=LAMP&limit=20", NULL, 200, .steps_max = 4 },
    { METHOD_GET, "/v1/availability", "/v1/availability?channel=web&sku=LAMP", NULL, 200 },
    { METHOD_PUT, "/v1/channels/{code}/fences/{node}/{sku}", "/v1/channels/web/fences/LEJ/LAMP", "{\"quantity\":%n}", 200 },
    { METHOD_PATCH, "/v1/channels/{code}/fences/{node}/{sku}", "/v1/channels/web/fences/LEJ/LAMP", "{\"quantity\":%n}", 200 },
    { METHOD_GET, "/v1/channels/{code}/fences/{node}/{sku}", "/v1/channels/web/fences/LEJ/LAMP", NULL, 200 },
    { METHOD_GET, "/v1/channels/{code}/fences/{node}/{sku}/history", "/v1/channels/web/fences/LEJ/LAMP/history?limit=20", NULL, 200 },
    { METHOD_GET, "/v1/channels/{code}/fences", "/v1/channels/web/fences", NULL, 200 },
    { METHOD_POST, "/v1/reservations", "/v1/reservations", "{\"channel\":\"web\",\"ttl_s\":86400,\"lines\":[{\"sku\":\"LAMP\",\"quantity\":1}]}", 201 },
    { METHOD_DELETE, "/v1/reservations/{id}", "/v1/reservations/%r", NULL, 204, ABOUT_RESERVATION },
    { METHOD_POST, "/v1/transfers", "/v1/transfers", TRANSFER, 201 },
    { METHOD_GET, "/v1/transfers", "/v1/transfers?state=requested&limit=3", NULL, 200 },
    { METHOD_GET, "/v1/transfers/{id}", "/v1/transfers/%t", NULL, 200 },
    { METHOD_POST, "/v1/transfers/{id}/ship", "/v1/transfers/%t/ship", NULL, 200, ABOUT_TRANSFER },
    { METHOD_POST, "/v1/transfers/{id}/receive", "/v1/transfers/%t/receive", "{\"lines\":[{\"sku\":\"LAMP\",\"quantity\":2}]}", 200, ABOUT_UNDER_WAY },
    { METHOD_POST, "/v1/transfers/{id}/settle", "/v1/transfers/%t/settle", "{\"reason\":\"gone\"}", 200, ABOUT_SHORT_TRANSFER },
    { METHOD_POST, "/v1/transfers/{id}/cancel", "/v1/transfers/%t/cancel", NULL, 200, ABOUT_TRANSFER },
    { METHOD_POST, "/v1/supplies", "/v1/supplies", SUPPLY, 201 },
    { METHOD_GET, "/v1/supplies", "/v1/supplies?state=open&limit=3", NULL, 200 },
    { METHOD_GET, "/v1/supplies", "/v1/supplies?sku=LAMP&node=LEJ&limit=3", NULL, 200 },
    { METHOD_GET, "/v1/supplies/{id}", "/v1/supplies/%s", NULL, 200 },
    { METHOD_POST, "/v1/supplies/{id}/change", "/v1/supplies/%s/change", "{\"lines\":[{\"line\":1,\"quantity\":2}]}", 200, ABOUT_SUPPLY },
    { METHOD_POST, "/v1/supplies/{id}/receive", "/v1/supplies/%s/receive", "{\"lines\":[{\"sku\":\"LAMP\",\"quantity\":2}]}", 200, ABOUT_SUPPLY },
    { METHOD_POST, "/v1/supplies/{id}/close", "/v1/supplies/%s/close", "{\"reason\":\"gone\"}", 200, ABOUT_SUPPLY },
    { METHOD_POST, "/v1/counts", "/v1/counts", "{\"node\":\"LEJ\"}", 201 },
    { METHOD_POST, "/v1/counts", "/v1/counts", COUNT_TRAYS, 201 },
    { METHOD_GET, "/v1/counts", "/v1/counts?state=open&limit=3", NULL, 200 },
    { METHOD_GET, "/v1/counts/due", "/v1/counts/due?node=LEJ&limit=3", NULL, 200 },
    { METHOD_GET, "/v1/counts/accuracy", "/v1/counts/accuracy?node=LEJ", NULL, 200 },
    { METHOD_POST, "/v1/counts/classes", "/v1/counts/classes", "{\"unit\":\"DE\",\"dry_run\":true}", 201 },
    { METHOD_GET, "/v1/counts/classes", "/v1/counts/classes?node=LEJ&class=A&limit=3", NULL, 200 },
    { METHOD_PUT, "/v1/units/{code}/counting", "/v1/units/DE/counting", "{\"share_b_ppm\":%n,\"every_days\":0}", 200 },
    { METHOD_GET, "/v1/units/{code}/counting", "/v1/units/DE/counting", NULL, 200 },
    { METHOD_GET, "/v1/counts/{id}", "/v1/counts/%k", NULL, 200 },
    { METHOD_POST, "/v1/counts/{id}/lines", "/v1/counts/%k/lines", TRAYS_COUNTED("a", "0"), 200, ABOUT_COUNT },
    { METHOD_POST, "/v1/counts/{id}/lines", "/v1/counts/%k/lines", "{\"lines\":[{\"sku\":\"TRAY\",\"counted\":0,\"as_of\":1}]}", 200, ABOUT_COUNT },
    { METHOD_POST, "/v1/counts/{id}/acknowledge", "/v1/counts/%k/acknowledge", "{\"reason\":\"known\"}", 200, ABOUT_DIFFERENCE },
    { METHOD_POST, "/v1/counts/{id}/cancel", "/v1/counts/%k/cancel", "{\"reason\":\"no time\"}", 200, ABOUT_COUNT },
    { METHOD_PUT, "/v1/nodes/{code}/counting", "/v1/nodes/HAM/counting", "{\"tolerance_units\":%n}", 200 },
    { METHOD_GET, "/v1/nodes/{code}/counting", "/v1/nodes/HAM/counting", NULL, 200 },

    { METHOD_POST, "/v1/nodes/{code}/snapshot", "/v1/nodes/FAR/snapshot",
      "{\"taken_at\":\"2026-11-24T08:00:00Z\",\"items\":[{\"sku\":\"BULB\",\"quantity\":%n,\"quarantined\":1}]}", 201 },
    { METHOD_POST, "/v1/returns", "/v1/returns", RETURN, 201, ABOUT_SHIPPED },
    { METHOD_GET, "/v1/returns", "/v1/returns?state=expected&limit=3", NULL, 200 },
    { METHOD_GET, "/v1/returns/{id}", "/v1/returns/%b", NULL, 200, ABOUT_RETURN },
    { METHOD_POST, "/v1/returns/{id}/receive", "/v1/returns/%b/receive", "{\"lines\":[{\"line\":1,\"quantity\":1}]}", 200, ABOUT_RETURN },
    { METHOD_POST, "/v1/returns/{id}/inspect", "/v1/returns/%b/inspect",
      "{\"lines\":[{\"line\":1,\"quantity\":1,\"disposition\":\"restock\"}]}", 200, ABOUT_CAME_BACK },
    { METHOD_POST, "/v1/returns/{id}/cancel", "/v1/returns/%b/cancel", NULL, 200, ABOUT_RETURN },
    { METHOD_POST, "/v1/recalls", "/v1/recalls", RECALL, 201, ABOUT_TOY },
    { METHOD_GET, "/v1/recalls", "/v1/recalls?state=running&limit=3", NULL, 200 },
    { METHOD_GET, "/v1/recalls/{id}", "/v1/recalls/%c", NULL, 200, ABOUT_RECALL },
    { METHOD_POST, "/v1/recalls/{id}/end", "/v1/recalls/%c/end", "{\"release\":false,\"reason\":\"over\"}", 200, ABOUT_RECALL },

    { METHOD_POST, "/v1/commands/{id}/undo", "/v1/commands/DE:%e/undo", "{\"reason\":\"no\"}", 201, ABOUT_KEYED },
    { METHOD_POST, "/v1/commands/undo", "/v1/commands/undo", "{\"idempotency_key\":\"found-%n\"}", 200, ABOUT_KEYED },
    { METHOD_POST, "/v1/orders", "/v1/orders", ORDER("web", "on_account"), 201 },
    { METHOD_POST, "/v1/orders/batch", "/v1/orders/batch", "{\"orders\":[" ORDER("web", "prepaid") "," ORDER("market", "on_account") "]}", 200 },
    { METHOD_POST, "/v1/orders/{id}/cancel", "/v1/orders/%o/cancel", "{\"reason\":\"no\",\"dry_run\":true}", 200, ABOUT_ORDER },
    { METHOD_GET, "/v1/orders", "/v1/orders?channel=web&limit=3", NULL, 200 },
    { METHOD_GET, "/v1/orders", "/v1/orders?q=O-1", NULL, 200, .steps_max = 4 },
    { METHOD_GET, "/v1/availability/dates", "/v1/availability/dates?channel=web&sku=LAMP", NULL, 200 },
    { METHOD_GET, "/v1/orders/{id}", "/v1/orders/%o", NULL, 200 },
    { METHOD_GET, "/v1/orders/{id}/decisions", "/v1/orders/%o/decisions", NULL, 200 },
    { METHOD_POST, "/v1/orders/{id}/cancel", "/v1/orders/%o/cancel", "{\"reason\":\"no\"}", 200, ABOUT_ORDER },
    { METHOD_POST, "/v1/orders/{id}/edit", "/v1/orders/%o/edit",
      "{\"set\":[{\"line\":1,\"quantity\":2}],\"add\":[{\"sku\":\"LAMP\",\"quantity\":1,\"unit_price\":{\"amount\":\"9.00\",\"currency\":\"EUR\"}}],"
      "\"ship_to\":{\"name\":\"Ann\",\"country\":\"AT\"}}", 200, ABOUT_ORDER },
    { METHOD_POST, "/v1/orders/{id}/substitute", "/v1/orders/%o/substitute", "{\"line\":1,\"sku\":\"SPARE\"}", 200, ABOUT_ORDER },
    { METHOD_POST, "/v1/orders/{id}/holds", "/v1/orders/%o/holds", "{\"kind\":\"fraud\",\"reason\":\"odd\"}", 200, ABOUT_ORDER },
    { METHOD_POST, "/v1/orders/{id}/holds/{kind}/clear", "/v1/orders/%o/holds/fraud/clear", "{\"reason\":\"known\"}", 200, ABOUT_HELD },
    { METHOD_POST, "/v1/orders/{id}/payments", "/v1/orders/%o/payments",
      "{\"kind\":\"captured\",\"amount\":{\"amount\":\"10.00\",\"currency\":\"EUR\"},\"reference\":\"P-%n\"}", 200, ABOUT_ORDER },
    { METHOD_POST, "/v1/orders/{id}/release", "/v1/orders/%o/release", NULL, 200, ABOUT_BY_HAND },
    { METHOD_POST, "/v1/orders/{id}/cancel", "/v1/orders/%o/cancel", "{\"reason\":\"no\"}", 200, ABOUT_SENT },
    { METHOD_POST, "/v1/orders/{id}/refusals/{node}/clear", "/v1/orders/%o/refusals/FBA/clear", "{\"reason\":\"now\"}", 200, ABOUT_DECLINED },
    { METHOD_GET, "/v1/fulfilments", "/v1/fulfilments?node=LEJ&state=released&limit=3", NULL, 200 },
    { METHOD_GET, "/v1/fulfilments", "/v1/fulfilments?node=FBA&state=cancel_requested&limit=3", NULL, 200 },
    { METHOD_POST, "/v1/fulfilments/{id}/send", "/v1/fulfilments/%f/send", NULL, 200, ABOUT_THEIRS },
    { METHOD_POST, "/v1/fulfilments/{id}/accept", "/v1/fulfilments/%f/accept", NULL, 200, ABOUT_SENT },
    { METHOD_POST, "/v1/fulfilments/{id}/decline", "/v1/fulfilments/%f/decline", "{\"reason\":\"no\"}", 200, ABOUT_SENT },
    { METHOD_POST, "/v1/fulfilments/{id}/fail", "/v1/fulfilments/%f/fail", "{\"reason\":\"no\",\"lost\":[{\"line\":1,\"quantity\":1}]}", 200, ABOUT_SENT },
    { METHOD_POST, "/v1/fulfilments/{id}/cancel", "/v1/fulfilments/%f/cancel", NULL, 200, ABOUT_ASKED },
    { METHOD_POST, "/v1/fulfilments/{id}/reject_cancel", "/v1/fulfilments/%f/reject_cancel", "{\"reason\":\"no\"}", 200, ABOUT_ASKED },
    { METHOD_GET, "/v1/fulfilments/{id}", "/v1/fulfilments/%f", NULL, 200 },
    { METHOD_POST, "/v1/fulfilments/{id}/pick", "/v1/fulfilments/%f/pick", "{}", 200, ABOUT_WORK },
    { METHOD_POST, "/v1/fulfilments/{id}/pick", "/v1/fulfilments/%f/pick", "{\"lines\":[{\"line\":1,\"quantity\":0}]}", 200, ABOUT_WORK },
    { METHOD_POST, "/v1/fulfilments/{id}/pack", "/v1/fulfilments/%f/pack", "{\"packages\":[{\"weight_g\":900}]}", 200, ABOUT_PICKED },
    { METHOD_POST, "/v1/fulfilments/{id}/ship", "/v1/fulfilments/%f/ship", "{\"carrier\":\"C\",\"tracking\":\"T-%n\"}", 200, ABOUT_PACKED },
    { METHOD_POST, "/v1/fulfilments/{id}/deliver", "/v1/fulfilments/%f/deliver", NULL, 200, ABOUT_SHIPPED },
    { METHOD_POST, "/v1/fulfilments/{id}/lost", "/v1/fulfilments/%f/lost", "{\"reason\":\"no\"}", 200, ABOUT_SHIPPED },
    { METHOD_POST, "/v1/fulfilments/{id}/damaged", "/v1/fulfilments/%f/damaged", "{\"reason\":\"no\",\"then\":\"ship_again\"}", 200, ABOUT_SHIPPED },
    { METHOD_POST, "/v1/fulfilments/{id}/settle", "/v1/fulfilments/%f/settle", "{\"then\":\"refund\"}", 200, ABOUT_LOST },

    { METHOD_PUT, "/v1/webhooks/{code}", "/v1/webhooks/erp", "{\"url\":\"https://erp.example/%n\",\"active\":false}", 200 },
    { METHOD_PATCH, "/v1/webhooks/{code}", "/v1/webhooks/erp", "{\"description\":\"%n\"}", 200 },
    { METHOD_GET, "/v1/webhooks/{code}", "/v1/webhooks/erp", NULL, 200 },
    { METHOD_GET, "/v1/webhooks/{code}/history", "/v1/webhooks/erp/history?limit=20", NULL, 200 },
    { METHOD_GET, "/v1/webhooks", "/v1/webhooks", NULL, 200 },
    { METHOD_GET, "/v1/webhooks/{code}/deliveries", "/v1/webhooks/erp/deliveries?limit=20&unit=DE", NULL, 200 },
    { METHOD_GET, "/v1/webhooks/{code}/subscriptions", "/v1/webhooks/erp/subscriptions", NULL, 200 },
    { METHOD_POST, "/v1/webhooks/{code}/rotate", "/v1/webhooks/turn-%n/rotate", "{\"keep_s\":60}", 200, ABOUT_WEBHOOK },
    { METHOD_POST, "/v1/webhooks/{code}/test", "/v1/webhooks/turn-%n/test", "{}", 200, ABOUT_WEBHOOK },
    { METHOD_POST, "/v1/webhooks/{code}/replay", "/v1/webhooks/turn-%n/replay", "{\"unit\":\"DE\",\"event\":1}", 200, ABOUT_WEBHOOK },

    { METHOD_GET, "/v1/events", "/v1/events?unit=DE&limit=20", NULL, 200 },
    { METHOD_GET, "/v1/exceptions", "/v1/exceptions?limit=20", NULL, 200 },
    { METHOD_GET, "/v1/exceptions/{id}", "/v1/exceptions/%x", NULL, 200 },
    { METHOD_GET, "/v1/jobs", "/v1/jobs", NULL, 200 },
    { METHOD_GET, "/v1/ledger/trial", "/v1/ledger/trial?unit=DE&limit=20", NULL, 200, .steps_max = 4 },
    { METHOD_GET, "/v1/ledger/postings", "/v1/ledger/postings?unit=DE&account=stock&limit=20", NULL, 200, .steps_max = 4 },
    { METHOD_GET, "/v1/ledger/stock", "/v1/ledger/stock?unit=DE&limit=20", NULL, 200, .steps_max = 4 },
    /* The last: with a second unit each master is written twice. */
    { METHOD_PUT, "/v1/units/{code}", "/v1/units/U%n", "{\"name\":\"Another\"," UNIT, 201, .unit = "U%n", .steps_max = 8 },
};
/* clang-format on */
const size_t good_request_count = sizeof good_requests / sizeof good_requests[0];

void shop_write(const struct shop *shop, const char *text, char *out, size_t room)
{
    char number[24], event[24];
    const struct {
        char sign;
        const char *text;
    } written[] = { { 'n', number },         { 'e', event },        { 'o', shop->order },  { 'f', shop->work },  { 'r', shop->reservation },
                    { 't', shop->transfer }, { 's', shop->supply }, { 'c', shop->recall }, { 'k', shop->count }, { 'b', shop->back },
                    { 'x', shop->exception } };
    size_t bytes = 0;
    snprintf(number, sizeof number, "%ld", shop->number);
    snprintf(event, sizeof event, "%ld", (long)shop->event);
    for (const char *at = text; *at != '\0' && bytes + 48 < room; at++) {
        if (*at != '%') {
            out[bytes++] = *at;
            continue;
        }
        at++;
        for (size_t i = 0; i < sizeof written / sizeof written[0]; i++)
            if (written[i].sign == *at)
                bytes += (size_t)snprintf(out + bytes, room - bytes, "%s", written[i].text);
    }
    out[bytes] = '\0';
}

static void must(struct shop *shop, const char *method, const char *target, const char *body)
{
    char to[200], what[TEXT_MAX];
    shop_write(shop, target, to, sizeof to);
    shop_write(shop, body, what, sizeof what);
    client_must(&shop->client, method, to, what);
}

static void order(struct shop *shop, const char *body)
{
    must(shop, "POST", "/v1/orders", body);
    text_after(shop->client.body, "id", shop->order, sizeof shop->order);
    const char *works = strstr(shop->client.body, "\"fulfilments\":");
    text_after(works == NULL ? "" : works, "id", shop->work, sizeof shop->work);
}

static void theirs(struct shop *shop, enum about about)
{
    order(shop, ORDER("fba", "on_account"));
    if (about == ABOUT_SENT || about == ABOUT_ASKED)
        must(shop, "POST", "/v1/fulfilments/%f/send", "");
    if (about == ABOUT_ASKED)
        must(shop, "POST", "/v1/orders/%o/cancel", "{\"reason\":\"no\"}");
    if (about == ABOUT_DECLINED)
        must(shop, "POST", "/v1/fulfilments/%f/decline", "{\"reason\":\"no\"}");
}

static void work(struct shop *shop, enum about about)
{
    order(shop, ORDER("web", "on_account"));
    if (about >= ABOUT_PICKED)
        must(shop, "POST", "/v1/fulfilments/%f/pick", "{}");
    if (about >= ABOUT_PACKED)
        must(shop, "POST", "/v1/fulfilments/%f/pack", "{\"packages\":[{\"weight_g\":900}]}");
    if (about >= ABOUT_SHIPPED)
        must(shop, "POST", "/v1/fulfilments/%f/ship", "{\"carrier\":\"C\",\"tracking\":\"T\"}");
    if (about == ABOUT_LOST)
        must(shop, "POST", "/v1/fulfilments/%f/lost", "{\"reason\":\"no\"}");
}

static void about_the_first(struct shop *shop)
{
    memcpy(shop->order, shop->first_order, sizeof shop->order);
    memcpy(shop->work, shop->first_work, sizeof shop->work);
    memcpy(shop->exception, shop->first_exception, sizeof shop->exception);
}

static void transfer(struct shop *shop, enum about about)
{
    must(shop, "POST", "/v1/transfers", TRANSFER);
    text_after(shop->client.body, "id", shop->transfer, sizeof shop->transfer);
    if (about != ABOUT_TRANSFER)
        must(shop, "POST", "/v1/transfers/%t/ship", "");
    if (about == ABOUT_SHORT_TRANSFER)
        must(shop, "POST", "/v1/transfers/%t/receive", "{\"lines\":[]}");
}

static void supply(struct shop *shop)
{
    must(shop, "POST", "/v1/supplies", SUPPLY);
    text_after(shop->client.body, "id", shop->supply, sizeof shop->supply);
}

static void back(struct shop *shop, enum about about)
{
    work(shop, ABOUT_SHIPPED);
    must(shop, "POST", "/v1/returns", RETURN);
    text_after(shop->client.body, "id", shop->back, sizeof shop->back);
    if (about == ABOUT_CAME_BACK)
        must(shop, "POST", "/v1/returns/%b/receive", "{\"lines\":[{\"line\":1,\"quantity\":1}]}");
}

/* None is there: its recall needs no job, whose events would be taken for those of the request. */
static void toy(struct shop *shop, enum about about)
{
    must(shop, "PUT", "/v1/skus/TOY-%n", "{\"name\":\"Toy\"}");
    if (about != ABOUT_RECALL)
        return;
    must(shop, "POST", "/v1/recalls", RECALL);
    text_after(shop->client.body, "id", shop->recall, sizeof shop->recall);
}

static void count(struct shop *shop, enum about about)
{
    must(shop, "POST", "/v1/counts", COUNT_TRAYS);
    text_after(shop->client.body, "id", shop->count, sizeof shop->count);
    if (about == ABOUT_COUNT)
        return;
    must(shop, "POST", "/v1/counts/%k/lines", TRAYS_COUNTED("a", "%n"));
    must(shop, "POST", "/v1/counts/%k/lines", TRAYS_COUNTED("b", "%n"));
}

/* The numbers of events grow by one, so the newest is found by halving. */
static void keyed(struct shop *shop)
{
    int64_t low = 1, high = INT64_C(1) << 24;
    char key[40], target[100];
    snprintf(key, sizeof key, "found-%ld", shop->number);
    assert_int_equal(client_call(&shop->client, "POST", "/v1/inventory/adjustments", key, FOUND), 201);
    while (low < high) {
        const int64_t middle = (low + high) / 2;
        snprintf(target, sizeof target, "/v1/events?unit=DE&limit=1&after=%ld", (long)middle);
        client_must(&shop->client, "GET", target, NULL);
        if (strstr(shop->client.body, "\"seq\"") == NULL)
            high = middle;
        else
            low = middle + 1;
    }
    shop->event = low; /* stock.adjusted is the last that the command tells */
}

void shop_prepare(struct shop *shop, const struct good_request *request)
{
    shop->number++;
    switch (request->about) {
    case ABOUT_NOTHING:
        about_the_first(shop);
        break;
    case ABOUT_ORDER:
        order(shop, ORDER("web", "prepaid"));
        break;
    case ABOUT_HELD:
        order(shop, ORDER("web", "prepaid"));
        must(shop, "POST", "/v1/orders/%o/holds", "{\"kind\":\"fraud\",\"reason\":\"odd\"}");
        break;
    case ABOUT_BY_HAND:
        order(shop, ORDER("hand", "on_account"));
        break;
    case ABOUT_WORK:
    case ABOUT_PICKED:
    case ABOUT_PACKED:
    case ABOUT_SHIPPED:
    case ABOUT_LOST:
        work(shop, request->about);
        break;
    case ABOUT_THEIRS:
    case ABOUT_SENT:
    case ABOUT_ASKED:
    case ABOUT_DECLINED:
        theirs(shop, request->about);
        break;
    case ABOUT_TRANSFER:
    case ABOUT_UNDER_WAY:
    case ABOUT_SHORT_TRANSFER:
        transfer(shop, request->about);
        break;
    case ABOUT_SUPPLY:
        supply(shop);
        break;
    case ABOUT_WEBHOOK: /* to which nobody listens */
        must(shop, "PUT", "/v1/webhooks/turn-%n", "{\"url\":\"https://turn.example/\",\"events\":[\"order.mapped\"]}");
        break;
    case ABOUT_RETURN:
    case ABOUT_CAME_BACK:
        back(shop, request->about);
        break;
    case ABOUT_TOY:
    case ABOUT_RECALL:
        toy(shop, request->about);
        break;
    case ABOUT_COUNT:
    case ABOUT_DIFFERENCE:
        count(shop, request->about);
        break;
    case ABOUT_KEYED:
        keyed(shop);
        break;
    case ABOUT_RESERVATION:
        must(shop, "POST", "/v1/reservations", "{\"channel\":\"web\",\"ttl_s\":86400,\"lines\":[{\"sku\":\"LAMP\",\"quantity\":1}]}");
        text_after(shop->client.body, "id", shop->reservation, sizeof shop->reservation);
        break;
    }
}

void shop_furnish(struct shop *shop)
{
    static const char *const masters[][2] = {
        { "/v1/units/DE", "{\"name\":\"Shop\"," UNIT },
        { "/v1/nodes/LEJ",
          "{\"unit\":\"DE\",\"name\":\"Leipzig\",\"kind\":\"warehouse\",\"country\":\"DE\",\"postal_code\":\"04435\",\"priority\":1}" },
        { "/v1/nodes/HAM", "{\"name\":\"Hamburg\"," HAM },
        { "/v1/nodes/FAR",
          "{\"unit\":\"DE\",\"name\":\"Far\",\"kind\":\"third_party\",\"authority\":\"mirrored\",\"country\":\"DE\",\"postal_code\":\"1\"}" },
        { "/v1/skus/LAMP", "{\"name\":\"Lamp\"}" },
        { "/v1/skus/BULB", "{\"name\":\"Bulb\"}" },
        { "/v1/skus/SHADE", "{\"name\":\"Shade\"}" },
        { "/v1/skus/TRAY", "{\"name\":\"Tray\"}" },
        { "/v1/skus/SPARE", "{\"name\":\"Spare\"}" },
        { "/v1/skus/RARE", "{\"name\":\"Rare\"}" },
        { "/v1/bundles/KIT", "{\"name\":\"Kit\"," KIT },
        { "/v1/classes/B", "{\"name\":\"B\"}" },
        { "/v1/channels/web", "{\"name\":\"Web\"," WEB },
        { "/v1/channels/hand",
          "{\"unit\":\"DE\",\"name\":\"B\",\"kind\":\"b2b\",\"priority\":2,\"nodes\":[\"LEJ\"],\"shortage\":\"backorder\",\"release\":\"manual\"}" },
        { "/v1/channels/market",
          "{\"unit\":\"DE\",\"name\":\"M\",\"kind\":\"marketplace\",\"priority\":3,\"nodes\":[\"LEJ\"],\"shortage\":\"backorder\"}" },
        { "/v1/channels/web/listings/L", "{\"sku\":\"LAMP\"}" },
        { "/v1/nodes/FBA", "{\"unit\":\"DE\",\"name\":\"F\",\"kind\":\"third_party\",\"country\":\"DE\",\"postal_code\":\"1\"}" },
        { "/v1/channels/fba", "{\"unit\":\"DE\",\"name\":\"F\",\"kind\":\"store\",\"priority\":3,\"nodes\":[\"FBA\"],\"shortage\":\"backorder\"}" },
        { "/v1/webhooks/erp", "{\"url\":\"https://erp.example/\",\"active\":false}" },
        { "/v1/routing/rates/L", "{\"name\":\"L\"," RATES },
        { "/v1/routing/nodes/LEJ", "{\"time_zone\":\"Europe/Berlin\"}" },
        { "/v1/routing/policies/hand", POLICY },
    };
    static const char rare[] =
        "{\"channel\":\"market\",\"channel_order_id\":\"RARE\",\"placed_at\":\"2026-11-24T08:00:00Z\",\"currency\":\"EUR\",\"customer\":"
        "{\"name\":\"Ann\"},\"ship_to\":{\"name\":\"Ann\",\"country\":\"DE\"},\"lines\":[{\"sku\":\"RARE\",\"quantity\":2,\"unit_price\":"
        "{\"amount\":\"10.00\",\"currency\":\"EUR\"}}],\"payment\":{\"term\":\"on_account\",\"status\":\"pending\"}}";
    for (size_t i = 0; i < sizeof masters / sizeof masters[0]; i++)
        must(shop, "PUT", masters[i][0], masters[i][1]);
    must(shop, "POST", "/v1/inventory/adjustments", "{\"node\":\"LEJ\",\"sku\":\"LAMP\",\"delta\":1000000000,\"reason\":\"receipt\"}");
    must(shop, "POST", "/v1/inventory/adjustments", "{\"node\":\"LEJ\",\"sku\":\"SPARE\",\"delta\":1000000,\"reason\":\"receipt\"}");
    must(shop, "POST", "/v1/inventory/quarantine", "{" LAMPS ",\"quantity\":100000,\"reason\":\"quality\"}");
    must(shop, "POST", "/v1/inventory/adjustments", "{\"node\":\"FBA\",\"sku\":\"LAMP\",\"delta\":1000000000,\"reason\":\"receipt\"}");
    must(shop, "PUT", "/v1/channels/web/fences/LEJ/LAMP", "{\"quantity\":1}");
    must(shop, "POST", "/v1/orders", rare); /* which is not there: an exception */
    client_must(&shop->client, "GET", "/v1/exceptions", NULL);
    text_after(shop->client.body, "id", shop->first_exception, sizeof shop->first_exception);
    shop->number = 1;
    transfer(shop, ABOUT_TRANSFER);
    supply(shop);
    count(shop, ABOUT_COUNT);
    must(shop, "PUT", "/v1/nodes/HAM/counting", "{}");
    must(shop, "PUT", "/v1/units/DE/counting", "{\"every_days\":0}");
    work(shop, ABOUT_WORK);
    memcpy(shop->first_order, shop->order, sizeof shop->first_order);
    memcpy(shop->first_work, shop->work, sizeof shop->first_work);
}
