-- Supply: units that are expected at a node, with a date each, as a purchase order, a supplier's advance shipping notice or own production
-- announces them. It is no stock: what comes of it is a receipt.

-- kind 1 purchase, 2 asn, 3 production; state 1 open, 2 short, 3 complete, 4 closed. purchase: the purchase order whose rows an ASN makes exact,
-- 0: none. ended_at: the last delivery has come; closed_at, reason: what had not come was given up. due_at: its row in supply_due, NULL: none.
CREATE TABLE supply (
    unit ID, id ID, kind INT, node ID, state INT, version INT, purchase ID, reference TEXT NULL, supplier TEXT NULL, announced_at INT,
    ended_at INT NULL, closed_at INT NULL, reason TEXT NULL, due_at INT NULL, event_seq INT,
    PRIMARY KEY (unit, id)
);
CREATE INDEX supply_state ON supply (unit, state, id);
CREATE INDEX supply_node ON supply (unit, node, state, id);
CREATE INDEX supply_purchase ON supply (unit, purchase, id) WHERE purchase > 0;
CREATE INDEX supply_reference ON supply (unit, reference, kind) WHERE reference IS NOT NULL;
-- path supply_by_reference ON supply (unit, reference, kind) WHERE reference IS NOT NULL

-- quantity: as it was announced last; 0 where it came and was not announced. announced: units of a purchase order that stand in ASNs now and have
-- not come. unit_cost: as agreed, in the currency of the unit's books. purchase_line: of the purchase order, 0: none.
CREATE TABLE supply_line (
    unit ID, supply ID, line INT, sku ID, quantity INT CHECK (quantity >= 0), announced INT CHECK (announced >= 0),
    received INT CHECK (received >= 0), given_up INT CHECK (given_up >= 0), expected_at INT, unit_cost INT NULL, purchase_line INT,
    PRIMARY KEY (unit, supply, line)
);
-- path line_of_supply ON supply_line (unit, supply) THEN (line)

-- What is still to come, by date: the rows that those who wait are promised from. They come and go with their line's date.
CREATE TABLE expected (
    unit ID, sku ID, at INT, supply ID, line INT, node ID, units INT CHECK (units > 0), sent BOOL,
    PRIMARY KEY (unit, sku, at, supply, line)
);
CREATE INDEX expected_supply ON expected (unit, sku, supply, line);
CREATE INDEX expected_line ON expected (unit, supply, line);
CREATE INDEX expected_sent ON expected (unit, sku, node, supply, line) WHERE sent = 1;
-- path expected_of_sku ON expected (unit, sku) THEN (at, supply, line)

-- When somebody must be told that a supply is late: the first date of it that has not passed.
CREATE TABLE supply_due (
    unit ID, at INT, supply ID,
    PRIMARY KEY (unit, at, supply)
);
-- path supply_due_first ON supply_due (unit) THEN (at, supply)

-- Deliveries by their document, so that one that is told twice comes once.
CREATE TABLE supply_receipt (
    unit ID, supply ID, number INT, document TEXT, event_seq INT,
    PRIMARY KEY (unit, supply, number)
);
-- path receipt_of_supply ON supply_receipt (unit, supply) THEN (number)
