-- Lines whose word nobody knows yet, found by the word that a new listing or SKU has. by_listing: the word is a listing's, else a
-- SKU's. mapped_seq: the event since which the line stands for a SKU, 0: it does not; an answer given before is repeated as it was.
-- A line that is cancelled whole has no row.
CREATE TABLE unmapped_line (
    unit ID, ord ID, line INT, channel ID, by_listing BOOL, word TEXT, mapped_seq INT,
    PRIMARY KEY (unit, ord, line)
);
-- path unmapped_of_order ON unmapped_line (unit, ord) THEN (line)
CREATE INDEX unmapped_line_word ON unmapped_line (unit, channel, by_listing, word, ord, line) WHERE mapped_seq = 0;
-- path unmapped_by_word ON unmapped_line (unit, channel, by_listing, word) THEN (ord, line) WHERE mapped_seq = 0
-- path exception_open_of_type ON exception_item (unit, type) THEN (id) WHERE state = 1 AND type > 0

INSERT INTO unmapped_line (unit, ord, line, channel, by_listing, word, mapped_seq)
SELECT l.unit, l.ord, l.line, o.channel, l.said_by_listing, l.said, 0
  FROM order_line AS l JOIN orders AS o ON o.unit = l.unit AND o.id = l.ord JOIN demand AS d ON d.unit = l.unit AND d.ord = l.ord AND d.line = l.line
 WHERE l.sku = 0 AND d.cancelled < d.ordered AND l.said IS NOT NULL;
