-- The color that a viewer chose for their name, where the platform has such a thing.
ALTER TABLE viewers ADD COLUMN color TEXT;
