-- Who alone does a unit's work of one role (engine/lease.h); until: then another may take it, and the term rises.
CREATE TABLE lease (
    unit ID, role INT, holder INT, term INT, until INT,
    PRIMARY KEY (unit, role)
);

-- Where events are sent, by the company's rows (connect). events, units: names and codes, one a line; empty: all. disabled: why Millrace
-- sends nothing any more, NULL: it does. seed_key, seed: what its secrets are derived from, sealed.
CREATE TABLE webhook (
    unit ID, id ID, code TEXT, url TEXT, description TEXT, events TEXT, units TEXT, active BOOL, disabled TEXT NULL, seed_key BLOB, seed BLOB,
    version INT,
    PRIMARY KEY (unit, id)
);
CREATE UNIQUE INDEX webhook_code ON webhook (unit, code);
-- path webhook_all ON webhook (unit) THEN (id)

-- Its secrets, by number; made_by: the event that told of it, 0: it came with the webhook; ends_at: from then on it signs no more, NULL: it is
-- the one that stays.
CREATE TABLE webhook_secret (
    unit ID, webhook ID, number INT, made_by INT, ends_at INT NULL,
    PRIMARY KEY (unit, webhook, number)
);
-- path secret_of_webhook ON webhook_secret (unit, webhook) THEN (number)

-- How far a webhook has followed a unit's events: all up to seq were answered, or stand in webhook_waiting. epoch rises with each change
-- from outside: a report of before is refused. sends: attempts made so far. failing: those in a row that failed, since when; fresh_at: what
-- waits and was tried before that is due now.
CREATE TABLE webhook_subscription (
    unit ID, webhook ID, epoch INT, seq INT, sends INT, failing INT, failing_since INT NULL, success_at INT NULL, fresh_at INT,
    PRIMARY KEY (unit, webhook)
);
-- path subscription_of_unit ON webhook_subscription (unit) THEN (webhook)

-- Events up to the cursor that are still to be sent: tried in vain, behind one of their subject that was, or asked for once more.
CREATE TABLE webhook_waiting (
    unit ID, webhook ID, seq INT, kind INT, subject INT, attempts INT, tried_at INT,
    PRIMARY KEY (unit, webhook, seq)
);
-- path waiting_of_webhook ON webhook_waiting (unit, webhook) THEN (seq)

-- The last attempts, each in the place of the one that was WEBHOOK_LOG before it.
CREATE TABLE webhook_attempt (
    unit ID, webhook ID, slot INT, number INT, seq INT, attempt INT, at INT, took_us INT, status INT, outcome INT, detail TEXT NULL,
    PRIMARY KEY (unit, webhook, slot)
);
-- path attempt_of_webhook ON webhook_attempt (unit, webhook) THEN (slot)
