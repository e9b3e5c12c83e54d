-- Select lists and stars
SELECT * FROM t;
SELECT t.* FROM t;
SELECT public.t.* FROM t;
SELECT t.*, t.a AS again FROM t ORDER BY id;
SELECT *, 1 AS one FROM t, u WHERE t.id = u.t_id;
SELECT * FROM t JOIN u USING (a);
SELECT * FROM t JOIN u USING (id, a) ORDER BY 1;
SELECT t.*, u.x FROM t JOIN u USING (a);
SELECT * FROM (t JOIN u ON t.id = u.t_id) AS j(x1, x2);
SELECT * FROM t NATURAL JOIN u;
SELECT * FROM t AS q(a, a, b);
SELECT * FROM t q(x, y);
SELECT * FROM t *;
SELECT * FROM parent_t *, child_t AS c;
SELECT * FROM ONLY parent_t;
SELECT * FROM ONLY (parent_t);
SELECT count(*) FROM parent_t;
TABLE t;
TABLE t ORDER BY id LIMIT 3;
TABLE ONLY parent_t;
(TABLE parent_t) UNION ALL (TABLE parent_t);
SELECT FROM t;
SELECT;
SELECT FROM t WHERE id < 3;
SELECT count(*) FROM (SELECT FROM t) AS s;
SELECT EXISTS (SELECT FROM t WHERE id = 1);
SELECT t FROM t WHERE id < 4;
SELECT (t).id, (t).a FROM t;
SELECT (t).* FROM t WHERE id < 4;
SELECT (t.p).a, (p).b, (t.p).* FROM t;
SELECT (p).* FROM t;
SELECT row_to_json(t) FROM t WHERE id < 4;
SELECT to_jsonb(t) - 'doc' FROM t WHERE id < 4;
SELECT u.id, u FROM u GROUP BY u.id ORDER BY u.id LIMIT 3;
SELECT t.id, t.a, count(*) FROM t LEFT JOIN u ON u.t_id = t.id GROUP BY t.id;
SELECT t.*, count(u.*) FROM t LEFT JOIN u ON u.t_id = t.id GROUP BY t.id;
SELECT (SELECT u FROM u WHERE u.t_id = t.id LIMIT 1) IS NULL FROM t;
SELECT count(t), count(t.*), count(DISTINCT t.a) FROM t;
SELECT u = u, count(u.*) OVER () FROM t JOIN u ON u.t_id = t.id WHERE t.id < 3;
SELECT ROW(t.*) FROM t WHERE id < 3;
SELECT ROW(t.id, t.a) = ROW(1, 1), (id, a) < (5, 5), (id, a) IN ((1, 1), (2, 2)), (id, a) IS NOT NULL FROM t;
SELECT (id, a) = ANY (SELECT id, a FROM u) FROM t;
SELECT (ROW(1, 'x')).f1;
SELECT (json_each('{"a": 1}')).*;
SELECT (json_each('{"a": 1}')).key;
SELECT (pg_catalog.jsonb_each('{"a": 1, "b": 2}')).value;
SELECT a AS "A b", "Mixed Case"."Id" FROM t, "Mixed Case";
SELECT "select", "a""b" FROM "Mixed Case";
SELECT * FROM "Mixed Case" AS "M x";
SELECT a b, id AS year, f AS "user" FROM t;
SELECT id value, a name, b type, c text FROM t;
SELECT DISTINCT a FROM t;
SELECT DISTINCT ON (a) a, id FROM t ORDER BY a, id DESC;
SELECT DISTINCT ON (a, f) * FROM t ORDER BY a, f, id;
SELECT ALL a FROM t;
SELECT ALL a, count(*) FROM t GROUP BY ALL a;
-- FROM
SELECT * FROM lower('X');
SELECT * FROM lower('X') AS l;
SELECT * FROM lower('X') AS l(v);
SELECT l FROM upper('x') l;
SELECT * FROM abs(-4), upper('x');
SELECT * FROM current_date;
SELECT * FROM current_date AS today;
SELECT * FROM current_date AS today(d);
SELECT count(*) FROM current_timestamp, localtimestamp(0), current_user, session_user;
SELECT * FROM coalesce(NULL, 3) AS c;
-- refused
SELECT * FROM CAST(3 AS text);
-- refused
SELECT * FROM extract(year FROM date '2020-05-05');
SELECT * FROM nullif(1, 2);
SELECT * FROM greatest(1, 2) g, least(3, 4) l;
SELECT * FROM generate_series(1, 3);
SELECT * FROM generate_series(1, 3) AS g(n);
SELECT g FROM generate_series(1, 3) AS g;
SELECT g.* FROM generate_series(date '2020-01-01', date '2020-03-01', interval '1 month') AS g;
SELECT d::date FROM generate_series('2020-01-01'::timestamp, '2020-01-05', '1 day') d;
SELECT * FROM generate_series(1, 3) WITH ORDINALITY;
SELECT * FROM generate_series(4, 6) WITH ORDINALITY AS g(n, i);
SELECT * FROM unnest(ARRAY[1, 2], ARRAY['a', 'b', 'c']) AS u(n, s);
SELECT * FROM unnest(ARRAY[1, 2], ARRAY['a', 'b', 'c']) WITH ORDINALITY AS u(n, s, i);
SELECT * FROM unnest(ARRAY[1, 2]) WITH ORDINALITY;
SELECT t.id, x.tag, x.n FROM t CROSS JOIN LATERAL unnest(t.tags) WITH ORDINALITY AS x(tag, n);
SELECT t.id, x FROM t, unnest(t.tags) x;
SELECT * FROM ROWS FROM (generate_series(1, 3), generate_series(1, 2)) AS r(a, b);
SELECT * FROM ROWS FROM (generate_series(1, 3), unnest(ARRAY['a', 'b'])) WITH ORDINALITY AS r(a, b, n);
-- refused
SELECT * FROM ROWS FROM (json_to_record('{"a": 1, "b": "x"}') AS (a int, b text), generate_series(1, 2)) AS r;
SELECT * FROM ROWS FROM (lower('A'));
SELECT * FROM ROWS FROM (generate_series(1, 3), generate_series(1, 2));
SELECT * FROM LATERAL ROWS FROM (generate_series(1, 3)) AS q;
SELECT t.id, r.* FROM t, LATERAL ROWS FROM (unnest(t.tags), generate_series(1, t.id)) AS r(x, y);
SELECT * FROM json_each('{"a": 1}');
SELECT * FROM json_each_text('{"a": 1}') AS j(k, v);
SELECT t.id, k, v FROM t, jsonb_each(t.doc) AS j(k, v);
SELECT * FROM json_to_recordset('[{"a": 1, "b": "x"}]') AS r(a int, b text);
SELECT * FROM jsonb_to_record('{"a": 1, "b": [1, 2]}') AS r(a int, b int[]);
-- refused
SELECT * FROM json_populate_record(NULL::pair, '{"a": 1, "b": "x"}');
SELECT * FROM regexp_matches('foobarbequebaz', 'ba.', 'g') AS m;
SELECT * FROM regexp_split_to_table('a,b,c', ',') WITH ORDINALITY AS s(part, n);
SELECT * FROM string_to_table('a,b', ',');
SELECT * FROM (SELECT 1 AS a) AS s;
SELECT * FROM (VALUES (1, 'a'), (2, 'b')) AS v(n, s);
SELECT * FROM (VALUES (1), (2)) v;
VALUES (1, 'a'), (2, NULL);
VALUES (1, 2) UNION ALL SELECT 3, 4 ORDER BY 1 LIMIT 1;
(VALUES (1)) UNION (VALUES (2));
SELECT id IN (VALUES (1), (2)) FROM t;
SELECT * FROM t LEFT JOIN u ON t.id = u.t_id AND u.x > 1 WHERE u.id IS NULL;
SELECT * FROM t RIGHT JOIN u ON t.id = u.t_id;
SELECT t.id, u.id FROM t FULL OUTER JOIN u ON t.id = u.t_id;
SELECT * FROM t CROSS JOIN tree;
SELECT * FROM (t CROSS JOIN u) LEFT JOIN tree ON tree.id = t.id;
SELECT * FROM t INNER JOIN (u INNER JOIN tree ON u.id = tree.id) ON t.id = u.t_id;
SELECT * FROM ((t JOIN u ON t.id = u.t_id));
SELECT * FROM ((SELECT 1 AS one)) AS s;
SELECT j.id, t.b, u.x FROM t JOIN u USING (id) AS j;
SELECT j.* FROM t JOIN u USING (id, a) AS j;
SELECT * FROM t LEFT JOIN u USING (id) AS j;
SELECT id, j.id, t.id, u.id FROM t JOIN u USING (id) AS j ORDER BY j.id;
SELECT t.id, s.n FROM t, LATERAL (SELECT count(*) AS n FROM u WHERE u.t_id = t.id) AS s;
SELECT t.id, s.x FROM t LEFT JOIN LATERAL (SELECT u.x FROM u WHERE u.t_id = t.id ORDER BY u.id LIMIT 1) AS s ON true;
SELECT t.id, g FROM t CROSS JOIN LATERAL generate_series(1, t.a) AS g;
SELECT t.id, g FROM t, generate_series(1, t.a) AS g;
SELECT * FROM t TABLESAMPLE bernoulli (100);
SELECT * FROM t AS q TABLESAMPLE system (100) REPEATABLE (3);
SELECT * FROM v;
SELECT v.*, t.d FROM v JOIN t USING (id);
-- WHERE and operators
SELECT * FROM t WHERE a BETWEEN 1 AND 3 AND b LIKE 'name%' OR NOT f;
SELECT id FROM t WHERE a NOT BETWEEN 1 AND 3;
SELECT id FROM t WHERE a BETWEEN SYMMETRIC 3 AND 1;
SELECT id FROM t WHERE a NOT BETWEEN ASYMMETRIC 3 AND 1;
SELECT id FROM t WHERE a ISNULL;
SELECT id FROM t WHERE a NOTNULL AND b NOTNULL;
SELECT a ISNULL AS missing, b IS NOT NULL FROM t;
SELECT f IS TRUE, f IS NOT TRUE, f IS UNKNOWN, f IS NOT UNKNOWN, NOT f IS FALSE FROM t;
SELECT a IS DISTINCT FROM 3, a IS NOT DISTINCT FROM NULL FROM t;
SELECT b LIKE 'n%', b NOT LIKE 'n!%' ESCAPE '!', b ILIKE 'N%', b NOT ILIKE 'x', b SIMILAR TO '(name|x)%', b NOT SIMILAR TO 'x' ESCAPE '\' FROM t;
SELECT b ~ '^n', b ~* 'N', b !~ 'x', b !~* 'X', b ~~ 'n%', b !~~ 'x', b ~~* 'N%', b ^@ 'na' FROM t;
SELECT b LIKE ANY (ARRAY['n%', 'x%']), b NOT LIKE ALL (ARRAY['n%', 'x%']), b ILIKE ANY ('{N%}') FROM t;
SELECT b ~ ANY (ARRAY['1', '2']), b !~ ALL (ARRAY['1', '2']), b ~* SOME (ARRAY['N']) FROM t;
SELECT a = ANY (ARRAY[1, 2]), a <> ALL ('{1,2}'::int[]), a < ANY (SELECT x FROM u), a >= ALL (SELECT 1) FROM t;
SELECT doc @> ANY (ARRAY['{"n": 1}'::jsonb]), doc @> ANY (SELECT '{}'::jsonb), r && ALL (ARRAY[int4range(1, 9)]) IS NULL FROM t;
SELECT a OPERATOR(pg_catalog.=) ANY (ARRAY[1, 2]), a OPERATOR(pg_catalog.+) 1 FROM t;
SELECT doc -> 'n', doc ->> 'n', doc #> '{in,k}', doc #>> '{in,k}', doc @> '{"n": 1}', doc ? 'n', doc ?| ARRAY['n', 'q'], doc ?& ARRAY['n'], doc - 'n', doc #- '{in,k}', doc || '{"z": 1}' FROM t;
SELECT doc @? '$.list[*] ? (@ > 2)', doc @@ '$.n > 2' FROM t;
SELECT doc['n'], doc['in']['k'], js -> 'list' -> 0 FROM t;
SELECT tags[1], tags[1:1], tags[:2], tags[2:], tags[:], grid[1][2], grid[1:2][2:2], (grid[1:2])[1][1] FROM t;
SELECT (ARRAY[1, 2, 3])[2], (ARRAY[[1, 2], [3, 4]])[2][1], ('{1,2}'::int[])[1], (pt[0]), (tags)[1] FROM t;
SELECT ARRAY[[1, 2], [3, 4]], ARRAY[ARRAY[1], ARRAY[2]], ARRAY[]::int[], ARRAY[NULL]::text[], ARRAY[[[1]]];
SELECT ARRAY(SELECT id FROM u WHERE u.t_id = t.id ORDER BY id), cardinality(tags), tags || 'z'::text, 'a'::text || tags, tags @> ARRAY['y'] FROM t;
SELECT - a, + a, @ a, ~ a, a % 3, a ^ 2, |/ 16.0, ||/ 27.0, a << 1, a >> 1, a & 3, a | 4, a # 5 FROM t;
SELECT -2 ^ 2, (- 2) ^ 2, 2 - -1, 2--1
;
SELECT - a * 2, - a::int8 ^ 2, - -2 ^ 2, - c ^ 2 + 1 FROM t WHERE a > 0;
-- refused
SELECT @ -5 + 2;
SELECT !! 'fat & rat'::tsquery, # path '((0,0),(1,1))', @-@ path '((0,0),(1,1))', @@ box '((0,0),(2,2))';
SELECT ip << inet '10.0.0.0/24', ip && inet '10.0.0.0/8', r @> 3, r && int4range(1, 3), r -|- int4range(6, 9) FROM t;
SELECT pt <-> point '(0,0)', pt ~= point '(1,2)', circle '((0,0),3)' @> pt FROM t;
SELECT 1 < 2 AND 3 > 2, 1 = 1 AND NOT 2 = 3, (1 < 2) = true, 1 <> 2, 1 != 2;
SELECT 'a' || 'b' || 1, 'a' || NULL, a || ' ' || b FROM t;
SELECT 'one'
       ' and two';
SELECT E'a\n' -- and on
  'b', 'it''s', E'it\'s', $$dollar's$$, $q$a$$b$q$, U&'d\0061t\+000061';
-- refused
SELECT U&'d!0061t!+000061' UESCAPE '!';
-- refused
SELECT U&"\0061" FROM t;
-- refused
SELECT U&"d!0061" UESCAPE '!' FROM (SELECT 1 AS da) s;
SELECT B'101', X'1F', b'0', x'aB', B'1' || B'0';
SELECT 1, -1, 1.5, .5, 5., 1e3, 1.5E-3, 2147483648, 9223372036854775808, 0;
SELECT TRUE, false, NULL, 'yes'::bool, CAST('t' AS boolean);
-- Casts and types
SELECT a::text, a::bigint::numeric(10, 2), c::int, d::timestamp, '1'::int2, CAST(a AS varchar(3)), b::char(3), b::"char", b::name FROM t;
SELECT int '3', int4 '4', float8 '1.5', text 'x', date '2020-01-01', time '10:00', timetz '10:00+00', timestamp '2020-01-01', timestamptz '2020-01-01+00', timestamp with time zone '2020-01-01+00', timestamp without time zone '2020-01-01', time with time zone '10:00+00', double precision '1', bit '101', varchar 'x', char(3) 'abc', numeric '1.20', decimal(5, 2) '1.234', boolean 'true', bytea '\x00', uuid '00000000-0000-0000-0000-000000000000', jsonb '{}', point '(1,2)', inet '::1', interval '1 day', oid '1', money '1', xid '1', pg_lsn '0/1', regclass 'pg_class', tsquery 'a', bigint '5', real '1.5', smallint '3', bit varying '10', character varying '1';
SELECT interval '1' year, interval '1-2' year to month, interval '3 4:05' day to minute, interval '1.234567' second(3), interval(2) '1.2345 seconds', interval '2' hour, interval '1 day' * 2, i * 1.5, i / 2 FROM t;
SELECT '1 day'::interval, '1.234'::interval(1), '3 months'::interval month, CAST('1 2' AS interval day to hour), b::text COLLATE "C" FROM t;
SELECT b COLLATE "C" < 'x' COLLATE "C", b COLLATE pg_catalog."default" FROM t ORDER BY b COLLATE "C", id;
SELECT COLLATION FOR (b), COLLATION FOR ('x' COLLATE "C") FROM t;
SELECT '{1,2}'::int[], '{{1},{2}}'::int[][], ARRAY[1]::text[], '{a}'::text ARRAY, '{a}'::text ARRAY[3], '{1}'::int4[2], CAST('{1}' AS integer ARRAY) FROM t;
SELECT 'low'::mood, m::text, m > 'low', '12345'::zip, mood 'high', public.mood 'low', pg_catalog.int4 '3', 'x'::pg_catalog.text FROM t;
SELECT a::numeric(5), a::numeric(5, 1), a::float(20), a::float(30), a::dec(4), a::real, c::money, '2020-01-01'::timestamp(3), '10:00:00.55'::time(1) FROM t;
SELECT 'pg_class'::regclass, 'now'::regproc::text, 'int4'::regtype, 'public'::regnamespace, 1::oid;
-- Functions
SELECT substring(b FROM 2 FOR 3), substring(b FROM 2), substring(b FOR 3), substring(b FROM 'n.m'), substring(b, 2), substr(b, 2, 2), substring(b SIMILAR '%#"am#"%' ESCAPE '#'), substring(b FROM '%#"am#"%' FOR '#') FROM t;
-- refused
SELECT substring(b FOR 3 FROM 2) FROM t;
SELECT trim(b), trim(BOTH FROM b), trim(LEADING 'n' FROM b), trim(TRAILING FROM b), trim('n' FROM b), trim(b, 'n'), trim(BOTH 'n' FROM b), trim(FROM b) FROM t;
SELECT position('a' IN b), overlay(b PLACING 'x' FROM 2 FOR 1), overlay(b PLACING 'x' FROM 2), strpos(b, 'a'), normalize('a'), normalize('a', NFC), 'a' IS NORMALIZED, 'a' IS NFC NORMALIZED, 'a' IS NOT NFKD NORMALIZED FROM t;
SELECT extract(year FROM d), extract('month' FROM d), extract(epoch FROM e), extract(dow FROM d), extract(day FROM i), date_part('hour', e), extract(timezone FROM e), extract(julian FROM d), extract(week FROM d) FROM t;
SELECT current_date - d > -10000, current_timestamp IS NOT NULL, now() = transaction_timestamp(), current_time IS NULL, localtime(0) IS NULL, localtimestamp IS NULL, age(d) IS NULL, age(d, '2019-01-01') FROM t;
SELECT e AT TIME ZONE 'UTC', (e AT TIME ZONE 'UTC') AT TIME ZONE 'America/New_York', d::timestamp AT TIME ZONE interval '1 hour', e AT TIME ZONE 'UTC' > '2020-01-01' FROM t;
SELECT e::date - d, d + 1, d - interval '1 month', d + time '10:00', date_trunc('month', e AT TIME ZONE 'UTC'), date_bin('15 minutes', e, timestamptz '2001-01-01 00:00+00'), make_date(2020, 1, 2), make_interval(days => 3), to_char(d, 'YYYY-MM-DD Day'), to_date('20200102', 'YYYYMMDD'), to_timestamp(0) FROM t;
SELECT (d, d + 5) OVERLAPS (date '2020-01-10', date '2020-01-20'), (d, interval '5 days') OVERLAPS (date '2020-01-10', interval '3 days'), (date '2020-01-01', date '2020-02-01') OVERLAPS ROW (d, d) FROM t;
SELECT coalesce(a, 0), nullif(a, 3), greatest(a, 3, 5), least(a, NULL), CASE a WHEN 1 THEN 'one' WHEN 2 THEN 'two' ELSE 'more' END, CASE WHEN a > 3 THEN 1 END, CASE WHEN f THEN 1 ELSE 0 END + 1 FROM t;
SELECT round(c, 1), ceil(c), ceiling(c), floor(c), trunc(c), mod(a, 3), power(a, 2), sqrt(a), ln(1), log(10), log(2, 8), exp(0), sign(a), abs(a), pi() > 3, degrees(1), random() < 2, width_bucket(a, 0, 10, 5), div(a, 2), gcd(4, 6), factorial(4) FROM t WHERE a >= 0;
SELECT concat(a, b), concat_ws('-', a, b, NULL), concat(VARIADIC ARRAY[1, 2]), format('%s %I %L', a, coalesce(b, 'x'), b), initcap(b), upper(b), left(b, 2), right(b, 2),  lpad(b, 9, '*'), repeat(b, 2), replace(b, 'a', 'b'), reverse(b), split_part(b, ' ', 2), length(b), char_length(b), octet_length(b), bit_length(b), ascii(b), chr(65), translate(b, 'ab', 'xy'), md5(b), quote_literal(b), quote_ident(b), starts_with(b, 'n'), to_hex(a), encode(by, 'hex'), b = 'x' FROM t;
SELECT regexp_replace(b, '(n)(a)', '\2\1', 'g'), regexp_match(b, '(\d)'), (regexp_match(b, '(\d)'))[1], regexp_split_to_array(b, '\s'), regexp_count(b, 'a'), regexp_like(b, 'a'), regexp_substr(b, '\d'), regexp_instr(b, 'a') FROM t;
SELECT to_tsvector('english', b) @@ to_tsquery('english', 'name'), words @@ plainto_tsquery('fox'), ts_rank(words, to_tsquery('fox')), ts_headline('english', b, to_tsquery('name')), phraseto_tsquery('a b'), websearch_to_tsquery('a or b'), words @@ 'fox & quick'::tsquery, setweight(words, 'A'), tsvector_to_array(words), numnode('a & b'::tsquery) FROM t;
SELECT json_build_object('a', a, 'b', b), jsonb_build_array(a, b), to_json(b), json_agg(a) OVER (ORDER BY id), jsonb_set(doc, '{n}', '0'), jsonb_path_query_array(doc, '$.list[*]'), jsonb_typeof(doc), jsonb_array_length(doc -> 'list'), jsonb_pretty(doc), jsonb_extract_path_text(doc, 'in', 'k'), doc ->> 'n', (doc ->> 'n')::int + 1 FROM t;
SELECT array_agg(DISTINCT a ORDER BY a DESC), array_length(ARRAY[1, 2], 1), array_position(ARRAY['a', 'b'], 'b'), array_remove(ARRAY[1, 2], 1), array_to_string(ARRAY[1, 2], ','), string_to_array('a,b', ','), array_cat(ARRAY[1], ARRAY[2]), array_append(ARRAY[1], 2) FROM t;
SELECT make_interval(years => 1, months := 2), to_char(c, 'FM999.99'), num_nulls(a, b), pg_typeof(a), current_schema, current_schema(), current_catalog IS NULL FROM t;
SELECT current_user = user, session_user IS NOT NULL, current_role IS NULL, current_database() IS NULL;
SELECT current_setting('work_mem') IS NULL, current_setting('server_version_num', true)::int > 100;
-- fails
SELECT 1 / 0;
-- fails
SELECT b::int FROM t;
-- fails
SELECT lower(1);
-- Aggregates and windows
SELECT count(*), count(a), count(DISTINCT a), sum(c), avg(c), min(d), max(b), bool_and(f), bool_or(f), every(f), string_agg(b, ',' ORDER BY id), string_agg(DISTINCT b, ','), stddev(a), variance(a), corr(a, id), regr_slope(a, id), bit_or(a), xor_agg FROM t, (SELECT 1 AS xor_agg) s GROUP BY xor_agg;
SELECT a, count(*) FILTER (WHERE f), sum(c) FILTER (WHERE b LIKE 'n%') FROM t GROUP BY a;
SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY c), percentile_cont(ARRAY[0.25, 0.75]) WITHIN GROUP (ORDER BY c), percentile_disc(0.9) WITHIN GROUP (ORDER BY d DESC), mode() WITHIN GROUP (ORDER BY b) FROM t;
SELECT rank(3) WITHIN GROUP (ORDER BY a), dense_rank(3) WITHIN GROUP (ORDER BY a), percent_rank(3) WITHIN GROUP (ORDER BY a NULLS FIRST), cume_dist(3, 'x') WITHIN GROUP (ORDER BY a, b) FROM t;
SELECT f, percentile_cont(0.5) WITHIN GROUP (ORDER BY c) FILTER (WHERE a > 1) FROM t GROUP BY f;
SELECT id, row_number() OVER (), rank() OVER (ORDER BY a), dense_rank() OVER (PARTITION BY f ORDER BY a DESC NULLS LAST), ntile(4) OVER (ORDER BY id), percent_rank() OVER (ORDER BY id), cume_dist() OVER (ORDER BY id) FROM t;
SELECT id, lag(a) OVER w, lead(a, 2, 0) OVER w, first_value(a) OVER w, last_value(a) OVER (w ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING), nth_value(a, 2) OVER w FROM t WINDOW w AS (PARTITION BY f ORDER BY id);
SELECT id, sum(c) OVER (w ORDER BY id), avg(c) OVER w2 FROM t WINDOW w AS (PARTITION BY f), w2 AS (w ORDER BY d);
SELECT id, sum(a) OVER (ORDER BY id ROWS BETWEEN 2 PRECEDING AND CURRENT ROW), sum(a) OVER (ORDER BY id ROWS 3 PRECEDING), sum(a) OVER (ORDER BY id RANGE BETWEEN 3 PRECEDING AND 2 FOLLOWING), sum(a) OVER (ORDER BY a GROUPS BETWEEN 1 PRECEDING AND 1 FOLLOWING), sum(a) OVER (ORDER BY id ROWS UNBOUNDED PRECEDING) FROM t;
SELECT id, sum(a) OVER (ORDER BY d RANGE BETWEEN '5 days' PRECEDING AND CURRENT ROW), sum(a) OVER (ORDER BY d RANGE BETWEEN interval '5 days' PRECEDING AND interval '1' day FOLLOWING), sum(a) OVER (ORDER BY d RANGE BETWEEN '5 days'::interval PRECEDING AND '1 day' FOLLOWING), sum(a) OVER (ORDER BY c RANGE BETWEEN 1.5 PRECEDING AND 2 * 3 FOLLOWING) FROM t WHERE d IS NOT NULL;
SELECT id, sum(a) OVER (ORDER BY id ROWS BETWEEN 2 PRECEDING AND 2 FOLLOWING EXCLUDE CURRENT ROW), sum(a) OVER (ORDER BY a RANGE BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING EXCLUDE TIES), sum(a) OVER (ORDER BY a ROWS BETWEEN CURRENT ROW AND UNBOUNDED FOLLOWING EXCLUDE GROUP), sum(a) OVER (ROWS CURRENT ROW EXCLUDE NO OTHERS) FROM t;
SELECT count(*) FILTER (WHERE f) OVER (PARTITION BY a) FROM t;
SELECT a, f, count(*) FROM t GROUP BY GROUPING SETS ((a, f), (a), ());
SELECT a, f, count(*), grouping(a, f) FROM t GROUP BY ROLLUP (a, f) HAVING count(*) > 1;
SELECT a, f, m, count(*) FROM t GROUP BY CUBE ((a, f), m);
SELECT a, f, m, count(*) FROM t GROUP BY GROUPING SETS (ROLLUP (a, f), CUBE (m), (a, m));
SELECT a, f, count(*) FROM t GROUP BY GROUPING SETS (a, GROUPING SETS (f, (a, f)), ());
SELECT a, f, count(*) FROM t GROUP BY a, ROLLUP (f), GROUPING SETS (m, ());
SELECT a, f, count(*) FROM t GROUP BY DISTINCT ROLLUP (a, f), ROLLUP (a);
SELECT a, f, count(*) FROM t GROUP BY ALL ROLLUP (a, f), CUBE (a);
SELECT a + 1, count(*) FROM t GROUP BY a + 1 ORDER BY 1;
SELECT a + 1 AS n, count(*) FROM t GROUP BY n ORDER BY n DESC NULLS LAST;
SELECT a AS f, count(*) FROM t GROUP BY 1 HAVING count(*) > 2 ORDER BY count(*) DESC, 1;
SELECT (a, f), count(*) FROM t GROUP BY (a, f);
SELECT a, f, count(*) FROM t GROUP BY (a, f), m;
SELECT t.b, count(*) FROM t GROUP BY (id, a);
SELECT name 'x', int4range(1, 5) &> int4range(1, 3), int4range(1, 5) &< int4range(1, 3);
SELECT count(*) FROM t GROUP BY ();
SELECT count(*) FROM t HAVING count(*) > 1;
SELECT t.id, b, count(*) FROM t JOIN u ON u.t_id = t.id GROUP BY t.id, u.x;
SELECT count(*) FROM t GROUP BY id, GROUPING SETS ((a), ());
-- ORDER BY, LIMIT, locking
SELECT id FROM t ORDER BY a NULLS FIRST, b DESC, id ASC NULLS LAST;
SELECT id FROM t ORDER BY a USING <, id USING >;
SELECT id FROM t ORDER BY -id;
SELECT id AS n FROM t ORDER BY n, lower(b);
SELECT id FROM t ORDER BY id LIMIT 3 OFFSET 2;
SELECT id FROM t ORDER BY id OFFSET 2 LIMIT 3;
SELECT id FROM t ORDER BY id OFFSET 2 ROWS FETCH NEXT 3 ROWS ONLY;
SELECT id FROM t ORDER BY id OFFSET 1 ROW FETCH FIRST ROW ONLY;
SELECT id FROM t ORDER BY id FETCH FIRST ROW ONLY;
SELECT id FROM t ORDER BY id FETCH FIRST (1 + 1) ROWS ONLY;
SELECT a FROM t ORDER BY a FETCH FIRST 3 ROWS WITH TIES;
SELECT a FROM t ORDER BY a FETCH FIRST (SELECT 3) ROWS WITH TIES;
SELECT a FROM t ORDER BY a OFFSET 3 ROWS FETCH FIRST +4 ROWS WITH TIES;
SELECT id FROM t ORDER BY id LIMIT ALL;
SELECT id FROM t ORDER BY id LIMIT NULL;
SELECT id FROM t ORDER BY id LIMIT (SELECT 2) OFFSET 1 + 1;
SELECT id FROM t WHERE id = 3 FOR UPDATE;
SELECT id FROM t WHERE id = 3 FOR NO KEY UPDATE;
SELECT id FROM t WHERE id = 3 FOR SHARE NOWAIT;
SELECT id FROM t WHERE id = 3 FOR KEY SHARE SKIP LOCKED;
SELECT t.id FROM t, u WHERE t.id = u.t_id AND t.id = 3 FOR UPDATE OF t FOR SHARE OF u;
SELECT t.id FROM t, u WHERE t.id = u.t_id AND t.id = 3 FOR UPDATE OF t, u NOWAIT;
SELECT id FROM t WHERE id = 3 FOR READ ONLY;
SELECT * FROM t WHERE id = 3 FOR UPDATE LIMIT 1;
-- Subqueries, WITH, set operations
SELECT (SELECT count(*) FROM u WHERE u.t_id = t.id), (SELECT * FROM (VALUES (1)) AS v(x)) FROM t;
SELECT id FROM t WHERE EXISTS (SELECT 1 FROM u WHERE u.t_id = t.id) AND NOT EXISTS (SELECT * FROM tree WHERE tree.id = t.id);
SELECT id FROM t WHERE id IN (SELECT t_id FROM u WHERE u.x = t.a) AND a NOT IN (1, 2) OR (id, a) NOT IN (SELECT id, a FROM u);
WITH q AS (SELECT * FROM t), r(n) AS (SELECT count(*) FROM q) SELECT * FROM q, r;
WITH q AS MATERIALIZED (SELECT id FROM t), r AS NOT MATERIALIZED (SELECT id FROM u) SELECT * FROM q JOIN r USING (id);
WITH RECURSIVE n(i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n WHERE i < 5) SELECT * FROM n;
WITH RECURSIVE n AS (SELECT 1 AS i UNION SELECT i + 1 FROM n WHERE i < 5) SELECT sum(i) FROM n;
WITH RECURSIVE w AS (SELECT id, parent, ARRAY[id] AS path FROM tree WHERE parent IS NULL UNION ALL SELECT tree.id, tree.parent, path || tree.id FROM tree JOIN w ON tree.parent = w.id) SELECT * FROM w;
WITH RECURSIVE x AS (SELECT * FROM y), y AS (SELECT 1 AS n) SELECT * FROM x;
WITH RECURSIVE x(n) AS (SELECT m FROM y), y(m) AS (SELECT 1 UNION ALL SELECT m + 1 FROM y WHERE m < 3) SELECT * FROM x, y;
WITH RECURSIVE w(id, parent) AS (SELECT id, parent FROM tree WHERE parent IS NULL UNION ALL SELECT t.id, t.parent FROM tree t, w WHERE t.parent = w.id) SEARCH DEPTH FIRST BY id SET seq SELECT * FROM w ORDER BY seq;
WITH RECURSIVE w(id, parent) AS (SELECT id, parent FROM tree WHERE parent IS NULL UNION ALL SELECT t.id, t.parent FROM tree t, w WHERE t.parent = w.id) SEARCH BREADTH FIRST BY parent, id SET seq SELECT id, seq FROM w ORDER BY seq;
WITH RECURSIVE w(id, parent) AS (SELECT id, parent FROM tree WHERE parent IS NULL UNION ALL SELECT t.id, t.parent FROM tree t, w WHERE t.parent = w.id) CYCLE id SET looped USING path SELECT * FROM w;
WITH RECURSIVE w(id, parent) AS (SELECT id, parent FROM tree WHERE parent IS NULL UNION ALL SELECT t.id, t.parent FROM tree t, w WHERE t.parent = w.id) CYCLE id, parent SET looped TO 'Y' DEFAULT 'N' USING path SELECT id, looped, path FROM w;
WITH RECURSIVE w(id, parent) AS (SELECT id, parent FROM tree WHERE parent IS NULL UNION ALL SELECT t.id, t.parent FROM tree t, w WHERE t.parent = w.id) SEARCH DEPTH FIRST BY id SET seq CYCLE id SET looped USING path SELECT * FROM w;
WITH q AS (WITH r AS (SELECT 1 AS x) SELECT * FROM r) SELECT * FROM q;
SELECT * FROM (WITH q AS (SELECT 1 AS x) SELECT * FROM q) AS s;
WITH t AS (SELECT 1 AS id) SELECT * FROM t, public.t AS real WHERE real.id = t.id;
WITH q AS (TABLE u) TABLE q;
WITH q(a, b) AS (VALUES (1, 2)) VALUES ((SELECT a FROM q));
SELECT id FROM t UNION SELECT id FROM u;
SELECT id FROM t UNION ALL SELECT id FROM u INTERSECT SELECT 3 EXCEPT SELECT 4 ORDER BY 1;
(SELECT id FROM t ORDER BY id LIMIT 2) UNION ALL (SELECT id FROM u ORDER BY id LIMIT 2) ORDER BY id DESC;
SELECT id FROM t INTERSECT ALL SELECT id FROM u;
SELECT id FROM t EXCEPT DISTINCT SELECT id FROM u;
((SELECT 1) UNION (SELECT 2)) ORDER BY 1;
SELECT 1 AS a UNION SELECT 2 ORDER BY a;
SELECT * FROM (SELECT id FROM t UNION SELECT id FROM u) AS s(n) WHERE n < 5;
SELECT FROM t UNION ALL SELECT FROM u;
-- refused
SELECT pg_read_file('PG_VERSION');
-- refused
SELECT ctid FROM t;
-- refused
SELECT nextval('pg_class'::regclass) FROM t WHERE false;
-- refused
SELECT a FROM t WHERE 1 < 2 = true;
-- refused
SELECT [a] FROM t;
-- refused
SELECT 0x1F;
-- refused
SELECT 1_000;
-- refused
SELECT {fn now()};
-- refused
SELECT e AT LOCAL FROM t;
SELECT current_setting('no_such_setting', true);
SELECT U&'d\0061t\+000061';
