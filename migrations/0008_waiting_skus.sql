-- The SKUs that somebody waits for, so that a change of masters finds all queues without reading them. part: sku modulo 64, a
-- piece of one step. A row stays when its queue has emptied; the next such change takes it away.
CREATE TABLE waiting_sku (
    unit ID, part INT, sku ID,
    PRIMARY KEY (unit, part, sku)
);
-- path waiting_sku_of_part ON waiting_sku (unit, part) THEN (sku)

INSERT INTO waiting_sku (unit, part, sku) SELECT DISTINCT unit, sku % 64, sku FROM waiting;
