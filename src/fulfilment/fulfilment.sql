-- name: fulfilment_work_page :many
-- Open work of a node in one state, oldest first. The condition is the index's own: without it SQLite would scan.
-- $1 unit ID; $2 node ID; $3 state INT; $4 after ID; $5 most INT
SELECT f.id FROM fulfilment AS f INDEXED BY fulfilment_work
 WHERE f.unit = $1 AND f.node = $2 AND f.state = $3 AND f.state < 7 AND f.id > $4 ORDER BY f.id LIMIT $5;

-- name: fulfilment_asked_page :many
-- What a node is asked to give back, oldest first; the condition is the index's own.
-- $1 unit ID; $2 node ID; $3 after ID; $4 most INT
SELECT f.id FROM fulfilment AS f INDEXED BY fulfilment_asked WHERE f.unit = $1 AND f.node = $2 AND f.state = 9 AND f.id > $3 ORDER BY f.id LIMIT $4;

-- name: fulfilment_node :one
-- A node's id, and the unit whose rows tell of its work.
-- $1 company ID; $2 code TEXT
SELECT n.id, n.owner FROM node AS n WHERE n.unit = $1 AND n.code = $2;
