-- name: orders_page :many
-- $1 unit ID; $2 after ID; $3 most INT
SELECT o.id FROM orders AS o WHERE o.unit = $1 AND o.id > $2 ORDER BY o.id LIMIT $3;

-- name: orders_page_by_stage :many
-- $1 unit ID; $2 stage INT; $3 after ID; $4 most INT
SELECT o.id FROM orders AS o WHERE o.unit = $1 AND o.stage = $2 AND o.id > $3 ORDER BY o.id LIMIT $4;

-- name: orders_page_by_channel :many
-- $1 unit ID; $2 channel ID; $3 after ID; $4 most INT
SELECT o.id FROM orders AS o WHERE o.unit = $1 AND o.channel = $2 AND o.id > $3 ORDER BY o.id LIMIT $4;

-- name: orders_page_by_hold :many
-- Each order once, however many holds of the kind it has.
-- $1 unit ID; $2 kind TEXT; $3 after ID; $4 most INT
SELECT DISTINCT h.ord FROM order_hold AS h INDEXED BY order_hold_kind WHERE h.unit = $1 AND h.kind = $2 AND h.cleared_seq = 0 AND h.ord > $3 ORDER BY h.ord LIMIT $4;

-- name: orders_page_by_token :many
-- In the projections' store: orders that have the word.
-- $1 unit ID; $2 token TEXT; $3 after ID; $4 most INT
SELECT t.ord FROM order_token AS t WHERE t.unit = $1 AND t.token = $2 AND t.ord > $3 ORDER BY t.ord LIMIT $4;

-- name: token_from :one
-- In the projections' store: the first word that is not before this one.
-- $1 unit ID; $2 token TEXT
SELECT t.token FROM order_token AS t WHERE t.unit = $1 AND t.token >= $2 ORDER BY t.token, t.ord LIMIT 1;

-- name: order_units :many
-- The units that a list goes through, in order of their numbers.
-- $1 company ID
SELECT b.id FROM business_unit AS b WHERE b.unit = $1 ORDER BY b.id;

-- name: channel_by_code_id :one
-- $1 company ID; $2 code TEXT
SELECT c.id FROM channel AS c WHERE c.unit = $1 AND c.code = $2;

-- name: order_waits :many
-- $1 unit ID; $2 ord ID
SELECT d.line, d.part, d.sku FROM demand AS d WHERE d.unit = $1 AND d.ord = $2 AND d.backordered > 0 ORDER BY d.line, d.part;

-- name: expected_by_date :many
-- $1 unit ID; $2 sku ID; $3 most INT
SELECT e.at, e.node, e.units, s.due_at FROM expected AS e CROSS JOIN supply AS s
 WHERE e.unit = $1 AND e.sku = $2 AND s.unit = $1 AND s.id = e.supply ORDER BY e.at, e.supply, e.line LIMIT $3;

-- name: stock_to_wait_for :many
-- What stands free while somebody waits: a bundle's other component, or what a buffer kept from him.
-- $1 unit ID; $2 sku ID
SELECT p.node, p.available FROM position AS p WHERE p.unit = $1 AND p.sku = $2 AND p.class = 0 AND p.available > 0 AND p.blocked = 0 ORDER BY p.node;

-- name: queue_page :many
-- A SKU's queue behind a place of it.
-- $1 unit ID; $2 sku ID; $3 priority INT; $4 promise INT; $5 ord ID; $6 line INT; $7 part INT; $8 most INT
SELECT w.priority, w.promise, w.ord, w.line, w.part, w.channel, w.units, w.told FROM waiting AS w
 WHERE w.unit = $1 AND w.sku = $2 AND (w.priority, w.promise, w.ord, w.line, w.part) > ($3, $4, $5, $6, $7)
 ORDER BY w.priority, w.promise, w.ord, w.line, w.part LIMIT $8;

-- name: nodes_of_channel :many
-- $1 unit ID; $2 channel ID
SELECT n.node FROM channel_node AS n WHERE n.unit = $1 AND n.channel = $2 ORDER BY n.part;

-- name: promises_due :many
-- SKUs of whose queues dates may have changed, those first that are due for longest.
-- $1 unit ID; $2 most INT
SELECT s.sku, s.changes, s.supply FROM waiting_sku AS s WHERE s.unit = $1 AND s.due > 0 ORDER BY s.due, s.sku LIMIT $2;
