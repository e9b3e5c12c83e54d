-- What analysts ask of Synthea's CSV tables.
-- analyst: living patients by age and gender
SELECT gender, count(*), round(avg(EXTRACT(YEAR FROM age(timestamp '2020-01-01', birthdate))), 1) AS mean_age FROM patients WHERE deathdate IS NULL GROUP BY gender ORDER BY 1
-- analyst: patients over 65
SELECT count(*) FROM patients WHERE DATE_PART('year', AGE('2020-12-31'::date, birthdate)) > 65
-- analyst: age groups by integer division
SELECT width_bucket(date_part('year', age(date '2020-01-01', birthdate))::int, 0, 100, 10) AS bucket, count(*) FROM patients GROUP BY 1 ORDER BY 1
-- analyst: encounters per class and year
SELECT encounterclass, date_part('year', start) AS y, count(*) FROM encounters GROUP BY encounterclass, y ORDER BY 1, 2
-- analyst: encounters longer than a day
SELECT encounterclass, SUM(CASE WHEN stop - start >= INTERVAL '24 hours' THEN 1 ELSE 0 END) AS over_24h, ROUND(100.0 * AVG(CASE WHEN stop - start < INTERVAL '24 hours' THEN 1 ELSE 0 END), 2) AS pct_under FROM encounters GROUP BY 1 ORDER BY 1
-- analyst: duration in minutes
SELECT encounterclass, round(avg(extract(epoch FROM (stop - start)) / 60)::numeric, 1) AS minutes FROM encounters GROUP BY 1 ORDER BY 1
-- analyst: zero coverage
SELECT count(*) FILTER (WHERE payer_coverage = 0)::numeric / count(*) AS share FROM encounters
-- analyst: most frequent procedures with cost
SELECT description, count(*) AS n, round(avg(base_cost), 2) AS avg_cost FROM procedures GROUP BY description ORDER BY n DESC, description LIMIT 10
-- analyst: claim cost by payer
SELECT p.name, round(avg(e.total_claim_cost), 2) FROM encounters e LEFT JOIN payers p ON e.payer = p.id GROUP BY p.name ORDER BY 2 DESC NULLS LAST, 1
-- analyst: unique patients each quarter
SELECT date_trunc('quarter', start) AS q, count(DISTINCT patient) FROM encounters GROUP BY q ORDER BY q
-- analyst: readmissions within thirty days
SELECT count(*) FROM (SELECT patient, start, stop, lag(stop) OVER (PARTITION BY patient ORDER BY start) AS prev FROM encounters WHERE encounterclass = 'inpatient') t WHERE start - prev < INTERVAL '30 days'
-- analyst: patients with most encounters
SELECT patient, count(*) AS n FROM encounters GROUP BY patient ORDER BY n DESC, patient LIMIT 5
-- analyst: names join --masked
SELECT p.first || ' ' || p.last AS name, count(e.id) FROM patients p JOIN encounters e ON e.patient = p.id GROUP BY p.id, p.first, p.last ORDER BY 2 DESC, p.id LIMIT 5
-- analyst: flu shots, full outreach query
WITH active_patients AS (SELECT DISTINCT patient FROM encounters AS e JOIN patients AS pat ON e.patient = pat.id WHERE start BETWEEN '2010-01-01 00:00' AND '2020-12-31 23:59' AND pat.deathdate IS NULL AND pat.birthdate < '2019-06-30'),
flu AS (SELECT patient, min(date) AS earliest_flu_shot FROM immunizations WHERE code = '140' GROUP BY patient)
SELECT pat.birthdate, pat.race, pat.county, pat.gender, flu.earliest_flu_shot, CASE WHEN flu.patient IS NOT NULL THEN 1 ELSE 0 END AS had_shot
FROM patients AS pat LEFT JOIN flu ON pat.id = flu.patient WHERE pat.id IN (SELECT patient FROM active_patients) ORDER BY 1, 2, 4, 5
-- analyst: conditions not pregnancy
SELECT description, count(*) FROM conditions WHERE description NOT ILIKE '%pregnan%' AND description != 'Body mass index 30+ - obesity (finding)' GROUP BY description HAVING count(*) > 3 ORDER BY 2 DESC, 1
-- analyst: active conditions
SELECT count(*) FROM conditions WHERE stop IS NULL
-- analyst: observations that are numbers
SELECT description, units, count(*), avg(value::numeric) FROM observations WHERE type = 'numeric' AND value ~ '^-?[0-9.]+$' GROUP BY 1, 2 ORDER BY 3 DESC, 1 LIMIT 20
-- analyst: body mass index by patient
SELECT o.patient, max(o.date) AS last_seen FROM observations o WHERE o.code = '39156-5' GROUP BY o.patient ORDER BY 1
-- analyst: medications per patient as a list
SELECT patient, string_agg(DISTINCT description, '; ' ORDER BY description) FROM medications GROUP BY patient ORDER BY patient LIMIT 10
-- analyst: medication spend with rollup
SELECT coalesce(reasondescription, 'none') AS reason, sum(totalcost) FROM medications GROUP BY ROLLUP (1) ORDER BY 2 DESC NULLS LAST, 1 LIMIT 20
-- analyst: days covered
SELECT patient, code, sum(extract(day FROM (coalesce(stop, start + interval '30 days') - start))) AS days FROM medications GROUP BY 1, 2 ORDER BY 3 DESC, 1, 2 LIMIT 20
-- analyst: allergies pivot
SELECT patient, bool_or(category = 'food') AS food, bool_or(category = 'medication') AS drug FROM allergies GROUP BY patient ORDER BY patient
-- analyst: care plans in force
SELECT c.description, count(*) FROM careplans c JOIN patients p ON p.id = c.patient WHERE (c.stop IS NULL OR c.stop > p.birthdate) GROUP BY 1 ORDER BY 2 DESC, 1
-- analyst: claims by status
SELECT status1, count(*), sum(outstanding1) FROM claims GROUP BY status1 ORDER BY 1
-- analyst: transactions by type
SELECT type, method, count(*), sum(amount), sum(payments) FROM claims_transactions GROUP BY 1, 2 ORDER BY 1, 2
-- analyst: claim to encounter
SELECT e.encounterclass, count(c.id), sum(t.amount) FROM claims c JOIN encounters e ON e.id = c.appointmentid JOIN claims_transactions t ON t.claimid = c.id GROUP BY 1 ORDER BY 1
-- analyst: payer transitions by year
SELECT start_year, count(DISTINCT patient), count(DISTINCT payer) FROM payer_transitions GROUP BY 1 ORDER BY 1
-- analyst: providers by speciality
SELECT speciality, gender, count(*) FROM providers GROUP BY CUBE (speciality, gender) ORDER BY 1 NULLS LAST, 2 NULLS LAST
-- analyst: organisations by state
SELECT state, count(*), sum(utilization) FROM organizations GROUP BY state ORDER BY 1
-- analyst: geography
SELECT county, city, left(zip, 3), count(*) FROM patients GROUP BY 1, 2, 3 ORDER BY 1, 2, 3
-- analyst: latest encounter per patient lateral
SELECT p.id, e.start, e.encounterclass FROM patients p LEFT JOIN LATERAL (SELECT * FROM encounters e WHERE e.patient = p.id ORDER BY e.start DESC, e.id LIMIT 1) e ON TRUE ORDER BY p.id
-- analyst: comorbidity pairs
SELECT a.code, b.code, count(DISTINCT a.patient) FROM conditions a JOIN conditions b ON a.patient = b.patient AND a.code < b.code GROUP BY 1, 2 ORDER BY 3 DESC, 1, 2 LIMIT 10
-- analyst: first diagnosis to first medication
SELECT c.patient, min(m.start)::date - min(c.start) AS days FROM conditions c JOIN medications m ON m.patient = c.patient GROUP BY c.patient ORDER BY 1
-- analyst: uuid equality
SELECT count(*) FROM encounters e WHERE e.patient = (SELECT id FROM patients ORDER BY birthdate, id LIMIT 1)
-- analyst: uuid constant
SELECT count(*) FROM encounters WHERE payer = 'b1c428d6-4f07-31e0-90f0-68ffa6ff8c76'::uuid
-- analyst: distinct count of pairs
SELECT count(DISTINCT (patient, code)) FROM conditions
-- analyst: reserved column names
SELECT "start", "stop", "date" FROM (SELECT start, stop, start::date AS date FROM encounters) x ORDER BY 1, 2 LIMIT 5
-- analyst: utilisation percentiles
SELECT encounterclass, percentile_disc(array[0.1, 0.5, 0.9]) WITHIN GROUP (ORDER BY total_claim_cost) FROM encounters GROUP BY 1 ORDER BY 1
-- analyst: year over year change
SELECT y, n, n - lag(n) OVER (ORDER BY y) AS diff, round(100.0 * (n - lag(n) OVER (ORDER BY y)) / lag(n) OVER (ORDER BY y), 1) AS pct FROM (SELECT extract(year FROM start) AS y, count(*) AS n FROM encounters GROUP BY 1) t ORDER BY y
-- analyst: pandas reading a table --masked
SELECT * FROM patients ORDER BY birthdate, id
-- analyst: pandas reading a chunk
SELECT id, start, stop, patient, encounterclass, code FROM encounters ORDER BY start, id LIMIT 100
-- analyst: supplies and devices
SELECT 'device' AS kind, description, count(*) FROM devices GROUP BY description UNION ALL SELECT 'supply', description, sum(quantity) FROM supplies GROUP BY description ORDER BY 1, 2
-- analyst: imaging
SELECT modality_code, bodysite_description, count(*) FROM imaging_studies GROUP BY 1, 2 ORDER BY 1, 2
-- analyst: to_char of money
SELECT to_char(sum(total_claim_cost), 'FM999,999,999.00'), to_char(max(start), 'YYYY"Q"Q') FROM encounters
-- analyst: temporary cohort
CREATE TEMPORARY TABLE diabetics ON COMMIT PRESERVE ROWS AS SELECT DISTINCT patient FROM conditions WHERE description ILIKE '%diabet%'
-- then
SELECT count(*) FROM encounters JOIN diabetics USING (patient)
-- then
CREATE TEMP TABLE features (patient uuid, name text, value double precision)
-- then
INSERT INTO features SELECT patient, 'encounters', count(*) FROM encounters GROUP BY patient
-- then
INSERT INTO features SELECT patient, 'cost', sum(total_claim_cost) FROM encounters GROUP BY patient
-- then
SELECT name, count(*), round(avg(value)::numeric, 2) FROM features GROUP BY name ORDER BY name
