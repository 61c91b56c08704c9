-- Asking providers what became of messages: by one process at a time, across restarts.

-- name: plan
INSERT INTO poll (submission_id, account, due_at, since) VALUES (:id, :account, :due_at, :now)
ON CONFLICT (submission_id) DO UPDATE SET due_at = excluded.due_at, account = excluded.account

-- name: next_due
SELECT min(due_at) AS due_at FROM poll WHERE account NOT IN (SELECT value FROM json_each(:skip))

-- name: find
SELECT due_at FROM poll WHERE submission_id = :id

-- name: find_due
SELECT * FROM poll
WHERE due_at <= :now AND account NOT IN (SELECT value FROM json_each(:skip))
ORDER BY due_at, submission_id
LIMIT 1

-- name: take
-- Who asks puts the next time off first, so that nobody else asks meanwhile; a death costs only that wait.
UPDATE poll SET due_at = :until, asked = asked + 1 WHERE submission_id = :id AND due_at = :due_at

-- name: postpone
UPDATE poll SET due_at = :due_at WHERE submission_id = :id

-- name: end
DELETE FROM poll WHERE submission_id = :id

-- name: refine
UPDATE submission SET timeline = :timeline WHERE id = :id
