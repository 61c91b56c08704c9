-- The history, version 1. The rowid is the millisecond (since 1970) it ended, or the first free one after it: rowid
-- order is time order, in the table and in the full-text index alike, and a page is a range.

CREATE TABLE ended (
    position INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    id_reversed TEXT NOT NULL UNIQUE,   -- a suffix of the ID is a prefix here
    ended_at INTEGER NOT NULL,          -- microseconds
    subject TEXT NOT NULL,
    sender TEXT NOT NULL,
    recipients TEXT NOT NULL,
    body TEXT,
    tags TEXT NOT NULL,                 -- account and state as one token each, so that a search needs one index
    submission TEXT NOT NULL,           -- JSON without the text, which is the body, and without the draft
    draft TEXT,
    draft_has_body INTEGER NOT NULL,    -- 0: the draft's body is the message's text, and kept once
    attempts TEXT NOT NULL,
    has_text INTEGER NOT NULL
) STRICT;

CREATE INDEX ended_with_text ON ended (ended_at) WHERE has_text = 1;

-- Which spool objects a message still needs.
CREATE TABLE reference (
    position INTEGER NOT NULL REFERENCES ended (position) ON DELETE CASCADE,
    sha256 TEXT NOT NULL,
    is_attachment INTEGER NOT NULL,
    ended_at INTEGER NOT NULL,
    PRIMARY KEY (position, sha256)
) STRICT, WITHOUT ROWID;
CREATE INDEX reference_object ON reference (sha256);
CREATE INDEX reference_attachment ON reference (ended_at) WHERE is_attachment = 1;

CREATE VIRTUAL TABLE ended_text USING fts5 (
    subject, sender, recipients, body, tags,
    content = 'ended', content_rowid = 'position', tokenize = 'unicode61 remove_diacritics 2'
);
INSERT INTO ended_text (ended_text, rank) VALUES ('secure-delete', 1);

CREATE TABLE tally (name TEXT PRIMARY KEY, number INTEGER NOT NULL) STRICT;
INSERT INTO tally VALUES ('ended', 0);

CREATE TRIGGER ended_inserted AFTER INSERT ON ended BEGIN
    INSERT INTO ended_text (rowid, subject, sender, recipients, body, tags)
    VALUES (new.position, new.subject, new.sender, new.recipients, new.body, new.tags);
    UPDATE tally SET number = number + 1 WHERE name = 'ended';
END;

CREATE TRIGGER ended_deleted AFTER DELETE ON ended BEGIN
    INSERT INTO ended_text (ended_text, rowid, subject, sender, recipients, body, tags)
    VALUES ('delete', old.position, old.subject, old.sender, old.recipients, old.body, old.tags);
    UPDATE tally SET number = number - 1 WHERE name = 'ended';
END;

CREATE TRIGGER ended_body_updated AFTER UPDATE OF body ON ended BEGIN
    INSERT INTO ended_text (ended_text, rowid, subject, sender, recipients, body, tags)
    VALUES ('delete', old.position, old.subject, old.sender, old.recipients, old.body, old.tags);
    INSERT INTO ended_text (rowid, subject, sender, recipients, body, tags)
    VALUES (new.position, new.subject, new.sender, new.recipients, new.body, new.tags);
END;
