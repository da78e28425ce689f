-- Whether the channel said anything of the shipping: a price of nothing is told back, too. 0 of orders that came before: then by what is there.
ALTER TABLE orders ADD COLUMN shipping_came BOOL DEFAULT 0;
