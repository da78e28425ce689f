-- name: finance_units :many
-- $1 company ID
SELECT b.id, b.code, b.currency FROM business_unit AS b WHERE b.unit = $1 ORDER BY b.id;

-- name: finance_movements :many
-- Movements from or to a place that is no node (inventory.h): the others leave goods where they are worth the same.
-- $1 unit ID; $2 after ID; $3 below ID; $4 first_node ID; $5 most INT
SELECT m.id, m.sku, m.class, m.quantity, m.from_node, m.to_node, m.cause_kind, m.cause, m.at, m.unit_cost FROM movement AS m
 WHERE m.unit = $1 AND m.id > $2 AND m.id < $3 AND (m.from_node < $4 OR m.to_node < $4) ORDER BY m.id LIMIT $5;

-- name: finance_events :many
-- $1 unit ID; $2 after INT; $3 upto INT
SELECT e.seq, e.type, e.at, e.subject, e.amount, e.currency, e.data FROM event AS e
 WHERE e.unit = $1 AND e.seq > $2 AND e.seq <= $3 AND e.amount IS NOT NULL ORDER BY e.seq;

-- name: finance_event_at :one
-- $1 unit ID; $2 seq INT
SELECT e.at FROM event AS e WHERE e.unit = $1 AND e.seq = $2;

-- name: ledger_take :one
-- In the projections' store, as all below: whoever holds this row is alone with the unit's books until the commit.
-- $1 unit ID
UPDATE ledger_cursor SET seq = seq WHERE unit = $1 RETURNING seq, movement_id, event_at, rules, time_zone, carried_movement, carried;

-- name: ledger_mark :exec
-- $1 unit ID; $2 seq INT
UPDATE ledger_cursor SET seq = $2 WHERE unit = $1;

-- name: ledger_forget_cursor :exec
-- $1 unit ID
DELETE FROM ledger_cursor WHERE unit = $1;

-- name: ledger_forget_upto :one
-- The last posting of a piece; none where fewer are left.
-- $1 unit ID; $2 source INT; $3 before_it INT
SELECT p.id FROM ledger_posting AS p WHERE p.unit = $1 AND p.source = $2 ORDER BY p.id, p.line LIMIT 1 OFFSET $3;

-- name: ledger_forget_postings :exec
-- $1 unit ID; $2 source INT; $3 upto ID
DELETE FROM ledger_posting WHERE unit = $1 AND source = $2 AND id <= $3;

-- name: ledger_forget_stock_upto :one
-- $1 unit ID; $2 before_it INT
SELECT s.sku FROM ledger_stock AS s WHERE s.unit = $1 ORDER BY s.sku, s.class LIMIT 1 OFFSET $2;

-- name: ledger_forget_stock :exec
-- $1 unit ID; $2 upto ID
DELETE FROM ledger_stock WHERE unit = $1 AND sku <= $2;

-- name: ledger_forget_days_upto :one
-- $1 unit ID; $2 before_it INT
SELECT d.day FROM ledger_day AS d WHERE d.unit = $1 ORDER BY d.day, d.account, d.currency LIMIT 1 OFFSET $2;

-- name: ledger_forget_days :exec
-- $1 unit ID; $2 upto INT
DELETE FROM ledger_day WHERE unit = $1 AND day <= $2;

-- name: ledger_days_page :many
-- $1 unit ID; $2 from_day INT; $3 upto INT; $4 most INT
SELECT d.day, d.account, d.currency, d.debit, d.credit FROM ledger_day AS d
 WHERE d.unit = $1 AND d.day >= $2 AND d.day <= $3 ORDER BY d.day, d.account, d.currency LIMIT $4;

-- name: ledger_postings_page :many
-- $1 unit ID; $2 source INT; $3 from_id ID; $4 most INT
SELECT p.id, p.line, p.account, p.amount, p.currency, p.day, p.subject, p.note FROM ledger_posting AS p
 WHERE p.unit = $1 AND p.source = $2 AND p.id >= $3 ORDER BY p.id, p.line LIMIT $4;

-- name: ledger_postings_of_subject :many
-- $1 unit ID; $2 subject ID; $3 source INT; $4 from_id ID; $5 most INT
SELECT p.id, p.line, p.account, p.amount, p.currency, p.day, p.subject, p.note FROM ledger_posting AS p INDEXED BY ledger_of_subject
 WHERE p.unit = $1 AND p.subject = $2 AND p.source = $3 AND p.id >= $4 ORDER BY p.id, p.line LIMIT $5;

-- name: ledger_stock_page :many
-- $1 unit ID; $2 from_sku ID; $3 upto ID; $4 most INT
SELECT s.sku, s.class, s.units, s.value, s.transit_units, s.transit_value, s.last_cost FROM ledger_stock AS s
 WHERE s.unit = $1 AND s.sku >= $2 AND s.sku <= $3 ORDER BY s.sku, s.class LIMIT $4;

-- name: finance_fulfilments :many
-- In the main store, as those below: what ships of an order is booked under its own id.
-- $1 unit ID; $2 ord ID
SELECT f.id FROM fulfilment AS f WHERE f.unit = $1 AND f.ord = $2 ORDER BY f.id;

-- name: finance_sku :one
-- $1 company ID; $2 code TEXT
SELECT s.id FROM sku AS s WHERE s.unit = $1 AND s.code = $2;

-- name: finance_node :one
-- $1 company ID; $2 code TEXT
SELECT n.id, n.owner FROM node AS n WHERE n.unit = $1 AND n.code = $2;

-- name: finance_positions :many
-- $1 unit ID; $2 node ID; $3 from_sku ID; $4 upto ID; $5 most INT
SELECT p.sku, p.class, p.available, p.reserved, p.allocated, p.quarantined FROM position AS p
 WHERE p.unit = $1 AND p.node = $2 AND p.sku >= $3 AND p.sku <= $4 ORDER BY p.sku, p.class LIMIT $5;
