-- Where two readers of one text may see two statements.
-- attack: backslash-in-literal answered
SELECT '\'' UNION SELECT ssn FROM patients --'
-- attack: backslash-in-identifier answered
SELECT 1 AS "b\"", ssn FROM patients --"
-- attack: national-string-backslash
SELECT N'\'' UNION SELECT ssn FROM patients --'
-- attack: hex-string-quote
SELECT X'a''b' UNION SELECT ssn FROM patients --'
-- attack: escaped-literal-quote answered
SELECT E'\'' || last_name FROM patients LIMIT 3
-- attack: doubled-quotes answered
SELECT 'a''''b', "ssn" AS "a""""b" FROM patients LIMIT 1
-- attack: comment-in-operator-p1 refused
SELECT 'x' ||/* ' FROM encounters -- */ ssn FROM patients --'
-- attack: comment-in-operator-unequal
SELECT 'x' <>--'
 ssn FROM patients --'
-- attack: comment-in-operator-arrow
SELECT details ->/* ' FROM claims -- */ 'subscriber' FROM claims --'
-- attack: comment-in-operator-contains
SELECT details @>/* ' */ '{}' FROM claims -- '
-- attack: double-minus-from-unary answered
SELECT - -1, ssn FROM patients LIMIT 1
-- attack: nested-comment answered
SELECT /* /* */ 1, */ ssn FROM patients LIMIT 1
-- attack: carriage-return-ends-comment
SELECT 1 --x, mrn FROM patients
-- attack: dollar-quote-tag answered
SELECT $a$'$a$, ssn, $A$ $a$ $A$ FROM patients LIMIT 1
-- attack: string-continuation
SELECT 'a'
'b', ssn FROM patients LIMIT 1
-- attack: unicode-identifier
SELECT U&"ss\006e" FROM patients LIMIT 1
-- attack: unicode-table
SELECT * FROM U&"\0070atients" LIMIT 1
-- attack: unicode-uescape
SELECT U&"ss!006e" UESCAPE '!' FROM patients LIMIT 1
-- attack: unicode-string-quote
SELECT U&'\0027 UNION SELECT ssn FROM patients --'
-- attack: standard-conforming-strings refused
SET standard_conforming_strings = off
-- attack: backslash-quote-setting refused
SET backslash_quote = on
-- attack: standard-conforming-strings-in-batch refused
SET standard_conforming_strings = off; SELECT 'a\' || ssn FROM patients --'
-- attack: client-encoding refused
SET client_encoding = 'SJIS'
-- attack: set-names refused
SET NAMES 'GBK'
-- attack: kelvin-sign
SELECT ſsn FROM patients
-- attack: upper-case-table answered
SELECT SSN, Last_Name FROM PATIENTS LIMIT 2
-- attack: sixty-three-bytes
SELECT ssn AS aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa FROM patients LIMIT 1
-- attack: end-drops-the-rest
SELECT 1 END FROM patients
-- attack: end-as-alias-in-batch
SELECT 1 END; SELECT ssn FROM patients
-- attack: optimizer-hint answered
SELECT /*+ SeqScan(patients) */ ssn FROM patients LIMIT 1
-- attack: vertical-tab
SELECTssnFROM patients LIMIT 1
-- attack: no-break-space
SELECT ssn FROM patients LIMIT 1
-- attack: typed-literal
SELECT char '1', ssn FROM patients LIMIT 1
-- attack: only
SELECT ssn, last_name FROM ONLY patients LIMIT 3
-- attack: only-parenthesised
SELECT ssn FROM ONLY (patients) LIMIT 3
-- attack: only-cte-named-only
WITH "only" AS (SELECT 1 AS ssn) SELECT ssn FROM ONLY patients
-- attack: star-suffix
SELECT ssn FROM patients * LIMIT 3
-- attack: table-command
TABLE patients
-- attack: table-in-union
SELECT 0::bigint, 0::bigint, 0, 0, ''::text, '2000-01-01Z'::timestamptz, ''::text WHERE false UNION ALL TABLE notes
-- attack: union-table-only
SELECT 0::bigint, 0::bigint, 0, 0, ''::text, '2000-01-01Z'::timestamptz, ''::text WHERE false UNION ALL TABLE ONLY notes
-- attack: table-in-cte
WITH t AS (TABLE patients) SELECT ssn FROM t LIMIT 1
-- attack: operator-syntax
SELECT ssn OPERATOR(pg_catalog.||) last_name FROM patients LIMIT 1
-- attack: range-between-interval
SELECT ssn, count(*) OVER (ORDER BY birth_date RANGE BETWEEN '1 day' PRECEDING AND CURRENT ROW) FROM patients LIMIT 1
-- attack: reserved-word-as-alias
SELECT p.ssn FROM patients anti JOIN patients p USING (patient_id) LIMIT 1
