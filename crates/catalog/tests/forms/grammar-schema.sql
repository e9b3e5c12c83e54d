CREATE TYPE mood AS ENUM ('low', 'fair', 'high');
CREATE DOMAIN zip AS text CHECK (VALUE ~ '^[0-9]{5}$');
CREATE TYPE pair AS (a int, b text);
CREATE TABLE t (
    id int PRIMARY KEY, a int, b text, c numeric(8, 2), d date, e timestamptz, f boolean,
    tags text[], grid int[][], doc jsonb, js json, m mood, p pair, i interval, bits bit(4), ip inet,
    r int4range, pt point, words tsvector, u uuid, by bytea, z zip
);
INSERT INTO t
SELECT n, n % 7, 'name ' || n % 5, n * 1.25, date '2020-01-01' + n, timestamptz '2020-01-01 00:00+00' + n * interval '5 hours',
       n % 2 = 0, ARRAY['x' || n % 3, 'y'], ARRAY[[n, n + 1], [n + 2, n + 3]],
       jsonb_build_object('n', n, 'list', jsonb_build_array(n, n + 1), 'in', jsonb_build_object('k', 'v' || n % 4)),
       json_build_object('n', n, 'list', json_build_array(1, 2, n)),
       (ARRAY['low', 'fair', 'high'])[1 + n % 3]::mood, ROW(n, 'p' || n)::pair, n * interval '3 days',
       (n % 16)::bit(4), ('10.0.0.' || n)::inet, int4range(n, n + 5), point(n, n + 1),
       to_tsvector('english', 'the quick fox number ' || n), md5(n::text)::uuid, decode(md5(n::text), 'hex'), lpad(n::text, 5, '0')
FROM generate_series(1, 40) AS s(n);
INSERT INTO t (id) VALUES (41);
CREATE TABLE u (id int PRIMARY KEY, t_id int REFERENCES t, x int, a int);
INSERT INTO u SELECT n, 1 + n % 45, n % 4, n % 7 FROM generate_series(1, 60) AS s(n) WHERE 1 + n % 45 <= 41;
CREATE TABLE tree (id int PRIMARY KEY, parent int, name text);
INSERT INTO tree SELECT n, NULLIF(n / 2, 0), 'node ' || n FROM generate_series(1, 15) AS s(n);
CREATE TABLE "Mixed Case" ("Id" int, "select" int, "a""b" int);
INSERT INTO "Mixed Case" VALUES (1, 2, 3), (4, 5, 6);
CREATE TABLE parent_t (a int, b text);
CREATE TABLE child_t (c int) INHERITS (parent_t);
INSERT INTO parent_t VALUES (1, 'p');
INSERT INTO child_t VALUES (2, 'c', 3);
CREATE VIEW v AS SELECT id, a, b FROM t WHERE a > 2;
CREATE TABLE empty_t ();
