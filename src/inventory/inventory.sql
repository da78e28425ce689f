-- name: master_node :one
-- $1 company ID; $2 code TEXT
SELECT n.id, n.owner FROM node AS n WHERE n.unit = $1 AND n.code = $2;

-- name: master_sku :one
-- $1 company ID; $2 code TEXT
SELECT s.id FROM sku AS s WHERE s.unit = $1 AND s.code = $2;

-- name: master_unit :one
-- $1 company ID; $2 code TEXT
SELECT b.id FROM business_unit AS b WHERE b.unit = $1 AND b.code = $2;

-- name: inventory_units :many
-- $1 company ID
SELECT b.id FROM business_unit AS b WHERE b.unit = $1 ORDER BY b.id;

-- name: positions_of_sku :many
-- Behind a class at a node.
-- $1 unit ID; $2 sku ID; $3 node ID; $4 class INT; $5 most INT
SELECT p.node, p.class, p.available, p.reserved, p.allocated, p.quarantined, p.coming
  FROM position AS p WHERE p.unit = $1 AND p.sku = $2 AND p.node >= $3 AND (p.node > $3 OR p.class > $4) ORDER BY p.node, p.class LIMIT $5;

-- name: positions_of_node :many
-- Behind a class of a SKU.
-- $1 unit ID; $2 node ID; $3 sku ID; $4 class INT; $5 most INT
SELECT p.sku, p.class, p.available, p.reserved, p.allocated, p.quarantined, p.coming
  FROM position AS p WHERE p.unit = $1 AND p.node = $2 AND p.sku >= $3 AND (p.sku > $3 OR p.class > $4) ORDER BY p.sku, p.class LIMIT $5;

-- name: position_of_both :many
-- $1 unit ID; $2 node ID; $3 sku ID
SELECT p.class, p.available, p.reserved, p.allocated, p.quarantined, p.coming
  FROM position AS p WHERE p.unit = $1 AND p.node = $2 AND p.sku = $3 ORDER BY p.class;

-- name: fences_of_node :many
-- The rest of the node where a list stands.
-- $1 unit ID; $2 channel ID; $3 node ID; $4 after ID; $5 most INT
SELECT f.node, f.sku, f.quantity, f.version FROM fence AS f
 WHERE f.unit = $1 AND f.channel = $2 AND f.node = $3 AND f.sku > $4 ORDER BY f.sku LIMIT $5;

-- name: fences_behind :many
-- $1 unit ID; $2 channel ID; $3 node ID; $4 most INT
SELECT f.node, f.sku, f.quantity, f.version FROM fence AS f
 WHERE f.unit = $1 AND f.channel = $2 AND f.node > $3 ORDER BY f.node, f.sku LIMIT $4;

-- name: movements_of_sku :many
-- In the projections' store.
-- $1 unit ID; $2 sku ID; $3 after ID; $4 most INT
SELECT m.id, m.node, m.other_node FROM movement_by_sku AS m WHERE m.unit = $1 AND m.sku = $2 AND m.id > $3 ORDER BY m.id LIMIT $4;

-- name: movements_page :many
-- $1 unit ID; $2 after ID; $3 most INT
SELECT m.id, m.sku, m.from_node, m.to_node FROM movement AS m WHERE m.unit = $1 AND m.id > $2 ORDER BY m.id LIMIT $3;

-- name: positions_page :many
-- Behind the node where a list stands.
-- $1 unit ID; $2 node ID; $3 most INT
SELECT p.node, p.sku, p.class, p.available, p.reserved, p.allocated, p.quarantined, p.coming
  FROM position AS p WHERE p.unit = $1 AND p.node > $2 ORDER BY p.node, p.sku, p.class LIMIT $3;

-- name: sku_ids_page :many
-- $1 unit ID; $2 after ID; $3 most INT
SELECT s.id FROM sku AS s WHERE s.unit = $1 AND s.id > $2 ORDER BY s.id LIMIT $3;

-- name: channels_from :many
-- $1 company ID; $2 after ID; $3 most INT
SELECT c.id, c.owner FROM channel AS c WHERE c.unit = $1 AND c.id > $2 ORDER BY c.id LIMIT $3;

-- name: recalls_page :many
-- $1 unit ID; $2 after ID; $3 most INT
SELECT r.id FROM recall AS r WHERE r.unit = $1 AND r.id > $2 ORDER BY r.id LIMIT $3;

-- name: recalls_in_state :many
-- $1 unit ID; $2 state INT; $3 after ID; $4 most INT
SELECT r.id FROM recall AS r WHERE r.unit = $1 AND r.state = $2 AND r.id > $3 ORDER BY r.id LIMIT $4;

-- name: transfers_page :many
-- $1 unit ID; $2 after ID; $3 most INT
SELECT t.id FROM transfer AS t WHERE t.unit = $1 AND t.id > $2 ORDER BY t.id LIMIT $3;

-- name: transfers_in_state :many
-- $1 unit ID; $2 state INT; $3 after ID; $4 most INT
SELECT t.id FROM transfer AS t WHERE t.unit = $1 AND t.state = $2 AND t.id > $3 ORDER BY t.id LIMIT $4;

-- name: supplies_page :many
-- $1 unit ID; $2 after ID; $3 most INT
SELECT s.id FROM supply AS s WHERE s.unit = $1 AND s.id > $2 ORDER BY s.id LIMIT $3;

-- name: supplies_in_state :many
-- $1 unit ID; $2 state INT; $3 after ID; $4 most INT
SELECT s.id FROM supply AS s WHERE s.unit = $1 AND s.state = $2 AND s.id > $3 ORDER BY s.id LIMIT $4;

-- name: supplies_of_node :many
-- $1 unit ID; $2 node ID; $3 state INT; $4 after ID; $5 most INT
SELECT s.id FROM supply AS s WHERE s.unit = $1 AND s.node = $2 AND s.state = $3 AND s.id > $4 ORDER BY s.id LIMIT $5;

-- name: supplies_expecting :many
-- $1 unit ID; $2 sku ID; $3 after ID; $4 most INT
SELECT e.supply, e.node FROM expected AS e WHERE e.unit = $1 AND e.sku = $2 AND e.supply > $3 ORDER BY e.supply, e.line LIMIT $4;

-- name: past_class :one
-- $1 company ID; $2 code TEXT
SELECT c.id FROM goods_class AS c WHERE c.unit = $1 AND c.code = $2;

-- name: past_event :one
-- $1 unit ID; $2 seq INT
SELECT e.at FROM event AS e WHERE e.unit = $1 AND e.seq = $2;

-- name: past_told :one
-- The last event of a type about a position in a range of numbers, which the caller bounds.
-- $1 unit ID; $2 after INT; $3 upto INT; $4 type INT; $5 node ID; $6 sku ID; $7 class INT
SELECT e.available, e.reserved, e.allocated, e.quarantined, e.quantity FROM event AS e
 WHERE e.unit = $1 AND e.seq > $2 AND e.seq <= $3 AND e.type = $4 AND e.node = $5 AND e.sku = $6 AND e.class = $7 ORDER BY e.seq DESC LIMIT 1;

-- name: past_movements_of_sku :many
-- In the projections' store; the last first.
-- $1 unit ID; $2 sku ID; $3 before ID; $4 most INT
SELECT m.id, m.node, m.other_node FROM movement_by_sku AS m WHERE m.unit = $1 AND m.sku = $2 AND m.id < $3 ORDER BY m.id DESC LIMIT $4;

-- name: past_movements :many
-- $1 unit ID; $2 before ID; $3 most INT
SELECT m.id, m.sku, m.from_node, m.to_node FROM movement AS m WHERE m.unit = $1 AND m.id < $2 ORDER BY m.id DESC LIMIT $3;

-- name: count_sheets_page :many
-- $1 unit ID; $2 after ID; $3 most INT
SELECT c.id FROM count_sheet AS c WHERE c.unit = $1 AND c.id > $2 ORDER BY c.id LIMIT $3;

-- name: count_sheets_in_state :many
-- $1 unit ID; $2 state INT; $3 after ID; $4 most INT
SELECT c.id FROM count_sheet AS c WHERE c.unit = $1 AND c.state = $2 AND c.id > $3 ORDER BY c.id LIMIT $4;

-- name: count_accuracies :many
-- $1 unit ID; $2 node ID
SELECT a.abc, a.lines, a.lines_right, a.units, a.units_off FROM count_accuracy AS a WHERE a.unit = $1 AND a.node = $2 ORDER BY a.abc;

-- name: count_classes_of_node :many
-- $1 unit ID; $2 node ID; $3 after ID; $4 most INT
SELECT c.sku FROM count_class AS c WHERE c.unit = $1 AND c.node = $2 AND c.sku > $3 ORDER BY c.sku LIMIT $4;

-- name: count_classes_of_class :many
-- $1 unit ID; $2 node ID; $3 abc INT; $4 after ID; $5 most INT
SELECT c.sku FROM count_class AS c WHERE c.unit = $1 AND c.node = $2 AND c.abc = $3 AND c.sku > $4 ORDER BY c.sku LIMIT $5;
