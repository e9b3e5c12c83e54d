-- Cursors, prepared statements and batches: what was judged once and runs later.
-- attack: cursor-backward-over-masked
BEGIN
-- then
DECLARE c SCROLL CURSOR FOR SELECT ssn, last_name FROM patients ORDER BY patient_id
-- then
MOVE LAST IN c
-- then
FETCH BACKWARD 3 FROM c
-- attack: cursor-relative-and-absolute
BEGIN
-- then
DECLARE c SCROLL CURSOR FOR SELECT * FROM patients ORDER BY ssn, patient_id
-- then
FETCH ABSOLUTE -1 FROM c
-- then
FETCH RELATIVE -2 FROM c
-- then
FETCH PRIOR FROM c
-- attack: cursor-not-scrollable-backward
BEGIN
-- then
DECLARE c NO SCROLL CURSOR FOR SELECT ssn FROM patients
-- then
FETCH BACKWARD 1 FROM c
-- attack: cursor-held-over-rollback
BEGIN
-- then
DECLARE c CURSOR WITH HOLD FOR SELECT ssn, last_name FROM patients
-- then
ROLLBACK
-- then
FETCH 1 FROM c
-- attack: cursor-in-failed-transaction
BEGIN
-- then
DECLARE c CURSOR FOR SELECT 1 / (length(last_name) - length(last_name)) FROM patients
-- then
FETCH 1 FROM c
-- then
FETCH 1 FROM c
-- attack: cursor-after-savepoint
BEGIN
-- then
DECLARE c CURSOR FOR SELECT last_name FROM patients ORDER BY patient_id
-- then
SAVEPOINT a
-- then
FETCH 1 FROM c
-- then
ROLLBACK TO a
-- then
FETCH 1 FROM c
-- attack: cursor-closed-and-declared-again
BEGIN
-- then
DECLARE c CURSOR FOR SELECT 1
-- then
CLOSE c
-- then
DECLARE c CURSOR FOR SELECT ssn, mrn FROM patients
-- then
FETCH 2 FROM c
-- attack: cursor-declared-twice
BEGIN
-- then
DECLARE c CURSOR FOR SELECT ssn FROM patients
-- then
DECLARE c CURSOR FOR SELECT mrn FROM patients
-- attack: cursor-of-values-and-union
BEGIN
-- then
DECLARE c CURSOR FOR (TABLE notes) UNION ALL (TABLE notes) ORDER BY 1
-- then
FETCH 2 FROM c
-- attack: cursor-of-writing-cte refused
DECLARE c CURSOR FOR WITH w AS (DELETE FROM notes RETURNING body) SELECT * FROM w
-- attack: cursor-into-variable refused
FETCH 1 FROM c INTO x
-- attack: cursor-asensitive-binary-hold
DECLARE c BINARY ASENSITIVE SCROLL CURSOR WITH HOLD FOR SELECT account_number, photo, last_login_ip, ssn FROM patients
-- then
FETCH LAST IN c
-- attack: cursors-listed
BEGIN
-- then
DECLARE c CURSOR FOR SELECT ssn FROM patients WHERE last_name = 'Qzxlast1'
-- then
SELECT * FROM pg_cursors
-- attack: cursor-all-closed
BEGIN
-- then
DECLARE c CURSOR FOR SELECT ssn FROM patients
-- then
CLOSE ALL
-- then
FETCH 1 FROM c
-- attack: cursor-named-by-unicode
BEGIN
-- then
DECLARE U&"\0063" CURSOR FOR SELECT ssn FROM patients
-- then
FETCH 1 FROM c
-- attack: cursor-named-over-long
BEGIN
-- then
DECLARE ccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccc1 CURSOR FOR SELECT ssn FROM patients
-- then
FETCH 1 FROM ccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccc2
-- attack: current-of-own-cursor
BEGIN
-- then
CREATE TEMP TABLE own AS SELECT patient_id, ssn FROM patients
-- then
DECLARE c CURSOR FOR SELECT * FROM own
-- then
FETCH 1 FROM c
-- then
UPDATE own SET ssn = (SELECT max(last_name) FROM patients) WHERE CURRENT OF c RETURNING *
-- attack: current-of-cursor-over-join
BEGIN
-- then
CREATE TEMP TABLE own AS SELECT patient_id FROM patients
-- then
DECLARE c CURSOR FOR SELECT * FROM own JOIN patients USING (patient_id)
-- then
FETCH 1 FROM c
-- then
DELETE FROM own WHERE CURRENT OF c
-- attack: prepare-types-of-other-kinds
PREPARE q (regclass, name, "char", oid) AS SELECT relname FROM pg_class WHERE oid = $1 AND relname = $2 AND relkind = $3 AND relnamespace = $4
-- then
EXECUTE q ('patients', 'patients', 'r', 2200)
-- attack: prepare-with-composite-type
PREPARE q (patients) AS SELECT ($1).ssn
-- attack: prepare-with-array-of-composites
PREPARE q (patients[]) AS SELECT * FROM unnest($1) AS u
-- attack: prepare-unknown-types
PREPARE q AS SELECT $1 || last_name, $2 = ssn, $3 FROM patients
-- then
EXECUTE q ('Q', 'Qzx-0000001', 3)
-- attack: prepare-with-type-modifier
PREPARE q (varchar(3), numeric(4, 2)) AS SELECT count(*) FROM patients WHERE last_name LIKE $1 || '%' AND $2 > 0
-- then
EXECUTE q ('Qzxlast1', 1)
-- attack: execute-with-named-setting
PREPARE q (text) AS SELECT $1
-- then
EXECUTE q (current_setting('phigate.k_' || 'integer', true))
-- attack: execute-with-function-that-reads refused
PREPARE q (xml) AS SELECT $1
-- then
EXECUTE q (query_to_xml('SELECT ssn FROM patients', true, false, ''))
-- attack: execute-with-parameter
PREPARE q (text) AS SELECT $1
-- then
EXECUTE q ($1)
-- attack: execute-unknown
EXECUTE "patients"
-- attack: deallocate-and-prepare-again
PREPARE q AS SELECT 1
-- then
DEALLOCATE q
-- then
PREPARE q AS SELECT ssn, last_name FROM patients LIMIT 2
-- then
EXECUTE q
-- attack: deallocate-all-and-execute
PREPARE q AS SELECT ssn FROM patients
-- then
DEALLOCATE ALL
-- then
EXECUTE q
-- attack: discard-plans-and-execute
PREPARE q AS SELECT ssn, last_name FROM patients LIMIT 1
-- then
DISCARD PLANS
-- then
EXECUTE q
-- attack: discard-all-and-execute
PREPARE q AS SELECT ssn FROM patients
-- then
DISCARD ALL
-- then
EXECUTE q
-- attack: prepare-then-path-changes
PREPARE q AS SELECT ssn, last_name FROM patients LIMIT 1
-- then
SET search_path = pg_temp, public
-- then
EXECUTE q
-- attack: prepare-then-path-is-empty
PREPARE q AS SELECT ssn, lower(last_name), 'a' || mrn FROM patients LIMIT 1
-- then
SET search_path = ''
-- then
EXECUTE q
-- attack: path-to-nothing
SET search_path = nowhere
-- then
SELECT ssn FROM patients
-- attack: path-with-user
SET search_path = "$user", public
-- then
SELECT ssn FROM patients LIMIT 1
-- attack: path-of-quoted-list
SET search_path = 'public, pg_temp'
-- then
SELECT ssn FROM patients LIMIT 1
-- attack: path-local-then-commit
BEGIN
-- then
SET LOCAL search_path = pg_catalog
-- then
COMMIT
-- then
SELECT ssn FROM patients LIMIT 1
-- attack: path-local-in-savepoint
BEGIN
-- then
SAVEPOINT a
-- then
SET LOCAL search_path = information_schema
-- then
ROLLBACK TO a
-- then
SELECT ssn FROM patients LIMIT 1
-- attack: path-in-failing-batch
SET search_path = information_schema; SELECT 1 / 0
-- then
SELECT ssn FROM patients LIMIT 1
-- attack: path-by-set-config refused
SELECT set_config('search_path', 'information_schema', false)
-- attack: path-reset-in-batch
SET search_path = public
-- then
SELECT 1; RESET search_path; SELECT ssn FROM patients LIMIT 1
-- attack: path-at-start-of-batch-with-comment refused
/**/ SET /**/ search_path /**/ TO /**/ evil; SELECT ssn FROM patients
-- attack: session-characteristics-in-batch
SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY; SELECT ssn FROM patients LIMIT 1
-- attack: settings-that-show-plans refused
SET debug_print_plan = on; SELECT ssn FROM patients
-- attack: settings-of-a-library refused
SET auto_explain.log_min_duration = 0
-- attack: setting-made-up refused
SET my.own = 'x'
-- attack: setting-made-up-by-function refused
SELECT set_config('my.own', ssn, false) FROM patients
-- attack: setting-from-current refused
SET search_path FROM CURRENT
-- attack: setting-time-zone-interval
SET TIME ZONE INTERVAL '1' HOUR TO MINUTE
-- then
SELECT registered_at, birth_date::timestamptz FROM patients ORDER BY patient_id LIMIT 2
-- attack: setting-time-zone-far
SET TimeZone = '<x>-167:59'
-- then
SELECT patient_id, registered_at, date_trunc('year', registered_at), extract(year FROM registered_at AT TIME ZONE 'UTC') FROM patients ORDER BY 1
-- attack: setting-date-style
SET DateStyle = 'German'
-- then
SELECT birth_date::text, death_date::text FROM patients ORDER BY patient_id LIMIT 3
-- attack: batch-of-prepare-and-execute
PREPARE q AS SELECT ssn FROM patients LIMIT 1; EXECUTE q; DEALLOCATE q
-- attack: batch-of-cursor
BEGIN; DECLARE c CURSOR FOR SELECT ssn, last_name FROM patients; FETCH 2 FROM c; COMMIT
-- attack: batch-of-copies
COPY (SELECT ssn FROM patients) TO STDOUT; COPY notes (body) TO STDOUT; SELECT 1
-- attack: batch-that-ends-open
BEGIN; SELECT ssn FROM patients LIMIT 1; SELECT last_name::int FROM patients
-- then
ROLLBACK; SELECT last_name FROM patients LIMIT 1
-- attack: batch-with-empty-statements
;;; SELECT ssn FROM patients LIMIT 1; ; SELECT mrn FROM patients LIMIT 1;
-- attack: batch-last-refused refused
SELECT 1; SELECT 2; SELECT pg_read_file('x')
-- attack: batch-prepare-transaction refused
BEGIN; SELECT 1; PREPARE TRANSACTION 'x'
-- attack: copy-as-json refused
COPY (SELECT ssn FROM patients) TO STDOUT (FORMAT json)
-- attack: copy-old-syntax
COPY BINARY patients TO STDOUT
-- attack: copy-with-oids refused
COPY patients TO STDOUT WITH OIDS
-- attack: copy-delimiter-of-quote
COPY patients (ssn, last_name) TO STDOUT WITH CSV HEADER DELIMITER ';' QUOTE '''' ESCAPE '\' FORCE QUOTE *
-- attack: copy-query-with-values
COPY (VALUES ((SELECT max(ssn) FROM patients))) TO STDOUT
-- attack: copy-table-command
COPY (TABLE patients) TO STDOUT
-- attack: copy-writing refused
COPY (DELETE FROM notes RETURNING body) TO STDOUT
-- attack: copy-with-where refused
COPY patients FROM STDIN WHERE ssn > 'Q'
-- attack: copy-own-in-with-where
CREATE TEMP TABLE own (a int)
-- then
COPY own FROM STDIN WHERE (SELECT max(ssn) FROM patients) > 'Q'
-- attack: copy-on-error
CREATE TEMP TABLE own (a int)
-- then
COPY own FROM STDIN (ON_ERROR ignore, LOG_VERBOSITY verbose)
-- attack: copy-default-marker
CREATE TEMP TABLE own (a int DEFAULT 1)
-- then
COPY own FROM STDIN (DEFAULT '\D')
-- attack: copy-encoding
COPY (SELECT ssn FROM patients) TO STDOUT (ENCODING 'sql_ascii')
-- attack: copy-freeze
CREATE TEMP TABLE own (a int)
-- then
COPY own FROM STDIN (FREEZE)
-- attack: explain-options-by-value
EXPLAIN (ANALYZE off, VERBOSE off, BUFFERS off, SUMMARY off) SELECT ssn FROM patients WHERE last_name = 'x'
-- attack: explain-analyze-spelled refused
EXPLAIN (analyse) SELECT ssn FROM patients
-- attack: explain-analyze-twice refused
EXPLAIN (ANALYZE false, ANALYZE true) SELECT ssn FROM patients
-- attack: explain-analyze-number refused
EXPLAIN (ANALYZE 1) SELECT ssn FROM patients
-- attack: explain-costs-by-parameter-name
EXPLAIN (COSTS true, FORMAT yaml) SELECT zip FROM patients WHERE ssn > 'Q'
-- attack: explain-memory refused
EXPLAIN (MEMORY) SELECT ssn FROM patients
-- attack: explain-serialize refused
EXPLAIN (ANALYZE, SERIALIZE text) SELECT ssn FROM patients
-- attack: explain-analyze-execute refused
PREPARE q AS SELECT ssn FROM patients WHERE last_name = 'x'
-- then
EXPLAIN ANALYZE EXECUTE q
-- attack: explain-own-write
CREATE TEMP TABLE own (s text)
-- then
EXPLAIN INSERT INTO own SELECT ssn FROM patients WHERE last_name > 'Q'
-- attack: explain-analyze-own-write refused
CREATE TEMP TABLE own (s text)
-- then
EXPLAIN ANALYZE INSERT INTO own SELECT ssn FROM patients WHERE last_name > 'Q'
-- attack: explain-estimate-of-released
EXPLAIN (FORMAT json) SELECT * FROM patients p JOIN encounters e USING (patient_id) WHERE p.ssn LIKE 'Qzx%'
-- attack: describe refused
DESCRIBE patients
-- attack: kill-statement refused
KILL 1
-- attack: use-statement refused
USE clinic
-- attack: show-tables refused
SHOW TABLES
-- attack: pragma refused
PRAGMA table_info(patients)
-- attack: attach-database refused
ATTACH DATABASE 'x' AS y
-- attack: export-data refused
EXPORT DATA OPTIONS (uri = 'x') AS SELECT ssn FROM patients
-- attack: unload refused
UNLOAD ('SELECT ssn FROM patients') TO 'x'
-- attack: raise-statement refused
RAISE 'x'
-- attack: if-statement refused
IF true THEN SELECT ssn FROM patients; END IF
-- attack: declare-variable refused
DECLARE @x INT = 1
-- attack: execute-immediate refused
EXECUTE IMMEDIATE 'SELECT ssn FROM patients'
-- attack: call-builtin refused
CALL pg_catalog.pg_read_file('x')
-- attack: cache-table refused
CACHE TABLE patients
-- attack: optimize-table refused
OPTIMIZE TABLE patients
-- attack: load-data refused
LOAD DATA INPATH 'x' INTO TABLE patients
-- attack: comment-is-null refused
COMMENT ON COLUMN patients.ssn IS NULL
-- attack: analyze-permanent refused
ANALYZE patients (ssn)
-- attack: refresh-concurrently refused
REFRESH MATERIALIZED VIEW CONCURRENTLY m_pat
-- attack: create-access-method refused
CREATE ACCESS METHOD a TYPE TABLE HANDLER heap_tableam_handler
-- attack: create-conversion refused
CREATE DEFAULT CONVERSION c FOR 'UTF8' TO 'LATIN1' FROM utf8_to_iso8859_1
-- attack: create-event-trigger refused
CREATE EVENT TRIGGER e ON ddl_command_end EXECUTE FUNCTION f()
-- attack: create-transform refused
CREATE TRANSFORM FOR int LANGUAGE sql (FROM SQL WITH FUNCTION f(internal))
-- attack: create-aggregate refused
CREATE AGGREGATE a (text) (SFUNC = textcat, STYPE = text)
-- attack: create-operator-class refused
CREATE OPERATOR CLASS o DEFAULT FOR TYPE json USING btree AS FUNCTION 1 f(json, json)
-- attack: create-collation refused
CREATE COLLATION c (LOCALE = 'C')
-- attack: create-domain refused
CREATE DOMAIN d AS text CHECK (query_to_xml(value, true, true, '') IS NOT NULL)
-- attack: create-publication refused
CREATE PUBLICATION p FOR TABLE patients
-- attack: create-subscription refused
CREATE SUBSCRIPTION s CONNECTION 'x' PUBLICATION p
-- attack: create-server refused
CREATE SERVER s FOREIGN DATA WRAPPER postgres_fdw
-- attack: create-tablespace refused
CREATE TABLESPACE t LOCATION '/tmp'
-- attack: create-schema-with-view refused
CREATE SCHEMA s CREATE VIEW v AS SELECT ssn FROM patients
-- attack: create-text-search-dictionary refused
CREATE TEXT SEARCH DICTIONARY d (TEMPLATE = ispell, DictFile = passwd)
-- attack: alter-system refused
ALTER SYSTEM SET log_statement = 'all'
-- attack: alter-database refused
ALTER DATABASE clinic SET search_path = evil
-- attack: alter-view refused
ALTER VIEW pg_stats SET (security_barrier = false)
-- attack: lock-row-share refused
LOCK TABLE ONLY patients IN ROW SHARE MODE NOWAIT
-- attack: set-constraints
BEGIN; SET CONSTRAINTS ALL IMMEDIATE; COMMIT
