-- Masters. The company's row stands under unit 0; each unit has its copy, written in the same batch, so that a unit
-- decides on its own rows only. A copy keeps the id of the master.

CREATE TABLE business_unit (
    unit ID, id ID, code TEXT, name TEXT, currency TEXT, country TEXT, time_zone TEXT, version INT,
    PRIMARY KEY (unit, id)
);
CREATE UNIQUE INDEX business_unit_code ON business_unit (unit, code);
-- path business_unit_by_code ON business_unit (unit, code)
-- path business_unit_all ON business_unit (unit) THEN (id)

-- owner: the unit that it belongs to (the company's row tells where to look).
CREATE TABLE node (
    unit ID, id ID, owner ID, code TEXT, name TEXT, kind INT, authority INT, country TEXT, postal_code TEXT, priority INT,
    capacity_per_day INT NULL, version INT,
    PRIMARY KEY (unit, id)
);
CREATE UNIQUE INDEX node_code ON node (unit, code);
-- path node_by_code ON node (unit, code)

-- A bundle is a SKU that holds no stock.
CREATE TABLE sku (
    unit ID, id ID, code TEXT, name TEXT, bundle BOOL, gtin TEXT NULL, weight_g INT NULL, length_mm INT NULL, width_mm INT NULL,
    height_mm INT NULL, attrs TEXT NULL, version INT,
    PRIMARY KEY (unit, id)
);
CREATE UNIQUE INDEX sku_code ON sku (unit, code);
-- path sku_by_code ON sku (unit, code)
-- path sku_all ON sku (unit) THEN (id)

CREATE TABLE bundle_component (
    unit ID, bundle ID, part INT, sku ID, quantity INT CHECK (quantity > 0),
    PRIMARY KEY (unit, bundle, part)
);
-- path component_of_bundle ON bundle_component (unit, bundle) THEN (part)
CREATE INDEX bundle_component_sku ON bundle_component (unit, sku, bundle, part);
-- path bundle_of_component ON bundle_component (unit, sku) THEN (bundle, part)

CREATE TABLE channel (
    unit ID, id ID, owner ID, code TEXT, name TEXT, kind INT, priority INT, shortage INT, buffer INT, manual_release BOOL, split BOOL,
    channel_group TEXT, listings INT, version INT,
    PRIMARY KEY (unit, id)
);
CREATE UNIQUE INDEX channel_code ON channel (unit, code);
-- path channel_by_code ON channel (unit, code)
-- path channel_all ON channel (unit) THEN (id)

CREATE TABLE channel_node (
    unit ID, channel ID, part INT, node ID,
    PRIMARY KEY (unit, channel, part)
);
-- path node_of_channel ON channel_node (unit, channel) THEN (part)
CREATE INDEX channel_node_node ON channel_node (unit, node, channel, part);
-- path channel_of_node ON channel_node (unit, node) THEN (channel, part)

-- quota, rate limits: columns only until the governance of demand.
CREATE TABLE listing (
    unit ID, id ID, channel ID, channel_sku TEXT, sku ID, buffer INT, cap INT NULL, share_ppm INT, quota INT NULL, sold INT, shortage INT NULL,
    version INT,
    PRIMARY KEY (unit, id)
);
CREATE UNIQUE INDEX listing_code ON listing (unit, channel, channel_sku);
-- path listing_by_code ON listing (unit, channel, channel_sku)
CREATE INDEX listing_sku ON listing (unit, channel, sku, id);
-- path listing_of_sku ON listing (unit, channel, sku) THEN (id)

-- Who changed what: the whole resource after each version.
CREATE TABLE master_change (
    unit ID, kind INT, subject ID, version INT, at INT, actor ID, body TEXT,
    PRIMARY KEY (unit, kind, subject, version)
);
