-- Statement forms that carry a query somewhere a naive reader does not look.
-- attack: copy-table
COPY patients TO STDOUT
-- attack: copy-columns
COPY patients (ssn, last_name) TO STDOUT
-- attack: copy-query
COPY (SELECT ssn, last_name FROM patients) TO STDOUT
-- attack: copy-binary
COPY (SELECT ssn, account_number FROM patients) TO STDOUT (FORMAT binary)
-- attack: copy-file refused
COPY patients TO '/tmp/phigate-attack'
-- attack: copy-program refused
COPY patients TO PROGRAM 'cat'
-- attack: copy-from refused
COPY patients FROM STDIN
-- attack: copy-from-program refused
COPY departments FROM PROGRAM 'id'
-- attack: cursor
BEGIN
-- then
DECLARE c CURSOR FOR SELECT ssn, last_name FROM patients
-- then
FETCH 5 FROM c
-- then
COMMIT
-- attack: cursor-with-hold
DECLARE h CURSOR WITH HOLD FOR SELECT ssn FROM patients
-- then
FETCH ALL FROM h
-- attack: prepare-execute
PREPARE s AS SELECT ssn, mrn FROM patients WHERE patient_id = $1
-- then
EXECUTE s (1)
-- attack: explain-execute
PREPARE x AS SELECT ssn FROM patients
-- then
EXPLAIN EXECUTE x
-- attack: explain
EXPLAIN SELECT * FROM patients WHERE ssn = 'Qzx-0000001'
-- attack: explain-costs
EXPLAIN (COSTS ON) SELECT * FROM patients WHERE ssn > 'Q'
-- attack: explain-analyze
EXPLAIN ANALYZE SELECT * FROM patients WHERE ssn = 'Qzx-0000001'
-- attack: explain-verbose
EXPLAIN (VERBOSE) SELECT ssn FROM patients
-- attack: explain-json
EXPLAIN (FORMAT json, SETTINGS) SELECT ssn FROM patients
-- attack: create-table-as refused
CREATE TABLE stolen AS SELECT * FROM patients
-- attack: select-into refused
SELECT * INTO stolen FROM patients
-- attack: create-temp-table-as answered
CREATE TEMP TABLE stolen AS SELECT * FROM patients
-- attack: create-view refused
CREATE VIEW stolen AS SELECT * FROM patients
-- attack: create-temp-view answered
CREATE TEMP VIEW encounters AS SELECT * FROM patients
-- attack: materialized-view refused
CREATE MATERIALIZED VIEW stolen AS SELECT * FROM patients
-- attack: insert-select refused
INSERT INTO departments SELECT patient_id + 1000, ssn, 1 FROM patients
-- attack: update-launder refused
UPDATE patients SET language = ssn RETURNING language
-- attack: update-from refused
UPDATE departments SET name = p.ssn FROM patients p RETURNING name
-- attack: delete-returning refused
DELETE FROM notes RETURNING body
-- attack: merge refused
MERGE INTO departments d USING patients p ON d.department_id = p.patient_id WHEN MATCHED THEN UPDATE SET name = p.ssn
-- attack: data-modifying-cte refused
WITH x AS (DELETE FROM devices RETURNING device_serial) SELECT * FROM x
-- attack: on-conflict refused
INSERT INTO patients SELECT * FROM patients ON CONFLICT (mrn) DO UPDATE SET language = EXCLUDED.ssn RETURNING language
-- attack: do-block refused
DO $$ BEGIN RAISE NOTICE '%', (SELECT ssn FROM patients LIMIT 1); END $$
-- attack: create-function refused
CREATE FUNCTION leak() RETURNS text LANGUAGE sql AS 'SELECT ssn FROM patients LIMIT 1'
-- attack: create-temp-function refused
CREATE FUNCTION pg_temp.leak() RETURNS text LANGUAGE sql SECURITY DEFINER AS 'SELECT ssn FROM patients LIMIT 1'
-- attack: create-operator refused
CREATE OPERATOR + (LEFTARG = text, RIGHTARG = text, FUNCTION = textcat)
-- attack: create-cast refused
CREATE CAST (text AS int) WITH INOUT AS IMPLICIT
-- attack: create-rule refused
CREATE RULE r AS ON SELECT TO departments DO INSTEAD SELECT patient_id, ssn, 1::smallint FROM patients
-- attack: create-trigger refused
CREATE TRIGGER t AFTER UPDATE ON departments EXECUTE FUNCTION suppress_redundant_updates_trigger()
-- attack: create-index refused
CREATE INDEX ON patients ((1 / (length(ssn) - 11)))
-- attack: create-statistics refused
CREATE STATISTICS s ON ssn, mrn FROM patients
-- attack: create-extension refused
CREATE EXTENSION dblink
-- attack: alter-table-rename refused
ALTER TABLE patients RENAME ssn TO c
-- attack: alter-role refused
ALTER ROLE broker SUPERUSER
-- attack: alter-role-setting refused
ALTER ROLE broker SET search_path = evil
-- attack: grant refused
GRANT SELECT ON patients TO public
-- attack: security-label refused
SECURITY LABEL ON TABLE patients IS 'x'
-- attack: comment-on refused
COMMENT ON TABLE patients IS 'x''; SELECT 1'
-- attack: drop refused
DROP TABLE notes
-- attack: truncate refused
TRUNCATE notes
-- attack: lock-table refused
LOCK TABLE patients
-- attack: vacuum refused
VACUUM VERBOSE patients
-- attack: analyze refused
ANALYZE VERBOSE patients
-- attack: cluster refused
CLUSTER patients USING patients_pkey
-- attack: reindex refused
REINDEX TABLE patients
-- attack: refresh refused
REFRESH MATERIALIZED VIEW stolen
-- attack: call refused
CALL leak()
-- attack: load refused
LOAD 'auto_explain'
-- attack: listen refused
LISTEN c
-- attack: notify refused
NOTIFY c, 'a''b'
-- attack: prepare-transaction refused
PREPARE TRANSACTION 'x'
-- attack: set-role refused
SET ROLE postgres
-- attack: set-session-authorization refused
SET SESSION AUTHORIZATION postgres
-- attack: reset-all
RESET ALL
-- attack: discard-all
DISCARD ALL
-- attack: client-min-messages-debug refused
SET client_min_messages = debug5
-- attack: log-to-client refused
SET debug_print_parse = on
-- attack: row-security refused
SET row_security = off
-- attack: session-replication-role refused
SET session_replication_role = replica
-- attack: set-keys refused
SET phigate.k_ipad = 'known'
-- attack: set-local-keys refused
BEGIN; SET LOCAL phigate.k_opad = 'known'; SELECT record_uuid FROM patients; COMMIT
-- attack: set-plan-cache-mode-and-work-mem
SET work_mem = '1GB'
-- attack: multi-statement
SELECT 1; SELECT ssn FROM patients LIMIT 1; SELECT 2
-- attack: multi-statement-one-bad refused
SELECT 1; DROP TABLE notes
-- attack: multi-statement-copy
SELECT 1; COPY patients TO STDOUT
-- attack: for-update
SELECT ssn FROM patients FOR UPDATE
-- attack: tablesample refused
SELECT ssn FROM patients TABLESAMPLE BERNOULLI (50)
-- attack: import-foreign-schema refused
IMPORT FOREIGN SCHEMA s FROM SERVER t INTO public
-- attack: checkpoint refused
CHECKPOINT
