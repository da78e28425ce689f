-- What was last told of when those who wait will have their units, so that it is told when that changes.
-- told: the date that a place in a queue had when somebody looked last, 0: its units stand somewhere, null: nobody knew one.
ALTER TABLE waiting ADD COLUMN told INT NULL;
-- The same of a line as a whole, of which nothing is told while none of it waits.
ALTER TABLE order_line ADD COLUMN told INT NULL;
-- due: the event after which somebody must look whether dates of this SKU's queue have changed, 0: what was told is what is so. changes: how often
-- something happened that may change them, so that who has looked knows whether it still is as he saw it. supply: the last supply behind it, 0: none.
ALTER TABLE waiting_sku ADD COLUMN due INT DEFAULT 0;
ALTER TABLE waiting_sku ADD COLUMN changes INT DEFAULT 0;
ALTER TABLE waiting_sku ADD COLUMN supply ID DEFAULT 0;
CREATE INDEX waiting_sku_due ON waiting_sku (unit, due, sku) WHERE due > 0;
UPDATE waiting_sku SET due = 1;
