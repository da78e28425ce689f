/* bench/commands.c: every command of GET /v1/commands beside the capture, in one run. A row says what is sent, what it is about and what
 * comes of it; what a row is about is made by the row that makes it, unmeasured where no earlier row left enough. All have three SKUs
 * where they may have more than one, as the orders of the capture, which is measured again before each few rows.
 * CPU is the server's own, of all its threads and of the writer: it tells more than the rate where others use the machine. */
#include "bench.h"
#include "base/text.h"
#include "base/when.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define GROUP 8           /* rows between two captures */
#define LEAST 0.25        /* of the capture's rate */
#define REFUSED_PPM 10000 /* more of them refused: the row is none */
#define BATCH 100         /* entries of a batch */
#define ID_SIZE 40

enum thing {
    NOTHING,
    RESERVED, /* an order that is not paid */
    HELD,
    BY_HAND, /* an order of a channel that releases by hand */
    WORK,    /* a fulfilment order, released */
    PICKED,
    PACKED,
    SHIPPED,
    LOST,   /* on its way, and nobody has decided */
    THEIRS, /* a fulfilment order at a node that others run, released */
    SENT,
    ASKED, /* to give it back */
    DECLINED,
    FENCE, /* of its first SKU */
    RESERVATION,
    TRANSFER,
    UNDER_WAY,
    SHORT_TRANSFER,
    SUPPLY,
    TOY, /* a SKU of its own, of which there is none */
    RECALL,
    COUNT,
    DIFFERENCE, /* a count that booked one */
    RETURN,
    CAME_BACK,
    KEYED, /* an adjustment under the key found-%n */
    FILED, /* a batch of them */
    TOLD,  /* an adjustment, by the number of its event */
    HOOK,  /* a webhook, turned off */
    THINGS
};

enum finds { NO_ID, AN_ID, AN_ORDER, ITS_EVENT };

/* In target, body and headers %n is a number of its own, %h one below 64, %o an order, %f a fulfilment order, %i what else it is about,
 * %e an event, %1 %2 %3 three SKUs, %s another one, %l the lines of an order. */
struct act {
    const char *name, *method, *target, *body;
    enum thing takes, makes;
    enum finds finds;   /* in the answer */
    const char *each;   /* a batch: its entries, whose list stands where %b does */
    const char *reason; /* why it may be slower than LEAST */
    const char *headers;
    size_t most;    /* requests; 0: as many as asked for */
    size_t entries; /* that one does, as many as the batch did that it is about; 0: one, or those of each */
};

#define LINES3(MORE) "[{\"sku\":\"%1\"," MORE "},{\"sku\":\"%2\"," MORE "},{\"sku\":\"%3\"," MORE "}]"
#define PRICE "\"quantity\":1,\"unit_price\":{\"amount\":\"19.99\",\"currency\":\"EUR\"},\"tax\":{\"amount\":\"3.19\",\"currency\":\"EUR\"}"
#define PERSON                                                                                                                                   \
    "{\"name\":\"Friederike Musterfrau\",\"street\":\"Karl-Liebknecht-Strasse 143, Hinterhaus\",\"postal_code\":\"04277\",\"city\":\"Leipzig\"," \
    "\"country\":\"DE\",\"email\":\"friederike.musterfrau@example.com\",\"phone\":\"+49 341 5550100\"}"
#define ORDER(CHANNEL, TERM) ORDER_WITH(CHANNEL, TERM, "")
#define ORDER_WITH(CHANNEL, TERM, MORE)                                                                                                         \
    "{" MORE "\"channel\":\"" CHANNEL "\",\"channel_order_id\":\"C-%n\",\"placed_at\":\"2026-11-24T08:00:00Z\",\"currency\":\"EUR\","           \
    "\"prices_include_tax\":true,\"customer\":{\"name\":\"Friederike Musterfrau\",\"email\":\"friederike.musterfrau@example.com\","             \
    "\"phone\":\"+49 341 5550100\"},\"ship_to\":" PERSON ",\"shipping\":{\"service\":\"standard\",\"price\":{\"amount\":\"4.90\",\"currency\":" \
    "\"EUR\"}},\"lines\":" LINES3(PRICE) ",\"payment\":{\"term\":\"" TERM "\",\"status\":\"pending\"}}"
#define UNIT "\"currency\":\"EUR\",\"country\":\"DE\",\"time_zone\":\"Europe/Berlin\"}"
#define NODE "\"unit\":\"DE\",\"kind\":\"warehouse\",\"country\":\"DE\",\"postal_code\":\"21129\",\"priority\":9}"
#define SHOP "\"unit\":\"DE\",\"kind\":\"store\",\"priority\":9,\"nodes\":[\"N4\"],\"shortage\":\"backorder\"}"
#define KIT "\"components\":[{\"sku\":\"%1\",\"quantity\":2},{\"sku\":\"%2\",\"quantity\":1}]}"
#define RATES "\"unit\":\"DE\",\"zones\":[{\"country\":\"DE\",\"steps\":[{\"up_to_g\":5000,\"price\":{\"amount\":\"4.90\",\"currency\":\"EUR\"}}]}]}"
#define PAID(AMOUNT) "{\"kind\":\"captured\",\"amount\":{\"amount\":\"" AMOUNT "\",\"currency\":\"EUR\"},\"reference\":\"P-%n\"}"
#define FOUND(NODE) "{\"node\":\"" NODE "\",\"sku\":\"%s\",\"delta\":1,\"reason\":\"found\"}"

/* clang-format off */
static const struct act acts[] = {
    { "order.create, released", "POST", "/v1/orders", ORDER("web", "on_account"), NOTHING, WORK, AN_ORDER },
    { "order.create, dry_run", "POST", "/v1/orders", ORDER_WITH("web", "prepaid", "\"dry_run\":true,"), NOTHING, NOTHING, NO_ID },
    { "order.create, of a batch", "POST", "/v1/orders/batch", "{\"orders\":[%b]}", NOTHING, NOTHING, NO_ID, ORDER("web", "prepaid") },
    { "fulfilment.pick", "POST", "/v1/fulfilments/%f/pick", "{}", WORK, PICKED },
    { "fulfilment.pack", "POST", "/v1/fulfilments/%f/pack", "{\"packages\":[{\"weight_g\":900}]}", PICKED, PACKED },
    { "fulfilment.ship", "POST", "/v1/fulfilments/%f/ship", "{\"carrier\":\"C\",\"tracking\":\"T-%n\"}", PACKED, SHIPPED },
    { "fulfilment.deliver", "POST", "/v1/fulfilments/%f/deliver", "", SHIPPED, NOTHING },
    { "fulfilment.lost", "POST", "/v1/fulfilments/%f/lost", "{\"reason\":\"no\"}", SHIPPED, LOST },
    { "fulfilment.settle", "POST", "/v1/fulfilments/%f/settle", "{\"then\":\"refund\"}", LOST, NOTHING },
    { "fulfilment.damaged", "POST", "/v1/fulfilments/%f/damaged", "{\"reason\":\"no\",\"then\":\"ship_again\"}", SHIPPED, NOTHING },
    { "return.announce", "POST", "/v1/returns", "{\"order\":\"%o\",\"node\":\"N1\",\"lines\":[{\"line\":1,\"quantity\":1},{\"line\":2,\"quantity\":1},{\"line\":3,\"quantity\":1}]}", SHIPPED, RETURN, AN_ID },
    { "return.receive", "POST", "/v1/returns/%i/receive", "{\"lines\":[{\"line\":1,\"quantity\":1},{\"line\":2,\"quantity\":1},{\"line\":3,\"quantity\":1}]}", RETURN, CAME_BACK },
    { "return.inspect", "POST", "/v1/returns/%i/inspect", "{\"lines\":[{\"line\":1,\"quantity\":1,\"disposition\":\"restock\"},{\"line\":2,\"quantity\":1,\"disposition\":\"restock\"},{\"line\":3,\"quantity\":1,\"disposition\":\"scrap\"}]}", CAME_BACK, NOTHING },
    { "return.cancel", "POST", "/v1/returns/%i/cancel", "", RETURN, NOTHING },
    { "fulfilment.pick, short", "POST", "/v1/fulfilments/%f/pick", "{\"lines\":[{\"line\":1,\"quantity\":0}]}", WORK, NOTHING },
    { "order.cancel, released", "POST", "/v1/orders/%o/cancel", "{\"reason\":\"no\"}", WORK, NOTHING },

    { "order.create, reserved", "POST", "/v1/orders", ORDER("web", "prepaid"), NOTHING, RESERVED, AN_ORDER },
    { "order.hold", "POST", "/v1/orders/%o/holds", "{\"kind\":\"fraud\",\"reason\":\"odd\"}", RESERVED, HELD },
    { "order.hold.clear", "POST", "/v1/orders/%o/holds/fraud/clear", "{\"reason\":\"known\"}", HELD, RESERVED },
    { "order.edit", "POST", "/v1/orders/%o/edit", "{\"set\":[{\"line\":1,\"quantity\":2}],\"add\":[{\"sku\":\"%s\",\"quantity\":1,\"unit_price\":{\"amount\":\"9.00\",\"currency\":\"EUR\"}}],\"ship_to\":" PERSON "}", RESERVED, NOTHING },
    { "order.substitute", "POST", "/v1/orders/%o/substitute", "{\"line\":1,\"sku\":\"SPARE\"}", RESERVED, NOTHING },
    { "order.pay, a part", "POST", "/v1/orders/%o/payments", PAID("10.00"), RESERVED, NOTHING },
    { "order.pay, released", "POST", "/v1/orders/%o/payments", PAID("64.87"), RESERVED, NOTHING },
    { "order.cancel", "POST", "/v1/orders/%o/cancel", "{\"reason\":\"no\"}", RESERVED, NOTHING },
    { "order.create, by hand", "POST", "/v1/orders", ORDER("hand", "on_account"), NOTHING, BY_HAND, AN_ORDER },
    { "order.replan", "POST", "/v1/orders/%o/replan", "", BY_HAND, BY_HAND },
    { "order.release", "POST", "/v1/orders/%o/release", "", BY_HAND, NOTHING },
    { "routing.try", "POST", "/v1/routing/try", "{\"channel\":\"hand\",\"ship_to\":{\"country\":\"DE\"},\"lines\":" LINES3("\"quantity\":1") "}", NOTHING, NOTHING },

    { "order.create, at others", "POST", "/v1/orders", ORDER("fba", "on_account"), NOTHING, THEIRS, AN_ORDER },
    { "fulfilment.send", "POST", "/v1/fulfilments/%f/send", "", THEIRS, SENT },
    { "order.cancel, asked for", "POST", "/v1/orders/%o/cancel", "{\"reason\":\"no\"}", SENT, ASKED },
    { "fulfilment.cancel", "POST", "/v1/fulfilments/%f/cancel", "", ASKED, NOTHING },
    { "fulfilment.reject_cancel", "POST", "/v1/fulfilments/%f/reject_cancel", "{\"reason\":\"no\"}", ASKED, NOTHING },
    { "fulfilment.accept", "POST", "/v1/fulfilments/%f/accept", "", SENT, NOTHING },
    { "fulfilment.fail", "POST", "/v1/fulfilments/%f/fail", "{\"reason\":\"no\",\"lost\":[{\"line\":1,\"quantity\":1}]}", SENT, NOTHING },
    { "fulfilment.decline", "POST", "/v1/fulfilments/%f/decline", "{\"reason\":\"no\"}", SENT, DECLINED },
    { "order.refusal.clear", "POST", "/v1/orders/%o/refusals/FBA/clear", "{\"reason\":\"now\"}", DECLINED, NOTHING, .reason = "each line is filled from its queue as if it came alone, and its exceptions close" },

    { "stock.adjust, a receipt", "POST", "/v1/inventory/adjustments", "{\"node\":\"N1\",\"sku\":\"%s\",\"delta\":5,\"reason\":\"receipt\",\"unit_cost\":{\"amount\":\"3.00\",\"currency\":\"EUR\"}}", NOTHING, NOTHING },
    { "stock.adjust, a loss", "POST", "/v1/inventory/adjustments", "{\"node\":\"N1\",\"sku\":\"%s\",\"delta\":-1,\"reason\":\"loss\"}", NOTHING, NOTHING },
    { "stock.adjust, of a batch", "POST", "/v1/inventory/adjustments/batch", "{\"adjustments\":[%b]}", NOTHING, NOTHING, NO_ID, FOUND("N1") },
    { "stock.adjust, with a key", "POST", "/v1/inventory/adjustments", FOUND("N2"), NOTHING, KEYED, NO_ID, .headers = "Idempotency-Key: found-%n\r\n" },
    { "command.undo, by its key", "POST", "/v1/commands/undo", "{\"idempotency_key\":\"found-%n\"}", KEYED, NOTHING, .reason = "it is looked for every entry of a batch that the key may have stood for" },
    { "stock.adjust, batch with a key", "POST", "/v1/inventory/adjustments/batch", "{\"adjustments\":[%b]}", NOTHING, FILED, NO_ID, FOUND("N2"), .headers = "Idempotency-Key: file-%n\r\n" },
    { "command.undo, of a batch", "POST", "/v1/commands/undo", "{\"idempotency_key\":\"file-%n\"}", FILED, NOTHING, .entries = BATCH },
    { "stock.adjust, found", "POST", "/v1/inventory/adjustments", FOUND("N2"), NOTHING, TOLD, ITS_EVENT },
    { "command.undo, by its event", "POST", "/v1/commands/DE:%e/undo", "{\"reason\":\"no\"}", TOLD, NOTHING },
    { "stock.quarantine", "POST", "/v1/inventory/quarantine", "{\"node\":\"N3\",\"sku\":\"%s\",\"quantity\":9,\"reason\":\"quality\"}", NOTHING, NOTHING },
    { "stock.release", "POST", "/v1/inventory/release", "{\"node\":\"N3\",\"sku\":\"KEPT\",\"quantity\":1}", NOTHING, NOTHING },
    { "stock.inspect", "POST", "/v1/inspections", "{\"node\":\"N3\",\"sku\":\"KEPT\",\"lines\":[{\"disposition\":\"restock_as\",\"class\":\"B\",\"quantity\":1},{\"disposition\":\"scrap\",\"quantity\":1}]}", NOTHING, NOTHING },
    { "stock.regrade", "POST", "/v1/inventory/regrade", "{\"node\":\"N3\",\"sku\":\"%s\",\"quantity\":1,\"to_class\":\"B\"}", NOTHING, NOTHING },
    { "snapshot.take", "POST", "/v1/nodes/FAR/snapshot", "{\"taken_at\":\"2026-11-24T08:00:00Z\",\"items\":" LINES3("\"quantity\":%n,\"quarantined\":1") "}", NOTHING, NOTHING },
    { "fence.put", "PUT", "/v1/channels/web/fences/N4/%1", "{\"quantity\":%n}", NOTHING, FENCE },
    { "fence.patch", "PATCH", "/v1/channels/web/fences/N4/%1", "{\"quantity\":%n}", FENCE, NOTHING },
    { "reservation.create", "POST", "/v1/reservations", "{\"channel\":\"web\",\"ttl_s\":86400,\"lines\":" LINES3("\"quantity\":1") "}", NOTHING, RESERVATION, AN_ID },
    { "reservation.delete", "DELETE", "/v1/reservations/%i", "", RESERVATION, NOTHING },

    { "transfer.create", "POST", "/v1/transfers", "{\"from\":\"N2\",\"to\":\"N3\",\"lines\":" LINES3("\"quantity\":3") "}", NOTHING, TRANSFER, AN_ID },
    { "transfer.ship", "POST", "/v1/transfers/%i/ship", "", TRANSFER, UNDER_WAY },
    { "transfer.receive", "POST", "/v1/transfers/%i/receive", "{\"lines\":" LINES3("\"quantity\":3") "}", UNDER_WAY, NOTHING },
    { "transfer.receive, short", "POST", "/v1/transfers/%i/receive", "{\"lines\":" LINES3("\"quantity\":2") "}", UNDER_WAY, SHORT_TRANSFER },
    { "transfer.settle", "POST", "/v1/transfers/%i/settle", "{\"reason\":\"gone\"}", SHORT_TRANSFER, NOTHING },
    { "transfer.cancel", "POST", "/v1/transfers/%i/cancel", "", TRANSFER, NOTHING },
    { "supply.announce", "POST", "/v1/supplies", "{\"node\":\"N1\",\"kind\":\"asn\",\"reference\":\"ASN-%n\",\"lines\":" LINES3("\"quantity\":3,\"expected_at\":\"2030-01-01T00:00:00Z\"") "}", NOTHING, SUPPLY, AN_ID },
    { "supply.change", "POST", "/v1/supplies/%i/change", "{\"lines\":[{\"line\":1,\"quantity\":2},{\"line\":2,\"expected_at\":\"2030-02-01T00:00:00Z\"}]}", SUPPLY, SUPPLY },
    { "supply.receive", "POST", "/v1/supplies/%i/receive", "{\"lines\":" LINES3("\"quantity\":2") "}", SUPPLY, NOTHING },
    { "supply.close", "POST", "/v1/supplies/%i/close", "{\"reason\":\"gone\"}", SUPPLY, NOTHING },

    { "sku.put, new", "PUT", "/v1/skus/TOY-%n", "{\"name\":\"Toy\"}", NOTHING, TOY, NO_ID },
    { "count.open", "POST", "/v1/counts", "{\"node\":\"N1\",\"skus\":[\"TOY-%n\"]}", TOY, COUNT, AN_ID },
    { "count.lines", "POST", "/v1/counts/%i/lines", "{\"counter\":\"a\",\"lines\":[{\"sku\":\"TOY-%n\",\"counted\":0}]}", COUNT, NOTHING },
    { "count.lines, as_of", "POST", "/v1/counts/%i/lines", "{\"counter\":\"a\",\"lines\":[{\"sku\":\"TOY-%n\",\"counted\":0,\"as_of\":1}]}", COUNT, NOTHING },
    { "count.lines, a difference", "POST", "/v1/counts/%i/lines", "{\"counter\":\"a\",\"lines\":[{\"sku\":\"TOY-%n\",\"counted\":9000}]}", COUNT, DIFFERENCE },
    { "count.lines, confirmed", "POST", "/v1/counts/%i/lines", "{\"counter\":\"b\",\"lines\":[{\"sku\":\"TOY-%n\",\"counted\":9000}]}", DIFFERENCE, DIFFERENCE },
    { "count.acknowledge", "POST", "/v1/counts/%i/acknowledge", "{\"reason\":\"known\"}", DIFFERENCE, NOTHING },
    { "count.cancel", "POST", "/v1/counts/%i/cancel", "{\"reason\":\"no time\"}", COUNT, NOTHING },
    { "recall.start", "POST", "/v1/recalls", "{\"sku\":\"TOY-%n\",\"nodes\":[\"N1\",\"N2\"],\"reason\":\"paint\"}", TOY, RECALL, AN_ID },
    { "recall.end", "POST", "/v1/recalls/%i/end", "{\"release\":false,\"reason\":\"over\"}", RECALL, NOTHING },

    { "sku.put, of a batch", "POST", "/v1/skus", "{\"skus\":[%b]}", NOTHING, NOTHING, NO_ID, "{\"code\":\"NEW-%n\",\"name\":\"New\"}" },
    { "sku.patch", "PATCH", "/v1/skus/%s", "{\"weight_g\":%n}", NOTHING, NOTHING },
    { "bundle.put, new", "PUT", "/v1/bundles/KIT-%n", "{\"name\":\"Kit\"," KIT, NOTHING, NOTHING },
    { "bundle.patch", "PATCH", "/v1/bundles/SET-%h", "{\"name\":\"Kit %n\"}", NOTHING, NOTHING },
    { "bundle.put, of a batch", "POST", "/v1/bundles", "{\"bundles\":[%b]}", NOTHING, NOTHING, NO_ID, "{\"code\":\"KIT-%n\",\"name\":\"Kit\"," KIT },
    { "listing.put, new", "PUT", "/v1/channels/web/listings/L-%n", "{\"sku\":\"%s\",\"cap\":5}", NOTHING, NOTHING },
    { "listing.patch", "PATCH", "/v1/channels/other/listings/L-%h", "{\"cap\":%n}", NOTHING, NOTHING },
    { "listing.put, of a batch", "POST", "/v1/channels/web/listings", "{\"listings\":[%b]}", NOTHING, NOTHING, NO_ID, "{\"channel_sku\":\"L-%n\",\"sku\":\"%s\",\"cap\":5}" },
    { "class.put", "PUT", "/v1/classes/B", "{\"name\":\"B %n\"}", NOTHING, NOTHING },
    { "class.patch", "PATCH", "/v1/classes/B", "{\"name\":\"B %n\"}", NOTHING, NOTHING },
    { "class.put, of a batch", "POST", "/v1/classes", "{\"classes\":[{\"code\":\"B\",\"name\":\"B %n\"}]}", NOTHING, NOTHING },
    { "unit.put", "PUT", "/v1/units/DE", "{\"name\":\"Shop %n\"," UNIT, NOTHING, NOTHING },
    { "unit.patch", "PATCH", "/v1/units/DE", "{\"name\":\"Shop %n\"}", NOTHING, NOTHING },
    { "unit.put, of a batch", "POST", "/v1/units", "{\"units\":[{\"code\":\"DE\",\"name\":\"Shop %n\"," UNIT "]}", NOTHING, NOTHING },
    { "node.put", "PUT", "/v1/nodes/EXTRA", "{\"name\":\"Extra %n\"," NODE, NOTHING, NOTHING },
    { "node.patch", "PATCH", "/v1/nodes/EXTRA", "{\"name\":\"Extra %n\"}", NOTHING, NOTHING },
    { "node.put, of a batch", "POST", "/v1/nodes", "{\"nodes\":[{\"code\":\"EXTRA\",\"name\":\"Extra %n\"," NODE "]}", NOTHING, NOTHING },
    { "count_rule.put", "PUT", "/v1/nodes/EXTRA/counting", "{\"tolerance_units\":%n}", NOTHING, NOTHING },
    { "count_classing.put", "PUT", "/v1/units/DE/counting", "{\"share_a_ppm\":%n,\"every_days\":0}", NOTHING, NOTHING },
    { "channel.put", "PUT", "/v1/channels/other", "{\"name\":\"Other %n\"," SHOP, NOTHING, NOTHING },
    { "channel.patch", "PATCH", "/v1/channels/other", "{\"name\":\"Other %n\"}", NOTHING, NOTHING },
    { "channel.put, of a batch", "POST", "/v1/channels", "{\"channels\":[{\"code\":\"other\",\"name\":\"Other %n\"," SHOP "]}", NOTHING, NOTHING },
    { "rates.put", "PUT", "/v1/routing/rates/L", "{\"name\":\"Rates %n\"," RATES, NOTHING, NOTHING },
    { "rates.patch", "PATCH", "/v1/routing/rates/L", "{\"name\":\"Rates %n\"}", NOTHING, NOTHING },
    { "rates.put, of a batch", "POST", "/v1/routing/rates", "{\"rates\":[{\"code\":\"L\",\"name\":\"Rates %n\"," RATES "]}", NOTHING, NOTHING },
    { "ships.put", "PUT", "/v1/routing/nodes/EXTRA", "{\"time_zone\":\"Europe/Berlin\",\"monday\":\"14:00\",\"rates\":\"L\",\"parcel\":{\"amount\":\"%n.00\",\"currency\":\"EUR\"}}", NOTHING, NOTHING },
    { "ships.patch", "PATCH", "/v1/routing/nodes/EXTRA", "{\"parcel\":{\"amount\":\"%n.00\",\"currency\":\"EUR\"}}", NOTHING, NOTHING },
    { "ships.put, of a batch", "POST", "/v1/routing/nodes", "{\"nodes\":[{\"code\":\"EXTRA\",\"time_zone\":\"Europe/Berlin\",\"parcel\":{\"amount\":\"%n.00\",\"currency\":\"EUR\"}}]}", NOTHING, NOTHING },
    { "policy.put", "PUT", "/v1/routing/policies/other", "{\"unit\":\"DE\",\"channel\":\"other\",\"late_per_day\":{\"amount\":\"%n.00\",\"currency\":\"EUR\"}}", NOTHING, NOTHING },
    { "policy.patch", "PATCH", "/v1/routing/policies/other", "{\"late_per_day\":{\"amount\":\"%n.00\",\"currency\":\"EUR\"}}", NOTHING, NOTHING },
    { "policy.put, of a batch", "POST", "/v1/routing/policies", "{\"policies\":[{\"code\":\"other\",\"unit\":\"DE\",\"channel\":\"other\",\"late_per_day\":{\"amount\":\"%n.00\",\"currency\":\"EUR\"}}]}", NOTHING, NOTHING },
    { "webhook.put", "PUT", "/v1/webhooks/hook-%h", "{\"url\":\"https://turn.example/%n\",\"active\":false}", NOTHING, NOTHING },
    { "webhook.patch", "PATCH", "/v1/webhooks/hook-%h", "{\"description\":\"%n\"}", NOTHING, NOTHING },
    { "webhook.put, new", "PUT", "/v1/webhooks/new-%n", "{\"url\":\"https://turn.example/%n\",\"active\":false}", NOTHING, HOOK },
    { "webhook.rotate", "POST", "/v1/webhooks/new-%n/rotate", "{\"keep_s\":60}", HOOK, NOTHING },
    { "webhook.replay", "POST", "/v1/webhooks/hook-%h/replay", "{\"unit\":\"DE\",\"event\":1}", NOTHING, NOTHING },
    { "webhook.put, active", "PUT", "/v1/webhooks/live", "{\"url\":\"https://turn.example/%n\",\"events\":[\"order.mapped\"]}", NOTHING, NOTHING },
    { "webhook.test", "POST", "/v1/webhooks/live/test", "{}", NOTHING, NOTHING, .most = 900 },
};
/* clang-format on */

/* What there is to send before, once: a node of others, channels of their kind, webhooks that are turned off. */
static const char *const furniture[][2] = {
    { "/v1/classes/B", "{\"name\":\"B\"}" },
    { "/v1/skus/SPARE", "{\"name\":\"Spare\"}" },
    { "/v1/skus/KEPT", "{\"name\":\"Kept\"}" },
    { "/v1/nodes/FBA", "{\"unit\":\"DE\",\"name\":\"F\",\"kind\":\"third_party\",\"country\":\"DE\",\"postal_code\":\"1\"}" },
    { "/v1/nodes/FAR",
      "{\"unit\":\"DE\",\"name\":\"Far\",\"kind\":\"third_party\",\"authority\":\"mirrored\",\"country\":\"DE\",\"postal_code\":\"1\"}" },
    { "/v1/nodes/EXTRA", "{\"name\":\"Extra\"," NODE },
    { "/v1/channels/other", "{\"name\":\"Other\"," SHOP },
    { "/v1/channels/fba", "{\"unit\":\"DE\",\"name\":\"F\",\"kind\":\"store\",\"priority\":3,\"nodes\":[\"FBA\"],\"shortage\":\"backorder\"}" },
    { "/v1/channels/hand", "{\"unit\":\"DE\",\"name\":\"B\",\"kind\":\"b2b\",\"priority\":3,\"nodes\":[\"N1\",\"N2\",\"N3\",\"N4\"],"
                           "\"shortage\":\"backorder\",\"release\":\"manual\"}" },
    { "/v1/routing/rates/L", "{\"name\":\"L\"," RATES },
    { "/v1/routing/nodes/EXTRA", "{\"time_zone\":\"Europe/Berlin\"}" },
    { "/v1/routing/policies/other", "{\"unit\":\"DE\",\"channel\":\"other\"}" },
};

struct subject {
    uint64_t number, skus[LINES];
    int64_t event;
    char order[ID_SIZE], work[ID_SIZE], id[ID_SIZE];
};

struct pile {
    struct subject *items;
    size_t count, room;
};

struct bench {
    struct world *world;
    const struct server *server;
    size_t requests;
    uint64_t number; /* the last that was given to a subject */
    int64_t seen;    /* event */
    struct pile piles[THINGS];
    char refusal[400]; /* the first */
};

/* One act on many subjects. */
struct going {
    struct bench *bench;
    const struct act *act;
    struct subject *subjects;
    size_t count, made; /* made: what came of the act, into its pile */
    char *body;
};

struct figure {
    double rate, writer_us, cpu_us, needs; /* needs: times that it had to be decided again, for a row was not known */
    uint64_t done, refused;
};

static size_t entries_of(const struct act *act)
{
    return act->each != NULL ? BATCH : act->entries > 0 ? act->entries : 1;
}

static void pile_add(struct pile *pile, const struct subject *subject)
{
    if (pile->count == pile->room) {
        pile->room = pile->room == 0 ? 1024 : pile->room * 2;
        pile->items = realloc(pile->items, pile->room * sizeof *pile->items);
        if (pile->items == NULL)
            die("no memory");
    }
    pile->items[pile->count++] = *subject;
}

/* `text` with its signs written out; its bytes. */
static size_t write_out(const struct world *world, const struct subject *subject, const char *text, char *out, size_t room)
{
    size_t size = 0;
    for (const char *at = text; *at != '\0'; at++) {
        int bytes = 1;
        if (room - size < 64)
            die("no room for %.40s", text);
        if (*at != '%') {
            out[size++] = *at;
            continue;
        }
        char sign = *++at;
        if (sign >= '1' && sign <= '3')
            bytes = snprintf(out + size, room - size, "S%06lu", (unsigned long)subject->skus[sign - '1']);
        else if (sign == 's')
            bytes = snprintf(out + size, room - size, "S%06lu", (unsigned long)chance(world->sku_count));
        else if (sign == 'n' || sign == 'h')
            bytes = snprintf(out + size, room - size, "%lu", (unsigned long)(sign == 'n' ? subject->number : subject->number % 64));
        else if (sign == 'e')
            bytes = snprintf(out + size, room - size, "%ld", (long)subject->event);
        else
            bytes = snprintf(out + size, room - size, "%s", sign == 'o' ? subject->order : sign == 'f' ? subject->work : subject->id);
        size += (size_t)bytes;
    }
    out[size] = '\0';
    return size;
}

static void subject_new(struct bench *bench, struct subject *subject)
{
    *subject = (struct subject){ .number = ++bench->number };
    draw_skus(bench->world->sku_count, DEMAND_UNIFORM, subject->skus);
}

/* The entries of a batch, each about something new. */
static void write_batch(struct bench *bench, const struct act *act, char *out, size_t room)
{
    size_t size = (size_t)(strstr(act->body, "%b") - act->body);
    memcpy(out, act->body, size);
    for (size_t i = 0; i < BATCH; i++) {
        struct subject entry;
        subject_new(bench, &entry);
        if (i > 0)
            out[size++] = ',';
        size += write_out(bench->world, &entry, act->each, out + size, room - size);
    }
    snprintf(out + size, room - size, "%s", strstr(act->body, "%b") + 2);
}

#define BODY_ROOM ((size_t)120 << 10)

static size_t make(void *context, uint64_t number, char *out, size_t room)
{
    struct going *going = context;
    const struct act *act = going->act;
    char target[200], headers[100];
    if (number >= going->count)
        return 0;
    const struct subject *subject = &going->subjects[number];
    write_out(going->bench->world, subject, act->target, target, sizeof target);
    write_out(going->bench->world, subject, act->headers == NULL ? "" : act->headers, headers, sizeof headers);
    if (act->each != NULL)
        write_batch(going->bench, act, going->body, BODY_ROOM);
    else
        write_out(going->bench->world, subject, act->body, going->body, BODY_ROOM);
    return request_text(out, room, act->method, target, going->bench->world->key, headers, going->body);
}

static bool text_after(const char *in, const char *name, char out[ID_SIZE])
{
    const char *at = in == NULL ? NULL : strstr(in, name);
    if (at == NULL)
        return false;
    at += strlen(name);
    snprintf(out, ID_SIZE, "%.*s", (int)strcspn(at, "\""), at);
    return true;
}

static bool answered(void *context, uint64_t number, const char *answer)
{
    struct going *going = context;
    const struct act *act = going->act;
    struct bench *bench = going->bench;
    struct subject subject = going->subjects[number];
    const char *body = strstr(answer, "\r\n\r\n");
    bool good = strncmp(answer, "HTTP/1.1 2", 10) == 0 && (entries_of(act) == 1 || strstr(body, "\"status\":4") == NULL);
    if (!good) {
        if (bench->refusal[0] == '\0')
            snprintf(bench->refusal, sizeof bench->refusal, "%.12s %.380s", answer, body == NULL ? "" : body + 4);
        return false;
    }
    bool found = true;
    if (act->finds == AN_ID)
        found = text_after(body, "\"id\":\"", subject.id);
    if (act->finds == AN_ORDER) {
        found = text_after(body, "\"id\":\"", subject.order);
        text_after(strstr(body, "\"fulfilments\":"), "\"id\":\"", subject.work); /* there is none of an order that waits for something */
    }
    if (!found)
        die("%s: no id in %.300s", act->name, answer);
    if (act->makes != NOTHING && act->finds != ITS_EVENT)
        pile_add(&bench->piles[act->makes], &subject);
    going->made++;
    return true;
}

/* What runs behind the last requests is done, so that the next are not measured beside it. */
static void settle(struct bench *bench)
{
    struct arena *arena = bench->world->arena;
    for (int tries = 0; tries < 6000; tries++) {
        struct arena_mark mark = arena_mark(arena);
        bool idle =
            strstr(http_get(arena, bench->server->port, bench->world->key, "/v1/jobs?limit=1"), "\"items\":[]") != NULL &&
            strncmp(http_get(arena, bench->server->port, bench->world->key, "/v1/inventory/movements?sku=S000000&limit=1"), "HTTP/1.1 200", 12) == 0;
        arena_rewind(arena, mark);
        if (idle)
            return;
        usleep(20000);
    }
    die("there is still work after two minutes");
}

/* The numbers of the events that told of the last adjustments. */
static void find_events(struct bench *bench, enum thing thing, bool keep)
{
    struct arena *arena = bench->world->arena;
    for (;;) {
        struct arena_mark mark = arena_mark(arena);
        const char *at = http_get(arena, bench->server->port, bench->world->key,
                                  arena_printf(arena, "/v1/events?unit=DE&type=stock.adjusted&limit=1000&after=%ld", (long)bench->seen));
        const char *next = strstr(at, "\"next\":\"");
        while ((at = strstr(at, "\"seq\":")) != NULL) {
            at += strlen("\"seq\":");
            bench->seen = strtol(at, NULL, 10);
            if (keep)
                pile_add(&bench->piles[thing], &(struct subject){ .event = bench->seen });
        }
        if (next != NULL)
            bench->seen = strtol(next + strlen("\"next\":\""), NULL, 10);
        arena_rewind(arena, mark);
        if (next == NULL)
            return;
    }
}

static struct figure run(struct bench *bench, const struct act *act, struct subject *subjects, size_t count)
{
    struct going going = { .bench = bench, .act = act, .subjects = subjects, .count = count, .body = malloc(BODY_ROOM) };
    const struct work work = { .context = &going, .make = make, .answered = answered };
    struct load load = { .ports = { bench->server->port }, .port_count = 1, .connections = COMMAND_CLIENTS, .seconds = 600, .work = &work };
    struct load_result result;
    if (going.body == NULL)
        die("no memory");
    if (act->finds == ITS_EVENT)
        find_events(bench, act->makes, false);
    settle(bench);
    bench->refusal[0] = '\0';
    struct profile from = profile_read(bench->world, bench->server);
    load_run(&load, &result);
    double seconds = result.seconds;
    struct profile to = profile_read(bench->world, bench->server);
    if (act->finds == ITS_EVENT)
        find_events(bench, act->makes, true);
    size_t each = entries_of(act);
    double cpu = 0, done = (double)(count * each);
    for (size_t i = 0; i < STAGES; i++)
        cpu += to.cpu[i] - from.cpu[i];
    free(going.body);
    return (struct figure){ .rate = (double)(result.orders * each) / seconds,
                            .writer_us = (to.cpu[STAGE_WRITER] - from.cpu[STAGE_WRITER]) * 1e6 / done,
                            .cpu_us = cpu * 1e6 / done,
                            .needs = (to.needs - from.needs) / done,
                            .done = result.orders,
                            .refused = result.faults };
}

static const struct act *maker_of(enum thing thing)
{
    for (size_t i = 0; i < COUNT(acts); i++)
        if (acts[i].makes == thing && acts[i].takes != thing)
            return &acts[i];
    die("nothing makes what is needed");
}

/* `count` subjects of an act, taken from where they lie. */
static struct subject *take(struct bench *bench, const struct act *act, size_t count);

static void stock_up(struct bench *bench, enum thing thing, size_t count)
{
    struct pile *pile = &bench->piles[thing];
    const struct act *maker = maker_of(thing);
    for (int tries = 0; pile->count < count && tries < 4; tries++) {
        size_t missing = count - pile->count;
        struct subject *subjects = take(bench, maker, missing);
        run(bench, maker, subjects, missing);
        free(subjects);
    }
    if (pile->count < count)
        die("%s: too many are refused: %s", maker->name, bench->refusal);
}

static struct subject *take(struct bench *bench, const struct act *act, size_t count)
{
    struct subject *subjects = calloc(count, sizeof *subjects);
    if (subjects == NULL)
        die("no memory");
    if (act->takes == NOTHING) {
        for (size_t i = 0; i < count; i++)
            subject_new(bench, &subjects[i]);
        return subjects;
    }
    stock_up(bench, act->takes, count);
    struct pile *pile = &bench->piles[act->takes];
    memcpy(subjects, pile->items, count * sizeof *subjects); /* the oldest first, as a shop does */
    memmove(pile->items, pile->items + count, (pile->count - count) * sizeof *subjects);
    pile->count -= count;
    return subjects;
}

static struct figure capture(struct bench *bench)
{
    const struct act plain = { "capture", "POST", "/v1/orders", ORDER("web", "prepaid"), NOTHING, NOTHING, NO_ID };
    struct subject *subjects = take(bench, &plain, bench->requests);
    struct figure figure = run(bench, &plain, subjects, bench->requests);
    free(subjects);
    return figure;
}

/* ---- the shop ---- */

static void must(struct bench *bench, const char *method, const char *target, const char *body)
{
    const struct act act = { .name = target, .method = method, .target = target, .body = body };
    struct subject one;
    subject_new(bench, &one);
    if (run(bench, &act, &one, 1).refused > 0)
        die("%s %s: %s", method, target, bench->refusal);
}

/* The other node has units of every SKU. */
static void stock_the_others(struct bench *bench)
{
    struct arena *arena = bench->world->arena;
    for (uint64_t at = 0; at < bench->world->sku_count; at += BATCH) {
        struct arena_mark mark = arena_mark(arena);
        struct buffer out = { .arena = arena };
        for (uint64_t i = at; i < at + BATCH && i < bench->world->sku_count; i++)
            buffer_printf(&out, "%s{\"node\":\"FBA\",\"sku\":\"S%06lu\",\"delta\":100000,\"reason\":\"receipt\"}",
                          i == at ? "{\"adjustments\":[" : ",", (unsigned long)i);
        buffer_text(&out, "]}");
        must(bench, "POST", "/v1/inventory/adjustments/batch", out.at);
        arena_rewind(arena, mark);
    }
}

static void furnish_shop(struct bench *bench)
{
    for (size_t i = 0; i < COUNT(furniture); i++)
        must(bench, "PUT", furniture[i][0], furniture[i][1]);
    for (int i = 0; i < 64; i++) {
        must(bench, "PUT", "/v1/bundles/SET-%h", "{\"name\":\"Kit\"," KIT);
        must(bench, "PUT", "/v1/channels/other/listings/L-%h", "{\"sku\":\"%s\",\"cap\":5}");
        must(bench, "PUT", "/v1/webhooks/hook-%h", "{\"url\":\"https://turn.example/\",\"active\":false}");
    }
    must(bench, "POST", "/v1/inventory/adjustments", "{\"node\":\"N1\",\"sku\":\"SPARE\",\"delta\":1000000000,\"reason\":\"receipt\"}");
    must(bench, "POST", "/v1/inventory/adjustments", "{\"node\":\"N3\",\"sku\":\"KEPT\",\"delta\":1000000000,\"reason\":\"receipt\"}");
    must(bench, "POST", "/v1/inventory/quarantine", "{\"node\":\"N3\",\"sku\":\"KEPT\",\"quantity\":1000000000,\"reason\":\"quality\"}");
    stock_the_others(bench);
}

/* What the server can do and no row here sends. */
static void name_what_is_missing(struct bench *bench)
{
    const char *at = http_get(bench->world->arena, bench->server->port, bench->world->key, "/v1/commands");
    char name[ID_SIZE];
    while (text_after(at, "{\"name\":\"", name)) {
        bool there = false;
        for (size_t i = 0; i < COUNT(acts); i++)
            there = there || (strncmp(acts[i].name, name, strlen(name)) == 0 && strchr(", ", acts[i].name[strlen(name)]) != NULL);
        if (!there && strcmp(name, "count_classes.start") == 0)
            printf("%s has no line: a unit has one run at a time\n", name);
        else if (!there)
            printf("target: %s has no line of its own: MISSED\n", name);
        at = strstr(at, "{\"name\":\"") + 1;
    }
}

static void print_act(const struct act *act, const struct figure *figure, const struct figure *captured)
{
    double ratio = figure->rate / captured->rate;
    bool refused = figure->refused * 1000000 > (figure->done + figure->refused) * REFUSED_PPM;
    printf("%-30s %8.0f %7.2f %8.0f %8.0f %7.2f   ", act->name, figure->rate, ratio, figure->writer_us, figure->cpu_us, figure->needs);
    if (refused)
        printf("MISSED (%lu of %lu refused)\n", (unsigned long)figure->refused, (unsigned long)(figure->done + figure->refused));
    else if (ratio >= LEAST)
        printf("good\n");
    else if (act->reason != NULL)
        printf("below (%s)\n", act->reason);
    else
        printf("MISSED\n");
    fflush(stdout);
}

void commands_run(struct world *world, const struct server *server, size_t requests, const char *only)
{
    struct bench bench = { .world = world, .server = server, .requests = requests };
    struct figure captured, figures[GROUP];
    const struct act *group[GROUP];
    size_t waiting = 0;
    furnish_shop(&bench);
    name_what_is_missing(&bench);
    (void)capture(&bench); /* warms up */
    captured = capture(&bench);
    printf(
        "%zu requests each over %d connections; the writer's and the server's CPU in us; needs: times that one is decided again; ratio to the capture before and after\n",
        requests, COMMAND_CLIENTS);
    printf("command                          rate/s   ratio   writer      CPU   needs\n");
    for (size_t i = 0; i <= COUNT(acts); i++) {
        if (i == COUNT(acts) || waiting == GROUP) {
            struct figure again = capture(&bench), mean = { .rate = (captured.rate + again.rate) / 2 };
            printf("%-30s %8.0f %7s %8.0f %8.0f %7.2f\n", "order.create", again.rate, "", again.writer_us, again.cpu_us, again.needs);
            for (size_t g = 0; g < waiting; g++)
                print_act(group[g], &figures[g], &mean);
            captured = again;
            waiting = 0;
        }
        if (i == COUNT(acts) || strncmp(acts[i].name, only, strlen(only)) != 0)
            continue;
        size_t count = entries_of(&acts[i]) > 1 ? (requests + BATCH - 1) / BATCH * 4 : requests;
        if (acts[i].most > 0 && count > acts[i].most)
            count = acts[i].most; /* as many as may wait of one webhook */
        struct subject *subjects = take(&bench, &acts[i], count);
        group[waiting] = &acts[i];
        figures[waiting++] = run(&bench, &acts[i], subjects, count);
        if (figures[waiting - 1].refused > 0)
            fprintf(stderr, "%s: %s\n", acts[i].name, bench.refusal);
        free(subjects);
    }
    for (size_t i = 0; i < THINGS; i++)
        free(bench.piles[i].items);
}
