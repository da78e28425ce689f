-- name: check_units :many
-- all units: the check goes through each
-- scan: one row a unit
SELECT u.unit FROM unit_clock AS u ORDER BY u.unit;

-- name: check_clock :one
-- $1 unit ID
SELECT u.event_seq, u.event_time, u.next_id, u.blocked FROM unit_clock AS u WHERE u.unit = $1;

-- name: check_business_units :many
-- $1 unit ID
SELECT b.id FROM business_unit AS b WHERE b.unit = $1 ORDER BY b.id;

-- name: check_classes :many
-- $1 unit ID; $2 after ID; $3 most INT
SELECT c.id FROM goods_class AS c WHERE c.unit = $1 AND c.id > $2 ORDER BY c.id LIMIT $3;

-- name: check_nodes :many
-- $1 unit ID; $2 after ID
SELECT n.id FROM node AS n WHERE n.unit = $1 AND n.id > $2 ORDER BY n.id;

-- name: check_positions :many
-- $1 unit ID; $2 after ID; $3 most INT
SELECT p.sku, p.node, p.class, p.available, p.reserved, p.allocated, p.quarantined, p.fenced, p.blocked, p.claimant1, p.claimant2, p.claimant3, p.claimant4
  FROM position AS p WHERE p.unit = $1 AND p.sku > $2 ORDER BY p.sku, p.node, p.class LIMIT $3;

-- name: check_claimants :many
-- $1 unit ID; $2 after ID; $3 upto ID
SELECT c.sku, c.node, c.class, c.holder
  FROM claimant AS c WHERE c.unit = $1 AND c.sku > $2 AND c.sku <= $3 ORDER BY c.sku, c.node, c.class, c.kind, c.priority, c.promise, c.holder;

-- name: check_fences_of_skus :many
-- $1 unit ID; $2 after ID; $3 upto ID
SELECT f.sku, f.node, f.channel FROM fence AS f WHERE f.unit = $1 AND f.sku > $2 AND f.sku <= $3 ORDER BY f.sku, f.node, f.channel;

-- name: check_claims :many
-- $1 unit ID; $2 after ID; $3 most INT
SELECT c.holder, c.kind, c.line, c.part, c.node, c.sku, c.class, c.priority, c.promise, c.soft, c.hard
  FROM claim AS c WHERE c.unit = $1 AND c.holder > $2 ORDER BY c.holder, c.kind, c.line, c.part, c.node, c.sku, c.class LIMIT $3;

-- name: check_movements :many
-- $1 unit ID; $2 after ID; $3 most INT
SELECT m.id, m.sku, m.class, m.quantity, m.from_node, m.from_bucket, m.to_node, m.to_bucket, m.cause_kind, m.cause
  FROM movement AS m WHERE m.unit = $1 AND m.id > $2 ORDER BY m.id LIMIT $3;

-- name: check_orders :many
-- $1 unit ID; $2 after ID; $3 most INT
SELECT o.id, o.channel, o.channel_order_id, o.stage, o.holds, o.person, o.priority, o.promise_by, o.reservation, o.total, o.shipping,
       o.prices_include_tax, o.max_shipments
  FROM orders AS o WHERE o.unit = $1 AND o.id > $2 ORDER BY o.id LIMIT $3;

-- name: check_demands :many
-- $1 unit ID; $2 after ID; $3 upto ID
SELECT d.ord, d.line, d.part, d.sku, d.need, d.ordered, d.cancelled, d.backordered, d.reserved, d.allocated, d.shipped
  FROM demand AS d WHERE d.unit = $1 AND d.ord > $2 AND d.ord <= $3 ORDER BY d.ord, d.line, d.part;

-- name: check_claims_of_orders :many
-- $1 unit ID; $2 after ID; $3 upto ID
SELECT c.holder, c.line, c.part, c.kind, c.node, c.sku, c.priority, c.promise, c.soft, c.hard
  FROM claim AS c WHERE c.unit = $1 AND c.holder > $2 AND c.holder <= $3
 ORDER BY c.holder, c.kind, c.line, c.part, c.node, c.sku, c.class;

-- name: check_fulfilments :many
-- $1 unit ID; $2 after ID; $3 upto ID
SELECT f.ord, f.id, f.state, f.node FROM fulfilment AS f WHERE f.unit = $1 AND f.ord > $2 AND f.ord <= $3 ORDER BY f.ord, f.id;

-- name: check_holds :many
-- $1 unit ID; $2 after ID; $3 upto ID
SELECT h.ord, h.number, h.set_seq, h.cleared_seq FROM order_hold AS h WHERE h.unit = $1 AND h.ord > $2 AND h.ord <= $3 ORDER BY h.ord, h.number;

-- name: check_keys :many
-- $1 unit ID; $2 least INT; $3 most INT
SELECT k.number, k.ord FROM order_key AS k WHERE k.unit = $1 AND k.number >= $2 ORDER BY k.number, k.ord LIMIT $3;

-- name: check_events :many
-- $1 unit ID; $2 after INT; $3 most INT
SELECT e.seq, e.at, e.about, e.node, e.sku FROM event AS e WHERE e.unit = $1 AND e.seq > $2 ORDER BY e.seq LIMIT $3;

-- name: check_lines :many
-- $1 unit ID; $2 after ID; $3 upto ID
SELECT l.ord, l.line, l.sku, l.said, l.said_by_listing, l.quantity, l.unit_price, l.discount, l.tax, l.priced, l.replaces
  FROM order_line AS l WHERE l.unit = $1 AND l.ord > $2 AND l.ord <= $3 ORDER BY l.ord, l.line;

-- name: check_unmapped :many
-- $1 unit ID; $2 after ID; $3 upto ID
SELECT u.ord, u.line, u.channel, u.by_listing, u.word, u.mapped_seq FROM unmapped_line AS u WHERE u.unit = $1 AND u.ord > $2 AND u.ord <= $3 ORDER BY u.ord, u.line;

-- name: check_open_exceptions :many
-- $1 unit ID; $2 after ID; $3 upto ID
SELECT x.about, x.id, x.type, x.sku
  FROM exception_item AS x WHERE x.unit = $1 AND x.about > $2 AND x.about <= $3 AND x.about > 0 AND x.state = 1 ORDER BY x.about, x.id;

-- name: check_payments :many
-- $1 unit ID; $2 after ID; $3 upto ID
SELECT p.ord, p.number FROM payment AS p WHERE p.unit = $1 AND p.ord > $2 AND p.ord <= $3 ORDER BY p.ord, p.number;

-- name: check_decisions :many
-- $1 unit ID; $2 after ID; $3 upto ID
SELECT d.ord, d.number FROM decision AS d WHERE d.unit = $1 AND d.ord > $2 AND d.ord <= $3 ORDER BY d.ord, d.number;

-- name: check_persons :many
-- $1 unit ID; $2 after ID; $3 upto ID
SELECT p.id FROM person AS p WHERE p.unit = $1 AND p.id > $2 AND p.id <= $3 ORDER BY p.id;

-- name: check_persons_before :many
-- $1 unit ID; $2 after ID; $3 upto ID
SELECT b.id, b.seq FROM person_before AS b WHERE b.unit = $1 AND b.id > $2 AND b.id <= $3 ORDER BY b.id, b.seq;

-- name: check_waiting :many
-- $1 unit ID; $2 after ID; $3 most INT
SELECT w.sku, w.priority, w.promise, w.ord, w.line, w.part, w.channel, w.units, w.capped
  FROM waiting AS w WHERE w.unit = $1 AND w.sku > $2 ORDER BY w.sku, w.priority, w.promise, w.ord, w.line, w.part LIMIT $3;

-- name: check_waiting_of_sku :many
-- $1 unit ID; $2 sku ID
SELECT w.sku, w.priority, w.promise, w.ord, w.line, w.part, w.channel, w.units, w.capped
  FROM waiting AS w WHERE w.unit = $1 AND w.sku = $2 ORDER BY w.priority, w.promise, w.ord, w.line, w.part;

-- name: check_short_picks :many
-- $1 unit ID; $2 after ID; $3 most INT
SELECT s.sku, s.node, s.ord, s.quantity FROM short_pick AS s WHERE s.unit = $1 AND s.sku > $2 ORDER BY s.sku, s.node, s.ord LIMIT $3;

-- name: check_count_facts :many
-- $1 unit ID; $2 after ID; $3 most INT
SELECT c.sku, c.node, c.class, c.seq, c.as_of, c.counted, c.delta, c.adjustment
  FROM count_fact AS c WHERE c.unit = $1 AND c.sku > $2 ORDER BY c.sku, c.node, c.class, c.seq LIMIT $3;
-- name: check_asked :many
-- $1 unit ID; $2 after ID; $3 most INT
SELECT a.fulfilment, a.line, a.part, a.quantity, a.was FROM cancel_asked AS a
 WHERE a.unit = $1 AND a.fulfilment > $2 ORDER BY a.fulfilment, a.line, a.part LIMIT $3;

-- name: check_requested :many
-- $1 unit ID; $2 node ID; $3 after ID; $4 most INT
SELECT f.id FROM fulfilment AS f INDEXED BY fulfilment_asked WHERE f.unit = $1 AND f.node = $2 AND f.state = 9 AND f.id > $3 ORDER BY f.id LIMIT $4;

-- name: check_refusals :many
-- $1 unit ID; $2 after ID; $3 most INT
SELECT r.ord, r.node, r.fulfilment FROM node_refusal AS r WHERE r.unit = $1 AND r.ord > $2 ORDER BY r.ord, r.node LIMIT $3;

-- name: check_count_sheets :many
-- $1 unit ID; $2 after ID; $3 most INT
SELECT c.id, c.node, c.state, c.opened_seq, c.lines, c.lines_booked, c.lines_right, c.units, c.units_off
  FROM count_sheet AS c WHERE c.unit = $1 AND c.id > $2 ORDER BY c.id LIMIT $3;

-- name: check_count_lines :many
-- $1 unit ID; $2 after ID; $3 upto ID
SELECT l.sheet, l.line, l.sku, l.abc, l.state, l.expected, l.delta, l.within, l.adjustment
  FROM count_line AS l WHERE l.unit = $1 AND l.sheet > $2 AND l.sheet <= $3 ORDER BY l.sheet, l.line;

-- name: check_count_tries :many
-- $1 unit ID; $2 after ID; $3 upto ID
SELECT t.sheet, t.line, t.number FROM count_try AS t WHERE t.unit = $1 AND t.sheet > $2 AND t.sheet <= $3 ORDER BY t.sheet, t.line, t.number;
-- name: check_losses :many
-- $1 unit ID; $2 after ID; $3 most INT
SELECT l.ord, l.fulfilment, l.line, l.part, l.kind, l.quantity, l.again, l.refunded FROM parcel_loss AS l
 WHERE l.unit = $1 AND l.ord > $2 ORDER BY l.ord, l.fulfilment, l.line, l.part, l.kind LIMIT $3;

-- name: check_assumed :many
-- $1 unit ID; $2 after ID; $3 most INT
SELECT a.fulfilment FROM assumed_delivery AS a WHERE a.unit = $1 AND a.fulfilment > $2 ORDER BY a.fulfilment LIMIT $3;

-- name: check_due :many
-- $1 unit ID; $2 at INT; $3 after ID; $4 most INT
SELECT p.at, p.fulfilment FROM parcel_due AS p WHERE p.unit = $1 AND (p.at, p.fulfilment) > ($2, $3) ORDER BY p.at, p.fulfilment LIMIT $4;

-- name: check_open_of_type :many
-- $1 unit ID; $2 type INT; $3 after ID; $4 most INT
SELECT x.id, x.node, x.sku, x.cause, x.about, x.subject FROM exception_item AS x INDEXED BY exception_work
 WHERE x.unit = $1 AND x.state = 1 AND x.type > 0 AND x.type = $2 AND x.id > $3 ORDER BY x.id LIMIT $4;

-- name: check_fulfilment_ids :many
-- $1 unit ID; $2 after ID; $3 most INT
SELECT f.id FROM fulfilment AS f WHERE f.unit = $1 AND f.id > $2 ORDER BY f.id LIMIT $3;

-- name: check_fulfilment_lines :many
-- $1 unit ID; $2 after ID; $3 upto ID
SELECT l.fulfilment, l.line, l.part, l.sku FROM fulfilment_line AS l
 WHERE l.unit = $1 AND l.fulfilment > $2 AND l.fulfilment <= $3 ORDER BY l.fulfilment, l.line, l.part;

-- name: check_packages :many
-- $1 unit ID; $2 after ID; $3 upto ID
SELECT p.fulfilment, p.number FROM package AS p WHERE p.unit = $1 AND p.fulfilment > $2 AND p.fulfilment <= $3 ORDER BY p.fulfilment, p.number;

-- name: check_skus :many
-- $1 unit ID; $2 after ID; $3 most INT
SELECT s.id FROM sku AS s WHERE s.unit = $1 AND s.id > $2 ORDER BY s.id LIMIT $3;

-- name: check_channels :many
-- $1 unit ID; $2 after ID; $3 most INT
SELECT c.id FROM channel AS c WHERE c.unit = $1 AND c.id > $2 ORDER BY c.id LIMIT $3;

-- name: check_listings :many
-- $1 unit ID; $2 after ID; $3 most INT
SELECT l.id, l.channel, l.sku FROM listing AS l WHERE l.unit = $1 AND l.id > $2 ORDER BY l.id LIMIT $3;

-- name: check_reservations :many
-- $1 unit ID; $2 after ID; $3 most INT
SELECT r.id, r.channel, r.ord FROM reservation AS r WHERE r.unit = $1 AND r.id > $2 ORDER BY r.id LIMIT $3;

-- name: check_inspections :many
-- $1 unit ID; $2 after ID; $3 most INT
SELECT n.id, n.kind, n.node, n.sku, n.class, n.event_seq FROM inspection AS n WHERE n.unit = $1 AND n.id > $2 ORDER BY n.id LIMIT $3;

-- name: check_snapshots :many
-- $1 unit ID; $2 after ID; $3 most INT
SELECT s.id, s.node, s.event_seq FROM snapshot AS s WHERE s.unit = $1 AND s.id > $2 ORDER BY s.id LIMIT $3;

-- name: check_adjustments :many
-- $1 unit ID; $2 after ID; $3 most INT
SELECT a.id, a.node, a.sku, a.class, a.event_seq FROM adjustment AS a WHERE a.unit = $1 AND a.id > $2 ORDER BY a.id LIMIT $3;

-- name: check_exceptions :many
-- $1 unit ID; $2 after ID; $3 most INT
SELECT x.id, x.about, x.node, x.sku FROM exception_item AS x WHERE x.unit = $1 AND x.id > $2 ORDER BY x.id LIMIT $3;

-- name: check_substitutes :many
-- $1 unit ID; $2 after ID; $3 upto ID
SELECT s.id, s.substitutes FROM sku AS s WHERE s.unit = $1 AND s.id > $2 AND s.id <= $3 AND s.substitutes IS NOT NULL ORDER BY s.id;

-- name: check_sku_named :one
-- $1 unit ID; $2 code TEXT
SELECT s.id FROM sku AS s WHERE s.unit = $1 AND s.code = $2;

-- name: check_components :many
-- $1 unit ID; $2 after ID; $3 upto ID
SELECT c.bundle, c.part, c.sku FROM bundle_component AS c WHERE c.unit = $1 AND c.bundle > $2 AND c.bundle <= $3 ORDER BY c.bundle, c.part;

-- name: check_channel_nodes :many
-- $1 unit ID; $2 after ID; $3 upto ID
SELECT c.channel, c.part, c.node FROM channel_node AS c WHERE c.unit = $1 AND c.channel > $2 AND c.channel <= $3 ORDER BY c.channel, c.part;

-- name: check_fences :many
-- $1 unit ID; $2 after ID; $3 upto ID
SELECT f.channel, f.node, f.sku FROM fence AS f WHERE f.unit = $1 AND f.channel > $2 AND f.channel <= $3 ORDER BY f.channel, f.node, f.sku;

-- name: check_work :many
-- What nodes were given of a range of orders.
-- $1 unit ID; $2 after ID; $3 upto ID
SELECT f.ord, f.id, f.state, f.node, l.line, l.part, l.sku, l.quantity, l.cancelled
  FROM fulfilment AS f CROSS JOIN fulfilment_line AS l
 WHERE f.unit = $1 AND f.ord > $2 AND f.ord <= $3 AND l.unit = $1 AND l.fulfilment = f.id ORDER BY f.ord, f.id, l.line, l.part;

-- name: check_transfers :many
-- $1 unit ID; $2 after ID; $3 most INT
SELECT t.id, t.from_node, t.to_node, t.state, t.settled FROM transfer AS t WHERE t.unit = $1 AND t.id > $2 ORDER BY t.id LIMIT $3;

-- name: check_transfer_lines :many
-- $1 unit ID; $2 after ID; $3 upto ID
SELECT l.transfer, l.line, l.sku, l.quantity, l.shipped, l.received FROM transfer_line AS l
 WHERE l.unit = $1 AND l.transfer > $2 AND l.transfer <= $3 ORDER BY l.transfer, l.line;

-- name: check_under_way :many
-- CROSS JOIN: SQLite keeps this order.
-- $1 unit ID; $2 state INT
SELECT l.sku, t.to_node, l.shipped FROM transfer AS t INDEXED BY transfer_state CROSS JOIN transfer_line AS l
 WHERE t.unit = $1 AND t.state = $2 AND l.unit = t.unit AND l.transfer = t.id ORDER BY t.id, l.line;

-- name: check_coming :many
-- $1 unit ID
SELECT p.sku, p.node, p.coming FROM position AS p WHERE p.unit = $1 AND p.coming > 0 ORDER BY p.sku, p.node, p.class;

-- name: check_returns :many
-- $1 unit ID; $2 after ID; $3 most INT
SELECT r.id, r.ord, r.node, r.state FROM goods_return AS r WHERE r.unit = $1 AND r.id > $2 ORDER BY r.id LIMIT $3;

-- name: check_return_lines :many
-- $1 unit ID; $2 after ID; $3 upto ID
SELECT l.goods_return, l.line, l.sku, l.expected, l.received, l.inspected FROM return_line AS l
 WHERE l.unit = $1 AND l.goods_return > $2 AND l.goods_return <= $3 ORDER BY l.goods_return, l.line;

-- name: check_return_receipts :many
-- $1 unit ID; $2 after ID; $3 upto ID
SELECT r.goods_return, r.line, r.quantity, r.waiting FROM return_receipt AS r
 WHERE r.unit = $1 AND r.goods_return > $2 AND r.goods_return <= $3 ORDER BY r.goods_return, r.receipt;

-- name: check_return_outcomes :many
-- $1 unit ID; $2 after ID; $3 upto ID
SELECT o.goods_return, o.line, o.quantity FROM return_outcome AS o
 WHERE o.unit = $1 AND o.goods_return > $2 AND o.goods_return <= $3 ORDER BY o.goods_return, o.outcome;

-- name: check_recalls :many
-- $1 unit ID; $2 after ID; $3 most INT
SELECT r.id, r.sku, r.state, r.places, r.at_work FROM recall AS r WHERE r.unit = $1 AND r.id > $2 ORDER BY r.id LIMIT $3;

-- name: check_recall_places :many
-- $1 unit ID; $2 after ID; $3 upto ID
SELECT p.recall, p.node, p.class, p.sku, p.job, p.stands FROM recall_place AS p
 WHERE p.unit = $1 AND p.recall > $2 AND p.recall <= $3 ORDER BY p.recall, p.node, p.class;

-- name: check_open_recalls :many
-- $1 unit ID; $2 type INT
SELECT e.subject FROM exception_item AS e INDEXED BY exception_work
 WHERE e.unit = $1 AND e.type = $2 AND e.state = 1 AND e.type > 0 ORDER BY e.id;

-- name: check_short_transfers :many
-- $1 unit ID; $2 type INT
SELECT e.subject, e.quantity FROM exception_item AS e INDEXED BY exception_work
 WHERE e.unit = $1 AND e.type = $2 AND e.state = 1 AND e.type > 0 ORDER BY e.id;

-- name: check_sent :many
-- $1 unit ID
SELECT e.sku, e.node, e.units FROM expected AS e INDEXED BY expected_sent WHERE e.unit = $1 AND e.sent = 1 ORDER BY e.sku, e.node, e.supply, e.line;

-- name: check_supplies :many
-- $1 unit ID; $2 after ID; $3 most INT
SELECT s.id, s.kind, s.node, s.state, s.purchase, s.ended_at, s.closed_at, s.reason, s.due_at, s.event_seq
  FROM supply AS s WHERE s.unit = $1 AND s.id > $2 ORDER BY s.id LIMIT $3;

-- name: check_supply_lines :many
-- $1 unit ID; $2 after ID; $3 upto ID
SELECT l.supply, l.line, l.sku, l.quantity, l.announced, l.received, l.given_up, l.expected_at, l.purchase_line FROM supply_line AS l
 WHERE l.unit = $1 AND l.supply > $2 AND l.supply <= $3 ORDER BY l.supply, l.line;

-- name: check_exact_lines :many
-- What ASNs have of the purchase orders of a range. CROSS JOIN: SQLite keeps this order.
-- $1 unit ID; $2 after ID; $3 upto ID
SELECT s.purchase, l.purchase_line, l.quantity, l.announced, l.received, l.given_up
  FROM supply AS s INDEXED BY supply_purchase CROSS JOIN supply_line AS l
 WHERE s.unit = $1 AND s.purchase > $2 AND s.purchase <= $3 AND s.purchase > 0 AND l.unit = s.unit AND l.supply = s.id AND l.purchase_line > 0
 ORDER BY s.purchase, s.id, l.line;

-- name: check_expected :many
-- $1 unit ID; $2 after ID; $3 upto ID
SELECT e.supply, e.line, e.sku, e.at, e.node, e.units, e.sent FROM expected AS e INDEXED BY expected_line
 WHERE e.unit = $1 AND e.supply > $2 AND e.supply <= $3 ORDER BY e.supply, e.line, e.at;

-- name: check_dues :many
-- $1 unit ID
SELECT d.at, d.supply FROM supply_due AS d WHERE d.unit = $1 ORDER BY d.at, d.supply;

-- name: check_deliveries :many
-- $1 unit ID; $2 after ID; $3 upto ID
SELECT r.supply, r.number, r.event_seq FROM supply_receipt AS r WHERE r.unit = $1 AND r.supply > $2 AND r.supply <= $3 ORDER BY r.supply, r.number;

-- name: check_ledger_positions :many
-- $1 unit ID; $2 after ID; $3 most INT
SELECT p.sku, p.class, p.available, p.reserved, p.allocated, p.quarantined
  FROM position AS p WHERE p.unit = $1 AND p.sku > $2 ORDER BY p.sku, p.node, p.class LIMIT $3;

-- name: check_ledger_postings :many
-- In the projections' store, as those below.
-- $1 unit ID; $2 source INT; $3 after ID; $4 upto ID
SELECT p.id, p.line, p.account, p.amount, p.currency, p.day, p.subject, p.note FROM ledger_posting AS p
 WHERE p.unit = $1 AND p.source = $2 AND p.id > $3 AND p.id <= $4 ORDER BY p.id, p.line;

-- name: check_ledger_days :many
-- $1 unit ID
SELECT d.unit, d.day, d.account, d.currency, d.debit, d.credit FROM ledger_day AS d WHERE d.unit = $1 ORDER BY d.day, d.account, d.currency;

-- name: check_ledger_stock :many
-- $1 unit ID
SELECT s.sku, s.class, s.units, s.value, s.transit_units, s.transit_value, s.last_cost FROM ledger_stock AS s WHERE s.unit = $1 ORDER BY s.sku, s.class;

-- name: check_next_waiting :one
-- The next webhook of which something waits in the unit.
-- $1 unit ID; $2 after ID
SELECT w.webhook FROM webhook_waiting AS w WHERE w.unit = $1 AND w.webhook > $2 ORDER BY w.webhook LIMIT 1;

-- name: check_next_attempted :one
-- $1 unit ID; $2 after ID
SELECT a.webhook FROM webhook_attempt AS a WHERE a.unit = $1 AND a.webhook > $2 ORDER BY a.webhook LIMIT 1;

-- name: check_failing_webhooks :many
-- $1 unit ID; $2 type INT
SELECT e.id, e.subject FROM exception_item AS e INDEXED BY exception_work
 WHERE e.unit = $1 AND e.type = $2 AND e.state = 1 AND e.type > 0 ORDER BY e.id;

-- name: check_routing_masters :many
-- $1 unit ID; $2 after ID; $3 most INT
SELECT r.id, r.kind, r.about, r.body FROM routing_master AS r WHERE r.unit = $1 AND r.id > $2 ORDER BY r.id LIMIT $3;

-- name: check_rate_zones :many
-- $1 unit ID; $2 after ID; $3 upto ID
SELECT z.rates, z.part FROM rate_zone AS z WHERE z.unit = $1 AND z.rates > $2 AND z.rates <= $3 ORDER BY z.rates, z.part;

-- name: check_node_days :many
-- $1 unit ID; $2 after ID; $3 upto ID
SELECT d.node, d.day, d.given FROM node_day AS d WHERE d.unit = $1 AND d.node > $2 AND d.node <= $3 ORDER BY d.node, d.day;

-- name: check_given :many
-- What a node was given, by day.
-- returns given INT
-- $1 unit ID; $2 node ID
SELECT f.given_day, count(*) AS given FROM fulfilment AS f WHERE f.unit = $1 AND f.node = $2 AND f.given_day IS NOT NULL GROUP BY f.given_day ORDER BY f.given_day;

-- name: check_waiting_skus :many
-- $1 unit ID; $2 part INT; $3 after ID; $4 most INT
SELECT s.sku FROM waiting_sku AS s WHERE s.unit = $1 AND s.part = $2 AND s.sku > $3 ORDER BY s.sku LIMIT $4;

-- name: check_standing :many
-- $1 unit ID; $2 sku ID
SELECT p.node FROM position AS p WHERE p.unit = $1 AND p.sku = $2 AND p.class = 0 AND p.available > 0 ORDER BY p.node;

-- name: check_line_parts :many
-- $1 unit ID; $2 ord ID; $3 line INT; $4 most INT
SELECT d.part, d.sku FROM demand AS d WHERE d.unit = $1 AND d.ord = $2 AND d.line = $3 AND d.backordered > 0 ORDER BY d.part LIMIT $4;

-- name: check_promise_jobs :many
-- Few are open at once.
-- $1 unit ID; $2 state INT; $3 kind INT
SELECT j.id FROM job AS j WHERE j.unit = $1 AND j.state = $2 AND j.kind = $3 ORDER BY j.id;

-- name: check_count_classes :many
-- Behind a SKU at a node.
-- $1 unit ID; $2 node ID; $3 sku ID; $4 most INT
SELECT c.node, c.sku, c.abc, c.value, c.units, c.unit_cost, c.above FROM count_class AS c
 WHERE c.unit = $1 AND c.node >= $2 AND (c.node > $2 OR c.sku > $3) ORDER BY c.node, c.sku LIMIT $4;

-- name: check_count_bases :many
-- $1 unit ID
SELECT b.node, b.total, b.ranked, b.share_a, b.share_b FROM count_basis AS b WHERE b.unit = $1 ORDER BY b.node;

-- name: check_count_accuracies :many
-- $1 unit ID
SELECT a.node, a.abc, a.lines, a.lines_right, a.units, a.units_off FROM count_accuracy AS a WHERE a.unit = $1 ORDER BY a.node, a.abc;

-- name: check_return_documents :many
-- $1 unit ID; $2 after ID; $3 upto ID
SELECT d.goods_return, d.number, d.kind, d.document, d.event_seq FROM return_document AS d
 WHERE d.unit = $1 AND d.goods_return > $2 AND d.goods_return <= $3 ORDER BY d.goods_return, d.number;

-- name: check_snapshot_parts :many
-- Behind a part of a snapshot.
-- $1 unit ID; $2 snapshot ID; $3 part INT; $4 most INT
SELECT p.snapshot, p.part, p.event_seq FROM snapshot_part AS p
 WHERE p.unit = $1 AND p.snapshot >= $2 AND (p.snapshot > $2 OR p.part > $3) ORDER BY p.snapshot, p.part LIMIT $4;
