-- Leases: who delivers what, and how far it got.

-- name: insert_attempt
INSERT INTO attempt (submission_id, epoch, number, started_at, phase, provider, account)
VALUES (
    :id, :epoch, (SELECT coalesce(max(number), 0) + 1 FROM attempt WHERE submission_id = :id), :now, 'claimed',
    :provider, :account
)

-- name: reach_phase
-- Fenced: changes nothing unless the lease is still the claimant's.
UPDATE submission SET
    phase = :phase,
    updated_at = :now,
    lease_until = :lease_until,
    date_offset = CASE WHEN date_at IS NULL THEN :date_offset ELSE date_offset END,
    date_at = coalesce(date_at, :date_at),
    key_used_at = CASE WHEN :phase = 'intent' THEN coalesce(key_used_at, :now) ELSE key_used_at END,
    key_uses = key_uses + (:phase = 'intent' AND phase IS NOT 'intent')
WHERE id = :id AND epoch = :epoch AND owner = :owner AND state = 'sending'

-- name: intend
UPDATE attempt SET intent_at = :now WHERE submission_id = :id AND epoch = :epoch

-- name: note
UPDATE attempt SET note = json_patch(note, :note) WHERE submission_id = :id AND epoch = :epoch

-- name: renew
-- With it goes how far it is, which costs no write of its own. What a phase short of the intent says binds nobody.
UPDATE submission SET
    lease_until = :lease_until,
    phase = CASE WHEN phase IN ('intent', 'done') OR :phase IN ('intent', 'done') THEN phase ELSE coalesce(:phase, phase) END,
    bytes_sent = :bytes_sent,
    bytes_total = :bytes_total
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
