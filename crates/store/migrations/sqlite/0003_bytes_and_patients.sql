-- Budgets of bytes, and of patients by their keys.
ALTER TABLE grants ADD COLUMN max_bytes INTEGER;
ALTER TABLE drawn ADD COLUMN bytes INTEGER NOT NULL DEFAULT 0;

-- Whom the sessions of a grant with a budget of patients have seen, by keyed hash; gone with the grant.
CREATE TABLE patient_seen (
    grant_id TEXT NOT NULL REFERENCES grants (id),
    key      BLOB NOT NULL CHECK (length(key) = 16),
    PRIMARY KEY (grant_id, key)
) STRICT, WITHOUT ROWID;
