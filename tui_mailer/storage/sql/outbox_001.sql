-- The outbox, version 1. Instants are microseconds since 1970 (UTC).

CREATE TABLE submission (
    id TEXT PRIMARY KEY,
    state TEXT NOT NULL,
    account TEXT NOT NULL,
    provider TEXT NOT NULL,
    account_fingerprint TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    not_before INTEGER NOT NULL,
    due_at INTEGER,                     -- from when it may be claimed
    ended_at INTEGER,
    size INTEGER NOT NULL,
    envelope_from TEXT NOT NULL,
    schedule_words TEXT,
    schedule_zone TEXT,
    date_at INTEGER,                    -- the Date header, frozen by the first attempt
    date_offset INTEGER,                -- and its zone, seconds east of UTC: a retry sends the same bytes
    sent_at INTEGER,
    attempts INTEGER NOT NULL DEFAULT 0,
    phase TEXT,
    epoch INTEGER NOT NULL DEFAULT 0,   -- rises with each claim and each recovery: who knows an older one is fenced
    owner TEXT,
    lease_boot TEXT,
    lease_until INTEGER,                -- microseconds of the boot clock
    claimed_from TEXT,                  -- the state a claim that came to nothing goes back to
    uncertain_epoch INTEGER,            -- the attempt whose recovery made it uncertain
    provider_id TEXT,
    response_code INTEGER,
    enhanced_code TEXT,
    response_text TEXT,
    error TEXT,
    held_reason TEXT,
    key TEXT,
    group_id TEXT,
    note TEXT,
    retries INTEGER,
    keep INTEGER NOT NULL,
    is_kept_locally INTEGER NOT NULL,
    CHECK ((due_at IS NOT NULL) = (state IN ('queued', 'deferred'))),
    CHECK ((ended_at IS NOT NULL) = (state IN ('sent', 'partial', 'failed', 'canceled'))),
    CHECK ((owner IS NOT NULL) = (state = 'sending'))
) STRICT;

CREATE INDEX submission_due ON submission (account, due_at, id) WHERE due_at IS NOT NULL;
CREATE INDEX submission_state ON submission (state);
CREATE INDEX submission_ended ON submission (ended_at, id) WHERE ended_at IS NOT NULL;

-- What never changes is apart from what does, so that a change of state writes one small row.
CREATE TABLE sealed (
    submission_id TEXT PRIMARY KEY REFERENCES submission (id) ON DELETE CASCADE,
    message TEXT NOT NULL,
    draft TEXT
) STRICT;

CREATE TABLE recipient (
    submission_id TEXT NOT NULL REFERENCES submission (id) ON DELETE CASCADE,
    position INTEGER NOT NULL,
    address TEXT NOT NULL,
    kind TEXT NOT NULL,
    status TEXT NOT NULL,
    detail TEXT,
    at INTEGER,
    PRIMARY KEY (submission_id, position)
) STRICT, WITHOUT ROWID;

CREATE TABLE attempt (
    submission_id TEXT NOT NULL REFERENCES submission (id) ON DELETE CASCADE,
    epoch INTEGER NOT NULL,
    number INTEGER NOT NULL,
    is_counted INTEGER NOT NULL DEFAULT 1,
    started_at INTEGER NOT NULL,
    ended_at INTEGER,
    phase TEXT NOT NULL,
    provider TEXT NOT NULL,
    code INTEGER,
    enhanced_code TEXT,
    text TEXT,
    provider_id TEXT,
    note TEXT NOT NULL DEFAULT '{}',
    transcript TEXT NOT NULL DEFAULT '[]',
    PRIMARY KEY (submission_id, epoch)
) STRICT, WITHOUT ROWID;

-- Keys outlive their submissions, as digests: a second call is known for ever, what the key said is not.
CREATE TABLE submission_key (
    digest TEXT PRIMARY KEY,
    submission_id TEXT NOT NULL,
    group_id TEXT
) STRICT, WITHOUT ROWID;
CREATE INDEX submission_key_group ON submission_key (group_id, submission_id) WHERE group_id IS NOT NULL;

CREATE TABLE draft (
    id TEXT PRIMARY KEY,
    draft TEXT NOT NULL,
    epoch INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    is_copy_of TEXT
) STRICT;
CREATE INDEX draft_newest ON draft (updated_at, id);

CREATE TABLE account_hold (
    account TEXT PRIMARY KEY,
    reason TEXT NOT NULL,
    since INTEGER NOT NULL,
    is_offline INTEGER NOT NULL,
    retry_at INTEGER,
    failures INTEGER NOT NULL
) STRICT;

CREATE TABLE deliverer (
    owner TEXT PRIMARY KEY,
    role TEXT NOT NULL,
    seen_at INTEGER NOT NULL
) STRICT;
