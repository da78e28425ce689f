-- How many units wait at each place of a queue, so that it can be read who is promised what is expected without a look at each demand.
ALTER TABLE waiting ADD COLUMN units INT DEFAULT 0;

UPDATE waiting SET units = (SELECT d.backordered FROM demand AS d
                             WHERE d.unit = waiting.unit AND d.ord = waiting.ord AND d.line = waiting.line AND d.part = waiting.part);
