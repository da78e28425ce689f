-- name: keys_load :many
-- Every API key, to be kept in memory.
-- all units: a key comes without one
-- scan: one row a key, and at most some hundreds of them
SELECT k.id, k.name, k.scopes, k.rate, k.burst, k.hash FROM api_key AS k ORDER BY k.unit, k.id;
