-- The patients of an assignment that is limited to some: as listed, and as the types that keys mostly
-- are, where PostgreSQL would write the value so. Masked views compare keys with these columns.
CREATE UNLOGGED TABLE IF NOT EXISTS phigate.patient (
  assignment text NOT NULL,
  patient text NOT NULL,
  PRIMARY KEY (assignment, patient)
);
ALTER TABLE phigate.patient
  ADD COLUMN IF NOT EXISTS whole_number int8 GENERATED ALWAYS AS
    (CASE WHEN patient COLLATE "C" ~ '^(0|-?[1-9][0-9]{0,17})$' THEN CAST(patient AS int8) END) STORED,
  ADD COLUMN IF NOT EXISTS uuid uuid GENERATED ALWAYS AS
    (CASE WHEN patient COLLATE "C" ~ '^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$' THEN CAST(patient AS uuid) END) STORED;
CREATE INDEX IF NOT EXISTS patient_whole_number ON phigate.patient (assignment, whole_number) WHERE whole_number IS NOT NULL;
CREATE INDEX IF NOT EXISTS patient_uuid ON phigate.patient (assignment, uuid) WHERE uuid IS NOT NULL;
ALTER TABLE phigate.patient OWNER TO phigate_definer;
REVOKE ALL ON phigate.patient FROM PUBLIC;
