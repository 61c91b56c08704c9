-- Version 2: working hours that a person overrides, accounts to fall back on, mail that recurs.

ALTER TABLE submission ADD COLUMN any_time INTEGER NOT NULL DEFAULT 0;   -- a person wants it out of hours, too
ALTER TABLE submission ADD COLUMN home_account TEXT;                     -- sealed for; NULL while it is that one's turn
ALTER TABLE submission ADD COLUMN ruled_out TEXT NOT NULL DEFAULT '[]';  -- accounts that won't ever take it
ALTER TABLE submission ADD COLUMN series_id TEXT;                        -- the series it is an occurrence of

CREATE INDEX submission_series ON submission (series_id) WHERE series_id IS NOT NULL;

ALTER TABLE attempt ADD COLUMN account TEXT;

CREATE TABLE series (
    id TEXT PRIMARY KEY,
    rule TEXT NOT NULL,         -- RFC 5545 RRULE value, COUNT and UNTIL included
    words TEXT NOT NULL,        -- as typed
    zone TEXT NOT NULL,
    start TEXT NOT NULL,        -- DTSTART, wall time in the zone
    last_at INTEGER NOT NULL,   -- the occurrence made last
    occurrence_id TEXT NOT NULL,
    template TEXT NOT NULL      -- the submission each occurrence is made from
) STRICT;
