-- What makes a copy of the outbox safe to put in its place: nothing in it goes out by itself.

-- name: hold_all
UPDATE submission SET
    state = 'held', held_reason = :reason, due_at = NULL, owner = NULL, lease_boot = NULL, lease_until = NULL,
    claimed_from = NULL
WHERE state IN ('queued', 'deferred', 'sending')

-- name: forget_deliverers
DELETE FROM deliverer
