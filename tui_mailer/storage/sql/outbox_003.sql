-- Version 3: providers that keep mail for later, know a repeat by its key, and tell later what became of it.

ALTER TABLE submission ADD COLUMN hands_over INTEGER NOT NULL DEFAULT 0;      -- the provider keeps it until not_before
ALTER TABLE submission ADD COLUMN timeline TEXT NOT NULL DEFAULT '[]';        -- what was learnt of recipients, and when
ALTER TABLE submission ADD COLUMN receipt_note TEXT NOT NULL DEFAULT '{}';    -- what the provider wants handed back
ALTER TABLE submission ADD COLUMN key_number INTEGER NOT NULL DEFAULT 0;      -- rises with every definite answer
ALTER TABLE submission ADD COLUMN key_used_at INTEGER;                        -- first use of the key in doubt
ALTER TABLE submission ADD COLUMN key_uses INTEGER NOT NULL DEFAULT 0;

-- Of whom the provider is to be asked next. A row outlives its submission's way into the history.
CREATE TABLE poll (
    submission_id TEXT PRIMARY KEY,
    account TEXT NOT NULL,
    due_at INTEGER NOT NULL,
    since INTEGER NOT NULL,
    asked INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX poll_due ON poll (due_at);
