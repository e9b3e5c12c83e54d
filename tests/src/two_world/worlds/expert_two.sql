-- What the expert's release hides beside keys and dates, which `keyed.rs` changes.
UPDATE notes SET body = 'Mr. Walt ' || CASE WHEN note_id % 2 = 0 THEN 'Kjaer' ELSE 'Jo Kjaer' END
  || ', seen on ' || CASE WHEN note_id % 3 = 0 THEN '3/1/20' ELSE '12 March 2021' END
  || ', phone ' || 100000 + note_id * 977 || ', w' || note_id || '@kjaer.example: stable.';
UPDATE patients SET
  birth_date = CASE WHEN birth_date < '1936-01-01' THEN make_date(1850 + patient_id % 86, 7, 2)
    ELSE make_date(extract(year FROM birth_date)::int, 1 + patient_id % 12, 1 + patient_id % 28) END,
  city = repeat('c', 1 + patient_id % 40),
  zip = CASE WHEN left(zip, 3) IN ('036', '059', '102', '202', '203', '204', '205', '369', '556', '692', '753',
      '772', '821', '823', '878', '879', '884', '893') THEN '05901' ELSE left(zip, 3) || lpad((patient_id * 7 % 100)::text, 2, '0') END;
UPDATE encounters SET age_at_visit = CASE WHEN age_at_visit >= 90 THEN 90 + encounter_id % 20 ELSE age_at_visit END;
