/* tests/store/check_test.c: the checker finds nothing in a company that has done a bit of everything, and finds each
 * thing that somebody breaks behind the engine's back: that rule, and no other. Usage: check_test src/check, of which no rule may be without such
 * a break. */
#include "check/check.h"
#include "insight/insight.h"
#include "store/shop.h"
#include <dirent.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#define FOLDER_MAX 200

#define ORDER(id) "(SELECT id FROM orders WHERE channel_order_id = '" id "')"
/* The first supply in a state: 1 open, 2 short, 3 complete, 4 closed. */
#define SUPPLY(STATE) "(SELECT MIN(id) FROM supply WHERE state = " STATE ")"
#define LATE "7" /* exception types */
#define SHORT "8"
#define TRANSFER(state) "(SELECT MIN(id) FROM transfer WHERE state = " state ")"
#define LAMPS "sku = (SELECT sku FROM movement WHERE id = (SELECT MIN(id) FROM movement))" /* the first receipt */

static const struct broken {
    const char *says, *id, *sql;
    bool unchecked;   /* the store itself would refuse it */
    const char *also; /* rules that are broken by it too; NULL: none */
} breaks[] = {
    { "a unit more than moved", "position_movements", "UPDATE position SET available = available + 1 WHERE " LAMPS, false },
    { "a movement that no position knows", "position_movements", "UPDATE movement SET quantity = quantity + 1 WHERE " LAMPS, false },
    { "a checkout keeps more than is reserved", "reserved_claims", "UPDATE claim SET soft = soft + 1 WHERE kind = 2", false },
    { "a hard claim on nothing allocated", "allocated_claims", "UPDATE claim SET hard = hard + 1 WHERE kind = 2", false },
    { "more behind the fence than it claims", "fenced_claims", "UPDATE position SET fenced = fenced + 1 WHERE " LAMPS, false },
    { "a demand for more than it adds up to", "demand_equation", "UPDATE demand SET ordered = ordered + 1 WHERE backordered > 0", true,
      "demand_need" },
    { "a claim for a line that is not there", "demand_reserved", "UPDATE claim SET line = 9 WHERE kind = 4 AND holder = " ORDER("1"), false,
      "claim_holder" },
    { "a released line without its claim", "demand_allocated", "UPDATE claim SET line = 9 WHERE kind = 4 AND holder = " ORDER("2"), false,
      "claim_holder" },
    { "a reserved order that says delivered", "order_stage", "UPDATE orders SET stage = 6 WHERE channel_order_id = '1'", false },
    { "a hold that is not there", "order_holds", "UPDATE orders SET holds = holds + 1 WHERE channel_order_id = '1'", false },
    { "a hold that is not counted", "order_holds", "UPDATE orders SET holds = 0 WHERE channel_order_id = '4'", false },
    { "one channel order, two orders", "order_twice",
      "UPDATE order_key SET number = (SELECT number FROM order_key WHERE ord = " ORDER("1") ") WHERE ord = " ORDER(
          "4") ";"
               "UPDATE orders SET channel_order_id = '1' WHERE channel_order_id = '4'",
      false },
    { "a shop's id is given to another order", "order_twice", "UPDATE orders SET channel_order_id = '1' WHERE channel_order_id = '4'", false,
      "order_key" },
    { "an order under another's number", "order_key", "UPDATE order_key SET number = number + 1 WHERE ord = " ORDER("4"), false },
    { "an order of another total", "order_total", "UPDATE orders SET total = total + 1 WHERE channel_order_id = '1'", false },
    { "a line that was sold cheaper", "order_total", "UPDATE order_line SET discount = 1 WHERE ord = " ORDER("1"), false },
    { "more parcels than it may have", "order_shipments", "UPDATE orders SET max_shipments = 0 WHERE channel_order_id = '2'", false },
    { "a queue that does not know of a bound", "waiting_demand", "UPDATE waiting SET capped = 1", false },
    { "a line in place of itself", "line_replaces", "UPDATE order_line SET replaces = 1 WHERE ord = " ORDER("1"), false },
    { "a substitute that is no SKU", "reference_unit", "UPDATE sku SET substitutes = '[\"NOPE\"]' WHERE unit > 0 AND code = 'LAMP'", false },
    { "an earlier address of nobody", "orphan",
      "INSERT INTO person_before (unit, id, seq, sealed) SELECT unit, 888888, 1, sealed FROM person WHERE id = " ORDER("1"), false },
    { "an address that no event has changed", "reference_unit",
      "INSERT INTO person_before (unit, id, seq, sealed) SELECT unit, id, 888888, sealed FROM person WHERE id = " ORDER("1"), false },
    { "an order with two keys", "order_key", "INSERT INTO order_key (unit, number, ord) SELECT unit, 1, ord FROM order_key WHERE ord = " ORDER("1"),
      false },
    { "an event is gone", "event_gap", "DELETE FROM event WHERE seq = 3 AND unit > 0", false },
    { "the last event is gone", "event_gap", "DELETE FROM event WHERE unit > 0 AND seq = (SELECT MAX(seq) FROM event WHERE unit > 0)", false },
    { "an event before the one before", "event_time", "UPDATE event SET at = at - 1 WHERE seq = 4 AND unit > 0", false },
    { "a movement by nobody's hand", "movement_cause", "UPDATE movement SET cause = 888888 WHERE id = (SELECT MIN(id) FROM movement)", false },
    { "a movement by nobody knows what", "movement_cause", "UPDATE movement SET cause_kind = 88 WHERE id = (SELECT MIN(id) FROM movement)", false,
      "ledger_decided" },
    { "a receipt that says it is a fence's", "ledger_decided",
      "UPDATE movement SET cause_kind = 5, cause = (SELECT MIN(id) FROM channel WHERE unit > 0) WHERE id = (SELECT MIN(id) FROM movement)", false },
    { "a payment in no currency", "ledger_decided", "UPDATE event SET currency = NULL WHERE type = 11", false },
    { "a payment of which nobody knows what it was", "ledger_decided", "UPDATE event SET data = '{}' WHERE type = 11", false },
    { "a movement by an order that is not there yet", "movement_cause",
      "UPDATE movement SET cause = 888888 WHERE id = (SELECT MAX(id) FROM movement WHERE cause_kind = 2)", false },
    { "an order of an unknown channel", "reference_unit", "UPDATE orders SET channel = 888888 WHERE channel_order_id = '1'", false },
    { "an order of nobody", "reference_unit", "UPDATE orders SET person = 888888 WHERE channel_order_id = '1'", false },
    { "a demand for an unknown SKU", "reference_unit", "UPDATE demand SET sku = 888888 WHERE ord = " ORDER("1"), false, "claim_holder" },
    { "a line of an unknown SKU", "reference_unit", "UPDATE order_line SET sku = 888 WHERE ord = " ORDER("1"), false },
    { "stock of an unknown SKU", "reference_unit", "UPDATE bundle_component SET sku = 888 WHERE unit > 0 AND part = 1", false },
    { "work at an unknown node", "reference_unit", "UPDATE fulfilment SET node = 888 WHERE id = (SELECT MIN(id) FROM fulfilment)", false,
      "node_day" },
    { "a checkout on an unknown channel", "reference_unit", "UPDATE reservation SET channel = 888", false },
    { "a receipt at an unknown node", "reference_unit", "UPDATE adjustment SET node = 888 WHERE id = (SELECT MIN(id) FROM adjustment)", false },
    { "a fence of an unknown channel", "reference_unit", "UPDATE fence SET channel = 888", false, "claim_holder fenced_claims reserved_claims" },
    { "a listing of an unknown SKU", "reference_unit",
      "INSERT INTO listing (unit, id, channel, channel_sku, sku, buffer, share_ppm, sold, version) "
      "SELECT unit, 888888, id, 'X', 888888, 0, 1000000, 0, 1 FROM channel WHERE unit > 0 AND code = 'web'",
      false },
    { "a listing on an unknown channel", "reference_unit",
      "INSERT INTO listing (unit, id, channel, channel_sku, sku, buffer, share_ppm, sold, version) "
      "SELECT unit, 888888, 888888, 'X', id, 0, 1000000, 0, 1 FROM sku WHERE unit > 0 AND code = 'LAMP'",
      false },
    { "an unknown SKU was adjusted", "reference_unit", "UPDATE adjustment SET sku = 888888 WHERE id = (SELECT MIN(id) FROM adjustment)", false },
    { "parts of an unknown bundle", "reference_unit", "UPDATE bundle_component SET bundle = 888888 WHERE unit > 0 AND part = 1", false },
    { "a node of an unknown channel", "reference_unit",
      "UPDATE channel_node SET channel = 888888 WHERE channel = (SELECT MAX(channel) FROM channel_node WHERE unit > 0)", false },
    { "a channel of an unknown node", "reference_unit", "UPDATE channel_node SET node = 888888 WHERE unit > 0 AND part = 1", false },
    { "a fence at an unknown node", "reference_unit", "UPDATE fence SET node = 888888", false, "claim_holder fenced_claims reserved_claims" },
    { "a fence of an unknown SKU", "reference_unit", "UPDATE fence SET sku = 888888", false, "claim_holder fenced_claims reserved_claims" },
    { "goods of an unknown class are called back", "reference_unit", "UPDATE recall_place SET class = 888", false,
      "recall_bar recall_places recall_claims" },
    { "a parcel of no order was lost", "reference_unit", "UPDATE parcel_loss SET ord = 888888", false, "parcel_loss orphan exception_cause" },
    { "an event of an unknown SKU", "reference_unit", "UPDATE event SET sku = 888888 WHERE unit > 0 AND sku > 0", false },
    { "an event at an unknown node", "reference_unit", "UPDATE event SET node = 888888 WHERE unit > 0 AND node > 0", false },
    { "an event of an order that is not there", "reference_unit", "UPDATE event SET about = 888888 WHERE unit > 0 AND about > 0", false },
    { "work for people about nothing", "reference_unit", "UPDATE exception_item SET about = 888888", false, "exception_cause" },
    { "work for people about an unknown SKU", "reference_unit", "UPDATE exception_item SET sku = 888888", false, "exception_cause short_pick_count" },
    { "work for people at an unknown node", "reference_unit", "UPDATE exception_item SET node = 888888", false, "short_pick_count exception_cause" },
    { "work for people of what is there again", "exception_cause",
      "INSERT INTO exception_item (unit, id, type, state, cause, subject_kind, subject, about, node, sku, quantity, repeats, opened_at) "
      "SELECT unit, 888888, 1, 1, 'x', subject_kind, " ORDER("1") ", " ORDER("1") ", 0, 0, 1, 1, opened_at FROM exception_item "
                                                                                  "WHERE id = (SELECT MIN(id) FROM exception_item)",
      false },
    { "work for people of another SKU than waits", "exception_cause",
      "UPDATE exception_item SET sku = (SELECT sku FROM demand WHERE ord = " ORDER("1") ") WHERE type = 1", false },
    { "it waits, and nobody is told", "exception_cause", "UPDATE exception_item SET state = 2 WHERE type = 1", false },
    { "nobody is told that its word is unknown", "exception_cause", "UPDATE exception_item SET state = 2 WHERE type = 4", false },
    { "a node missed more than is kept apart", "short_pick_units", "UPDATE short_pick SET quantity = quantity + 1", false },
    { "nobody is told to count", "short_pick_count", "UPDATE exception_item SET state = 2 WHERE type = 6", false },
    { "somebody is told to count what nobody missed", "short_pick_count", "DELETE FROM short_pick", false },
    { "units were missed at an unknown node", "reference_unit", "UPDATE short_pick SET node = 888888", false, "short_pick_units short_pick_count" },
    { "an unknown SKU was missed", "reference_unit", "UPDATE short_pick SET sku = 888888", false, "short_pick_units short_pick_count" },
    { "units were missed for an order that is not there", "reference_unit", "UPDATE short_pick SET ord = 888888", false },
    { "a count that was not booked so", "count_adjustment", "UPDATE count_fact SET delta = delta + 1", false },
    { "a count that was booked elsewhere", "count_adjustment", "UPDATE count_fact SET node = 888888", false, "exception_cause" },
    { "a count that was not booked", "count_adjustment", "UPDATE count_fact SET adjustment = 888888", false },
    { "a count of what had not happened yet", "count_as_of", "UPDATE count_fact SET as_of = seq + 1", false },
    { "a count that no event told", "reference_unit", "UPDATE count_fact SET seq = 888888 WHERE seq = (SELECT MAX(seq) FROM count_fact)", false,
      "count_adjustment" },
    { "a count with a line less", "count_sheet", "DELETE FROM count_line WHERE line = 1", false, "orphan count_accuracy" },
    { "a count that has more right than its lines", "count_sheet", "UPDATE count_sheet SET lines_right = lines_right + 1", false },
    { "a count of more than was expected", "count_sheet", "UPDATE count_line SET expected = expected + 1 WHERE state = 4", false, "count_accuracy" },
    { "a count that is closed, and a line is open", "count_sheet", "UPDATE count_sheet SET state = 2", false },
    { "a line of no count", "orphan", "UPDATE count_line SET sheet = 888888 WHERE line = 2", false, "count_sheet" },
    { "what was counted of no line", "orphan", "UPDATE count_try SET line = 88 WHERE number = 1", false },
    { "a count at an unknown node", "reference_unit", "UPDATE count_sheet SET node = 888888", false, "count_accuracy" },
    { "an unknown SKU is counted", "reference_unit", "UPDATE count_line SET sku = 888888", false },
    { "a count that no event opened", "reference_unit", "UPDATE count_sheet SET opened_seq = 888888", false },
    { "more was right than sheets have booked", "count_accuracy", "UPDATE count_accuracy SET lines_right = lines_right + 1", false },
    { "less was wrong than sheets have booked", "count_accuracy", "UPDATE count_accuracy SET units_off = units_off - 1", false },
    { "a node has booked nothing", "count_accuracy", "DELETE FROM count_accuracy", false },
    { "it is counted often and moves little", "count_class", "UPDATE count_class SET abc = 1 WHERE value = 0", false },
    { "it is counted seldom and moves much", "count_class", "UPDATE count_class SET abc = 3 WHERE value > 0", false },
    { "a class for more than has left", "count_class_value", "UPDATE count_class SET units = units + 1 WHERE value > 0", false },
    { "it ranks behind itself", "count_class_rank", "UPDATE count_class SET above = above + 1", false },
    { "a node moved more than its goods", "count_basis", "UPDATE count_basis SET total = total + 1", false, "count_class" },
    { "a class of nothing", "count_basis", "DELETE FROM count_class WHERE value > 0", false, "count_class_rank" },
    { "a class of an unknown SKU", "reference_unit", "UPDATE count_class SET sku = 888888 WHERE value > 0", false },
    { "a class at an unknown node", "reference_unit", "UPDATE count_basis SET node = 888888", false, "count_basis count_class" },
    { "a run of classing that nobody advances", "count_run", "UPDATE count_classing SET phase = 3", false },
    { "people are told of a difference that nobody counted", "exception_cause", "UPDATE count_fact SET delta = 0", false, "count_adjustment" },
    { "a checkout of an order that is not there", "reference_unit", "UPDATE reservation SET ord = 888888", false },
    { "an order of a checkout that is not there", "reference_unit", "UPDATE orders SET reservation = 888888 WHERE channel_order_id = '1'", false },
    { "an order of another's checkout", "reference_unit", "UPDATE orders SET reservation = (SELECT id FROM reservation) WHERE channel_order_id = '1'",
      false },
    { "a hold that no event told", "reference_unit", "UPDATE order_hold SET set_seq = 888888", false },
    { "a hold that no event cleared", "reference_unit", "UPDATE order_hold SET cleared_seq = 888888", false, "order_holds" },
    { "a receipt that no event told", "reference_unit", "UPDATE adjustment SET event_seq = 888888", false, "count_adjustment" },
    { "a line that no event mapped", "reference_unit", "UPDATE unmapped_line SET mapped_seq = 888888 WHERE mapped_seq > 0", false },
    { "it waits, and stands in no queue", "waiting_demand", "DELETE FROM waiting WHERE unit > 0", false },
    { "it stands in the queue, and does not wait", "waiting_demand",
      "INSERT INTO waiting (unit, sku, priority, promise, ord, line, part, channel) SELECT unit, sku, 2, 9223372036854775807, ord, line, part, 888 "
      "FROM demand WHERE ord = " ORDER("1"),
      false, "waiting_sku" },
    { "it stands in the queue for more than waits", "waiting_demand", "UPDATE waiting SET units = units + 1 WHERE unit > 0", false },
    { "nobody would know that it waits for this SKU", "waiting_sku", "DELETE FROM waiting_sku WHERE unit > 0", false },
    { "a place was told another date", "promise_told", "UPDATE waiting SET told = 5 WHERE unit > 0", false },
    { "a line was told another date", "promise_told", "UPDATE order_line SET told = 5 WHERE ord IN (SELECT ord FROM waiting)", false },
    { "it waits at a better rank", "waiting_demand", "UPDATE waiting SET priority = 1 WHERE unit > 0", false },
    { "a claim of nobody", "claim_holder", "UPDATE claim SET holder = 888888 WHERE kind = 4 AND holder = " ORDER("1"), false,
      "demand_reserved claimants reserved_claims" },
    { "a claim of a checkout that has ended", "claim_holder", "UPDATE reservation SET state = 3", false },
    { "a claim of a fence that is gone", "claim_holder", "DELETE FROM fence", false, "fenced_claims reserved_claims" },
    { "a position names nobody for what is claimed", "claimants", "UPDATE position SET claimant1 = 0 WHERE claimant1 <> 0 AND claimant2 = 0", false,
      "reserved_claims allocated_claims" },
    { "a position names one who claims nothing", "claimants", "UPDATE position SET claimant4 = 888888 WHERE claimant4 = 0", false },
    { "a position names one twice", "claimants",
      "INSERT INTO claimant (unit, sku, node, class, kind, priority, promise, holder) SELECT unit, sku, node, class, 4, 1, 1, claimant1 FROM position WHERE " LAMPS,
      false },
    { "one stands in the table for a position that is not there", "claimants",
      "INSERT INTO claimant (unit, sku, node, class, kind, priority, promise, holder) SELECT unit, sku, node, 7, 4, 1, 1, 888888 FROM position WHERE " LAMPS,
      false },
    { "a node was told to ship more", "fulfilment_units", "UPDATE fulfilment_line SET quantity = quantity + 1", false },
    { "a node was told to ship another SKU", "fulfilment_units", "UPDATE fulfilment_line SET sku = sku + 1", false },
    { "demands without their line", "demand_line", "DELETE FROM order_line WHERE ord = " ORDER("1"), false },
    { "the last demands without their line", "demand_line", "DELETE FROM order_line WHERE ord = " ORDER("5"), false },
    { "a line for more than its demands", "demand_need", "UPDATE order_line SET quantity = quantity + 1 WHERE ord = " ORDER("1"), false,
      "order_total" },
    { "a demand for more than its line needs", "demand_need", "UPDATE demand SET need = need + 1 WHERE ord = " ORDER("5"), false },
    { "a unit without its clock", "unit_clock", "DELETE FROM unit_clock WHERE unit > 0", false },
    { "a unit that a job blocks which is not there", "unit_blocked", "UPDATE unit_clock SET blocked = 888888 WHERE unit > 0", false },
    { "a line without its demands", "demand_line",
      "INSERT INTO order_line (unit, ord, line, sku, said_by_listing, bundle, quantity, unit_price) "
      "SELECT unit, ord, 2, sku, said_by_listing, bundle, quantity, unit_price FROM order_line WHERE ord = " ORDER("1"),
      false, "order_total" },
    { "a payment for nothing", "orphan", "UPDATE payment SET ord = 888888", false },
    { "a hold on nothing", "orphan",
      "INSERT INTO order_hold (unit, ord, number, kind, source, reason, since, set_seq, cleared_seq) "
      "SELECT unit, 888888, number, kind, source, reason, since, set_seq, cleared_seq FROM order_hold WHERE ord = " ORDER("4"),
      false },
    { "it names nothing, and no word would find it", "unmapped_line", "DELETE FROM unmapped_line WHERE mapped_seq = 0", false },
    { "it waits for another word", "unmapped_line", "UPDATE unmapped_line SET word = 'NO-2' WHERE mapped_seq = 0", false },
    { "it waits for another kind of word", "unmapped_line", "UPDATE unmapped_line SET by_listing = 1 WHERE mapped_seq = 0", false },
    { "it waits for a word of another channel", "unmapped_line",
      "UPDATE unmapped_line SET channel = (SELECT channel FROM orders WHERE channel_order_id = '1')", false },
    { "it says that it was mapped, and stands for nothing", "unmapped_line", "UPDATE unmapped_line SET mapped_seq = 1 WHERE mapped_seq = 0", false },
    { "a mapped line still waits for its word", "unmapped_line", "UPDATE unmapped_line SET mapped_seq = 0 WHERE mapped_seq > 0", false },
    { "nobody knows since when a line is mapped", "unmapped_line", "DELETE FROM unmapped_line WHERE mapped_seq > 0", false },
    { "a word waits for a line that has its SKU", "unmapped_line",
      "INSERT INTO unmapped_line (unit, ord, line, channel, by_listing, word, mapped_seq) "
      "SELECT unit, " ORDER("1") ", line, channel, by_listing, word, mapped_seq FROM unmapped_line WHERE mapped_seq = 0",
      false },
    { "a word waits for a line that was cancelled", "unmapped_line",
      "INSERT INTO unmapped_line (unit, ord, line, channel, by_listing, word, mapped_seq) "
      "SELECT unit, " ORDER("9") ", line, channel, by_listing, 'NO-9', mapped_seq FROM unmapped_line WHERE mapped_seq = 0",
      false },
    { "a word waits for a line that is not there", "orphan",
      "INSERT INTO unmapped_line (unit, ord, line, channel, by_listing, word, mapped_seq) "
      "SELECT unit, ord, 2, channel, by_listing, word, mapped_seq FROM unmapped_line WHERE mapped_seq = 0",
      false },
    { "a word waits for nothing", "orphan",
      "INSERT INTO unmapped_line (unit, ord, line, channel, by_listing, word, mapped_seq) "
      "SELECT unit, 888888, line, channel, by_listing, word, mapped_seq FROM unmapped_line WHERE mapped_seq = 0",
      false },
    { "a decision about nothing", "orphan",
      "INSERT INTO decision (unit, ord, number, kind, policy_version, at, data) "
      "SELECT unit, 888888, number, kind, policy_version, at, data FROM decision WHERE ord = " ORDER("1"),
      false },
    { "work on nothing", "orphan",
      "INSERT INTO fulfilment_line (unit, fulfilment, line, part, sku, quantity, cancelled) "
      "SELECT unit, 888888, line, part, sku, quantity, cancelled FROM fulfilment_line WHERE fulfilment = (SELECT MIN(id) FROM fulfilment)",
      false },
    { "an order without its key", "order_key", "DELETE FROM order_key WHERE ord = " ORDER("1"), false, "movement_cause reference_unit" },
    { "a key of no order", "order_key", "INSERT INTO order_key (unit, number, ord) SELECT unit, 1, 999 FROM order_key WHERE ord = " ORDER("1"),
      false },
    { "more is waited for than is on the way", "coming", "UPDATE position SET coming = coming + 1 WHERE coming > 0", false },
    { "nobody waits for what is on the way", "coming", "UPDATE position SET coming = 0", false },
    { "it is requested, and has left", "transfer_lines", "UPDATE transfer_line SET shipped = 1 WHERE transfer = " TRANSFER("1"), false },
    { "a transfer of nothing", "transfer_lines", "DELETE FROM transfer_line WHERE transfer = " TRANSFER("1"), false, "claim_holder" },
    { "a transfer that lost its first line", "transfer_lines", "UPDATE transfer_line SET line = 2 WHERE transfer = " TRANSFER("3"), false },
    { "a line of no transfer", "orphan",
      "INSERT INTO transfer_line (unit, transfer, line, sku, quantity, shipped, received) SELECT unit, 888888, 1, sku, 1, 0, 0 FROM transfer_line "
      "WHERE transfer = " TRANSFER("1"),
      false },
    { "a transfer of an unknown SKU", "reference_unit", "UPDATE transfer_line SET sku = 888888 WHERE transfer = " TRANSFER("3"), false },
    { "a transfer to an unknown node", "reference_unit", "UPDATE transfer SET to_node = 888888 WHERE state = 3", false },
    { "a claim of a transfer that is cancelled", "claim_holder", "UPDATE transfer SET state = 4 WHERE state = 1", false },
    { "a claim of a transfer at another node", "claim_holder", "UPDATE transfer SET from_node = to_node WHERE state = 1", false },
    { "units are missing, and nobody is told", "exception_cause", "UPDATE exception_item SET state = 2 WHERE type = 5", false },
    { "people are told of more than is missing", "exception_cause", "UPDATE exception_item SET quantity = 9 WHERE type = 5", false },
    { "a movement by a transfer that is not there", "movement_cause", "UPDATE movement SET cause = 888888 WHERE cause_kind = 6", false },
    { "stock of an unknown class", "reference_unit", "UPDATE position SET class = 888888 WHERE class > 0", false, "position_movements" },
    { "a receipt of an unknown class", "reference_unit", "UPDATE adjustment SET class = 888888 WHERE class > 0", false },
    { "an inspection at an unknown node", "reference_unit", "UPDATE inspection SET node = 888888", false },
    { "an inspection of an unknown SKU", "reference_unit", "UPDATE inspection SET sku = 888888", false },
    { "an inspection of an unknown class", "reference_unit", "UPDATE inspection SET class = 888888", false },
    { "an inspection that was never told", "reference_unit", "UPDATE inspection SET event_seq = 888888", false },
    { "a movement by an inspection that is not there", "movement_cause", "UPDATE movement SET cause = 888888 WHERE cause_kind = 7", false },
    { "somebody claims what is not for sale", "class_claimed", "UPDATE position SET reserved = 1 WHERE class > 0", false,
      "position_movements reserved_claims" },
    { "it waits for an ASN that is not on the way", "coming", "UPDATE expected SET sent = 0 WHERE sent = 1", false, "supply_expected" },
    { "an unknown SKU is expected", "reference_unit", "UPDATE supply_line SET sku = 888888 WHERE supply = " SUPPLY("4"), false },
    { "a supply comes to an unknown node", "reference_unit", "UPDATE supply SET node = 888888 WHERE state = 4", false },
    { "a supply that no event told", "reference_unit", "UPDATE supply SET event_seq = 888888 WHERE state = 4", false },
    { "a delivery that no event told", "reference_unit", "UPDATE supply_receipt SET event_seq = 888888", false },
    { "more is expected than is still to come", "supply_expected", "UPDATE expected SET units = units + 1 WHERE sent = 0", false },
    { "it is expected on another day", "supply_expected", "UPDATE expected SET at = at + 1 WHERE sent = 0", false },
    { "nobody expects what is still to come", "supply_expected", "DELETE FROM expected WHERE sent = 0", false },
    { "it is expected of no supply", "supply_expected",
      "INSERT INTO expected (unit, sku, at, supply, line, node, units, sent) SELECT unit, sku, at, 888888, line, node, units, sent FROM expected "
      "WHERE sent = 0 AND line = 1",
      false },
    { "a supply is done with and units are missing", "supply_state", "UPDATE supply SET state = 3 WHERE state = 2", false, "exception_cause" },
    { "a purchase order counts on more than its ASN has", "supply_announced", "UPDATE supply_line SET announced = announced + 1 WHERE announced > 0",
      false, "supply_expected" },
    { "a supply of nothing", "supply_lines", "DELETE FROM supply_line WHERE supply = " SUPPLY("4"), false, "supply_state" },
    { "a supply that lost its first line", "supply_lines", "UPDATE supply_line SET line = 2 WHERE supply = " SUPPLY("4"), false },
    { "units are given up of what is open", "supply_lines",
      "UPDATE supply_line SET given_up = 1, quantity = quantity + 1 WHERE supply = " SUPPLY("2"), false },
    { "a line of no supply", "orphan",
      "INSERT INTO supply_line (unit, supply, line, sku, quantity, announced, received, given_up, expected_at, purchase_line) "
      "SELECT unit, 888888, 1, sku, 1, 0, 0, 1, 0, 0 FROM supply_line WHERE supply = " SUPPLY("4"),
      false },
    { "a delivery of no supply", "orphan",
      "INSERT INTO supply_receipt (unit, supply, number, document, event_seq) SELECT unit, 888888, number, document, event_seq FROM supply_receipt",
      false },
    { "nobody will look when its date has passed", "supply_due", "DELETE FROM supply_due", false },
    { "somebody will look on another day", "supply_due", "UPDATE supply_due SET at = at + 1", false },
    { "it is late, and nobody is told", "exception_cause", "UPDATE exception_item SET state = 2 WHERE type = " LATE, false },
    { "it came short, and people are told of more", "exception_cause", "UPDATE exception_item SET quantity = 9 WHERE type = " SHORT, false },
    { "a movement by a supply that is not there", "movement_cause", "UPDATE movement SET cause = 888888 WHERE cause_kind = 8", false },
    { "more is asked back than is due", "cancel_asked", "UPDATE cancel_asked SET quantity = quantity + 2", false },
    { "nobody says that it is asked back", "cancel_asked", "UPDATE fulfilment SET state = 2 WHERE state = 9", false },
    { "it is asked back, and nobody knows what", "cancel_asked", "DELETE FROM cancel_asked", false },
    { "it is asked back of work that is not there", "cancel_asked", "UPDATE cancel_asked SET fulfilment = 888888", false },
    { "it was never sent, and is asked back", "cancel_asked", "UPDATE cancel_asked SET was = 1", false },
    { "a node refuses what it did not decline", "node_refusal", "UPDATE node_refusal SET fulfilment = (SELECT MIN(id) FROM fulfilment)", false },
    { "a node refuses an order that is not there", "reference_unit", "UPDATE node_refusal SET ord = 888888", false, "node_refusal" },
    { "an unknown node refuses an order", "reference_unit", "UPDATE node_refusal SET node = 888888", false, "node_refusal" },
    { "more was lost than left", "parcel_loss", "UPDATE parcel_loss SET quantity = quantity + 9", false },
    { "it was decided that more is sent again than was given up", "parcel_loss",
      "UPDATE parcel_loss SET quantity = quantity + 9, again = again + 9 WHERE again = 0", false },
    { "it was lost of a parcel that is not there", "parcel_loss", "UPDATE parcel_loss SET fulfilment = 888888", false, "exception_cause" },
    { "it was lost of another order's", "parcel_loss", "UPDATE parcel_loss SET ord = (SELECT MIN(id) FROM orders)", false, "exception_cause" },
    { "it was lost, and nobody is told", "exception_cause", "UPDATE exception_item SET state = 2 WHERE cause LIKE 'lost_parcel%'", false },
    { "people are told of a loss that nobody knows", "exception_cause", "DELETE FROM parcel_loss", false },
    { "it counts as delivered, and is on its way", "assumed_delivery",
      "INSERT INTO assumed_delivery (unit, fulfilment, at) SELECT unit, fulfilment, 0 FROM parcel_loss", false },
    { "a parcel is due that is not there", "parcel_due",
      "UPDATE parcel_due SET fulfilment = 888888 WHERE fulfilment = (SELECT MIN(fulfilment) FROM parcel_due)", false },
    { "it was declined and waits, and nobody is told", "exception_cause", "UPDATE exception_item SET state = 2 WHERE cause LIKE 'declined%'", false },
    { "a webhook knows of what has not happened", "webhook_cursor", "UPDATE webhook_subscription SET seq = 888888 WHERE unit > 0", false },
    { "a webhook cannot be tested", "webhook_cursor", "DELETE FROM webhook_subscription WHERE unit = 0", false },
    { "a webhook of another company", "reference_unit",
      "INSERT INTO webhook_subscription (unit, webhook, epoch, seq, sends, failing, fresh_at) "
      "SELECT unit, 888888, 1, 0, 0, 0, 0 FROM webhook_subscription WHERE unit > 0",
      false },
    { "a webhook that nobody can verify", "webhook_secret", "DELETE FROM webhook_secret", false },
    { "a webhook whose secret ends", "webhook_secret", "UPDATE webhook_secret SET ends_at = 1", false },
    { "a webhook waits for an event that is not there", "webhook_waiting", "UPDATE webhook_waiting SET seq = 888888 WHERE seq = 3", false },
    { "an event waits for no webhook", "webhook_waiting", "UPDATE webhook_waiting SET webhook = 888888 WHERE seq = 3", false },
    { "an attempt more than was made", "webhook_attempt", "UPDATE webhook_attempt SET number = number + 1000", false },
    { "an attempt in another's place", "webhook_attempt", "UPDATE webhook_attempt SET number = number - 1 WHERE number = 3", false },
    { "attempts of no webhook", "webhook_attempt", "UPDATE webhook_attempt SET webhook = 888888", false },
    { "a webhook fails, and nobody is told", "exception_cause", "UPDATE exception_item SET state = 2 WHERE cause LIKE 'webhook_failing%'", false },
    { "a webhook is well, and people are told that it fails", "exception_cause", "UPDATE webhook_subscription SET failing = 0 WHERE unit > 0",
      false },
    { "people are told of a webhook that is not there", "exception_cause",
      "UPDATE exception_item SET subject = 888888 WHERE cause LIKE 'webhook_failing%'", false },
    { "nothing bars what was called back", "recall_bar", "UPDATE position SET blocked = 0 WHERE blocked > 0", false },
    { "a place of no recall", "orphan",
      "INSERT INTO recall_place (unit, recall, node, class, sku, job, taken, broken, stands) SELECT unit, 888888, node, 0, sku, job, 0, 0, stands FROM "
      "recall_place WHERE recall = (SELECT MAX(id) FROM recall)",
      false },
    { "a recall that lost its places", "recall_places", "DELETE FROM recall_place WHERE recall = (SELECT MIN(id) FROM recall)", false },
    { "it is over, and its places stand", "recall_places", "UPDATE recall SET state = 3 WHERE state = 2", false, "exception_cause" },
    { "it runs, and no job is open", "recall_places", "UPDATE recall SET state = 1 WHERE state = 2", false },
    { "its job has ended, and it stands", "recall_places", "UPDATE job SET state = 2 WHERE state = 3", false, "position_blocked" },
    { "somebody claims what was called back", "recall_claims",
      "UPDATE position SET allocated = 1, quarantined = quarantined - 1 WHERE blocked > 0 AND quarantined > 0", false,
      "position_movements allocated_claims" },
    { "what came while a recall stands may be had", "recall_kept",
      "UPDATE position SET available = 1, quarantined = quarantined - 1 WHERE blocked > 0 AND quarantined > 0", false, "position_movements" },
    { "nobody is told of a recall", "exception_cause", "UPDATE exception_item SET state = 2 WHERE cause LIKE 'recall/%'", false },
    { "a recall of an unknown SKU", "reference_unit", "UPDATE recall SET sku = 888888 WHERE state = 3", false, "recall_places" },
    { "a recall at an unknown node", "reference_unit", "UPDATE recall_place SET node = 888888 WHERE stands = 0", false },
    { "a movement by a recall that is not there", "movement_cause", "UPDATE movement SET cause = 888888 WHERE cause IN (SELECT id FROM recall)",
      false },
    { "a snapshot of an unknown node", "reference_unit", "UPDATE snapshot SET node = 888888", false },
    { "a part of no snapshot", "orphan", "UPDATE snapshot_part SET snapshot = 888888", false },
    { "a part that was never told", "reference_unit", "UPDATE snapshot_part SET event_seq = 888888", false },
    { "a snapshot that was never told", "reference_unit", "UPDATE snapshot SET event_seq = 888888", false },
    { "a movement by a snapshot that is not there", "movement_cause", "UPDATE movement SET cause = 888888 WHERE cause IN (SELECT id FROM snapshot)",
      false },
    { "more came back than receipts say", "return_received", "UPDATE return_line SET received = received + 1 WHERE received > 0", false,
      "return_inspected return_state" },
    { "a receipt more than came", "return_received", "UPDATE return_receipt SET quantity = quantity + 1 WHERE receipt = 1", false },
    { "inspected, and nobody knows into what", "return_inspected", "DELETE FROM return_outcome", false },
    { "it waits, and was inspected", "return_inspected", "UPDATE return_receipt SET waiting = waiting + 1 WHERE receipt = 1", false },
    { "a return is over, and units wait", "return_state", "UPDATE goods_return SET state = 3 WHERE state = 2", false },
    { "a return of no order", "reference_unit", "UPDATE goods_return SET ord = 888888", false },
    { "a return to an unknown node", "reference_unit", "UPDATE goods_return SET node = 888888", false },
    { "a paper of no return", "orphan", "UPDATE return_document SET goods_return = 888888 WHERE kind = 2", false },
    { "a paper that told nothing", "reference_unit", "UPDATE return_document SET event_seq = 888888 WHERE kind = 2", false },
    { "a paper that told twice", "return_document", "UPDATE return_document SET kind = 1", false },
    { "a return of an unknown SKU", "reference_unit", "UPDATE return_line SET sku = 888888", false },
    { "a line of no return", "orphan",
      "INSERT INTO return_line (unit, goods_return, line, ord_line, sku, asked, expected, received, inspected) SELECT unit, 888888, 1, 1, sku, 1, 1, 0, 0 "
      "FROM return_line WHERE line = 1",
      false },
    { "a movement by a return that is not there", "movement_cause", "UPDATE movement SET cause = 888888 WHERE cause IN (SELECT id FROM goods_return)",
      false },
    { "a node that nobody knows ships so", "reference_unit", "UPDATE routing_master SET about = 888888 WHERE unit > 0 AND kind = 2", false },
    { "a policy for a channel that nobody knows", "reference_unit", "UPDATE routing_master SET about = 888888 WHERE unit > 0 AND kind = 3", false },
    { "a rate table has lost a zone", "rate_zones", "DELETE FROM rate_zone WHERE part = 2", false },
    { "a day of a node that nobody knows", "reference_unit", "UPDATE node_day SET node = node - 1", false, "node_day" },
    { "a day that counts more than its node was given", "node_day", "UPDATE node_day SET given = given + 1", false },
    { "a day that was not counted", "node_day", "DELETE FROM node_day", false },
    { "a position that a job blocks which is not there", "position_blocked", "UPDATE position SET blocked = 888888 WHERE " LAMPS, false },
    { "a table of an older release", "schema", "ALTER TABLE job DROP COLUMN head", false },
    { "an index is gone", "schema", "DROP INDEX fence_sku", false },
    { "fewer than none", "bucket_negative",
      "UPDATE movement SET quantity = quantity - 1 - (SELECT available FROM position WHERE " LAMPS ") WHERE id = (SELECT MIN(id) FROM movement);"
      "UPDATE position SET available = -1 WHERE " LAMPS,
      true },
};

/* In the projections' store, but where it says otherwise. */
static const struct broken ledger_breaks[] = {
    { "a cent more than was booked", "ledger_postings", "UPDATE ledger_posting SET amount = amount + 1 WHERE line = 1 AND source = 2", false },
    { "it was booked into another account", "ledger_postings", "UPDATE ledger_posting SET account = 10 WHERE account = 9", false },
    { "it was booked for another", "ledger_postings", "UPDATE ledger_posting SET subject = subject + 1 WHERE line = 1", false },
    { "a receipt was not booked", "ledger_postings",
      "DELETE FROM ledger_posting WHERE source = 1 AND id = (SELECT MIN(p.id) FROM ledger_posting AS p WHERE p.source = 1)", false },
    { "the last event was not booked", "ledger_postings",
      "DELETE FROM ledger_posting WHERE source = 2 AND id = (SELECT MAX(p.id) FROM ledger_posting AS p WHERE p.source = 2)", false },
    { "something was booked twice", "ledger_postings",
      "INSERT INTO ledger_posting (unit, source, id, line, account, amount, currency, day, subject, note) "
      "SELECT unit, source, id, line + 2, account, amount, currency, day, subject, note FROM ledger_posting WHERE source = 1",
      false },
    { "what nobody booked stands behind all that was", "ledger_postings",
      "INSERT INTO ledger_posting (unit, source, id, line, account, amount, currency, day, subject, note) "
      "SELECT unit, source, (SELECT seq FROM ledger_cursor WHERE unit = 1), line, account, amount, currency, day, subject, note FROM ledger_posting "
      "WHERE source = 2 AND id = (SELECT MIN(p.id) FROM ledger_posting AS p WHERE p.source = 2)",
      false },
    { "more is owed than was booked", "ledger_balance", "UPDATE ledger_day SET debit = debit + 1 WHERE account = 7", false, "ledger_days" },
    { "a day is gone", "ledger_days", "DELETE FROM ledger_day", false },
    { "goods are worth more than they cost", "ledger_stock", "UPDATE ledger_stock SET value = value + 1 WHERE units > 0", false },
    { "what goods cost last was forgotten", "ledger_stock", "UPDATE ledger_stock SET last_cost = NULL", false },
    { "goods without a value", "ledger_stock", "DELETE FROM ledger_stock", false },
    { "nothing is worth something", "ledger_nothing", "UPDATE ledger_stock SET transit_value = 5 WHERE transit_units = 0", false, "ledger_stock" },
};
/* In the store that the ledger was made of. */
static const struct broken below_the_ledger[] = {
    { "goods that the ledger has not", "ledger_units", "UPDATE position SET available = available + 1 WHERE " LAMPS, false, "position_movements" },
    { "goods under way that the ledger has not", "ledger_units", "UPDATE transfer_line SET shipped = shipped + 1 WHERE transfer = " TRANSFER("2"),
      false, "coming transfer_lines" },
    { "a sale of another amount than was booked", "ledger_postings", "UPDATE event SET amount = amount + 1 WHERE type = 11", false, "ledger_days" },
};

/* What the checker has said of all breaks, of each rule and sentence once. */
struct said {
    char id[40], what[160];
};
static struct said all_said[600];
static size_t said_count;

static void note_what(const char *id, const char *what)
{
    size_t i = 0;
    while (i < said_count && (strcmp(all_said[i].id, id) != 0 || strcmp(all_said[i].what, what) != 0))
        i++;
    assert_true(i < COUNT(all_said));
    snprintf(all_said[i].id, sizeof all_said[i].id, "%s", id);
    snprintf(all_said[i].what, sizeof all_said[i].what, "%s", what);
    said_count = i == said_count ? said_count + 1 : said_count;
}

/* The keys of a reference say what names what: "unit 1 sku of listing 88". */
static void note(const struct violation *violation)
{
    note_what(violation->id, violation->what);
    if (strcmp(violation->id, "reference_unit") != 0 || strncmp(violation->keys, "unit ", 5) != 0)
        return;
    const char *from = violation->keys + 5 + strcspn(violation->keys + 5, " "), *upto = strrchr(violation->keys, ' ');
    char what[160];
    snprintf(what, sizeof what, "%.*s", upto > from ? (int)(upto - from - 1) : 0, from + 1);
    note_what(violation->id, what);
}

struct seen {
    const struct broken *broken;
    char wrong[400];
    int64_t right;
};

static void see(void *context, const struct violation *violation)
{
    struct seen *seen = context;
    note(violation);
    if (seen->broken != NULL && strcmp(violation->id, seen->broken->id) == 0)
        seen->right++;
    else if (seen->broken == NULL || seen->broken->also == NULL || strstr(seen->broken->also, violation->id) == NULL)
        snprintf(seen->wrong, sizeof seen->wrong, "%s (%s): expected %s, found %s", violation->id, violation->keys, violation->expected,
                 violation->found);
}

static struct seen look(const struct shop_copy *copy, struct vault *vault, const struct broken *broken)
{
    struct seen seen = { .broken = broken };
    struct check check = { .db = copy->db, .read = copy->read, .vault = vault, .arena = arena_new((size_t)1 << 28), .tell = see, .context = &seen };
    assert_int_equal(check_all(&check), DB_OK);
    arena_free(check.arena);
    return seen;
}

static const char *id_of(struct shop *shop, struct reply reply)
{
    char id[32];
    assert_int_equal(reply.status, 201);
    text_in(reply.body, NULL, "id", id, sizeof id);
    return arena_text(shop->arena, id);
}

static void about(struct shop *shop, const char *id, const char *verb, const char *body)
{
    shop_must(shop, 200, "POST", arena_printf(shop->arena, "/v1/orders/%s/%s", id, verb), "%s", body);
}

/* An order that is released at once: its JSON. */
static const char *on_account(struct shop *shop, const char *channel, const char *id, const char *sku, int quantity)
{
    return shop_must(shop, 201, "POST", "/v1/orders",
                     "{\"channel\":\"%s\",\"channel_order_id\":\"%s\",\"placed_at\":\"2026-11-24T08:00:00Z\",\"currency\":\"EUR\","
                     "\"customer\":{\"name\":\"A\"},\"ship_to\":{\"name\":\"A\",\"country\":\"DE\"},\"lines\":[{\"sku\":\"%s\",\"quantity\":%d,"
                     "\"unit_price\":{\"amount\":\"10.00\",\"currency\":\"EUR\"}}],\"payment\":{\"term\":\"on_account\",\"status\":\"pending\"}}",
                     channel, id, sku, quantity)
        .body;
}

/* A node did not find what it was to ship, and nobody wants it any more. */
static void miss(struct shop *shop)
{
    char work[32];
    const char *made = on_account(shop, "web", "10", "SHADE", 1);
    text_in(made, "\"fulfilments\"", "id", work, sizeof work);
    shop_must(shop, 200, "POST", arena_printf(shop->arena, "/v1/fulfilments/%s/pick", work), "{\"lines\":[{\"line\":1,\"quantity\":0}]}");
    text_in(made, NULL, "id", work, sizeof work);
    about(shop, work, "cancel", "{\"reason\":\"changed mind\"}");
}

/* One parcel is lost in part, and nobody has decided. */
static void lose(struct shop *shop)
{
    static const char *const steps[][2] = { { "pick", "{}" },
                                            { "pack", "{\"packages\":[{\"weight_g\":1}]}" },
                                            { "ship", "{\"carrier\":\"C\",\"tracking\":\"T\"}" },
                                            { "lost", "{\"reason\":\"no\",\"lines\":[{\"line\":1,\"quantity\":1}]}" } };
    char work[32];
    shop_must(shop, 201, "PUT", "/v1/skus/JUG", "{\"name\":\"J\"}");
    receive(shop, "LEJ", "JUG", 3);
    text_in(on_account(shop, "web", "P1", "JUG", 3), "\"fulfilments\"", "id", work, sizeof work);
    for (size_t i = 0; i < COUNT(steps); i++)
        shop_must(shop, 200, "POST", arena_printf(shop->arena, "/v1/fulfilments/%s/%s", work, steps[i][0]), "%s", steps[i][1]);
}

/* One is asked back of a node that others run, one it declined. */
static void ask_and_decline(struct shop *shop)
{
    static const char *const then[][2] = { { "send", "" }, { "decline", "{\"reason\":\"no\"}" } };
    shop_must(shop, 201, "PUT", "/v1/nodes/FBA",
              "{\"unit\":\"DE\",\"name\":\"F\",\"kind\":\"third_party\",\"country\":\"DE\",\"postal_code\":\"1\"}");
    shop_must(shop, 201, "PUT", "/v1/channels/fba",
              "{\"unit\":\"DE\",\"name\":\"F\",\"kind\":\"store\",\"nodes\":[\"FBA\"],\"shortage\":\"backorder\"}");
    shop_must(shop, 201, "PUT", "/v1/skus/VASE", "{\"name\":\"V\"}");
    receive(shop, "FBA", "VASE", 9);
    for (size_t i = 0; i < COUNT(then); i++) {
        char work[32], id[32];
        const char *made = on_account(shop, "fba", arena_printf(shop->arena, "F%zu", i), "VASE", 2);
        text_in(made, NULL, "id", id, sizeof id);
        text_in(made, "\"fulfilments\"", "id", work, sizeof work);
        shop_must(shop, 200, "POST", arena_printf(shop->arena, "/v1/fulfilments/%s/%s", work, then[i][0]), "%s", then[i][1]);
        if (i == 0)
            about(shop, id, "cancel", "{\"reason\":\"changed mind\",\"lines\":[{\"line\":1,\"quantity\":1}]}");
    }
}

/* One is requested, one has left, one came short. */
static void make_transfers(struct shop *shop)
{
    static const char *const then[][2] = { { NULL, NULL }, { "", NULL }, { "", "{\"lines\":[{\"sku\":\"CRATE\",\"quantity\":1}]}" } };
    shop_must(shop, 201, "PUT", "/v1/skus/CRATE", "{\"name\":\"C\"}");
    receive(shop, "LEJ", "CRATE", 9);
    for (size_t i = 0; i < COUNT(then); i++) {
        const char *id = id_of(
            shop, shop_must(shop, 201, "POST", "/v1/transfers", "{\"from\":\"LEJ\",\"to\":\"HAM\",\"lines\":[{\"sku\":\"CRATE\",\"quantity\":2}]}"));
        if (then[i][0] != NULL)
            shop_must(shop, 200, "POST", arena_printf(shop->arena, "/v1/transfers/%s/ship", id), "%s", then[i][0]);
        if (then[i][1] != NULL)
            shop_must(shop, 200, "POST", arena_printf(shop->arena, "/v1/transfers/%s/receive", id), "%s", then[i][1]);
    }
}

/* Units of a class, and what an inspection made of some. */
static void grade(struct shop *shop)
{
    shop_must(shop, 201, "PUT", "/v1/classes/B", "{\"name\":\"B stock\"}");
    shop_must(shop, 201, "POST", "/v1/inventory/adjustments",
              "{\"node\":\"HAM\",\"sku\":\"CRATE\",\"class\":\"B\",\"delta\":4,\"reason\":\"receipt\",\"bucket\":\"quarantined\"}");
    shop_must(shop, 201, "POST", "/v1/inspections",
              "{\"node\":\"HAM\",\"sku\":\"CRATE\",\"class\":\"B\",\"lines\":[{\"disposition\":\"restock\",\"quantity\":2},"
              "{\"disposition\":\"scrap\",\"quantity\":1}]}");
}

/* A purchase order of which an ASN is under way and a part is late, one that came short, one that was given up. */
static void make_supplies(struct shop *shop)
{
#define DUE(N, DAY) "{\"sku\":\"CRATE\",\"quantity\":" N ",\"expected_at\":\"2025-" DAY "T08:00:00Z\"}"
#define ANNOUNCE(KIND, ALSO, LINES) "{\"node\":\"LEJ\",\"kind\":\"" KIND "\"" ALSO ",\"lines\":[" LINES "]}"
    const char *purchase =
        id_of(shop, shop_must(shop, 201, "POST", "/v1/supplies", ANNOUNCE("purchase", "", DUE("5", "12-01") "," DUE("2", "11-01"))));
    shop_must(shop, 201, "POST", "/v1/supplies", ANNOUNCE("asn", ",\"purchase\":\"%s\"", DUE("3", "12-02")), purchase);
    const char *came = id_of(shop, shop_must(shop, 201, "POST", "/v1/supplies", ANNOUNCE("asn", "", DUE("2", "12-01"))));
    shop_must(shop, 200, "POST", arena_printf(shop->arena, "/v1/supplies/%s/receive", came),
              "{\"document\":\"DN-1\",\"lines\":[{\"sku\":\"CRATE\",\"quantity\":1}]}");
    const char *gone = id_of(shop, shop_must(shop, 201, "POST", "/v1/supplies", ANNOUNCE("production", "", DUE("1", "12-01"))));
    shop_must(shop, 200, "POST", arena_printf(shop->arena, "/v1/supplies/%s/close", gone), "{\"reason\":\"the machine broke\"}");
}

/* Two of three came, and one of them is inspected. */
static void send_back(struct shop *shop)
{
    char id[32], work[32];
    receive(shop, "LEJ", "CRATE", 3);
    const char *made =
        shop_must(shop, 201, "POST", "/v1/orders",
                  "{\"channel\":\"web\",\"channel_order_id\":\"BACK\",\"placed_at\":\"2026-11-24T08:00:00Z\",\"currency\":\"EUR\","
                  "\"customer\":{\"name\":\"A\"},\"ship_to\":{\"name\":\"A\",\"country\":\"DE\"},\"lines\":[{\"sku\":\"CRATE\",\"quantity\":3,"
                  "\"unit_price\":{\"amount\":\"10.00\",\"currency\":\"EUR\"}}],\"payment\":{\"term\":\"on_account\",\"status\":\"pending\"}}")
            .body;
    text_in(made, NULL, "id", id, sizeof id);
    text_in(made, "\"fulfilments\"", "id", work, sizeof work);
    static const char *const steps[][2] = { { "pick", "{}" },
                                            { "pack", "{\"packages\":[{\"weight_g\":1}]}" },
                                            { "ship", "{\"carrier\":\"C\",\"tracking\":\"T\"}" } };
    for (size_t i = 0; i < COUNT(steps); i++)
        shop_must(shop, 200, "POST", arena_printf(shop->arena, "/v1/fulfilments/%s/%s", work, steps[i][0]), "%s", steps[i][1]);
    const char *back =
        id_of(shop, shop_must(shop, 201, "POST", "/v1/returns",
                              "{\"order\":\"%s\",\"node\":\"LEJ\",\"document\":\"RMA-1\",\"lines\":[{\"line\":1,\"quantity\":3}]}", id));
    shop_must(shop, 200, "POST", arena_printf(shop->arena, "/v1/returns/%s/receive", back),
              "{\"document\":\"RMA-1\",\"lines\":[{\"line\":1,\"quantity\":2}]}");
    shop_must(shop, 200, "POST", arena_printf(shop->arena, "/v1/returns/%s/inspect", back),
              "{\"lines\":[{\"line\":1,\"quantity\":1,\"disposition\":\"scrap\"}]}");
}

/* Hamburg's carrier has two zones, Leipzig counts what it is given a day, b2b has a policy. */
static void route(struct shop *shop)
{
    shop_must(shop, 200, "PATCH", "/v1/nodes/LEJ", "{\"capacity_per_day\":100}");
    shop_must(
        shop, 201, "PUT", "/v1/routing/rates/L",
        "{\"unit\":\"DE\",\"name\":\"L\",\"zones\":[{\"country\":\"DE\",\"steps\":[{\"up_to_g\":9,\"price\":{\"amount\":\"1.00\",\"currency\":\"EUR\"}}]},"
        "{\"country\":\"AT\",\"steps\":[{\"up_to_g\":9,\"price\":{\"amount\":\"1.00\",\"currency\":\"EUR\"}}]}]}");
    shop_must(shop, 201, "PUT", "/v1/routing/nodes/HAM", "{\"time_zone\":\"Europe/Berlin\",\"rates\":\"L\"}");
    shop_must(shop, 201, "PUT", "/v1/routing/policies/b2b", "{\"unit\":\"DE\",\"channel\":\"b2b\"}");
}

/* One stands and has all, one was ended. */
static void call_back(struct shop *shop)
{
    shop_must(shop, 201, "PUT", "/v1/skus/TOY", "{\"name\":\"T\"}");
    receive(shop, "HAM", "TOY", 3);
    const char *id = id_of(shop, shop_must(shop, 201, "POST", "/v1/recalls", "{\"sku\":\"TOY\",\"nodes\":[\"LEJ\"],\"reason\":\"an error\"}"));
    shop_must(shop, 200, "POST", arena_printf(shop->arena, "/v1/recalls/%s/end", id), "{\"release\":true,\"reason\":\"an error\"}");
    shop_must(shop, 201, "POST", "/v1/recalls", "{\"sku\":\"TOY\",\"nodes\":[\"HAM\"],\"reason\":\"paint\"}");
    shop_jobs(shop, 1);
}

/* One by hand; of a sheet, whose second line is open, one that differed. */
static void count(struct shop *shop)
{
    shop_must(shop, 201, "POST", "/v1/inventory/adjustments", "{\"node\":\"LEJ\",\"sku\":\"CRATE\",\"set\":4,\"reason\":\"count\"}");
    const char *id = id_of(shop, shop_must(shop, 201, "POST", "/v1/counts", "{\"node\":\"LEJ\",\"skus\":[\"CRATE\",\"BULB\"]}"));
    for (int i = 0; i < 2; i++)
        shop_must(shop, 200, "POST", arena_printf(shop->arena, "/v1/counts/%s/lines", id),
                  "{\"counter\":\"%d\",\"lines\":[{\"sku\":\"CRATE\",\"counted\":3}]}", i);
}

/* What has left is classed: of coins more than of anything else. */
static void class(struct shop *shop)
{
    shop_must(shop, 201, "PUT", "/v1/skus/COIN", "{\"name\":\"C\"}");
    shop_must(shop, 201, "POST", "/v1/inventory/adjustments",
              "{\"node\":\"LEJ\",\"sku\":\"COIN\",\"delta\":4,\"reason\":\"receipt\",\"unit_cost\":{\"amount\":\"7.00\",\"currency\":\"EUR\"}}");
    const char *id =
        id_of(shop, shop_must(shop, 201, "POST", "/v1/transfers", "{\"from\":\"LEJ\",\"to\":\"HAM\",\"lines\":[{\"sku\":\"COIN\",\"quantity\":2}]}"));
    shop_must(shop, 200, "POST", arena_printf(shop->arena, "/v1/transfers/%s/ship", id), NULL);
    shop_must(shop, 201, "POST", "/v1/counts/classes", "{\"unit\":\"DE\"}");
    shop_jobs(shop, 1);
}

/* Reserved, released, cancelled, held, a bundle, waiting, a fence, a checkout, transfers, a class, supplies, recalls; lines that name nothing, or
 * did. */
static struct shop *busy_shop(enum store store)
{
    struct shop *shop = shop_open(store);
    shop_furnish(shop);
    route(shop);
    receive(shop, "LEJ", "LAMP", 12);
    receive(shop, "LEJ", "BULB", 6);
    receive(shop, "HAM", "SHADE", 2);
    id_of(shop, order(shop, "web", "1", "LAMP", 2));
    about(shop, id_of(shop, order(shop, "web", "2", "LAMP", 1)), "payments",
          "{\"kind\":\"captured\",\"amount\":{\"amount\":\"10.00\",\"currency\":\"EUR\"},\"reference\":\"p1\"}");
    about(shop, id_of(shop, order(shop, "web", "3", "LAMP", 1)), "cancel", "{\"reason\":\"changed mind\"}");
    about(shop, id_of(shop, order(shop, "web", "4", "LAMP", 1)), "holds", "{\"kind\":\"fraud\",\"reason\":\"look\"}");
    id_of(shop, order(shop, "web", "5", "KIT", 1));
    id_of(shop, order(shop, "web", "6", "BULB", 50));
    id_of(shop, order(shop, "market", "7", "NO-7", 1));
    id_of(shop, order(shop, "market", "8", "LATE", 1));
    shop_must(shop, 201, "PUT", "/v1/skus/LATE", "{\"name\":\"L\"}");
    about(shop, id_of(shop, order(shop, "market", "9", "NO-9", 1)), "cancel", "{\"reason\":\"changed mind\"}");
    miss(shop);
    shop_must(shop, 201, "PUT", "/v1/channels/b2b/fences/LEJ/LAMP", "{\"quantity\":2}");
    shop_must(shop, 201, "POST", "/v1/reservations", "{\"channel\":\"web\",\"lines\":[{\"sku\":\"LAMP\",\"quantity\":1}],\"ttl_s\":60}");
    make_transfers(shop);
    grade(shop);
    make_supplies(shop);
    count(shop);
    ask_and_decline(shop);
    shop_must(shop, 201, "PUT", "/v1/webhooks/erp", "{\"url\":\"https://erp.example/in\"}");
    assert_int_equal(shop_report(shop, 1, "erp", 1, 4, false), COMMAND_ACCEPTED);
    call_back(shop);
    send_back(shop);
    shop_must(shop, 201, "PUT", "/v1/nodes/FAR",
              "{\"unit\":\"DE\",\"name\":\"F\",\"kind\":\"third_party\",\"authority\":\"mirrored\",\"country\":\"DE\",\"postal_code\":\"1\"}");
    shop_must(
        shop, 201, "POST", "/v1/nodes/FAR/snapshot",
        "{\"taken_at\":\"2025-11-24T08:00:00Z\",\"document\":\"F-1\",\"part\":1,\"items\":[{\"sku\":\"TOY\",\"quantity\":4,\"quarantined\":1}]}");
    lose(shop);
    class(shop);
    shop_promises(shop, 1);
    return shop;
}

static void break_it(struct shop *shop, struct db *db, const struct broken *broken)
{
    const char *sql = broken->sql;
    if (broken->unchecked)
        sql =
            arena_printf(shop->arena, "%s%s",
                         db_is_sqlite(db) ? "PRAGMA ignore_check_constraints = ON;"
                                          : "DO $$ DECLARE c record; BEGIN FOR c IN SELECT conrelid::regclass AS t, conname AS n FROM pg_constraint "
                                            "WHERE contype = 'c' AND conrelid IN ('demand'::regclass, 'position'::regclass) LOOP "
                                            "EXECUTE format('ALTER TABLE %s DROP CONSTRAINT %I', c.t, c.n); END LOOP; END $$;",
                         sql);
    if (db_script(db, sql) != DB_OK)
        fail_msg("%s: %s", broken->says, db_last_error(db));
}

/* Where a break is. */
enum place { STORE_ALONE, IN_THE_LEDGER, BELOW_THE_LEDGER };

static void nothing_is_found(struct shop *shop, enum place place, const char *when)
{
    struct shop_copy copy;
    shop_copy(shop, place != STORE_ALONE, &copy);
    struct seen seen = look(&copy, shop->vault, NULL);
    if (seen.wrong[0] != '\0')
        fail_msg("%s: %s", when, seen.wrong);
    shop_copy_close(shop, &copy);
}

/* Each in a copy of its own of the one shop, in which nothing is found before and afterwards. */
static void each_is_found_alone(struct shop *shop, const struct broken *each, size_t count, enum place place)
{
    nothing_is_found(shop, place, "nothing is broken yet");
    for (size_t i = 0; i < count; i++) {
        struct shop_copy copy;
        shop_copy(shop, place != STORE_ALONE, &copy);
        break_it(shop, place == IN_THE_LEDGER ? copy.read : copy.db, &each[i]);
        struct seen seen = look(&copy, shop->vault, &each[i]);
        if (seen.right == 0 || seen.wrong[0] != '\0')
            fail_msg("%s: %s is told %ld times, also %s", each[i].says, each[i].id, (long)seen.right, seen.wrong);
        shop_copy_close(shop, &copy);
    }
    nothing_is_found(shop, place, "a break is seen in another's copy");
}

/* SQLite: into a file of a new folder, of which the copies are made. */
static void put_into_file(struct shop *shop, enum store store, char *folder)
{
    if (store != STORE_SQLITE)
        return;
    const char *root = getenv("TMPDIR");
    snprintf(folder, FOLDER_MAX, "%s/millrace-check.XXXXXX", root == NULL ? "/tmp" : root);
    assert_non_null(mkdtemp(folder));
    shop_in_file(shop, arena_printf(shop->arena, "%s/shop", folder));
}

static void close_with_file(struct shop *shop, enum store store, const char *folder, bool with_read)
{
    if (store == STORE_SQLITE) {
        unlink(shop->url + strlen("sqlite:"));
        if (with_read)
            unlink(arena_printf(shop->arena, "%s.read", shop->url + strlen("sqlite:")));
        assert_int_equal(rmdir(folder), 0); /* the copies are gone, and no journal was left */
    }
    shop_close(shop);
}

static void store_breaks_are_found(enum store store)
{
    char folder[FOLDER_MAX];
    struct shop *shop = busy_shop(store);
    put_into_file(shop, store, folder);
    shop_rest(shop);
    each_is_found_alone(shop, breaks, COUNT(breaks), STORE_ALONE);
    close_with_file(shop, store, folder, false);
}

/* ---- the ledger, which stands beside the store ---- */

static void follow(struct shop *shop)
{
    struct db *read = NULL;
    const char *error = "";
    struct follower follower = { .store = engine_db(shop->engine), .vault = shop->vault, .arena = arena_new((size_t)64 << 20) };
    if (db_open(&read, &(struct db_options){ .url = shop->url, .projection = true, .create = true }, shop->arena, &error) != DB_OK ||
        db_migrate(read, true, shop->arena, &error) != MIGRATE_DONE)
        fail_msg("%s", error);
    follower.read = read;
    assert_int_equal(projection_round(&follower), DB_OK);
    arena_free(follower.arena);
    db_close(read);
}

static void ledger_breaks_are_found(enum store store)
{
    char folder[FOLDER_MAX];
    struct shop *shop = busy_shop(store);
    shop_must(shop, 201, "POST", "/v1/inventory/adjustments",
              "{\"node\":\"LEJ\",\"sku\":\"CRATE\",\"delta\":1,\"reason\":\"receipt\",\"unit_cost\":{\"amount\":\"7.00\",\"currency\":\"EUR\"}}");
    put_into_file(shop, store, folder);
    follow(shop);
    shop_rest(shop);
    each_is_found_alone(shop, ledger_breaks, COUNT(ledger_breaks), IN_THE_LEDGER);
    each_is_found_alone(shop, below_the_ledger, COUNT(below_the_ledger), BELOW_THE_LEDGER);
    close_with_file(shop, store, folder, true);
}

static void what_is_wrong_in_the_ledger_on_sqlite(void **state)
{
    ledger_breaks_are_found(STORE_SQLITE);
}

static void what_is_wrong_in_the_ledger_on_postgresql(void **state)
{
    if (!store_is_there(STORE_POSTGRES))
        skip();
    ledger_breaks_are_found(STORE_POSTGRES);
}

static bool all_broken;

static void each_broken_rule_is_found_alone_on_sqlite(void **state)
{
    store_breaks_are_found(STORE_SQLITE);
    all_broken = true;
}

static void each_broken_rule_is_found_alone_on_postgresql(void **state)
{
    if (!store_is_there(STORE_POSTGRES))
        skip();
    store_breaks_are_found(STORE_POSTGRES);
}

/* ---- no rule without a break ---- */

static const char *sources; /* src/check */

/* The string literals of an argument, those that stand beside each other as one; gives the argument's end. */
struct literals {
    char texts[6][200];
    size_t count;
};
static const char *read_argument(const char *at, struct literals *literals)
{
    bool beside = false;
    for (int depth = 0; *at != '\0' && (depth > 0 || (*at != ',' && *at != ')')); at++) {
        if (*at == '"') {
            size_t length = 0;
            if (!beside)
                literals->texts[literals->count++][0] = '\0';
            char *text = literals->texts[literals->count - 1];
            length = strlen(text);
            for (at++; *at != '"' && length + 1 < sizeof literals->texts[0]; at++)
                text[length++] = *at;
            text[length] = '\0';
        } else if (*at != ' ' && *at != '\n')
            depth += (*at == '(') - (*at == ')');
        beside = *at == '"' || (beside && (*at == ' ' || *at == '\n'));
        assert_true(literals->count < COUNT(literals->texts));
    }
    return at;
}

static bool was_said(const char *id, const char *what)
{
    for (size_t i = 0; i < said_count; i++)
        if ((id == NULL || strcmp(all_said[i].id, id) == 0) && (what == NULL || strcmp(all_said[i].what, what) == 0))
            return true;
    return false;
}

/* A place that tells a violation: each rule that it names was told, and each of its sentences. */
static size_t judge_place(const char *file, const char *at)
{
    struct literals ids = { .count = 0 }, whats = { .count = 0 };
    size_t missing = 0;
    at = strchr(at, ',');
    at = read_argument(at + 1, &ids);
    (void)read_argument(at + 1, &whats);
    for (size_t i = 0; i < ids.count; i++)
        if (!was_said(ids.texts[i], whats.count == 1 ? whats.texts[0] : NULL)) {
            print_message("%s: nothing breaks %s: %s\n", file, ids.texts[i], whats.count == 0 ? "" : whats.texts[0]);
            missing++;
        }
    for (size_t i = 0; ids.count == 1 && i < whats.count && whats.count > 1; i++)
        if (!was_said(ids.texts[0], whats.texts[i])) {
            print_message("%s: nothing breaks %s: %s\n", file, ids.texts[0], whats.texts[i]);
            missing++;
        }
    return missing;
}

/* A place that tells of what a row names: the fourth argument says what names what. */
static size_t judge_reference(const char *file, const char *at)
{
    struct literals skipped = { .count = 0 }, whats = { .count = 0 };
    size_t missing = 0;
    for (int i = 0; i < 3; i++)
        at = read_argument(at, &skipped) + 1;
    (void)read_argument(at, &whats);
    for (size_t i = 0; i < whats.count; i++)
        if (!was_said("reference_unit", whats.texts[i])) {
            print_message("%s: nothing breaks reference_unit: %s\n", file, whats.texts[i]);
            missing++;
        }
    return missing;
}

static size_t judge_file(const char *file, size_t *places)
{
    static char text[200000];
    size_t missing = 0;
    FILE *source = fopen(file, "r");
    assert_non_null(source);
    text[fread(text, 1, sizeof text - 1, source)] = '\0';
    fclose(source);
    assert_true(strlen(text) + 1 < sizeof text);
    for (const char *at = text; (at = strstr(at, " check_found(")) != NULL; at++) {
        if (strncmp(at, " check_found(struct", 19) == 0)
            continue;
        missing += judge_place(file, at);
        (*places)++;
    }
    static const char *const references[] = { "must_know(check", "must_know_if_any(check", "must_be_told(check" };
    for (size_t i = 0; i < COUNT(references); i++)
        for (const char *at = text; (at = strstr(at, references[i])) != NULL; at++, (*places)++)
            missing += judge_reference(file, strchr(at, '(') + 1);
    return missing;
}

static void no_rule_is_without_a_break(void **state)
{
    size_t missing = 0, places = 0;
    if (!all_broken)
        skip();
    DIR *folder = opendir(sources);
    char path[512];
    assert_non_null(folder);
    for (struct dirent *file; (file = readdir(folder)) != NULL;) {
        const size_t length = strlen(file->d_name);
        snprintf(path, sizeof path, "%s/%s", sources, file->d_name);
        if (length > 2 && strcmp(file->d_name + length - 2, ".c") == 0)
            missing += judge_file(path, &places);
    }
    closedir(folder);
    print_message("%zu places tell of %zu things\n", places, said_count);
    assert_true(places > 150); /* else the sources look otherwise than this test thinks */
    assert_int_equal(missing, 0);
}

int main(int count, char **words)
{
    if (count != 2) {
        fprintf(stderr, "check_test: say where src/check is\n");
        return 1;
    }
    sources = words[1];
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_wrong_in_the_ledger_on_sqlite),
        cmocka_unit_test(what_is_wrong_in_the_ledger_on_postgresql),
        cmocka_unit_test(each_broken_rule_is_found_alone_on_sqlite),
        cmocka_unit_test(each_broken_rule_is_found_alone_on_postgresql),
        cmocka_unit_test(no_rule_is_without_a_break), /* last: of all that was broken */
    };
    return cmocka_run_group_tests_name("check", tests, NULL, NULL);
}
