-- Types as roads: records, ranges, arrays, domains, casts through text, input functions, families of reg*.
-- attack: null-row-type
SELECT NULL::patients
-- attack: null-row-type-star
SELECT (NULL::patients).*
-- attack: null-row-type-field
SELECT (NULL::patients).ssn, p.patient_id FROM patients p LIMIT 2
-- attack: row-constructor-cast-to-table
SELECT (ROW(p.*)::patients).ssn FROM patients p LIMIT 3
-- attack: whole-row-cast-to-own-type
SELECT (p::patients).last_name FROM patients p LIMIT 3
-- attack: whole-row-through-text-and-back
SELECT ((p::text)::patients).ssn FROM patients p LIMIT 3
-- attack: whole-row-through-json-populate
SELECT (jsonb_populate_record(NULL::patients, to_jsonb(p))).ssn FROM patients p LIMIT 3
-- attack: populate-recordset-from-aggregate
SELECT r.ssn, r.last_name FROM (SELECT jsonb_agg(p) AS j FROM patients p) q, jsonb_populate_recordset(NULL::patients, q.j) AS r LIMIT 3
-- attack: populate-record-base-is-row
SELECT (jsonb_populate_record(p, '{"patient_id": 1}')).* FROM patients p LIMIT 3
-- attack: populate-record-of-catalog-type
SELECT (jsonb_populate_record(NULL::pg_statistic, '{}')).*
-- attack: to-record-with-table-column
SELECT x.r FROM json_to_record('{"r": {"ssn": "1"}}') AS x(r patients)
-- attack: to-recordset-with-table-array
SELECT x.r FROM jsonb_to_recordset('[{"r": []}]') AS x(r patients[])
-- attack: array-of-rows
SELECT array_agg(p)::text FROM patients p
-- attack: array-of-rows-subscript-field
SELECT (array_agg(p))[1].ssn FROM patients p
-- attack: array-of-rows-unnest
SELECT u.ssn, u.last_name FROM (SELECT array_agg(p) AS a FROM patients p) q, unnest(q.a) AS u
-- attack: array-of-rows-cast
SELECT (ARRAY(SELECT p FROM patients p))::patients[]
-- attack: array-subquery-row-text
SELECT array_to_string(ARRAY(SELECT p::text FROM patients p ORDER BY patient_id), E'\n')
-- attack: anonymous-row-compare
SELECT patient_id FROM patients p WHERE ROW(p.ssn, p.email) > ROW('', '') ORDER BY 1
-- attack: row-of-row
SELECT ROW(ROW(p.*), ROW(p.ssn)) FROM patients p LIMIT 2
-- attack: row-in-in-list
SELECT patient_id FROM patients p WHERE (p.ssn, p.last_name) IN (SELECT ssn, last_name FROM patients WHERE patient_id = 7) ORDER BY 1
-- attack: row-is-null-partial
SELECT count(*) FROM patients p WHERE ROW(p.ssn, p.photo, p.fax) IS NULL
-- attack: whole-row-is-not-null
SELECT count(*) FROM patients p WHERE p IS NOT NULL
-- attack: whole-row-image-compare
SELECT count(*) FROM patients a, patients b WHERE a *= b AND a.patient_id < b.patient_id
-- attack: whole-row-order
SELECT patient_id FROM (SELECT DISTINCT ON (last_name) p.* FROM patients p ORDER BY last_name, p) q
-- attack: whole-row-max
SELECT max(p::text), min(p::text) FROM patients p
-- attack: record-larger
SELECT record_larger(a, b) FROM patients a, patients b WHERE a.patient_id = 1 AND b.patient_id = 2
-- attack: whole-row-hash
SELECT md5(string_agg(p::text, '' ORDER BY patient_id)) FROM patients p
-- attack: column-size-of-row
SELECT pg_column_size(p) FROM patients p ORDER BY patient_id LIMIT 5
-- attack: column-size-of-masked
SELECT pg_column_size(ssn), pg_column_size(photo), pg_column_size(last_name) FROM patients ORDER BY patient_id LIMIT 5
-- attack: row-to-json-pretty
SELECT row_to_json(p, true) FROM patients p LIMIT 1
-- attack: json-each-key-value
SELECT e.key, e.value FROM patients p, jsonb_each_text(to_jsonb(p)) e WHERE e.key IN ('ssn', 'email', 'photo') LIMIT 9
-- attack: json-path-over-row
SELECT jsonb_path_query(to_jsonb(p), '$.* ? (@ like_regex "^[A-Z]")') FROM patients p LIMIT 20
-- attack: json-path-keyvalue
SELECT jsonb_path_query(to_jsonb(p), '$.keyvalue()') FROM patients p LIMIT 30
-- attack: json-path-vars
SELECT count(*) FROM patients p WHERE jsonb_path_exists(to_jsonb(p), '$.ssn ? (@ > $v)', '{"v": "5"}')
-- attack: json-path-silent-datetime
SELECT jsonb_path_query_tz(to_jsonb(p), '$.*.datetime()', '{}', true) FROM patients p LIMIT 5
-- attack: json-details-all-paths
SELECT jsonb_path_query(details, '$.**') FROM claims LIMIT 9
-- attack: json-details-hash-arrow
SELECT details #>> '{subscriber}', details -> 'subscriber', details['subscriber'] FROM claims LIMIT 5
-- attack: json-details-each
SELECT key, value FROM claims, jsonb_each(details) LIMIT 5
-- attack: json-details-strip-set
SELECT jsonb_set(details, '{x}', details), jsonb_insert(details, '{y}', '1') FROM claims LIMIT 2
-- attack: json-details-contains-guess
SELECT count(*) FROM claims WHERE details @> '{"lines": 1}' OR details ? 'subscriber'
-- attack: json-details-minus-path
SELECT details #- '{lines}' FROM claims LIMIT 2
-- attack: json-table refused
SELECT t.* FROM claims, JSON_TABLE(details, '$' COLUMNS (s text PATH '$.subscriber')) t
-- attack: json-value refused
SELECT JSON_VALUE(details, '$.subscriber') FROM claims
-- attack: json-exists refused
SELECT JSON_EXISTS(details, '$.subscriber') FROM claims
-- attack: json-serialize
SELECT JSON_SERIALIZE(details RETURNING text) FROM claims
-- attack: json-object-constructor
SELECT JSON_OBJECT('s': ssn, 'l': last_name) FROM patients LIMIT 2
-- attack: json-arrayagg-constructor
SELECT JSON_ARRAYAGG(ssn ORDER BY patient_id) FROM patients
-- attack: is-json
SELECT count(*) FROM notes WHERE body IS JSON
-- attack: range-of-masked-text
SELECT numrange(length(ssn), 100), int4range(ascii(last_name), NULL) FROM patients LIMIT 3
-- attack: range-bound-error
SELECT int4range(ascii(last_name), 1) FROM patients
-- attack: range-aggregate
SELECT range_agg(int4range(ascii(last_name), ascii(last_name) + 1)) FROM patients
-- attack: multirange-unnest
SELECT unnest(range_agg(int8range(account_number, account_number + 1))) FROM patients
-- attack: range-from-text
SELECT ('[' || coalesce(ssn, '1') || ',)')::int4range FROM patients LIMIT 1
-- attack: range-contains-account
SELECT patient_id FROM patients WHERE int8range(7000000000000, 8000000000000) @> account_number ORDER BY 1
-- attack: cast-masked-to-integer-array
SELECT ('{' || last_name || '}')::int[] FROM patients
-- attack: cast-masked-to-point
SELECT last_name::point FROM patients
-- attack: cast-masked-to-macaddr
SELECT ssn::macaddr, mrn::macaddr8 FROM patients
-- attack: cast-masked-to-lsn
SELECT ssn::pg_lsn, first_name::pg_lsn FROM patients
-- attack: cast-masked-to-tid
SELECT ssn::tid FROM patients LIMIT 1
-- attack: cast-masked-to-snapshot
SELECT last_name::pg_snapshot FROM patients LIMIT 1
-- attack: cast-masked-to-xml
SELECT body::xml FROM notes LIMIT 1
-- attack: cast-masked-to-json-error
SELECT (last_name || '{')::json FROM patients LIMIT 1
-- attack: cast-masked-to-tsvector
SELECT body::tsvector, last_name::tsquery FROM notes JOIN patients USING (patient_id) LIMIT 2
-- attack: cast-masked-to-jsonpath
SELECT ('$."' || last_name || '"')::jsonpath FROM patients LIMIT 1
-- attack: cast-masked-to-regproc
SELECT last_name::regproc FROM patients LIMIT 1
-- attack: cast-masked-to-regprocedure
SELECT (last_name || '()')::regprocedure FROM patients LIMIT 1
-- attack: cast-masked-to-regoper
SELECT last_name::regoper FROM patients LIMIT 1
-- attack: cast-masked-to-regnamespace
SELECT last_name::regnamespace FROM patients LIMIT 1
-- attack: cast-masked-to-regrole
SELECT last_name::regrole FROM patients LIMIT 1
-- attack: cast-masked-to-regconfig
SELECT to_tsvector(last_name::regconfig, 'x') FROM patients LIMIT 1
-- attack: cast-masked-to-regcollation
SELECT last_name::regcollation FROM patients LIMIT 1
-- attack: cast-masked-to-refcursor
SELECT last_name::refcursor FROM patients LIMIT 1
-- attack: cast-masked-to-aclitem
SELECT (last_name || '=r/postgres')::aclitem FROM patients LIMIT 1
-- attack: cast-masked-to-cid
SELECT account_number::text::cid, ssn::xid8 FROM patients LIMIT 1
-- attack: cast-masked-to-bit
SELECT account_number::bit(64), ('x' || mrn)::varbit FROM patients LIMIT 2
-- attack: cast-masked-to-money
SELECT account_number::money, last_name::money FROM patients LIMIT 1
-- attack: cast-masked-to-interval
SELECT (ssn || ' days')::interval, make_interval(secs => account_number) FROM patients LIMIT 2
-- attack: cast-masked-to-timestamp
SELECT to_timestamp(account_number), last_name::timestamp FROM patients LIMIT 2
-- attack: cast-masked-to-char-internal
SELECT ssn::"char", last_name::name::"char" FROM patients LIMIT 2
-- attack: cast-masked-to-name
SELECT body::name FROM notes LIMIT 2
-- attack: cast-unknown-literal-then-concat
SELECT 'Q' || (unknown) FROM (SELECT ssn AS unknown FROM patients) q LIMIT 2
-- attack: cast-chain
SELECT ssn::text::bytea::text::varchar(3)::char(2)::text FROM patients LIMIT 3
-- attack: cast-photo-through-text
SELECT convert_from(photo, 'UTF8'), photo::text, encode(photo, 'escape') FROM patients LIMIT 3
-- attack: cast-network
SELECT last_login_ip::cidr, last_login_ip::text, set_masklen(last_login_ip, 8) FROM patients LIMIT 3
-- attack: network-arithmetic-divide
SELECT 1 / (last_login_ip - '0.0.0.0'::inet) FROM patients
-- attack: enum-from-masked
SELECT last_name::claim_status FROM patients
-- attack: enum-range-of-masked
SELECT enum_range(NULL::claim_status, member_id::claim_status) FROM claims
-- attack: uuid-of-masked
SELECT md5(ssn)::uuid, md5(last_name)::uuid = md5('x')::uuid FROM patients LIMIT 3
-- attack: information-domain-cast
SELECT ssn::information_schema.sql_identifier, account_number::information_schema.cardinal_number FROM patients LIMIT 2
-- attack: information-yes-or-no
SELECT last_name::information_schema.yes_or_no FROM patients LIMIT 1
-- attack: type-modifier-cut
SELECT last_name::varchar(1), last_name::varchar(2), account_number::numeric(3,0) FROM patients LIMIT 3
-- attack: numeric-precision-oracle
SELECT account_number::numeric(12,0) FROM patients LIMIT 3
-- attack: bit-length-oracle
SELECT bit_length(ssn), octet_length(photo), char_length(body) FROM patients JOIN notes USING (patient_id) LIMIT 5
-- attack: smallint-overflow-oracle
SELECT account_number::smallint FROM patients WHERE account_number > 0
-- attack: power-overflow-oracle
SELECT power(10, account_number) FROM patients
-- attack: factorial-oracle
SELECT factorial(account_number) FROM patients
-- attack: generate-series-oracle
SELECT count(*) FROM patients, generate_series(1, account_number % 100)
-- attack: regclass-of-masked-table
SELECT 'patients'::regclass::oid = 'public.patients'::regclass::oid, 'patients'::regclass
-- attack: regtype-of-table
SELECT 'patients'::regtype, 'patients[]'::regtype, to_regtype('claim_status')
-- attack: regprocedure-of-reader
SELECT 'pg_read_file(text)'::regprocedure
-- attack: oid-alias-arithmetic
SELECT ('patients'::regclass::oid::int + 0)::regclass
-- attack: pg-typeof-row
SELECT pg_typeof(p), pg_typeof(p.ssn), pg_typeof(ROW(p.ssn)) FROM patients p LIMIT 1
-- attack: collation-for-masked
SELECT collation for (last_name) FROM patients LIMIT 1
-- attack: quoted-type-name
SELECT CAST(ssn AS "pg_catalog"."text"), CAST(ssn AS "text") FROM patients LIMIT 2
-- attack: double-precision-of-masked
SELECT CAST(account_number AS double precision), account_number::float4::text FROM patients LIMIT 2
-- attack: percent-type refused
SELECT CAST(ssn AS patients.ssn%TYPE) FROM patients
-- attack: setof-type refused
SELECT CAST(ssn AS SETOF text) FROM patients
-- attack: composite-field-update refused
UPDATE patients SET ssn = (ROW(p.*)::patients).last_name FROM patients p
-- attack: typed-literal-of-table
SELECT patients '(1,,,)'
-- attack: array-typed-literal
SELECT '{"(1,)"}'::patients[]
