-- Orders, what their lines need, and what has been done about it.

CREATE TABLE orders (
    unit ID, id ID, channel ID, channel_order_id TEXT, kind INT, stage INT, version INT, placed_at INT, captured_at INT, currency TEXT,
    prices_include_tax BOOL, total INT, shipping INT, service TEXT NULL, promise_by INT NULL, priority INT, shortage INT,
    term INT, payment_status INT, method TEXT NULL, authorised INT, captured INT, voided INT, refunded INT, holds INT, person ID, tags TEXT NULL,
    reservation ID, requested_at INT NULL, origin_kind INT NULL, origin ID NULL, party ID NULL, attrs TEXT NULL,
    PRIMARY KEY (unit, id)
);
-- Both grow at the right edge of each stage and channel.
CREATE INDEX orders_stage ON orders (unit, stage, id);
CREATE INDEX orders_channel ON orders (unit, channel, id);

-- sku 0: the marketplace sold what we do not know. said: the code that came where it is not our SKU's.
CREATE TABLE order_line (
    unit ID, ord ID, line INT, sku ID, said TEXT NULL, said_by_listing BOOL, bundle BOOL, quantity INT, unit_price INT,
    discount INT NULL, tax INT NULL, outside_id TEXT NULL,
    PRIMARY KEY (unit, ord, line)
);
-- path line_of_order ON order_line (unit, ord) THEN (line)

-- What a line needs of one component SKU; the recipe is frozen at capture.
CREATE TABLE demand (
    unit ID, ord ID, line INT, part INT, sku ID, need INT CHECK (need > 0), ordered INT CHECK (ordered > 0),
    cancelled INT CHECK (cancelled >= 0), backordered INT CHECK (backordered >= 0), reserved INT CHECK (reserved >= 0),
    allocated INT CHECK (allocated >= 0), shipped INT CHECK (shipped >= 0), oversold INT CHECK (oversold >= 0),
    PRIMARY KEY (unit, ord, line, part),
    CHECK (ordered = cancelled + backordered + reserved + allocated + shipped), CHECK (oversold <= backordered)
);
-- path demand_of_order ON demand (unit, ord) THEN (line, part)

-- Backorders by rank: filled from the top the moment supply appears.
CREATE TABLE waiting (
    unit ID, sku ID, priority INT, promise INT, ord ID, line INT, part INT, channel ID,
    PRIMARY KEY (unit, sku, priority, promise, ord, line, part)
);
-- path waiting_by_rank ON waiting (unit, sku) THEN (priority, promise, ord, line, part)

CREATE TABLE order_hold (
    unit ID, ord ID, number INT, kind TEXT, source TEXT, reason TEXT, since INT, set_seq INT, cleared_seq INT,
    PRIMARY KEY (unit, ord, number)
);
-- path hold_of_order ON order_hold (unit, ord) THEN (number)
CREATE INDEX order_hold_kind ON order_hold (unit, kind, ord, number) WHERE cleared_seq = 0;

CREATE TABLE payment (
    unit ID, ord ID, number INT, kind INT, amount INT, reference TEXT NULL, at INT,
    PRIMARY KEY (unit, ord, number)
);
-- path payment_of_order ON payment (unit, ord) THEN (number)

CREATE TABLE fulfilment (
    unit ID, id ID, ord ID, node ID, state INT, carrier TEXT NULL, tracking TEXT NULL, reason TEXT NULL, version INT,
    PRIMARY KEY (unit, id)
);
CREATE INDEX fulfilment_ord ON fulfilment (unit, ord, id);
-- path fulfilment_of_order ON fulfilment (unit, ord) THEN (id)

CREATE TABLE fulfilment_line (
    unit ID, fulfilment ID, line INT, part INT, sku ID, quantity INT CHECK (quantity >= 0), cancelled INT CHECK (cancelled >= 0),
    PRIMARY KEY (unit, fulfilment, line, part)
);
-- path line_of_fulfilment ON fulfilment_line (unit, fulfilment) THEN (line, part)

CREATE TABLE package (
    unit ID, fulfilment ID, number INT, weight_g INT, carrier TEXT NULL, tracking TEXT NULL,
    PRIMARY KEY (unit, fulfilment, number)
);
-- path package_of_fulfilment ON package (unit, fulfilment) THEN (number)

-- Sealed under a key of its own; erasing a person is setting wrapped_key to null.
CREATE TABLE person (
    unit ID, id ID, wrapped_key BLOB NULL, sealed BLOB,
    PRIMARY KEY (unit, id)
);

-- Every automatic decision: what, under which policy version, the facts it saw, the alternatives and what ruled each out.
CREATE TABLE decision (
    unit ID, ord ID, number INT, kind INT, policy_version INT, at INT, data TEXT,
    PRIMARY KEY (unit, ord, number)
);
-- path decision_of_order ON decision (unit, ord) THEN (number)

-- (channel, channel order id) is unique for ever. number: see src/orders/order_key.h; the ids in the orders decide.
CREATE TABLE order_key (
    unit ID, number INT, ord ID,
    PRIMARY KEY (unit, number, ord)
);
-- path order_key_by_number ON order_key (unit, number) THEN (ord)
