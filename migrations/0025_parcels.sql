-- Units that left and did not arrive as they should. kind 1: lost, 2: damaged. again, refunded: of those, what was decided; the rest is undecided.
CREATE TABLE parcel_loss (
    unit ID, ord ID, fulfilment ID, line INT, part INT, kind INT, quantity INT CHECK (quantity >= 0), again INT CHECK (again >= 0),
    refunded INT CHECK (refunded >= 0),
    PRIMARY KEY (unit, ord, fulfilment, line, part, kind), CHECK (again + refunded <= quantity)
);
-- path loss_of_order ON parcel_loss (unit, ord) THEN (fulfilment, line, part, kind)

-- When a shipped fulfilment order counts as delivered, if nobody has said anything by then. Rows come at one end and go at the other: one that was
-- delivered goes when its time comes, not before.
CREATE TABLE parcel_due (
    unit ID, at INT, fulfilment ID,
    PRIMARY KEY (unit, at, fulfilment)
);
-- path parcel_due_in_order ON parcel_due (unit) THEN (at, fulfilment)

-- Delivered because its time had passed: a confirmation that comes late takes the row away.
CREATE TABLE assumed_delivery (
    unit ID, fulfilment ID, at INT,
    PRIMARY KEY (unit, fulfilment)
);

-- 0: never.
ALTER TABLE channel ADD COLUMN deliver_after_days INT DEFAULT 30;
