-- Format 2: several processes write.
--
-- `store.epoch` is from now on the number of the youngest owner; `store.pid` and `store.since` are empty.

-- The process to which a running run belongs. Part of the seal where it is not NULL.
ALTER TABLE heads ADD COLUMN owner INTEGER;

-- Processes that have the store open, and those that have ended since another one was opened. Numbers are never used again.
CREATE TABLE owners (
    nr    INTEGER PRIMARY KEY,
    pid   INTEGER NOT NULL,
    since INTEGER NOT NULL,
    seal  INTEGER NOT NULL
) STRICT;
