-- What the grammar spells in words of its own, and what a query's clauses may be made of.
-- attack: substring-similar
SELECT substring(last_name SIMILAR '%#"Qzx#"%' ESCAPE '#') FROM patients LIMIT 3
-- attack: substring-from-pattern-for-escape
SELECT substring(last_name FROM '%#"Qzx#"_' FOR '#') FROM patients LIMIT 3
-- attack: substring-for-only
SELECT substring(ssn FOR 4), substring(last_name FOR 2 FROM 3) FROM patients LIMIT 3
-- attack: substring-of-photo
SELECT substring(photo FROM 1 FOR 3), get_byte(photo, 0), get_bit(photo, 0) FROM patients LIMIT 3
-- attack: overlay-into-masked
SELECT overlay(last_name PLACING ssn FROM 1 FOR 3) FROM patients LIMIT 3
-- attack: overlay-of-photo
SELECT overlay(photo PLACING '\x00'::bytea FROM 2) FROM patients LIMIT 3
-- attack: position-of-guess
SELECT position('Qzx' IN last_name), position('\x51'::bytea IN photo) FROM patients LIMIT 3
-- attack: trim-characters-of-masked
SELECT trim(LEADING 'Qzx' FROM last_name), trim(TRAILING FROM ssn), trim(BOTH '\x51'::bytea FROM photo) FROM patients LIMIT 3
-- attack: trim-list
SELECT trim(last_name, 'Q'), trim(FROM last_name) FROM patients LIMIT 3
-- attack: extract-of-cast
SELECT extract(year FROM last_name::timestamp), extract('epoch' FROM ssn::interval) FROM patients LIMIT 1
-- attack: normalize-of-masked
SELECT normalize(last_name, NFD), last_name IS NFC NORMALIZED, ssn IS NOT NORMALIZED FROM patients LIMIT 3
-- attack: collation-for-masked
SELECT COLLATION FOR (last_name), COLLATION FOR (ssn COLLATE "C") FROM patients LIMIT 1
-- attack: cast-format refused
SELECT CAST(ssn AS text FORMAT 'x') FROM patients
-- attack: cast-as-function
SELECT text(ssn), bpchar(ssn), "varchar"(last_name), name(last_name), int8(mrn) FROM patients LIMIT 1
-- attack: function-called-as-column-of-text
SELECT (last_name).upper FROM patients LIMIT 1
-- attack: column-called-as-function-of-row
SELECT last_name(patients), patients.last_name FROM patients LIMIT 2
-- attack: column-called-as-function-of-subquery
SELECT ssn(q) FROM (SELECT * FROM patients) q LIMIT 2
-- attack: row-function-called-as-column
SELECT q.row_to_json, q.to_jsonb FROM (SELECT * FROM patients) q LIMIT 1
-- attack: built-in-cast-called-as-column
SELECT q.text, q.name FROM (SELECT patient_id FROM patients) q LIMIT 1
-- attack: field-of-scalar-subquery
SELECT (SELECT p FROM patients p WHERE patient_id = 1).ssn
-- attack: star-of-scalar-subquery
SELECT ((SELECT p FROM patients p WHERE patient_id = 1)).*
-- attack: field-of-case
SELECT (CASE WHEN true THEN p END).ssn FROM patients p LIMIT 2
-- attack: field-of-coalesce
SELECT (coalesce(p, p)).last_name, (greatest(p, p)).ssn FROM patients p LIMIT 2
-- attack: field-of-array-element
SELECT ((array_agg(p))[1]).ssn, (array_agg(p ORDER BY p.ssn))[1] IS NULL FROM patients p
-- attack: field-of-row-through-any-value
SELECT (max(ROW(p.*)::text)) FROM patients p
-- attack: field-of-aggregate
SELECT (any_value(p)).ssn FROM patients p
-- attack: star-of-composite-json
SELECT (json_populate_record(p, '{}')).* FROM patients p LIMIT 1
-- attack: whole-row-in-order-and-group
SELECT count(*) FROM patients p GROUP BY p ORDER BY p LIMIT 2
-- attack: whole-row-distinct
SELECT DISTINCT p FROM patients p ORDER BY 1 LIMIT 2
-- attack: whole-row-in-union
SELECT p FROM patients p UNION SELECT q FROM patients q ORDER BY 1 LIMIT 2
-- attack: whole-row-of-join-alias
SELECT j FROM (patients JOIN encounters USING (patient_id)) AS j LIMIT 1
-- attack: whole-row-of-join-alias-json
SELECT to_json(j) ->> 'ssn' FROM (patients NATURAL LEFT JOIN devices) AS j LIMIT 2
-- attack: whole-row-under-column-list
SELECT x, to_json(x) FROM patients AS x (a, b, c, d, e, f, g) ORDER BY a LIMIT 2
-- attack: whole-row-xmlforest
SELECT xmlforest(p AS row, p.ssn) FROM patients p LIMIT 1
-- attack: whole-row-format
SELECT format('%s', p), concat(p, NULL), concat_ws('|', p, p.ssn) FROM patients p LIMIT 2
-- attack: whole-row-quote
SELECT quote_literal(p), quote_nullable(p), quote_ident(p::text) FROM patients p LIMIT 1
-- attack: whole-row-hash-extended
SELECT hash_record_extended(p, 0), hashtextextended(p::text, 0) FROM patients p LIMIT 2
-- attack: whole-row-array-position
SELECT array_position(array_agg(p.last_name), 'Qzxlast1'), array_agg(p) @> array_agg(p) FROM patients p
-- attack: whole-row-unnest-with-ordinality
SELECT u.* FROM (SELECT array_agg(p) a FROM patients p) q, unnest(q.a) WITH ORDINALITY AS u LIMIT 2
-- attack: whole-row-rows-from
SELECT r.* FROM patients p, ROWS FROM (json_each_text(row_to_json(p)), generate_series(1, 3)) AS r (k, v, n) WHERE k = 'ssn' LIMIT 3
-- attack: whole-row-recordset
SELECT r.ssn FROM patients p, json_to_recordset(json_build_array(p)) AS r (ssn text, email text) LIMIT 2
-- attack: whole-row-jsonb-subscript
SELECT (to_jsonb(p))['ssn'], to_jsonb(p) -> 'last_name', to_jsonb(p) - 'patient_id' FROM patients p LIMIT 1
-- attack: whole-row-jsonb-pretty
SELECT jsonb_pretty(jsonb_object_agg(p.patient_id, p)) FROM patients p
-- attack: whole-row-strip-nulls
SELECT jsonb_object_keys(jsonb_strip_nulls(to_jsonb(p))), json_strip_nulls(row_to_json(p)) FROM patients p WHERE patient_id = 1
-- attack: row-comparison-some
SELECT patient_id FROM patients WHERE ROW(ssn, mrn) = SOME (SELECT ssn, mrn FROM patients) ORDER BY 1
-- attack: row-between
SELECT patient_id FROM patients WHERE (last_name, ssn) BETWEEN ('Q', '') AND ('R', 'Z') ORDER BY 1
-- attack: row-distinct-from
SELECT patient_id FROM patients WHERE (ssn, mrn) IS DISTINCT FROM (NULL, NULL) ORDER BY 1
-- attack: operator-any-array-of-patterns
SELECT count(*) FROM patients WHERE last_name ~~ ANY (ARRAY['Qz%', 'Wk%']) OR ssn ~* ALL (ARRAY['q', 'z'])
-- attack: operator-qualified-like
SELECT count(*) FROM patients WHERE last_name OPERATOR(pg_catalog.~~) 'Qzx%' AND ssn OPERATOR(pg_catalog.~>=~) 'Q'
-- attack: operator-qualified-any
SELECT count(*) FROM patients WHERE last_name OPERATOR(pg_catalog.=) ANY (SELECT last_name FROM providers)
-- attack: like-escape-of-masked
SELECT count(*) FROM patients WHERE last_name LIKE 'Q!_%' ESCAPE '!' OR 'x' LIKE ssn ESCAPE last_name
-- attack: like-escape-error refused
SELECT count(*) FROM patients WHERE 'x' LIKE 'a' ESCAPE 'ab' || last_name || ssn COLLATE "nowhere"
-- attack: similar-escape-of-masked
SELECT count(*) FROM patients WHERE 'x' SIMILAR TO 'a' ESCAPE last_name
-- attack: regexp-of-masked-pattern
SELECT count(*) FROM patients WHERE 'x' ~ (last_name || '(')
-- attack: regexp-flags-of-masked
SELECT regexp_replace('x', 'y', 'z', last_name), regexp_match('x', 'y', ssn) FROM patients LIMIT 1
-- attack: regexp-functions-of-fifteen
SELECT regexp_count(last_name, 'z'), regexp_instr(ssn, 'x'), regexp_substr(email, '.+'), regexp_like(mrn, 'Q') FROM patients LIMIT 2
-- attack: collate-nondeterministic-name
SELECT count(*) FROM patients WHERE last_name COLLATE "en_US" > 'Q' OR ssn COLLATE "und-x-icu" > 'Q'
-- attack: order-by-collation
SELECT patient_id FROM patients ORDER BY last_name COLLATE "POSIX" DESC, patient_id LIMIT 3
-- attack: order-by-position-of-masked
SELECT ssn, last_name, patient_id FROM patients ORDER BY 1, 2 DESC NULLS FIRST, 3 LIMIT 3
-- attack: order-by-alias-of-masked
SELECT patient_id, md5(ssn) AS h, last_name || mrn AS n FROM patients ORDER BY h, n, patient_id LIMIT 3
-- attack: order-by-alias-that-is-a-column
SELECT patient_id AS ssn, ssn AS patient_id FROM patients ORDER BY ssn, "patient_id" LIMIT 3
-- attack: order-by-expression-beside-alias
SELECT patient_id AS ssn FROM patients ORDER BY ssn || '', last_name LIMIT 3
-- attack: group-by-alias-that-is-a-column
SELECT upper(ssn) AS last_name, count(*) FROM patients GROUP BY last_name ORDER BY 2 LIMIT 3
-- attack: group-by-distinct-sets
SELECT ssn, last_name, grouping(ssn, last_name) FROM patients GROUP BY DISTINCT ROLLUP (ssn, last_name), CUBE (ssn) ORDER BY 3, 1, 2
-- attack: grouping-set-nested
SELECT sex, ssn, count(*) FROM patients GROUP BY GROUPING SETS (ROLLUP (sex, ssn), GROUPING SETS (CUBE (ssn))) ORDER BY 1, 2, 3
-- attack: having-without-group
SELECT count(*) FROM patients HAVING max(ssn) > 'Q' OR bool_or(last_name LIKE 'Qzx%')
-- attack: distinct-on-masked-expression
SELECT DISTINCT ON (left(ssn, 1), last_name) patient_id FROM patients ORDER BY left(ssn, 1), last_name, patient_id
-- attack: distinct-on-alias
SELECT DISTINCT ON (k) left(last_name, 1) AS k, patient_id FROM patients ORDER BY k, patient_id
-- attack: window-frame-exclude
SELECT patient_id, string_agg(ssn, ',') OVER (ORDER BY patient_id ROWS BETWEEN 1 PRECEDING AND 1 FOLLOWING EXCLUDE CURRENT ROW) FROM patients ORDER BY 1 LIMIT 3
-- attack: window-frame-offset-of-masked
SELECT patient_id, count(*) OVER (ORDER BY patient_id ROWS (SELECT length(max(ssn)) FROM patients) PRECEDING) FROM patients ORDER BY 1 LIMIT 3
-- attack: window-range-interval
SELECT patient_id, count(*) OVER (PARTITION BY ssn ORDER BY registered_at RANGE BETWEEN INTERVAL '1 day' PRECEDING AND INTERVAL '1' DAY FOLLOWING) FROM patients ORDER BY 1 LIMIT 3
-- attack: window-in-order-by
SELECT patient_id FROM patients ORDER BY rank() OVER (ORDER BY last_name, ssn), patient_id LIMIT 3
-- attack: window-lead-default-masked
SELECT lead(ssn, 1, max(ssn) OVER ()) OVER (ORDER BY patient_id DESC) FROM patients ORDER BY 1 LIMIT 2
-- attack: window-ntile-of-masked
SELECT patient_id, ntile(length(last_name)) OVER (ORDER BY patient_id) FROM patients ORDER BY 1 LIMIT 3
-- attack: aggregate-within-group-of-row
SELECT mode() WITHIN GROUP (ORDER BY p.ssn || p.last_name), rank('a', 'b') WITHIN GROUP (ORDER BY ssn, mrn) FROM patients p
-- attack: aggregate-variadic-hypothetical
SELECT cume_dist(VARIADIC ARRAY['Q']) WITHIN GROUP (ORDER BY last_name) FROM patients
-- attack: aggregate-of-set
SELECT max(unnest(ARRAY[ssn::text, last_name])) FROM patients
-- attack: set-returning-beside-masked
SELECT generate_series(1, ascii(last_name) % 3), ssn FROM patients WHERE patient_id = 1
-- attack: set-returning-in-case
SELECT CASE WHEN ssn > 'Q' THEN generate_series(1, 2) END FROM patients LIMIT 2
-- attack: generate-series-endless-by-masked
SELECT count(*) FROM (SELECT generate_series(1, 3, CASE WHEN max(ssn) LIKE 'Qzx%' THEN 0 ELSE 1 END) FROM patients) q
-- attack: array-bounds-of-masked
SELECT array_fill(0, ARRAY[length(last_name)], ARRAY[ascii(last_name)]) FROM patients LIMIT 1
-- attack: array-slice-of-masked
SELECT (string_to_array(last_name, NULL))[2:3], (regexp_split_to_array(ssn, ''))[:2] FROM patients LIMIT 2
-- attack: array-subscript-by-masked
SELECT (ARRAY['a', 'b'])[CASE WHEN ssn LIKE 'Qzx%' THEN 2 ELSE 1 END] FROM patients LIMIT 2
-- attack: array-element-too-many
SELECT array_cat(ARRAY[[ssn]], ARRAY[[last_name, mrn]]) FROM patients LIMIT 1
-- attack: array-literal-of-masked
SELECT ('{' || last_name || ',' || coalesce(ssn, '') || '}')::text[] FROM patients LIMIT 2
-- attack: numeric-overflow-by-masked
SELECT 10::numeric ^ (CASE WHEN last_name LIKE 'Qzx%' THEN 200000 ELSE 1 END) FROM patients LIMIT 1
-- attack: factorial-of-masked
SELECT factorial(account_number), gcd(account_number, 7), lcm(account_number, 9223372036854775807) FROM patients LIMIT 1
-- attack: logarithm-of-masked
SELECT ln(account_number - 7733177331773), sqrt(length(ssn) - 12) FROM patients LIMIT 1
-- attack: width-bucket-of-bounds
SELECT width_bucket(account_number, ARRAY[0, 7733177331773]), width_bucket(1.0, account_number, account_number, 2) FROM patients LIMIT 1
-- attack: make-date-of-masked
SELECT make_date(ascii(last_name), 13, 1), make_time(length(ssn), 0, 0) FROM patients LIMIT 1
-- attack: to-char-format-of-masked
SELECT to_char(now(), ssn) = '', to_char(1, last_name), to_number('1', mrn) FROM patients LIMIT 1
-- attack: time-zone-of-masked
SELECT now() AT TIME ZONE last_name FROM patients LIMIT 1
-- attack: date-trunc-unit-of-masked
SELECT date_trunc(last_name, now()), date_part(ssn, now()), date_bin(ssn::interval, now(), now()) FROM patients LIMIT 1
-- attack: convert-by-masked-encoding
SELECT convert_to('x', last_name), convert_from('\x41', ssn::text), convert('\x41', email, 'utf8') FROM patients LIMIT 1
-- attack: encode-by-masked-format
SELECT encode('\x41', last_name), decode('41', ssn) FROM patients LIMIT 1
-- attack: string-agg-ordered-distinct
SELECT string_agg(DISTINCT last_name, ssn ORDER BY last_name) FROM patients
-- attack: json-path-template-of-masked
SELECT jsonb_path_query('{"a": 1}', ('$.a ? (@ > ' || length(last_name) || ')')::jsonpath) FROM patients LIMIT 1
-- attack: json-path-vars-of-row
SELECT jsonb_path_query_array('[1]', '$ ? ($p.ssn starts with "Q")', jsonb_build_object('p', to_jsonb(p))) FROM patients p LIMIT 1
-- attack: json-path-regex-of-row
SELECT count(*) FROM patients p WHERE to_jsonb(p) @@ '$.** like_regex "^Qzx"' OR to_jsonb(p) @? '$.ssn ? (@ != null)'
-- attack: json-path-of-keys
SELECT jsonb_path_query_first(to_jsonb(p), 'strict $.nowhere') FROM patients p LIMIT 1
-- attack: json-duplicate-key-error
SELECT jsonb_object(ARRAY[last_name, ssn]), json_object(ARRAY['a', NULL], ARRAY[last_name]) FROM patients LIMIT 1
-- attack: json-build-odd
SELECT json_build_object(last_name), jsonb_build_object(ssn, 1) FROM patients LIMIT 1
-- attack: xml-forest-names
SELECT xmlforest(last_name AS "Qzx", ssn) FROM patients LIMIT 1
-- attack: xml-exists
SELECT xmlexists('//a' PASSING BY VALUE xmlparse(CONTENT last_name)) FROM patients LIMIT 1
-- attack: xml-pi
SELECT xmlpi(name php, last_name), xmlroot(xmlparse(CONTENT ssn), version '1.0') FROM patients LIMIT 1
-- attack: table-function-with-columns
SELECT a, b FROM json_to_record((SELECT to_json(p) FROM patients p LIMIT 1)) AS x (a text, b text), LATERAL (SELECT x.a) y
-- attack: table-function-ordinality
SELECT n, e FROM patients p, LATERAL regexp_split_to_table(p.last_name, '') WITH ORDINALITY AS t (e, n) WHERE p.patient_id = 1
-- attack: values-lists-of-masked
SELECT * FROM (VALUES ((SELECT max(ssn) FROM patients), (SELECT array_agg(last_name) FROM patients))) AS v (a, b)
-- attack: lateral-outer-row
SELECT l.k FROM patients p LEFT JOIN LATERAL (SELECT k FROM jsonb_object_keys(to_jsonb(p)) k WHERE to_jsonb(p) ->> k LIKE 'Qzx%') l ON true LIMIT 3
-- attack: lateral-of-sibling-cte
WITH a AS (SELECT * FROM patients) SELECT l.* FROM a, LATERAL (SELECT a.ssn, a) l LIMIT 2
-- attack: using-alias-of-masked
SELECT u.ssn, u FROM patients JOIN (SELECT ssn FROM patients) q USING (ssn) AS u LIMIT 2
-- attack: using-merged-of-masked-and-guess
SELECT ssn, last_name FROM patients FULL JOIN (VALUES ('900-00-0001', 'Smith')) v (ssn, last_name) USING (ssn, last_name) ORDER BY 1, 2 LIMIT 3
-- attack: natural-join-of-guess
SELECT count(*) FROM patients NATURAL JOIN (VALUES ('Qzxlast1')) v (last_name)
-- attack: natural-full-join-self
SELECT count(*) FROM (SELECT ssn, mrn FROM patients) a NATURAL FULL JOIN (SELECT mrn, ssn FROM patients) b
-- attack: join-nested-alias-hides
SELECT p.ssn FROM (patients p CROSS JOIN departments) AS j LIMIT 1
-- attack: join-nested-alias-columns
SELECT j.z FROM (patients CROSS JOIN departments) AS j (a, b, c, z) LIMIT 2
-- attack: correlated-in-every-clause
SELECT (SELECT max(q.last_name) FROM providers q WHERE q.provider_id = p.provider_id AND q.npi > p.ssn) FROM patients p GROUP BY p.provider_id, p.ssn HAVING count(*) > (SELECT length(max(p.ssn))) ORDER BY (SELECT p.ssn) LIMIT 2
-- attack: limit-by-masked-cast
SELECT 1 FROM departments LIMIT (SELECT ssn FROM patients ORDER BY patient_id LIMIT 1)::bigint
-- attack: fetch-with-ties-masked
SELECT zip FROM patients ORDER BY ssn, last_name FETCH FIRST 2 ROWS WITH TIES
-- attack: except-all-masked
SELECT last_name FROM patients EXCEPT ALL SELECT last_name FROM patients WHERE patient_id <= 3
-- attack: union-order-by-output
SELECT ssn AS x FROM patients UNION ALL SELECT last_name FROM patients ORDER BY x DESC NULLS LAST LIMIT 3
-- attack: parenthesised-set-operations
((SELECT ssn FROM patients) INTERSECT (TABLE (SELECT ssn FROM patients))) LIMIT 1
-- attack: values-order-limit
(VALUES ((SELECT ssn FROM patients LIMIT 1)), ('x')) ORDER BY 1 LIMIT 2
-- attack: typed-literal-of-domain-name
SELECT pg_catalog.text 'x', public.claim_status 'paid', ssn FROM patients LIMIT 1
-- attack: interval-literal-fields
SELECT interval(3) '1.23456 s', interval '1' year, ssn FROM patients LIMIT 1
-- attack: uescape-strange-character
SELECT U&'d!0061t!+000061' UESCAPE '!', U&"ss*006e" UESCAPE '*' FROM patients LIMIT 1
-- attack: uescape-quote-character refused
SELECT U&'''0027 UNION SELECT ssn FROM patients --' UESCAPE ''''
-- attack: uescape-after-comment
SELECT U&"!0073sn" -- x
UESCAPE '!' FROM patients LIMIT 1
-- attack: uescape-plus refused
SELECT U&'a' UESCAPE '+'
-- attack: uescape-dollar-quoted refused
SELECT U&"!0073sn" UESCAPE $$!$$ FROM patients
-- attack: unicode-identifier-doubled-quote
SELECT 1 AS U&"a""\0022, ssn FROM patients --" FROM departments LIMIT 1
-- attack: unicode-identifier-zero refused
SELECT U&"s\0000sn" FROM patients
-- attack: unicode-identifier-over-long
SELECT U&"\0061aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa" FROM (SELECT ssn AS aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa FROM patients) q LIMIT 1
-- attack: current-of-in-select refused
SELECT ssn FROM patients WHERE CURRENT OF c
-- attack: default-in-select refused
SELECT DEFAULT FROM patients
-- attack: parameter-in-simple-query
SELECT $1, ssn FROM patients LIMIT 1
-- attack: parameter-zero refused
SELECT $0 FROM patients
-- attack: parameter-huge refused
SELECT $2147483648 FROM patients
-- attack: grouping-of-nothing
SELECT grouping(ssn) FROM patients
-- attack: treat refused
SELECT TREAT(p AS patients) FROM patients p
-- attack: merge-action refused
SELECT merge_action() FROM patients
-- attack: returning-in-select refused
SELECT ssn FROM patients RETURNING ssn
-- attack: with-ordinality-of-table refused
SELECT * FROM patients WITH ORDINALITY
-- attack: lateral-table refused
SELECT * FROM LATERAL patients
-- attack: json-table refused
SELECT * FROM patients p, JSON_TABLE(to_jsonb(p), '$' COLUMNS (ssn text PATH '$.ssn')) t
-- attack: match-recognize refused
SELECT * FROM patients MATCH_RECOGNIZE (ORDER BY ssn MEASURES a.ssn AS s PATTERN (a) DEFINE a AS true)
-- attack: unpivot refused
SELECT * FROM patients UNPIVOT (v FOR k IN (ssn, mrn))
-- attack: qualify refused
SELECT patient_id FROM patients QUALIFY row_number() OVER (ORDER BY ssn) = 1
-- attack: select-exclude refused
SELECT * EXCLUDE (patient_id) FROM patients
-- attack: select-replace refused
SELECT * REPLACE (ssn AS mrn) FROM patients
-- attack: from-first refused
FROM patients SELECT ssn
-- attack: pipe-operator refused
FROM patients |> SELECT ssn
-- attack: double-colon-path
SELECT details::subscriber FROM claims LIMIT 1
-- attack: colon-path refused
SELECT details:subscriber FROM claims LIMIT 1
-- attack: any-of-bracketed-union
SELECT patient_id FROM patients WHERE last_name = ANY ((SELECT 'Q' || 'zxlast1') UNION (SELECT ssn FROM patients)) ORDER BY 1
-- attack: scalar-of-bracketed-union
SELECT ((SELECT min(ssn) FROM patients) UNION (SELECT min(ssn) FROM patients) LIMIT 1), (VALUES ((SELECT max(last_name) FROM patients)))
-- attack: all-of-values-of-masked
SELECT count(*) FROM patients p WHERE last_name <> ALL (VALUES (p.ssn), ((SELECT max(last_name) FROM patients)))
-- attack: bracketed-with-shadows-table
SELECT count(*) FROM patients WHERE ssn = ANY ((WITH patients AS (SELECT 'x'::text AS ssn) SELECT ssn FROM patients) UNION (SELECT ssn FROM patients))
-- attack: bracketed-order-by-masked
SELECT ((SELECT patient_id FROM patients) UNION (SELECT 0) ORDER BY (SELECT ssn FROM patients LIMIT 1) LIMIT 1)
-- attack: explain-of-brackets
EXPLAIN (SELECT ssn FROM patients WHERE last_name LIKE 'Q%') UNION (SELECT last_name FROM patients)
-- attack: explain-of-brackets-after-analyze refused
EXPLAIN ANALYZE (SELECT ssn FROM patients) UNION (SELECT last_name FROM patients)
-- attack: star-suffix-with-bare-alias
SELECT t.ssn, u.last_name FROM patients * t, patients * u WHERE t.patient_id = u.patient_id ORDER BY 1 LIMIT 2
-- attack: star-suffix-in-join-brackets
SELECT * FROM (patients * JOIN encounters * e USING (patient_id)) ORDER BY 1 LIMIT 2
-- attack: force-quote-star
COPY patients TO STDOUT (FORMAT csv, FORCE_QUOTE *)
-- attack: force-quote-star-of-query
COPY (SELECT ssn, last_name FROM patients) TO STDOUT CSV HEADER FORCE QUOTE *
-- attack: standard-json-object-of-masked
SELECT JSON_OBJECT('a': ssn, last_name: 1 ABSENT ON NULL) FROM patients ORDER BY patient_id LIMIT 2
-- attack: standard-json-array-of-rows
SELECT JSON_ARRAY(p, ssn, (SELECT max(last_name) FROM patients) NULL ON NULL) FROM patients p LIMIT 2
-- attack: standard-json-array-of-query
SELECT JSON_ARRAY(SELECT ssn FROM patients)
-- attack: standard-json-value-of-row
SELECT JSON_VALUE(to_jsonb(p), '$.ssn'), JSON_QUERY(to_jsonb(p), '$'), JSON_EXISTS(to_jsonb(p), '$.last_name ? (@ starts with "Q")') FROM patients p LIMIT 2
-- attack: standard-json-value-path-of-masked
SELECT JSON_VALUE('{}', last_name::jsonpath) FROM patients LIMIT 1
-- attack: standard-json-value-default-of-masked
SELECT JSON_VALUE('{}', '$.a' DEFAULT (SELECT max(ssn) FROM patients) ON EMPTY)
-- attack: standard-json-table-of-masked
SELECT t.* FROM patients p, JSON_TABLE(to_jsonb(p), '$' COLUMNS (ssn text PATH '$.ssn')) t LIMIT 2
-- attack: standard-json-returning-row-type refused
SELECT JSON_QUERY('{}', '$' RETURNING patients)
-- attack: is-json-of-masked
SELECT count(*) FILTER (WHERE last_name IS JSON), count(*) FILTER (WHERE ssn IS NOT JSON SCALAR) FROM patients
