-- Drafts.

-- name: find
SELECT * FROM draft WHERE id = :id

-- name: list_newest
SELECT * FROM draft
WHERE :before_at IS NULL OR (updated_at, id) < (:before_at, :before)
ORDER BY updated_at DESC, id DESC
LIMIT :limit

-- name: list_ids_ending
SELECT id FROM draft WHERE id LIKE '%' || :suffix

-- name: list_texts
SELECT draft FROM draft

-- name: insert
INSERT INTO draft (id, draft, epoch, updated_at, is_copy_of) VALUES (:id, :draft, :epoch, :updated_at, :is_copy_of)

-- name: update
UPDATE draft SET draft = :draft, epoch = :epoch, updated_at = :updated_at WHERE id = :id

-- name: delete
DELETE FROM draft WHERE id = :id AND (:epoch IS NULL OR epoch = :epoch)
