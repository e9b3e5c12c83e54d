-- What happened to the patients: encounters and what hangs off them.
INSERT INTO encounters
SELECT row_number() OVER (ORDER BY started_at, patient_id, visit), patient_id,
  1 + pg_temp.draw(key, 41, 160), 1 + pg_temp.draw(key, 42, 10), kind, started_at,
  CASE WHEN started_at < '2026-06-25' THEN started_at + make_interval(mins => CASE kind
    WHEN 'inpatient' THEN 1440 + pg_temp.draw(key, 43, 12000) ELSE 20 + pg_temp.draw(key, 43, 400) END) END,
  GREATEST(0, date_part('year', age(started_at::date, birth_date)))::smallint,
  (ARRAY['home','home','home','skilled nursing','left against advice','transfer'])[1 + pg_temp.draw(key, 44, 6)],
  (80 + pg_temp.draw(key, 45, CASE kind WHEN 'inpatient' THEN 4000000 ELSE 150000 END) / 100.0)::numeric(10,2)
FROM (
  SELECT patient_id, birth_date, visit, patient_id::bigint * 64 + visit AS key,
    (ARRAY['outpatient','outpatient','outpatient','emergency','inpatient','telehealth'])[1 + pg_temp.draw(patient_id::bigint * 64 + visit, 46, 6)] AS kind,
    GREATEST(birth_date::timestamptz, timestamptz '2016-01-01 06:00Z')
      + (LEAST(COALESCE(death_date, date '2026-06-30'), date '2026-06-30')::timestamptz
         - GREATEST(birth_date::timestamptz, timestamptz '2016-01-01 06:00Z'))
      * (pg_temp.draw(patient_id::bigint * 64 + visit, 47, 1000000) / 1000000.0) AS started_at
  FROM patients, generate_series(1, 1 + pg_temp.draw(patient_id, 48, 7)) AS visit
) AS visits;

CREATE TEMP TABLE measure (number int, loinc text, description text, low numeric, high numeric, unit text);
INSERT INTO measure VALUES
  (0, '8480-6', 'Systolic blood pressure', 95, 185, 'mm[Hg]'), (1, '8462-4', 'Diastolic blood pressure', 55, 110, 'mm[Hg]'),
  (2, '8867-4', 'Heart rate', 48, 130, '/min'), (3, '8310-5', 'Body temperature', 35.8, 40.1, 'Cel'),
  (4, '29463-7', 'Body weight', 3, 160, 'kg'), (5, '8302-2', 'Body height', 50, 205, 'cm'),
  (6, '2339-0', 'Glucose', 60, 320, 'mg/dL'), (7, '4548-4', 'Hemoglobin A1c', 4.2, 12.5, '%'),
  (8, '718-7', 'Hemoglobin', 7.5, 18.2, 'g/dL'), (9, '2160-0', 'Creatinine', 0.4, 5.2, 'mg/dL');
INSERT INTO observations
SELECT row_number() OVER (ORDER BY encounters.encounter_id, measure.number), encounters.encounter_id, patient_id, loinc, description,
  CASE WHEN pg_temp.draw(encounters.encounter_id * 16 + measure.number, 51, 50) > 0 THEN
    (low + (high - low) * pg_temp.draw(encounters.encounter_id * 16 + measure.number, 52, 1000) / 1000)::numeric(8,2) END,
  unit, started_at + make_interval(mins => 5 + pg_temp.draw(encounters.encounter_id, 53, 15))
FROM encounters, measure
WHERE measure.number < 3 OR pg_temp.draw(encounters.encounter_id * 16 + measure.number, 54, 3) = 0;

CREATE TEMP TABLE diagnosis (number int, icd10 text, description text, rxnorm int, drug text, dose real);
INSERT INTO diagnosis VALUES
  (0, 'I10', 'Essential hypertension', 314076, 'lisinopril 10 mg tablet', 10), (1, 'E11.9', 'Type 2 diabetes mellitus', 860975, 'metformin 500 mg tablet', 500),
  (2, 'J45.909', 'Asthma', 745679, 'albuterol inhaler', 0.09), (3, 'E78.5', 'Hyperlipidemia', 617318, 'atorvastatin 20 mg tablet', 20),
  (4, 'M54.5', 'Low back pain', 310965, 'ibuprofen 200 mg tablet', 200), (5, 'F32.9', 'Major depressive disorder', 312940, 'sertraline 50 mg tablet', 50),
  (6, 'J06.9', 'Upper respiratory infection', 308182, 'amoxicillin 250 mg capsule', 250), (7, 'N39.0', 'Urinary tract infection', 311995, 'nitrofurantoin 50 mg capsule', 50),
  (8, 'I48.91', 'Atrial fibrillation', 855332, 'warfarin 5 mg tablet', 5), (9, 'B20', 'HIV disease', 213460, 'lamivudine 150 mg tablet', 150),
  (10, 'F11.20', 'Opioid dependence', 351264, 'buprenorphine 2 mg tablet', 2), (11, 'C50.919', 'Breast cancer', 313195, 'tamoxifen 20 mg tablet', 20);
INSERT INTO conditions
SELECT encounters.encounter_id, encounters.encounter_id, patient_id, icd10, description,
  (started_at - make_interval(days => pg_temp.draw(encounters.encounter_id, 61, 90)))::date, pg_temp.draw(encounters.encounter_id, 62, 3) = 0
FROM encounters JOIN diagnosis ON number = LEAST(pg_temp.draw(encounters.encounter_id, 63, 12), pg_temp.draw(encounters.encounter_id, 64, 14));
INSERT INTO medications
SELECT condition_id, encounter_id, patient_id, rxnorm, drug, dose, onset_date + pg_temp.draw(condition_id, 65, 14),
  CASE WHEN resolved THEN onset_date + 30 + pg_temp.draw(condition_id, 66, 200) END
FROM conditions JOIN diagnosis USING (icd10) WHERE pg_temp.draw(condition_id, 67, 5) > 0;

-- Free text that holds what free text always holds: names, dates, numbers and places.
INSERT INTO notes
SELECT encounters.encounter_id, encounters.encounter_id, p.patient_id, encounters.provider_id,
  (ARRAY['progress note','discharge summary','telephone encounter','consult'])[1 + pg_temp.draw(encounters.encounter_id, 71, 4)],
  started_at + interval '2 hours',
  CASE pg_temp.draw(encounters.encounter_id, 72, 4)
  WHEN 0 THEN format('%s %s (MRN %s), %s, seen in %s on %s for %s. Lives at %s in %s. Will call %s with results.',
    CASE sex WHEN 'F' THEN 'Ms.' ELSE 'Mr.' END, p.last_name, mrn, age_at_visit, departments.name, to_char(started_at, 'FMMonth DD, YYYY'),
    lower(conditions.description), street_address, p.city, COALESCE(phone, 'the patient'))
  WHEN 1 THEN format('Pt %s %s, DOB %s, SSN %s verified at the desk. Presents with %s. Plan discussed with Dr. %s; follow up in two weeks.',
    p.first_name, p.last_name, to_char(birth_date, 'MM/DD/YYYY'), COALESCE(ssn, 'not on file'), lower(conditions.description), providers.last_name)
  WHEN 2 THEN format('Call from the %s of %s %s on %s. Reports %s. Advised to come in; portal message sent to %s.',
    CASE WHEN age_at_visit < 18 THEN 'mother' ELSE 'spouse' END, p.first_name, p.last_name, to_char(started_at, 'YYYY-MM-DD'),
    lower(conditions.description), COALESCE(email, 'the address on file'))
  ELSE format('Discharge of %s on %s. Diagnosis: %s (%s). %s tolerated treatment well and goes home to %s, %s.',
    p.first_name || ' ' || p.last_name, to_char(COALESCE(ended_at, started_at), 'DD Mon YYYY'), conditions.description, icd10,
    CASE sex WHEN 'F' THEN 'She' ELSE 'He' END, p.city, p.state)
  END
FROM encounters
JOIN patients AS p ON p.patient_id = encounters.patient_id
JOIN providers ON providers.provider_id = encounters.provider_id
JOIN departments ON departments.department_id = encounters.department_id
JOIN conditions ON conditions.encounter_id = encounters.encounter_id
WHERE pg_temp.draw(encounters.encounter_id, 73, 5) < 2;

INSERT INTO devices
SELECT patient_id, patient_id, 'SN' || lpad(((patient_id::bigint * 40692 + @SEED@) % 10000000000)::text, 10, '0'),
  (ARRAY['Dual-chamber pacemaker','Total knee prosthesis','Insulin pump','Cochlear implant'])[1 + pg_temp.draw(patient_id, 81, 4)],
  date '2015-01-01' + pg_temp.draw(patient_id, 82, 4100)
FROM patients WHERE pg_temp.draw(patient_id, 83, 20) = 0;

INSERT INTO claims
SELECT encounters.encounter_id, encounters.encounter_id, patient_id,
  (ARRAY['Northstar Mutual','Bluewater Health','Medicare','Medicaid','Self pay'])[1 + pg_temp.draw(patient_id, 91, 5)],
  health_plan_id, 'CL' || lpad((encounters.encounter_id * 13 % 1000000007)::text, 12, '0'),
  (total_charge * (60 + pg_temp.draw(encounters.encounter_id, 92, 41)) / 100)::numeric(10,2),
  (ARRAY['paid','paid','paid','submitted','denied','appealed']::claim_status[])[1 + pg_temp.draw(encounters.encounter_id, 93, 6)],
  (started_at + make_interval(days => 3 + pg_temp.draw(encounters.encounter_id, 94, 40)))::date,
  jsonb_build_object('subscriber', first_name || ' ' || last_name, 'lines', 1 + pg_temp.draw(encounters.encounter_id, 95, 5))
FROM encounters JOIN patients USING (patient_id)
WHERE pg_temp.draw(encounters.encounter_id, 96, 4) > 0;
