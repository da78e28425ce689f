-- Into how many parcels an order may come apart, null: into as many as it takes. An order keeps what held for it when it came.
ALTER TABLE channel ADD COLUMN max_shipments INT NULL;
ALTER TABLE orders ADD COLUMN max_shipments INT NULL;
-- Whether the order may come apart into so many only: who fills asks it then, not each order in the queue.
ALTER TABLE waiting ADD COLUMN capped BOOL DEFAULT 0;
