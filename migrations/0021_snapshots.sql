-- What the keepers of mirrored nodes say is there. What differed is in the event, and in adjustments of reason 7.
CREATE TABLE snapshot (
    unit ID, id ID, node ID, taken_at INT, document TEXT NULL, event_seq INT,
    PRIMARY KEY (unit, id)
);
CREATE INDEX snapshot_node ON snapshot (unit, node, taken_at, id);
-- path snapshot_of_node ON snapshot (unit, node) THEN (taken_at, id) DESC
CREATE INDEX snapshot_document ON snapshot (unit, document, node) WHERE document IS NOT NULL;
-- path snapshot_by_document ON snapshot (unit, document, node) WHERE document IS NOT NULL

-- path position_of_node ON position (unit, node) THEN (sku, class)
