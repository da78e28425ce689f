-- Goods called back at some places: what could be sold there is put into quarantine, claims give way, and nothing is promised until it is ended.

-- class NULL: of every class. state 1 running, 2 holding (it has all units), 3 ended. places: how many; at_work: of how many the job is open.
CREATE TABLE recall (
    unit ID, id ID, sku ID, class INT NULL, reason TEXT, state INT, places INT, at_work INT, version INT, started_at INT, ended_at INT NULL,
    ended_why TEXT NULL, released BOOL,
    PRIMARY KEY (unit, id)
);
CREATE INDEX recall_state ON recall (unit, state, id);

-- job: what takes the units, and bars the position while the recall stands.
CREATE TABLE recall_place (
    unit ID, recall ID, node ID, class INT, sku ID, job ID, taken INT CHECK (taken >= 0), broken INT, stands BOOL,
    PRIMARY KEY (unit, recall, node, class)
);
-- path place_of_recall ON recall_place (unit, recall) THEN (node, class)
CREATE INDEX recall_place_stands ON recall_place (unit, sku, node, class) WHERE stands = 1;
-- path recall_place_of_sku ON recall_place (unit, sku) THEN (node, class) WHERE stands = 1

-- path node_all ON node (unit) THEN (id)
