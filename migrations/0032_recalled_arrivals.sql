-- What comes to a place while a recall stands there is kept back as well. came: such units.
ALTER TABLE recall_place ADD COLUMN came INT DEFAULT 0;

-- What came before this release stands behind the bar: the place's job takes it, as it takes what was there.
UPDATE job SET state = 1 WHERE state = 3 AND kind = 6 AND EXISTS (
    SELECT 1 FROM recall_place AS r, position AS p WHERE r.unit = job.unit AND r.job = job.id AND r.stands = 1 AND p.unit = r.unit AND p.sku = r.sku
       AND p.node = r.node AND p.class = r.class AND p.available + p.reserved + p.allocated > 0);
UPDATE recall SET at_work = (SELECT COUNT(*) FROM recall_place AS r, job AS j WHERE r.unit = recall.unit AND r.recall = recall.id AND j.unit = r.unit
       AND j.id = r.job AND j.state = 1) WHERE state < 3;
UPDATE recall SET state = 1 WHERE state = 2 AND at_work > 0;
