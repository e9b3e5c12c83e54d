-- Objects, transactions, cursors, settings and batches.
-- attack: advisory-lock-by-masked
SELECT pg_try_advisory_lock(account_number) FROM patients LIMIT 1
-- attack: advisory-lock-two-keys refused
SELECT pg_advisory_xact_lock(length(ssn), 1) FROM patients
-- attack: locks-view
SELECT objid FROM pg_locks
-- attack: sequence-nextval refused
SELECT nextval('x_seq')
-- attack: sequence-setval-by-masked refused
SELECT setval('x_seq', max(account_number)) FROM patients
-- attack: large-object-create refused
SELECT lo_from_bytea(0, photo) FROM patients
-- attack: large-object-read refused
SELECT loread(lo_open(1, 262144), 100)
-- attack: large-object-metadata
SELECT * FROM pg_largeobject_metadata
-- attack: viewdef-of-nothing
SELECT pg_get_viewdef('patients'), pg_get_viewdef('patients', true)
-- attack: functiondef-of-builtin
SELECT pg_get_functiondef('pg_catalog.lower(text)'::regprocedure)
-- attack: constraintdef-of-check
SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conrelid = 'patients'::regclass ORDER BY conname
-- attack: indexdef-columns
SELECT pg_get_indexdef(indexrelid, 1, true) FROM pg_index WHERE indrelid = 'patients'::regclass ORDER BY 1
-- attack: expression-of-default
SELECT pg_get_expr('x'::pg_node_tree, 0)
-- attack: describe-object-of-row
SELECT pg_describe_object('patients'::regclass, account_number::oid, 0) FROM patients LIMIT 1
-- attack: identify-object-of-masked
SELECT (pg_identify_object(1259, account_number::oid, 0)).* FROM patients LIMIT 1
-- attack: object-address-of-masked
SELECT pg_get_object_address('table', ARRAY[last_name], '{}') FROM patients LIMIT 1
-- attack: userbyid-of-masked
SELECT pg_get_userbyid(account_number::oid) FROM patients LIMIT 1
-- attack: partition-tree
SELECT relid, level FROM pg_partition_tree('patients')
-- attack: information-schema-check-clause
SELECT check_clause FROM information_schema.check_constraints WHERE constraint_schema = 'public' ORDER BY 1
-- attack: information-schema-privileges
SELECT grantee, table_name, privilege_type FROM information_schema.role_table_grants WHERE table_name = 'patients' ORDER BY 1, 2, 3
-- attack: information-schema-view-definition
SELECT view_definition FROM information_schema.views WHERE table_schema = 'public'
-- attack: information-schema-column-default
SELECT column_name, column_default, generation_expression FROM information_schema.columns WHERE table_name = 'patients' ORDER BY ordinal_position
-- attack: information-schema-internal-function
SELECT information_schema._pg_truetypid(a, t) FROM pg_attribute a, pg_type t LIMIT 1
-- attack: catalog-attribute-row
SELECT a FROM pg_attribute a WHERE attrelid = 'patients'::regclass
-- attack: catalog-join-on-masked
SELECT c.relname FROM pg_class c JOIN patients p ON c.relname = p.last_name
-- attack: catalog-shadow-by-cte
WITH pg_class AS (SELECT ssn AS relname FROM patients) SELECT relname FROM pg_class LIMIT 2
-- attack: catalog-proc-source
SELECT prosrc FROM pg_proc WHERE proname = 'lower' ORDER BY 1 LIMIT 2
-- attack: catalog-replication
SELECT * FROM pg_replication_slots
-- attack: catalog-progress
SELECT * FROM pg_stat_progress_copy
-- attack: catalog-wal
SELECT * FROM pg_stat_wal
-- attack: catalog-io-tables
SELECT heap_blks_read FROM pg_statio_user_tables
-- attack: catalog-buffers refused
SELECT * FROM pg_buffercache
-- attack: catalog-shmem refused
SELECT name FROM pg_shmem_allocations
-- attack: catalog-memory-contexts refused
SELECT * FROM pg_backend_memory_contexts
-- attack: catalog-config refused
SELECT * FROM pg_config
-- attack: setting-search-path-function
SET search_path = pg_temp, public
-- then
SELECT ssn FROM patients LIMIT 1
-- attack: setting-through-options refused
SET SESSION CHARACTERISTICS AS TRANSACTION READ WRITE, READ ONLY, NOT A MODE
-- attack: setting-plan-cache
SET plan_cache_mode = force_generic_plan
-- then
PREPARE q AS SELECT last_name FROM patients WHERE patient_id = $1
-- then
EXECUTE q(1)
-- attack: setting-default-text-search
SET default_text_search_config = 'simple'
-- then
SELECT to_tsvector(body) FROM notes LIMIT 1
-- attack: setting-lc-messages
SET lc_messages = 'de_DE'
-- then
SELECT last_name::int FROM patients
-- attack: setting-lc-monetary
SET lc_monetary = 'C'
-- then
SELECT account_number::money FROM patients LIMIT 1
-- attack: setting-xmlbinary
SET xmlbinary = 'hex'
-- then
SELECT xmlelement(name p, photo) FROM patients LIMIT 1
-- attack: setting-bytea-output
SET bytea_output = 'escape'
-- then
SELECT photo, convert_to(last_name, 'UTF8') FROM patients LIMIT 2
-- attack: setting-extra-float-digits
SET extra_float_digits = 3
-- then
SELECT account_number::float8, avg(account_number) OVER () FROM patients LIMIT 1
-- attack: setting-array-nulls
SET array_nulls = off
-- then
SELECT ('{' || ssn || ',NULL}')::text[] FROM patients LIMIT 1
-- attack: setting-interval-style
SET IntervalStyle = 'iso_8601'
-- then
SELECT (registered_at - birth_date::timestamptz) FROM patients LIMIT 1
-- attack: setting-timezone-abbreviations
SET timezone_abbreviations = 'Default'
-- attack: setting-local-preload refused
SET local_preload_libraries = 'x'
-- attack: setting-role-in-batch refused
SELECT 1; SET ROLE postgres; SELECT ssn FROM patients
-- attack: setting-debug-print refused
SET debug_print_rewritten = on
-- attack: setting-log-statement refused
SET log_statement = 'all'
-- attack: setting-default-tablespace refused
SET default_tablespace = 'x'
-- attack: setting-transform-null-equals
SET transform_null_equals = on
-- then
SELECT count(*) FROM patients WHERE ssn = NULL
-- attack: cursor-in-two-transactions
BEGIN
-- then
DECLARE c CURSOR WITH HOLD FOR SELECT ssn, last_name FROM patients ORDER BY patient_id
-- then
COMMIT
-- then
FETCH 3 FROM c
-- then
CLOSE c
-- attack: cursor-fetch-backward
BEGIN
-- then
DECLARE c SCROLL CURSOR FOR SELECT * FROM patients ORDER BY patient_id
-- then
FETCH LAST FROM c
-- then
FETCH BACKWARD 2 FROM c
-- attack: cursor-name-like-table
BEGIN
-- then
DECLARE patients CURSOR FOR SELECT 1
-- then
FETCH ALL FROM patients
-- attack: cursor-named-in-uppercase
BEGIN
-- then
DECLARE "C" BINARY CURSOR FOR SELECT photo, last_login_ip, account_number FROM patients
-- then
FETCH 2 FROM "C"
-- attack: cursor-for-update-current-of
BEGIN
-- then
DECLARE c CURSOR FOR SELECT * FROM patients FOR UPDATE
-- then
UPDATE patients SET city = ssn WHERE CURRENT OF c RETURNING city
-- attack: cursor-unknown-fetch
FETCH ALL FROM "<unnamed portal 1>"
-- attack: prepare-type-inference
PREPARE q AS SELECT patient_id FROM patients WHERE ssn = $1 OR last_name LIKE $2 || '%'
-- then
EXECUTE q('900', 'Q')
-- attack: prepare-parameter-types
PREPARE q (text, inet, bytea) AS SELECT count(*) FROM patients WHERE ssn > $1 OR last_login_ip > $2 OR photo > $3
-- then
EXECUTE q('5', '0.0.0.0', '\x00')
-- attack: prepare-with-subquery-argument
PREPARE q (text) AS SELECT $1
-- then
EXECUTE q((SELECT max(ssn) FROM patients))
-- attack: prepare-record-parameter
PREPARE q (patients) AS SELECT $1
-- then
EXECUTE q(NULL)
-- attack: prepare-in-transaction-rolled-back
BEGIN
-- then
PREPARE q AS SELECT ssn FROM patients LIMIT 1
-- then
ROLLBACK
-- then
EXECUTE q
-- attack: prepare-explain-execute
PREPARE q (text) AS SELECT * FROM patients WHERE ssn = $1
-- then
EXPLAIN EXECUTE q('900-00-0000')
-- attack: transaction-error-then-select
BEGIN
-- then
SELECT 1 / 0
-- then
SELECT ssn FROM patients
-- attack: transaction-savepoint-error-select
BEGIN
-- then
SAVEPOINT a
-- then
SELECT last_name::int FROM patients
-- then
ROLLBACK TO a
-- then
SELECT ssn FROM patients LIMIT 1
-- attack: transaction-chain-on-error
BEGIN
-- then
SELECT nosuch FROM patients
-- then
COMMIT AND CHAIN
-- then
SELECT ssn FROM patients LIMIT 1
-- attack: transaction-serializable-deferrable
BEGIN ISOLATION LEVEL SERIALIZABLE READ ONLY DEFERRABLE
-- then
SELECT last_name FROM patients LIMIT 1
-- attack: transaction-snapshot refused
BEGIN
-- then
SET TRANSACTION SNAPSHOT '00000003-0000001B-1'
-- attack: batch-error-in-the-middle
SELECT 1; SELECT last_name::int FROM patients; SELECT ssn FROM patients
-- attack: batch-with-transaction
BEGIN; SELECT ssn FROM patients LIMIT 1; ROLLBACK; SELECT last_name FROM patients LIMIT 1
-- attack: batch-of-comments
/* a */; -- b
; SELECT ssn FROM patients LIMIT 1;; /* c */
-- attack: batch-search-path-first refused
SET search_path = pg_catalog; SELECT ssn FROM public.patients LIMIT 1
-- attack: batch-begin-atomic refused
CREATE FUNCTION f() RETURNS text BEGIN ATOMIC SELECT ssn FROM patients LIMIT 1; END; SELECT f()
-- attack: copy-query-header-match refused
COPY patients FROM STDIN WITH (FORMAT csv, HEADER match)
-- attack: copy-row-as-column
COPY (SELECT p FROM patients p ORDER BY patient_id LIMIT 3) TO STDOUT
-- attack: copy-csv-null-and-quote
COPY (SELECT ssn, last_name FROM patients) TO STDOUT WITH (FORMAT csv, NULL 'N', QUOTE '"', ESCAPE '\')
-- attack: copy-json-document
COPY (SELECT row_to_json(p) FROM patients p) TO STDOUT
-- attack: copy-partition-or-child refused
COPY pg_statistic TO STDOUT
-- attack: copy-catalog-authid refused
COPY pg_authid TO STDOUT
-- attack: copy-toast refused
COPY pg_toast.pg_toast_2619 TO STDOUT
-- attack: copy-with-program-query refused
COPY (SELECT ssn FROM patients) TO PROGRAM 'cat'
-- attack: explain-generic-plan
EXPLAIN (GENERIC_PLAN) SELECT * FROM patients WHERE ssn = $1
-- attack: explain-buffers refused
EXPLAIN (ANALYZE, BUFFERS) SELECT ssn FROM patients
-- attack: explain-verbose-xml
EXPLAIN (VERBOSE, FORMAT XML) SELECT ssn FROM patients
-- attack: explain-memory-serialize
EXPLAIN (ANALYZE, SERIALIZE, MEMORY) SELECT last_name FROM patients
-- attack: explain-create-table-as
EXPLAIN CREATE TABLE x AS SELECT ssn FROM patients
-- attack: explain-declare
EXPLAIN DECLARE c CURSOR FOR SELECT ssn FROM patients
-- attack: explain-constant-folding
EXPLAIN (COSTS OFF) SELECT 1 FROM patients WHERE last_name = 'x' AND 1 / 0 > 0
-- attack: explain-of-explain refused
EXPLAIN EXPLAIN SELECT 1
-- attack: listen-channel-of-masked
LISTEN patients
-- attack: notify-payload refused
SELECT pg_notify('c', max(ssn)) FROM patients
-- attack: two-phase refused
PREPARE TRANSACTION 'x'
-- attack: do-with-language refused
DO LANGUAGE sql $$ SELECT ssn FROM patients $$
-- attack: call-procedure refused
CALL p((SELECT max(ssn) FROM patients))
-- attack: create-temp-view answered
CREATE TEMP VIEW v AS SELECT * FROM patients
-- attack: create-temp-function refused
CREATE FUNCTION pg_temp.f(text) RETURNS text LANGUAGE sql AS 'SELECT $1'
-- attack: create-temp-sequence refused
CREATE TEMP SEQUENCE s START WITH 1
-- attack: create-type refused
CREATE TYPE t AS (a patients)
-- attack: alter-default-privileges refused
ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO PUBLIC
-- attack: reassign-owned refused
REASSIGN OWNED BY broker TO postgres
-- attack: show-grant
SHOW phigate.grant
-- attack: function-call-with-names
SELECT make_interval(days => length(ssn)), regexp_replace(string => last_name, pattern => 'a', replacement => 'b') FROM patients LIMIT 1
-- attack: function-default-argument
SELECT json_populate_record(NULL::patients, '{}', use_json_as_text => true)
-- attack: function-attribute-notation
SELECT p.row_to_json, p.text FROM patients p LIMIT 1
-- attack: function-attribute-length
SELECT (p.ssn).length, (p).md5 FROM patients p LIMIT 1
-- attack: function-in-from-with-columns
SELECT * FROM query_to_xml('SELECT 1', true, true, '') AS x(a)
-- attack: rows-from-reader refused
SELECT * FROM ROWS FROM (pg_ls_dir('.'), generate_series(1, 2)) AS x
-- attack: set-returning-in-select
SELECT unnest(ARRAY[ssn, last_name]), generate_series(1, 2) FROM patients LIMIT 4
-- attack: procedure-language-handler refused
SELECT plpgsql_call_handler()
-- attack: internal-input-function refused
SELECT textin('x'), int4in(ssn::cstring) FROM patients
-- attack: internal-output-function refused
SELECT textout(ssn), array_out(ARRAY[last_name]) FROM patients
-- attack: internal-send-function
SELECT textsend(ssn), inet_send(last_login_ip), record_send(p) FROM patients p LIMIT 1
-- attack: internal-hash-function
SELECT hashtext(ssn), hash_record(p), hashinet(last_login_ip) FROM patients p LIMIT 1
-- attack: selectivity-function refused
SELECT eqsel(NULL, 0, NULL, 0)
-- attack: statistics-function
SELECT pg_stat_get_numscans('patients'::regclass), pg_stat_get_tuples_inserted('patients'::regclass)
-- attack: relation-sizes
SELECT pg_relation_size('patients'), pg_table_size('notes'), pg_indexes_size('patients'), pg_database_size('clinic')
-- attack: mcv-items refused
SELECT (pg_mcv_list_items(stxdmcv)).* FROM pg_statistic_ext_data
