-- Contacts: learnt from the history in small steps, found by the beginning of a word.

-- name: learnt_up_to
SELECT number FROM tally WHERE name = 'contacts'

-- name: note_learnt
UPDATE tally SET number = :position WHERE name = 'contacts'

-- name: worth_learning_after
-- The last row that is too old to be read, if the history is that long.
SELECT position FROM ended ORDER BY position DESC LIMIT 1 OFFSET :most

-- name: list_unread
SELECT position, submission FROM ended WHERE position > :after ORDER BY position LIMIT :limit

-- name: keep
INSERT INTO contact (key, address, last_used) VALUES (:key, :address, :position)
ON CONFLICT (key) DO UPDATE SET
    last_used = excluded.last_used,
    address = CASE WHEN excluded.address LIKE '%<%' OR contact.address NOT LIKE '%<%'
        THEN excluded.address ELSE contact.address END

-- name: keep_word
INSERT INTO contact_word (word, key) VALUES (:word, :key) ON CONFLICT DO NOTHING

-- name: find
SELECT contact.address FROM contact
JOIN (SELECT DISTINCT key FROM contact_word WHERE word >= :first AND word < :beyond LIMIT :most) AS fitting
    ON fitting.key = contact.key
ORDER BY contact.last_used DESC
LIMIT :limit
