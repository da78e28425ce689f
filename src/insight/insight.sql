-- name: event_units :many
-- Units by number; a company has few.
-- $1 company ID
SELECT b.id, b.code FROM business_unit AS b WHERE b.unit = $1 ORDER BY b.id;

-- name: event_head :one
-- The newest event of a unit; those before it are committed with it.
-- $1 unit ID
SELECT u.event_seq FROM unit_clock AS u WHERE u.unit = $1;

-- name: events_of_type :many
-- Numbers of a unit's events of one type. The caller bounds the range: event numbers have no gaps.
-- $1 unit ID; $2 after INT; $3 upto INT; $4 type INT; $5 most INT
SELECT e.seq FROM event AS e WHERE e.unit = $1 AND e.seq > $2 AND e.seq <= $3 AND e.type = $4 ORDER BY e.seq LIMIT $5;

-- name: followed_clocks :many
-- How far each unit is. What is numbered below these two is committed, for the clock row is committed with it.
-- scan: one row a unit
-- all units: the projections follow them all
SELECT u.unit, u.event_seq, u.next_id FROM unit_clock AS u ORDER BY u.unit;

-- name: followed_movements :many
-- $1 unit ID; $2 after ID; $3 below ID; $4 most INT
SELECT m.id, m.sku, m.from_node, m.to_node FROM movement AS m WHERE m.unit = $1 AND m.id > $2 AND m.id < $3 ORDER BY m.id LIMIT $4;

-- name: followed_orders :many
-- Orders that were made, or whose people may have changed, in a range of events.
-- $1 unit ID; $2 after INT; $3 upto INT; $4 created INT; $5 edited INT
SELECT e.seq, e.type, e.subject FROM event AS e
 WHERE e.unit = $1 AND e.seq > $2 AND e.seq <= $3 AND (e.type = $4 OR e.type = $5) ORDER BY e.seq;

-- name: followed_people_before :many
-- What was sealed of an order's people before they were changed; the order and its person have one id.
-- $1 unit ID; $2 ord ID
SELECT p.wrapped_key, b.sealed FROM person AS p CROSS JOIN person_before AS b
 WHERE p.unit = $1 AND p.id = $2 AND b.unit = $1 AND b.id = $2 ORDER BY b.seq;

-- name: token_drop :exec
-- In the projections' store.
-- $1 unit ID; $2 token TEXT; $3 ord ID
DELETE FROM order_token WHERE unit = $1 AND token = $2 AND ord = $3;

-- name: follow_take :one
-- In the projections' store: whoever holds this row is alone with the unit until the commit.
-- $1 unit ID
UPDATE cursor_of_unit SET seq = seq WHERE unit = $1 RETURNING seq, movement_id, event_at;

-- name: followed_event_at :one
-- $1 unit ID; $2 seq INT
SELECT e.at FROM event AS e WHERE e.unit = $1 AND e.seq = $2;

-- name: follow_mark :exec
-- In the projections' store.
-- $1 unit ID; $2 seq INT
UPDATE cursor_of_unit SET seq = $2 WHERE unit = $1;

-- name: forget_tokens_upto :one
-- In the projections' store: the last row of a piece that begins with this word; none where fewer are left.
-- $1 unit ID; $2 token TEXT; $3 before_it INT
SELECT t.token, t.ord FROM order_token AS t WHERE t.unit = $1 AND t.token >= $2 ORDER BY t.token, t.ord LIMIT 1 OFFSET $3;

-- name: forget_tokens_between :exec
-- $1 unit ID; $2 token TEXT; $3 below TEXT
DELETE FROM order_token WHERE unit = $1 AND token >= $2 AND token < $3;

-- name: forget_orders_of_token :exec
-- $1 unit ID; $2 token TEXT; $3 upto ID
DELETE FROM order_token WHERE unit = $1 AND token = $2 AND ord <= $3;

-- name: forget_tokens_from :exec
-- $1 unit ID; $2 token TEXT
DELETE FROM order_token WHERE unit = $1 AND token >= $2;

-- name: forget_movements_upto :one
-- In the projections' store: the last row of a piece that begins with this SKU; none where fewer are left.
-- $1 unit ID; $2 sku ID; $3 before_it INT
SELECT m.sku, m.id FROM movement_by_sku AS m WHERE m.unit = $1 AND m.sku >= $2 ORDER BY m.sku, m.id LIMIT 1 OFFSET $3;

-- name: forget_movements_between :exec
-- $1 unit ID; $2 sku ID; $3 below ID
DELETE FROM movement_by_sku WHERE unit = $1 AND sku >= $2 AND sku < $3;

-- name: forget_movements_of_sku :exec
-- $1 unit ID; $2 sku ID; $3 upto ID
DELETE FROM movement_by_sku WHERE unit = $1 AND sku = $2 AND id <= $3;

-- name: forget_movements_from :exec
-- $1 unit ID; $2 sku ID
DELETE FROM movement_by_sku WHERE unit = $1 AND sku >= $2;

-- name: follow_forget_cursor :exec
-- In the projections' store.
-- $1 unit ID
DELETE FROM cursor_of_unit WHERE unit = $1;

-- name: token_is_there :one
-- In the projections' store.
-- $1 unit ID; $2 token TEXT; $3 ord ID
SELECT t.ord FROM order_token AS t WHERE t.unit = $1 AND t.token = $2 AND t.ord = $3;

-- name: exceptions_page :many
-- Open or closed, in the order in which they were opened.
-- $1 unit ID; $2 after ID; $3 most INT
SELECT x.id, x.type, x.state FROM exception_item AS x WHERE x.unit = $1 AND x.id > $2 ORDER BY x.id LIMIT $3;

-- name: exceptions_open :many
-- $1 unit ID; $2 type INT; $3 after ID; $4 most INT
SELECT x.id FROM exception_item AS x INDEXED BY exception_work WHERE x.unit = $1 AND x.state = 1 AND x.type > 0 AND x.type = $2 AND x.id > $3 ORDER BY x.id LIMIT $4;

-- name: waiting_for :many
-- Who waits for a SKU, by rank.
-- $1 unit ID; $2 sku ID; $3 most INT
SELECT w.ord FROM waiting AS w WHERE w.unit = $1 AND w.sku = $2 ORDER BY w.priority, w.promise, w.ord, w.line, w.part LIMIT $3;
