-- The work that a node has before it: states 0 open .. 6 packed. What has left is not in it, so it stays small.
CREATE INDEX fulfilment_work ON fulfilment (unit, node, state, id) WHERE state < 7;
