-- What may stand in for a SKU, in the order in which it is tried: codes as a JSON list, null: nothing. Read with the row, and copied with it.
ALTER TABLE sku ADD COLUMN substitutes TEXT NULL;
-- Pieces of another line were replaced by this one; null: it came for itself.
ALTER TABLE order_line ADD COLUMN replaces INT NULL;
