-- Units that a node was to ship and did not find: they stand in quarantine until a count of the SKU there decides. ord: whose pick it was, which
-- the node is not given again meanwhile; 0: of orders that it may be given again, since goods came there.
CREATE TABLE short_pick (
    unit ID, sku ID, node ID, ord ID, quantity INT CHECK (quantity > 0),
    PRIMARY KEY (unit, sku, node, ord)
);
-- path short_pick_of_sku ON short_pick (unit, sku) THEN (node, ord)
