-- Keys, dates, places and ages, each changed as far as its transform hides it.
UPDATE patients SET
  birth_date = CASE WHEN birth_date < '1936-01-01' THEN make_date(1850 + patient_id % 86, 7, 2)
    ELSE make_date(extract(year FROM birth_date)::int, 1 + patient_id % 12, 1 + patient_id % 28) END,
  death_date = make_date(extract(year FROM death_date)::int, 12 - patient_id % 12, 1 + patient_id % 27),
  registered_at = make_timestamptz(extract(year FROM registered_at)::int, 2 + patient_id % 9, 1 + patient_id % 28, 0, 0, 0, 'UTC'),
  city = repeat('c', 1 + patient_id % 40),
  zip = CASE WHEN left(zip, 3) IN ('036', '059', '102', '202', '203', '204', '205', '369', '556', '692', '753',
      '772', '821', '823', '878', '879', '884', '893') THEN '05901' ELSE left(zip, 3) || lpad((patient_id * 7 % 100)::text, 2, '0') END,
  provider_id = CASE WHEN patient_id % 4 = 0 THEN NULL ELSE 90000 + (provider_id * 31) % 997 END,
  patient_id = 70000 + (patient_id * 37) % 1009;
UPDATE providers SET provider_id = 90000 + (provider_id * 31) % 997;
UPDATE encounters SET
  started_at = make_timestamptz(extract(year FROM started_at)::int, 2 + (encounter_id % 9)::int, 1 + (encounter_id % 28)::int, 0, 0, 0, 'UTC'),
  ended_at = make_timestamptz(extract(year FROM ended_at)::int, 11, 1 + (encounter_id % 28)::int, 0, 0, 0, 'UTC'),
  age_at_visit = CASE WHEN age_at_visit >= 90 THEN 90 + encounter_id % 20 ELSE age_at_visit END,
  provider_id = 90000 + (provider_id * 31) % 997, patient_id = 70000 + (patient_id * 37) % 1009,
  encounter_id = 5000000000 + (encounter_id * 41) % 3001;
UPDATE observations SET
  taken_at = make_timestamptz(extract(year FROM taken_at)::int, 2 + (observation_id % 9)::int, 5, 0, 0, 0, 'UTC'),
  patient_id = 70000 + (patient_id * 37) % 1009, encounter_id = 5000000000 + (encounter_id * 41) % 3001,
  observation_id = 6000000000 + (observation_id * 43) % 20011;
UPDATE conditions SET onset_date = make_date(extract(year FROM onset_date)::int, 1 + (condition_id % 12)::int, 3),
  patient_id = 70000 + (patient_id * 37) % 1009, encounter_id = 5000000000 + (encounter_id * 41) % 3001,
  condition_id = 6000000000 + (condition_id * 43) % 20011;
UPDATE medications SET started_on = make_date(extract(year FROM started_on)::int, 1 + (medication_id % 12)::int, 3),
  stopped_on = make_date(extract(year FROM stopped_on)::int, 1 + (medication_id % 11)::int, 9),
  patient_id = 70000 + (patient_id * 37) % 1009, encounter_id = 5000000000 + (encounter_id * 41) % 3001,
  medication_id = 6000000000 + (medication_id * 43) % 20011;
UPDATE notes SET written_at = make_timestamptz(extract(year FROM written_at)::int, 2 + (note_id % 9)::int, 5, 0, 0, 0, 'UTC'),
  author_id = 90000 + (author_id * 31) % 997, patient_id = 70000 + (patient_id * 37) % 1009,
  encounter_id = 5000000000 + (encounter_id * 41) % 3001, note_id = 6000000000 + (note_id * 43) % 20011;
UPDATE devices SET implanted_on = make_date(extract(year FROM implanted_on)::int, 1 + device_id % 12, 1),
  patient_id = 70000 + (patient_id * 37) % 1009, device_id = 80000 + (device_id * 43) % 20011;
UPDATE claims SET submitted_on = make_date(extract(year FROM submitted_on)::int, 1 + (claim_id % 12)::int, 1),
  patient_id = 70000 + (patient_id * 37) % 1009, encounter_id = 5000000000 + (encounter_id * 41) % 3001,
  claim_id = 6000000000 + (claim_id * 43) % 20011;
CLUSTER patients USING patients_pkey; CLUSTER encounters USING encounters_pkey; CLUSTER notes USING notes_pkey;
