-- Reading submissions, and the one statement that moves them.

-- name: find
-- One submission, whole.
SELECT submission.*, sealed.message, sealed.draft
FROM submission JOIN sealed ON sealed.submission_id = submission.id
WHERE submission.id = :id

-- name: find_state
-- What the moves need to decide; its message is left where it is.
SELECT * FROM submission WHERE id = :id

-- name: find_message
SELECT message FROM sealed WHERE submission_id = :id

-- name: find_draft
SELECT draft FROM sealed WHERE submission_id = :id

-- name: list_newest
-- A page of submissions in some states, newest first; ULIDs sort by time.
SELECT submission.*, sealed.message
FROM submission JOIN sealed ON sealed.submission_id = submission.id
WHERE submission.state IN (SELECT value FROM json_each(:states))
    AND (:account IS NULL OR submission.account = :account)
    AND (:before IS NULL OR submission.id < :before)
ORDER BY submission.id DESC
LIMIT :limit

-- name: list_newest_of_many
-- The same where most are in these states: down the IDs until the page is full, instead of sorting all that wait.
SELECT submission.*, sealed.message
FROM submission JOIN sealed ON sealed.submission_id = submission.id
WHERE +submission.state IN (SELECT value FROM json_each(:states))
    AND (:account IS NULL OR submission.account = :account)
    AND (:before IS NULL OR submission.id < :before)
ORDER BY submission.id DESC
LIMIT :limit

-- name: list_ended_newest
-- A page of what has ended and isn't in the history yet, latest end first.
SELECT submission.*, sealed.message, sealed.draft
FROM submission JOIN sealed ON sealed.submission_id = submission.id
WHERE submission.ended_at IS NOT NULL
    AND (:before_at IS NULL OR (submission.ended_at, submission.id) < (:before_at, :before))
ORDER BY submission.ended_at DESC, submission.id DESC
LIMIT :limit

-- name: list_ended_oldest
-- What goes into the history next: in the order it ended.
SELECT submission.*, sealed.message, sealed.draft
FROM submission JOIN sealed ON sealed.submission_id = submission.id
WHERE submission.ended_at IS NOT NULL
ORDER BY submission.ended_at, submission.id
LIMIT :limit

-- name: list_ended_ids
-- Latest end first.
SELECT id FROM submission WHERE ended_at IS NOT NULL ORDER BY ended_at DESC, id DESC

-- name: list_ids
SELECT id FROM submission

-- name: list_open_ids
SELECT id FROM submission WHERE ended_at IS NULL

-- name: list_ids_ending
-- IDs with a suffix (letters and digits only).
SELECT id FROM submission WHERE id LIKE '%' || :suffix

-- name: list_messages
-- Every sealed message: what refers to spool objects.
SELECT message, draft FROM sealed

-- name: list_recipients
SELECT * FROM recipient WHERE submission_id = :id ORDER BY position

-- name: list_recipients_of
SELECT * FROM recipient
WHERE submission_id IN (SELECT value FROM json_each(:ids))
ORDER BY submission_id, position

-- name: list_attempts
SELECT * FROM attempt WHERE submission_id = :id ORDER BY number

-- name: list_notes
-- What attempts of the account whose turn it is have noted; another account's ids mean nothing to it.
SELECT attempt.note FROM attempt JOIN submission ON submission.id = attempt.submission_id
WHERE submission.id = :id AND attempt.note <> '{}' AND coalesce(attempt.account, submission.account) = submission.account
ORDER BY attempt.number

-- name: last_attempt_end
SELECT ended_at FROM attempt WHERE submission_id = :id ORDER BY number DESC LIMIT 1

-- name: count_states
SELECT state, count(*) AS number FROM submission GROUP BY state

-- name: count_open
SELECT count(*) AS number FROM submission WHERE account = :account AND ended_at IS NULL

-- name: find_undoable
-- The newest one whose undo window is open: queued for later by no schedule, never tried.
SELECT id FROM submission
WHERE state = 'queued' AND not_before > :now AND schedule_words IS NULL AND attempts = 0
ORDER BY id DESC
LIMIT 1

-- name: insert
INSERT INTO submission (
    id, state, account, provider, account_fingerprint, created_at, updated_at, not_before, due_at, size,
    envelope_from, schedule_words, schedule_zone, held_reason, key, group_id, note, retries, keep, is_kept_locally,
    series_id, hands_over
) VALUES (
    :id, :state, :account, :provider, :account_fingerprint, :created_at, :created_at, :not_before, :due_at, :size,
    :envelope_from, :schedule_words, :schedule_zone, :held_reason, :key, :group_id, :note, :retries, :keep,
    :is_kept_locally, :series_id, :hands_over
)

-- name: insert_sealed
INSERT INTO sealed (submission_id, message, draft) VALUES (:id, :message, :draft)

-- name: insert_recipient
INSERT INTO recipient (submission_id, position, address, kind, status, detail, at)
VALUES (:id, :position, :address, :kind, :status, :detail, :at)

-- name: update_recipient
UPDATE recipient SET status = :status, detail = :detail, at = :at
WHERE submission_id = :id AND position = :position

-- name: move
-- Every change of state: compare and swap on the state and epoch that were read.
UPDATE submission SET
    state = :state, updated_at = :updated_at, not_before = :not_before, due_at = :due_at, ended_at = :ended_at,
    schedule_words = :schedule_words, schedule_zone = :schedule_zone, sent_at = :sent_at, attempts = :attempts,
    phase = :phase, epoch = :epoch, owner = :owner, lease_boot = :lease_boot, lease_until = :lease_until,
    claimed_from = :claimed_from, claimed_at = :claimed_at, bytes_sent = :bytes_sent, bytes_total = :bytes_total,
    uncertain_epoch = :uncertain_epoch, provider_id = :provider_id,
    response_code = :response_code, enhanced_code = :enhanced_code, response_text = :response_text,
    error = :error, held_reason = :held_reason, any_time = :any_time,
    account = :account, provider = :provider, home_account = :home_account, ruled_out = :ruled_out,
    hands_over = :hands_over, receipt_note = :receipt_note,
    key_number = :key_number, key_used_at = :key_used_at, key_uses = :key_uses
WHERE id = :id AND state = :seen_state AND epoch = :seen_epoch

-- name: delete
DELETE FROM submission WHERE id = :id AND ended_at IS NOT NULL

-- name: delete_outdated
-- Ended long ago, as the history tells; only a copy of the outbox that was put back can hold it as open.
DELETE FROM submission WHERE id = :id AND ended_at IS NULL

-- name: find_key
SELECT submission_id, group_id FROM submission_key WHERE digest = :digest

-- name: list_key_group
SELECT submission_id FROM submission_key WHERE group_id = :group_id ORDER BY submission_id

-- name: insert_key
INSERT INTO submission_key (digest, submission_id, group_id) VALUES (:digest, :submission_id, :group_id)
ON CONFLICT DO NOTHING

-- name: mark
-- Marks are kept as keys are, but pass from one submission to the next.
INSERT INTO submission_key (digest, submission_id) VALUES (:digest, :submission_id)
ON CONFLICT DO UPDATE SET submission_id = :submission_id
