-- Version 5: how far a transfer is, for other processes to tell; what a mail server has announced it takes.

ALTER TABLE submission ADD COLUMN claimed_at INTEGER;     -- while sending: since when
ALTER TABLE submission ADD COLUMN bytes_sent INTEGER;     -- of a transfer that lasts, as the lease was renewed last
ALTER TABLE submission ADD COLUMN bytes_total INTEGER;

CREATE TABLE announced_size (
    server TEXT PRIMARY KEY,       -- host:port
    max_size INTEGER,              -- bytes (RFC 1870); NULL: it named no limit
    announced_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
