-- Mail that recurs: each series has one occurrence in the outbox that was made last.

-- name: list_stale
-- Whose last occurrence has come, or has ended before its time (canceled, sent early).
SELECT
    series.id, series.rule, series.words, series.zone, series.start, series.last_at, series.occurrence_id,
    submission.state, submission.attempts, submission.not_before
FROM series LEFT JOIN submission ON submission.id = series.occurrence_id
WHERE series.last_at <= :now OR submission.id IS NULL OR submission.ended_at IS NOT NULL

-- name: find
SELECT * FROM series WHERE id = :id

-- name: list_occurrences_ending
-- Of the series whose ID has a suffix (letters and digits only): the occurrence made last.
SELECT occurrence_id FROM series WHERE id LIKE '%' || :suffix

-- name: list_templates
SELECT template FROM series

-- name: insert
INSERT INTO series (id, rule, words, zone, start, last_at, occurrence_id, template)
VALUES (:id, :rule, :words, :zone, :start, :last_at, :occurrence_id, :template)

-- name: advance
-- Compare and swap: of two processes one makes the occurrence.
UPDATE series SET last_at = :last_at, occurrence_id = :occurrence_id
WHERE id = :id AND last_at = :seen_at AND occurrence_id = :seen_id

-- name: finish
DELETE FROM series WHERE id = :id AND last_at = :seen_at AND occurrence_id = :seen_id

-- name: delete
DELETE FROM series WHERE id = :id
