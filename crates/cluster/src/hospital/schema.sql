-- A small hospital: what a clinical analyst would expect to find, with every kind of identifier
-- that 45 CFR 164.514(b)(2) lists somewhere in it.
CREATE TYPE claim_status AS ENUM ('submitted', 'paid', 'denied', 'appealed');

CREATE TABLE departments (
  department_id int PRIMARY KEY,
  name          text NOT NULL,
  floor         smallint NOT NULL
);

CREATE TABLE providers (
  provider_id   int PRIMARY KEY,
  npi           char(10) NOT NULL UNIQUE,
  first_name    text NOT NULL,
  last_name     text NOT NULL,
  specialty     text NOT NULL,
  department_id int NOT NULL REFERENCES departments
);

CREATE TABLE patients (
  patient_id      int PRIMARY KEY,
  record_uuid     uuid NOT NULL UNIQUE,
  mrn             varchar(12) NOT NULL UNIQUE,
  ssn             char(11),
  first_name      text NOT NULL,
  middle_name     text,
  last_name       text NOT NULL,
  birth_date      date NOT NULL,
  death_date      date,
  sex             char(1) NOT NULL CHECK (sex IN ('F', 'M')),
  language        text NOT NULL,
  marital_status  text,
  street_address  text NOT NULL,
  city            text NOT NULL,
  state           char(2) NOT NULL,
  zip             varchar(10) NOT NULL,
  phone           varchar(20),
  fax             varchar(20),
  email           text,
  health_plan_id  varchar(16),
  account_number  bigint NOT NULL,
  drivers_license varchar(20),
  license_plate   varchar(10),
  portal_url      text,
  last_login_ip   inet,
  photo           bytea,
  provider_id     int REFERENCES providers,
  registered_at   timestamptz NOT NULL
);

CREATE TABLE encounters (
  encounter_id  bigint PRIMARY KEY,
  patient_id    int NOT NULL REFERENCES patients,
  provider_id   int NOT NULL REFERENCES providers,
  department_id int NOT NULL REFERENCES departments,
  kind          text NOT NULL,
  started_at    timestamptz NOT NULL,
  ended_at      timestamptz,
  age_at_visit  smallint NOT NULL,
  disposition   text,
  total_charge  numeric(10,2) NOT NULL
);

CREATE TABLE observations (
  observation_id bigint PRIMARY KEY,
  encounter_id   bigint NOT NULL REFERENCES encounters,
  patient_id     int NOT NULL REFERENCES patients,
  loinc          varchar(10) NOT NULL,
  description    text NOT NULL,
  value          numeric(8,2),
  unit           varchar(12),
  taken_at       timestamptz NOT NULL
);

CREATE TABLE conditions (
  condition_id bigint PRIMARY KEY,
  encounter_id bigint NOT NULL REFERENCES encounters,
  patient_id   int NOT NULL REFERENCES patients,
  icd10        varchar(8) NOT NULL,
  description  text NOT NULL,
  onset_date   date NOT NULL,
  resolved     boolean NOT NULL
);

CREATE TABLE medications (
  medication_id bigint PRIMARY KEY,
  encounter_id  bigint NOT NULL REFERENCES encounters,
  patient_id    int NOT NULL REFERENCES patients,
  rxnorm        int NOT NULL,
  description   text NOT NULL,
  dose_mg       real NOT NULL,
  started_on    date NOT NULL,
  stopped_on    date
);

CREATE TABLE notes (
  note_id      bigint PRIMARY KEY,
  encounter_id bigint NOT NULL REFERENCES encounters,
  patient_id   int NOT NULL REFERENCES patients,
  author_id    int NOT NULL REFERENCES providers,
  kind         text NOT NULL,
  written_at   timestamptz NOT NULL,
  body         text NOT NULL
);

CREATE TABLE devices (
  device_id     int PRIMARY KEY,
  patient_id    int NOT NULL REFERENCES patients,
  device_serial varchar(24) NOT NULL UNIQUE,
  description   text NOT NULL,
  implanted_on  date NOT NULL
);

CREATE TABLE claims (
  claim_id     bigint PRIMARY KEY,
  encounter_id bigint NOT NULL REFERENCES encounters,
  patient_id   int NOT NULL REFERENCES patients,
  payer        text NOT NULL,
  member_id    varchar(16),
  claim_number varchar(20) NOT NULL,
  amount       numeric(10,2) NOT NULL,
  status       claim_status NOT NULL,
  submitted_on date NOT NULL,
  details      jsonb NOT NULL
);
