-- The statements of the tests' shop.

-- name: thing_find :one
-- A thing by its code.
-- The second line of its comment.
-- $1 unit ID; $2 code TEXT
SELECT t.id, t.note, t.amount, t.raw, t.open
  FROM thing AS t
 WHERE t.unit = $1 AND t.code = $2;

-- name: thing_list :many
-- In its text $2 stands before $1: parameters are bound by number.
-- $1 unit ID; $2 after ID
SELECT t.id, t.code FROM thing AS t WHERE t.id > $2 AND t.unit = $1 ORDER BY t.id LIMIT 100;

-- name: part_sum :one
-- $1 unit ID; $2 thing ID
-- returns total INT, colours TEXT
SELECT CAST(coalesce(sum(p.quantity), 0) AS INT) AS total, coalesce(max(p.colour), '-') AS colours
  FROM part AS p WHERE p.unit = $1 AND p.thing = $2;

-- name: part_of_open :many
-- $1 unit ID; $2 stage INT
SELECT t.code, p.number, p.quantity
  FROM thing AS t INDEXED BY thing_stage CROSS JOIN part AS p
 WHERE t.unit = $1 AND t.stage = $2 AND likelihood(t.stage < 3, 0.9999) AND p.unit = t.unit AND p.thing = t.id
 ORDER BY t.id, p.number;

-- name: thing_count :one
-- scan: the tests count all
-- all units: the tests count all
-- returns things INT
SELECT count(*) AS things FROM thing;

-- name: thing_close :exec
-- $1 unit ID; $2 stage INT; $3 note TEXT; $4 raw BLOB; $5 open BOOL
UPDATE thing INDEXED BY thing_stage SET stage = 3, note = $3, raw = $4, open = $5
 WHERE unit = $1 AND stage = $2 AND likelihood(stage < 3, 0.9999);

-- name: word_list :many
-- Of the projections' store.
-- $1 unit ID; $2 token TEXT
SELECT w.thing FROM word AS w WHERE w.unit = $1 AND w.token = $2 ORDER BY w.thing;
