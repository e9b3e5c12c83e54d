-- What a grant shows of rows, and how much.
ALTER TABLE grants ADD COLUMN cohort TEXT;
ALTER TABLE grants ADD COLUMN patients INTEGER;
ALTER TABLE grants ADD COLUMN sensitivity TEXT NOT NULL DEFAULT '[]';
-- Ids of documents: the data use agreement (45 CFR 164.514(e)(4)), the determination ((b)(1)).
ALTER TABLE grants ADD COLUMN data_use_agreement TEXT NOT NULL DEFAULT '';
ALTER TABLE grants ADD COLUMN determination TEXT NOT NULL DEFAULT '';
ALTER TABLE grants ADD COLUMN max_rows INTEGER;
ALTER TABLE grants ADD COLUMN max_patients INTEGER;
ALTER TABLE grants ADD COLUMN max_identifiers INTEGER;

-- Patient lists by the keyed hash of their content, one id a line; a list goes with its last live grant.
CREATE TABLE cohort (
    id   TEXT PRIMARY KEY,
    body BLOB NOT NULL
) STRICT, WITHOUT ROWID;

-- What was drawn of the budgets by each session; less what it gave back when it ended.
CREATE TABLE drawn (
    session_id  TEXT PRIMARY KEY REFERENCES session (id),
    grant_id    TEXT NOT NULL REFERENCES grants (id),
    rows        INTEGER NOT NULL,
    patients    INTEGER NOT NULL,
    identifiers INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX drawn_of_grant ON drawn (grant_id);
