-- How often a key may ask: requests a second, and how many more at once. 0: as often as it likes.
ALTER TABLE api_key ADD COLUMN rate INT DEFAULT 0;
ALTER TABLE api_key ADD COLUMN burst INT DEFAULT 0;
