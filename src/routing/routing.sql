-- name: routing_page :many
-- Rate tables, ways to ship, or policies, in the order in which they were made; of the company, or the copies of one unit's. They are sorted for each page: a unit
-- has no more of them than nodes, and an index of their ids would be written with each change.
-- $1 unit ID; $2 kind INT; $3 after ID; $4 most INT
SELECT r.id, r.code FROM routing_master AS r INDEXED BY routing_master_code WHERE r.unit = $1 AND r.kind = $2 AND r.id > $3 ORDER BY r.id LIMIT $4;
