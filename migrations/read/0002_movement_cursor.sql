-- Movements are not named by events: they are followed by their own ids, below the clock's next_id of the same snapshot.
ALTER TABLE cursor_of_unit ADD COLUMN movement_id INT DEFAULT 0;
