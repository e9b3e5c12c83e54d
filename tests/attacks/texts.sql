-- Text, search, XML and formats: what could print a value that is not shown.
-- attack: format-positional
SELECT format('%1$s %1$I %1$L %2$s', last_name, ssn) FROM patients LIMIT 3
-- attack: format-width-from-masked
SELECT format('|%*s|', account_number::int % 20, 'x') FROM patients LIMIT 3
-- attack: format-variadic-row
SELECT format('%s %s', VARIADIC ARRAY[ssn, last_name]) FROM patients LIMIT 3
-- attack: format-masked-as-format
SELECT format(last_name || '%s', 'x') FROM patients LIMIT 3
-- attack: format-error-specifier
SELECT format('%' || first_name, 1) FROM patients
-- attack: to-char-masked-template
SELECT to_char(1234.5, last_name) FROM patients LIMIT 2
-- attack: to-char-account
SELECT to_char(account_number, '9G999G999G999G999'), to_char(account_number, 'RN') FROM patients LIMIT 2
-- attack: to-number-template-masked
SELECT to_number('12', ssn) FROM patients LIMIT 2
-- attack: to-date-template-masked
SELECT to_date('2020', last_name) FROM patients LIMIT 2
-- attack: to-timestamp-masked
SELECT to_timestamp(body, 'YYYY') FROM notes LIMIT 2
-- attack: regexp-match-groups
SELECT regexp_match(body, '(SSN|MRN)\s+(\S+)') FROM notes LIMIT 5
-- attack: regexp-matches-global
SELECT regexp_matches(body, '[0-9]+', 'g') FROM notes LIMIT 5
-- attack: regexp-from-masked
SELECT count(*) FROM patients WHERE 'anything' ~ last_name
-- attack: regexp-from-masked-error
SELECT 'x' ~ ('(' || last_name) FROM patients
-- attack: regexp-backreference
SELECT regexp_replace(last_name, '(.)(.*)', '\2\1') FROM patients LIMIT 3
-- attack: regexp-flags-from-masked
SELECT regexp_replace('a', 'a', 'b', left(last_name, 1)) FROM patients LIMIT 1
-- attack: regexp-split-lengths
SELECT array_length(regexp_split_to_array(body, '\s'), 1) FROM notes ORDER BY note_id LIMIT 5
-- attack: regexp-count-instr
SELECT regexp_count(body, 'a'), regexp_instr(body, 'SSN'), regexp_substr(body, '\d{3}') FROM notes LIMIT 3
-- attack: similar-escape
SELECT substring(body SIMILAR '%#"SSN ___-__-____#"%' ESCAPE '#') FROM notes LIMIT 3
-- attack: like-escape-from-masked
SELECT 'x' LIKE 'x' ESCAPE left(last_name, 2) FROM patients LIMIT 1
-- attack: like-any-array
SELECT patient_id FROM patients WHERE last_name LIKE ANY (ARRAY['A%', 'B%', 'Q%']) ORDER BY 1
-- attack: text-position-binary-search
SELECT patient_id FROM patients WHERE last_name >= 'M' AND last_name < 'N' ORDER BY 1
-- attack: collate-order-probe
SELECT patient_id FROM patients ORDER BY last_name COLLATE "C", patient_id LIMIT 5
-- attack: strpos-cross
SELECT count(*) FROM patients p JOIN notes n USING (patient_id) WHERE strpos(n.body, p.last_name) > 0
-- attack: translate-to-ascii
SELECT translate(ssn, '0123456789', 'abcdefghij'), ascii(last_name), chr(ascii(last_name)) FROM patients LIMIT 3
-- attack: overlay-and-splice
SELECT overlay(ssn PLACING '' FROM 1 FOR 0), overlay(photo PLACING '\x' FROM 1 FOR 0) FROM patients LIMIT 3
-- attack: repeat-amplify
SELECT length(repeat(last_name, 1000)) FROM patients LIMIT 2
-- attack: lpad-length-from-masked
SELECT lpad('x', length(last_name)), rpad('y', ascii(ssn) % 9) FROM patients LIMIT 3
-- attack: quote-families
SELECT quote_ident(last_name), quote_literal(ssn), quote_nullable(email) FROM patients LIMIT 3
-- attack: parse-ident-error
SELECT parse_ident(last_name || '"') FROM patients LIMIT 1
-- attack: normalize-and-unistr
SELECT normalize(last_name), unistr(last_name || '\0041'), last_name IS NFC NORMALIZED FROM patients LIMIT 2
-- attack: unistr-error
SELECT unistr('\' || last_name) FROM patients LIMIT 1
-- attack: encode-decode-error
SELECT decode(last_name, 'hex') FROM patients LIMIT 1
-- attack: decode-base64-error
SELECT decode(body, 'base64') FROM notes LIMIT 1
-- attack: decode-format-from-masked
SELECT decode('aa', last_name) FROM patients LIMIT 1
-- attack: encode-format-from-masked
SELECT encode('\xaa', last_name) FROM patients LIMIT 1
-- attack: convert-encoding-from-masked
SELECT convert_to('x', last_name) FROM patients LIMIT 1
-- attack: convert-error
SELECT convert_from(photo, 'SQL_ASCII'), convert_from(photo, 'EUC_JP') FROM patients LIMIT 3
-- attack: hashes-of-everything
SELECT md5(ssn), sha224(photo), sha384(convert_to(email, 'UTF8')), sha512('x'::bytea) FROM patients LIMIT 3
-- attack: get-bit-walk
SELECT get_bit(photo, 0), get_byte(photo, 1), bit_count(photo) FROM patients LIMIT 3
-- attack: get-byte-range-error
SELECT get_byte(photo, 4000) FROM patients
-- attack: set-byte-launder
SELECT set_byte(photo, 0, 65), set_bit(photo, 1, 1) FROM patients LIMIT 3
-- attack: string-agg-in-physical-order
SELECT string_agg(last_name, ',') FROM patients
-- attack: string-agg-ordered-by-masked
SELECT string_agg(patient_id::text, ',' ORDER BY ssn, patient_id) FROM patients
-- attack: string-agg-distinct
SELECT string_agg(DISTINCT left(last_name, 2), '') FROM patients
-- attack: string-agg-delimiter-masked
SELECT string_agg('-', last_name ORDER BY patient_id) FROM patients
-- attack: bytea-agg
SELECT string_agg(photo, '\x00'::bytea ORDER BY patient_id) FROM patients
-- attack: text-search-headline
SELECT ts_headline('english', body, to_tsquery('english', 'ssn | mrn | verified')) FROM notes LIMIT 3
-- attack: text-search-headline-options-masked
SELECT ts_headline('english', 'a note', plainto_tsquery('note'), 'StartSel=' || last_name) FROM patients LIMIT 2
-- attack: text-search-rank
SELECT note_id, ts_rank(to_tsvector(body), plainto_tsquery('discharge')) FROM notes ORDER BY 1 LIMIT 5
-- attack: text-search-lexemes
SELECT u.lexeme, u.positions FROM notes, unnest(to_tsvector('simple', body)) u LIMIT 9
-- attack: text-search-debug
SELECT alias, token FROM notes, ts_debug('simple', body) LIMIT 9
-- attack: text-search-parse
SELECT t.tokid, t.token FROM notes, ts_parse('default', body) t LIMIT 9
-- attack: text-search-lexize
SELECT ts_lexize('english_stem', last_name) FROM patients LIMIT 3
-- attack: text-search-filter-delete
SELECT ts_delete(to_tsvector(body), 'the'), ts_filter(to_tsvector(body), '{a}') FROM notes LIMIT 2
-- attack: text-search-query-of-masked
SELECT plainto_tsquery(body), phraseto_tsquery(body), websearch_to_tsquery(body), numnode(plainto_tsquery(body)) FROM notes LIMIT 2
-- attack: text-search-rewrite-query
SELECT ts_rewrite('a'::tsquery, 'SELECT to_tsquery(''a''), to_tsquery(ssn) FROM patients')
-- attack: text-search-stat
SELECT word FROM ts_stat('SELECT to_tsvector(body) FROM notes')
-- attack: text-search-json
SELECT to_tsvector('simple', details), jsonb_to_tsvector('simple', details, '"all"') FROM claims LIMIT 2
-- attack: xml-forest
SELECT xmlforest(ssn, last_name AS name) FROM patients LIMIT 2
-- attack: xml-agg-ordered
SELECT xmlagg(xmlelement(name p, last_name) ORDER BY ssn) FROM patients
-- attack: xml-attributes
SELECT xmlelement(name p, xmlattributes(ssn AS s, photo)) FROM patients LIMIT 2
-- attack: xml-comment-concat
SELECT xmlconcat(xmlcomment(last_name), xmlcomment('b')) FROM patients LIMIT 2
-- attack: xml-comment-error
SELECT xmlcomment(last_name || '--') FROM patients LIMIT 1
-- attack: xml-parse-error
SELECT xmlparse(DOCUMENT body) FROM notes LIMIT 1
-- attack: xml-well-formed
SELECT count(*) FROM notes WHERE xml_is_well_formed_content(body)
-- attack: xml-path-from-masked
SELECT xpath('//' || last_name, '<a/>') FROM patients LIMIT 2
-- attack: xml-path-error
SELECT xpath(last_name || '[', '<a/>') FROM patients LIMIT 1
-- attack: xml-external-entity
SELECT xmlparse(DOCUMENT '<!DOCTYPE a [<!ENTITY e SYSTEM "file:///etc/passwd">]><a>&e;</a>')
-- attack: xml-table
SELECT x.* FROM patients p, XMLTABLE('/a' PASSING xmlelement(name a, p.ssn) COLUMNS s text PATH '.') x LIMIT 2
-- attack: xml-serialize
SELECT xmlserialize(CONTENT xmlelement(name a, last_name) AS text) FROM patients LIMIT 2
-- attack: xml-query-families
SELECT table_to_xmlschema('patients', true, true, ''), schema_to_xmlschema('public', true, true, '')
-- attack: xml-query-and-schema
SELECT query_to_xml_and_xmlschema('SELECT ssn FROM patients', true, true, '')
-- attack: xml-database
SELECT database_to_xml_and_xmlschema(true, true, '')
-- attack: identifier-unicode-escape-column
SELECT U&"\+000073\+000073\+00006E" FROM patients LIMIT 1
-- attack: identifier-fullwidth
SELECT ｓｓｎ FROM patients
-- attack: identifier-combining
SELECT "ssn" || '', "SSN" FROM patients
-- attack: dollar-quoted-body
SELECT $q$'; SELECT ssn FROM patients; --$q$, $$ || ssn || $$ FROM encounters LIMIT 1
-- attack: dollar-quote-numbered-parameter
SELECT $1$x$1$ FROM patients
-- attack: string-with-null-escape
SELECT E'\000' || ssn FROM patients
-- attack: string-continued-with-comment
SELECT 'a' -- x
'b', ssn FROM patients LIMIT 1
-- attack: bidi-control
SELECT 'a‮', ssn FROM patients LIMIT 1
-- attack: bom-first
﻿SELECT ssn FROM patients LIMIT 1
-- attack: operator-unicode
SELECT ssn ≠ 'x' FROM patients
-- attack: operator-overlong
SELECT ssn <=><=> 'x' FROM patients
-- attack: operator-schema-function
SELECT OPERATOR(public.||) (ssn, 'x') FROM patients
-- attack: operator-text-pattern
SELECT patient_id FROM patients WHERE last_name ~>=~ 'Q' ORDER BY 1
-- attack: operator-starts-with
SELECT patient_id FROM patients WHERE last_name ^@ 'Q' ORDER BY 1
-- attack: operator-prefix-abs
SELECT @ account_number, |/ account_number, ||/ account_number FROM patients LIMIT 2
-- attack: number-with-underscore
SELECT 1_000, ssn FROM patients LIMIT 1
-- attack: keyword-functions
SELECT current_catalog, current_role, localtimestamp IS NULL, session_user, user
-- attack: extract-from-masked
SELECT extract(epoch FROM (ssn || ' s')::interval) FROM patients LIMIT 1
-- attack: trim-all-of-masked
SELECT trim(BOTH last_name FROM last_name), ltrim(ssn, '0123456789'), btrim(photo, '\x51') FROM patients LIMIT 3
-- attack: split-part-walk
SELECT split_part(body, ' ', 3), split_part(email, '@', 1), split_part(ssn, '-', -1) FROM notes JOIN patients USING (patient_id) LIMIT 3
-- attack: starts-with-oracle-grouped
SELECT left(last_name, 1), count(*) FROM patients GROUP BY 1 ORDER BY 1
-- attack: soundex-like
SELECT soundex(last_name), difference(last_name, 'Smith'), levenshtein(last_name, 'x') FROM patients
-- attack: pgcrypto-like
SELECT crypt(ssn, gen_salt('md5')), digest(ssn, 'sha1') FROM patients
