-- Said to PostgreSQL itself, as a slot login, as if the gateway had let everything through.
-- attack: base-table refused
SELECT ssn FROM public.patients
-- attack: base-table-only refused
SELECT ssn FROM ONLY public.patients
-- attack: base-table-count refused
SELECT count(*) FROM public.patients
-- attack: base-table-copy refused
COPY public.patients TO STDOUT
-- attack: base-table-lock refused
LOCK TABLE public.patients IN ACCESS SHARE MODE
-- attack: base-table-xml refused
SELECT table_to_xml('public.patients', true, false, '')
-- attack: base-table-query-xml refused
SELECT query_to_xml('SELECT ssn FROM public.patients', true, false, '')
-- attack: base-table-write refused
INSERT INTO public.patients SELECT * FROM public.patients
-- attack: base-table-foreign-key refused
CREATE TEMP TABLE probe (p int REFERENCES public.patients)
-- attack: base-table-like refused
CREATE TEMP TABLE probe (LIKE public.patients INCLUDING ALL)
-- then
SELECT ssn FROM public.patients
-- attack: base-table-inherit refused
CREATE TEMP TABLE probe () INHERITS (public.patients)
-- attack: base-table-view refused
CREATE TEMP VIEW probe AS SELECT ssn FROM public.patients
-- then
SELECT * FROM probe
-- attack: base-table-rule refused
CREATE RULE probe AS ON SELECT TO public.patients DO INSTEAD SELECT 1
-- attack: base-table-policy refused
CREATE POLICY probe ON public.patients USING (true)
-- attack: base-table-statistics
SELECT most_common_vals, histogram_bounds FROM pg_stats WHERE schemaname = 'public'
-- attack: base-table-statistics-raw refused
SELECT * FROM pg_statistic
-- attack: extended-statistics
SELECT * FROM pg_stats_ext
-- attack: extended-statistics-expressions
SELECT * FROM pg_stats_ext_exprs
-- attack: extended-statistics-raw refused
SELECT * FROM pg_statistic_ext_data
-- attack: definer-role refused
SET ROLE phigate_definer
-- attack: definer-role-local refused
BEGIN
-- then
SET LOCAL ROLE phigate_definer
-- attack: session-authorization refused
SET SESSION AUTHORIZATION postgres
-- attack: session-authorization-definer refused
SET SESSION AUTHORIZATION phigate_definer
-- attack: broker-role refused
SET ROLE broker
-- attack: read-all-data refused
SET ROLE pg_read_all_data
-- attack: grant-oneself refused
GRANT pg_read_all_data TO CURRENT_USER
-- attack: grant-definer refused
GRANT phigate_definer TO CURRENT_USER
-- attack: grant-base refused
GRANT SELECT ON public.patients TO PUBLIC
-- attack: superuser refused
ALTER ROLE CURRENT_USER SUPERUSER
-- attack: bypass-rls refused
ALTER ROLE CURRENT_USER BYPASSRLS
-- attack: become-owner refused
ALTER TABLE public.patients OWNER TO CURRENT_USER
-- attack: become-schema-owner refused
ALTER SCHEMA phigate OWNER TO CURRENT_USER
-- attack: reassign refused
REASSIGN OWNED BY phigate_definer TO CURRENT_USER
-- attack: slot refused
SELECT * FROM phigate.slot
-- attack: slot-keys refused
SELECT k_integer FROM phigate.slot WHERE login = session_user
-- attack: slot-by-copy refused
COPY phigate.slot TO STDOUT
-- attack: slot-update refused
UPDATE phigate.slot SET login = 'nobody'
-- attack: slot-insert refused
INSERT INTO phigate.slot SELECT * FROM phigate.slot
-- attack: slot-truncate refused
TRUNCATE phigate.slot
-- attack: masked refused
SELECT * FROM phigate.masked
-- attack: policies refused
SELECT * FROM phigate.policy
-- attack: logins refused
SELECT * FROM phigate.login
-- attack: patient-list refused
SELECT * FROM phigate.patient
-- attack: slot-statistics
SELECT * FROM pg_stats WHERE schemaname = 'phigate'
-- attack: assign refused
SELECT phigate.assign('p', 'a', '2026-01-01', ARRAY['\x00','\x00','\x00','\x00']::bytea[], NULL, false)
-- attack: assign-as-parameters refused
PREPARE assigning AS SELECT phigate.assign($1, $2, $3, $4, $5, $6)
-- then
EXECUTE assigning('p', 'a', '2026-01-01', ARRAY['\x00','\x00','\x00','\x00']::bytea[], NULL, false)
-- attack: assigned-is-a-name
SELECT phigate.assigned()
-- attack: replace-assigned refused
CREATE OR REPLACE FUNCTION phigate.assigned() RETURNS text LANGUAGE sql SECURITY DEFINER AS 'SELECT ssn FROM public.patients LIMIT 1'
-- attack: function-in-machinery refused
CREATE FUNCTION phigate.mine() RETURNS int LANGUAGE sql AS 'SELECT 1'
-- attack: pseudonym-without-key
SELECT phigate.pseudonym(1::int8, NULL)
-- attack: pseudonym-with-a-guess
SELECT phigate.pseudonym(1::int8, '\x00'::bytea)
-- attack: key-settings
SELECT current_setting('phigate.k_integer', true), current_setting('phigate.k_code_inner', true)
-- attack: all-settings
SELECT * FROM pg_settings WHERE name LIKE 'phigate%'
-- attack: explain-shows-no-key
EXPLAIN (VERBOSE, COSTS) SELECT * FROM patients
-- attack: explain-analyze
EXPLAIN (ANALYZE, VERBOSE, BUFFERS) SELECT * FROM patients WHERE ssn IS NOT NULL
-- attack: definition-of-the-view
SELECT pg_get_viewdef(oid) FROM pg_class WHERE relnamespace::regnamespace::text LIKE 'phigate_p_%'
-- attack: replace-the-view refused
DO $$ BEGIN EXECUTE (SELECT format('CREATE OR REPLACE VIEW %s AS SELECT * FROM public.patients', oid::regclass) FROM pg_class WHERE relnamespace::regnamespace::text LIKE 'phigate_p_%' AND relkind = 'v' LIMIT 1); END $$
-- attack: do-block refused
DO $$ BEGIN RAISE EXCEPTION '%', (SELECT string_agg(ssn, ',') FROM public.patients); END $$
-- attack: own-definer-function refused
CREATE FUNCTION pg_temp.f() RETURNS text LANGUAGE sql SECURITY DEFINER AS 'SELECT ssn FROM public.patients LIMIT 1'
-- then
SELECT pg_temp.f()
-- attack: other-policies refused
DO $$ DECLARE found record; BEGIN
  FOR found IN SELECT c.oid::regclass AS name FROM pg_class c WHERE c.relnamespace::regnamespace::text LIKE 'phigate_p_%' AND c.relkind = 'v'
               AND NOT has_table_privilege(c.oid, 'SELECT') LOOP
    EXECUTE format('SELECT 1 FROM %s LIMIT 1', found.name);
  END LOOP;
END $$
-- attack: privileges-tell-nothing
SELECT has_table_privilege('phigate_definer', 'public.patients', 'SELECT'), has_table_privilege('public.patients', 'SELECT')
-- attack: activity-of-others
SELECT usename, query FROM pg_stat_activity WHERE usename <> session_user
-- attack: activity-of-the-own-login
SELECT query FROM pg_stat_activity WHERE usename = session_user
-- attack: hash-of-passwords refused
SELECT rolpassword FROM pg_authid
-- attack: user-mappings refused
SELECT * FROM pg_user_mapping
-- attack: replication-slot refused
SELECT pg_create_logical_replication_slot('probe', 'test_decoding')
-- attack: base-backup refused
SELECT pg_backup_start('probe')
-- attack: read-file refused
SELECT pg_read_file('postgresql.conf')
-- attack: list-directory refused
SELECT pg_ls_dir('.')
-- attack: program refused
COPY (SELECT 1) TO PROGRAM 'cat'
-- attack: server-file refused
COPY (SELECT 1) TO 'probe'
-- attack: import-large-object refused
SELECT lo_import('postgresql.conf')
-- attack: dump-by-cursor refused
DECLARE c CURSOR FOR SELECT ssn FROM public.patients
-- attack: leaky-function-over-the-view
CREATE FUNCTION pg_temp.peek(text) RETURNS boolean LANGUAGE plpgsql COST 0.0000001 AS $$ BEGIN RAISE NOTICE '%', $1; RETURN true; END $$
-- then
SELECT count(*) FROM patients WHERE pg_temp.peek(ssn) AND pg_temp.peek(last_name) AND pg_temp.peek(patients::text)
-- attack: leaky-operator-over-the-view
CREATE FUNCTION pg_temp.seen(text, text) RETURNS boolean LANGUAGE plpgsql COST 0.0000001 AS $$ BEGIN RAISE NOTICE '% %', $1, $2; RETURN true; END $$
-- then
CREATE OPERATOR pg_temp.=== (LEFTARG = text, RIGHTARG = text, FUNCTION = pg_temp.seen, RESTRICT = eqsel)
-- then
SELECT count(*) FROM patients WHERE ssn::text OPERATOR(pg_temp.===) 'x' AND last_name::text OPERATOR(pg_temp.===) 'x'
-- attack: whole-row-of-the-view
SELECT row_to_json(p), p::text FROM patients p
-- attack: write-the-masked refused
UPDATE patients SET ssn = 'x'
-- attack: write-the-open refused
DELETE FROM departments
-- attack: tell-the-catalog-watcher
NOTIFY phigate_catalog
-- attack: terminate-the-others refused
SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'postgres'
-- attack: event-trigger refused
CREATE EVENT TRIGGER probe ON ddl_command_end EXECUTE FUNCTION phigate.announce()
-- attack: trigger-on-the-view
CREATE TRIGGER probe INSTEAD OF UPDATE ON patients FOR EACH ROW EXECUTE FUNCTION suppress_redundant_updates_trigger()
-- attack: extension refused
CREATE EXTENSION dblink
-- attack: language refused
CREATE LANGUAGE plpython3u
-- attack: foreign-server refused
CREATE SERVER probe FOREIGN DATA WRAPPER file_fdw
