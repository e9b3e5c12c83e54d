-- An OMOP CDM 5.4 as far as the statements beside it need it, with made-up rows.
--
-- What columns hold, first match: the class, then patterns of [schema.]table.column.
-- class none: concept.* concept_ancestor.* concept_relationship.* concept_synonym.* cdm_source.*
-- class mrn: person.person_source_value
-- class birth_year: person.year_of_birth
-- class birth_part: person.month_of_birth person.day_of_birth
-- class birth_date: person.birth_datetime
-- class person_key: *.person_id *.subject_id
-- class provider_key: *.provider_id
-- class facility_key: *.care_site_id
-- class record_key: *_id_1 *_id_2 *_occurrence_id *_detail_id *_exposure_id *_period_id *_era_id
-- class record_key: *.measurement_id *.observation_id *.note_id *.note_nlp_id *.location_id *.cost_id *.cost_event_id *.episode_id *.event_id
-- class death_date: death.death_date
-- class date: *_date *_datetime
-- class free_text: note.note_text note.note_title note_nlp.snippet *.sig observation.value_as_string
-- class address: location.address_1
-- class city: location.city
-- class county: location.county
-- class state: location.state
-- class zip: location.zip
-- class facility: care_site.care_site_name
-- class provider_name: provider.provider_name
-- class provider_npi: provider.npi
-- class health_plan_id: payer_plan_period.family_source_value
-- class financial: cost.total_*
-- class quasi: person.*
-- class clinical: *
CREATE TABLE concept (concept_id integer PRIMARY KEY, concept_name varchar(255), domain_id varchar(20), vocabulary_id varchar(20), concept_class_id varchar(20), standard_concept varchar(1), concept_code varchar(50), valid_start_date date, valid_end_date date, invalid_reason varchar(1));
CREATE TABLE concept_ancestor (ancestor_concept_id integer, descendant_concept_id integer, min_levels_of_separation integer, max_levels_of_separation integer);
CREATE TABLE concept_relationship (concept_id_1 integer, concept_id_2 integer, relationship_id varchar(20), valid_start_date date, valid_end_date date, invalid_reason varchar(1));
CREATE TABLE concept_synonym (concept_id integer, concept_synonym_name varchar(1000), language_concept_id integer);
CREATE TABLE cdm_source (cdm_source_name varchar(255), cdm_holder varchar(255), cdm_version varchar(10), cdm_release_date date);
CREATE TABLE location (location_id integer PRIMARY KEY, address_1 varchar(50), city varchar(50), state varchar(2), zip varchar(9), county varchar(20));
CREATE TABLE care_site (care_site_id integer PRIMARY KEY, care_site_name varchar(255), place_of_service_concept_id integer, location_id integer);
CREATE TABLE provider (provider_id integer PRIMARY KEY, provider_name varchar(255), npi varchar(20), specialty_concept_id integer, care_site_id integer, gender_concept_id integer, specialty_source_value varchar(50));
CREATE TABLE person (person_id integer PRIMARY KEY, gender_concept_id integer, year_of_birth integer, month_of_birth integer, day_of_birth integer, birth_datetime timestamp, race_concept_id integer, ethnicity_concept_id integer, location_id integer, provider_id integer, care_site_id integer, person_source_value varchar(50), gender_source_value varchar(50), race_source_value varchar(50));
CREATE TABLE observation_period (observation_period_id integer PRIMARY KEY, person_id integer, observation_period_start_date date, observation_period_end_date date, period_type_concept_id integer);
CREATE TABLE visit_occurrence (visit_occurrence_id integer PRIMARY KEY, person_id integer, visit_concept_id integer, visit_start_date date, visit_start_datetime timestamp, visit_end_date date, visit_end_datetime timestamp, visit_type_concept_id integer, provider_id integer, care_site_id integer);
CREATE TABLE condition_occurrence (condition_occurrence_id integer PRIMARY KEY, person_id integer, condition_concept_id integer, condition_start_date date, condition_start_datetime timestamp, condition_end_date date, condition_type_concept_id integer, stop_reason varchar(20), provider_id integer, visit_occurrence_id integer, condition_source_value varchar(50), condition_source_concept_id integer);
CREATE TABLE drug_exposure (drug_exposure_id integer PRIMARY KEY, person_id integer, drug_concept_id integer, drug_exposure_start_date date, drug_exposure_start_datetime timestamp, drug_exposure_end_date date, drug_type_concept_id integer, refills integer, quantity numeric, days_supply integer, sig text, route_concept_id integer, provider_id integer, visit_occurrence_id integer, drug_source_value varchar(50));
CREATE TABLE procedure_occurrence (procedure_occurrence_id integer PRIMARY KEY, person_id integer, procedure_concept_id integer, procedure_date date, procedure_datetime timestamp, procedure_type_concept_id integer, quantity integer, visit_occurrence_id integer, procedure_source_value varchar(50));
CREATE TABLE measurement (measurement_id integer PRIMARY KEY, person_id integer, measurement_concept_id integer, measurement_date date, measurement_datetime timestamp, measurement_type_concept_id integer, operator_concept_id integer, value_as_number numeric, value_as_concept_id integer, unit_concept_id integer, range_low numeric, range_high numeric, visit_occurrence_id integer, measurement_source_value varchar(50), unit_source_value varchar(50));
CREATE TABLE observation (observation_id integer PRIMARY KEY, person_id integer, observation_concept_id integer, observation_date date, observation_datetime timestamp, observation_type_concept_id integer, value_as_number numeric, value_as_string varchar(60), value_as_concept_id integer, visit_occurrence_id integer, observation_source_value varchar(50));
CREATE TABLE death (person_id integer, death_date date, death_type_concept_id integer, cause_concept_id integer);
CREATE TABLE note (note_id integer PRIMARY KEY, person_id integer, note_date date, note_type_concept_id integer, note_class_concept_id integer, note_title varchar(250), note_text text, visit_occurrence_id integer);
CREATE TABLE note_nlp (note_nlp_id integer PRIMARY KEY, note_id integer, snippet varchar(250), "offset" varchar(50), note_nlp_concept_id integer, nlp_system varchar(250), nlp_date date, term_exists varchar(1));
CREATE TABLE fact_relationship (domain_concept_id_1 integer, fact_id_1 integer, domain_concept_id_2 integer, fact_id_2 integer, relationship_concept_id integer);
CREATE TABLE payer_plan_period (payer_plan_period_id integer PRIMARY KEY, person_id integer, payer_plan_period_start_date date, payer_plan_period_end_date date, payer_source_value varchar(50), plan_source_value varchar(50), family_source_value varchar(50));
CREATE TABLE cost (cost_id integer PRIMARY KEY, cost_event_id integer, cost_domain_id varchar(20), total_charge numeric, total_cost numeric, total_paid numeric);
CREATE TABLE drug_era (drug_era_id integer PRIMARY KEY, person_id integer, drug_concept_id integer, drug_era_start_date date, drug_era_end_date date, drug_exposure_count integer, gap_days integer);
CREATE TABLE condition_era (condition_era_id integer PRIMARY KEY, person_id integer, condition_concept_id integer, condition_era_start_date date, condition_era_end_date date, condition_occurrence_count integer);
CREATE TABLE episode (episode_id integer PRIMARY KEY, person_id integer, episode_concept_id integer, episode_start_date date, episode_end_date date);
CREATE TABLE episode_event (episode_id integer, event_id integer, episode_event_field_concept_id integer);
CREATE TABLE cohort (cohort_definition_id integer, subject_id integer, cohort_start_date date, cohort_end_date date);
CREATE SCHEMA results;
CREATE TABLE results.cohort (cohort_definition_id bigint, subject_id bigint, cohort_start_date date, cohort_end_date date);

INSERT INTO concept SELECT id, name, domain, vocabulary, 'Clinical', 'S', 'C' || id, '1970-01-01', '2099-12-31', NULL FROM (VALUES
  (8507, 'MALE', 'Gender', 'Gender'), (8532, 'FEMALE', 'Gender', 'Gender'), (0, 'No matching concept', 'Metadata', 'None'),
  (9201, 'Inpatient Visit', 'Visit', 'Visit'), (9202, 'Outpatient Visit', 'Visit', 'Visit'), (9203, 'Emergency Room Visit', 'Visit', 'Visit'),
  (260139, 'Acute bronchitis', 'Condition', 'SNOMED'), (40481087, 'Viral sinusitis', 'Condition', 'SNOMED'), (4112343, 'Acute viral pharyngitis', 'Condition', 'SNOMED'),
  (192671, 'Gastrointestinal hemorrhage', 'Condition', 'SNOMED'), (4329847, 'Myocardial infarction', 'Condition', 'SNOMED'), (4283893, 'Sinusitis', 'Condition', 'SNOMED'),
  (1124300, 'Diclofenac', 'Drug', 'RxNorm'), (1118084, 'celecoxib', 'Drug', 'RxNorm'), (1127433, 'Acetaminophen 325 MG Oral Tablet', 'Drug', 'RxNorm'),
  (3038553, 'Body mass index', 'Measurement', 'LOINC'), (3004249, 'Systolic blood pressure', 'Measurement', 'LOINC'), (3012888, 'Diastolic blood pressure', 'Measurement', 'LOINC')
) AS v(id, name, domain, vocabulary);
INSERT INTO concept_ancestor SELECT concept_id, concept_id, 0, 0 FROM concept;
INSERT INTO concept_ancestor VALUES (4283893, 40481087, 1, 1), (4112343, 260139, 1, 2);
INSERT INTO concept_relationship VALUES (1124300, 1118084, 'Has relat', '1970-01-01', '2099-12-31', NULL), (260139, 4112343, 'Is a', '1970-01-01', '2099-12-31', NULL), (40481087, 4283893, 'Is a', '1970-01-01', '2099-12-31', NULL);
INSERT INTO concept_synonym SELECT concept_id, upper(concept_name), 4180186 FROM concept;
INSERT INTO cdm_source VALUES ('made up', 'nobody', 'v5.4', '2020-01-01');
INSERT INTO location SELECT g, g || ' Elm Street', 'Springfield', (ARRAY['MA', 'NJ', 'VT'])[1 + g % 3], lpad((2000 + g * 37 % 900)::text, 5, '0'), 'Essex' FROM generate_series(1, 40) g;
INSERT INTO care_site SELECT g, 'Site ' || g, 8700 + g % 3, g FROM generate_series(1, 6) g;
INSERT INTO provider SELECT g, 'Dr. Number ' || g, lpad(g::text, 10, '9'), 38004400 + g % 4, 1 + g % 6, 8507 + 25 * (g % 2), (ARRAY['Cardiology', 'Surgery'])[1 + g % 2] FROM generate_series(1, 20) g;
INSERT INTO person SELECT g, CASE WHEN g % 2 = 0 THEN 8507 ELSE 8532 END, y, m, d, make_timestamp(y, m, d, 8, 0, 0), 8516 + g % 3, 38003563 + g % 2, 1 + g % 40, 1 + g % 20, 1 + g % 6, 'MRN' || g, CASE WHEN g % 2 = 0 THEN 'M' ELSE 'F' END, 'race ' || g % 3
  FROM (SELECT g, 1920 + g * 13 % 85 AS y, 1 + g * 7 % 12 AS m, 1 + g * 11 % 28 AS d FROM generate_series(1, 80) g) s;
INSERT INTO observation_period SELECT person_id, person_id, make_date(2000 + person_id % 5, 1, 1), make_date(2011 + person_id % 8, 6, 30), 44814724 FROM person;
INSERT INTO visit_occurrence SELECT row_number() OVER (), person_id, 9201 + g % 3, d, d + time '09:00', d + g % 9, d + g % 9 + time '17:30', 44818517, 1 + g % 20, 1 + g % 6
  FROM (SELECT person_id, g, make_date(2003, 1, 1) + (person_id * 97 + g * 211) % 4000 AS d FROM person, generate_series(1, 4) g) s;
INSERT INTO condition_occurrence SELECT row_number() OVER (), person_id, (ARRAY[260139, 40481087, 4112343, 192671, 4329847])[1 + (person_id + g * g) % 5], d, d + time '10:00', CASE WHEN g % 3 > 0 THEN d + g * 5 END, 32020, NULL, 1 + g % 20, CASE WHEN g % 4 = 0 THEN NULL ELSE (person_id - 1) * 4 + 1 + g % 4 END, 'icd' || g, 0
  FROM (SELECT person_id, g, make_date(2004, 1, 1) + (person_id * 31 + g * 173) % 3900 AS d FROM person, generate_series(1, 6) g) s;
INSERT INTO drug_exposure SELECT row_number() OVER (), person_id, (ARRAY[1124300, 1118084, 1127433])[1 + (person_id + g) % 3], d, d::timestamp, d + 10 + g, 38000177, g % 3, 30, 10 + g, 'take one', 4132161, 1 + g % 20, (person_id - 1) * 4 + 1 + g % 4, 'ndc' || g
  FROM (SELECT person_id, g, make_date(2005, 1, 1) + (person_id * 53 + g * 29) % 3800 AS d FROM person, generate_series(1, 5) g) s;
INSERT INTO procedure_occurrence SELECT row_number() OVER (), person_id, 4000000 + g, make_date(2006, 1, 1) + person_id * 7 % 3000, NULL, 38000275, 1, (person_id - 1) * 4 + 1, 'cpt' || g FROM person, generate_series(1, 2) g;
INSERT INTO measurement SELECT row_number() OVER (), person_id, c, d, d + time '11:00', 44818701, 4172703, CASE WHEN (person_id + g) % 17 > 0 THEN 18 + (person_id * 3 + g * 5 + c % 10 * 11) % 120 END, NULL, 8876 + c % 2, 20, 110, (person_id - 1) * 4 + 1 + g % 4, 'loinc', 'mmHg'
  FROM (SELECT person_id, g, c, make_date(2005, 6, 1) + (person_id * 41 + g * 97) % 3600 AS d FROM person, generate_series(1, 3) g, unnest(ARRAY[3038553, 3004249, 3012888]) c) s;
INSERT INTO observation SELECT person_id, person_id, 4275495, make_date(2009, 1, 1) + person_id, NULL, 38000280, NULL, CASE WHEN person_id % 2 = 0 THEN '12' ELSE 'smoker' END, NULL, NULL, 'obs' FROM person;
INSERT INTO death SELECT person_id, make_date(2012, 1, 1) + person_id * 3, 32817, 4329847 FROM person WHERE person_id % 11 = 0;
INSERT INTO note SELECT person_id, person_id, make_date(2008, 1, 1) + person_id, 44814637 + person_id % 2, 0, 'Progress note', 'Complains of chest pain. Seen by Dr. Number 3.', NULL FROM person WHERE person_id % 3 = 0;
INSERT INTO note_nlp SELECT note_id, note_id, 'chest pain', '13', 4329847, 'rules', note_date, 'Y' FROM note;
INSERT INTO fact_relationship SELECT 21, person_id, 19, person_id, 44818790 FROM person WHERE person_id % 5 = 0;
INSERT INTO payer_plan_period SELECT person_id, person_id, '2005-01-01', '2010-12-31', (ARRAY['Medicare', 'Aetna'])[1 + person_id % 2], 'gold', 'F' || person_id FROM person;
INSERT INTO cost SELECT visit_occurrence_id, visit_occurrence_id, 'Visit', 100 + visit_occurrence_id % 70, 90, 80 FROM visit_occurrence;
INSERT INTO cost SELECT 100000 + drug_exposure_id, drug_exposure_id, 'Drug', 10 + drug_exposure_id % 7, 9, 8 FROM drug_exposure;
INSERT INTO drug_era SELECT row_number() OVER (), person_id, drug_concept_id, min(drug_exposure_start_date), max(drug_exposure_end_date), count(*), 0 FROM drug_exposure GROUP BY person_id, drug_concept_id;
INSERT INTO condition_era SELECT row_number() OVER (), person_id, condition_concept_id, min(condition_start_date), max(coalesce(condition_end_date, condition_start_date)), count(*) FROM condition_occurrence GROUP BY person_id, condition_concept_id;
INSERT INTO episode SELECT person_id, person_id, 32531, '2010-01-01', '2010-12-31' FROM person WHERE person_id % 7 = 0;
INSERT INTO episode_event SELECT episode_id, episode_id * 6, 1147127 FROM episode;
INSERT INTO cohort SELECT 1, person_id, min(condition_start_date), min(condition_start_date) + 365 FROM condition_occurrence WHERE condition_concept_id IN (40481087, 4112343) GROUP BY person_id;
CREATE INDEX ON condition_occurrence (person_id);
CREATE INDEX ON drug_exposure (person_id);
CREATE INDEX ON measurement (person_id);
CREATE INDEX ON visit_occurrence (person_id);
CREATE INDEX ON condition_occurrence (condition_concept_id);
