-- Leases: who delivers what, how far it got, and who has left.

-- name: list_waiting_accounts
-- The accounts with anything waiting, each found by one step in the index however much it has.
WITH RECURSIVE waiting (account) AS (
    SELECT min(account) FROM submission WHERE due_at IS NOT NULL
    UNION ALL
    SELECT (SELECT min(account) FROM submission WHERE due_at IS NOT NULL AND account > waiting.account)
    FROM waiting WHERE waiting.account IS NOT NULL
)
SELECT account, (
    SELECT min(due_at) FROM submission WHERE submission.account = waiting.account AND due_at IS NOT NULL
) AS due_at
FROM waiting WHERE account IS NOT NULL

-- name: list_due_of_account
SELECT id, account, due_at FROM submission
WHERE account = :account AND due_at <= :now
ORDER BY due_at, id
LIMIT :limit

-- name: list_due_of_ids
SELECT id, account, due_at FROM submission
WHERE id IN (SELECT value FROM json_each(:ids)) AND due_at <= :now
ORDER BY due_at, id

-- name: list_sending_accounts
SELECT DISTINCT account FROM submission WHERE state = 'sending'

-- name: insert_attempt
INSERT INTO attempt (submission_id, epoch, number, started_at, phase, provider)
VALUES (
    :id, :epoch, (SELECT coalesce(max(number), 0) + 1 FROM attempt WHERE submission_id = :id), :now, 'claimed', :provider
)

-- name: reach_phase
-- Fenced: changes nothing unless the lease is still the claimant's.
UPDATE submission SET
    phase = :phase,
    updated_at = :now,
    lease_until = :lease_until,
    date_offset = CASE WHEN date_at IS NULL THEN :date_offset ELSE date_offset END,
    date_at = coalesce(date_at, :date_at)
WHERE id = :id AND epoch = :epoch AND owner = :owner AND state = 'sending'

-- name: note
UPDATE attempt SET note = json_patch(note, :note) WHERE submission_id = :id AND epoch = :epoch

-- name: renew
UPDATE submission SET lease_until = :lease_until
WHERE id = :id AND epoch = :epoch AND owner = :owner AND state = 'sending'

-- name: close_attempt
UPDATE attempt SET
    ended_at = :ended_at, phase = :phase, code = :code, enhanced_code = :enhanced_code, text = :text,
    provider_id = :provider_id, transcript = :transcript, is_counted = :is_counted
WHERE submission_id = :id AND epoch = :epoch

-- name: drop_attempt
DELETE FROM attempt WHERE submission_id = :id AND epoch = :epoch

-- name: drop_same_attempts
-- Tries that came to nothing for one and the same reason are one line to a person.
DELETE FROM attempt
WHERE submission_id = :id AND epoch < :epoch AND is_counted = 0 AND text = :text

-- name: list_sending
SELECT id, owner, lease_boot, lease_until FROM submission WHERE state = 'sending'

-- name: last_attempt_end
SELECT ended_at FROM attempt WHERE submission_id = :id ORDER BY number DESC LIMIT 1

-- name: insert_deliverer
INSERT INTO deliverer (owner, role, seen_at) VALUES (:owner, :role, :now)

-- name: see_deliverer
UPDATE deliverer SET seen_at = :now WHERE owner = :owner

-- name: list_deliverers
SELECT * FROM deliverer ORDER BY owner

-- name: delete_deliverer
DELETE FROM deliverer WHERE owner = :owner

-- name: hold_account
INSERT INTO account_hold (account, reason, since, is_offline, retry_at, failures)
VALUES (:account, :reason, :now, :is_offline, :retry_at, :failures)
ON CONFLICT (account) DO UPDATE SET
    since = CASE WHEN is_offline = excluded.is_offline THEN since ELSE excluded.since END,
    reason = excluded.reason,
    is_offline = excluded.is_offline,
    retry_at = excluded.retry_at,
    failures = excluded.failures

-- name: release_account
DELETE FROM account_hold WHERE account = :account

-- name: list_account_holds
SELECT * FROM account_hold ORDER BY account
