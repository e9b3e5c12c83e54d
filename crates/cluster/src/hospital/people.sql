-- Departments, providers, patients. @SEED@ and @PATIENTS@ are replaced before this runs; today is
-- 2026-06-30 in this hospital, whatever the machine's clock says.

-- A number from 0 to size - 1 that depends on nothing but its arguments and the seed.
CREATE FUNCTION pg_temp.draw(row_id bigint, purpose int, size int) RETURNS int
LANGUAGE sql IMMUTABLE
RETURN (abs(hashint8extended(row_id, @SEED@ * 1000 + purpose) / 2) % size)::int;

INSERT INTO departments VALUES
  (1, 'Emergency', 0), (2, 'Internal Medicine', 2), (3, 'Cardiology', 3), (4, 'Oncology', 5),
  (5, 'Orthopedics', 4), (6, 'Pediatrics', 1), (7, 'Obstetrics', 1), (8, 'Neurology', 3),
  (9, 'Psychiatry', 6), (10, 'Surgery', 4), (11, 'Radiology', 0), (12, 'Laboratory', 0);

INSERT INTO providers
SELECT n, (1000000000 + 7919::bigint * n)::text, given.name, family.name, departments.name, departments.department_id
FROM generate_series(1, 160) AS n
JOIN given ON given.sex = CASE pg_temp.draw(n, 901, 2) WHEN 0 THEN 'F' ELSE 'M' END
          AND given.number = pg_temp.draw(n, 902, 60)
JOIN family ON family.number = pg_temp.draw(n, 903, (SELECT count(*)::int FROM family))
JOIN departments ON departments.department_id = 1 + n % 12;

INSERT INTO patients
SELECT
  n,
  md5('@SEED@-' || n)::uuid,
  'M' || lpad((100000 + n * 7 % 899999)::text, 8, '0'),
  -- Areas 900 to 999 are never issued as Social Security numbers.
  CASE WHEN draw_ssn < 97 THEN format('9%s-%s-%s', lpad(pg_temp.draw(n, 2, 100)::text, 2, '0'),
    lpad((1 + pg_temp.draw(n, 3, 99))::text, 2, '0'), lpad(pg_temp.draw(n, 4, 10000)::text, 4, '0')) END,
  given.name,
  CASE WHEN pg_temp.draw(n, 5, 3) > 0 THEN middle.name END,
  family.name,
  born,
  CASE WHEN pg_temp.draw(n, 6, 100) < CASE WHEN born < '1940-01-01' THEN 40 ELSE 2 END
       THEN LEAST(date '2019-01-01' + pg_temp.draw(n, 7, 2700), date '2026-06-30') END,
  person.sex,
  (ARRAY['English','English','English','English','Spanish','Spanish','Portuguese','Arabic','Vietnamese','Polish'])[1 + pg_temp.draw(n, 8, 10)],
  (ARRAY['single','married','widowed','divorced',NULL])[1 + pg_temp.draw(n, 9, 5)],
  (1 + pg_temp.draw(n, 10, 1900)) || ' ' || street.name
    || CASE WHEN pg_temp.draw(n, 11, 4) = 0 THEN ', Apt ' || (1 + pg_temp.draw(n, 12, 60)) ELSE '' END,
  place.city,
  place.state,
  place.zip3 || lpad(pg_temp.draw(n, 13, 100)::text, 2, '0')
    || CASE WHEN pg_temp.draw(n, 14, 5) = 0 THEN '-' || lpad(pg_temp.draw(n, 15, 10000)::text, 4, '0') ELSE '' END,
  -- 555-0100 to 555-0199 are set aside for examples, as are example.org and the networks below.
  CASE WHEN pg_temp.draw(n, 16, 20) > 0 THEN format('(%s) 555-01%s', 201 + pg_temp.draw(n, 17, 780), lpad(pg_temp.draw(n, 18, 100)::text, 2, '0')) END,
  CASE WHEN pg_temp.draw(n, 19, 25) = 0 THEN format('(%s) 555-01%s', 201 + pg_temp.draw(n, 20, 780), lpad(pg_temp.draw(n, 21, 100)::text, 2, '0')) END,
  CASE WHEN pg_temp.draw(n, 22, 5) > 0 THEN lower(given.name) || '.' || lower(translate(family.name, 'öÖ''', 'oO')) || n || '@example.org' END,
  CASE WHEN pg_temp.draw(n, 23, 12) > 0 THEN 'HP' || lpad(((n::bigint * 48271 + @SEED@) % 100000000)::text, 9, '0') END,
  4000000000 + (n::bigint * 69621 + @SEED@) % 999999937,
  CASE WHEN born < '2010-01-01' THEN place.state || lpad(((n::bigint * 16807) % 10000000)::text, 7, '0') END,
  CASE WHEN born < '2008-01-01' AND pg_temp.draw(n, 24, 3) > 0
       THEN translate(upper(left(md5('plate' || n || '@SEED@'), 3)), '0123456789', 'GHJKLMNPQR') || '-' || (1000 + pg_temp.draw(n, 25, 9000)) END,
  'https://portal.example.org/p/' || md5('portal' || n || '@SEED@'),
  ('203.0.113.' || pg_temp.draw(n, 26, 256))::inet,
  CASE WHEN pg_temp.draw(n, 27, 10) = 0 THEN decode('ffd8ffe0' || md5('photo' || n || '@SEED@'), 'hex') END,
  1 + pg_temp.draw(n, 28, 160),
  GREATEST(timestamptz '2012-01-01 08:00Z' + make_interval(mins => pg_temp.draw(n, 29, 7500000)), born + interval '1 day')
FROM (
  SELECT n, pg_temp.draw(n, 1, 100) AS draw_ssn,
    CASE pg_temp.draw(n, 30, 2) WHEN 0 THEN 'F' ELSE 'M' END AS sex,
    -- One in forty is over ninety: the oldest are whom a birth year alone gives away.
    CASE WHEN pg_temp.draw(n, 31, 40) = 0 THEN date '1919-01-01' + pg_temp.draw(n, 32, 6300)
         ELSE date '1937-01-01' + pg_temp.draw(n, 32, 32300) END AS born
  FROM generate_series(1, @PATIENTS@) AS n
) AS person
JOIN given ON given.sex = person.sex
JOIN given AS middle ON middle.sex = person.sex AND middle.number = pg_temp.draw(n, 33, 60)
JOIN family ON family.number = pg_temp.draw(n, 34, (SELECT count(*)::int FROM family))
JOIN street ON street.number = pg_temp.draw(n, 35, 24)
JOIN place ON place.number = CASE WHEN pg_temp.draw(n, 36, 12) = 0
                                  THEN 20 + pg_temp.draw(n, 37, 6) ELSE pg_temp.draw(n, 37, 20) END
WHERE given.number = pg_temp.draw(n, 38, 60)
ORDER BY n;
