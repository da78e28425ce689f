-- A small shop of things, for the tests of src/db and tools/sqlgen only.

CREATE TABLE thing (
    unit ID, id ID, code TEXT, note TEXT NULL, amount INT NULL CHECK (amount >= 0), open BOOL, raw BLOB NULL, stage INT,
    PRIMARY KEY (unit, id)
);
CREATE UNIQUE INDEX thing_code ON thing (unit, code);
-- path thing_by_code ON thing (unit, code)
CREATE INDEX thing_stage ON thing (unit, stage, id) WHERE stage < 3;
-- path thing_open ON thing (unit, stage) THEN (id) DESC WHERE stage < 3

CREATE TABLE part (
    unit ID, thing ID, number INT, quantity INT,
    PRIMARY KEY (unit, thing, number)
);
-- path part_of_thing ON part (unit, thing) THEN (number)

-- rowid
CREATE TABLE page (
    unit ID, id ID, body TEXT,
    PRIMARY KEY (unit, id)
);

CREATE TABLE pair (
    unit ID, id ID,
    PRIMARY KEY (unit, id)
);
