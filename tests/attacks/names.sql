-- Reaching a protected column under another name.
-- attack: alias answered
SELECT ssn AS diagnosis, last_name AS city FROM patients LIMIT 5
-- attack: alias-column-list answered
SELECT b, c, d, e FROM patients AS x (a, b, c, d, e) LIMIT 5
-- attack: star answered
SELECT * FROM patients ORDER BY patient_id LIMIT 5
-- attack: qualified-star answered
SELECT p.*, e.kind FROM patients p JOIN encounters e USING (patient_id) ORDER BY encounter_id LIMIT 5
-- attack: three-part-column
SELECT public.patients.ssn FROM public.patients LIMIT 1
-- attack: three-part-table
SELECT ssn FROM clinic.public.patients LIMIT 1
-- attack: whole-row
SELECT patients FROM patients LIMIT 3
-- attack: whole-row-alias
SELECT p FROM patients p LIMIT 3
-- attack: whole-row-text
SELECT p::text FROM patients p LIMIT 3
-- attack: whole-row-json
SELECT row_to_json(p), to_jsonb(p) FROM patients p LIMIT 3
-- attack: whole-row-compare
SELECT count(*) FROM patients p WHERE p::text LIKE '%Qzx%'
-- attack: whole-row-cast
SELECT p::patients FROM patients p LIMIT 3
-- attack: whole-row-field
SELECT (p).ssn FROM patients p LIMIT 3
-- attack: functional-notation
SELECT ssn(p) FROM patients p LIMIT 3
-- attack: composite-star
SELECT (p).* FROM patients p LIMIT 3
-- attack: array-of-rows
SELECT array_agg(p) FROM patients p
-- attack: json-agg
SELECT json_agg(p) FROM (SELECT * FROM patients LIMIT 3) p
-- attack: each-of-row
SELECT key, value FROM patients p, jsonb_each_text(to_jsonb(p)) LIMIT 60
-- attack: populate-record
SELECT (jsonb_populate_record(NULL::patients, to_jsonb(p))).ssn FROM patients p LIMIT 1
-- attack: cte-shadow answered
WITH patients AS (SELECT * FROM patients) SELECT ssn, last_name FROM patients LIMIT 3
-- attack: cte-recursive
WITH RECURSIVE r AS (SELECT patient_id, ssn FROM patients WHERE patient_id = 1 UNION ALL SELECT p.patient_id, p.ssn FROM patients p JOIN r ON p.patient_id = r.patient_id + 1 WHERE p.patient_id < 5) SELECT * FROM r
-- attack: cte-nested-shadow
WITH a AS (WITH patients AS (SELECT 1 AS ssn) SELECT * FROM patients) SELECT a.ssn, p.ssn FROM a, patients p LIMIT 1
-- attack: lateral
SELECT x.ssn FROM encounters e, LATERAL (SELECT ssn FROM patients p WHERE p.patient_id = e.patient_id) x ORDER BY encounter_id LIMIT 3
-- attack: scalar-subquery
SELECT (SELECT ssn FROM patients WHERE patient_id = 1)
-- attack: exists-probe
SELECT EXISTS (SELECT FROM patients WHERE ssn LIKE 'Qzx%')
-- attack: natural-join
SELECT * FROM patients NATURAL JOIN notes ORDER BY note_id LIMIT 3
-- attack: join-alias
SELECT x.patient_id FROM patients JOIN notes USING (patient_id) AS x ORDER BY note_id LIMIT 3
-- attack: using-masked
SELECT count(*) FROM patients a JOIN patients b USING (ssn)
-- attack: union-columns
SELECT kind FROM encounters UNION SELECT ssn FROM patients
-- attack: intersect-guess
SELECT 'Qzx-0000001' INTERSECT SELECT ssn FROM patients
-- attack: values-join
SELECT * FROM (VALUES ('Qzx-0000001')) v (ssn) JOIN patients USING (ssn)
-- attack: order-by-position
SELECT ssn, last_name FROM patients ORDER BY 1, 2 LIMIT 3
-- attack: order-by-masked-not-selected
SELECT patient_id FROM patients ORDER BY ssn, patient_id LIMIT 3
-- attack: search-path-pg-temp
SET search_path = pg_temp, public
-- then
SELECT ssn FROM patients LIMIT 1
-- attack: search-path-catalog-last
SET search_path = public, pg_catalog
-- then
SELECT lower(last_name) FROM patients LIMIT 1
-- attack: system-columns refused
SELECT ctid, xmin, tableoid, ssn FROM patients LIMIT 1
-- attack: toast-table refused
SELECT * FROM pg_toast.pg_toast_2619
-- attack: table-by-oid-cast
SELECT 'patients'::regclass, 'patients'::regclass::oid
-- attack: index-as-table refused
SELECT * FROM patients_pkey
-- attack: view-of-definitions
SELECT * FROM information_schema.columns WHERE table_name = 'patients' ORDER BY ordinal_position
-- attack: quoted-wrong-case refused
SELECT * FROM "Patients"
-- attack: unknown-schema refused
SELECT * FROM other.patients
-- attack: function-in-from-as-table
SELECT * FROM current_date AS patients
