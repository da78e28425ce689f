-- Classes of what is counted, by the value that moves: what goods cost, a unit's settings and run, and what each class was decided on.

-- The last cost that was told of goods of class 0 that came in, as far as a run has looked.
CREATE TABLE goods_cost (
    unit ID, sku ID, unit_cost INT CHECK (unit_cost >= 0),
    PRIMARY KEY (unit, sku)
);

-- Settings, and the run. phase 1 idle, 2 movements are summed, 3 ranked, 4 classed, 5 what moved no more. at: the movement where it stands; upto: the
-- first that is not looked at; first: the first of the window, where the next run begins. due_at: the largest number where nothing is due by itself.
-- share_a, share_b: of the run, as settings were when it began. classed, changed, without_cost: SKUs at nodes.
CREATE TABLE count_classing (
    unit ID, window_days INT, share_a_ppm INT, share_b_ppm INT, every_days INT, version INT, due_at INT, phase INT, run INT, job ID,
    started_at INT NULL, from_at INT NULL, share_a INT, share_b INT, first_id ID, at_id ID, upto_id ID, classed INT, changed INT, without_cost INT,
    PRIMARY KEY (unit)
);

-- Units that left within the window, summed by a run that goes on.
CREATE TABLE count_moved (
    unit ID, node ID, sku ID, units INT CHECK (units > 0),
    PRIMARY KEY (unit, node, sku)
);
-- path moved_of_unit ON count_moved (unit) THEN (node, sku)

-- Those with their values: the most valuable of a node has the lowest rank.
CREATE TABLE count_rank (
    unit ID, node ID, rank INT, sku ID, units INT, unit_cost INT NULL, value INT,
    PRIMARY KEY (unit, node, rank, sku)
);
-- path rank_of_unit ON count_rank (unit) THEN (node, rank, sku)

-- What the classes of a node were decided on: the value of all that moved, the shares, the window. ranked: the value that has its class.
CREATE TABLE count_basis (
    unit ID, node ID, run INT, total INT, ranked INT, share_a INT, share_b INT, from_at INT, upto_at INT,
    PRIMARY KEY (unit, node)
);
-- path basis_of_unit ON count_basis (unit) THEN (node)

-- value: units by unit_cost, in minor units of the unit's currency. above: the value of those that rank before it at the node. odd: of an odd run.
ALTER TABLE count_class ADD COLUMN units INT DEFAULT 0;
ALTER TABLE count_class ADD COLUMN unit_cost INT NULL;
ALTER TABLE count_class ADD COLUMN above INT DEFAULT 0;
ALTER TABLE count_class ADD COLUMN odd BOOL DEFAULT 0;
CREATE INDEX count_class_even ON count_class (unit, node, sku) WHERE odd = 0;
-- path even_class ON count_class (unit) THEN (node, sku) WHERE odd = 0
CREATE INDEX count_class_odd ON count_class (unit, node, sku) WHERE odd = 1;
-- path odd_class ON count_class (unit) THEN (node, sku) WHERE odd = 1
CREATE INDEX count_class_abc ON count_class (unit, node, abc, sku);
