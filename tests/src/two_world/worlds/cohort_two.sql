-- Rows out of scope have nothing in common with the first world's: other patients, more of some and
-- fewer of others, other values in every column, and other sensitive rows of the same patients.
UPDATE patients SET city = 'Wkj' || patient_id % 3, language = 'Wkj', marital_status = NULL, state = 'ZZ', zip = '00000',
  sex = CASE sex WHEN 'F' THEN 'M' ELSE 'F' END, birth_date = date '1901-01-01' + patient_id, death_date = NULL,
  provider_id = NULL, registered_at = '2001-01-01 00:00Z'
WHERE patient_id > 40 OR patient_id IN (3, 4);
DELETE FROM observations WHERE patient_id > 40 OR patient_id IN (3, 4);
DELETE FROM devices WHERE patient_id > 40 OR patient_id IN (3, 4);
DELETE FROM claims WHERE patient_id > 50 OR patient_id IN (3, 4);
UPDATE claims SET payer = 'Wkj', amount = claim_id, status = 'denied', submitted_on = '1999-09-09' WHERE patient_id > 40;
UPDATE encounters SET kind = 'Wkj', disposition = NULL, total_charge = encounter_id, age_at_visit = 1,
  started_at = '1999-01-01 00:00Z', ended_at = NULL, provider_id = 1, department_id = 1
WHERE patient_id > 40 OR patient_id IN (3, 4);
UPDATE medications SET description = 'Wkj', dose_mg = 1e9, rxnorm = 0, started_on = '1999-09-09', stopped_on = NULL
WHERE patient_id > 40 OR patient_id IN (3, 4);
INSERT INTO medications SELECT 900000 + n, medication_id, patient_id, 1, 'Wkj more', n, '1999-09-09', NULL
FROM medications, generate_series(1, 40) AS n WHERE medication_id = (SELECT max(medication_id) FROM medications WHERE patient_id > 40);
-- Sensitive rows of patients in scope: gone, and others of other patients instead.
DELETE FROM conditions WHERE icd10 LIKE 'F%' OR icd10 = 'B20';
UPDATE conditions SET description = 'Wkj', icd10 = 'Z99', onset_date = '1999-09-09', resolved = NOT resolved
WHERE patient_id > 40 OR patient_id IN (3, 4);
INSERT INTO conditions SELECT 900000 + encounter_id, encounter_id, patient_id, CASE WHEN encounter_id % 2 = 0 THEN 'B20' ELSE 'F10.1' END,
  'Wkj', '1999-09-09', true FROM encounters WHERE encounter_id % 3 = 0;
UPDATE notes SET written_at = '1999-01-01 00:00Z', author_id = 2 WHERE kind = 'consult' OR patient_id > 40 OR patient_id IN (3, 4);
INSERT INTO notes SELECT 900000 + encounter_id, encounter_id, patient_id, 1, 'consult', '1999-09-09 00:00Z', 'Wkj'
FROM encounters WHERE encounter_id % 2 = 0;
INSERT INTO patients (patient_id, record_uuid, mrn, first_name, last_name, birth_date, sex, language, street_address,
  city, state, zip, account_number, registered_at)
SELECT 1000 + n, md5('Wkj' || n)::uuid, 'Wkj' || n, 'Wkj', 'Wkj', '1999-09-09', 'F', 'Wkj', 'Wkj', 'Wkj', 'ZZ', '00000', n, '1999-01-01 00:00Z'
FROM generate_series(1, 25) AS n;
