-- Ordinary questions, which must be answered.
-- attack: question-all-patients answered
SELECT * FROM patients ORDER BY patient_id
-- attack: question-notes-of-patients answered
SELECT * FROM notes n JOIN patients p USING (patient_id) ORDER BY note_id LIMIT 200
-- attack: question-counts answered
SELECT count(*), count(DISTINCT ssn), max(email), count(photo) FROM patients
-- attack: question-groups answered
SELECT last_name, sex, count(*) FROM patients GROUP BY 1, 2 ORDER BY 1, 2
-- attack: question-nulls answered
SELECT patient_id FROM patients WHERE ssn IS NULL AND middle_name IS NOT NULL ORDER BY 1
-- attack: question-plan answered
EXPLAIN SELECT * FROM patients WHERE last_name = 'Qzxlast1' ORDER BY email
