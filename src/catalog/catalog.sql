-- Lists of masters go by id, which is the order in which they were made: what is added comes at the end.

-- name: units_page :many
-- $1 company ID; $2 after ID; $3 most INT
SELECT b.id, b.code FROM business_unit AS b WHERE b.unit = $1 AND b.id > $2 ORDER BY b.id LIMIT $3;

-- name: unit_by_code_id :one
-- $1 company ID; $2 code TEXT
SELECT b.id FROM business_unit AS b WHERE b.unit = $1 AND b.code = $2;

-- name: nodes_page :many
-- Of the company, or the copies of one unit's.
-- $1 unit ID; $2 after ID; $3 most INT
SELECT n.id, n.code FROM node AS n WHERE n.unit = $1 AND n.id > $2 ORDER BY n.id LIMIT $3;

-- name: skus_page :many
-- Bundles among them: the caller leaves them out, and bounds how many it looks at.
-- $1 company ID; $2 after ID; $3 most INT
SELECT s.id, s.code, s.bundle FROM sku AS s WHERE s.unit = $1 AND s.id > $2 ORDER BY s.id LIMIT $3;

-- name: bundles_page :many
-- $1 company ID; $2 after ID; $3 most INT
SELECT s.id, s.code FROM sku AS s INDEXED BY sku_bundles WHERE s.unit = $1 AND s.bundle = 1 AND s.id > $2 ORDER BY s.id LIMIT $3;

-- name: classes_page :many
-- $1 company ID; $2 after ID; $3 most INT
SELECT c.id, c.code FROM goods_class AS c WHERE c.unit = $1 AND c.id > $2 ORDER BY c.id LIMIT $3;

-- name: channels_page :many
-- $1 unit ID; $2 after ID; $3 most INT
SELECT c.id, c.code FROM channel AS c WHERE c.unit = $1 AND c.id > $2 ORDER BY c.id LIMIT $3;

-- name: listings_page :many
-- By the channel's own codes, which never change.
-- $1 unit ID; $2 channel ID; $3 after TEXT; $4 most INT
SELECT l.id, l.channel_sku FROM listing AS l WHERE l.unit = $1 AND l.channel = $2 AND l.channel_sku > $3 ORDER BY l.channel_sku LIMIT $4;

-- name: listing_code_of :one
-- Where a cursor stands.
-- $1 unit ID; $2 listing ID
SELECT l.channel, l.channel_sku FROM listing AS l WHERE l.unit = $1 AND l.id = $2;

-- name: history_page :many
-- What a master was after each change.
-- $1 unit ID; $2 kind INT; $3 subject ID; $4 after INT; $5 most INT
SELECT m.version, m.at, m.actor, m.body FROM master_change AS m
 WHERE m.unit = $1 AND m.kind = $2 AND m.subject = $3 AND m.version > $4 ORDER BY m.version LIMIT $5;
