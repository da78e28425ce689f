-- What lists and histories are read by.

-- Bundles are few among SKUs.
CREATE INDEX sku_bundles ON sku (unit, id) WHERE bundle = 1;

-- The work that is open, by type; what is closed is not in it. type > 0 keeps it from being taken for any other question.
CREATE INDEX exception_work ON exception_item (unit, type, id) WHERE state = 1 AND type > 0;

-- The subject of a fence's history. 0: set before there was one.
ALTER TABLE fence ADD COLUMN id ID DEFAULT 0;

-- What the channel said of the payment, for the answer: the sums that decide stand beside it.
ALTER TABLE orders ADD COLUMN payment_amount INT NULL;
ALTER TABLE orders ADD COLUMN payment_reference TEXT NULL;
