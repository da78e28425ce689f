-- How a unit routes. kind: enum routing_kind (rate tables, how nodes ship, policies); about: the node that ships so, the channel of a policy, or 0.
-- body: the resource as the API gives it. zone: how a node's time zone changes, "seconds:offset;...": decide reads no files.
CREATE TABLE routing_master (
    unit ID, id ID, owner ID, kind INT, code TEXT, about ID, body TEXT, zone TEXT NULL, version INT,
    PRIMARY KEY (unit, id)
);
CREATE UNIQUE INDEX routing_master_code ON routing_master (unit, kind, code);
-- path routing_by_code ON routing_master (unit, kind, code)
-- path routing_of_kind ON routing_master (unit, kind) THEN (code)

-- The zones of a rate table, so that an order asks for those of its country only. steps: "grams:price;...".
CREATE TABLE rate_zone (
    unit ID, rates ID, part INT, country TEXT, postal_prefix TEXT, transit_days INT NULL, steps TEXT,
    PRIMARY KEY (unit, rates, part)
);
-- path zone_of_rates ON rate_zone (unit, rates) THEN (part)
CREATE INDEX rate_zone_country ON rate_zone (unit, rates, country, part);
-- path zone_of_country ON rate_zone (unit, rates, country) THEN (part)

-- Fulfilment orders that a node with a capacity was given on a day of its own: no node without one has rows.
CREATE TABLE node_day (
    unit ID, node ID, day INT, given INT CHECK (given >= 0),
    PRIMARY KEY (unit, node, day)
);

-- What rules of routing ask of goods.
ALTER TABLE sku ADD COLUMN hazmat BOOL DEFAULT 0;
ALTER TABLE sku ADD COLUMN goods TEXT NULL;
