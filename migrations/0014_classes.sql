-- Grades of goods (B stock, refurbished, another owner's): a class of its own in positions, movements and adjustments. Class 0 is what has none:
-- own, new, saleable. There are few: each unit has a copy of all.
CREATE TABLE goods_class (
    unit ID, id ID, code TEXT, name TEXT, version INT,
    PRIMARY KEY (unit, id)
);
CREATE UNIQUE INDEX goods_class_code ON goods_class (unit, code);
-- path goods_class_by_code ON goods_class (unit, code)
-- path goods_class_all ON goods_class (unit) THEN (id)

-- What somebody decided of units at a node: kept back, released, graded otherwise, or inspected. kind 1 quarantine, 2 release, 3 regrade,
-- 4 inspection. What became of them is in its event.
CREATE TABLE inspection (
    unit ID, id ID, kind INT, node ID, sku ID, class INT, quantity INT CHECK (quantity > 0), document TEXT NULL, event_seq INT,
    PRIMARY KEY (unit, id)
);
CREATE INDEX inspection_document ON inspection (unit, document, node, sku, kind) WHERE document IS NOT NULL;
-- path inspection_by_document ON inspection (unit, document, node, sku, kind) WHERE document IS NOT NULL
