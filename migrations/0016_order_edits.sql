-- Orders are changed after they came. priced: the pieces that discount and tax of the line were said for, null: its quantity. Both are shared by
-- piece, so a line of more pieces has more of both.
ALTER TABLE order_line ADD COLUMN priced INT NULL;
-- What was sealed of a person until the event `seq`, under the key that the person still has: an answer that is given again shows who it was then.
CREATE TABLE person_before (
    unit ID, id ID, seq INT, sealed BLOB,
    PRIMARY KEY (unit, id, seq)
);
-- path before_of_person ON person_before (unit, id) THEN (seq)
