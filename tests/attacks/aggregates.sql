-- Grouping, windows, orders and limits over what is masked.
-- attack: grouping-sets-of-masked
SELECT last_name, sex, grouping(last_name, sex), count(*) FROM patients GROUP BY GROUPING SETS ((last_name), (sex), ()) ORDER BY 1, 2
-- attack: cube-of-masked
SELECT last_name, ssn, count(*) FROM patients GROUP BY CUBE (last_name, ssn) ORDER BY 1, 2
-- attack: rollup-of-masked
SELECT email, phone, count(*) FROM patients GROUP BY ROLLUP (email, phone) ORDER BY 1, 2
-- attack: group-by-expression-of-masked
SELECT substr(ssn, 1, 3), count(*) FROM patients GROUP BY substr(ssn, 1, 3) ORDER BY 1
-- attack: group-by-position-of-masked
SELECT ssn, count(*) FROM patients GROUP BY 1 ORDER BY 2 DESC, 1
-- attack: group-by-primary-key-functional
SELECT p.*, count(*) FROM patients p GROUP BY p.patient_id ORDER BY 1 LIMIT 2
-- attack: having-of-masked
SELECT sex FROM patients GROUP BY sex HAVING max(last_name) > 'M' ORDER BY 1
-- attack: aggregate-distinct-order-by
SELECT array_agg(DISTINCT last_name ORDER BY last_name DESC) FROM patients
-- attack: aggregate-ordered-by-masked
SELECT array_agg(patient_id ORDER BY last_name, ssn DESC NULLS FIRST, patient_id) FROM patients
-- attack: aggregate-filter-probe
SELECT count(*) FILTER (WHERE ssn > '5'), count(*) FILTER (WHERE email IS NULL) FROM patients
-- attack: aggregate-of-subquery
SELECT max((SELECT p.ssn)) FROM patients p
-- attack: outer-aggregate
SELECT (SELECT max(p.last_name) FROM departments d WHERE d.department_id = 1) FROM patients p
-- attack: nested-aggregate-window
SELECT max(count(*)) OVER () FROM patients GROUP BY last_name
-- attack: min-max-of-everything
SELECT min(ssn), max(ssn), min(account_number), max(last_login_ip), min(email COLLATE "C") FROM patients
-- attack: bit-and-of-account
SELECT bit_and(account_number), bit_or(account_number), bit_xor(account_number) FROM patients
-- attack: sum-difference-attack
SELECT (SELECT sum(account_number) FROM patients) - (SELECT sum(account_number) FROM patients WHERE patient_id <> 7)
-- attack: variance-of-account
SELECT var_pop(account_number), stddev_samp(account_number), regr_slope(account_number, patient_id) FROM patients
-- attack: percentile-disc-of-name
SELECT percentile_disc(ARRAY[0.1, 0.5, 0.9]) WITHIN GROUP (ORDER BY last_name) FROM patients
-- attack: mode-of-name
SELECT mode() WITHIN GROUP (ORDER BY last_name) FROM patients
-- attack: hypothetical-rank
SELECT rank('M') WITHIN GROUP (ORDER BY last_name), dense_rank('900') WITHIN GROUP (ORDER BY ssn) FROM patients
-- attack: percentile-fraction-from-masked
SELECT percentile_cont(length(max(last_name)) / 1000.0) WITHIN GROUP (ORDER BY patient_id) FROM patients
-- attack: json-object-agg-by-masked
SELECT jsonb_object_agg(last_name, patient_id ORDER BY patient_id) FROM patients
-- attack: json-object-agg-null-key
SELECT json_object_agg(ssn, 1) FROM patients
-- attack: json-agg-of-rows
SELECT jsonb_agg(p ORDER BY p.ssn, p.patient_id) FROM patients p
-- attack: window-rank-by-masked
SELECT patient_id, rank() OVER (ORDER BY ssn) FROM patients ORDER BY 1
-- attack: window-ntile-by-masked
SELECT patient_id, ntile(10) OVER (ORDER BY last_name, patient_id) FROM patients ORDER BY 1
-- attack: window-lag-neighbour
SELECT patient_id, lag(ssn) OVER (ORDER BY patient_id), lead(email, 2, 'none') OVER (ORDER BY patient_id) FROM patients ORDER BY 1 LIMIT 5
-- attack: window-first-last-nth
SELECT first_value(ssn) OVER w, last_value(last_name) OVER w, nth_value(email, 3) OVER w FROM patients WINDOW w AS (ORDER BY patient_id) LIMIT 5
-- attack: window-frame-from-masked
SELECT sum(patient_id) OVER (ORDER BY patient_id ROWS BETWEEN length('x') PRECEDING AND CURRENT ROW) FROM patients ORDER BY 1 LIMIT 5
-- attack: window-range-of-account
SELECT patient_id, count(*) OVER (ORDER BY account_number RANGE BETWEEN 10 PRECEDING AND 10 FOLLOWING) FROM patients ORDER BY 1
-- attack: window-groups-of-masked
SELECT patient_id, count(*) OVER (ORDER BY last_name GROUPS BETWEEN 1 PRECEDING AND 1 FOLLOWING) FROM patients ORDER BY 1
-- attack: window-exclude-ties
SELECT patient_id, count(*) OVER (ORDER BY zip, last_name ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW EXCLUDE TIES) FROM patients ORDER BY 1 LIMIT 5
-- attack: window-partition-by-masked
SELECT patient_id, count(*) OVER (PARTITION BY last_name, ssn) FROM patients ORDER BY 1
-- attack: window-cume-dist
SELECT patient_id, cume_dist() OVER (ORDER BY email), percent_rank() OVER (ORDER BY phone) FROM patients ORDER BY 1
-- attack: window-over-grouped-masked
SELECT last_name, rank() OVER (ORDER BY count(*) DESC) FROM patients GROUP BY last_name
-- attack: window-named-inherit
SELECT count(*) OVER (w ORDER BY ssn) FROM patients WINDOW w AS (PARTITION BY last_name)
-- attack: window-filter
SELECT count(*) FILTER (WHERE last_name < 'M') OVER (ORDER BY patient_id) FROM patients ORDER BY 1 DESC LIMIT 3
-- attack: distinct-on-masked
SELECT DISTINCT ON (last_name) patient_id FROM patients ORDER BY last_name, patient_id
-- attack: distinct-count-columns
SELECT count(DISTINCT (ssn, last_name)), count(DISTINCT account_number) FROM patients
-- attack: order-by-case-of-masked
SELECT patient_id FROM patients ORDER BY CASE WHEN ssn < '5' THEN 0 ELSE 1 END, patient_id
-- attack: order-by-using-operator
SELECT patient_id FROM patients ORDER BY last_name USING ~<~, patient_id LIMIT 5
-- attack: order-by-masked-in-subquery
SELECT * FROM (SELECT patient_id FROM patients ORDER BY last_name, patient_id LIMIT 5) q
-- attack: limit-from-masked
SELECT patient_id FROM patients ORDER BY 1 LIMIT (SELECT length(max(last_name)) FROM patients)
-- attack: offset-from-masked
SELECT patient_id FROM patients ORDER BY 1 OFFSET (SELECT count(DISTINCT last_name) FROM patients)
-- attack: fetch-with-ties-by-masked
SELECT patient_id FROM patients ORDER BY last_name FETCH FIRST 1 ROW WITH TIES
-- attack: set-operation-on-masked
SELECT ssn FROM patients EXCEPT SELECT ssn FROM patients WHERE patient_id < 100
-- attack: intersect-of-two-columns
SELECT last_name FROM patients INTERSECT SELECT first_name FROM patients
-- attack: union-type-merge
SELECT ssn FROM patients UNION SELECT NULL UNION SELECT zip FROM patients WHERE false
-- attack: values-with-masked-subqueries
VALUES ((SELECT max(ssn) FROM patients)), ((SELECT min(last_name) FROM patients))
-- attack: correlated-exists-twins
SELECT count(*) FROM patients a WHERE EXISTS (SELECT 1 FROM patients b WHERE b.last_name = a.last_name AND b.patient_id <> a.patient_id)
-- attack: quantified-comparison
SELECT patient_id FROM patients WHERE ssn > ALL (SELECT ssn FROM patients WHERE patient_id > 290) ORDER BY 1
-- attack: scalar-subquery-many-rows
SELECT (SELECT ssn FROM patients WHERE last_name > 'A')
-- attack: lateral-probe
SELECT p.patient_id, l.n FROM patients p, LATERAL (SELECT count(*) AS n FROM patients q WHERE q.ssn < p.ssn) l ORDER BY 1
-- attack: recursive-walk-of-a-value
WITH RECURSIVE walk(n, c) AS (SELECT 1, left(max(ssn), 1) FROM patients UNION ALL SELECT n + 1, substr((SELECT max(ssn) FROM patients), n + 1, 1) FROM walk WHERE n < 11) SELECT string_agg(c, '' ORDER BY n) FROM walk
-- attack: recursive-search-clause
WITH RECURSIVE t(id, name) AS (SELECT patient_id, last_name FROM patients WHERE patient_id = 1 UNION ALL SELECT p.patient_id, p.last_name FROM patients p JOIN t ON p.patient_id = t.id + 1 WHERE t.id < 5) SEARCH DEPTH FIRST BY name SET o SELECT * FROM t
-- attack: recursive-cycle-clause
WITH RECURSIVE t(id, name) AS (SELECT patient_id, last_name FROM patients WHERE patient_id < 3 UNION ALL SELECT id, name FROM t) CYCLE name SET c USING path SELECT path FROM t
-- attack: cte-not-materialized-pushdown
WITH p AS NOT MATERIALIZED (SELECT * FROM patients) SELECT patient_id FROM p WHERE ssn::int > 0
-- attack: cte-same-name-inner
WITH x AS (SELECT 1 AS ssn) SELECT (WITH x AS (SELECT * FROM patients) SELECT max(ssn) FROM x), ssn FROM x
-- attack: cte-forward-reference
WITH a AS (SELECT * FROM b), b AS (SELECT ssn FROM patients) SELECT * FROM a
-- attack: cte-recursive-shadows-table
WITH RECURSIVE patients AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM patients WHERE n < 3) SELECT * FROM patients, public.patients p LIMIT 3
-- attack: cross-join-count-oracle
SELECT count(*) FROM patients a JOIN patients b ON a.last_name = b.last_name AND a.patient_id < b.patient_id
-- attack: full-join-on-masked
SELECT count(*) FROM patients a FULL JOIN providers b ON a.last_name = b.last_name
-- attack: semi-join-between-masks
SELECT count(*) FROM claims c WHERE c.member_id IN (SELECT health_plan_id FROM patients)
-- attack: anti-join-on-null-ness
SELECT count(*) FROM patients WHERE patient_id NOT IN (SELECT patient_id FROM patients WHERE email IS NULL)
-- attack: case-short-circuit-division
SELECT patient_id, CASE WHEN last_name > 'M' THEN 1 / 0 ELSE 0 END FROM patients ORDER BY 1
-- attack: coalesce-short-circuit
SELECT coalesce(nullif(last_name, 'x'), (1 / 0)::text) FROM patients LIMIT 1
-- attack: boolean-short-circuit
SELECT patient_id FROM patients WHERE ssn IS NULL OR 1 / (patient_id - patient_id) > 0
-- attack: sleep-by-masked
SELECT pg_sleep(CASE WHEN max(last_name) > 'M' THEN 0.01 ELSE 0 END) FROM patients
-- attack: tablesample-bernoulli refused
SELECT patient_id FROM patients TABLESAMPLE BERNOULLI (10) REPEATABLE (1)
-- attack: for-update-skip-locked
SELECT ssn FROM patients ORDER BY patient_id LIMIT 1 FOR UPDATE SKIP LOCKED
-- attack: for-share-nowait
SELECT last_name FROM patients LIMIT 1 FOR SHARE NOWAIT
-- attack: for-key-share-of-alias
SELECT p.ssn FROM patients p LIMIT 1 FOR KEY SHARE OF p
