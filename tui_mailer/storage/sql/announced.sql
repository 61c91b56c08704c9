-- What mail servers have said they take (RFC 1870).

-- name: find
SELECT max_size, announced_at FROM announced_size WHERE server = :server

-- name: note
INSERT INTO announced_size (server, max_size, announced_at) VALUES (:server, :max_size, :now)
ON CONFLICT (server) DO UPDATE SET max_size = excluded.max_size, announced_at = excluded.announced_at
