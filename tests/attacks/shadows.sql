-- The session's own temporary relations under names that mean something else.
-- attack: table-named-like-masked answered
CREATE TEMP TABLE patients AS SELECT * FROM patients
-- then
SELECT ssn, last_name FROM patients LIMIT 2
-- attack: table-named-like-masked-then-public
CREATE TEMP TABLE patients (patient_id int, ssn text)
-- then
INSERT INTO patients VALUES (1, 'x')
-- then
SELECT t.ssn, p.ssn FROM patients t JOIN public.patients p USING (patient_id)
-- attack: table-dropped-uncovers-masked
CREATE TEMP TABLE patients (ssn text)
-- then
DROP TABLE patients
-- then
SELECT ssn FROM patients LIMIT 1
-- attack: table-rolled-back-uncovers-masked
BEGIN
-- then
CREATE TEMP TABLE patients (ssn text)
-- then
ROLLBACK
-- then
SELECT ssn FROM patients LIMIT 1
-- attack: table-dropped-on-commit-uncovers-masked
BEGIN; CREATE TEMP TABLE patients (ssn text) ON COMMIT DROP; COMMIT
-- then
SELECT ssn FROM patients LIMIT 1
-- attack: table-dropped-on-commit-in-one-batch
BEGIN; CREATE TEMP TABLE patients (ssn text) ON COMMIT DROP; COMMIT; SELECT ssn FROM patients LIMIT 1
-- attack: table-in-savepoint-uncovers-masked
BEGIN; SAVEPOINT a; CREATE TEMP TABLE patients (ssn text); ROLLBACK TO a; SELECT ssn FROM patients LIMIT 1; COMMIT
-- attack: table-renamed-uncovers-masked
CREATE TEMP TABLE patients (ssn text)
-- then
ALTER TABLE patients RENAME TO elsewhere
-- then
SELECT ssn FROM patients LIMIT 1
-- attack: table-renamed-covers-masked
CREATE TEMP TABLE elsewhere (ssn text)
-- then
PREPARE q AS SELECT ssn FROM patients LIMIT 1
-- then
ALTER TABLE elsewhere RENAME TO patients
-- then
EXECUTE q
-- attack: discard-temp-uncovers-masked
CREATE TEMP TABLE patients (ssn text)
-- then
PREPARE q AS SELECT ssn FROM patients
-- then
DISCARD TEMP
-- then
EXECUTE q
-- attack: prepared-over-temporary-then-recreated
CREATE TEMP TABLE t (a int, b text)
-- then
PREPARE q AS SELECT t.a, t.b FROM t
-- then
DROP TABLE t
-- then
CREATE TEMP TABLE t AS SELECT patient_id AS a, ssn AS b, last_name FROM patients
-- then
EXECUTE q
-- attack: prepared-over-column-that-goes
CREATE TEMP TABLE t AS SELECT * FROM patients
-- then
PREPARE q AS SELECT t.ssn FROM t
-- then
ALTER TABLE t DROP COLUMN ssn
-- then
EXECUTE q
-- attack: view-over-temporary-recreated
CREATE TEMP TABLE t (ssn text)
-- then
CREATE TEMP VIEW v AS SELECT ssn FROM t
-- then
DROP TABLE t CASCADE
-- then
SELECT * FROM v
-- attack: type-named-text
CREATE TEMP TABLE text (ssn int)
-- then
SELECT last_name::text, ssn::text, text(ssn) FROM public.patients LIMIT 1
-- attack: type-named-like-masks-need
CREATE TEMP TABLE bytea (x int)
-- then
CREATE TEMP TABLE int4 (x int)
-- then
CREATE TEMP TABLE uuid (x int)
-- then
SELECT record_uuid, photo, ssn FROM patients ORDER BY patient_id LIMIT 2
-- attack: type-named-date
CREATE TEMP TABLE date AS SELECT 1 AS x
-- then
SELECT birth_date, birth_date::date, date '2020-01-01' FROM patients ORDER BY patient_id LIMIT 2
-- attack: type-named-like-an-enum
CREATE TEMP TABLE claim_status (x int)
-- then
SELECT status, 'paid'::claim_status, status = 'paid' FROM claims ORDER BY claim_id LIMIT 2
-- attack: type-of-own-table
CREATE TEMP TABLE t AS SELECT * FROM patients
-- then
SELECT (NULL::t).ssn, (NULL::pg_temp.t).*, (jsonb_populate_record(NULL::t, '{}')).ssn
-- attack: row-of-own-table
CREATE TEMP TABLE t AS SELECT * FROM patients
-- then
SELECT t, to_json(t), (t).ssn, ssn(t), t.ssn FROM t ORDER BY patient_id LIMIT 2
-- attack: composite-column-of-own-table
CREATE TEMP TABLE t AS SELECT p AS whole FROM patients p
-- then
SELECT (whole).ssn, whole FROM t LIMIT 2
-- attack: array-column-of-own-table
CREATE TEMP TABLE t AS SELECT array_agg(ssn) AS s, array_agg(last_name) AS n FROM patients
-- then
SELECT s, n[1:2], unnest(n) FROM t LIMIT 2
-- attack: catalog-named-pg-class
CREATE TEMP TABLE pg_class AS SELECT ssn AS relname, 1::oid AS oid FROM patients
-- then
SELECT relname FROM pg_class ORDER BY 1 LIMIT 2
-- attack: catalog-named-pg-stats
CREATE TEMP VIEW pg_stats AS SELECT ssn AS most_common_vals FROM patients
-- then
SELECT most_common_vals FROM pg_stats LIMIT 1
-- attack: catalog-of-own-tables
CREATE TEMP TABLE own AS SELECT * FROM patients
-- then
SELECT n.nspname ~ '^pg_temp', c.relname, a.attname, a.attmissingval FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace JOIN pg_attribute a ON a.attrelid = c.oid WHERE c.relname = 'own' AND a.attnum > 0 ORDER BY a.attnum LIMIT 3
-- attack: statistics-of-own-table refused
CREATE TEMP TABLE own AS SELECT * FROM patients
-- then
ANALYZE own
-- then
SELECT most_common_vals FROM pg_stats WHERE tablename = 'own'
-- attack: plan-of-own-analysed-table
CREATE TEMP TABLE own AS SELECT * FROM patients
-- then
ANALYZE own
-- then
EXPLAIN (COSTS) SELECT * FROM own WHERE ssn > 'Q'
-- attack: size-of-own-table
CREATE TEMP TABLE own AS SELECT * FROM patients
-- then
SELECT pg_relation_size('own'), pg_table_size('pg_temp.own'), pg_column_size(own) FROM own LIMIT 1
-- attack: index-on-masked-copy
CREATE TEMP TABLE own AS SELECT * FROM patients
-- then
CREATE UNIQUE INDEX ON own (ssn, last_name)
-- attack: unique-copy-of-masked
CREATE TEMP TABLE own (ssn text PRIMARY KEY)
-- then
INSERT INTO own SELECT last_name FROM patients
-- attack: check-on-masked-copy
CREATE TEMP TABLE own (ssn text CHECK (ssn NOT LIKE 'Qzx%'))
-- then
INSERT INTO own SELECT last_name FROM patients RETURNING *
-- attack: not-null-on-masked-copy
CREATE TEMP TABLE own (ssn text NOT NULL, email text NOT NULL)
-- then
INSERT INTO own SELECT ssn, email FROM patients
-- attack: width-of-masked-copy
CREATE TEMP TABLE own (ssn varchar(3), last_name varchar(12))
-- then
INSERT INTO own SELECT ssn, last_name FROM patients
-- attack: conflict-in-masked-copy
CREATE TEMP TABLE own (n text PRIMARY KEY, hits int DEFAULT 1)
-- then
INSERT INTO own SELECT last_name FROM patients ORDER BY patient_id LIMIT 1 ON CONFLICT (n) DO UPDATE SET hits = own.hits + 1 RETURNING n, hits
-- attack: default-reads-a-setting
CREATE TEMP TABLE own (a text DEFAULT current_setting('phigate.k_integer', true))
-- then
INSERT INTO own DEFAULT VALUES RETURNING a
-- attack: default-reads-a-setting-by-expression
CREATE TEMP TABLE own (a text DEFAULT current_setting('phigate.k_' || 'integer', true), b text)
-- then
INSERT INTO own (b) VALUES ('x') RETURNING *
-- attack: default-runs-sql refused
CREATE TEMP TABLE own (a xml DEFAULT query_to_xml('SELECT * FROM patients', true, false, ''))
-- attack: default-reads-a-file refused
CREATE TEMP TABLE own (a text DEFAULT pg_read_file('pg_hba.conf'))
-- attack: check-runs-sql refused
CREATE TEMP TABLE own (a text CHECK (query_to_xml(a, true, false, '') IS NOT NULL))
-- attack: generated-runs-sql refused
CREATE TEMP TABLE own (a text, b text GENERATED ALWAYS AS (query_to_xml(a, true, false, '')::text) STORED)
-- attack: index-expression-runs-sql refused
CREATE TEMP TABLE own AS SELECT 'SELECT ssn FROM patients' AS q
-- then
CREATE INDEX ON own (query_to_xml(q, true, false, ''))
-- attack: add-column-runs-sql refused
CREATE TEMP TABLE own (a int)
-- then
ALTER TABLE own ADD COLUMN b xml DEFAULT query_to_xml('SELECT ssn FROM patients', true, false, '')
-- attack: like-masked-table
CREATE TEMP TABLE own (LIKE patients INCLUDING ALL)
-- then
INSERT INTO own SELECT * FROM patients
-- attack: foreign-key-to-masked-table-in-column refused
CREATE TEMP TABLE own (a int REFERENCES patients)
-- attack: foreign-key-to-masked-table-by-schema refused
CREATE TEMP TABLE own (a text, FOREIGN KEY (a) REFERENCES public.patients (mrn))
-- attack: foreign-key-to-shadow-then-public refused
CREATE TEMP TABLE patients (patient_id int PRIMARY KEY)
-- then
CREATE TEMP TABLE own (a int REFERENCES public.patients)
-- attack: foreign-key-probes-own-copy
CREATE TEMP TABLE copy (ssn text UNIQUE)
-- then
INSERT INTO copy SELECT DISTINCT ssn FROM patients
-- then
CREATE TEMP TABLE own (guess text REFERENCES copy (ssn))
-- then
INSERT INTO own SELECT DISTINCT last_name FROM patients
-- attack: foreign-key-cascades-to-own
CREATE TEMP TABLE patients (patient_id int PRIMARY KEY)
-- then
CREATE TEMP TABLE own (a int REFERENCES patients ON DELETE CASCADE ON UPDATE CASCADE)
-- then
INSERT INTO patients SELECT patient_id FROM public.patients
-- then
INSERT INTO own SELECT patient_id FROM public.patients
-- then
DELETE FROM patients RETURNING *
-- then
SELECT count(*) FROM own
-- attack: foreign-key-added-later-to-masked refused
CREATE TEMP TABLE own (a int)
-- then
ALTER TABLE own ADD FOREIGN KEY (a) REFERENCES patients
-- attack: like-masked-table-alone answered
CREATE TEMP TABLE own (LIKE patients)
-- then
INSERT INTO own SELECT * FROM patients
-- then
SELECT * FROM own ORDER BY patient_id LIMIT 3
-- attack: like-masked-table-knows-no-default
CREATE TEMP TABLE own (LIKE patients EXCLUDING DEFAULTS)
-- then
INSERT INTO own DEFAULT VALUES RETURNING *
-- attack: like-catalog-of-statistics refused
CREATE TEMP TABLE own (LIKE pg_statistic)
-- attack: like-view-over-masked
CREATE TEMP TABLE own (LIKE pg_roles)
-- then
SELECT * FROM own
-- attack: like-including-defaults refused
CREATE TEMP TABLE own (LIKE patients INCLUDING DEFAULTS)
-- attack: like-own-table-named-like-masked
CREATE TEMP TABLE patients (ssn text, last_name text)
-- then
CREATE TEMP TABLE own (LIKE patients)
-- then
INSERT INTO own SELECT ssn, last_name FROM public.patients
-- then
SELECT * FROM own ORDER BY 1 LIMIT 3
-- attack: inherits-masked-table refused
CREATE TEMP TABLE own () INHERITS (patients)
-- attack: partition-of-table refused
CREATE TEMP TABLE own PARTITION OF patients FOR VALUES FROM (1) TO (2)
-- attack: inherit-later refused
CREATE TEMP TABLE own AS SELECT * FROM patients
-- then
ALTER TABLE own INHERIT patients
-- attack: foreign-key-to-masked-table refused
CREATE TEMP TABLE own (mrn varchar(12) REFERENCES patients (mrn))
-- attack: foreign-key-later refused
CREATE TEMP TABLE own (mrn varchar(12))
-- then
ALTER TABLE own ADD FOREIGN KEY (mrn) REFERENCES patients (mrn)
-- attack: column-type-changed-by-sql refused
CREATE TEMP TABLE own (a text)
-- then
ALTER TABLE own ALTER COLUMN a TYPE xml USING query_to_xml(a, true, false, '')
-- attack: moved-to-another-schema refused
CREATE TEMP TABLE own AS SELECT * FROM patients
-- then
ALTER TABLE own SET SCHEMA public
-- attack: owner-changed refused
CREATE TEMP TABLE own (a int)
-- then
ALTER TABLE own OWNER TO postgres
-- attack: trigger-on-own-table refused
CREATE TEMP TABLE own (a int)
-- then
CREATE TRIGGER t BEFORE INSERT ON own EXECUTE FUNCTION suppress_redundant_updates_trigger()
-- attack: rule-on-own-table refused
CREATE TEMP TABLE own (a int)
-- then
CREATE RULE r AS ON INSERT TO own DO ALSO SELECT * FROM patients
-- attack: policy-on-own-table refused
CREATE TEMP TABLE own (a int)
-- then
CREATE POLICY p ON own USING ((SELECT count(*) FROM patients) > 0)
-- attack: statistics-object-on-own-table refused
CREATE TEMP TABLE own AS SELECT * FROM patients
-- then
CREATE STATISTICS s ON ssn, mrn FROM own
-- attack: view-of-masked-read
CREATE TEMP VIEW v AS SELECT *, patients AS whole FROM patients
-- then
SELECT ssn, last_name, whole FROM v ORDER BY patient_id LIMIT 2
-- attack: view-of-masked-told
CREATE TEMP VIEW v AS SELECT ssn FROM patients WHERE last_name > 'Q'
-- then
SELECT pg_get_viewdef('v') LIKE '%Qzx%', pg_get_viewdef('v') LIKE '%phigate.k%secret%'
-- attack: view-written-through refused
CREATE TEMP VIEW v AS SELECT * FROM departments
-- then
UPDATE v SET name = name
-- attack: view-inserted-through refused
CREATE TEMP VIEW v AS SELECT * FROM departments
-- then
INSERT INTO v VALUES (999, 'x', 1)
-- attack: view-deleted-through refused
CREATE TEMP VIEW v AS SELECT * FROM departments
-- then
DELETE FROM v
-- attack: view-merged-through refused
CREATE TEMP VIEW v AS SELECT * FROM departments
-- then
MERGE INTO v USING patients p ON v.department_id = p.patient_id WHEN MATCHED THEN UPDATE SET name = p.ssn
-- attack: view-copied-into refused
CREATE TEMP VIEW v AS SELECT * FROM departments
-- then
COPY v FROM STDIN
-- attack: view-with-check-option refused
CREATE TEMP VIEW v AS SELECT * FROM patients WHERE ssn LIKE 'Qzx%' WITH CHECK OPTION
-- attack: view-recursive
CREATE TEMP RECURSIVE VIEW v (n, s) AS SELECT 1, max(ssn) FROM patients UNION ALL SELECT n + 1, s FROM v WHERE n < 3
-- attack: view-barrier-option
CREATE TEMP VIEW v WITH (security_barrier = false) AS SELECT ssn FROM patients
-- attack: view-replaced-under-a-reader
CREATE TEMP VIEW v AS SELECT patient_id AS x FROM patients
-- then
CREATE TEMP VIEW w AS SELECT x FROM v
-- then
CREATE OR REPLACE TEMP VIEW v AS SELECT patient_id AS x, ssn FROM patients
-- then
SELECT * FROM w, v ORDER BY 1, 2 LIMIT 2
-- attack: view-altered-default refused
CREATE TEMP VIEW v AS SELECT * FROM departments
-- then
ALTER VIEW v ALTER COLUMN name SET DEFAULT query_to_xml('SELECT 1', true, true, '')::text
-- attack: sequence-of-own-table
CREATE TEMP TABLE own (id int GENERATED ALWAYS AS IDENTITY, ssn text)
-- then
INSERT INTO own (ssn) SELECT ssn FROM patients WHERE ssn LIKE 'Qzx%'
-- then
SELECT count(*), max(id) FROM own
-- attack: merge-into-own
CREATE TEMP TABLE own AS SELECT patient_id, ''::text AS s FROM patients
-- then
MERGE INTO own o USING patients p ON o.patient_id = p.patient_id AND p.ssn LIKE 'Qzx%' WHEN MATCHED THEN UPDATE SET s = p.last_name WHEN NOT MATCHED THEN DO NOTHING
-- then
SELECT count(*) FROM own WHERE s <> ''
-- attack: update-own-from-masked
CREATE TEMP TABLE own AS SELECT patient_id, ''::text AS s FROM patients
-- then
UPDATE own SET s = p.ssn FROM patients p WHERE p.patient_id = own.patient_id AND p.mrn > 'Q' RETURNING own.*, p.*
-- attack: update-own-by-row
CREATE TEMP TABLE own AS SELECT patient_id, ''::text AS s, ''::text AS t FROM patients
-- then
UPDATE own SET (s, t) = (SELECT ssn, last_name FROM patients p WHERE p.patient_id = own.patient_id) RETURNING *
-- attack: delete-own-using-masked
CREATE TEMP TABLE own AS SELECT patient_id FROM patients
-- then
DELETE FROM own USING patients p WHERE p.patient_id = own.patient_id AND p.ssn IS NOT NULL RETURNING p.ssn, p.last_name
-- attack: writing-cte-over-masked
CREATE TEMP TABLE own (s text)
-- then
WITH w AS (INSERT INTO own SELECT last_name FROM patients RETURNING s) SELECT s, count(*) FROM w GROUP BY s
-- attack: temp-schema-named
CREATE TABLE pg_temp.own AS SELECT * FROM patients
-- then
SELECT ssn FROM pg_temp.own LIMIT 1
-- attack: temp-schema-by-number
SELECT * FROM pg_temp_3.own
-- attack: temp-schema-in-function-name refused
SELECT pg_temp.lower('x')
-- attack: temp-schema-in-operator refused
SELECT 1 OPERATOR(pg_temp.+) 1
-- attack: temp-schema-in-type refused
SELECT 'x'::pg_temp.text
-- attack: unlogged-table refused
CREATE UNLOGGED TABLE own AS SELECT * FROM patients
-- attack: tablespace-of-own-table refused
CREATE TEMP TABLE own (a int) TABLESPACE pg_default
-- attack: table-of-type refused
CREATE TEMP TABLE own OF patients
-- attack: table-as-execute refused
PREPARE q AS SELECT * FROM patients
-- then
CREATE TEMP TABLE own AS EXECUTE q
-- attack: table-as-table
CREATE TEMP TABLE own AS TABLE patients
-- then
SELECT ssn, last_name FROM own LIMIT 1
-- attack: table-as-values
CREATE TEMP TABLE own AS VALUES ((SELECT max(ssn) FROM patients))
-- then
TABLE own
-- attack: select-into-own
SELECT *, p AS whole INTO TEMP own FROM patients p
-- then
SELECT * FROM own ORDER BY patient_id LIMIT 1
