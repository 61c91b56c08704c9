-- Version 3: who has been written to, learnt from what has ended, found by the beginning of any word of name and
-- address. A contact goes with the last message that named it: deleting and purging leave none behind.

CREATE TABLE contact (
    key TEXT PRIMARY KEY,               -- the address, case folded
    address TEXT NOT NULL,              -- with its name, as last written
    last_used INTEGER NOT NULL          -- position of the last message
) STRICT, WITHOUT ROWID;
CREATE INDEX contact_last_used ON contact (last_used);

CREATE TABLE contact_word (
    word TEXT NOT NULL,
    key TEXT NOT NULL REFERENCES contact (key) ON DELETE CASCADE,
    PRIMARY KEY (word, key)
) STRICT, WITHOUT ROWID;
CREATE INDEX contact_word_key ON contact_word (key);

CREATE TRIGGER ended_deleted_contact AFTER DELETE ON ended BEGIN
    DELETE FROM contact WHERE last_used = old.position;
END;

INSERT INTO tally VALUES ('contacts', -1);      -- position up to which the history has been read for contacts
