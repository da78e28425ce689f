-- What follows the events in bulk and may be dropped and rebuilt at any time.

CREATE TABLE cursor_of_unit (
    unit ID, seq INT,
    PRIMARY KEY (unit)
);

CREATE TABLE movement_by_sku (
    unit ID, sku ID, id ID, node ID, other_node ID,
    PRIMARY KEY (unit, sku, id)
);

-- Folded words of number, channel order id, customer and address, for GET /v1/orders?q=
CREATE TABLE order_token (
    unit ID, token TEXT, ord ID,
    PRIMARY KEY (unit, token, ord)
);
