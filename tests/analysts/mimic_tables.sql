-- A MIMIC-IV as far as the statements beside it need it, with made-up rows.
--
-- What columns hold, first match: the class, then patterns of [schema.]table.column.
-- class none: d_*.*
-- class person_key: *.subject_id
-- class record_key: *.hadm_id *.stay_id *.transfer_id *.labevent_id *.specimen_id *.microevent_id *.micro_specimen_id *.pharmacy_id *.orderid *.linkorderid
-- class provider_key: *.caregiver_id *provider_id
-- class embedded_key: *.poe_id *.emar_id *.note_id
-- class age: patients.anchor_age
-- class death_date: patients.dod admissions.deathtime
-- class date: *time *date datetimeevents.value
-- class free_text: discharge.text triage.chiefcomplaint
-- class text_value: chartevents.value labevents.value omr.result_value
-- class quasi: admissions.race admissions.insurance edstays.gender edstays.race patients.gender patients.anchor_year
-- class clinical: *
CREATE SCHEMA mimiciv_hosp;
CREATE SCHEMA mimiciv_icu;
CREATE SCHEMA mimiciv_ed;
CREATE SCHEMA mimiciv_note;
CREATE SCHEMA mimiciv_derived;
SET search_path = mimiciv_hosp, mimiciv_icu, mimiciv_ed, mimiciv_note, public;
CREATE TABLE mimiciv_hosp.patients (subject_id integer PRIMARY KEY, gender char(1), anchor_age smallint, anchor_year smallint, anchor_year_group varchar(20), dod date);
CREATE TABLE mimiciv_hosp.admissions (subject_id integer, hadm_id integer PRIMARY KEY, admittime timestamp, dischtime timestamp, deathtime timestamp, admission_type varchar(40), admit_provider_id varchar(10), discharge_location varchar(60), insurance varchar(255), race varchar(80), edregtime timestamp, hospital_expire_flag smallint);
CREATE TABLE mimiciv_hosp.diagnoses_icd (subject_id integer, hadm_id integer, seq_num integer, icd_code char(7), icd_version smallint);
CREATE TABLE mimiciv_hosp.d_icd_diagnoses (icd_code char(7), icd_version smallint, long_title varchar(255));
CREATE TABLE mimiciv_hosp.d_labitems (itemid integer PRIMARY KEY, label varchar(50), fluid varchar(50), category varchar(50));
CREATE TABLE mimiciv_hosp.labevents (labevent_id integer PRIMARY KEY, subject_id integer, hadm_id integer, specimen_id integer, itemid integer, charttime timestamp(0), storetime timestamp(0), value varchar(200), valuenum double precision, valueuom varchar(20), flag varchar(10));
CREATE TABLE mimiciv_hosp.microbiologyevents (microevent_id integer, subject_id integer, hadm_id integer, micro_specimen_id integer, chartdate timestamp(0), charttime timestamp(0), spec_type_desc varchar(100), org_itemid integer, org_name varchar(100));
CREATE TABLE mimiciv_hosp.omr (subject_id integer, chartdate date, seq_num integer, result_name varchar(100), result_value text);
CREATE TABLE mimiciv_hosp.prescriptions (subject_id integer, hadm_id integer, pharmacy_id integer, poe_id varchar(25), starttime timestamp(3), stoptime timestamp(3), drug_type varchar(20), drug varchar(255), dose_val_rx varchar(100), route varchar(50));
CREATE TABLE mimiciv_hosp.emar (subject_id integer, hadm_id integer, emar_id varchar(25), poe_id varchar(25), pharmacy_id integer, charttime timestamp, medication text, event_txt varchar(100));
CREATE TABLE mimiciv_hosp.emar_detail (subject_id integer, emar_id varchar(25), dose_given varchar(255));
CREATE TABLE mimiciv_hosp.transfers (subject_id integer, hadm_id integer, transfer_id integer, eventtype varchar(10), careunit varchar(255), intime timestamp, outtime timestamp);
CREATE TABLE mimiciv_icu.icustays (subject_id integer, hadm_id integer, stay_id integer PRIMARY KEY, first_careunit varchar(255), last_careunit varchar(255), intime timestamp, outtime timestamp, los double precision);
CREATE TABLE mimiciv_icu.d_items (itemid integer PRIMARY KEY, label varchar(100), linksto varchar(30), category varchar(50));
CREATE TABLE mimiciv_icu.chartevents (subject_id integer, hadm_id integer, stay_id integer, caregiver_id integer, charttime timestamp, storetime timestamp, itemid integer, value varchar(200), valuenum double precision, valueuom varchar(20));
CREATE TABLE mimiciv_icu.outputevents (subject_id integer, hadm_id integer, stay_id integer, charttime timestamp(3), itemid integer, value double precision);
CREATE TABLE mimiciv_icu.inputevents (subject_id integer, hadm_id integer, stay_id integer, starttime timestamp, endtime timestamp, itemid integer, amount double precision, rate double precision, rateuom varchar(20), orderid integer, linkorderid integer, patientweight double precision);
CREATE TABLE mimiciv_ed.edstays (subject_id integer, hadm_id integer, stay_id integer, intime timestamp(0), outtime timestamp(0), gender varchar(1), race varchar(60), disposition varchar(255));
CREATE TABLE mimiciv_ed.triage (subject_id integer, stay_id integer, temperature numeric, heartrate numeric, acuity numeric, chiefcomplaint varchar(255));
CREATE TABLE mimiciv_ed.vitalsign (subject_id integer, stay_id integer, charttime timestamp(0), heartrate numeric, sbp integer);
CREATE TABLE mimiciv_note.discharge (note_id varchar(25), subject_id integer, hadm_id integer, note_type varchar(2), charttime timestamp, text text);

INSERT INTO patients SELECT 10000 + g, CASE WHEN g % 2 = 0 THEN 'M' ELSE 'F' END, 18 + g * 7 % 74, 2110 + g % 80, '2008 - 2010', CASE WHEN g % 9 = 0 THEN make_date(2111 + g % 80, 1 + g % 12, 1 + g % 28) END FROM generate_series(1, 40) g;
INSERT INTO admissions SELECT 10001 + g % 40, 20000 + g, t, t + (1 + g % 12) * interval '29 hours', CASE WHEN g % 40 = 0 THEN t + interval '3 days' END, (ARRAY['EW EMER.', 'URGENT', 'ELECTIVE'])[1 + g % 3], 'P' || g % 50, (ARRAY['HOME', 'DIED', 'HOSPICE'])[1 + g % 3], (ARRAY['Medicare', 'Medicaid', 'Other'])[1 + g % 3], (ARRAY['WHITE', 'BLACK/AFRICAN AMERICAN', 'ASIAN'])[1 + g % 3], t - interval '6 hours', (g % 40 = 0)::integer
  FROM (SELECT g, make_timestamp(2111 + (1 + g % 40) % 80, 1 + g % 12, 1 + g % 28, g % 24, g % 60, 0) AS t FROM generate_series(1, 80) g) s;
INSERT INTO icustays SELECT subject_id, hadm_id, hadm_id + 10000, (ARRAY['Medical Intensive Care Unit', 'Coronary Care Unit'])[1 + hadm_id % 2], 'Medical Intensive Care Unit', admittime + interval '4 hours', admittime + interval '4 hours' + (1 + hadm_id % 6) * interval '20 hours', (1 + hadm_id % 6) * 20 / 24.0 FROM admissions WHERE hadm_id % 3 > 0;
INSERT INTO d_items SELECT i, (ARRAY['Heart Rate', 'Admission Weight', 'Daily rate'])[1 + i % 3], 'chartevents', 'Vitals' FROM unnest(ARRAY[220045, 220179, 220050, 220052, 223835, 223901, 223900, 220739, 226512, 224639, 221906, 226559, 227488, 225792]) i;
INSERT INTO chartevents SELECT s.subject_id, s.hadm_id, s.stay_id, 1 + g, s.intime + g * interval '1 hour', s.intime + g * interval '65 minutes', i, CASE WHEN i = 223900 AND g % 4 = 0 THEN 'No Response-ETT' ELSE ((i + g * 7 + s.stay_id) % 120)::text END, CASE WHEN i IN (223901, 223900, 220739) THEN 1 + (g + s.stay_id) % 5 ELSE 30 + (i + g * 7 + s.stay_id) % 90 END, 'x' FROM icustays s, generate_series(0, 5) g, unnest(ARRAY[220045, 220179, 220050, 220052, 223835, 223901, 223900, 220739, 224639]) i;
INSERT INTO outputevents SELECT subject_id, hadm_id, stay_id, intime + g * interval '2 hours', CASE WHEN g % 5 = 0 THEN 227488 ELSE 226559 END, 20 + (g * 37 + stay_id) % 200 FROM icustays, generate_series(0, 5) g;
INSERT INTO inputevents SELECT subject_id, hadm_id, stay_id, intime + g * interval '3 hours', intime + g * interval '3 hours' + interval '170 minutes', 221906, 3, 0.05 + g * 0.01, CASE WHEN g % 2 = 0 THEN 'mg/kg/min' ELSE 'mcg/kg/min' END, g, g / 2, CASE WHEN g = 0 THEN 1 ELSE 80 END FROM icustays, generate_series(0, 3) g WHERE stay_id % 4 = 0;
INSERT INTO d_labitems SELECT i, 'Lab ' || i, 'Blood', 'Chemistry' FROM unnest(ARRAY[50912, 51265, 50813, 50821, 50816, 52033, 50885, 51222]) i;
INSERT INTO labevents SELECT row_number() OVER (), a.subject_id, CASE WHEN g = 3 THEN NULL ELSE a.hadm_id END, a.hadm_id * 10 + g, i, a.admittime + g * interval '6 hours', a.admittime + g * interval '7 hours', CASE WHEN i = 52033 THEN 'ART.' WHEN g = 2 THEN '<0.1' ELSE x::text END, CASE WHEN i = 52033 OR g = 2 THEN NULL ELSE x END, 'mg/dL', CASE WHEN g % 3 = 0 THEN 'abnormal' END
  FROM admissions a, generate_series(0, 3) g, d_labitems d(i), LATERAL (SELECT CASE WHEN i IN (50821, 50816) THEN 21 ELSE 0.5 END + ((i + g * 13 + a.hadm_id) % 79) / 10.0) x(x);
INSERT INTO d_icd_diagnoses SELECT c, v, 'Disorder ' || c || CASE WHEN c IN ('A419', '0389') THEN ' sepsis' WHEN c LIKE 'I50%' THEN ' heart failure' ELSE '' END FROM (VALUES ('I10', 10), ('E119', 10), ('I509', 10), ('I110', 10), ('N179', 10), ('A419', 10), ('B20', 10), ('I43', 10), ('4019', 9), ('4280', 9), ('4254', 9), ('0389', 9)) AS t(c, v);
INSERT INTO diagnoses_icd SELECT a.subject_id, a.hadm_id, row_number() OVER (PARTITION BY a.hadm_id ORDER BY d.icd_code), d.icd_code, d.icd_version FROM admissions a JOIN d_icd_diagnoses d ON (a.hadm_id + ascii(substr(d.icd_code, 2)) * 3 + ascii(d.icd_code)) % 4 = 0;
INSERT INTO microbiologyevents SELECT row_number() OVER (), subject_id, hadm_id, hadm_id * 2 + g, date_trunc('day', admittime), CASE WHEN g = 0 THEN admittime + interval '5 hours' END, (ARRAY['BLOOD CULTURE', 'URINE'])[1 + g], CASE WHEN hadm_id % 3 = 0 THEN 80002 END, CASE WHEN hadm_id % 3 = 0 THEN 'ESCHERICHIA COLI' END FROM admissions, generate_series(0, 1) g;
INSERT INTO omr SELECT subject_id, make_date(anchor_year, 3, 1), 1, 'BMI (kg/m2)', (20 + subject_id % 15)::text FROM patients;
INSERT INTO prescriptions SELECT subject_id, hadm_id, hadm_id * 3 + g, subject_id || '-' || g, admittime + g * interval '1 day', admittime + (g + 2) * interval '1 day', 'MAIN', (ARRAY['Vancomycin', 'Piperacillin-Tazobactam', 'Heparin', 'Insulin'])[1 + (hadm_id + g) % 4], (ARRAY['1000', '2-4', '5,000'])[1 + g], (ARRAY['IV', 'PO'])[1 + g % 2] FROM admissions, generate_series(0, 2) g;
INSERT INTO emar SELECT subject_id, hadm_id, poe_id || '-1', poe_id, pharmacy_id, starttime, drug, (ARRAY['Administered', 'Not Given'])[1 + pharmacy_id % 2] FROM prescriptions;
INSERT INTO emar_detail SELECT subject_id, emar_id, CASE WHEN pharmacy_id % 3 = 0 THEN '___' ELSE '500' END FROM emar;
INSERT INTO transfers SELECT subject_id, hadm_id, hadm_id * 2 + g, 'transfer', (ARRAY['Medicine', 'Surgery'])[1 + (hadm_id + g) % 2], admittime + g * interval '10 hours', admittime + (g + 1) * interval '10 hours' FROM admissions, generate_series(0, 1) g;
INSERT INTO edstays SELECT subject_id, hadm_id, 50000 + hadm_id, edregtime, admittime, 'F', race, 'ADMITTED' FROM admissions;
INSERT INTO triage SELECT subject_id, stay_id, 98.6, 80, 1 + stay_id % 4, (ARRAY['Chest pain', 'Fall'])[1 + stay_id % 2] FROM edstays;
INSERT INTO vitalsign SELECT subject_id, stay_id, intime + g * interval '40 minutes', 80 + g, 110 + stay_id % 40 FROM edstays, generate_series(0, 2) g;
INSERT INTO discharge SELECT subject_id || '-DS-' || hadm_id, subject_id, hadm_id, 'DS', dischtime, 'Admitted with pneumonia.' FROM admissions;
CREATE INDEX ON chartevents (stay_id);
CREATE INDEX ON labevents (subject_id);
CREATE INDEX ON labevents (itemid);
CREATE INDEX ON diagnoses_icd (hadm_id);
RESET search_path;
