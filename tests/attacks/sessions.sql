-- Sessions, transactions, cursors, prepared statements and other statement forms.
-- attack: prepare-star
PREPARE q AS SELECT * FROM patients
-- then
EXECUTE q
-- attack: prepare-with-parameter
PREPARE q (text) AS SELECT count(*) FROM patients WHERE last_name = $1
-- then
EXECUTE q('Qzxlast1')
-- attack: prepare-parameter-subquery
PREPARE q (text) AS SELECT $1
-- then
EXECUTE q((SELECT ssn FROM patients LIMIT 1))
-- attack: prepare-table
PREPARE q AS TABLE patients
-- then
EXECUTE q
-- attack: prepare-values
PREPARE q AS VALUES ((SELECT max(ssn) FROM patients))
-- then
EXECUTE q
-- attack: prepare-twice
PREPARE q AS SELECT 1
-- then
PREPARE q AS SELECT ssn FROM patients
-- then
EXECUTE q
-- attack: prepare-explain
PREPARE q AS SELECT ssn FROM patients WHERE ssn = $1
-- then
EXPLAIN EXECUTE q('Qzx-0000001')
-- attack: prepare-copy refused
PREPARE q AS COPY patients TO STDOUT
-- attack: prepare-generic-plan
SET plan_cache_mode = force_generic_plan
-- then
PREPARE q (text) AS SELECT count(*) FROM patients WHERE ssn = $1
-- then
EXPLAIN EXECUTE q('Qzx-0000001')
-- attack: prepare-transaction refused
PREPARE TRANSACTION 'x'
-- attack: create-table-as-execute refused
CREATE TEMP TABLE x AS EXECUTE q
-- attack: cursor-star
BEGIN
-- then
DECLARE c CURSOR FOR SELECT * FROM patients
-- then
FETCH 3 FROM c
-- attack: cursor-scroll
BEGIN
-- then
DECLARE c SCROLL CURSOR FOR SELECT ssn, last_name FROM patients
-- then
FETCH LAST FROM c
-- then
FETCH ABSOLUTE 2 FROM c
-- attack: cursor-hold
DECLARE c CURSOR WITH HOLD FOR SELECT ssn, mrn FROM patients
-- then
FETCH ALL FROM c
-- attack: cursor-binary
BEGIN
-- then
DECLARE c BINARY CURSOR FOR SELECT account_number, last_login_ip, photo FROM patients
-- then
FETCH ALL FROM c
-- attack: cursor-move
BEGIN
-- then
DECLARE c CURSOR FOR SELECT 1 FROM patients WHERE ssn LIKE 'Qzx%'
-- then
MOVE FORWARD ALL IN c
-- attack: cursor-for-update
BEGIN
-- then
DECLARE c CURSOR FOR SELECT ssn FROM patients FOR UPDATE
-- then
FETCH 1 FROM c
-- attack: cursor-current-of refused
BEGIN
-- then
DECLARE c CURSOR FOR SELECT * FROM patients
-- then
UPDATE patients SET ssn = ssn WHERE CURRENT OF c
-- attack: cursor-refcursor refused
SELECT cursor_to_xml('c', 1, true, true, '')
-- attack: cursor-with-table
BEGIN
-- then
DECLARE c CURSOR FOR TABLE departments
-- then
FETCH 2 FROM c
-- attack: copy-table
COPY patients TO STDOUT
-- attack: copy-table-csv
COPY patients TO STDOUT WITH (FORMAT csv, HEADER true)
-- attack: copy-table-binary
COPY patients TO STDOUT WITH (FORMAT binary)
-- attack: copy-columns
COPY patients (ssn, last_name, photo) TO STDOUT
-- attack: copy-quoted-columns
COPY public."patients" ("ssn") TO STDOUT
-- attack: copy-query
COPY (SELECT * FROM notes) TO STDOUT
-- attack: copy-query-cte
COPY (WITH x AS (SELECT * FROM providers) SELECT * FROM x) TO STDOUT
-- attack: copy-query-values
COPY (VALUES ((SELECT string_agg(ssn, ',') FROM patients))) TO STDOUT
-- attack: copy-force-quote
COPY patients TO STDOUT WITH (FORMAT csv, FORCE_QUOTE (ssn))
-- attack: copy-force-quote-star
COPY patients TO STDOUT WITH (FORMAT csv, FORCE_QUOTE *)
-- attack: copy-delimiter
COPY patients TO STDOUT WITH (DELIMITER '''')
-- attack: copy-null
COPY patients TO STDOUT WITH (NULL 'x''; SELECT ssn FROM patients; --')
-- attack: copy-encoding
COPY patients TO STDOUT WITH (ENCODING 'LATIN1')
-- attack: copy-old-syntax
COPY patients TO STDOUT CSV HEADER
-- attack: copy-old-binary
COPY BINARY patients TO STDOUT
-- attack: copy-returning refused
COPY (UPDATE patients SET ssn = ssn RETURNING ssn) TO STDOUT
-- attack: copy-program refused
COPY patients TO PROGRAM 'cat'
-- attack: copy-file refused
COPY patients TO '/tmp/x'
-- attack: copy-from-file refused
COPY encounters FROM '/etc/passwd'
-- attack: copy-where refused
COPY patients FROM STDIN WHERE ssn = 'x'
-- attack: copy-statistics refused
COPY (SELECT * FROM pg_stats) TO STDOUT
-- attack: transaction-refusal-then-select
BEGIN
-- then
SELECT ctid FROM patients
-- then
SELECT ssn FROM patients
-- attack: transaction-refusal-savepoint
BEGIN
-- then
SAVEPOINT a
-- then
SELECT ctid FROM patients
-- then
ROLLBACK TO a
-- then
SELECT ssn FROM patients LIMIT 1
-- attack: transaction-commit-after-refusal
BEGIN
-- then
SELECT f_secdef()
-- then
COMMIT
-- attack: transaction-chain
BEGIN
-- then
SELECT ctid FROM patients
-- then
ROLLBACK AND CHAIN
-- then
SELECT last_name FROM patients LIMIT 1
-- attack: transaction-isolation
BEGIN ISOLATION LEVEL SERIALIZABLE READ ONLY DEFERRABLE
-- then
SELECT ssn FROM patients LIMIT 1
-- attack: transaction-snapshot refused
SET TRANSACTION SNAPSHOT '00000003-0000001B-1'
-- attack: export-snapshot refused
SELECT pg_export_snapshot()
-- attack: role-set refused
SET ROLE postgres
-- attack: role-none refused
SET ROLE NONE
-- attack: role-reset refused
RESET ROLE
-- attack: authorization refused
SET SESSION AUTHORIZATION postgres
-- attack: authorization-default refused
SET SESSION AUTHORIZATION DEFAULT
-- attack: authorization-reset refused
RESET SESSION AUTHORIZATION
-- attack: role-set-config refused
SELECT set_config('role', 'postgres', false)
-- attack: row-security-off refused
SET row_security = off
-- attack: strings-off refused
SET standard_conforming_strings = off
-- attack: strings-off-batch refused
SET standard_conforming_strings = off; SELECT 'a\' || ssn || '\' FROM patients
-- attack: encoding-sjis refused
SET client_encoding = 'SJIS'
-- attack: encoding-names refused
SET NAMES 'SJIS'
-- attack: messages-debug refused
SET client_min_messages = debug5
-- attack: print-plan refused
SET debug_print_plan = on
-- attack: preload refused
SET local_preload_libraries = 'x'
-- attack: null-equals refused
SET transform_null_equals = on
-- attack: time-zone-shifts-year
SET timezone = 'Etc/GMT+12'
-- then
SELECT registered_at, death_date FROM patients ORDER BY patient_id LIMIT 3
-- attack: time-zone-shifts-year-other-way
SET timezone = '<x>-167'
-- then
SELECT started_at, ended_at FROM encounters ORDER BY encounter_id LIMIT 3
-- attack: time-zone-interval
SET TIME ZONE INTERVAL '-12:00' HOUR TO MINUTE
-- then
SELECT written_at FROM notes ORDER BY note_id, written_at LIMIT 3
-- attack: date-style
SET datestyle = 'SQL, DMY'
-- then
SELECT birth_date, registered_at FROM patients LIMIT 3
-- attack: date-arithmetic
SELECT birth_date - date '2000-01-01', extract(doy FROM birth_date) FROM patients ORDER BY patient_id LIMIT 3
-- attack: date-at-time-zone
SELECT registered_at AT TIME ZONE 'Pacific/Kiritimati' FROM patients ORDER BY patient_id LIMIT 3
-- attack: date-order
SELECT patient_id FROM patients ORDER BY birth_date, sex, state, patient_id LIMIT 5
-- attack: date-age
SELECT age(birth_date) = age(birth_date), justify_days(age(registered_at, birth_date)) FROM patients LIMIT 3
-- attack: date-range
SELECT count(*) FROM patients WHERE birth_date BETWEEN '1980-03-01' AND '1990-03-01'
-- attack: zip-suffix
SELECT zip, right(zip, 2), length(zip) FROM patients ORDER BY patient_id LIMIT 5
-- attack: zip-predicate
SELECT count(*) FROM patients WHERE zip LIKE '%11' OR zip LIKE '%77'
-- attack: zip-join
SELECT count(*) FROM patients a JOIN patients b USING (zip)
-- attack: timeout-oracle
SET statement_timeout = '200ms'
-- then
SELECT pg_sleep(CASE WHEN ssn LIKE 'Qzx%' THEN 1 ELSE 0 END) FROM patients LIMIT 1
-- attack: work-mem
SET work_mem = '64kB'
-- then
SELECT ssn, count(*) FROM patients GROUP BY ssn
-- attack: division-by-zero
SELECT 1 / count(*) FROM patients WHERE ssn LIKE 'Wkj%'
-- attack: division-per-row
SELECT 1 / (length(last_name) - 10) FROM patients
-- attack: cast-numeric-overflow
SELECT account_number::int FROM patients
-- attack: cast-boolean
SELECT last_name::boolean FROM patients
-- attack: cast-regclass
SELECT last_name::regclass FROM patients
-- attack: cast-regtype
SELECT mrn::regtype FROM patients
-- attack: cast-xid
SELECT account_number::text::xid FROM patients LIMIT 1
-- attack: cast-range
SELECT ('[' || last_name || ',)')::int4range FROM patients
-- attack: cast-tsquery
SELECT body::tsquery FROM notes
-- attack: cast-jsonpath
SELECT last_name::jsonpath FROM patients
-- attack: cast-money
SELECT last_name::money FROM patients
-- attack: cast-array
SELECT last_name::int[] FROM patients
-- attack: cast-bytea
SELECT body::bytea FROM notes LIMIT 1
-- attack: cast-bit
SELECT ssn::bit(8) FROM patients
-- attack: cast-name
SELECT last_name::name FROM patients LIMIT 1
-- attack: cast-char
SELECT last_name::"char" FROM patients LIMIT 1
-- attack: regex-bad
SELECT 'x' ~ ('(' || last_name) FROM patients
-- attack: repeat-error
SELECT repeat('x', length(ssn) * 1000000000) FROM patients
-- attack: format-error
SELECT format(last_name || '%') FROM patients
-- attack: to-number
SELECT to_number(ssn, '999-99-9999') FROM patients LIMIT 2
-- attack: chr-error
SELECT chr(-length(last_name)) FROM patients
-- attack: limit-negative
SELECT 1 LIMIT -(SELECT length(last_name) FROM patients LIMIT 1)
-- attack: scalar-many
SELECT (SELECT ssn FROM patients)
-- attack: enum-range
SELECT enum_range(status), enum_first(status) FROM claims LIMIT 1
-- attack: notify refused
NOTIFY x, 'y'
-- attack: listen refused
LISTEN x
-- attack: lock refused
LOCK TABLE patients
-- attack: truncate refused
TRUNCATE patients
-- attack: analyze refused
ANALYZE VERBOSE patients
-- attack: vacuum refused
VACUUM VERBOSE patients
-- attack: cluster refused
CLUSTER VERBOSE patients
-- attack: reindex refused
REINDEX TABLE patients
-- attack: comment-on refused
COMMENT ON TABLE patients IS 'x'
-- attack: security-label refused
SECURITY LABEL ON TABLE patients IS 'x'
-- attack: grant refused
GRANT SELECT ON patients TO PUBLIC
-- attack: create-rule refused
CREATE RULE r AS ON SELECT TO encounters DO INSTEAD SELECT * FROM patients
-- attack: create-operator refused
CREATE OPERATOR === (LEFTARG = text, RIGHTARG = text, FUNCTION = texteq)
-- attack: create-cast refused
CREATE CAST (text AS int) WITH INOUT
-- attack: create-domain refused
CREATE DOMAIN d AS text
-- attack: create-aggregate refused
CREATE AGGREGATE a (text) (SFUNC = textcat, STYPE = text)
-- attack: create-extension refused
CREATE EXTENSION dblink
-- attack: create-statistics refused
CREATE STATISTICS s ON ssn, last_name FROM patients
-- attack: create-index refused
CREATE INDEX ON patients (ssn)
-- attack: create-publication refused
CREATE PUBLICATION p FOR TABLE patients
-- attack: import-schema refused
IMPORT FOREIGN SCHEMA public FROM SERVER files INTO s2
-- attack: load refused
LOAD 'x'
-- attack: checkpoint refused
CHECKPOINT
-- attack: alter-rename refused
ALTER TABLE patients RENAME ssn TO kind
-- attack: drop refused
DROP VIEW v_pat
