-- Stock. Buckets are disjoint, none is below zero, on_hand is their sum and stands nowhere. A position is the sum of its
-- movements, its reserved and allocated the sums of its claims (millrace check proves both).

-- By SKU first: what a channel may sell of a SKU is read from all its nodes at once. fenced: the part of reserved that
-- fences hold. blocked: the job that fills its queue; nobody else takes units meanwhile. claimant1 to 4: orders and
-- checkouts that claim units of it, from the left; those who come when all are taken stand in `claimant`. 0: none. What an order changes stands
-- together at the end: PostgreSQL logs from the first byte that changed to the last.
CREATE TABLE position (
    unit ID, sku ID, node ID, class INT,
    fenced INT CHECK (fenced >= 0), blocked ID, quarantined INT CHECK (quarantined >= 0), allocated INT CHECK (allocated >= 0),
    available INT CHECK (available >= 0), reserved INT CHECK (reserved >= 0), claimant1 ID, claimant2 ID, claimant3 ID, claimant4 ID,
    PRIMARY KEY (unit, sku, node, class)
);
-- path position_of_sku ON position (unit, sku) THEN (node, class)
CREATE INDEX position_node ON position (unit, node, sku, class);

-- Places outside are the nodes 1 to 4: supplier, customer, adjustment, scrap; bucket 0 is none.
CREATE TABLE movement (
    unit ID, id ID, sku ID, class INT, quantity INT CHECK (quantity > 0), from_node ID, from_bucket INT, to_node ID, to_bucket INT,
    cause_kind INT, cause ID, actor ID, at INT, unit_cost INT NULL, document TEXT NULL,
    PRIMARY KEY (unit, id)
);

-- A right to units of a position. Open claims only: what is used up is deleted. Keyed by who holds it, so that the claims of
-- new orders lie together. They give way by kind (fence, checkout, transfer, order), then from the lowest rank, which is the
-- largest (priority, promise, holder, line, part).
CREATE TABLE claim (
    unit ID, holder ID, kind INT, line INT, part INT, node ID, sku ID, class INT, priority INT, promise INT,
    soft INT CHECK (soft >= 0), hard INT CHECK (hard >= 0),
    PRIMARY KEY (unit, holder, kind, line, part, node, sku, class)
);
-- path claim_of_holder ON claim (unit, holder) THEN (kind, line, part, node, sku, class)

-- Who claims a position, beyond the four whom its row names: a row for each claim would be a random page for each line of an
-- order; these are only for what many wait for. Sorted as they give way. Fences are not here: `fence` finds them.
CREATE TABLE claimant (
    unit ID, sku ID, node ID, class INT, kind INT, priority INT, promise INT, holder ID,
    PRIMARY KEY (unit, sku, node, class, kind, priority, promise, holder)
);
-- path claimant_by_rank ON claimant (unit, sku, node, class, kind) THEN (priority, promise, holder) DESC

-- A fence as it was set; what it holds is its claim (kind 1, holder = channel).
CREATE TABLE fence (
    unit ID, channel ID, node ID, sku ID, quantity INT, version INT,
    PRIMARY KEY (unit, channel, node, sku)
);
CREATE INDEX fence_sku ON fence (unit, sku, node, channel);
-- path fence_of_sku ON fence (unit, sku) THEN (node, channel)

CREATE TABLE adjustment (
    unit ID, id ID, node ID, sku ID, class INT, reason INT, bucket INT, delta INT, document TEXT NULL, event_seq INT,
    broken TEXT NULL,
    PRIMARY KEY (unit, id)
);
CREATE INDEX adjustment_document ON adjustment (unit, document, node, sku, reason) WHERE document IS NOT NULL;
-- path adjustment_by_document ON adjustment (unit, document, node, sku, reason) WHERE document IS NOT NULL

-- state 1 open, 2 used by an order, 3 given back, 4 expired.
CREATE TABLE reservation (
    unit ID, id ID, channel ID, state INT, expires_at INT, ord ID,
    PRIMARY KEY (unit, id)
);
CREATE INDEX reservation_open ON reservation (unit, state, expires_at, id) WHERE state = 1;
-- path reservation_due ON reservation (unit, state) THEN (expires_at, id) WHERE state = 1
