-- Goods between nodes of one unit. Until they are shipped their units are claims (kind 3, holder = transfer) at the first node; then
-- they are in no bucket: they stand at the place 5, in_transit, until the second node says what came.

-- state 1 requested, 2 shipped, 3 received, 4 cancelled. settled: what is missing was said to be gone for good.
CREATE TABLE transfer (
    unit ID, id ID, from_node ID, to_node ID, state INT, version INT, requested_at INT, shipped_at INT NULL, received_at INT NULL,
    settled TEXT NULL,
    PRIMARY KEY (unit, id)
);
CREATE INDEX transfer_state ON transfer (unit, state, id);

-- quantity: asked for; 0 where it came and was not asked for. Less may be shipped, where a fact took units, and less or more received.
CREATE TABLE transfer_line (
    unit ID, transfer ID, line INT, sku ID, quantity INT CHECK (quantity >= 0), shipped INT CHECK (shipped >= 0), received INT CHECK (received >= 0),
    PRIMARY KEY (unit, transfer, line)
);
-- path line_of_transfer ON transfer_line (unit, transfer) THEN (line)

-- Units on the way to this position: shipped by transfers, not received.
ALTER TABLE position ADD COLUMN coming INT DEFAULT 0;
CREATE INDEX position_coming ON position (unit, sku, node, class) WHERE coming > 0;
