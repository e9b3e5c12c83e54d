-- What analysts ask of MIMIC-IV: concepts, cohorts of intensive care, scores.
-- analyst: patients by gender and age group
SELECT gender, CASE WHEN anchor_age < 40 THEN '18-39' WHEN anchor_age < 65 THEN '40-64' ELSE '65+' END AS g, count(*) FROM mimiciv_hosp.patients GROUP BY 1, 2 ORDER BY 1, 2
-- analyst: age at admission
SELECT ad.subject_id, ad.hadm_id, ad.admittime, pa.anchor_age, pa.anchor_year,
  CAST(EXTRACT(EPOCH FROM ad.admittime - MAKE_TIMESTAMP(pa.anchor_year, 1, 1, 0, 0, 0)) / 31556908.8 + pa.anchor_age AS BIGINT) AS age
FROM mimiciv_hosp.admissions AS ad INNER JOIN mimiciv_hosp.patients AS pa ON ad.subject_id = pa.subject_id ORDER BY 2, 1, 3 LIMIT 200
-- analyst: stays with order of admission and stay
SELECT ie.subject_id, ie.hadm_id, ie.stay_id, pat.gender, pat.dod, adm.admittime, adm.dischtime,
  EXTRACT(EPOCH FROM DATE_TRUNC('day', adm.dischtime) - DATE_TRUNC('day', adm.admittime)) / 86400 AS los_hospital,
  DENSE_RANK() OVER (PARTITION BY adm.subject_id ORDER BY adm.admittime NULLS FIRST) AS hospstay_seq,
  CASE WHEN DENSE_RANK() OVER (PARTITION BY adm.subject_id ORDER BY adm.admittime NULLS FIRST) = 1 THEN TRUE ELSE FALSE END AS first_hosp_stay,
  ROUND(CAST(CAST(EXTRACT(EPOCH FROM ie.outtime - ie.intime) / 3600 AS DOUBLE PRECISION) / 24.0 AS DECIMAL(38, 9)), 2) AS los_icu
FROM mimiciv_icu.icustays AS ie INNER JOIN mimiciv_hosp.admissions AS adm ON ie.hadm_id = adm.hadm_id INNER JOIN mimiciv_hosp.patients AS pat ON ie.subject_id = pat.subject_id ORDER BY 3, 2 LIMIT 200
-- analyst: heart rate bounds of a stay
SELECT ie.stay_id, MIN(ce.charttime) AS intime_hr, MAX(ce.charttime) AS outtime_hr FROM mimiciv_icu.icustays ie LEFT JOIN mimiciv_icu.chartevents ce ON ie.stay_id = ce.stay_id AND ce.itemid = 220045 AND ce.charttime > ie.intime - INTERVAL '1 MONTH' AND ce.charttime < ie.outtime + INTERVAL '1' MONTH GROUP BY ie.stay_id ORDER BY 1 LIMIT 100
-- analyst: hours of a stay from an array
WITH all_hours AS (SELECT it.stay_id, CASE WHEN DATE_TRUNC('hour', it.intime) = it.intime THEN it.intime ELSE DATE_TRUNC('hour', it.intime) + INTERVAL '1' HOUR END AS endtime,
  ARRAY(SELECT * FROM GENERATE_SERIES(-24, CAST(CEIL(EXTRACT(EPOCH FROM it.outtime - it.intime) / 3600) AS INT))) AS hrs FROM mimiciv_icu.icustays AS it)
SELECT stay_id, CAST(hr_unnested AS BIGINT) AS hr, endtime + CAST(hr_unnested AS BIGINT) * INTERVAL '1' HOUR AS endtime FROM all_hours CROSS JOIN UNNEST(all_hours.hrs) AS _t0(hr_unnested) ORDER BY 1, 2 LIMIT 200
-- analyst: vital signs pivot
SELECT ce.subject_id, ce.stay_id, ce.charttime, AVG(CASE WHEN itemid IN (220045) AND valuenum > 0 AND valuenum < 300 THEN valuenum END) AS heart_rate, AVG(CASE WHEN itemid IN (220179, 220050) AND valuenum > 0 THEN valuenum END) AS sbp, AVG(CASE WHEN itemid = 220052 THEN valuenum END) AS mbp
FROM mimiciv_icu.chartevents ce WHERE NOT ce.stay_id IS NULL AND ce.itemid IN (220045, 220179, 220050, 220052) GROUP BY ce.subject_id, ce.stay_id, ce.charttime ORDER BY 2, 3, 1 LIMIT 100
-- analyst: blood gas pivot with forward fill
WITH bg AS (SELECT MAX(subject_id) AS subject_id, MAX(hadm_id) AS hadm_id, MAX(charttime) AS charttime, MAX(storetime) AS storetime, le.specimen_id, MAX(CASE WHEN itemid = 52033 THEN value ELSE NULL END) AS specimen, MAX(CASE WHEN itemid = 50821 THEN valuenum END) AS po2, MAX(CASE WHEN itemid = 50816 THEN CASE WHEN valuenum > 20 AND valuenum <= 100 THEN valuenum WHEN valuenum > 0.2 AND valuenum <= 1.0 THEN valuenum * 100.0 ELSE NULL END END) AS fio2, MAX(CASE WHEN itemid = 50813 AND valuenum <= 10000 THEN valuenum END) AS lactate FROM mimiciv_hosp.labevents AS le WHERE le.itemid IN (52033, 50821, 50816, 50813) GROUP BY le.specimen_id)
, stg_fio2 AS (SELECT subject_id, charttime, MAX(valuenum) AS fio2_chartevents FROM mimiciv_icu.chartevents WHERE itemid = 223835 AND valuenum > 0 AND valuenum <= 100 GROUP BY subject_id, charttime)
, stg2 AS (SELECT bg.*, ROW_NUMBER() OVER (PARTITION BY bg.subject_id, bg.charttime ORDER BY s1.charttime DESC NULLS LAST) AS lastrow, s1.fio2_chartevents FROM bg LEFT JOIN stg_fio2 AS s1 ON bg.subject_id = s1.subject_id AND s1.charttime BETWEEN bg.charttime - INTERVAL '4' HOUR AND bg.charttime WHERE bg.po2 IS NOT NULL)
SELECT count(*), round(avg(CASE WHEN po2 IS NULL THEN NULL WHEN fio2 IS NOT NULL THEN 100 * po2 / fio2 WHEN fio2_chartevents IS NOT NULL THEN 100 * po2 / fio2_chartevents END)::numeric, 4) FROM stg2 WHERE lastrow = 1
-- analyst: glasgow coma scale --masked
WITH base AS (SELECT ce.subject_id, ce.stay_id, ce.charttime, MAX(CASE WHEN ce.itemid = 223901 THEN ce.valuenum END) AS gcsmotor, MAX(CASE WHEN ce.itemid = 223900 AND ce.value = 'No Response-ETT' THEN 0 WHEN ce.itemid = 223900 THEN ce.valuenum END) AS gcsverbal, MAX(CASE WHEN ce.itemid = 220739 THEN ce.valuenum END) AS gcseyes, ROW_NUMBER() OVER (PARTITION BY ce.stay_id ORDER BY ce.charttime ASC NULLS FIRST) AS rn FROM mimiciv_icu.chartevents AS ce WHERE ce.itemid IN (223900, 223901, 220739) GROUP BY ce.subject_id, ce.stay_id, ce.charttime)
, gcs AS (SELECT b.*, b2.gcsverbal AS gcsverbalprev, CASE WHEN b.gcsverbal = 0 THEN 15 WHEN b.gcsverbal IS NULL AND b2.gcsverbal = 0 THEN 15 ELSE COALESCE(b.gcsmotor, COALESCE(b2.gcsmotor, 6)) + COALESCE(b.gcsverbal, COALESCE(b2.gcsverbal, 5)) + COALESCE(b.gcseyes, COALESCE(b2.gcseyes, 4)) END AS gcs FROM base AS b LEFT JOIN base AS b2 ON b.stay_id = b2.stay_id AND b.rn = b2.rn + 1 AND b2.charttime > b.charttime - INTERVAL '6' HOUR)
SELECT gcs, count(*) FROM gcs GROUP BY gcs ORDER BY gcs
-- analyst: urine output rate over sliding hours
WITH uo AS (SELECT stay_id, charttime, SUM(CASE WHEN itemid = 227488 AND value > 0 THEN -1 * value ELSE value END) AS urineoutput FROM mimiciv_icu.outputevents WHERE itemid IN (226559, 227488) GROUP BY stay_id, charttime)
, tm AS (SELECT stay_id, charttime, urineoutput, CASE WHEN LAG(charttime) OVER w IS NULL THEN NULL ELSE CAST(EXTRACT(EPOCH FROM DATE_TRUNC('minute', charttime) - DATE_TRUNC('minute', LAG(charttime) OVER w)) / 60 AS BIGINT) END AS since FROM uo WINDOW w AS (PARTITION BY stay_id ORDER BY charttime NULLS FIRST))
SELECT io.stay_id, io.charttime, SUM(DISTINCT io.urineoutput) AS uo, SUM(CASE WHEN EXTRACT(EPOCH FROM io.charttime - s.charttime) / 3600 <= 5 THEN s.urineoutput END) AS uo6, ROUND(CAST(CAST(SUM(s.since) AS DOUBLE PRECISION) / 60.0 AS DECIMAL(38, 9)), 6) AS tm24 FROM tm AS io LEFT JOIN tm AS s ON io.stay_id = s.stay_id AND io.charttime >= s.charttime AND io.charttime <= (s.charttime + INTERVAL '23' HOUR) GROUP BY io.stay_id, io.charttime ORDER BY 1, 2 LIMIT 100
-- analyst: first day of labs
SELECT ie.subject_id, ie.stay_id, MIN(le.valuenum) FILTER (WHERE le.itemid = 50912) AS creatinine_min, MAX(le.valuenum) FILTER (WHERE le.itemid = 50912) AS creatinine_max, MIN(le.valuenum) FILTER (WHERE le.itemid = 51265) AS platelets_min FROM mimiciv_icu.icustays ie LEFT JOIN mimiciv_hosp.labevents le ON le.subject_id = ie.subject_id AND le.charttime >= ie.intime - INTERVAL '6' HOUR AND le.charttime <= ie.intime + INTERVAL '1' DAY GROUP BY ie.subject_id, ie.stay_id ORDER BY 2 LIMIT 100
-- analyst: weight durations
WITH wt AS (SELECT c.stay_id, c.charttime, CASE WHEN c.itemid = 226512 THEN 'admit' ELSE 'daily' END AS weight_type, c.valuenum AS weight FROM mimiciv_icu.chartevents c WHERE c.valuenum IS NOT NULL AND c.itemid IN (226512, 224639) AND c.valuenum > 0)
, wt1 AS (SELECT *, ROW_NUMBER() OVER (PARTITION BY stay_id, weight_type ORDER BY charttime NULLS FIRST) AS rn FROM wt)
, wt2 AS (SELECT wt1.stay_id, ie.intime, ie.outtime, wt1.weight_type, CASE WHEN wt1.weight_type = 'admit' AND wt1.rn = 1 THEN ie.intime - INTERVAL '2' HOUR ELSE wt1.charttime END AS starttime, wt1.weight FROM wt1 INNER JOIN mimiciv_icu.icustays AS ie ON ie.stay_id = wt1.stay_id)
, wt3 AS (SELECT stay_id, intime, outtime, starttime, COALESCE(LEAD(starttime) OVER (PARTITION BY stay_id ORDER BY starttime NULLS FIRST, weight), outtime + INTERVAL '2' HOUR) AS endtime, weight, weight_type FROM wt2)
SELECT wt3.stay_id, wt3.starttime, wt3.endtime, wt3.weight, wt3.weight_type FROM wt3 UNION ALL SELECT ie.stay_id, ie.intime - INTERVAL '2' HOUR, w.starttime, w.weight, w.weight_type FROM mimiciv_icu.icustays ie INNER JOIN (SELECT stay_id, starttime, weight, weight_type, ROW_NUMBER() OVER (PARTITION BY stay_id ORDER BY starttime NULLS FIRST, weight) AS rn FROM wt3) w ON ie.stay_id = w.stay_id AND w.rn = 1 AND ie.intime < w.starttime ORDER BY 1, 2, 4, 5 LIMIT 100
-- analyst: norepinephrine doses
SELECT stay_id, linkorderid, CASE WHEN rateuom = 'mg/kg/min' AND patientweight = 1 THEN rate WHEN rateuom = 'mg/kg/min' THEN rate * 1000.0 ELSE rate END AS vaso_rate, amount AS vaso_amount, starttime, endtime FROM mimiciv_icu.inputevents WHERE itemid = 221906 ORDER BY stay_id, starttime LIMIT 100
-- analyst: suspicion of infection
WITH abx AS (SELECT subject_id, hadm_id, drug AS antibiotic, starttime AS antibiotic_time, DATE_TRUNC('day', starttime) AS antibiotic_date, ROW_NUMBER() OVER (PARTITION BY subject_id ORDER BY starttime NULLS FIRST, stoptime NULLS FIRST, drug NULLS FIRST) AS ab_id FROM mimiciv_hosp.prescriptions WHERE LOWER(drug) LIKE '%vancomycin%' OR LOWER(drug) LIKE '%piperacillin%')
, me AS (SELECT micro_specimen_id, MAX(subject_id) AS subject_id, MAX(hadm_id) AS hadm_id, CAST(MAX(chartdate) AS DATE) AS chartdate, MAX(charttime) AS charttime, MAX(CASE WHEN NOT org_name IS NULL AND org_itemid <> 90856 AND org_name <> '' THEN 1 ELSE 0 END) AS positiveculture FROM mimiciv_hosp.microbiologyevents GROUP BY micro_specimen_id)
, m AS (SELECT abx.subject_id, abx.ab_id, me.micro_specimen_id, COALESCE(me.charttime, CAST(me.chartdate AS TIMESTAMP)) AS t, me.positiveculture, ROW_NUMBER() OVER (PARTITION BY abx.subject_id, abx.ab_id ORDER BY me.chartdate NULLS FIRST, me.charttime) AS seq FROM abx LEFT JOIN me ON abx.subject_id = me.subject_id AND ((NOT me.charttime IS NULL AND abx.antibiotic_time > me.charttime AND abx.antibiotic_time <= me.charttime + INTERVAL '72' HOUR) OR (me.charttime IS NULL AND antibiotic_date >= me.chartdate AND antibiotic_date <= me.chartdate + INTERVAL '3 DAY')))
SELECT count(*), count(m.micro_specimen_id), sum(m.positiveculture) FROM abx LEFT JOIN m ON m.subject_id = abx.subject_id AND m.ab_id = abx.ab_id AND m.seq = 1
-- analyst: charlson flags by code prefix
WITH diag AS (SELECT hadm_id, CASE WHEN icd_version = 9 THEN icd_code ELSE NULL END AS icd9_code, CASE WHEN icd_version = 10 THEN icd_code ELSE NULL END AS icd10_code FROM mimiciv_hosp.diagnoses_icd)
, com AS (SELECT ad.hadm_id, MAX(CASE WHEN SUBSTRING(icd9_code FROM 1 FOR 3) = '428' OR SUBSTRING(icd10_code FROM 1 FOR 3) IN ('I43', 'I50') OR SUBSTRING(icd9_code FROM 1 FOR 4) BETWEEN '4254' AND '4259' THEN 1 ELSE 0 END) AS chf, MAX(CASE WHEN SUBSTRING(icd10_code FROM 1 FOR 3) IN ('B20', 'B21', 'B22', 'B24') THEN 1 ELSE 0 END) AS aids FROM mimiciv_hosp.admissions AS ad LEFT JOIN diag ON ad.hadm_id = diag.hadm_id GROUP BY ad.hadm_id)
SELECT GREATEST(chf, 3 * aids) AS score, count(*) FROM com GROUP BY 1 ORDER BY 1
-- analyst: kidney injury stages
WITH cr AS (SELECT ie.hadm_id, ie.stay_id, le.charttime, AVG(le.valuenum) AS creat FROM mimiciv_icu.icustays AS ie LEFT JOIN mimiciv_hosp.labevents AS le ON ie.subject_id = le.subject_id AND le.itemid = 50912 AND NOT le.valuenum IS NULL AND le.valuenum <= 150 AND le.charttime >= ie.intime - INTERVAL '7' DAY AND le.charttime <= ie.outtime GROUP BY ie.hadm_id, ie.stay_id, le.charttime)
, cr_48 AS (SELECT cr.stay_id, cr.charttime, MIN(cr48.creat) AS creat_low_past_48hr FROM cr LEFT JOIN cr AS cr48 ON cr.stay_id = cr48.stay_id AND cr48.charttime < cr.charttime AND cr48.charttime >= cr.charttime - INTERVAL '48' HOUR GROUP BY cr.stay_id, cr.charttime)
SELECT CASE WHEN cr.creat >= 4 THEN 3 WHEN cr.creat >= l.creat_low_past_48hr + 0.3 THEN 1 ELSE 0 END AS stage, count(*) FROM cr LEFT JOIN cr_48 l ON cr.stay_id = l.stay_id AND cr.charttime = l.charttime GROUP BY 1 ORDER BY 1
-- analyst: score by hour with frames
WITH co AS (SELECT ie.stay_id, h.hr, ie.intime + (h.hr - 1) * INTERVAL '1 hour' AS starttime, ie.intime + h.hr * INTERVAL '1 hour' AS endtime FROM mimiciv_icu.icustays ie CROSS JOIN generate_series(1, 24) AS h(hr) WHERE ie.stay_id % 10 = 0)
, vs AS (SELECT co.stay_id, co.hr, min(ce.valuenum) AS mbp_min FROM co LEFT JOIN mimiciv_icu.chartevents ce ON co.stay_id = ce.stay_id AND ce.itemid = 220052 AND co.starttime < ce.charttime AND co.endtime >= ce.charttime GROUP BY co.stay_id, co.hr)
, s AS (SELECT vs.*, CASE WHEN mbp_min < 70 THEN 1 WHEN mbp_min IS NULL THEN NULL ELSE 0 END AS cardiovascular FROM vs)
SELECT s.*, COALESCE(MAX(cardiovascular) OVER (PARTITION BY stay_id ORDER BY HR ROWS BETWEEN 23 PRECEDING AND 0 FOLLOWING), 0) AS cardiovascular_24hours FROM s WINDOW w AS (PARTITION BY stay_id ORDER BY hr ROWS BETWEEN 23 PRECEDING AND 0 FOLLOWING) ORDER BY 1, 2 LIMIT 200
-- analyst: invasive hours by collapsing rows
SELECT stay_id, ventnum, min(charttime) AS starttime, max(charttime) AS endtime FROM (SELECT stay_id, charttime, sum(new_event) OVER (PARTITION BY stay_id ORDER BY charttime NULLS FIRST) AS ventnum FROM (SELECT stay_id, charttime, CASE WHEN lag(charttime, 1) OVER (PARTITION BY stay_id ORDER BY charttime NULLS FIRST) IS NULL THEN 1 WHEN charttime - lag(charttime, 1) OVER (PARTITION BY stay_id ORDER BY charttime NULLS FIRST) >= INTERVAL '14' HOUR THEN 1 ELSE 0 END AS new_event FROM mimiciv_icu.chartevents WHERE itemid = 223835) a) b GROUP BY stay_id, ventnum HAVING min(charttime) <> max(charttime) ORDER BY 1, 2 LIMIT 50
-- analyst: mortality by careunit
SELECT first_careunit, count(*), avg(hospital_expire_flag), round(100.0 * sum(hospital_expire_flag) / count(*), 1) FROM mimiciv_icu.icustays JOIN mimiciv_hosp.admissions USING (subject_id, hadm_id) GROUP BY 1 ORDER BY 1
-- analyst: ninety day mortality
SELECT count(*) FILTER (WHERE p.dod <= a.dischtime::date + 90) AS died90, count(*) FROM mimiciv_hosp.admissions a JOIN mimiciv_hosp.patients p ON p.subject_id = a.subject_id
-- analyst: top diagnoses
SELECT d.icd_code, d.icd_version, dd.long_title, count(DISTINCT d.hadm_id) FROM mimiciv_hosp.diagnoses_icd d JOIN mimiciv_hosp.d_icd_diagnoses dd USING (icd_code, icd_version) GROUP BY 1, 2, 3 ORDER BY 4 DESC, 1
-- analyst: sepsis or failure by title
SELECT count(DISTINCT hadm_id) FROM mimiciv_hosp.diagnoses_icd WHERE (icd_version = 9 AND icd_code LIKE '428%') OR (icd_version = 10 AND icd_code SIMILAR TO '(I50|I11)%')
-- analyst: abnormal labs
SELECT l.itemid, d.label, d.fluid, count(*) AS n, sum((flag = 'abnormal')::int) AS abnormal FROM mimiciv_hosp.labevents l INNER JOIN mimiciv_hosp.d_labitems d ON d.itemid = l.itemid WHERE l.hadm_id IS NOT NULL GROUP BY 1, 2, 3 ORDER BY n DESC, 1
-- analyst: lab values that are text --masked
SELECT value, count(*) FROM mimiciv_hosp.labevents WHERE itemid = 52033 GROUP BY value ORDER BY 2 DESC, 1
-- analyst: median lab per admission and day
SELECT hadm_id, DATE_TRUNC('day', charttime) AS d, PERCENTILE_CONT(0.5) WITHIN GROUP (ORDER BY valuenum) FROM mimiciv_hosp.labevents WHERE itemid = 50912 GROUP BY 1, 2 ORDER BY 1, 2 LIMIT 100
-- analyst: lactate clearance
SELECT a.hadm_id, first_value(l.valuenum) OVER w - last_value(l.valuenum) OVER w AS delta, nth_value(l.valuenum, 2) OVER w FROM mimiciv_hosp.admissions a JOIN mimiciv_hosp.labevents l ON l.hadm_id = a.hadm_id AND l.itemid = 50813 WINDOW w AS (PARTITION BY a.hadm_id ORDER BY l.charttime, l.valuenum ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING) ORDER BY 1, 2, 3 LIMIT 50
-- analyst: drug exposure days
SELECT drug, count(*), avg(stoptime - starttime), avg(EXTRACT(EPOCH FROM stoptime - starttime) / 86400.0)::numeric(10,3) FROM mimiciv_hosp.prescriptions GROUP BY drug ORDER BY 1
-- analyst: dose parsed from text
SELECT drug, regexp_replace(dose_val_rx, '[^0-9.]', '', 'g') AS d, (regexp_match(dose_val_rx, '([0-9]+)'))[1]::numeric AS first_number FROM mimiciv_hosp.prescriptions WHERE dose_val_rx ~ '[0-9]' ORDER BY drug, 2, 3 LIMIT 20
-- analyst: administration against order
SELECT p.drug, count(e.emar_id) FROM mimiciv_hosp.prescriptions p LEFT JOIN mimiciv_hosp.emar e ON e.pharmacy_id = p.pharmacy_id AND e.event_txt = 'Administered' GROUP BY p.drug ORDER BY 1
-- analyst: order identifiers
SELECT count(*), count(DISTINCT e.poe_id) FROM mimiciv_hosp.emar e JOIN mimiciv_hosp.prescriptions p ON p.poe_id = e.poe_id
-- analyst: dose given
SELECT e.medication, sum(CASE WHEN d.dose_given ~ '^[0-9.]+$' THEN d.dose_given::numeric END) FROM mimiciv_hosp.emar e JOIN mimiciv_hosp.emar_detail d ON d.emar_id = e.emar_id GROUP BY 1 ORDER BY 1
-- analyst: cultures
SELECT spec_type_desc, org_name, count(DISTINCT micro_specimen_id) FROM mimiciv_hosp.microbiologyevents GROUP BY 1, 2 ORDER BY 1, 2
-- analyst: transfers path
SELECT hadm_id, array_agg(careunit ORDER BY intime) AS path FROM mimiciv_hosp.transfers WHERE careunit IS NOT NULL GROUP BY hadm_id ORDER BY hadm_id LIMIT 20
-- analyst: emergency department stays
SELECT t.acuity, count(*), avg(e.outtime - e.intime) FROM mimiciv_ed.edstays e JOIN mimiciv_ed.triage t ON t.stay_id = e.stay_id GROUP BY t.acuity ORDER BY 1
-- analyst: chief complaints --masked
SELECT count(*) FROM mimiciv_ed.triage WHERE chiefcomplaint ILIKE '%chest pain%'
-- analyst: emergency vital signs
SELECT e.stay_id, max(v.heartrate), avg(v.sbp)::numeric(6,2) FROM mimiciv_ed.edstays e JOIN mimiciv_ed.vitalsign v USING (subject_id, stay_id) WHERE v.charttime BETWEEN e.intime AND e.intime + interval '1 hour' GROUP BY 1 ORDER BY 1 LIMIT 50
-- analyst: admissions by hour and weekday
SELECT EXTRACT(hour FROM admittime) AS h, to_char(admittime, 'Dy') AS d, count(*) FROM mimiciv_hosp.admissions GROUP BY 1, 2 ORDER BY 1, 2
-- analyst: insurance and ethnicity
SELECT insurance, CASE WHEN race LIKE 'WHITE%' THEN 'white' WHEN race LIKE 'BLACK%' THEN 'black' ELSE 'other' END AS r, count(*) FROM mimiciv_hosp.admissions GROUP BY 1, 2 ORDER BY 1, 2
-- analyst: body mass index --masked
SELECT avg(result_value::numeric) FROM mimiciv_hosp.omr WHERE result_name = 'BMI (kg/m2)' AND result_value ~ '^[0-9.]+$'
-- analyst: discharge notes
SELECT note_type, count(*), count(DISTINCT subject_id) FROM mimiciv_note.discharge GROUP BY note_type ORDER BY 1
-- analyst: words in notes --masked
SELECT count(*) FROM mimiciv_note.discharge WHERE text ILIKE '%pneumonia%'
-- analyst: items by category
SELECT linksto, category, count(*) FROM mimiciv_icu.d_items WHERE label ILIKE ANY (ARRAY['%weight%', '%rate%']) GROUP BY 1, 2 ORDER BY 1, 2
-- analyst: events per item lateral
SELECT d.itemid, d.label, x.n, x.m FROM mimiciv_icu.d_items d, LATERAL (SELECT count(*) AS n, max(valuenum) AS m FROM mimiciv_icu.chartevents c WHERE c.itemid = d.itemid) x ORDER BY 1
-- analyst: search path and bare names
SET search_path TO mimiciv_derived, mimiciv_hosp, mimiciv_icu, mimiciv_ed, public
-- then
SELECT count(*) FROM admissions JOIN icustays USING (hadm_id)
-- then
SELECT p.gender, count(*) FROM patients p GROUP BY p.gender ORDER BY 1
-- analyst: a materialised cohort in temporary tables
CREATE TEMP TABLE cohort AS SELECT DISTINCT ON (subject_id) subject_id, hadm_id, stay_id, intime, outtime FROM mimiciv_icu.icustays WHERE los > 1 ORDER BY subject_id, intime, stay_id
-- then
CREATE UNIQUE INDEX cohort_stay ON cohort (stay_id)
-- then
CREATE TEMP TABLE vitals AS SELECT c.stay_id, width_bucket(EXTRACT(EPOCH FROM ce.charttime - c.intime) / 3600, 0, 24, 4) AS q, avg(ce.valuenum) AS hr FROM cohort c JOIN mimiciv_icu.chartevents ce ON ce.stay_id = c.stay_id AND ce.itemid = 220045 GROUP BY 1, 2
-- then
SELECT q, count(*), round(avg(hr)::numeric, 3) FROM vitals GROUP BY q ORDER BY q
-- then
ALTER TABLE vitals ADD COLUMN flag boolean DEFAULT false
-- then
UPDATE vitals SET flag = true WHERE hr > 100
-- then
SELECT flag, count(*) FROM vitals GROUP BY flag ORDER BY flag
