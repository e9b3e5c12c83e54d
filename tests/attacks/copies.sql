-- Relations that nobody classified and that hold what is masked elsewhere.
-- attack: partition-parent
SELECT ssn FROM part LIMIT 3
-- attack: partition-child
SELECT ssn FROM part_1 LIMIT 3
-- attack: partition-only
SELECT count(*) FROM ONLY part
-- attack: partition-other
SELECT id FROM part_2 WHERE ssn LIKE 'Q%' ORDER BY id LIMIT 3
-- attack: partition-copy
COPY part_1 TO STDOUT
-- attack: partition-tableoid refused
SELECT tableoid::regclass, ssn FROM part LIMIT 1
-- attack: partition-pruning-explain
EXPLAIN SELECT * FROM part WHERE id = 5
-- attack: partition-count
SELECT count(*) FROM part
-- attack: generated
SELECT ssn_last, both_up, len FROM gen LIMIT 5
-- attack: generated-length
SELECT sum(len) FROM gen
-- attack: generated-predicate
SELECT count(*) FROM gen WHERE len > 4
-- attack: generated-star
SELECT * FROM gen ORDER BY id LIMIT 5
-- attack: domain-column
SELECT s, n FROM dom LIMIT 3
-- attack: domain-not-null-number
SELECT n + 1 FROM dom LIMIT 3
-- attack: domain-predicate
SELECT count(*) FROM dom WHERE n > 8000000
-- attack: domain-typeof
SELECT pg_typeof(s) FROM dom LIMIT 1
-- attack: row-security
SELECT count(*) FROM rls
-- attack: row-security-rows
SELECT id FROM rls ORDER BY id
-- attack: odd-name-upper
SELECT "Ssn" FROM oddnames LIMIT 2
-- attack: odd-name-keyword
SELECT "select" FROM oddnames LIMIT 2
-- attack: odd-name-quote
SELECT "a""b" FROM oddnames LIMIT 2
-- attack: odd-name-dotted
SELECT "phigate.x" FROM oddnames LIMIT 2
-- attack: odd-name-accent
SELECT "né" FROM oddnames LIMIT 2
-- attack: odd-name-like-inner
SELECT t FROM oddnames LIMIT 2
-- attack: odd-name-like-inner-qualified
SELECT t.t, t.p FROM oddnames t LIMIT 2
-- attack: odd-name-row
SELECT t FROM oddnames AS t LIMIT 2
-- attack: odd-star
SELECT * FROM oddnames LIMIT 2
-- attack: late-default
SELECT late FROM hist
-- attack: shadow-schema
SELECT * FROM s2.patients
-- attack: empty-table
SELECT * FROM patients_parent
-- attack: child-extra
SELECT extra FROM patients_child
-- attack: child-whole-row
SELECT c FROM patients_child c
-- attack: added-column-default
SELECT late FROM devices LIMIT 2
