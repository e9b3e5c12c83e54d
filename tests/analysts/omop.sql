-- What analysts ask of an OMOP CDM: characterisation, cohorts, quality checks, covariates.
-- analyst: count of persons
SELECT count(*) FROM person
-- analyst: persons by gender
SELECT c.concept_name AS gender, count(*) AS n, round(100.0 * count(*) / sum(count(*)) OVER (), 2) AS pct
FROM person p LEFT JOIN concept c ON c.concept_id = p.gender_concept_id
GROUP BY c.concept_name ORDER BY n DESC, 1
-- analyst: persons by decade of birth
SELECT (year_of_birth / 10) * 10 AS decade, count(*) FROM person GROUP BY 1 ORDER BY 1
-- analyst: birth year as a number in SQL Server style
SELECT p.year_of_birth AS stratum_1, COUNT(p.person_id) AS count_value FROM person p GROUP BY p.YEAR_OF_BIRTH ORDER BY 1
-- analyst: rows by gender race and ethnicity with grouping sets
SELECT gender_concept_id, race_concept_id, ethnicity_concept_id, grouping(gender_concept_id, race_concept_id) AS g, count(*)
FROM person GROUP BY GROUPING SETS ((gender_concept_id), (race_concept_id, ethnicity_concept_id), ()) ORDER BY 4, 1, 2, 3
-- analyst: rollup of visits
SELECT visit_concept_id, EXTRACT(YEAR FROM visit_start_date) AS y, count(*), count(DISTINCT person_id)
FROM visit_occurrence GROUP BY ROLLUP (visit_concept_id, 2) ORDER BY 1 NULLS LAST, 2 NULLS LAST
-- analyst: cube
SELECT gender_concept_id, race_concept_id, count(*) FROM person GROUP BY CUBE (1, 2) ORDER BY 1 NULLS FIRST, 2 NULLS FIRST
-- analyst: age at first observation, distribution by self join
WITH rawData (person_id, age_value) AS (
  SELECT p.person_id, MIN(EXTRACT(YEAR FROM observation_period_start_date)) - P.YEAR_OF_BIRTH AS age_value
  FROM PERSON p JOIN OBSERVATION_PERIOD op ON p.person_id = op.person_id GROUP BY p.person_id, p.year_of_birth
), overallStats (avg_value, stdev_value, min_value, max_value, total) AS (
  SELECT CAST(avg(1.0 * age_value) AS NUMERIC), CAST(STDDEV(age_value) AS NUMERIC), min(age_value), max(age_value), COUNT(*) FROM rawData
), ageStats (age_value, total, rn) AS (
  SELECT age_value, COUNT(*) AS total, row_number() OVER (ORDER BY age_value) AS rn FROM rawData GROUP BY age_value
), ageStatsPrior (age_value, total, accumulated) AS (
  SELECT s.age_value, s.total, sum(p.total) AS accumulated FROM ageStats s JOIN ageStats p ON p.rn <= s.rn GROUP BY s.age_value, s.total, s.rn
)
SELECT 103 AS analysis_id, o.total AS count_value, o.min_value, o.max_value, o.avg_value, o.stdev_value,
  MIN(CASE WHEN p.accumulated >= .50 * o.total THEN age_value END) AS median_value,
  MIN(CASE WHEN p.accumulated >= .10 * o.total THEN age_value END) AS p10_value,
  MIN(CASE WHEN p.accumulated >= .90 * o.total THEN age_value END) AS p90_value
FROM ageStatsPrior p CROSS JOIN overallStats o GROUP BY o.total, o.min_value, o.max_value, o.avg_value, o.stdev_value
-- analyst: observation length in 30 day bins
SELECT FLOOR((op.observation_period_end_date - op.observation_period_start_date) / 30)::int AS bin, count(DISTINCT op.person_id)
FROM observation_period op GROUP BY 1 ORDER BY 1
-- analyst: persons with continuous observation in each month
SELECT to_char(m, 'YYYY-MM') AS month, count(DISTINCT op.person_id)
FROM generate_series(DATE '2005-01-01', DATE '2006-12-01', INTERVAL '1 month') AS m
LEFT JOIN observation_period op ON op.observation_period_start_date <= m AND op.observation_period_end_date >= m + INTERVAL '1 month' - INTERVAL '1 day'
GROUP BY 1 ORDER BY 1
-- analyst: calendar with left join lateral
SELECT d::date AS day, x.n FROM generate_series('2008-01-01'::date, '2008-02-01', '1 day') d
LEFT JOIN LATERAL (SELECT count(*) AS n FROM condition_occurrence co WHERE co.condition_start_date = d) x ON true ORDER BY 1
-- analyst: date from parts
SELECT make_date(year_of_birth, coalesce(month_of_birth, 7), coalesce(day_of_birth, 1)) AS born, count(*) FROM person GROUP BY 1 ORDER BY 1 LIMIT 50
-- analyst: sqlrender date from parts
SELECT TO_DATE(TO_CHAR(year_of_birth,'0000')||'-'||TO_CHAR(1,'00')||'-'||TO_CHAR(1,'00'), 'YYYY-MM-DD') AS d, count(*) FROM person GROUP BY 1 ORDER BY 1 LIMIT 20
-- analyst: sqlrender dateadd and datediff
SELECT co.person_id, (co.condition_start_date + 30*INTERVAL'1 day') AS plus30, (CAST(op.observation_period_end_date AS DATE) - CAST(co.condition_start_date AS DATE)) AS days
FROM condition_occurrence co JOIN observation_period op ON op.person_id = co.person_id
WHERE co.condition_start_date BETWEEN op.observation_period_start_date AND op.observation_period_end_date
ORDER BY 1, 2, 3 LIMIT 100
-- analyst: eomonth and dateadd month as SqlRender writes them
SELECT (DATE_TRUNC('MONTH', condition_start_date) + INTERVAL '1 MONTH - 1 day')::DATE AS eom, count(*) FROM condition_occurrence GROUP BY 1 ORDER BY 1 LIMIT 40
-- analyst: isnumeric as SqlRender writes it --masked
SELECT count(*) FROM observation WHERE (CASE WHEN (CAST(value_as_string AS VARCHAR) ~ '^([0-9]+\.?[0-9]*|\.[0-9]+)$') THEN 1 ELSE 0 END) = 1
-- analyst: top conditions
SELECT c.concept_id, c.concept_name, count(*) AS records, count(DISTINCT co.person_id) AS persons
FROM condition_occurrence co JOIN concept c ON c.concept_id = co.condition_concept_id
WHERE c.standard_concept = 'S' OR c.standard_concept IS NULL
GROUP BY c.concept_id, c.concept_name HAVING count(*) > 5 ORDER BY records DESC, 1 LIMIT 25
-- analyst: descendants of an ancestor concept
SELECT count(*), count(DISTINCT co.person_id) FROM condition_occurrence co
JOIN concept_ancestor ca ON ca.descendant_concept_id = co.condition_concept_id WHERE ca.ancestor_concept_id = 4027663
-- analyst: concept search by name
SELECT concept_id, concept_name, domain_id, vocabulary_id, concept_class_id, concept_code FROM concept
WHERE lower(concept_name) LIKE '%sinus%' AND invalid_reason IS NULL ORDER BY concept_id
-- analyst: concept search ignoring case
SELECT concept_id, concept_name FROM concept WHERE concept_name ILIKE 'acute %' AND domain_id IN ('Condition', 'Drug') ORDER BY 2
-- analyst: concept synonyms and relations
SELECT c.concept_name, r.relationship_id, c2.concept_name AS other FROM concept c
JOIN concept_relationship r ON r.concept_id_1 = c.concept_id JOIN concept c2 ON c2.concept_id = r.concept_id_2
WHERE CURRENT_DATE BETWEEN r.valid_start_date AND r.valid_end_date ORDER BY 1, 2, 3 LIMIT 50
-- analyst: regular expression on a source code
SELECT condition_source_value, count(*) FROM condition_occurrence WHERE condition_source_value ~ '^[0-9]+$' GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT 20
-- analyst: regexp_replace and split_part
SELECT split_part(concept_name, ' ', 1) AS w, regexp_replace(lower(split_part(concept_name, ' ', 2)), '[^a-z]', '', 'g') AS v, count(*)
FROM concept GROUP BY 1, 2 ORDER BY 3 DESC, 1, 2 LIMIT 20
-- analyst: first condition per person by row_number
SELECT person_id, condition_concept_id, condition_start_date FROM (
  SELECT co.*, row_number() OVER (PARTITION BY co.person_id ORDER BY co.condition_start_date, co.condition_occurrence_id) AS rn
  FROM condition_occurrence co) t WHERE rn = 1 ORDER BY 1, 2, 3 LIMIT 200
-- analyst: first condition per person by distinct on
SELECT DISTINCT ON (person_id) person_id, condition_concept_id, condition_start_date
FROM condition_occurrence ORDER BY person_id, condition_start_date, condition_occurrence_id LIMIT 200
-- analyst: lag and lead over visits
SELECT person_id, visit_start_date, lag(visit_end_date) OVER w AS previous_end, visit_start_date - lag(visit_end_date) OVER w AS gap,
  lead(visit_concept_id) OVER w AS next_kind
FROM visit_occurrence WINDOW w AS (PARTITION BY person_id ORDER BY visit_start_date, visit_occurrence_id) ORDER BY person_id, visit_start_date, gap LIMIT 200
-- analyst: thirty day readmission
WITH v AS (
  SELECT person_id, visit_occurrence_id, visit_start_date, visit_end_date,
    lead(visit_start_date) OVER (PARTITION BY person_id ORDER BY visit_start_date, visit_occurrence_id) AS next_start
  FROM visit_occurrence WHERE visit_concept_id IN (9201, 262, 9202, 9203))
SELECT count(*) AS index_stays, count(*) FILTER (WHERE next_start - visit_end_date BETWEEN 0 AND 30) AS readmitted,
  round(avg(CASE WHEN next_start - visit_end_date BETWEEN 0 AND 30 THEN 1.0 ELSE 0 END), 4) AS rate FROM v
-- analyst: length of stay percentiles
SELECT visit_concept_id, percentile_cont(0.5) WITHIN GROUP (ORDER BY visit_end_date - visit_start_date) AS median,
  percentile_cont(ARRAY[0.25, 0.75]) WITHIN GROUP (ORDER BY visit_end_date - visit_start_date) AS iqr,
  percentile_disc(0.9) WITHIN GROUP (ORDER BY visit_end_date - visit_start_date) AS p90, mode() WITHIN GROUP (ORDER BY visit_end_date - visit_start_date)
FROM visit_occurrence GROUP BY visit_concept_id ORDER BY 1
-- analyst: measurement statistics
SELECT measurement_concept_id, unit_concept_id, count(*), min(value_as_number), max(value_as_number), round(avg(value_as_number)::numeric, 3),
  round(stddev_samp(value_as_number)::numeric, 3), percentile_cont(0.5) WITHIN GROUP (ORDER BY value_as_number)
FROM measurement WHERE value_as_number IS NOT NULL GROUP BY 1, 2 ORDER BY 3 DESC, 1, 2 LIMIT 30
-- analyst: histogram by width_bucket
SELECT width_bucket(value_as_number::numeric, 0, 200, 20) AS b, count(*), repeat('*', least(count(*), 50)::int) AS bar
FROM measurement WHERE value_as_number BETWEEN 0 AND 200 GROUP BY 1 ORDER BY 1
-- analyst: out of range by case
SELECT measurement_concept_id, sum(CASE WHEN value_as_number < range_low THEN 1 ELSE 0 END) AS low,
  sum(CASE WHEN value_as_number > range_high THEN 1 ELSE 0 END) AS high FROM measurement GROUP BY measurement_concept_id ORDER BY 1
-- analyst: crosstab by case
SELECT EXTRACT(YEAR FROM condition_start_date)::int AS y,
  count(*) FILTER (WHERE p.gender_concept_id = 8507) AS men, count(*) FILTER (WHERE p.gender_concept_id = 8532) AS women
FROM condition_occurrence co JOIN person p USING (person_id) GROUP BY 1 ORDER BY 1
-- analyst: incidence by age group
SELECT CASE WHEN age < 18 THEN '0-17' WHEN age BETWEEN 18 AND 64 THEN '18-64' ELSE '65+' END AS age_group, count(*) FROM (
  SELECT EXTRACT(YEAR FROM co.condition_start_date) - p.year_of_birth AS age FROM condition_occurrence co JOIN person p ON p.person_id = co.person_id) a
GROUP BY age_group ORDER BY age_group
-- analyst: age in years by age()
SELECT date_part('year', age(DATE '2020-01-01', birth_datetime)) AS years, count(*) FROM person GROUP BY 1 ORDER BY 1
-- analyst: seasonality
SELECT to_char(condition_start_date, 'Mon') AS m, EXTRACT(MONTH FROM condition_start_date) AS n, EXTRACT(DOW FROM condition_start_date) AS dow, count(*)
FROM condition_occurrence GROUP BY 1, 2, 3 ORDER BY 2, 3
-- analyst: weeks
SELECT date_trunc('week', condition_start_date)::date AS week, count(*), sum(count(*)) OVER (ORDER BY date_trunc('week', condition_start_date)) AS running
FROM condition_occurrence WHERE condition_start_date >= '2010-01-01' AND condition_start_date < '2011-01-01' GROUP BY date_trunc('week', condition_start_date) ORDER BY 1
-- analyst: moving average
SELECT m, n, avg(n) OVER (ORDER BY m ROWS BETWEEN 2 PRECEDING AND CURRENT ROW) AS moving, first_value(n) OVER (ORDER BY m) AS base,
  ntile(4) OVER (ORDER BY n, m), rank() OVER (ORDER BY n DESC), dense_rank() OVER (ORDER BY n), percent_rank() OVER (ORDER BY n), cume_dist() OVER (ORDER BY n)
FROM (SELECT date_trunc('month', drug_exposure_start_date) AS m, count(*) AS n FROM drug_exposure GROUP BY 1) t ORDER BY m
-- analyst: range window with interval
SELECT person_id, drug_exposure_start_date, count(*) OVER (PARTITION BY person_id ORDER BY drug_exposure_start_date RANGE BETWEEN INTERVAL '90 days' PRECEDING AND CURRENT ROW) AS last90
FROM drug_exposure ORDER BY 1, 2, 3 LIMIT 100
-- analyst: drug eras by gaps and islands
WITH e AS (
  SELECT person_id, drug_concept_id, drug_exposure_start_date AS s,
    COALESCE(drug_exposure_end_date, drug_exposure_start_date + COALESCE(days_supply, 1)) AS f FROM drug_exposure),
n AS (SELECT e.*, CASE WHEN s <= max(f) OVER (PARTITION BY person_id, drug_concept_id ORDER BY s, f ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) + 30 THEN 0 ELSE 1 END AS fresh FROM e),
g AS (SELECT n.*, sum(fresh) OVER (PARTITION BY person_id, drug_concept_id ORDER BY s, f ROWS UNBOUNDED PRECEDING) AS era FROM n)
SELECT person_id, drug_concept_id, min(s) AS era_start, max(f) AS era_end, count(*) FROM g GROUP BY person_id, drug_concept_id, era ORDER BY 1, 2, 3, 4 LIMIT 200
-- analyst: eras by event ordinals as cohort definitions collapse them
WITH cteEndDates (person_id, end_date) AS (
  SELECT person_id, event_date - 30 AS end_date FROM (
    SELECT person_id, event_date, event_type, MAX(start_ordinal) OVER (PARTITION BY person_id ORDER BY event_date, event_type, start_ordinal ROWS UNBOUNDED PRECEDING) AS start_ordinal,
      ROW_NUMBER() OVER (PARTITION BY person_id ORDER BY event_date, event_type, start_ordinal) AS overall_ord
    FROM (
      SELECT person_id, condition_start_date AS event_date, -1 AS event_type, ROW_NUMBER() OVER (PARTITION BY person_id ORDER BY condition_start_date) AS start_ordinal FROM condition_occurrence
      UNION ALL
      SELECT person_id, COALESCE(condition_end_date, condition_start_date) + 30, 1 AS event_type, NULL FROM condition_occurrence
    ) RAWDATA ) e
  WHERE (2 * e.start_ordinal) - e.overall_ord = 0)
SELECT person_id, count(*) FROM cteEndDates GROUP BY person_id ORDER BY person_id LIMIT 100
-- analyst: new users with a washout
SELECT x.drug_concept_id, count(DISTINCT x.person_id) FROM (
  SELECT de.person_id, de.drug_concept_id, min(de.drug_exposure_start_date) AS first_use FROM drug_exposure de GROUP BY 1, 2) x
JOIN observation_period op ON op.person_id = x.person_id AND x.first_use >= op.observation_period_start_date + INTERVAL '365 days' AND x.first_use <= op.observation_period_end_date
GROUP BY x.drug_concept_id ORDER BY 2 DESC, 1 LIMIT 20
-- analyst: cohort with exclusion by not exists
SELECT count(*) FROM person p WHERE EXISTS (SELECT 1 FROM condition_occurrence co WHERE co.person_id = p.person_id AND co.condition_concept_id = 40481087)
  AND NOT EXISTS (SELECT 1 FROM drug_exposure de WHERE de.person_id = p.person_id AND de.drug_concept_id = 1118084)
-- analyst: cohort by in and not in
SELECT gender_concept_id, count(*) FROM person WHERE person_id IN (SELECT person_id FROM drug_exposure) AND person_id NOT IN (SELECT person_id FROM death) GROUP BY 1 ORDER BY 1
-- analyst: set operations over person keys
SELECT count(*) FROM ((SELECT person_id FROM condition_occurrence INTERSECT SELECT person_id FROM drug_exposure) EXCEPT SELECT person_id FROM procedure_occurrence) k
-- analyst: union of domains with labels
SELECT 'condition' AS domain, count(*) AS n, min(condition_start_date) AS first, max(condition_start_date) AS last FROM condition_occurrence
UNION ALL SELECT 'drug', count(*), min(drug_exposure_start_date), max(drug_exposure_start_date) FROM drug_exposure
UNION ALL SELECT 'procedure', count(*), min(procedure_date), max(procedure_date) FROM procedure_occurrence
UNION ALL SELECT 'measurement', count(*), min(measurement_date), max(measurement_date) FROM measurement ORDER BY 1
-- analyst: rows outside observation
SELECT count(*) FROM condition_occurrence co LEFT JOIN observation_period op ON op.person_id = co.person_id
  AND co.condition_start_date >= op.observation_period_start_date AND co.condition_start_date <= op.observation_period_end_date WHERE op.person_id IS NULL
-- analyst: orphan keys
SELECT 'condition_occurrence.visit_occurrence_id' AS field, count(*) FROM condition_occurrence co WHERE co.visit_occurrence_id IS NOT NULL
  AND NOT EXISTS (SELECT FROM visit_occurrence v WHERE v.visit_occurrence_id = co.visit_occurrence_id)
-- analyst: completeness of columns --masked
SELECT count(*) AS n, count(race_concept_id) AS race, 100.0 * count(person_source_value) / count(*) AS source_pct, count(location_id), bool_or(day_of_birth IS NULL), every(year_of_birth > 1900) FROM person
-- analyst: plausible dates
SELECT count(*) FROM visit_occurrence WHERE visit_end_date < visit_start_date OR visit_start_date > CURRENT_DATE OR visit_start_date < DATE '1900-01-01'
-- analyst: death before birth
SELECT d.person_id, d.death_date, p.year_of_birth FROM death d JOIN person p ON p.person_id = d.person_id WHERE EXTRACT(YEAR FROM d.death_date) < p.year_of_birth ORDER BY 1
-- analyst: survival days
SELECT p.person_id, d.death_date - min(co.condition_start_date) AS days FROM person p JOIN death d ON d.person_id = p.person_id
JOIN condition_occurrence co ON co.person_id = p.person_id GROUP BY p.person_id, d.death_date ORDER BY 2, 1 LIMIT 50
-- analyst: time to event in months
SELECT round(EXTRACT(EPOCH FROM (max(drug_exposure_start_date)::timestamp - min(drug_exposure_start_date)::timestamp)) / 2629746) AS months, person_id FROM drug_exposure GROUP BY person_id ORDER BY 2 LIMIT 50
-- analyst: justified age interval
SELECT person_id, age(max(condition_start_date), min(condition_start_date)) AS span, justify_days(max(condition_start_date)::timestamp - min(condition_start_date)::timestamp) FROM condition_occurrence GROUP BY person_id ORDER BY 1 LIMIT 30
-- analyst: polypharmacy
SELECT n_drugs, count(*) FROM (SELECT person_id, count(DISTINCT drug_concept_id) AS n_drugs FROM drug_era GROUP BY person_id) t GROUP BY n_drugs ORDER BY n_drugs
-- analyst: drugs taken together
SELECT a.drug_concept_id, b.drug_concept_id AS other, count(DISTINCT a.person_id) FROM drug_era a JOIN drug_era b ON a.person_id = b.person_id AND a.drug_concept_id < b.drug_concept_id
  AND (a.drug_era_start_date, a.drug_era_end_date) OVERLAPS (b.drug_era_start_date, b.drug_era_end_date)
GROUP BY 1, 2 ORDER BY 3 DESC, 1, 2 LIMIT 20
-- analyst: sequence of treatments
SELECT path, count(*) FROM (SELECT person_id, string_agg(drug_concept_id::text, '>' ORDER BY first_use, drug_concept_id) AS path FROM (
  SELECT person_id, drug_concept_id, min(drug_era_start_date) AS first_use, row_number() OVER (PARTITION BY person_id ORDER BY min(drug_era_start_date), drug_concept_id) AS k FROM drug_era GROUP BY 1, 2) f
  WHERE k <= 3 GROUP BY person_id) p GROUP BY path ORDER BY 2 DESC, 1 LIMIT 20
-- analyst: array_agg and unnest
SELECT u.c, count(*) FROM (SELECT person_id, array_agg(DISTINCT condition_concept_id) AS cs FROM condition_occurrence GROUP BY 1) x CROSS JOIN LATERAL unnest(x.cs) AS u(c) GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT 20
-- analyst: array operators
SELECT count(*) FROM (SELECT array_agg(condition_concept_id) AS cs FROM condition_occurrence GROUP BY person_id) x WHERE cs @> ARRAY[40481087] AND NOT cs && ARRAY[4329847, 192671] AND cardinality(cs) > 3
-- analyst: json of a person
SELECT json_build_object('person', p.person_id, 'born', p.year_of_birth, 'conditions', (SELECT json_agg(json_build_object('c', co.condition_concept_id, 'd', co.condition_start_date) ORDER BY co.condition_start_date, co.condition_occurrence_id)
  FROM condition_occurrence co WHERE co.person_id = p.person_id)) FROM person p ORDER BY p.person_id LIMIT 5
-- analyst: rows as json
SELECT row_to_json(t) FROM (SELECT visit_concept_id, count(*) FROM visit_occurrence GROUP BY 1 ORDER BY 1) t
-- analyst: jsonb object aggregate
SELECT jsonb_object_agg(gender_concept_id, n ORDER BY gender_concept_id) FROM (SELECT gender_concept_id, count(*) AS n FROM person GROUP BY 1) t
-- analyst: lateral top three
SELECT p.person_id, t.* FROM (SELECT person_id FROM person ORDER BY person_id LIMIT 20) p
CROSS JOIN LATERAL (SELECT condition_concept_id, condition_start_date FROM condition_occurrence co WHERE co.person_id = p.person_id ORDER BY condition_start_date DESC, condition_occurrence_id LIMIT 3) t ORDER BY 1, 3, 2
-- analyst: recursive walk up the concept hierarchy
WITH RECURSIVE up AS (
  SELECT descendant_concept_id AS id, ancestor_concept_id AS parent, 1 AS depth FROM concept_ancestor WHERE descendant_concept_id = 40481087 AND min_levels_of_separation = 1
  UNION SELECT a.descendant_concept_id, a.ancestor_concept_id, up.depth + 1 FROM concept_ancestor a JOIN up ON a.descendant_concept_id = up.parent WHERE a.min_levels_of_separation = 1 AND up.depth < 8)
SELECT depth, count(DISTINCT parent) FROM up GROUP BY depth ORDER BY depth
-- analyst: values list as a code set
WITH codes (id, label) AS (VALUES (40481087, 'viral sinusitis'), (4112343, 'pharyngitis'), (260139, 'bronchitis'))
SELECT label, count(DISTINCT person_id) FROM codes LEFT JOIN condition_occurrence ON condition_concept_id = id GROUP BY label ORDER BY label
-- analyst: any of an array
SELECT condition_concept_id, count(*) FROM condition_occurrence WHERE condition_concept_id = ANY ('{40481087,4112343,260139}'::int[]) GROUP BY 1 ORDER BY 1
-- analyst: scalar subquery in the select list
SELECT v.visit_occurrence_id, (SELECT count(*) FROM condition_occurrence co WHERE co.visit_occurrence_id = v.visit_occurrence_id) AS conditions,
  (SELECT max(death_date) FROM death d WHERE d.person_id = v.person_id) AS died FROM visit_occurrence v ORDER BY v.visit_start_date, v.visit_occurrence_id LIMIT 50
-- analyst: every column by star
SELECT * FROM condition_era ORDER BY condition_era_start_date, condition_era_id LIMIT 20
-- analyst: person by star --masked
SELECT p.* FROM person p ORDER BY p.year_of_birth, p.gender_concept_id, p.person_id LIMIT 20
-- analyst: star of a join --masked
SELECT * FROM death d NATURAL JOIN person p ORDER BY d.death_date, p.person_id LIMIT 5
-- analyst: full join of domains by year
SELECT coalesce(a.y, b.y) AS y, a.n AS conditions, b.n AS drugs FROM (SELECT date_part('year', condition_start_date) AS y, count(*) AS n FROM condition_occurrence GROUP BY 1) a
FULL OUTER JOIN (SELECT date_part('year', drug_exposure_start_date) AS y, count(*) AS n FROM drug_exposure GROUP BY 1) b ON a.y = b.y ORDER BY 1
-- analyst: providers by specialty
SELECT specialty_source_value, count(*) FROM provider GROUP BY 1 ORDER BY 2 DESC, 1
-- analyst: place of service
SELECT cs.place_of_service_concept_id, count(DISTINCT p.person_id) FROM care_site cs LEFT JOIN person p ON p.care_site_id = cs.care_site_id GROUP BY 1 ORDER BY 2 DESC, 1
-- analyst: by state and zip3
SELECT l.state, left(l.zip, 3) AS zip3, count(*) FROM location l JOIN person p ON p.location_id = l.location_id GROUP BY 1, 2 ORDER BY 1, 2
-- analyst: cost by visit type
SELECT v.visit_concept_id, sum(c.total_paid) AS paid, round(avg(c.total_charge)::numeric, 2) AS mean_charge FROM cost c JOIN visit_occurrence v ON v.visit_occurrence_id = c.cost_event_id AND c.cost_domain_id = 'Visit' GROUP BY 1 ORDER BY 1
-- analyst: cost per member per month
SELECT date_trunc('month', de.drug_exposure_start_date) AS m, round(sum(c.total_paid)::numeric / nullif(count(DISTINCT de.person_id), 0), 2) FROM cost c JOIN drug_exposure de ON de.drug_exposure_id = c.cost_event_id AND c.cost_domain_id = 'Drug' GROUP BY 1 ORDER BY 1 LIMIT 40
-- analyst: payer plans
SELECT payer_source_value, plan_source_value, count(DISTINCT person_id), avg(payer_plan_period_end_date - payer_plan_period_start_date) FROM payer_plan_period GROUP BY 1, 2 ORDER BY 3 DESC, 1, 2
-- analyst: notes by type and length --masked
SELECT note_type_concept_id, date_part('year', note_date), count(*), avg(length(note_text)) FROM note GROUP BY 1, 2 ORDER BY 1, 2
-- analyst: text search in notes --masked
SELECT count(*) FROM note WHERE to_tsvector('english', note_text) @@ plainto_tsquery('english', 'chest pain')
-- analyst: text search in unmasked names
SELECT concept_id FROM concept WHERE to_tsvector('english', concept_name) @@ to_tsquery('english', 'acute & bronchitis') ORDER BY 1
-- analyst: note concepts
SELECT n.note_nlp_concept_id, n.term_exists, n.nlp_system, count(DISTINCT nt.person_id) FROM note_nlp n JOIN note nt ON nt.note_id = n.note_id GROUP BY 1, 2, 3 ORDER BY 4 DESC, 1
-- analyst: quoted column names
SELECT n."offset", "note_nlp_id" FROM note_nlp n ORDER BY 2, 1 LIMIT 5
-- analyst: facts
SELECT f.relationship_concept_id, f.domain_concept_id_1, f.domain_concept_id_2, count(*) FROM fact_relationship f GROUP BY 1, 2, 3 ORDER BY 1, 2, 3
-- analyst: facts joined to their events
SELECT m.measurement_concept_id, co.condition_concept_id, count(*) FROM fact_relationship f JOIN measurement m ON f.domain_concept_id_1 = 21 AND m.measurement_id = f.fact_id_1
JOIN condition_occurrence co ON f.domain_concept_id_2 = 19 AND co.condition_occurrence_id = f.fact_id_2 GROUP BY 1, 2 ORDER BY 3 DESC, 1, 2 LIMIT 20
-- analyst: episodes and their events
SELECT e.episode_concept_id, count(DISTINCT e.episode_id), count(ee.event_id) FROM episode e LEFT JOIN episode_event ee ON ee.episode_id = e.episode_id GROUP BY 1 ORDER BY 1
-- analyst: cohort table joined to the population
SELECT c.cohort_definition_id, count(*), count(DISTINCT c.subject_id), avg(c.cohort_end_date - c.cohort_start_date)::numeric(10,2) FROM cohort c JOIN person p ON p.person_id = c.subject_id GROUP BY 1 ORDER BY 1
-- analyst: covariates around an index date
SELECT CAST(co.condition_concept_id AS BIGINT) * 1000 + 102 AS covariate_id, count(DISTINCT c.subject_id) AS sum_value FROM cohort c
JOIN condition_occurrence co ON co.person_id = c.subject_id AND co.condition_start_date <= (c.cohort_start_date + 0*INTERVAL'1 day') AND co.condition_start_date >= (c.cohort_start_date + -365*INTERVAL'1 day')
WHERE co.condition_concept_id != 0 GROUP BY co.condition_concept_id ORDER BY 2 DESC, 1 LIMIT 25
-- analyst: follow-up buckets
SELECT CASE WHEN d < 30 THEN '<30' WHEN d < 180 THEN '30-179' WHEN d < 365 THEN '180-364' ELSE '1y+' END AS follow_up, count(*) FROM (
 SELECT op.observation_period_end_date - c.cohort_start_date AS d FROM cohort c JOIN observation_period op ON op.person_id = c.subject_id AND c.cohort_start_date BETWEEN op.observation_period_start_date AND op.observation_period_end_date) t GROUP BY 1 ORDER BY 1
-- analyst: overlaps of date ranges
SELECT count(*) FROM drug_era a JOIN condition_era b ON a.person_id = b.person_id AND daterange(a.drug_era_start_date, a.drug_era_end_date, '[]') && daterange(b.condition_era_start_date, b.condition_era_end_date, '[]')
-- analyst: a range aggregate
SELECT person_id, range_agg(daterange(drug_era_start_date, drug_era_end_date, '[]')) FROM drug_era GROUP BY person_id ORDER BY person_id LIMIT 10
-- analyst: correlation and regression
SELECT corr(value_as_number, EXTRACT(YEAR FROM measurement_date)), regr_slope(value_as_number, EXTRACT(EPOCH FROM measurement_date)), covar_pop(value_as_number, measurement_concept_id) IS NULL FROM measurement WHERE value_as_number IS NOT NULL
-- analyst: z scores
SELECT measurement_id, round(((value_as_number - avg(value_as_number) OVER w) / nullif(stddev(value_as_number) OVER w, 0))::numeric, 2) AS z FROM measurement WINDOW w AS (PARTITION BY measurement_concept_id) ORDER BY 2 NULLS LAST, 1 LIMIT 50
-- analyst: latest value before a date
SELECT DISTINCT ON (m.person_id, m.measurement_concept_id) m.person_id, m.measurement_concept_id, m.value_as_number FROM measurement m WHERE m.measurement_date < DATE '2010-01-01' ORDER BY m.person_id, m.measurement_concept_id, m.measurement_date DESC, m.measurement_id LIMIT 50
-- analyst: pivot of latest values
SELECT person_id, max(value_as_number) FILTER (WHERE measurement_concept_id = 3038553) AS bmi, max(value_as_number) FILTER (WHERE measurement_concept_id = 3004249) AS sbp, max(CASE measurement_concept_id WHEN 3012888 THEN value_as_number END) AS dbp FROM measurement GROUP BY person_id ORDER BY 1 LIMIT 50
-- analyst: charlson weights by case
SELECT person_id, sum(weight) FROM (SELECT DISTINCT person_id, CASE condition_concept_id WHEN 192671 THEN 1 WHEN 4329847 THEN 2 ELSE 0 END AS weight FROM condition_era) w GROUP BY 1 HAVING sum(weight) > 0 ORDER BY 2 DESC, 1 LIMIT 20
-- analyst: sample by hash
SELECT count(*) FROM person WHERE abs(hashtext(gender_source_value)) % 10 < 5
-- analyst: sample by md5
SELECT person_id FROM person ORDER BY md5(race_concept_id::text || gender_concept_id::text), person_id LIMIT 10
-- analyst: a page of rows
SELECT person_id, year_of_birth FROM person ORDER BY person_id OFFSET 20 ROWS FETCH FIRST 10 ROWS ONLY
-- analyst: limit with ties
SELECT condition_concept_id, count(*) FROM condition_occurrence GROUP BY 1 ORDER BY 2 DESC FETCH FIRST 5 ROWS WITH TIES
-- analyst: dbplyr's quoting
SELECT "gender_concept_id", COUNT(*) AS "n" FROM (SELECT "LHS"."person_id" AS "person_id", "gender_concept_id" FROM "person" AS "LHS" INNER JOIN (SELECT DISTINCT "person_id" FROM "drug_exposure") AS "RHS" ON ("LHS"."person_id" = "RHS"."person_id")) AS "q01" GROUP BY "gender_concept_id" ORDER BY "n" DESC
-- analyst: dbplyr's empty probe
SELECT * FROM (SELECT * FROM "person") AS "q02" WHERE (0 = 1)
-- analyst: dbplyr's head --masked
SELECT "person".*, CASE WHEN ("year_of_birth" > 1960.0) THEN 'young' WHEN NOT ("year_of_birth" > 1960.0) THEN 'old' END AS "cohort" FROM "person" ORDER BY "person_id" LIMIT 6
-- analyst: sqlalchemy's labels
SELECT person.person_id AS person_person_id, person.year_of_birth AS person_year_of_birth, anon_1.n AS anon_1_n FROM person JOIN (SELECT visit_occurrence.person_id AS person_id, count(visit_occurrence.visit_occurrence_id) AS n FROM visit_occurrence GROUP BY visit_occurrence.person_id) AS anon_1 ON person.person_id = anon_1.person_id ORDER BY person.person_id LIMIT 10
-- analyst: a derived table without alias columns
SELECT sum(x.column1 * x.column2) FROM (VALUES (1, 2), (3, 4)) x
-- analyst: explain of a query --masked
EXPLAIN SELECT count(*) FROM concept WHERE domain_id = 'Drug'
-- analyst: casts of every kind
SELECT person_id::text, CAST(year_of_birth AS VARCHAR(4)), year_of_birth::numeric(6,1), '2020-01-01'::date - 1, int4(3.7), date '2020-02-29' + 1, interval '1 year 2 months', '{1,2}'::int[], 'a'::char(3), true::int FROM person ORDER BY person_id LIMIT 3
-- analyst: nulls and defaults
SELECT coalesce(nullif(trim(gender_source_value), ''), 'unknown'), greatest(year_of_birth, 1950), least(month_of_birth, 6), year_of_birth IS DISTINCT FROM 1950, num_nulls(day_of_birth, month_of_birth) FROM person ORDER BY person_id LIMIT 20
-- analyst: concat and format
SELECT concat_ws('-', year_of_birth, gender_concept_id), format('%s/%s', gender_concept_id, race_concept_id), lpad(year_of_birth::text, 6, '0'), initcap('a b'), position('a' IN gender_source_value), overlay('abc' PLACING 'x' FROM 2 FOR 1), substring(gender_source_value FROM 1 FOR 1) FROM person ORDER BY person_id LIMIT 10
-- analyst: time zones
SELECT birth_datetime AT TIME ZONE 'UTC', birth_datetime::time, date_bin('1 day', birth_datetime, timestamp '2000-01-01'), to_char(birth_datetime, 'IYYY-IW'), isfinite(birth_datetime) FROM person ORDER BY person_id LIMIT 5
-- analyst: condition status with a nested case
SELECT CASE WHEN n = 0 THEN 'none' ELSE CASE WHEN n < 5 THEN 'few' ELSE 'many' END END AS kind, count(*) FROM (SELECT p.person_id, count(co.condition_occurrence_id) AS n FROM person p LEFT JOIN condition_occurrence co ON co.person_id = p.person_id GROUP BY p.person_id) t GROUP BY 1 ORDER BY 1
-- analyst: having with a subquery
SELECT person_id, count(*) FROM condition_occurrence GROUP BY person_id HAVING count(*) > (SELECT 2 * avg(n) FROM (SELECT count(*) AS n FROM condition_occurrence GROUP BY person_id) t) ORDER BY 2 DESC, 1 LIMIT 20
-- analyst: materialized and not materialized
WITH a AS MATERIALIZED (SELECT person_id FROM person WHERE gender_concept_id = 8507), b AS NOT MATERIALIZED (SELECT person_id FROM death) SELECT count(*) FROM a WHERE NOT EXISTS (SELECT 1 FROM b WHERE b.person_id = a.person_id)
-- analyst: cdm source
SELECT * FROM cdm_source
-- analyst: tables of the schema
SELECT table_name, count(*) FROM information_schema.columns WHERE table_name IN ('person', 'visit_occurrence') GROUP BY table_name ORDER BY 1
-- analyst: codesets and qualified events in temporary tables
CREATE TEMP TABLE Codesets (codeset_id int NOT NULL, concept_id bigint NOT NULL)
-- then
INSERT INTO Codesets (codeset_id, concept_id)
SELECT 0 AS codeset_id, c.concept_id FROM (SELECT DISTINCT I.concept_id FROM (
  SELECT concept_id FROM CONCEPT WHERE concept_id IN (40481087, 4112343)
  UNION SELECT c.concept_id FROM CONCEPT c JOIN CONCEPT_ANCESTOR ca ON c.concept_id = ca.descendant_concept_id AND ca.ancestor_concept_id IN (40481087, 4112343) AND c.invalid_reason IS NULL) I) C
-- then
ANALYZE Codesets
-- then
CREATE TEMP TABLE qualified_events AS
WITH primary_events (event_id, person_id, start_date, end_date, op_start_date, op_end_date, visit_occurrence_id) AS (
  SELECT P.ordinal AS event_id, P.person_id, P.start_date, P.end_date, op_start_date, op_end_date, CAST(P.visit_occurrence_id AS bigint) AS visit_occurrence_id FROM (
    SELECT E.person_id, E.start_date, E.end_date, row_number() OVER (PARTITION BY E.person_id ORDER BY E.sort_date ASC) ordinal,
      OP.observation_period_start_date AS op_start_date, OP.observation_period_end_date AS op_end_date, CAST(E.visit_occurrence_id AS bigint) AS visit_occurrence_id
    FROM (SELECT C.person_id, C.condition_occurrence_id AS event_id, C.condition_start_date AS start_date, COALESCE(C.condition_end_date, (C.condition_start_date + 1*INTERVAL'1 day')) AS end_date, C.visit_occurrence_id, C.condition_start_date AS sort_date
      FROM (SELECT co.* FROM CONDITION_OCCURRENCE co JOIN Codesets cs ON (co.condition_concept_id = cs.concept_id AND cs.codeset_id = 0)) C) E
    JOIN observation_period OP ON E.person_id = OP.person_id AND E.start_date >= OP.observation_period_start_date AND E.start_date <= op.observation_period_end_date
    WHERE (OP.OBSERVATION_PERIOD_START_DATE + 0*INTERVAL'1 day') <= E.START_DATE AND (E.START_DATE + 0*INTERVAL'1 day') <= OP.OBSERVATION_PERIOD_END_DATE) P WHERE P.ordinal = 1)
SELECT event_id, person_id, start_date, end_date, op_start_date, op_end_date, visit_occurrence_id FROM primary_events pe
-- then
CREATE TEMP TABLE inclusion_0 AS SELECT 0 AS inclusion_rule_id, person_id, event_id FROM (SELECT pe.person_id, pe.event_id FROM qualified_events pe JOIN (SELECT 0 AS index_id, e.person_id, e.event_id FROM qualified_events e) ac ON ac.person_id = pe.person_id AND ac.event_id = pe.event_id) Results
-- then
CREATE INDEX ON inclusion_0 (person_id)
-- then
WITH t AS (SELECT e.event_id, e.person_id, e.start_date, SUM(coalesce(POWER(cast(2 AS bigint), I.inclusion_rule_id), 0)) AS inclusion_rule_mask FROM qualified_events e LEFT JOIN inclusion_0 I ON I.person_id = e.person_id AND I.event_id = e.event_id GROUP BY e.event_id, e.person_id, e.start_date) SELECT inclusion_rule_mask, count(*) FROM t GROUP BY 1 ORDER BY 1
-- then
SELECT count(*), min(start_date), max(end_date) FROM qualified_events
-- then
TRUNCATE TABLE inclusion_0
-- then
DROP TABLE inclusion_0
-- then
DROP TABLE IF EXISTS qualified_events, Codesets
-- analyst: select into a temporary table
SELECT person_id, count(*) AS n INTO TEMP tmp_counts FROM visit_occurrence GROUP BY person_id
-- then
SELECT n, count(*) FROM tmp_counts GROUP BY n ORDER BY n
-- analyst: a transaction with a cursor
BEGIN
-- then
DECLARE c CURSOR FOR SELECT person_id, year_of_birth FROM person ORDER BY year_of_birth, person_id
-- then
FETCH 5 FROM c
-- then
FETCH FORWARD 3 FROM c
-- then
CLOSE c
-- then
COMMIT
-- analyst: prepared with parameters
PREPARE q (int, date) AS SELECT count(*) FROM condition_occurrence WHERE condition_concept_id = $1 AND condition_start_date < $2
-- then
EXECUTE q (40481087, '2012-01-01')
-- then
DEALLOCATE q
-- analyst: a temporary view
CREATE TEMP VIEW adults AS SELECT person_id, year_of_birth FROM person WHERE year_of_birth < 1990
-- then
SELECT count(*) FROM adults JOIN visit_occurrence USING (person_id)
-- analyst: update and delete of a temporary table
CREATE TEMP TABLE work_list (person_id int PRIMARY KEY, score numeric DEFAULT 0, label text)
-- then
INSERT INTO work_list (person_id) SELECT row_number() OVER (ORDER BY year_of_birth)::int FROM person ON CONFLICT DO NOTHING
-- then
UPDATE work_list w SET score = s.n, label = 'seen' FROM (SELECT gender_concept_id % 100 AS k, count(*) AS n FROM person GROUP BY 1) s WHERE s.k = w.person_id
-- then
DELETE FROM work_list WHERE score = 0 AND person_id > 500
-- then
SELECT label, count(*), sum(score) FROM work_list GROUP BY label ORDER BY 1
-- analyst: session settings
SET work_mem = '64MB'
-- then
SET statement_timeout TO 60000
-- then
SET DateStyle = 'ISO, MDY'
-- then
SET enable_seqscan = on
-- then
SHOW work_mem
-- analyst: a cohort into the results schema --write
CREATE TEMP TABLE final_cohort AS SELECT person_id, min(condition_start_date) AS start_date, max(coalesce(condition_end_date, condition_start_date)) AS end_date FROM condition_occurrence WHERE condition_concept_id = 192671 GROUP BY person_id
-- then
DELETE FROM results.cohort WHERE cohort_definition_id = 17
-- then
INSERT INTO results.cohort (cohort_definition_id, subject_id, cohort_start_date, cohort_end_date) SELECT 17 AS cohort_definition_id, person_id, start_date, end_date FROM final_cohort CO
-- then
SELECT count(*), min(cohort_start_date), max(cohort_end_date) FROM results.cohort WHERE cohort_definition_id = 17
-- then
DELETE FROM results.cohort WHERE cohort_definition_id = 17
