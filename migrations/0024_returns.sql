-- Goods that customers send back, as far as they touch stock. state 1 expected, 2 received, 3 inspected, 4 cancelled; it follows from the lines.
CREATE TABLE goods_return (
    unit ID, id ID, ord ID, node ID, state INT, version INT, reason TEXT NULL, announced_at INT,
    PRIMARY KEY (unit, id)
);
CREATE INDEX goods_return_state ON goods_return (unit, state, id);
CREATE INDEX goods_return_order ON goods_return (unit, ord, id);
-- path return_of_order ON goods_return (unit, ord) THEN (id)

-- ord_line 0: nobody expected it. asked: as it was announced; expected: less, once what did not come was given up.
CREATE TABLE return_line (
    unit ID, goods_return ID, line INT, ord_line INT, sku ID, asked INT, expected INT, received INT CHECK (received >= 0),
    inspected INT CHECK (inspected >= 0),
    PRIMARY KEY (unit, goods_return, line), CHECK (inspected <= received)
);
-- path line_of_return ON return_line (unit, goods_return) THEN (line)

-- What came at once of a line. waiting: units of it that are not inspected.
CREATE TABLE return_receipt (
    unit ID, goods_return ID, receipt INT, line INT, quantity INT CHECK (quantity > 0), waiting INT CHECK (waiting >= 0), at INT,
    PRIMARY KEY (unit, goods_return, receipt)
);
-- path receipt_of_return ON return_receipt (unit, goods_return) THEN (receipt)

-- What became of units of one receipt, and when they had come: the clock of each unit. disposition: as in src/inventory/inspections.h.
CREATE TABLE return_outcome (
    unit ID, goods_return ID, outcome INT, line INT, receipt INT, disposition INT, class INT, quantity INT CHECK (quantity > 0), received_at INT, at INT,
    PRIMARY KEY (unit, goods_return, outcome)
);
-- path outcome_of_return ON return_outcome (unit, goods_return) THEN (outcome)
