-- Functions that read, run or reveal what no column reference shows.
-- attack: query-to-xml refused
SELECT query_to_xml('SELECT ssn FROM patients', true, false, '')
-- attack: table-to-xml refused
SELECT table_to_xml('patients', true, false, '')
-- attack: schema-to-xml refused
SELECT schema_to_xml('public', true, false, '')
-- attack: database-to-xml refused
SELECT database_to_xml(true, false, '')
-- attack: cursor-to-xml refused
SELECT cursor_to_xml('c', 1, true, false, '')
-- attack: ts-stat refused
SELECT * FROM ts_stat('SELECT to_tsvector(body) FROM notes')
-- attack: ts-rewrite refused
SELECT ts_rewrite('a'::tsquery, 'SELECT ''a''::tsquery, to_tsquery(last_name) FROM patients')
-- attack: dblink refused
SELECT * FROM dblink('dbname=clinic', 'SELECT ssn FROM patients') AS t (ssn text)
-- attack: read-file refused
SELECT pg_read_file('pg_hba.conf')
-- attack: read-binary-file refused
SELECT pg_read_binary_file('base')
-- attack: list-directory refused
SELECT pg_ls_dir('.')
-- attack: large-object-import refused
SELECT lo_import('/etc/passwd')
-- attack: large-object-get refused
SELECT lo_get(4242)
-- attack: large-object-from-bytes refused
SELECT lo_from_bytea(0, photo) FROM patients
-- attack: page-items refused
SELECT * FROM heap_page_items(get_raw_page('patients', 0))
-- attack: set-config refused
SELECT set_config('standard_conforming_strings', 'off', false)
-- attack: current-setting-keys refused
SELECT current_setting('phigate.k_ipad')
-- attack: current-setting-expression
SELECT current_setting('phigate.' || 'k_opad')
-- attack: show-keys refused
SHOW phigate.k_ipad
-- attack: show-all
SHOW ALL
-- attack: pg-settings-keys
SELECT name, setting FROM pg_settings WHERE name LIKE 'phigate%'
-- attack: notify-function refused
SELECT pg_notify('c', ssn) FROM patients
-- attack: advisory-lock refused
SELECT pg_advisory_lock(account_number) FROM patients
-- attack: terminate-backend refused
SELECT pg_terminate_backend(pid) FROM pg_stat_activity
-- attack: export-snapshot refused
SELECT pg_export_snapshot()
-- attack: reload-conf refused
SELECT pg_reload_conf()
-- attack: sleep-oracle
SELECT count(*) FROM patients WHERE CASE WHEN ssn LIKE 'Qzx%' THEN pg_sleep(1) IS NULL ELSE true END
-- attack: relation-size
SELECT pg_relation_size('patients'), pg_column_size(p) FROM patients p
-- attack: column-size
SELECT pg_column_size(ssn), octet_length(email), length(body) FROM patients JOIN notes USING (patient_id) ORDER BY note_id LIMIT 5
-- attack: column-size-of-released-beside-masked
SELECT patient_id, pg_column_size(zip), pg_column_size(ROW(city, zip)) FROM patients ORDER BY 1 LIMIT 5
-- attack: view-definition
SELECT pg_get_viewdef('pg_views'::regclass)
-- attack: has-column-privilege-oracle
SELECT has_table_privilege(ssn, 'select') FROM patients
-- attack: to-regclass-oracle
SELECT to_regclass(last_name) FROM patients
-- attack: regclass-cast-oracle
SELECT last_name::regclass FROM patients
-- attack: pg-stats refused
SELECT most_common_vals, histogram_bounds FROM pg_stats WHERE tablename = 'patients'
-- attack: pg-statistic refused
SELECT stavalues1 FROM pg_statistic
-- attack: pg-stat-activity-query
SELECT query FROM pg_stat_activity
-- attack: pg-stat-get-activity refused
SELECT query FROM pg_stat_get_activity(NULL)
-- attack: prepared-statements-view
SELECT statement FROM pg_prepared_statements
-- attack: cursors-view
SELECT statement FROM pg_cursors
-- attack: shadow refused
SELECT passwd FROM pg_shadow
-- attack: authid refused
SELECT rolpassword FROM pg_authid
-- attack: file-settings refused
SELECT * FROM pg_file_settings
-- attack: hba-rules refused
SELECT * FROM pg_hba_file_rules
-- attack: stat-user-tables
SELECT * FROM pg_stat_user_tables
-- attack: user-mapping-options
SELECT umoptions FROM pg_user_mappings
-- attack: aggregates answered
SELECT max(ssn), min(last_name), string_agg(DISTINCT email, ','), count(DISTINCT mrn) FROM patients
-- attack: substring answered
SELECT substring(ssn, 1, 6), left(last_name, 2), right(mrn, 3) FROM patients LIMIT 5
-- attack: reverse-and-hash answered
SELECT reverse(last_name), md5(ssn) FROM patients LIMIT 5
-- attack: encode-photo
SELECT encode(photo, 'hex'), encode(photo, 'base64') FROM patients LIMIT 5
-- attack: host-of-ip
SELECT host(last_login_ip), last_login_ip + 1, masklen(last_login_ip) FROM patients LIMIT 5
-- attack: arithmetic-on-account
SELECT account_number + 1, -account_number, account_number::text FROM patients LIMIT 5
-- attack: json-path
SELECT details ->> 'subscriber', details #>> '{subscriber}', details -> 'lines' FROM claims LIMIT 5
-- attack: json-path-query
SELECT jsonb_path_query(details, '$.subscriber') FROM claims LIMIT 5
-- attack: json-object-agg
SELECT json_object_agg(patient_id, last_name) FROM patients
-- attack: xmlelement
SELECT xmlelement(name x, ssn), xmlforest(last_name) FROM patients LIMIT 3
-- attack: full-text
SELECT to_tsvector('simple', body) FROM notes LIMIT 3
-- attack: regexp-split
SELECT regexp_split_to_table(body, ' ') FROM notes LIMIT 30
-- attack: format-function
SELECT format('%s %L', last_name, ssn) FROM patients LIMIT 3
-- attack: concat-variadic
SELECT concat_ws('-', VARIADIC ARRAY[ssn::text, last_name]) FROM patients LIMIT 3
-- attack: generate-series-of-masked
SELECT generate_series(1, length(last_name)) FROM patients WHERE patient_id = 1
-- attack: window answered
SELECT first_value(ssn) OVER (ORDER BY patient_id), lag(last_name) OVER (ORDER BY patient_id) FROM patients LIMIT 3
-- attack: percentile
SELECT percentile_disc(0.5) WITHIN GROUP (ORDER BY ssn) FROM patients
-- attack: mode
SELECT mode() WITHIN GROUP (ORDER BY last_name) FROM patients
-- attack: filter-clause
SELECT count(*) FILTER (WHERE ssn LIKE 'Qzx%') FROM patients
-- attack: array-subscript
SELECT (array_agg(ssn))[1], (string_to_array(last_name, 'x'))[2] FROM patients
-- attack: hash-function
SELECT hashtext(ssn), hash_record(p) FROM patients p LIMIT 3
-- attack: pg-typeof-and-collation
SELECT pg_typeof(ssn), collation for (last_name) FROM patients LIMIT 1
