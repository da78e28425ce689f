-- Papers by which a return was announced, received and inspected, so that one that is told twice happens once. kind 1 announced, 2 received, 3 inspected.
CREATE TABLE return_document (
    unit ID, goods_return ID, number INT, kind INT, document TEXT, event_seq INT,
    PRIMARY KEY (unit, goods_return, number)
);
-- path document_of_return ON return_document (unit, goods_return) THEN (number)
