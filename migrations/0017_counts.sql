-- What counters have said of a position, by the number of the event that told it. as_of: the event that the counter saw, its own where he said
-- none; counted: units on hand there and then; delta: what it corrected.
CREATE TABLE count_fact (
    unit ID, sku ID, node ID, class INT, seq INT, as_of INT, counted INT CHECK (counted >= 0), delta INT, adjustment ID,
    PRIMARY KEY (unit, sku, node, class, seq)
);
-- path count_of_position ON count_fact (unit, sku, node, class) THEN (seq) DESC

-- The last event before the pick was noted: a count of what was there before it does not decide about it.
ALTER TABLE short_pick ADD COLUMN noted_seq INT DEFAULT 0;
