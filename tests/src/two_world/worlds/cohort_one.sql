-- The first world's mark in rows out of scope: of patients beyond the list or who are sensitive, and
-- sensitive rows of others. What they hold is nobody's.
UPDATE patients SET city = 'Qzx' || city, language = 'Qzx', marital_status = 'Qzx'
WHERE patient_id > 40 OR patient_id IN (3, 4);
UPDATE encounters SET kind = 'Qzx' || kind WHERE patient_id > 40 OR patient_id IN (3, 4);
UPDATE observations SET description = 'Qzx' WHERE patient_id > 40 OR patient_id IN (3, 4);
UPDATE conditions SET description = 'Qzx' WHERE patient_id > 40 OR patient_id IN (3, 4) OR icd10 LIKE 'F%' OR icd10 = 'B20';
UPDATE medications SET description = 'Qzx' WHERE patient_id > 40 OR patient_id IN (3, 4);
UPDATE devices SET description = 'Qzx' WHERE patient_id > 40 OR patient_id IN (3, 4);
UPDATE claims SET payer = 'Qzx' WHERE patient_id > 40 OR patient_id IN (3, 4);
