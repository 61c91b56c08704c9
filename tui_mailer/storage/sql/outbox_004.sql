-- Version 4: when an attempt was about to pass the point of no return, for the person who must settle what came of it.

ALTER TABLE attempt ADD COLUMN intent_at INTEGER;
