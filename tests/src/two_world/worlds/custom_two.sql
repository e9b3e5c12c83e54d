-- Blocked columns have nothing in common with the first world's.
UPDATE patients SET city = 'Wkj' || repeat('c', patient_id % 30);
UPDATE encounters SET total_charge = encounter_id;
UPDATE medications SET dose_mg = medication_id;
UPDATE observations SET value = CASE WHEN observation_id % 2 = 0 THEN NULL ELSE observation_id % 100 END;
UPDATE notes SET kind = 'Wkj';
UPDATE claims SET claim_number = 'CL' || claim_id;
