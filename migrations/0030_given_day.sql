-- On which of its node's days a fulfilment order was given to it, where the node has a capacity: what node_day counts. Null: it was not counted. What was
-- counted before cannot be told any more: a node's count of the day of this migration begins anew.
ALTER TABLE fulfilment ADD COLUMN given_day INT NULL;
CREATE INDEX fulfilment_given ON fulfilment (unit, node, given_day, id) WHERE given_day IS NOT NULL;
DELETE FROM node_day;
