ALTER TABLE part ADD COLUMN colour TEXT NULL;
-- Not unique: the rest of the key makes its order total.
CREATE INDEX part_quantity ON part (unit, quantity);
-- path part_by_quantity ON part (unit, quantity)
INSERT INTO page (unit, id, body) VALUES (0, 1, 'it''s; a "page"');
