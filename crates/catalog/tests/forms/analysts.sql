-- Cohorts
SELECT count(*) FROM patients;
SELECT sex, count(*) AS n, round(100.0 * count(*) / sum(count(*)) OVER (), 1) AS pct FROM patients GROUP BY sex ORDER BY n DESC;
WITH diabetics AS (SELECT DISTINCT patient_id, min(onset_date) AS index_date FROM conditions WHERE icd10 LIKE 'E11%' GROUP BY patient_id),
     treated AS (SELECT d.patient_id, d.index_date, min(m.started_on) AS first_rx FROM diabetics d JOIN medications m ON m.patient_id = d.patient_id AND m.started_on >= d.index_date GROUP BY 1, 2)
SELECT d.patient_id, d.index_date, t.first_rx, t.first_rx - d.index_date AS days_to_treatment
FROM diabetics d LEFT JOIN treated t USING (patient_id, index_date)
ORDER BY days_to_treatment NULLS LAST, d.patient_id;
SELECT p.patient_id, extract(year FROM age(e.started_at, p.birth_date)) AS age_at_event,
       CASE WHEN extract(year FROM age(e.started_at, p.birth_date)) < 18 THEN '0-17'
            WHEN extract(year FROM age(e.started_at, p.birth_date)) BETWEEN 18 AND 64 THEN '18-64' ELSE '65+' END AS band
FROM patients p JOIN encounters e ON e.patient_id = p.patient_id WHERE e.kind ILIKE ANY (ARRAY['inpat%', 'emerg%']);
SELECT date_part('year', started_at)::int AS yr, date_trunc('month', started_at)::date AS mon, count(DISTINCT patient_id) FROM encounters GROUP BY 1, 2 ORDER BY 1, 2;
SELECT patient_id FROM conditions WHERE icd10 SIMILAR TO '(E11|I10|J45)%' INTERSECT SELECT patient_id FROM medications WHERE dose_mg > 100 EXCEPT SELECT patient_id FROM patients WHERE death_date IS NOT NULL;
-- Readmission within 30 days
WITH stays AS (
  SELECT patient_id, encounter_id, started_at, ended_at,
         lead(started_at) OVER (PARTITION BY patient_id ORDER BY started_at) AS next_start
  FROM encounters WHERE ended_at IS NOT NULL)
SELECT count(*) FILTER (WHERE next_start - ended_at <= INTERVAL '30 days' AND next_start > ended_at) AS readmitted,
       count(*) AS discharges,
       round(100.0 * count(*) FILTER (WHERE next_start - ended_at <= INTERVAL '30' DAY) / NULLIF(count(*), 0), 2) AS rate
FROM stays;
-- Eras: gaps and islands
WITH spans AS (
  SELECT patient_id, rxnorm, started_on, COALESCE(stopped_on, started_on + 30) AS stopped_on,
         max(COALESCE(stopped_on, started_on + 30)) OVER (PARTITION BY patient_id, rxnorm ORDER BY started_on, medication_id ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS reach
  FROM medications),
islands AS (
  SELECT *, sum(CASE WHEN reach IS NULL OR started_on > reach + INTERVAL '30 day' THEN 1 ELSE 0 END) OVER (PARTITION BY patient_id, rxnorm ORDER BY started_on ROWS UNBOUNDED PRECEDING) AS era
  FROM spans)
SELECT patient_id, rxnorm, era, min(started_on) AS era_start, max(stopped_on) AS era_end, count(*) AS exposures, (max(stopped_on) - min(started_on))::int AS days
FROM islands GROUP BY patient_id, rxnorm, era HAVING count(*) >= 1 ORDER BY patient_id, rxnorm, era;
-- Percentiles and distributions
SELECT loinc, count(*) AS n, avg(value)::numeric(10,2) AS mean, stddev_samp(value) AS sd, min(value), max(value),
       percentile_cont(ARRAY[0.05, 0.25, 0.5, 0.75, 0.95]) WITHIN GROUP (ORDER BY value) AS p,
       percentile_disc(0.5) WITHIN GROUP (ORDER BY value) AS median_obs, mode() WITHIN GROUP (ORDER BY unit) AS unit
FROM observations WHERE value IS NOT NULL GROUP BY loinc ORDER BY n DESC;
SELECT width_bucket(value, 0, 300, 10) AS bucket, int4range(min(value)::int, max(value)::int, '[]') AS span, count(*) FROM observations WHERE value BETWEEN 0 AND 300 GROUP BY bucket ORDER BY bucket;
SELECT DISTINCT ON (patient_id, loinc) patient_id, loinc, value, taken_at FROM observations ORDER BY patient_id, loinc, taken_at DESC;
SELECT patient_id, taken_at, value, avg(value) OVER (PARTITION BY patient_id, loinc ORDER BY taken_at RANGE BETWEEN '90 days' PRECEDING AND CURRENT ROW) AS rolling,
       value - lag(value) OVER (PARTITION BY patient_id, loinc ORDER BY taken_at) AS delta, ntile(4) OVER (PARTITION BY loinc ORDER BY value) AS quartile
FROM observations ORDER BY patient_id, loinc, taken_at;
-- Charlson
WITH weights(prefix, label, weight) AS (VALUES ('I21', 'mi', 1), ('I50', 'chf', 1), ('J44', 'copd', 1), ('E11', 'diabetes', 1), ('N18', 'renal', 2), ('C', 'cancer', 2)),
scored AS (SELECT c.patient_id, w.label, max(w.weight) AS weight FROM conditions c JOIN weights w ON c.icd10 LIKE w.prefix || '%' GROUP BY c.patient_id, w.label)
SELECT patient_id, sum(weight) AS charlson, string_agg(label, ', ' ORDER BY label) AS parts FROM scored GROUP BY patient_id ORDER BY charlson DESC, patient_id;
-- Sepsis-like: a suspicion and a rise
WITH suspicion AS (SELECT e.encounter_id, e.patient_id, e.started_at AS t0 FROM encounters e WHERE EXISTS (SELECT 1 FROM conditions c WHERE c.encounter_id = e.encounter_id)),
labs AS (SELECT s.encounter_id, o.loinc, o.value, o.taken_at, row_number() OVER (PARTITION BY s.encounter_id, o.loinc ORDER BY abs(extract(epoch FROM o.taken_at - s.t0))) AS rn
         FROM suspicion s JOIN observations o ON o.patient_id = s.patient_id AND o.taken_at BETWEEN s.t0 - INTERVAL '48 hours' AND s.t0 + INTERVAL '24 hours')
SELECT encounter_id, max(value) FILTER (WHERE loinc = '2345-7' AND rn = 1) AS glucose, max(CASE WHEN rn = 1 THEN value END) AS any_first FROM labs GROUP BY encounter_id;
-- Survival
WITH times AS (SELECT patient_id, registered_at::date AS t0, COALESCE(death_date, DATE '2030-01-01') AS t1, (death_date IS NOT NULL)::int AS event FROM patients),
at_risk AS (SELECT (t1 - t0) / 365 AS y, count(*) AS n, sum(event) AS d FROM times GROUP BY 1)
SELECT y, n, d, sum(n) OVER (ORDER BY y DESC) AS risk, exp(sum(ln(GREATEST(1 - d::float8 / NULLIF(n, 0), 1e-9))) OVER (ORDER BY y)) AS s FROM at_risk ORDER BY y;
-- Data quality, Achilles and DQD style
SELECT 101 AS analysis_id, CAST(EXTRACT(YEAR FROM birth_date) AS VARCHAR(255)) AS stratum_1, CAST(NULL AS VARCHAR(255)) AS stratum_2, COUNT_BIG.c AS count_value FROM patients, LATERAL (SELECT 1 AS c) AS COUNT_BIG;
SELECT 'encounters' AS cdm_table, 'ended_at' AS field, count(*) AS violated, (SELECT count(*) FROM encounters) AS denominator, count(*)::float / (SELECT NULLIF(count(*), 0) FROM encounters) AS pct FROM encounters WHERE ended_at < started_at;
SELECT t.num_violated_rows, CASE WHEN d.num_rows = 0 THEN 0 ELSE 1.0 * t.num_violated_rows / d.num_rows END AS pct FROM (SELECT COUNT(v.violating_field) AS num_violated_rows FROM (SELECT 'patients.birth_date' AS violating_field, p.* FROM patients p WHERE p.birth_date > CAST(CURRENT_TIMESTAMP AS DATE)) v) t CROSS JOIN (SELECT COUNT(*) AS num_rows FROM patients) d;
SELECT c.patient_id FROM conditions c LEFT OUTER JOIN patients p ON (p.patient_id = c.patient_id) WHERE p.patient_id IS NULL;
SELECT 'null' AS what, sum((ssn IS NULL)::int) AS ssn, sum(CASE WHEN email IS NULL THEN 1 ELSE 0 END) AS email, count(*) - count(phone) AS phone FROM patients;
WITH RECURSIVE months(m) AS (SELECT min(date_trunc('month', started_at)) FROM encounters UNION ALL SELECT m + INTERVAL '1 month' FROM months WHERE m < (SELECT max(started_at) FROM encounters))
SELECT m::date, count(e.encounter_id) FROM months LEFT JOIN encounters e ON date_trunc('month', e.started_at) = m GROUP BY m ORDER BY m;
SELECT d::date AS day, count(e.*) FROM generate_series('2023-01-01'::date, '2023-02-01'::date, '1 day') AS d LEFT JOIN encounters e ON e.started_at::date = d GROUP BY 1 ORDER BY 1;
-- Documents, arrays and text
SELECT claim_id, details ->> 'code' AS code, (details -> 'amount')::text, jsonb_typeof(details), details @> '{"urgent": true}' FROM claims;
SELECT k, count(*) FROM claims, LATERAL jsonb_object_keys(details) AS k GROUP BY k ORDER BY 2 DESC;
SELECT patient_id, array_agg(DISTINCT icd10 ORDER BY icd10) AS codes, jsonb_object_agg(icd10, description) AS described, json_agg(json_build_object('code', icd10, 'on', onset_date) ORDER BY onset_date, condition_id) FROM conditions GROUP BY patient_id;
SELECT description, to_tsvector('english', description) @@ to_tsquery('english', 'diabet:* | hypertens:*') AS hit, ts_rank(to_tsvector('english', description), plainto_tsquery('diabetes')) FROM conditions GROUP BY description;
SELECT regexp_replace(phone, '\D', '', 'g'), substring(zip FROM '^\d{3}'), split_part(email, '@', 2), initcap(lower(last_name)), last_name ~* '^mc' FROM patients;
SELECT to_char(started_at, 'YYYY-"Q"Q'), to_char(total_charge, 'FM$999,999.00'), count(*) FROM encounters GROUP BY 1, 2 ORDER BY 1, 2 LIMIT 20;
SELECT p.*, x.n FROM patients p LEFT JOIN LATERAL (SELECT count(*) AS n FROM encounters e WHERE e.patient_id = p.patient_id AND e.started_at > p.registered_at) x ON TRUE;
SELECT e.encounter_id, v.name, v.amount FROM encounters e CROSS JOIN LATERAL (VALUES ('charge', e.total_charge), ('half', e.total_charge / 2)) AS v(name, amount);
-- Groupings
SELECT d.name, e.kind, sum(e.total_charge), grouping(d.name, e.kind) FROM encounters e JOIN departments d USING (department_id) GROUP BY ROLLUP (d.name, e.kind) ORDER BY 1 NULLS LAST, 2 NULLS LAST;
SELECT d.department_id, d.name, count(*) FROM departments d JOIN encounters e USING (department_id) GROUP BY d.department_id;
SELECT payer, status, count(*), sum(amount) FROM claims GROUP BY CUBE (payer, status) HAVING sum(amount) > 0;
SELECT * FROM (SELECT payer, status::text, amount FROM claims) AS src ORDER BY payer, status, amount LIMIT 10 OFFSET 5;
SELECT specialty, (SELECT avg(total_charge) FROM encounters e WHERE e.provider_id = p.provider_id) AS mean FROM providers p WHERE provider_id IN (SELECT provider_id FROM encounters GROUP BY provider_id HAVING count(*) > 3);
-- Tableau
SELECT CAST("encounters"."kind" AS TEXT) AS "kind", SUM(1) AS "sum:Number of Records:ok", TRUNC(CAST(EXTRACT(YEAR FROM "encounters"."started_at") AS INTEGER)) AS "yr:started_at:ok" FROM "public"."encounters" "encounters" INNER JOIN "public"."patients" "patients" ON ("encounters"."patient_id" = "patients"."patient_id") GROUP BY 1, 3;
SELECT (CASE WHEN ("encounters"."total_charge" >= 0) THEN 'a''b' ELSE CAST(NULL AS TEXT) END) AS "Calculation_1", AVG(CAST("encounters"."total_charge" AS DOUBLE PRECISION)) AS "avg" FROM "public"."encounters" "encounters" WHERE (("encounters"."started_at" >= (TIMESTAMP '2020-01-01 00:00:00.000')) AND ("encounters"."kind" IN ('inpatient', 'outpatient'))) GROUP BY 1;
SELECT "t0"."kind" AS "kind", "t1"."__measure__0" AS "m" FROM (SELECT "encounters"."kind" AS "kind" FROM "public"."encounters" "encounters" GROUP BY 1) "t0" INNER JOIN (SELECT "encounters"."kind" AS "kind", COUNT(DISTINCT "encounters"."patient_id") AS "__measure__0" FROM "public"."encounters" "encounters" GROUP BY 1) "t1" ON (("t0"."kind" = "t1"."kind") OR (("t0"."kind" IS NULL) AND ("t1"."kind" IS NULL)));
SELECT DATE_TRUNC( 'QUARTER', CAST("encounters"."started_at" AS TIMESTAMP WITH TIME ZONE) ) AS "tqr:started_at:ok" FROM "public"."encounters" "encounters" GROUP BY 1 LIMIT 100;
-- Power BI
select "_"."kind", "_"."a0" from ( select "rows"."kind" as "kind", count(1) as "a0" from ( select "kind", "started_at" from "public"."encounters" "$Table" ) "rows" group by "kind" ) "_" where not "_"."a0" is null limit 1000001;
select "$Table"."encounter_id" as "encounter_id", "$Table"."kind" as "kind" from "public"."encounters" "$Table" limit 200;
select cast(sum("rows"."total_charge") as float8) as "a0", "rows"."patient_id" from "public"."encounters" as "rows" where ("rows"."started_at" >= timestamp '2019-01-01 00:00:00' and "rows"."started_at" < timestamp '2026-01-01 00:00:00') group by "rows"."patient_id" order by "a0" desc nulls first limit 501;
-- Metabase
SELECT DATE_TRUNC('month', "public"."encounters"."started_at") AS "started_at", COUNT(*) AS "count", COUNT(distinct "public"."encounters"."patient_id") AS "count_2" FROM "public"."encounters" LEFT JOIN "public"."departments" AS "Departments" ON "public"."encounters"."department_id" = "Departments"."department_id" WHERE ("public"."encounters"."started_at" >= DATE_TRUNC('month', (NOW() + (INTERVAL '-120 month')))) AND ("public"."encounters"."started_at" < DATE_TRUNC('month', NOW())) GROUP BY DATE_TRUNC('month', "public"."encounters"."started_at") ORDER BY DATE_TRUNC('month', "public"."encounters"."started_at") ASC;
SELECT "source"."kind" AS "kind", SUM("source"."total_charge") AS "sum" FROM (SELECT "public"."encounters"."kind" AS "kind", "public"."encounters"."total_charge" AS "total_charge", FLOOR(("public"."encounters"."total_charge" / 1000.0)) * 1000.0 AS "bin" FROM "public"."encounters") AS "source" WHERE (LOWER("source"."kind") LIKE '%pat%') GROUP BY "source"."kind" ORDER BY "sum" DESC, "source"."kind" ASC;
SELECT CAST(extract(dow from "public"."encounters"."started_at") AS integer) + 1 AS "dow", COUNT(*) FROM "public"."encounters" GROUP BY CAST(extract(dow from "public"."encounters"."started_at") AS integer) + 1 ORDER BY 1;
SELECT SUBSTRING("source"."diag" FROM 1 FOR 3) AS "c", COUNT(*) FROM (SELECT "public"."conditions"."icd10" AS "diag" FROM "public"."conditions" LIMIT 1048575) AS "source" GROUP BY 1;
-- Superset
SELECT DATE_TRUNC('week', started_at) AS __timestamp, kind AS kind, sum(total_charge) AS "SUM(total_charge)" FROM public.encounters JOIN (SELECT kind AS kind__, sum(total_charge) AS mme_inner__ FROM public.encounters WHERE started_at >= TO_TIMESTAMP('2019-01-01 00:00:00.000000', 'YYYY-MM-DD HH24:MI:SS.US') GROUP BY kind ORDER BY mme_inner__ DESC LIMIT 5) AS series_limit ON kind = kind__ GROUP BY kind, DATE_TRUNC('week', started_at) ORDER BY "SUM(total_charge)" DESC LIMIT 10000;
SELECT count(*) AS count, "kind" FROM (SELECT * FROM encounters WHERE total_charge > 10) AS virtual_table WHERE "kind" IN ('inpatient') GROUP BY "kind" LIMIT 1000;
-- Looker
SELECT encounters.kind AS "encounters.kind", (TO_CHAR(DATE_TRUNC('month', encounters.started_at ), 'YYYY-MM')) AS "encounters.started_month", COALESCE(COALESCE(CAST((SUM(DISTINCT (CAST(FLOOR(COALESCE(encounters.total_charge, 0)*(1000000*1.0)) AS DECIMAL(65,0))) + ('x' || MD5(encounters.encounter_id ::varchar))::bit(64)::bigint::DECIMAL(65) *18446744073709551616 + ('x' || SUBSTR(MD5(encounters.encounter_id ::varchar),17))::bit(64)::bigint::DECIMAL(65)) - SUM(DISTINCT ('x' || MD5(encounters.encounter_id ::varchar))::bit(64)::bigint::DECIMAL(65) *18446744073709551616 + ('x' || SUBSTR(MD5(encounters.encounter_id ::varchar),17))::bit(64)::bigint::DECIMAL(65)) ) AS DOUBLE PRECISION) / CAST((1000000*1.0) AS DOUBLE PRECISION), 0), 0) AS "encounters.total" FROM public.encounters AS encounters LEFT JOIN public.patients AS patients ON encounters.patient_id = patients.patient_id GROUP BY 1,2 ORDER BY 2 DESC LIMIT 500;
SELECT * FROM ( SELECT *, DENSE_RANK() OVER (ORDER BY z___min_rank) as z___pivot_row_rank, RANK() OVER (PARTITION BY z__pivot_col_rank ORDER BY z___min_rank) as z__pivot_col_ordering FROM ( SELECT *, MIN(z___rank) OVER (PARTITION BY "k") as z___min_rank FROM ( SELECT *, RANK() OVER (ORDER BY "k" DESC NULLS LAST, z__pivot_col_rank) AS z___rank FROM ( SELECT *, DENSE_RANK() OVER (ORDER BY "d" NULLS LAST) AS z__pivot_col_rank FROM ( SELECT kind AS "k", department_id AS "d", COUNT(*) AS "n" FROM public.encounters GROUP BY 1,2) ww ) bb WHERE z__pivot_col_rank <= 16384 ) aa ) xx ) zz WHERE z___pivot_row_rank <= 500 OR z__pivot_col_ordering = 1 ORDER BY z___pivot_row_rank;
-- ORMs and notebooks
SELECT patients_1.patient_id AS patients_1_patient_id, anon_1.n FROM (SELECT encounters.patient_id AS patient_id, count(*) AS n FROM encounters GROUP BY encounters.patient_id) AS anon_1 JOIN patients AS patients_1 ON patients_1.patient_id = anon_1.patient_id ORDER BY anon_1.n DESC, 1 LIMIT 10 OFFSET 0;
SELECT "patients"."patient_id", "patients"."sex" FROM "patients" WHERE ("patients"."birth_date" BETWEEN '1950-01-01'::date AND '1990-12-31'::date AND NOT ("patients"."state" = 'MA' AND "patients"."state" IS NOT NULL)) ORDER BY "patients"."patient_id" ASC LIMIT 21;
SELECT "q01".*, "q01"."total_charge" / 2.0 AS "half" FROM (SELECT "encounters".* FROM "encounters" WHERE ("kind" = 'inpatient')) "q01" LIMIT 11;
SELECT COUNT(*) OVER() AS total, s.* FROM (SELECT * FROM observations ORDER BY observation_id FETCH FIRST 20 ROWS ONLY) s;
SELECT a.attname, format_type(a.atttypid, a.atttypmod) FROM pg_attribute a WHERE a.attrelid = 'patients'::regclass AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum;
SELECT table_name, column_name, data_type FROM information_schema.columns WHERE table_schema = 'public' ORDER BY 1, ordinal_position;
VALUES (current_date), (date 'yesterday');
SELECT 'done'
  ' and dusted';
