-- Version 2: scripts without spaces between words are found by any part of a clause; the beginning of a word (one or
-- two letters have an index of their own) costs no pass over all that hold it; an index as small as positions are, for
-- counting and for going to any row by its number.

DROP TRIGGER ended_inserted;
DROP TRIGGER ended_deleted;
DROP TRIGGER ended_body_updated;
DROP TABLE ended_text;

CREATE INDEX ended_position ON ended (position, ended_at);

CREATE VIRTUAL TABLE ended_text USING fts5 (
    subject, sender, recipients, body, tags,
    content = 'ended', content_rowid = 'position', tokenize = 'unicode61 remove_diacritics 2', prefix = '1 2'
);
INSERT INTO ended_text (ended_text, rank) VALUES ('secure-delete', 1);
INSERT INTO ended_text (rowid, subject, sender, recipients, body, tags)
SELECT position, segmented(subject), segmented(sender), segmented(recipients), segmented(body), tags FROM ended;

-- Every word that occurs, in order: read by steps, from one to the next.
CREATE VIRTUAL TABLE ended_word USING fts5vocab ('ended_text', 'instance');

CREATE TRIGGER ended_inserted AFTER INSERT ON ended BEGIN
    INSERT INTO ended_text (rowid, subject, sender, recipients, body, tags)
    VALUES (
        new.position, segmented(new.subject), segmented(new.sender), segmented(new.recipients), segmented(new.body),
        new.tags
    );
    UPDATE tally SET number = number + 1 WHERE name = 'ended';
END;

CREATE TRIGGER ended_deleted AFTER DELETE ON ended BEGIN
    INSERT INTO ended_text (ended_text, rowid, subject, sender, recipients, body, tags)
    VALUES (
        'delete', old.position, segmented(old.subject), segmented(old.sender), segmented(old.recipients),
        segmented(old.body), old.tags
    );
    UPDATE tally SET number = number - 1 WHERE name = 'ended';
END;

CREATE TRIGGER ended_body_updated AFTER UPDATE OF body ON ended BEGIN
    INSERT INTO ended_text (ended_text, rowid, subject, sender, recipients, body, tags)
    VALUES (
        'delete', old.position, segmented(old.subject), segmented(old.sender), segmented(old.recipients),
        segmented(old.body), old.tags
    );
    INSERT INTO ended_text (rowid, subject, sender, recipients, body, tags)
    VALUES (
        new.position, segmented(new.subject), segmented(new.sender), segmented(new.recipients), segmented(new.body),
        new.tags
    );
END;
