-- Beside the hospital: a table that an analyst's own grant may write, with nothing masked and no key
-- to what is, and a view over what is masked.
CREATE TABLE worksheet (
  worksheet_id int PRIMARY KEY,
  label        text NOT NULL,
  score        numeric(8,2),
  due          date,
  done         boolean NOT NULL DEFAULT false,
  rank         int NOT NULL DEFAULT 0,
  tags         text[],
  CHECK (rank >= 0)
);
INSERT INTO worksheet
SELECT n, (ARRAY['call back', 'review chart', 'lab', 'x y'])[1 + n % 4], CASE WHEN n % 5 > 0 THEN n * 1.25 END,
  date '2020-01-01' + n * 17, n % 3 = 0, n % 7, CASE WHEN n % 4 > 0 THEN ARRAY['a', 't' || n % 3] END
FROM generate_series(1, 24) AS n;
CREATE VIEW visits AS
  SELECT e.encounter_id, e.patient_id, p.last_name, p.ssn, p.sex, p.birth_date, e.kind, e.started_at, e.age_at_visit
  FROM encounters AS e JOIN patients AS p ON p.patient_id = e.patient_id;
GRANT SELECT ON worksheet, visits TO broker;
GRANT INSERT, UPDATE, DELETE ON worksheet, patients, notes, medications, conditions, departments TO broker;
-- Writes are undone and leave dead rows; when they are swept away is nobody's to compare.
DO $$ DECLARE t regclass; BEGIN
  FOR t IN SELECT oid FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'r' LOOP
    EXECUTE format('ALTER TABLE %s SET (autovacuum_enabled = off, toast.autovacuum_enabled = off)', t);
  END LOOP;
END $$;
