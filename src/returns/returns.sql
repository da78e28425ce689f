-- name: returns_page :many
-- $1 unit ID; $2 after ID; $3 most INT
SELECT r.id FROM goods_return AS r WHERE r.unit = $1 AND r.id > $2 ORDER BY r.id LIMIT $3;

-- name: returns_in_state :many
-- $1 unit ID; $2 state INT; $3 after ID; $4 most INT
SELECT r.id FROM goods_return AS r WHERE r.unit = $1 AND r.state = $2 AND r.id > $3 ORDER BY r.id LIMIT $4;
