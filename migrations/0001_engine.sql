-- The engine's own rows: the clock of each unit, its batches, events, idempotency, jobs, keys.
-- Unit 0 is the company. Ids are counters of their unit; the pair (unit, counter) is the id outside.

CREATE TABLE unit_clock (
    unit ID, event_seq INT, event_time INT, next_id INT, batch_id INT, config_version INT, audit_head BLOB,
    PRIMARY KEY (unit)
);

-- Who committed which batch: after a lost connection a server looks here for its own. Kept a day.
CREATE TABLE batch (
    unit ID, batch_id INT, writer INT, at INT,
    PRIMARY KEY (unit, batch_id)
);
-- path batch_in_order ON batch (unit) THEN (batch_id)

-- subject_kind, type: engine/event.h. about: the order that the event belongs to, 0 for none. The four buckets are
-- those of a position after its change. amount .. document are what the books need; a null says that it bears none.
CREATE TABLE event (
    unit ID, seq INT, type INT, at INT, actor ID, subject_kind INT, subject ID, about ID, node ID, sku ID,
    available INT NULL, reserved INT NULL, allocated INT NULL, quarantined INT NULL,
    quantity INT NULL, class INT NULL, amount INT NULL, currency TEXT NULL, unit_cost INT NULL, document TEXT NULL,
    data TEXT NULL,
    PRIMARY KEY (unit, seq)
);
-- In order of orders, so its inserts fall beside each other; position events are not in it.
CREATE INDEX event_by_about ON event (unit, about, seq) WHERE about > 0;
-- path event_of_order ON event (unit, about) THEN (seq) WHERE about > 0

-- One generation a day, dropped whole; a 2xx is rendered from its event, a 409 keeps its problem.
CREATE TABLE idempotency (
    unit ID, day INT, key_high INT, key_low INT, body_high INT, body_low INT, status INT, event_seq INT, problem TEXT NULL,
    PRIMARY KEY (unit, day, key_high, key_low)
);
-- path idempotency_by_day ON idempotency (unit) THEN (day, key_high, key_low)

CREATE TABLE job (
    unit ID, id ID, kind INT, state INT, progress INT, subject ID, data TEXT NULL, started_at INT, ended_at INT NULL,
    PRIMARY KEY (unit, id)
);
CREATE INDEX job_open ON job (unit, state, id) WHERE state = 1;
-- path job_by_state ON job (unit, state) THEN (id) WHERE state = 1

-- One open row per cause: counts what repeats.
CREATE TABLE exception_item (
    unit ID, id ID, type INT, state INT, cause TEXT, subject_kind INT, subject ID, about ID, node ID, sku ID,
    quantity INT, repeats INT, opened_at INT, closed_at INT NULL, detail TEXT NULL,
    PRIMARY KEY (unit, id)
);
CREATE UNIQUE INDEX exception_open ON exception_item (unit, cause) WHERE state = 1;
-- path exception_open_by_cause ON exception_item (unit, cause) WHERE state = 1
CREATE INDEX exception_of_about ON exception_item (unit, about, id) WHERE about > 0 AND state = 1;
-- path exception_open_of_order ON exception_item (unit, about) THEN (id) WHERE about > 0 AND state = 1

CREATE TABLE api_key (
    unit ID, id ID, name TEXT, scopes INT, hash BLOB, made_at INT,
    PRIMARY KEY (unit, id)
);
CREATE UNIQUE INDEX api_key_by_hash ON api_key (hash);

CREATE TABLE company (
    unit ID, name TEXT, made_at INT,
    PRIMARY KEY (unit)
);

-- The master key, where no file was named; see src/engine/vault.h.
CREATE TABLE millrace_secret (
    unit ID, secret BLOB,
    PRIMARY KEY (unit)
);
