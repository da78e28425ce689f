-- When the last event that was followed happened: after a restore another one has its number, or none.
ALTER TABLE cursor_of_unit ADD COLUMN event_at INT DEFAULT 0;
