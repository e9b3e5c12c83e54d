-- The keys of the codes, and what PostgreSQL knows of the data by itself.
-- attack: key-show refused
SHOW phigate.k_integer
-- attack: key-show-quoted refused
SHOW "phigate"."k_code_inner"
-- attack: key-show-quoted-whole refused
SHOW "phigate.k_code_inner"
-- attack: key-show-upper refused
SHOW PHIGATE.K_CODE_OUTER
-- attack: key-show-all
SHOW ALL
-- attack: key-current-setting refused
SELECT current_setting('phigate.k_integer')
-- attack: key-current-setting-missing answered
SELECT current_setting('phigate.k_integer', true)
-- attack: key-current-setting-upper refused
SELECT current_setting('PHIGATE.K_INTEGER')
-- attack: key-current-setting-escape refused
SELECT current_setting(E'phigate.k\x5finteger')
-- attack: key-current-setting-unicode refused
SELECT current_setting(U&'phigate.k\005finteger')
-- attack: key-current-setting-dollar refused
SELECT current_setting($$phigate.k_integer$$)
-- attack: key-current-setting-expression
SELECT current_setting('phigate.' || 'k_integer')
-- attack: key-current-setting-column
SELECT current_setting(n) FROM (VALUES ('phigate.k_integer')) v (n)
-- attack: key-current-setting-parameter
PREPARE q AS SELECT current_setting($1)
-- attack: key-current-setting-cast
SELECT current_setting('phigate.k_integer'::text)
-- attack: key-current-setting-in-from refused
SELECT * FROM current_setting('phigate.k_days') x
-- attack: key-current-setting-lateral
SELECT x FROM (VALUES ('phigate.k_integer')) v (n), LATERAL current_setting(v.n) x
-- attack: key-current-setting-attribute refused
SELECT (v.n).current_setting FROM (VALUES ('phigate.k_integer'::text)) v (n)
-- attack: key-current-setting-attribute-bare refused
SELECT v.current_setting FROM (VALUES ('phigate.k_integer'::text)) v (n)
-- attack: key-settings-view
SELECT name, setting FROM pg_settings WHERE name LIKE 'phigate%'
-- attack: key-settings-view-case
SELECT name, setting FROM pg_settings WHERE name ILIKE '%K\_INT%'
-- attack: key-settings-category
SELECT count(*) FROM pg_settings WHERE category = 'Customized Options'
-- attack: key-settings-function refused
SELECT * FROM pg_show_all_settings()
-- attack: key-settings-group refused
SELECT pg_catalog.pg_show_all_settings()
-- attack: key-settings-xml refused
SELECT query_to_xml('SHOW ALL', true, true, '')
-- attack: key-settings-information-schema
SELECT * FROM information_schema.sql_implementation_info
-- attack: key-settings-flags
SELECT pg_settings_get_flags('phigate.k_integer')
-- attack: key-settings-role
SELECT setconfig FROM pg_db_role_setting
-- attack: key-settings-rolconfig
SELECT rolconfig FROM pg_roles
-- attack: key-set refused
SET phigate.k_integer = '00'
-- attack: key-set-local refused
SET LOCAL "phigate.k_integer" TO '00'
-- attack: key-set-session refused
SET SESSION phigate.k_code_inner = DEFAULT
-- attack: key-set-from-current refused
SET phigate.k_days FROM CURRENT
-- attack: key-set-config refused
SELECT set_config('phigate.k_integer', '00', false)
-- attack: key-set-config-upper refused
SELECT set_config('PHIGATE.k_integer', '00', true)
-- attack: key-set-config-returns refused
SELECT set_config('application_name', current_setting('phigate.k_integer'), false)
-- attack: key-set-config-expression refused
SELECT set_config('phigate.' || 'k_integer', '00', false)
-- attack: key-reset refused
RESET phigate.k_integer
-- attack: key-reset-all-still-masked
RESET ALL
-- then
SELECT ssn, record_uuid IS NULL FROM patients LIMIT 1
-- attack: key-discard-all-still-masked
DISCARD ALL
-- then
SELECT ssn, record_uuid IS NULL FROM patients LIMIT 1
-- attack: key-alter-system refused
ALTER SYSTEM SET phigate.k_integer = '00'
-- attack: key-alter-role refused
ALTER ROLE CURRENT_USER SET phigate.k_integer = '00'
-- attack: key-alter-database refused
ALTER DATABASE clinic SET phigate.k_integer = '00'
-- attack: key-explain-verbose refused
EXPLAIN (VERBOSE) SELECT record_uuid FROM patients
-- attack: key-explain-settings
EXPLAIN (SETTINGS) SELECT record_uuid FROM patients
-- attack: key-explain-filter
EXPLAIN SELECT 1 FROM patients WHERE record_uuid = '00000000-0000-0000-0000-000000000000'
-- attack: key-explain-json
EXPLAIN (FORMAT JSON) SELECT 1 FROM patients ORDER BY record_uuid
-- attack: key-explain-generic
EXPLAIN (FORMAT XML, SETTINGS ON) SELECT DISTINCT record_uuid FROM patients
-- attack: key-explain-wal refused
EXPLAIN (ANALYZE, WAL, BUFFERS) SELECT record_uuid FROM patients
-- attack: key-explain-execute-verbose refused
PREPARE q AS SELECT record_uuid FROM patients
-- then
EXPLAIN (VERBOSE) EXECUTE q
-- attack: key-explain-execute-analyze refused
PREPARE q AS SELECT record_uuid FROM patients
-- then
EXPLAIN (ANALYZE) EXECUTE q
-- attack: key-prepared-view
SELECT statement FROM pg_prepared_statements
-- attack: key-prepared-function refused
SELECT * FROM pg_prepared_statement()
-- attack: key-cursors-view
SELECT statement FROM pg_cursors
-- attack: key-cursors-function refused
SELECT * FROM pg_cursor()
-- attack: key-activity
SELECT query FROM pg_stat_activity
-- attack: key-activity-function refused
SELECT pg_stat_get_backend_activity(1)
-- attack: key-activity-get refused
SELECT * FROM pg_stat_get_activity(NULL)
-- attack: key-statements refused
SELECT * FROM pg_stat_statements
-- attack: key-error-decode
SELECT record_uuid::text::int FROM patients
-- attack: key-default refused
CREATE TEMP TABLE x (k text DEFAULT current_setting('phigate.k_integer'))
-- attack: key-do refused
DO $$ BEGIN RAISE NOTICE '%', current_setting('phigate.k_integer'); END $$
-- attack: key-function refused
CREATE FUNCTION pg_temp.f() RETURNS text LANGUAGE sql AS $$ SELECT current_setting('phigate.k_integer') $$
-- attack: key-view refused
CREATE TEMP VIEW v AS SELECT current_setting('phigate.k_integer') AS k
-- attack: key-notify refused
SELECT pg_notify('x', current_setting('phigate.k_integer'))
-- attack: key-copy refused
COPY (SELECT current_setting('phigate.k_integer')) TO STDOUT
-- attack: key-execute-argument refused
PREPARE q (text) AS SELECT $1
-- then
EXECUTE q(current_setting('phigate.k_integer'))
-- attack: key-call refused
CALL current_setting('phigate.k_integer')
-- attack: key-order-by refused
SELECT 1 ORDER BY current_setting('phigate.k_integer')
-- attack: key-filter refused
SELECT count(*) FILTER (WHERE current_setting('phigate.k_integer') > '') FROM encounters
-- attack: key-json-path
SELECT jsonb_path_query('{}', '$.phigate')
-- attack: pseudonym-dictionary
SELECT count(*) FROM patients p JOIN (SELECT gen_random_uuid() AS u FROM generate_series(1, 100)) g ON g.u = p.record_uuid
-- attack: pseudonym-of-values
SELECT * FROM (VALUES ('00000000-0000-0000-0000-000000000001'::uuid)) v (record_uuid)
-- attack: pseudonym-cte-shadow
WITH patients AS (SELECT 1 AS patient_id, 'x' AS ssn) SELECT * FROM patients
-- attack: pseudonym-populate-record
SELECT * FROM json_populate_record(NULL::patients, '{"ssn": "900-00-0001"}')
-- attack: pseudonym-recordset
SELECT * FROM jsonb_to_recordset('[{"record_uuid":"00000000-0000-0000-0000-000000000001"}]') AS patients (record_uuid uuid)
-- attack: pseudonym-by-insert refused
INSERT INTO patients (patient_id, record_uuid) VALUES (900001, '00000000-0000-0000-0000-000000000001') RETURNING record_uuid
-- attack: pseudonym-by-update refused
UPDATE patients SET record_uuid = '00000000-0000-0000-0000-000000000001' WHERE patient_id = 1 RETURNING record_uuid
-- attack: pseudonym-by-merge refused
MERGE INTO patients p USING encounters e ON p.patient_id = e.patient_id WHEN MATCHED THEN DO NOTHING
-- attack: pseudonym-by-copy refused
COPY patients FROM STDIN
-- attack: pseudonym-by-temp-table answered
CREATE TEMP TABLE patients AS SELECT '00000000-0000-0000-0000-000000000001'::uuid AS record_uuid
-- attack: pseudonym-by-writing-cte refused
WITH x AS (UPDATE patients SET ssn = 'x' RETURNING *) SELECT ssn FROM x
-- attack: pseudonym-by-deleting-cte refused
WITH x AS (DELETE FROM notes RETURNING body) SELECT * FROM x
-- attack: select-into-temp answered
SELECT ssn INTO TEMP x FROM patients
-- attack: catalog-attribute-options
SELECT attrelid::regclass, attname, attoptions, attfdwoptions FROM pg_attribute WHERE attrelid = 'patients'::regclass ORDER BY attnum
-- attack: catalog-class-numbers
SELECT relname, relpages, reltuples, relallvisible FROM pg_class WHERE relname ~ '^(patients|notes|pat_expr)$' ORDER BY relname
-- attack: catalog-class-age
SELECT age(relfrozenxid) > 0 FROM pg_class WHERE relname = 'patients'
-- attack: catalog-class-row
SELECT c FROM pg_class c WHERE relname = 'patients'
-- attack: catalog-class-json
SELECT to_jsonb(c) ->> 'reltuples' FROM pg_class c WHERE relname = 'patients'
-- attack: catalog-class-text
SELECT c::text FROM pg_class c WHERE relname = 'notes'
-- attack: catalog-class-order
SELECT relname FROM pg_class WHERE relname IN ('patients', 'notes', 'gen', 'encounters') ORDER BY reltuples, relname
-- attack: catalog-class-predicate
SELECT relname FROM pg_class WHERE reltuples > 10 ORDER BY relname
-- attack: catalog-settings-source
SELECT sourcefile FROM pg_settings WHERE sourcefile IS NOT NULL
-- attack: catalog-statistic refused
SELECT stavalues1 FROM pg_statistic
-- attack: catalog-stats refused
SELECT most_common_vals FROM pg_stats
-- attack: catalog-stats-quoted refused
SELECT * FROM "pg_catalog"."pg_stats"
-- attack: catalog-stats-by-cast
SELECT 'pg_stats'::regclass
-- attack: catalog-largeobject refused
SELECT * FROM pg_largeobject
-- attack: catalog-user-mapping
SELECT * FROM pg_user_mappings
-- attack: catalog-constraint
SELECT conname, pg_get_constraintdef(oid) FROM pg_constraint WHERE connamespace = 'public'::regnamespace ORDER BY conname
-- attack: catalog-functions
SELECT proname, prosrc FROM pg_proc WHERE pronamespace = 'public'::regnamespace ORDER BY 1
-- attack: catalog-index
SELECT indexdef FROM pg_indexes WHERE tablename = 'patients' ORDER BY 1
-- attack: catalog-attrdef
SELECT pg_get_expr(adbin, adrelid) IS NOT NULL FROM pg_attrdef
-- attack: catalog-ctid
SELECT ctid IS NOT NULL FROM pg_class WHERE relname = 'patients'
-- attack: catalog-xmin
SELECT xmin::text FROM pg_attribute WHERE attrelid = 'patients'::regclass ORDER BY 1 LIMIT 1
-- attack: catalog-toast refused
SELECT * FROM pg_toast.pg_toast_1255
-- attack: catalog-size
SELECT pg_total_relation_size('patients')
-- attack: catalog-database-size
SELECT pg_database_size(current_database())
-- attack: catalog-tuple-statistics
SELECT pg_stat_get_live_tuples('patients'::regclass)
-- attack: catalog-xact-tuples refused
SELECT pg_stat_get_xact_tuples_returned('patients'::regclass)
-- attack: catalog-file-path refused
SELECT pg_relation_filepath('patients')
-- attack: catalog-partition-constraint
SELECT pg_get_partition_constraintdef('part_1'::regclass)
-- attack: catalog-locks
SELECT * FROM pg_locks
