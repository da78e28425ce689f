-- name: check_units :many
-- all units: the check goes through each
-- scan: one row a unit
SELECT u.unit FROM unit_clock AS u ORDER BY u.unit;

-- name: check_clock :one
-- $1 unit ID
SELECT u.event_seq, u.event_time, u.next_id FROM unit_clock AS u WHERE u.unit = $1;

-- name: check_nodes :many
-- $1 unit ID; $2 after ID
SELECT n.id FROM node AS n WHERE n.unit = $1 AND n.id > $2 ORDER BY n.id;

-- name: check_positions :many
-- $1 unit ID; $2 node ID; $3 after ID; $4 most INT
SELECT p.sku, p.class, p.available, p.reserved, p.allocated, p.quarantined, p.fenced
  FROM position AS p WHERE p.unit = $1 AND p.node = $2 AND p.sku > $3 ORDER BY p.sku, p.class LIMIT $4;

-- name: check_claims_at_node :many
-- $1 unit ID; $2 node ID; $3 after ID; $4 upto ID
SELECT c.sku, c.class, c.kind, c.holder, c.soft, c.hard
  FROM claim AS c WHERE c.unit = $1 AND c.node = $2 AND c.sku > $3 AND c.sku <= $4
 ORDER BY c.sku, c.class, c.kind, c.priority, c.promise, c.holder, c.line, c.part;

-- name: check_movements :many
-- $1 unit ID; $2 after ID; $3 most INT
SELECT m.id, m.sku, m.class, m.quantity, m.from_node, m.from_bucket, m.to_node, m.to_bucket, m.cause_kind, m.cause
  FROM movement AS m WHERE m.unit = $1 AND m.id > $2 ORDER BY m.id LIMIT $3;

-- name: check_orders :many
-- $1 unit ID; $2 after ID; $3 most INT
SELECT o.id, o.channel, o.stage, o.holds, o.person FROM orders AS o WHERE o.unit = $1 AND o.id > $2 ORDER BY o.id LIMIT $3;

-- name: check_demands :many
-- $1 unit ID; $2 after ID; $3 upto ID
SELECT d.ord, d.line, d.part, d.sku, d.ordered, d.cancelled, d.backordered, d.reserved, d.allocated, d.shipped
  FROM demand AS d WHERE d.unit = $1 AND d.ord > $2 AND d.ord <= $3 ORDER BY d.ord, d.line, d.part;

-- name: check_claims_of_orders :many
-- $1 unit ID; $2 after ID; $3 upto ID
SELECT c.holder, c.line, c.part, c.kind, c.soft, c.hard
  FROM claim AS c WHERE c.unit = $1 AND c.holder > $2 AND c.holder <= $3 ORDER BY c.holder, c.line, c.part, c.node;

-- name: check_fulfilments :many
-- $1 unit ID; $2 after ID; $3 upto ID
SELECT f.ord, f.id, f.state FROM fulfilment AS f WHERE f.unit = $1 AND f.ord > $2 AND f.ord <= $3 ORDER BY f.ord, f.id;

-- name: check_holds :many
-- $1 unit ID; $2 after ID; $3 upto ID
SELECT h.ord, h.number, h.cleared_seq FROM order_hold AS h WHERE h.unit = $1 AND h.ord > $2 AND h.ord <= $3 ORDER BY h.ord, h.number;

-- name: check_keys :many
-- $1 unit ID; $2 generation INT; $3 least INT; $4 most INT
SELECT k.hash, k.ord FROM order_key AS k WHERE k.unit = $1 AND k.generation = $2 AND k.hash >= $3 ORDER BY k.hash, k.ord LIMIT $4;

-- name: check_events :many
-- $1 unit ID; $2 after INT; $3 most INT
SELECT e.seq, e.at FROM event AS e WHERE e.unit = $1 AND e.seq > $2 ORDER BY e.seq LIMIT $3;
