-- Learning a value without ever selecting it.
-- attack: like-probe answered
SELECT count(*) FROM patients WHERE ssn LIKE 'Qzx%'
-- attack: equality-probe answered
SELECT count(*) FROM patients WHERE mrn = 'Qzx0000001'
-- attack: range-probe answered
SELECT count(*) FROM patients WHERE last_name >= 'Q' AND last_name < 'R'
-- attack: regex-probe answered
SELECT count(*) FROM patients WHERE email ~ 'example'
-- attack: null-probe answered
SELECT count(*) FROM patients WHERE ssn IS NULL
-- attack: is-not-distinct
SELECT count(*) FROM patients WHERE ssn IS NOT DISTINCT FROM 'Qzx-0000001'
-- attack: any-array
SELECT count(*) FROM patients WHERE last_name = ANY (ARRAY['Qzxlast1', 'Qzxlast2'])
-- attack: in-list answered
SELECT count(*) FROM patients WHERE last_name IN ('Qzxlast1', 'Qzxlast2')
-- attack: row-compare
SELECT count(*) FROM patients WHERE (ssn, last_name) > ('Q', 'Q')
-- attack: cast-error-integer
SELECT ssn::int FROM patients
-- attack: cast-error-name
SELECT last_name::date FROM patients
-- attack: cast-error-in-where
SELECT 1 FROM patients WHERE mrn::bigint = 1
-- attack: division-oracle
SELECT 1 / (CASE WHEN ssn LIKE 'Qzx%' THEN 0 ELSE 1 END) FROM patients
-- attack: case-oracle answered
SELECT CASE WHEN last_name LIKE 'Qzx%' THEN 1 ELSE 0 END FROM patients LIMIT 5
-- attack: raise-by-overflow
SELECT (9223372036854775807 - account_number) * 2 FROM patients
-- attack: substring-negative-length
SELECT substring('x', 1, 8 - length(last_name)) FROM patients
-- attack: timestamp-error
SELECT to_date(last_name, 'YYYY') FROM patients
-- attack: json-parse-error
SELECT body::json FROM notes
-- attack: xml-parse-error
SELECT body::xml FROM notes
-- attack: enum-cast-error
SELECT last_name::claim_status FROM patients
-- attack: uuid-cast-error
SELECT ssn::uuid FROM patients
-- attack: inet-cast-error
SELECT email::inet FROM patients
-- attack: interval-cast-error
SELECT phone::interval FROM patients
-- attack: distinct answered
SELECT DISTINCT last_name FROM patients
-- attack: distinct-on
SELECT DISTINCT ON (ssn) patient_id FROM patients ORDER BY ssn, patient_id
-- attack: group-by answered
SELECT last_name, count(*) FROM patients GROUP BY last_name
-- attack: group-by-grouping-sets
SELECT ssn, sex, count(*) FROM patients GROUP BY GROUPING SETS ((ssn), (sex), ())
-- attack: having answered
SELECT sex FROM patients GROUP BY sex HAVING max(ssn) > 'Q'
-- attack: order-by-limit-probe answered
SELECT patient_id FROM patients ORDER BY last_name, patient_id LIMIT 1
-- attack: rank-window
SELECT patient_id, rank() OVER (ORDER BY ssn) FROM patients ORDER BY patient_id LIMIT 5
-- attack: self-join answered
SELECT count(*) FROM patients a JOIN patients b ON a.last_name = b.last_name
-- attack: join-on-guess answered
SELECT count(*) FROM patients p JOIN (VALUES ('Qzxlast1')) g (n) ON p.last_name = g.n
-- attack: anti-join answered
SELECT count(*) FROM patients p WHERE NOT EXISTS (SELECT FROM devices d WHERE d.device_serial = p.mrn)
-- attack: correlated-note-search answered
SELECT count(*) FROM notes n JOIN patients p USING (patient_id) WHERE strpos(n.body, p.last_name) > 0
-- attack: limit-by-subquery
SELECT 1 FROM encounters LIMIT (SELECT length(last_name) FROM patients WHERE patient_id = 1)
-- attack: offset-by-subquery
SELECT patient_id FROM patients ORDER BY patient_id OFFSET (SELECT account_number % 10 FROM patients WHERE patient_id = 1) LIMIT 1
-- attack: width-bucket
SELECT width_bucket(account_number, 0, 10000000000000, 10) FROM patients LIMIT 3
-- attack: similarity
SELECT last_name SIMILAR TO '(Q|W)%' FROM patients LIMIT 3
-- attack: network-containment
SELECT count(*) FROM patients WHERE last_login_ip << '198.51.100.0/24'
-- attack: bytea-compare
SELECT count(*) FROM patients WHERE photo > '\x00'
-- attack: json-containment
SELECT count(*) FROM claims WHERE details @> '{"subscriber": "Qzx1"}'
-- attack: json-exists
SELECT count(*) FROM claims WHERE details ? 'subscriber'
-- attack: text-search
SELECT count(*) FROM notes WHERE to_tsvector('simple', body) @@ to_tsquery('simple', 'note')
-- attack: overlaps
SELECT count(*) FROM patients WHERE (birth_date, birth_date + 1) OVERLAPS (birth_date, birth_date + 1) AND ssn > 'Q'
-- attack: coalesce-chain answered
SELECT coalesce(ssn, mrn, email, phone, 'none') FROM patients LIMIT 5
-- attack: greatest-least answered
SELECT greatest(ssn::text, mrn, last_name), least(email, last_name) FROM patients LIMIT 5
-- attack: nullif answered
SELECT nullif(last_name, 'x') FROM patients LIMIT 5
-- attack: count-column answered
SELECT count(ssn), count(email), count(photo), count(*) FROM patients
-- attack: sum-of-masked
SELECT sum(account_number), avg(account_number), stddev(account_number) FROM patients
-- attack: bit-aggregates
SELECT bit_and(account_number), bit_or(account_number) FROM patients
-- attack: correlation
SELECT corr(account_number, patient_id) FROM patients
-- attack: pseudonym-of-a-guess
SELECT count(*) FROM patients WHERE record_uuid = md5('1847-1')::uuid
