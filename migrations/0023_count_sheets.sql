-- The cycle-count programme: how often a node counts what, sheets, and how right the books were.

-- When it was told, for when the next is due.
ALTER TABLE count_fact ADD COLUMN at INT DEFAULT 0;

-- Days between two counts by class; what difference is booked without a second look: the larger of units and parts per million of what is expected.
CREATE TABLE count_rule (
    unit ID, node ID, days_a INT, days_b INT, days_c INT, tolerance_units INT, tolerance_ppm INT, blind BOOL, version INT,
    PRIMARY KEY (unit, node)
);

-- abc: 1 A, 2 B, 3 C, by the value that leaves the node; no row: C.
CREATE TABLE count_class (
    unit ID, node ID, sku ID, abc INT, value INT,
    PRIMARY KEY (unit, node, sku)
);

-- state 1 open, 2 closed, 3 cancelled. The tolerances are the node's when it was opened. Figures are of lines that are booked: right within tolerance;
-- units as expected, and those that were not as expected.
CREATE TABLE count_sheet (
    unit ID, id ID, node ID, state INT, blind BOOL, opened_seq INT, opened_at INT, closed_at INT NULL, tolerance_units INT, tolerance_ppm INT,
    reason TEXT NULL, lines INT, lines_booked INT, lines_right INT, units INT, units_off INT, version INT,
    PRIMARY KEY (unit, id)
);
CREATE INDEX count_sheet_state ON count_sheet (unit, state, id);

-- state 1 open, 2 recount, 3 third, 4 booked, 5 cancelled. expected: on hand when the sheet was opened. counted, delta, adjustment: once it is booked.
CREATE TABLE count_line (
    unit ID, sheet ID, line INT, sku ID, abc INT, state INT, expected INT, counted INT NULL, delta INT NULL, within BOOL, adjustment ID,
    PRIMARY KEY (unit, sheet, line)
);
-- path line_of_sheet ON count_line (unit, sheet) THEN (line)

-- Each look at a line: delta is what stock would have been wrong by. actor: the key; counter: who, where the key does not tell.
CREATE TABLE count_try (
    unit ID, sheet ID, line INT, number INT, counted INT, as_of INT, delta INT, actor ID, counter TEXT NULL, at INT,
    PRIMARY KEY (unit, sheet, line, number)
);
-- path try_of_line ON count_try (unit, sheet, line) THEN (number)

-- All that sheets have booked at a node, by class.
CREATE TABLE count_accuracy (
    unit ID, node ID, abc INT, lines INT, lines_right INT, units INT, units_off INT,
    PRIMARY KEY (unit, node, abc)
);
