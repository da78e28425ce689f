-- A job that fills a queue stands at one node; head: the channel priority of the next in the queue, whom only those may
-- overtake who rank before it. Of other jobs both are 0.
ALTER TABLE job ADD COLUMN node ID DEFAULT 0;
ALTER TABLE job ADD COLUMN head INT DEFAULT 0;

-- The job that makes the unit's rows ready: its own commands wait (503) until it has ended. 0: none.
ALTER TABLE unit_clock ADD COLUMN blocked ID DEFAULT 0;

-- A node's units may go to those of its channels only: each channel's queue is read for itself, the best head goes first.
CREATE INDEX waiting_channel ON waiting (unit, sku, channel, priority, promise, ord, line, part);
-- path waiting_of_channel ON waiting (unit, sku, channel) THEN (priority, promise, ord, line, part)
