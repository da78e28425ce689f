-- name: company_clock :one
-- $1 company ID
UPDATE unit_clock SET batch_id = batch_id WHERE unit = $1
RETURNING unit, event_seq, event_time, next_id, batch_id, config_version, audit_head;
