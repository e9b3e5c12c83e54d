-- The relations that the captured statements name.
CREATE TABLE patients (id int PRIMARY KEY, mrn text, name text, ssn text, birth_date date, zip text,
  email text, notes text, diagnosis text);
CREATE TABLE visits (id int PRIMARY KEY, patient_id int, admitted timestamptz, reason text);
CREATE SCHEMA hr;
CREATE TABLE hr.emp (a serial, c text, d text, e text, f text, g text, h text, i text, j text, k text, l text);
CREATE TABLE parted_1 (id int, k int, note text);
CREATE SEQUENCE sq;
