-- name: webhooks_page :many
-- $1 company ID; $2 after ID; $3 most INT
SELECT w.id, w.code FROM webhook AS w WHERE w.unit = $1 AND w.id > $2 ORDER BY w.id LIMIT $3;

-- name: connect_clocks :many
-- How far each unit is; what is numbered up to here is committed.
-- scan: one row a unit
-- all units: the sender follows them all
SELECT u.unit, u.event_seq FROM unit_clock AS u ORDER BY u.unit;

-- name: connect_units :many
-- $1 company ID
SELECT b.id, b.code FROM business_unit AS b WHERE b.unit = $1 ORDER BY b.id;

-- name: connect_events :many
-- What a page of events is about, without what they say.
-- $1 unit ID; $2 after INT; $3 upto INT; $4 most INT
SELECT e.seq, e.type, e.about, e.subject_kind, e.subject, e.node, e.sku FROM event AS e
 WHERE e.unit = $1 AND e.seq > $2 AND e.seq <= $3 ORDER BY e.seq LIMIT $4;

-- name: connect_waiting :many
-- $1 unit ID; $2 webhook ID; $3 most INT
SELECT w.seq FROM webhook_waiting AS w WHERE w.unit = $1 AND w.webhook = $2 ORDER BY w.seq LIMIT $3;
