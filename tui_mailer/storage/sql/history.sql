-- The history: pages by position, searches by the full-text index in the same order.

-- name: find
SELECT * FROM ended WHERE id = :id

-- name: find_position
SELECT position FROM ended WHERE id = :id

-- name: list_known
-- Which of these ids are here.
SELECT id FROM ended WHERE id IN (SELECT value FROM json_each(:ids))

-- name: free_position
-- The first free position from one on.
SELECT CASE
    WHEN NOT EXISTS (SELECT 1 FROM ended WHERE position = :wanted) THEN :wanted
    ELSE (
        SELECT taken.position + 1 FROM ended AS taken
        WHERE taken.position >= :wanted
            AND NOT EXISTS (SELECT 1 FROM ended AS next WHERE next.position = taken.position + 1)
        ORDER BY taken.position LIMIT 1
    )
END AS position

-- name: insert
INSERT INTO ended (
    position, id, id_reversed, ended_at, subject, sender, recipients, body, tags, submission, draft, draft_has_body,
    attempts, has_text
) VALUES (
    :position, :id, :id_reversed, :ended_at, :subject, :sender, :recipients, :body, :tags, :submission, :draft,
    :draft_has_body, :attempts, :has_text
)

-- name: insert_reference
INSERT INTO reference (position, sha256, is_attachment, ended_at)
VALUES (:position, :sha256, :is_attachment, :ended_at)
ON CONFLICT DO NOTHING

-- name: page_older
-- A page going down from a position. Positions alone are read to pass over rows; texts stay where they are.
SELECT position, id, submission FROM ended WHERE position IN (
    SELECT position FROM ended INDEXED BY ended_position
    WHERE position < :below AND position > :over AND ended_at < :before AND ended_at >= :after
    ORDER BY position DESC LIMIT :limit OFFSET :skip
)
ORDER BY position DESC

-- name: page_newer
-- A page going up from a position; latest end first, as every page.
SELECT position, id, submission FROM ended WHERE position IN (
    SELECT position FROM ended INDEXED BY ended_position
    WHERE position < :below AND position > :over AND ended_at < :before AND ended_at >= :after
    ORDER BY position LIMIT :limit OFFSET :skip
)
ORDER BY position DESC

-- name: search_older
SELECT position, id, submission FROM ended WHERE position IN (
    SELECT rowid FROM ended_text WHERE ended_text MATCH :match AND rowid < :below AND rowid > :over
    ORDER BY rowid DESC LIMIT :limit OFFSET :skip
)
ORDER BY position DESC

-- name: search_newer
SELECT position, id, submission FROM ended WHERE position IN (
    SELECT rowid FROM ended_text WHERE ended_text MATCH :match AND rowid < :below AND rowid > :over
    ORDER BY rowid LIMIT :limit OFFSET :skip
)
ORDER BY position DESC

-- name: find_match
SELECT rowid FROM ended_text WHERE ended_text MATCH :match LIMIT 1

-- name: list_beginnings
-- The words with one beginning: a step from each to the next, however often it occurs.
WITH RECURSIVE word (term) AS (
    SELECT (SELECT term FROM ended_word WHERE term >= :beginning LIMIT 1)
    UNION ALL
    SELECT (SELECT term FROM ended_word WHERE term >= word.term || char(1) LIMIT 1)
    FROM word WHERE word.term < :beginning || char(1114111)
)
SELECT term FROM word WHERE substr(term, 1, length(:beginning)) = :beginning LIMIT :limit

-- name: count_all
SELECT number FROM tally WHERE name = 'ended'

-- name: count_older
SELECT count(*) AS number, min(position) AS lowest FROM (
    SELECT position FROM ended INDEXED BY ended_position
    WHERE position < :below AND position > :over AND ended_at < :before AND ended_at >= :after
    ORDER BY position DESC LIMIT :limit
)

-- name: count_search_older
SELECT count(*) AS number, min(rowid) AS lowest FROM (
    SELECT rowid FROM ended_text
    WHERE ended_text MATCH :match AND rowid < :below AND rowid > :over
    ORDER BY rowid DESC LIMIT :limit
)

-- name: list_ids_ending
SELECT id FROM ended WHERE id_reversed >= :prefix AND id_reversed < :prefix || '~' LIMIT 2

-- name: list_ended_before
SELECT id FROM ended WHERE position < :below AND ended_at < :before ORDER BY position LIMIT :limit

-- name: delete
DELETE FROM ended WHERE id = :id

-- name: list_references
SELECT DISTINCT sha256 FROM reference

-- name: list_with_text
SELECT * FROM ended WHERE has_text = 1 AND ended_at < :before ORDER BY ended_at LIMIT :limit

-- name: refine
-- What a provider told later of the recipients; nothing that is searched for.
UPDATE ended SET submission = :submission WHERE position = :position

-- name: drop_text
UPDATE ended SET body = NULL, submission = :submission, draft = NULL, has_text = 0 WHERE position = :position

-- name: drop_text_references
DELETE FROM reference WHERE position = :position AND is_attachment = 0

-- name: drop_attachment_references
DELETE FROM reference WHERE is_attachment = 1 AND ended_at < :before
