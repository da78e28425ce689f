-- The shadow ledger (docs/design/finance.md): made of events and movements, may be dropped, is rebuilt from the first.

-- head_seq, head_id: how far the unit was when it was last looked at; books that stand before them are behind. rules, time_zone: what the
-- books were made by; others make them anew. carried: what the last units that left to be graded otherwise were worth, and their movement.
CREATE TABLE ledger_cursor (
    unit ID, seq INT, movement_id INT, event_at INT, head_seq INT, head_id INT, rules INT, time_zone TEXT, carried_movement ID, carried INT,
    PRIMARY KEY (unit)
);

-- source 1: id is the movement's, 2: the event's number. amount: debit above 0, credit below. currency: three letters as a number. day: days
-- since 1970-01-01 in the unit's time zone. subject: the movement's cause, or what the event is about.
CREATE TABLE ledger_posting (
    unit ID, source INT, id ID, line INT, account INT, amount INT, currency INT, day INT, subject ID, note INT,
    PRIMARY KEY (unit, source, id, line)
);
-- Orders and what ships of them are numbered upwards, so it grows at its end.
CREATE INDEX ledger_of_subject ON ledger_posting (unit, subject, source, id, line);

CREATE TABLE ledger_day (
    unit ID, day INT, account INT, currency INT, debit INT, credit INT,
    PRIMARY KEY (unit, day, account, currency)
);

-- What goods are worth: units and value on hand at all nodes, and in transit. last_cost: the last that was told.
CREATE TABLE ledger_stock (
    unit ID, sku ID, class INT, units INT, value INT, transit_units INT, transit_value INT, last_cost INT NULL,
    PRIMARY KEY (unit, sku, class)
);
