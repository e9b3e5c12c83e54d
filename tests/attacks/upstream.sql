-- Objects that an unsuspecting DBA left in the database: views, functions, types, rules, copies.
-- attack: view-star
SELECT * FROM v_pat ORDER BY patient_id LIMIT 3
-- attack: view-nested
SELECT deep, full_name FROM v_nested LIMIT 3
-- attack: view-alias-columns
SELECT a, b, c, d, e FROM v_proj LIMIT 3
-- attack: view-where-on-masked
SELECT count(*) FROM v_where
-- attack: view-where-on-masked-rows
SELECT patient_id FROM v_where ORDER BY patient_id
-- attack: view-window-order
SELECT patient_id FROM v_ord WHERE rn = 1
-- attack: view-aggregate
SELECT * FROM v_agg ORDER BY sex
-- attack: view-whole-row
SELECT whole FROM v_row LIMIT 2
-- attack: view-whole-row-field
SELECT (whole).ssn FROM v_row LIMIT 2
-- attack: view-whole-row-field-star
SELECT (whole).* FROM v_row LIMIT 2
-- attack: view-whole-row-text
SELECT whole::text FROM v_row LIMIT 2
-- attack: view-of-whole-row-as-row
SELECT v_row FROM v_row LIMIT 2
-- attack: view-json
SELECT doc FROM v_json LIMIT 2
-- attack: view-json-path
SELECT doc ->> 'ssn', doc #>> '{last_name}' FROM v_json LIMIT 2
-- attack: view-union
SELECT a FROM v_union LIMIT 5
-- attack: view-cte
SELECT e FROM v_cte LIMIT 3
-- attack: view-lateral
SELECT x FROM v_lat LIMIT 3
-- attack: view-scalar-subquery
SELECT ph FROM v_sub LIMIT 3
-- attack: view-barrier
SELECT ssn FROM v_barrier LIMIT 3
-- attack: view-barrier-error-probe
SELECT patient_id FROM v_barrier WHERE ssn::int = 1
-- attack: view-using
SELECT ssn, email FROM v_using LIMIT 3
-- attack: view-guess
SELECT n FROM v_guess ORDER BY n
-- attack: view-function-of-masked
SELECT u, l, h FROM v_fn LIMIT 3
-- attack: view-recursive
SELECT s FROM v_rec
-- attack: view-statistics-of-class
SELECT rn, reltuples, relpages FROM v_class WHERE rn IN ('patients', 'gen') ORDER BY rn
-- attack: view-statistics refused
SELECT * FROM v_stats
-- attack: view-settings
SELECT * FROM v_settings WHERE name LIKE 'phigate.%'
-- attack: view-settings-all-names
SELECT count(*) FROM v_settings WHERE name LIKE '%.k\_%'
-- attack: view-current-setting
SELECT * FROM v_curset
-- attack: view-activity
SELECT * FROM v_activity
-- attack: view-user-function refused
SELECT * FROM v_sfn
-- attack: view-security-definer refused
SELECT * FROM v_secdef
-- attack: view-user-operator refused
SELECT * FROM v_evilop
-- attack: view-user-cast
SELECT * FROM v_evilcast
-- attack: view-user-domain
SELECT * FROM v_evildom
-- attack: view-tripwire-system-column refused
SELECT ctid FROM v_pat
-- attack: view-tableoid refused
SELECT tableoid FROM v_pat
-- attack: view-copy
COPY v_pat TO STDOUT
-- attack: view-copy-columns
COPY v_pat (num, full_name) TO STDOUT
-- attack: view-table-command
TABLE v_pat
-- attack: view-explain
EXPLAIN SELECT * FROM v_pat WHERE num = 'Qzx-0000001'
-- attack: view-explain-verbose refused
EXPLAIN (VERBOSE) SELECT * FROM v_pat
-- attack: view-explain-analyze refused
EXPLAIN ANALYZE SELECT * FROM v_where
-- attack: view-explain-analyze-of-hidden-filter refused
EXPLAIN (ANALYZE, TIMING OFF) SELECT patient_id FROM v_where
-- attack: view-cursor
BEGIN
-- then
DECLARE c CURSOR FOR SELECT * FROM v_nested
-- then
FETCH ALL FROM c
-- attack: view-prepare
PREPARE q AS SELECT num FROM v_pat WHERE num > $1
-- then
EXECUTE q('')
-- attack: view-join-view
SELECT a.deep, b.num FROM v_nested a JOIN v_pat b ON a.deep = b.num
-- attack: view-shadow-in-other-schema
SELECT kind FROM s2.encounters LIMIT 3
-- attack: view-shadow-by-path
SET search_path = s2, public
-- then
SELECT kind FROM encounters LIMIT 3
-- attack: table-shadow-by-path
SET search_path = s2, public
-- then
SELECT ssn FROM patients LIMIT 3
-- attack: path-in-transaction-rolled-back
BEGIN
-- then
SET search_path = s2
-- then
ROLLBACK
-- then
SELECT kind FROM encounters LIMIT 3
-- attack: path-local-committed
BEGIN
-- then
SET LOCAL search_path = s2
-- then
COMMIT
-- then
SELECT ssn FROM patients LIMIT 3
-- attack: path-savepoint
BEGIN
-- then
SAVEPOINT a
-- then
SET search_path = s2
-- then
ROLLBACK TO a
-- then
SELECT kind FROM encounters LIMIT 3
-- attack: path-prepared-across
PREPARE q AS SELECT kind FROM encounters LIMIT 3
-- then
SET search_path = s2, public
-- then
EXECUTE q
-- attack: path-discard
SET search_path = s2
-- then
DISCARD ALL
-- then
SELECT kind FROM encounters LIMIT 3
-- attack: path-reset
SET search_path = s2, public
-- then
RESET search_path
-- then
SELECT kind FROM encounters LIMIT 3
-- attack: path-set-config refused
SELECT set_config('search_path', 's2', false)
-- attack: path-evil-function-first
SET search_path = public, pg_catalog
-- then
SELECT lower('A'), lower(kind) FROM encounters LIMIT 1
-- attack: path-evil-operator-first
SET search_path = public, pg_catalog
-- then
SELECT count(*) FROM encounters WHERE kind = 'x'::varchar
-- attack: path-evil-operator-in-list
SET search_path = public, pg_catalog
-- then
SELECT count(*) FROM encounters WHERE kind IN ('x'::varchar, 'y'::varchar)
-- attack: path-evil-operator-case
SET search_path = public, pg_catalog
-- then
SELECT CASE kind WHEN 'x'::varchar THEN 1 END FROM encounters LIMIT 1
-- attack: path-evil-operator-nullif
SET search_path = public, pg_catalog
-- then
SELECT nullif(kind, 'x'::varchar) FROM encounters LIMIT 1
-- attack: path-evil-operator-distinct
SET search_path = public, pg_catalog
-- then
SELECT kind IS DISTINCT FROM 'x'::varchar FROM encounters LIMIT 1
-- attack: path-evil-operator-row
SET search_path = public, pg_catalog
-- then
SELECT (kind, 1) = ('x'::varchar, 1) FROM encounters LIMIT 1
-- attack: path-evil-operator-any
SET search_path = public, pg_catalog
-- then
SELECT kind = ANY (ARRAY['x'::varchar]) FROM encounters LIMIT 1
-- attack: path-evil-operator-any-query
SET search_path = public, pg_catalog
-- then
SELECT kind = ANY (SELECT 'x'::varchar) FROM encounters LIMIT 1
-- attack: path-evil-operator-in-query
SET search_path = public, pg_catalog
-- then
SELECT kind IN (SELECT 'x'::varchar) FROM encounters LIMIT 1
-- attack: path-evil-operator-using
SET search_path = public, pg_catalog
-- then
SELECT count(*) FROM (SELECT kind AS k FROM encounters) a JOIN (SELECT 'x'::varchar AS k) b USING (k)
-- attack: path-evil-operator-natural
SET search_path = public, pg_catalog
-- then
SELECT count(*) FROM (SELECT kind AS k FROM encounters) a NATURAL JOIN (SELECT 'x'::varchar AS k) b
-- attack: path-evil-operator-between
SET search_path = public, pg_catalog
-- then
SELECT kind BETWEEN SYMMETRIC 'a'::varchar AND 'b'::varchar FROM encounters LIMIT 1
-- attack: path-evil-operator-explicit refused
SELECT count(*) FROM encounters WHERE kind OPERATOR(public.=) 'x'::varchar
-- attack: path-evil-operator-new refused
SELECT count(*) FROM encounters WHERE kind === 'x'
-- attack: evil-cast-explicit
SELECT CAST(1 AS claim_status)
-- attack: evil-cast-colon
SELECT department_id::claim_status FROM departments LIMIT 1
-- attack: evil-cast-implicit
SELECT count(*) FROM claims WHERE status = 1
-- attack: evil-cast-implicit-case
SELECT CASE WHEN true THEN 1 ELSE status END FROM claims LIMIT 1
-- attack: evil-cast-coalesce
SELECT coalesce(status, 1) FROM claims LIMIT 1
-- attack: evil-cast-union
SELECT status FROM claims UNION ALL SELECT 1
-- attack: evil-cast-values
VALUES (1), ('paid'::claim_status)
-- attack: evil-cast-array
SELECT ARRAY[1, 'paid'::claim_status]
-- attack: evil-cast-in-list
SELECT count(*) FROM claims WHERE status IN (1, 2)
-- attack: evil-domain-cast
SELECT 1::evil_domain
-- attack: evil-domain-cast-array
SELECT ARRAY[1]::evil_domain[]
-- attack: evil-domain-json-record
SELECT * FROM json_to_record('{"a":1}') AS x (a evil_domain)
-- attack: evil-domain-recordset
SELECT * FROM jsonb_to_recordset('[{"a":1}]') AS x (a public.evil_domain)
-- attack: evil-domain-xmltable
SELECT * FROM xmltable('/a' PASSING '<a>1</a>' COLUMNS x evil_domain PATH '.') t
-- attack: domain-check-error
SELECT last_name::ssn_domain FROM patients LIMIT 1
-- attack: user-function refused
SELECT leak(p) FROM patients p LIMIT 1
-- attack: user-function-attribute refused
SELECT p.leak FROM patients p LIMIT 1
-- attack: user-function-attribute-parenthesised refused
SELECT (p).leak FROM patients p LIMIT 1
-- attack: user-function-of-integer refused
SELECT leaki(1)
-- attack: user-function-named-argument refused
SELECT public.leaki($1 => 1)
-- attack: user-function-in-from refused
SELECT * FROM f_secdef()
-- attack: user-function-rows-from refused
SELECT * FROM ROWS FROM (f_secdef()) AS x
-- attack: user-function-lateral refused
SELECT * FROM encounters, LATERAL leaki(encounters.patient_id) l
-- attack: user-function-by-regproc
SELECT 'leaki'::regproc
-- attack: user-aggregate-overload
SELECT public.sum(last_name) FROM patients
-- attack: user-aggregate-overload-unqualified
SELECT sum(last_name) FROM patients
-- attack: child-table
SELECT ssn, last_name FROM patients_child
-- attack: child-only
SELECT ssn FROM ONLY patients_child
-- attack: child-through-parent
SELECT ssn, patient_id FROM patients WHERE patient_id > 100000 ORDER BY patient_id
-- attack: parent-only-count answered
SELECT count(*) FROM ONLY patients
-- attack: child-tableoid refused
SELECT tableoid::regclass FROM patients
-- attack: child-cast-to-parent
SELECT (c::patients).ssn FROM patients_child c
-- attack: matview refused
SELECT * FROM m_pat LIMIT 3
-- attack: matview-copy refused
COPY m_pat TO STDOUT
-- attack: foreign-table refused
SELECT * FROM ft
-- attack: sequence-owned-by-masked
SELECT last_value FROM mrn_seq
-- attack: sequence-star
SELECT * FROM mrn_seq
-- attack: sequence-view
SELECT last_value FROM pg_sequences WHERE sequencename = 'mrn_seq'
-- attack: sequence-information-schema
SELECT * FROM information_schema.sequences
-- attack: sequence-function refused
SELECT pg_sequence_last_value('mrn_seq')
-- attack: sequence-parameters
SELECT pg_sequence_parameters('mrn_seq'::regclass)
-- attack: sequence-currval refused
SELECT currval('mrn_seq')
-- attack: added-column-missing-value
SELECT attname, attmissingval::text FROM pg_attribute WHERE atthasmissing
-- attack: added-column-missing-value-star
SELECT * FROM pg_attribute WHERE atthasmissing
-- attack: statistics-extended
SELECT * FROM pg_statistic_ext
-- attack: statistics-extended-data refused
SELECT * FROM pg_statistic_ext_data
-- attack: statistics-extended-view refused
SELECT * FROM pg_stats_ext
-- attack: statistics-definition
SELECT pg_get_statisticsobjdef(oid) FROM pg_statistic_ext
-- attack: expression-index-size
SELECT pg_relation_size('pat_expr')
-- attack: composite-column-field
SELECT (who).ssn FROM comp LIMIT 2
-- attack: composite-column
SELECT who FROM comp LIMIT 2
-- attack: composite-column-star
SELECT (who).* FROM comp LIMIT 2
-- attack: composite-column-text
SELECT who::text FROM comp LIMIT 2
-- attack: composite-column-json
SELECT to_jsonb(c) FROM comp c LIMIT 2
-- attack: composite-array-column
SELECT many FROM comp LIMIT 2
-- attack: composite-array-element
SELECT (many[1]).ssn FROM comp LIMIT 2
-- attack: composite-array-unnest
SELECT u.ssn FROM comp, unnest(many) u LIMIT 2
-- attack: composite-array-slice
SELECT many[1:1] FROM comp LIMIT 2
-- attack: composite-compare
SELECT count(*) FROM comp WHERE (who).ssn LIKE 'Qzx%'
-- attack: composite-order
SELECT id FROM comp ORDER BY who LIMIT 2
-- attack: composite-tag
SELECT tag FROM comp LIMIT 2
-- attack: implicit-cast-concatenated refused
SELECT m || 'x' FROM moods
-- attack: implicit-cast-argument refused
SELECT upper(m), length(m) FROM moods
-- attack: implicit-cast-pattern refused
SELECT id FROM moods WHERE m LIKE 'x%'
-- attack: implicit-cast-aggregate refused
SELECT string_agg(m, ',') FROM moods
-- attack: explicit-cast-from-own-type refused
SELECT m::text FROM moods
-- attack: implicit-cast-of-elements refused
SELECT array_to_string(many::text[], ',') FROM moods
-- attack: implicit-cast-by-union refused
SELECT m FROM moods UNION ALL SELECT 'a'::text
-- attack: implicit-cast-by-coalesce refused
SELECT coalesce(m, 'ok'), m FROM moods
-- attack: cast-looked-for-by-to-json refused
SELECT to_json(m), json_build_object('m', m) FROM moods
-- attack: cast-looked-for-in-a-row
SELECT row_to_json(x), jsonb_agg(x) FROM moods x GROUP BY x.id
-- attack: cast-looked-for-in-an-array refused
SELECT to_jsonb(many) FROM moods
-- attack: cast-of-a-star
SELECT * FROM moods
-- attack: implicit-cast-through-a-view refused
SELECT m || '' FROM v_moods
-- attack: implicit-cast-of-a-literal refused
SELECT 'ok'::mood || 'x'
-- attack: implicit-cast-of-a-parameter refused
PREPARE q(mood) AS SELECT $1 || 'x'
-- attack: implicit-cast-in-a-temporary-table refused
CREATE TEMP TABLE x (m mood)
-- attack: implicit-cast-of-a-record
SELECT (x).m || '' FROM (SELECT moods AS x FROM moods) s
-- attack: implicit-cast-by-populate
SELECT (json_populate_record(NULL::moods, '{"m": "ok"}')).m || ''
-- attack: implicit-cast-by-enum-function refused
SELECT enum_range(m)::text FROM moods
-- attack: own-order-by refused
SELECT id FROM ranks ORDER BY r
-- attack: own-order-by-position refused
SELECT r FROM ranks ORDER BY 1
-- attack: own-order-distinct refused
SELECT DISTINCT r FROM ranks
-- attack: own-order-group refused
SELECT count(*) FROM ranks GROUP BY r
-- attack: own-order-union refused
SELECT r FROM ranks UNION SELECT r FROM ranks
-- attack: own-order-window refused
SELECT rank() OVER (ORDER BY r) FROM ranks
-- attack: own-order-aggregate refused
SELECT max(r), count(DISTINCT r), mode() WITHIN GROUP (ORDER BY r) FROM ranks
-- attack: own-order-greatest refused
SELECT greatest(r, 'low') FROM ranks
-- attack: own-order-equality refused
SELECT id FROM ranks WHERE r = 'low'
-- attack: own-order-of-arrays refused
SELECT many FROM ranks ORDER BY many
-- attack: own-order-of-whole-rows
SELECT x FROM ranks x ORDER BY x
-- attack: own-order-of-stars
SELECT DISTINCT * FROM ranks ORDER BY 1
-- attack: own-order-by-natural-join
SELECT count(*) FROM ranks a NATURAL JOIN (SELECT * FROM ranks) b
-- attack: own-order-by-using refused
SELECT count(*) FROM ranks a JOIN ranks b USING (r)
-- attack: own-order-through-view refused
SELECT * FROM v_ranks
-- attack: own-order-in-view-unseen
SELECT id FROM v_ranks
-- attack: own-order-in-view-grouped refused
SELECT id FROM v_rank_min
-- attack: own-order-of-literals refused
SELECT 'low'::rank UNION SELECT 'high'::rank
-- attack: own-order-of-enum-range refused
SELECT x FROM unnest(enum_range(NULL::rank)) x ORDER BY 1
-- attack: own-order-in-temporary-table refused
CREATE TEMP TABLE own (r rank PRIMARY KEY)
-- attack: own-order-of-parameter refused
PREPARE q (rank) AS SELECT $1 UNION SELECT $1
-- attack: own-order-beside-it
SELECT id, d FROM ranks ORDER BY d
-- attack: own-range-read refused
SELECT l FROM spans
-- attack: own-range-compared refused
SELECT id FROM spans WHERE l @> 1
-- attack: own-range-made refused
SELECT leakspan(1, 2), '[1,2]'::leakspan
-- attack: own-range-harmless
SELECT id, s FROM spans ORDER BY s
-- attack: own-range-in-temporary-table refused
CREATE TEMP TABLE own (l leakspan)
-- attack: own-check-of-literal refused
SELECT 1::leakdomain
-- attack: own-check-of-list refused
SELECT '{1}'::leaklist
-- attack: own-check-of-list-element refused
SELECT ARRAY[1]::leakdomain[]
-- attack: own-check-of-pair refused
SELECT ROW(1, 2)::leakpair
-- attack: own-check-of-populate
SELECT jsonb_populate_record(x, '{"d": 7}') FROM leaks x
-- attack: own-check-of-populate-list
SELECT (json_populate_record(x, '{"l": [7]}')).l FROM leaks x
-- attack: own-check-in-temporary-table refused
CREATE TEMP TABLE own (d leaklist)
-- attack: own-check-in-column-definition refused
SELECT * FROM json_to_record('{"d": 1}') AS t (d leakdomain)
-- attack: own-check-in-recordset-definition refused
SELECT * FROM jsonb_to_recordset('[{"l": [1]}]') AS t (l leaklist)
-- attack: own-check-of-copied-column
CREATE TEMP TABLE own AS SELECT * FROM leaks
-- then
UPDATE own SET d = 8
-- attack: own-check-of-copied-row
CREATE TEMP TABLE own AS SELECT x AS whole FROM leaks x
-- then
INSERT INTO own VALUES ('(1,2,"{3}","(4,5)")')
