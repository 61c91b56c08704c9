-- Rows of a damaged outbox, one at a time, as JSON.

-- name: read_draft
SELECT json_array(id, draft, epoch, updated_at, is_copy_of) FROM draft

-- name: write_draft
INSERT INTO draft (id, draft, epoch, updated_at, is_copy_of)
SELECT :row ->> 0, :row ->> 1, :row ->> 2, :row ->> 3, :row ->> 4 WHERE json_valid(:row ->> 1)
ON CONFLICT DO NOTHING

-- name: read_submission_key
SELECT json_array(digest, submission_id, group_id) FROM submission_key

-- name: write_submission_key
INSERT INTO submission_key (digest, submission_id, group_id)
SELECT :row ->> 0, :row ->> 1, :row ->> 2 WHERE true
ON CONFLICT DO NOTHING

-- name: read_account_hold
SELECT json_array(account, reason, since, is_offline, retry_at, failures) FROM account_hold

-- name: write_account_hold
INSERT INTO account_hold (account, reason, since, is_offline, retry_at, failures)
SELECT :row ->> 0, :row ->> 1, :row ->> 2, :row ->> 3, :row ->> 4, :row ->> 5 WHERE true
ON CONFLICT DO NOTHING

-- name: read_series
SELECT json_array(id, rule, words, zone, start, last_at, occurrence_id, template) FROM series

-- name: write_series
-- It goes on from now: what has come may have been sent already.
INSERT INTO series (id, rule, words, zone, start, last_at, occurrence_id, template)
SELECT :row ->> 0, :row ->> 1, :row ->> 2, :row ->> 3, :row ->> 4, max(:row ->> 5, unixepoch() * 1000000),
    :row ->> 6, :row ->> 7
WHERE json_valid(:row ->> 7)
ON CONFLICT DO NOTHING
