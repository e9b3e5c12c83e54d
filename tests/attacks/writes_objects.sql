-- What an administrator left that writes may set off. Nobody classified these tables.
CREATE TABLE bait (id int PRIMARY KEY, note text, n serial);
INSERT INTO bait VALUES (1, 'one'), (2, 'two');
CREATE TABLE bait_trigger (id int, note text);
CREATE FUNCTION bait_copies() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN NEW.note := (SELECT ssn FROM patients WHERE ssn IS NOT NULL ORDER BY patient_id LIMIT 1); RETURN NEW; END $$;
CREATE TRIGGER copies BEFORE INSERT OR UPDATE ON bait_trigger FOR EACH ROW EXECUTE FUNCTION bait_copies();
CREATE TABLE bait_rule (id int, note text);
CREATE RULE tells AS ON INSERT TO bait_rule DO ALSO SELECT ssn FROM patients;
CREATE TABLE bait_key (id int, mrn varchar(12) REFERENCES patients (mrn));
CREATE FUNCTION bait_value() RETURNS text LANGUAGE sql AS 'SELECT ssn::text FROM patients WHERE ssn IS NOT NULL ORDER BY patient_id LIMIT 1';
CREATE TABLE bait_default (id int, note text DEFAULT bait_value());
CREATE FUNCTION bait_checks(int) RETURNS boolean LANGUAGE sql AS 'SELECT $1 < (SELECT length(min(last_name)) FROM patients)';
CREATE TABLE bait_check (id int CHECK (bait_checks(id)));
CREATE TABLE bait_index (id int);
CREATE FUNCTION bait_keys(int) RETURNS text LANGUAGE sql IMMUTABLE AS 'SELECT (SELECT ssn::text FROM patients LIMIT 1)::int::text';
CREATE INDEX ON bait_index (bait_keys(id));
CREATE VIEW bait_view AS SELECT patient_id, sex, marital_status FROM patients;
CREATE TABLE bait_policy (id int, note text);
ALTER TABLE bait_policy ENABLE ROW LEVEL SECURITY;
CREATE TABLE bait_parent (id int, note text) PARTITION BY LIST (id);
CREATE TABLE bait_child PARTITION OF bait_parent FOR VALUES IN (1);
CREATE TRIGGER copies BEFORE INSERT ON bait_child FOR EACH ROW EXECUTE FUNCTION bait_copies();
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO broker;
GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO broker;
GRANT CREATE ON SCHEMA public TO broker;
