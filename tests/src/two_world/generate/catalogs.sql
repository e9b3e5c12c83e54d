-- What clients ask of catalogs and settings, one statement a line.
SELECT relname, relkind, relnatts, relhasindex FROM pg_class WHERE relname = '{table}'
SELECT attname, atttypid::regtype, attnotnull, attnum FROM pg_attribute WHERE attrelid = '{table}'::regclass ORDER BY attnum
SELECT a.attname, pg_get_expr(d.adbin, d.adrelid) FROM pg_attribute a LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum WHERE a.attrelid = '{table}'::regclass AND a.attnum > 0
SELECT table_name, column_name, data_type, character_maximum_length FROM information_schema.columns WHERE table_name = '{table}' ORDER BY ordinal_position
SELECT table_schema, table_name, table_type FROM information_schema.tables WHERE table_schema = 'public' ORDER BY 2
SELECT constraint_name, constraint_type FROM information_schema.table_constraints WHERE table_name = '{table}' AND constraint_type <> 'CHECK' ORDER BY 1
SELECT conname, contype, pg_get_constraintdef(oid) FROM pg_constraint WHERE conrelid = '{table}'::regclass ORDER BY 1
SELECT indexrelid::regclass, indisunique, indisprimary, pg_get_indexdef(indexrelid) FROM pg_index WHERE indrelid = '{table}'::regclass ORDER BY 1
SELECT n.nspname, c.relname, c.reltuples FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.relname = '{table}'
SELECT relpages, relallvisible, reltoastrelid = 0 FROM pg_class WHERE relname = '{table}'
SELECT attstattarget, attcompression, attmissingval FROM pg_attribute WHERE attrelid = '{table}'::regclass ORDER BY attnum
SELECT pg_table_size('{table}'), pg_relation_size('{table}'), pg_total_relation_size('{table}')
SELECT pg_column_size(t.*) FROM {table} AS t ORDER BY 1
SELECT * FROM pg_stats WHERE tablename = '{table}'
SELECT n_live_tup, n_dead_tup FROM pg_stat_user_tables WHERE relname = '{table}'
SELECT tableoid::regclass FROM {table}
SELECT '{table}'::regclass::text, to_regclass('public.{table}')::text
SELECT obj_description('{table}'::regclass), col_description('{table}'::regclass, 1)
SELECT has_table_privilege('{table}', 'SELECT'), has_column_privilege('{table}', 1::smallint, 'SELECT')
SELECT typname, typtype, typlen FROM pg_type WHERE typrelid = '{table}'::regclass OR typname = '_{table}' ORDER BY 1
SELECT enumlabel FROM pg_enum ORDER BY enumsortorder
SELECT proname, pronargs FROM pg_proc WHERE proname LIKE 'array_a%' ORDER BY 1, 2
SELECT current_schema(), current_database(), current_user = session_user
SELECT pg_typeof(t), pg_typeof((t).*) FROM {table} AS t LIMIT 1
SHOW server_version
SHOW TimeZone
SHOW search_path
SHOW transaction_isolation
SHOW standard_conforming_strings
SHOW phigate.masking
SELECT current_setting('TimeZone')
SELECT current_setting('phigate.k_days', true)
SELECT set_config('DateStyle', 'German', true), birth_date FROM patients ORDER BY 2 LIMIT 3
SELECT name, setting FROM pg_settings WHERE name LIKE 'enable_%' ORDER BY 1
SELECT schemaname, viewname FROM pg_views WHERE schemaname = 'public'
SELECT tablename, hasindexes FROM pg_tables WHERE schemaname = 'public' ORDER BY 1
SELECT rolname, rolsuper FROM pg_roles WHERE rolname NOT LIKE 'pg\_%' ORDER BY 1
SELECT pg_get_viewdef('{table}'::regclass)
SELECT pg_describe_object('pg_class'::regclass, '{table}'::regclass, 0)
SELECT * FROM pg_stat_activity
-- What is refused, whatever the grant, and so tells nothing of masks: now and then only.
SELECT starelid, stanullfrac FROM pg_statistic LIMIT 1
SELECT ctid, xmin FROM {table}
SELECT * FROM {table} TABLESAMPLE SYSTEM (50)
SELECT NULL::{table}
SELECT (NULL::{table}).*
SELECT row_to_json(NULL::{table})
SELECT jsonb_populate_record(NULL::{table}, '{"a": 1}')
SELECT * FROM jsonb_populate_recordset(NULL::{table}, '[{}]')
SELECT ROW(1)::{table}
SELECT count(*) FROM pg_largeobject
SELECT query_to_xml('SELECT * FROM {table}', true, true, '')
SELECT lo_get(1)
UPDATE {table} SET patient_id = 1
DELETE FROM {table}
INSERT INTO {table} SELECT * FROM {table}
TRUNCATE {table}
LOCK {table}
VACUUM {table}
ANALYZE VERBOSE {table}
EXPLAIN ANALYZE SELECT * FROM {table}
EXPLAIN VERBOSE SELECT * FROM {table}
