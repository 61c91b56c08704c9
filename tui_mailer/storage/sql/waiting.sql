-- What is due, which accounts are held, and who is there to deliver.

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
-- Of an account whose hours are closed: only what a person wants out all the same.
SELECT id, account, due_at FROM submission
WHERE account = :account AND due_at <= :now AND (any_time OR NOT :is_closed)
ORDER BY due_at, id
LIMIT :limit

-- name: list_due_of_ids
SELECT id, account, due_at, any_time FROM submission
WHERE id IN (SELECT value FROM json_each(:ids)) AND due_at <= :now
ORDER BY due_at, id

-- name: find_sending
SELECT id FROM submission WHERE state = 'sending' AND account = :account LIMIT 1

-- name: insert_deliverer
INSERT INTO deliverer (owner, role, seen_at) VALUES (:owner, :role, :now)

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

-- name: bring_times_back_from_the_future
-- Nobody chose this time: it was the clock's, or the end of an undo window by it. Who holds or tries it goes by it, too.
UPDATE submission SET not_before = :now + max(0, min(not_before - updated_at, :longest_wait))
WHERE not_before > :now AND updated_at > :now + :slack AND schedule_words IS NULL AND ended_at IS NULL

-- name: bring_mail_back_from_the_future
-- What was put off by a clock that has been set back since: the wait begins anew, a person's own time stays.
UPDATE submission SET
    due_at = :now + max(0, min(due_at - updated_at, :longest_wait)),
    not_before = CASE
        WHEN schedule_words IS NULL THEN min(not_before, :now + max(0, min(due_at - updated_at, :longest_wait)))
        ELSE not_before
    END,
    updated_at = :now
WHERE due_at > :now AND (state = 'deferred' OR schedule_words IS NULL)
    AND (updated_at > :now + :slack OR (state = 'deferred' AND due_at > :now + :longest_wait))

-- name: bring_probes_back_from_the_future
UPDATE account_hold SET retry_at = :now
WHERE retry_at > :now AND (since > :now + :slack OR retry_at > :now + :longest_wait)

-- name: bring_questions_back_from_the_future
UPDATE poll SET due_at = :now + max(0, min(due_at - since, :longest_wait)), since = :now
WHERE due_at > :now AND since > :now + :slack
