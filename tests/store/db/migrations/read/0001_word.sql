CREATE TABLE word (
    unit ID, token TEXT, thing ID,
    PRIMARY KEY (unit, token, thing)
);
-- path thing_of_word ON word (unit, token) THEN (thing)
