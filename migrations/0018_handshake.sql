-- Units that a node which others run is asked to give back: it has been told to ship them, and only its word takes them off. was: the state in which
-- the fulfilment order stands but for the asking.
CREATE TABLE cancel_asked (
    unit ID, fulfilment ID, line INT, part INT, quantity INT CHECK (quantity > 0), was INT,
    PRIMARY KEY (unit, fulfilment, line, part)
);
-- path asked_of_fulfilment ON cancel_asked (unit, fulfilment) THEN (line, part)

-- A node that declined an order, or failed with it: it is not given that order again until a person clears it.
CREATE TABLE node_refusal (
    unit ID, ord ID, node ID, fulfilment ID, at INT,
    PRIMARY KEY (unit, ord, node)
);
-- path refusal_of_order ON node_refusal (unit, ord) THEN (node)

-- Work that a node is asked to give back (state 9): few, and soon answered.
CREATE INDEX fulfilment_asked ON fulfilment (unit, node, id) WHERE state = 9;
