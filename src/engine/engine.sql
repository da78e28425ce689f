-- name: unit_clock_units :many
-- all units: a company batch takes the clocks of all units in this order.
-- scan: one row a unit
SELECT u.unit FROM unit_clock AS u ORDER BY u.unit;

-- name: batch_writer :one
-- After a lost connection: is this batch ours?
-- $1 unit ID; $2 batch_id INT
SELECT b.writer FROM batch AS b WHERE b.unit = $1 AND b.batch_id = $2;

-- name: channel_owner :one
-- Which unit a channel's commands go to; it never changes.
-- $1 company ID; $2 code TEXT
SELECT c.owner FROM channel AS c WHERE c.unit = $1 AND c.code = $2;

-- name: node_owner :one
-- $1 company ID; $2 code TEXT
SELECT n.owner FROM node AS n WHERE n.unit = $1 AND n.code = $2;

-- name: unit_id :one
-- $1 company ID; $2 code TEXT
SELECT b.id FROM business_unit AS b WHERE b.unit = $1 AND b.code = $2;

-- name: secret_load :one
-- $1 company ID
SELECT s.secret FROM millrace_secret AS s WHERE s.unit = $1;

-- name: job_page :many
-- Open jobs, the oldest first.
-- $1 unit ID; $2 after ID; $3 most INT
SELECT j.id FROM job AS j INDEXED BY job_open WHERE j.unit = $1 AND j.state = 1 AND j.id > $2 ORDER BY j.id LIMIT $3;

-- name: culprits_open :many
-- $1 unit ID; $2 type INT; $3 most INT
SELECT x.id, x.cause FROM exception_item AS x INDEXED BY exception_work
 WHERE x.unit = $1 AND x.state = 1 AND x.type > 0 AND x.type = $2 ORDER BY x.id LIMIT $3;
