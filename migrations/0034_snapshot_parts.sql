-- A snapshot may come in parts: each was told by an event of its own. One that comes whole has none.
CREATE TABLE snapshot_part (
    unit ID, snapshot ID, part INT, event_seq INT,
    PRIMARY KEY (unit, snapshot, part)
);
-- as_of: the last event that the keeper had seen; 0: he did not say.
ALTER TABLE snapshot ADD COLUMN as_of INT DEFAULT 0;
