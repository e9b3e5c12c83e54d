-- Writes under a `--write` grant that masks: what a statement that changes rows may tell.
-- attack: insert-plain answered
INSERT INTO bait VALUES (10, 'ten') RETURNING *
-- attack: insert-from-masked answered
INSERT INTO bait (id, note) SELECT patient_id + 100, ssn || last_name FROM patients RETURNING note
-- attack: insert-from-masked-read answered
INSERT INTO bait (id, note) SELECT patient_id + 5000, coalesce(ssn, last_name) FROM patients WHERE ssn LIKE 'Q%' OR last_name > 'A'
-- then
SELECT note, count(*) FROM bait GROUP BY note ORDER BY 1
-- attack: insert-duplicate
INSERT INTO bait VALUES (1, 'again')
-- attack: insert-conflict-count answered
INSERT INTO bait SELECT patient_id, last_name, 1 FROM patients ON CONFLICT DO NOTHING
-- attack: insert-conflict-update answered
INSERT INTO bait SELECT 1, max(ssn), 1 FROM patients ON CONFLICT (id) DO UPDATE SET note = excluded.note RETURNING note
-- attack: insert-excluded-row
INSERT INTO bait VALUES (1, 'x') ON CONFLICT (id) DO UPDATE SET note = excluded::text RETURNING note
-- attack: insert-subselect-value answered
INSERT INTO bait VALUES (900077, (SELECT min(ssn) FROM patients)) RETURNING note
-- attack: insert-cast-error
INSERT INTO bait SELECT ssn::int, 'x', 1 FROM patients
-- attack: insert-into-masked refused
INSERT INTO patients (patient_id, ssn) VALUES (1, 'x')
-- attack: insert-unique-oracle refused
INSERT INTO patients (patient_id, record_uuid, mrn, first_name, last_name) SELECT 999999, record_uuid, mrn, 'a', 'b' FROM patients LIMIT 1
-- attack: insert-conflict-oracle refused
INSERT INTO patients (patient_id, mrn) VALUES (1, 'M-1') ON CONFLICT (mrn) DO NOTHING
-- attack: insert-conflict-constraint-oracle refused
INSERT INTO patients (patient_id, mrn) VALUES (1, 'M-1') ON CONFLICT ON CONSTRAINT patients_mrn_key DO NOTHING
-- attack: insert-default-row-detail refused
INSERT INTO patients (patient_id) VALUES (1)
-- attack: insert-trigger refused
INSERT INTO bait_trigger (id) VALUES (1) RETURNING note
-- attack: update-trigger refused
UPDATE bait_trigger SET id = 2 RETURNING note
-- attack: merge-trigger refused
MERGE INTO bait_trigger b USING bait s ON s.id = b.id WHEN NOT MATCHED THEN INSERT (id) VALUES (s.id)
-- attack: copy-trigger refused
COPY bait_trigger FROM STDIN
-- attack: partition-trigger refused
INSERT INTO bait_parent VALUES (1, 'x') RETURNING note
-- attack: partition-of-trigger refused
INSERT INTO bait_child VALUES (1, 'x') RETURNING note
-- attack: insert-rule refused
INSERT INTO bait_rule VALUES (1, 'x')
-- attack: insert-key-oracle refused
INSERT INTO bait_key VALUES (1, 'M-1')
-- attack: update-key-oracle refused
UPDATE bait_key SET mrn = 'M-1'
-- attack: insert-default-value refused
INSERT INTO bait_default (id) VALUES (1) RETURNING note
-- attack: insert-default-word refused
INSERT INTO bait_default VALUES (1, DEFAULT) RETURNING note
-- attack: insert-default-values refused
INSERT INTO bait_default DEFAULT VALUES RETURNING note
-- attack: update-default refused
UPDATE bait_default SET note = DEFAULT RETURNING note
-- attack: insert-default-given answered
INSERT INTO bait_default VALUES (1, 'given') RETURNING note
-- attack: insert-default-select refused
INSERT INTO bait_default SELECT 1 RETURNING note
-- attack: insert-check-oracle refused
INSERT INTO bait_check VALUES (3)
-- attack: insert-index-oracle refused
INSERT INTO bait_index VALUES (3)
-- attack: insert-row-security refused
INSERT INTO bait_policy VALUES (1, 'x')
-- attack: insert-through-view refused
INSERT INTO bait_view (patient_id) VALUES (1)
-- attack: update-through-view refused
UPDATE bait_view SET sex = 'F' WHERE patient_id = 1
-- attack: delete-through-view refused
DELETE FROM bait_view
-- attack: update-through-temporary-view refused
CREATE TEMP VIEW bait_own AS SELECT id, note FROM bait
-- then
UPDATE bait_own SET note = 'x'
-- attack: update-launder-column refused
UPDATE patients SET sex = ssn
-- attack: update-launder-own-row refused
UPDATE patients p SET city = p::text
-- attack: update-launder-record refused
UPDATE patients p SET city = (SELECT r.ssn FROM (SELECT p.*) r)
-- attack: update-where-masked refused
UPDATE patients SET language = 'x' WHERE last_name LIKE 'Q%'
-- attack: update-where-subquery refused
UPDATE patients SET language = 'x' WHERE EXISTS (SELECT 1 FROM encounters e WHERE e.kind = patients.last_name)
-- attack: update-returning-masked refused
UPDATE patients SET language = 'x' RETURNING last_name
-- attack: update-returning-star refused
UPDATE patients SET language = 'x' RETURNING *
-- attack: update-self-join
UPDATE patients p SET language = q.last_name FROM patients q WHERE q.patient_id = p.patient_id RETURNING p.language
-- attack: update-open-from-masked answered
UPDATE bait SET note = p.ssn FROM patients p WHERE p.patient_id = bait.id RETURNING bait.note
-- attack: update-open-where-masked answered
UPDATE bait SET note = 'seen' WHERE (SELECT count(*) FROM patients WHERE ssn LIKE 'Qzx%') > 0
-- attack: delete-where-masked refused
DELETE FROM patients WHERE ssn IS NOT NULL
-- attack: delete-using-raw refused
DELETE FROM patients p USING patients q WHERE p.last_name < q.last_name
-- attack: delete-open-using-masked answered
DELETE FROM bait USING patients p WHERE p.ssn = bait.note RETURNING bait.id
-- attack: delete-cascade refused
DELETE FROM patients WHERE patient_id = 1
-- attack: merge-on-masked refused
MERGE INTO patients p USING bait b ON p.last_name = b.note WHEN MATCHED THEN UPDATE SET language = 'x'
-- attack: merge-when-masked refused
MERGE INTO patients p USING bait b ON p.patient_id = b.id WHEN MATCHED AND p.ssn > '5' THEN UPDATE SET language = 'x'
-- attack: merge-open-from-masked
MERGE INTO bait b USING patients p ON p.patient_id = b.id WHEN MATCHED AND p.last_name > 'M' THEN UPDATE SET note = p.last_name WHEN NOT MATCHED THEN INSERT (id, note) VALUES (p.patient_id, p.ssn)
-- then
SELECT note, count(*) FROM bait GROUP BY note ORDER BY 1
-- attack: cte-delete-order answered
WITH gone AS (DELETE FROM bait RETURNING id, note), kept AS (SELECT count(*) AS n FROM bait) SELECT n FROM kept
-- attack: cte-writes-masked refused
WITH x AS (UPDATE patients SET language = 'x' RETURNING last_name) SELECT * FROM x
-- attack: cte-inserts-masked answered
WITH x AS (INSERT INTO bait (id, note) SELECT patient_id + 9000, last_name FROM patients RETURNING note) SELECT note, count(*) FROM x GROUP BY note ORDER BY 1
-- attack: write-in-subquery refused
SELECT * FROM (UPDATE bait SET note = 'x' RETURNING *) x
-- attack: current-of
UPDATE bait SET note = 'x' WHERE CURRENT OF c
-- attack: system-column refused
DELETE FROM bait WHERE ctid = '(0,1)'
-- attack: permanent-copy
CREATE TABLE bait_stolen AS SELECT ssn, last_name FROM patients
-- attack: permanent-into
SELECT ssn, last_name INTO bait_taken FROM patients
-- attack: copy-into-masked refused
COPY patients FROM STDIN
-- attack: copy-returning
COPY (INSERT INTO bait (id, note) SELECT patient_id + 20000, ssn FROM patients RETURNING note) TO STDOUT
-- attack: explain-analyze-write
EXPLAIN (ANALYZE) DELETE FROM bait USING patients p WHERE p.last_name = bait.note
-- attack: prepared-write
PREPARE w (text) AS UPDATE bait SET note = $1 WHERE EXISTS (SELECT 1 FROM patients WHERE last_name = $1)
-- then
EXECUTE w('Qzxlast1')
-- attack: temporary-constraint-oracle
CREATE TEMP TABLE bait_unique (s text UNIQUE)
-- then
INSERT INTO bait_unique SELECT last_name FROM patients
-- attack: temporary-check-oracle
CREATE TEMP TABLE bait_checked (s text CHECK (s < 'M'))
-- then
INSERT INTO bait_checked SELECT last_name FROM patients
-- attack: temporary-function-column
CREATE TEMP TABLE bait_f (bait_value int)
-- then
PREPARE f AS SELECT bait_f.bait_value FROM bait_f
-- then
DROP TABLE bait_f
-- then
CREATE TEMP TABLE bait_f (a int)
-- then
EXECUTE f
-- attack: temporary-shadow answered
CREATE TEMP TABLE patients AS SELECT ssn, last_name FROM patients
-- then
SELECT count(ssn) FROM patients
-- attack: temporary-index-function refused
CREATE TEMP TABLE bait_t AS SELECT 1 AS a
-- then
CREATE INDEX ON bait_t (bait_keys(a))
-- attack: temporary-default-function refused
CREATE TEMP TABLE bait_t (a text DEFAULT bait_value())
-- attack: temporary-rollback-shadow
BEGIN
-- then
CREATE TEMP TABLE patients AS SELECT 1 AS ssn
-- then
ROLLBACK
-- then
SELECT min(ssn) FROM patients
-- attack: drop-permanent refused
DROP TABLE bait
-- attack: alter-permanent refused
ALTER TABLE patients RENAME COLUMN ssn TO sex2
-- attack: truncate-permanent refused
TRUNCATE bait
-- attack: partition-key-runs-code refused
INSERT INTO leakparts VALUES (1, 'x')
-- attack: partition-of-key-that-runs-code refused
INSERT INTO leakparts_1 VALUES (1, 'x')
-- attack: partition-update-runs-code refused
UPDATE leakparts SET note = 'y'
-- attack: generated-column-runs-code refused
INSERT INTO leakgen (id) VALUES (2)
-- attack: generated-column-update-runs-code refused
UPDATE leakgen SET id = 3 RETURNING id
-- attack: type-of-column-runs-code refused
INSERT INTO leaktypes (id, l) VALUES (2, '{4}')
-- attack: type-of-column-runs-code-by-pair refused
UPDATE leaktypes SET p = '(1,2)'
-- attack: copy-in-runs-code refused
COPY leaktypes FROM STDIN
-- attack: returning-old-and-new refused
UPDATE devices SET description = description RETURNING old.device_serial, new.device_serial
-- attack: returning-with-aliases refused
UPDATE devices SET description = description RETURNING WITH (OLD AS o, NEW AS n) o.device_serial
-- attack: returning-whole-row-by-function refused
UPDATE devices SET description = description RETURNING row_to_json(devices)
-- attack: returning-by-field refused
UPDATE devices SET description = description RETURNING (devices).device_serial
-- attack: returning-by-functional-notation refused
UPDATE devices SET description = description RETURNING device_serial(devices)
-- attack: merge-returning refused
MERGE INTO devices d USING (VALUES (1)) v (i) ON d.device_id = v.i WHEN MATCHED THEN UPDATE SET description = d.description RETURNING merge_action(), d.*
-- attack: merge-by-source refused
MERGE INTO devices d USING (VALUES (0)) v (i) ON d.device_id = v.i WHEN NOT MATCHED BY SOURCE AND d.device_serial LIKE 'Qzx%' THEN DELETE
-- attack: conflict-where-masked refused
INSERT INTO devices (device_id, patient_id, description, implanted_on) VALUES (1, 1, 'x', now()) ON CONFLICT (device_id) DO UPDATE SET description = 'y' WHERE devices.device_serial LIKE 'Qzx%'
-- attack: conflict-excluded-row refused
INSERT INTO devices (device_id, patient_id, description, implanted_on) VALUES (1, 1, 'x', now()) ON CONFLICT (device_id) DO UPDATE SET description = to_json(devices)::text
-- attack: update-alias-row refused
UPDATE devices AS d SET description = d::text WHERE device_id = 1
-- attack: update-where-row refused
UPDATE devices d SET description = description WHERE d::text LIKE '%Qzx%'
-- attack: update-from-self-joins-raw refused
UPDATE devices d SET description = 'x' FROM devices e WHERE e.device_serial = d.device_serial
-- attack: update-multi-column-subquery refused
UPDATE devices SET (description, implanted_on) = (SELECT devices.device_serial, now()::date)
-- attack: delete-using-whole-row refused
DELETE FROM devices d USING patients p WHERE to_json(d) ->> 'device_serial' = 'x'
-- attack: cte-returns-whole-row refused
WITH w AS (UPDATE devices SET description = description RETURNING devices) SELECT * FROM w
