-- Synthea's CSV tables as far as the statements beside it need them, with made-up rows.
--
-- What columns hold, first match: the class, then patterns of [schema.]table.column.
-- class person_key: patients.id *.patient *.patientid
-- class record_key: encounters.id claims.id *.encounter *.claimid *.appointmentid
-- class provider_key: providers.id *.provider
-- class facility_key: organizations.id *.organization
-- class birth_date: patients.birthdate
-- class death_date: patients.deathdate
-- class ssn: patients.ssn
-- class license: patients.drivers
-- class name: patients.first patients.last
-- class provider_name: providers.name
-- class facility: organizations.name
-- class address: patients.address
-- class city: patients.city
-- class county: patients.county
-- class zip: patients.zip
-- class state: patients.state organizations.state
-- class date: *.start *.stop *.date
-- class quasi: patients.* providers.gender
-- class financial: *cost *coverage *.amount *.payments *.outstanding1
-- class none: payers.*
-- class clinical: *
CREATE TABLE patients (id uuid PRIMARY KEY, birthdate date, deathdate date, ssn text, drivers text, first text, last text, marital text, race text, ethnicity text, gender text, address text, city text, state text, county text, zip text, healthcare_coverage numeric);
CREATE TABLE organizations (id uuid PRIMARY KEY, name text, state text, utilization integer);
CREATE TABLE providers (id uuid PRIMARY KEY, organization uuid, name text, gender text, speciality text);
CREATE TABLE payers (id uuid PRIMARY KEY, name text);
CREATE TABLE encounters (id uuid PRIMARY KEY, start timestamp, stop timestamp, patient uuid, organization uuid, provider uuid, payer uuid, encounterclass text, code text, description text, base_encounter_cost numeric, total_claim_cost numeric, payer_coverage numeric, reasondescription text);
CREATE TABLE conditions (start date, stop date, patient uuid, encounter uuid, code text, description text);
CREATE TABLE medications (start timestamp, stop timestamp, patient uuid, payer uuid, encounter uuid, code text, description text, totalcost numeric, reasondescription text);
CREATE TABLE procedures (start timestamp, stop timestamp, patient uuid, encounter uuid, code text, description text, base_cost numeric);
CREATE TABLE immunizations (date timestamp, patient uuid, encounter uuid, code text, description text);
CREATE TABLE observations (date timestamp, patient uuid, encounter uuid, code text, description text, value text, units text, type text);
CREATE TABLE allergies (start date, patient uuid, encounter uuid, code text, description text, category text);
CREATE TABLE careplans (start date, stop date, patient uuid, description text);
CREATE TABLE claims (id uuid PRIMARY KEY, patientid uuid, appointmentid uuid, status1 text, outstanding1 numeric, diagnosis1 text);
CREATE TABLE claims_transactions (claimid uuid, patientid uuid, type text, method text, amount numeric, payments numeric);
CREATE TABLE payer_transitions (patient uuid, start_year integer, end_year integer, payer uuid);
CREATE TABLE devices (patient uuid, description text);
CREATE TABLE supplies (patient uuid, description text, quantity integer);
CREATE TABLE imaging_studies (date timestamp, patient uuid, modality_code text, bodysite_description text);

INSERT INTO patients SELECT md5('patient' || g)::uuid, make_date(1925 + g * 7 % 90, 1 + g % 12, 1 + g % 28), CASE WHEN g % 7 = 0 THEN make_date(2018, 1 + g % 12, 3) END, '999-10-' || 1000 + g, 'S99' || g, 'Ada' || g, 'Quill' || g % 20, 'M', (ARRAY['white', 'black', 'asian'])[1 + g % 3], 'nonhispanic', (ARRAY['F', 'M'])[1 + g % 2], g || ' Elm Street', 'Springfield', 'MA', (ARRAY['Essex', 'Suffolk'])[1 + g % 2], '0' || 2100 + g % 50, g * 10.5 FROM generate_series(1, 40) g;
INSERT INTO organizations SELECT md5('organization' || g)::uuid, 'Hospital ' || g, (ARRAY['MA', 'VT'])[1 + g % 2], g * 3 FROM generate_series(1, 8) g;
INSERT INTO providers SELECT md5('provider' || g)::uuid, md5('organization' || 1 + g % 8)::uuid, 'Provider ' || g, (ARRAY['F', 'M'])[1 + g % 2], (ARRAY['GENERAL PRACTICE', 'SURGERY'])[1 + g % 2] FROM generate_series(1, 20) g;
INSERT INTO payers SELECT md5('payer' || g)::uuid, 'Payer ' || g FROM generate_series(1, 4) g;
INSERT INTO encounters SELECT md5('encounter' || p || '/' || e)::uuid, t, t + (1 + (p + e) % 50) * interval '37 minutes', md5('patient' || p)::uuid, md5('organization' || 1 + e % 8)::uuid, md5('provider' || 1 + (p + e) % 20)::uuid, md5('payer' || 1 + p % 4)::uuid, (ARRAY['ambulatory', 'inpatient', 'emergency', 'wellness'])[1 + (p + e) % 4], '185345009', 'Encounter for symptom', 75.5, 80 + (p * e) % 900, (p * e) % 80, NULL
  FROM (SELECT p, e, timestamp '2010-01-01 08:00' + (p * 211 + e * 397) % 3900 * interval '1 day' AS t FROM generate_series(1, 40) p, generate_series(1, 6) e) s;
INSERT INTO conditions SELECT start::date, CASE WHEN extract(day FROM start)::integer % 2 = 0 THEN start::date + 20 END, patient, id, c.code, c.description FROM encounters, LATERAL (VALUES ('44054006', 'Diabetes'), ('10509002', 'Acute bronchitis'), ('72892002', 'Normal pregnancy'), ('38341003', 'Hypertension')) AS c(code, description) WHERE (ascii(id::text) + ascii(c.code)) % 4 = 0;
INSERT INTO medications SELECT start, CASE WHEN total_claim_cost::integer % 3 > 0 THEN start + interval '30 days' END, patient, payer, id, '860975', (ARRAY['Metformin', 'Amoxicillin'])[1 + total_claim_cost::integer % 2], total_claim_cost / 4, CASE WHEN total_claim_cost::integer % 4 = 0 THEN 'Diabetes' END FROM encounters;
INSERT INTO procedures SELECT start, stop, patient, id, '430193006', (ARRAY['Medication Reconciliation', 'Chest X-ray'])[1 + total_claim_cost::integer % 2], total_claim_cost FROM encounters;
INSERT INTO immunizations SELECT start, patient, id, (ARRAY['140', '121'])[1 + total_claim_cost::integer % 2], 'Vaccine' FROM encounters WHERE encounterclass = 'wellness';
INSERT INTO observations SELECT start, patient, id, c.code, c.description, CASE WHEN c.type = 'text' THEN 'Never smoker' ELSE round(20 + total_claim_cost % 30 + ascii(c.code), 1)::text END, c.units, c.type FROM encounters, LATERAL (VALUES ('39156-5', 'Body Mass Index', 'kg/m2', 'numeric'), ('8480-6', 'Systolic Blood Pressure', 'mm[Hg]', 'numeric'), ('72166-2', 'Tobacco smoking status', NULL, 'text')) AS c(code, description, units, type);
INSERT INTO allergies SELECT start::date, patient, id, '419474003', 'Allergy', (ARRAY['food', 'medication'])[1 + total_claim_cost::integer % 2] FROM encounters WHERE encounterclass = 'emergency';
INSERT INTO careplans SELECT start::date, CASE WHEN total_claim_cost::integer % 2 = 0 THEN stop::date END, patient, 'Diabetes self management plan' FROM encounters WHERE encounterclass = 'ambulatory';
INSERT INTO claims SELECT md5('claim' || id)::uuid, patient, id, (ARRAY['CLOSED', 'BILLED'])[1 + total_claim_cost::integer % 2], total_claim_cost - payer_coverage, code FROM encounters;
INSERT INTO claims_transactions SELECT id, patientid, (ARRAY['CHARGE', 'PAYMENT'])[g], (ARRAY['CASH', 'CHECK'])[g], outstanding1, outstanding1 / 2 FROM claims, generate_series(1, 2) g;
INSERT INTO payer_transitions SELECT id, 2010 + g, 2011 + g, md5('payer' || 1 + g % 4)::uuid FROM patients, generate_series(1, 3) g;
INSERT INTO devices SELECT id, 'Pacemaker' FROM patients WHERE deathdate IS NOT NULL;
INSERT INTO supplies SELECT id, 'Gauze', 2 FROM patients;
INSERT INTO imaging_studies SELECT start, patient, (ARRAY['CR', 'CT'])[1 + total_claim_cost::integer % 2], 'Chest' FROM encounters WHERE encounterclass = 'inpatient';
CREATE INDEX ON encounters (patient);
CREATE INDEX ON observations (patient);
