-- name: company_clock :one
-- $1 company ID
UPDATE unit_clock SET batch_id = batch_id WHERE unit = $1
RETURNING unit, event_seq, event_time, next_id, batch_id, config_version, audit_head, blocked;

-- name: scheduler_units :many
-- $1 company ID
SELECT b.id FROM business_unit AS b WHERE b.unit = $1 ORDER BY b.id;

-- name: reservation_first_due :many
-- Whether there is one: the scheduler wakes the engine only then.
-- $1 unit ID; $2 now INT
SELECT r.id FROM reservation AS r INDEXED BY reservation_open
 WHERE r.unit = $1 AND r.state = 1 AND r.expires_at <= $2 ORDER BY r.expires_at, r.id LIMIT 1;

-- name: supply_first_due :many
-- Whether the date of one has passed, as for reservations.
-- $1 unit ID; $2 now INT
SELECT d.supply FROM supply_due AS d WHERE d.unit = $1 AND d.at < $2 ORDER BY d.at, d.supply LIMIT 1;

-- name: parcel_first_due :many
-- The same of parcels of which nobody said that they were delivered.
-- $1 unit ID; $2 now INT
SELECT p.fulfilment FROM parcel_due AS p WHERE p.unit = $1 AND p.at <= $2 ORDER BY p.at, p.fulfilment LIMIT 1;

-- name: classing_first_due :many
-- Whether a unit's classes are due to be decided anew.
-- $1 unit ID; $2 now INT
SELECT c.run FROM count_classing AS c WHERE c.unit = $1 AND c.due_at <= $2 AND c.phase = 1 ORDER BY c.unit LIMIT 1;

-- name: idempotency_oldest :one
-- $1 unit ID
SELECT i.day FROM idempotency AS i WHERE i.unit = $1 ORDER BY i.unit, i.day, i.key_high, i.key_low LIMIT 1;

-- name: batch_oldest :one
-- $1 unit ID
SELECT b.at FROM batch AS b WHERE b.unit = $1 ORDER BY b.unit, b.batch_id LIMIT 1;

-- name: backup_company :one
-- These three are asked of a database of an older release too: they name what has always been there.
-- $1 company ID
SELECT c.name FROM company AS c WHERE c.unit = $1;

-- name: backup_units :many
-- $1 company ID
SELECT b.id, b.code FROM business_unit AS b WHERE b.unit = $1 ORDER BY b.id;

-- name: backup_events :one
-- $1 unit ID
SELECT c.event_seq FROM unit_clock AS c WHERE c.unit = $1;
