-- Two readers, one text.
-- attack: comment-in-concat
SELECT 'x' ||/* ' FROM encounters -- */ ssn FROM patients --'
-- attack: comment-in-less
SELECT 1 </* ' FROM encounters -- */ length(ssn) FROM patients --'
-- attack: dash-in-operator
SELECT 'a' <>--'
 ssn FROM patients --'
-- attack: dash-in-tilde
SELECT 'a' ~--'
 ssn FROM patients --'
-- attack: dash-in-arrow
SELECT '{}'::jsonb ->--'
 ssn FROM patients --'
-- attack: plus-minus-tail
SELECT 1 +-+- 1, ssn FROM patients LIMIT 1
-- attack: at-tail
SELECT 5 <=- length(ssn) FROM patients LIMIT 1
-- attack: string-backslash-quote
SELECT '\'' UNION SELECT ssn FROM patients --'
-- attack: identifier-backslash
SELECT 1 AS "b\"", ssn FROM patients --"
-- attack: national refused
SELECT N'\'' UNION SELECT ssn FROM patients --'
-- attack: escape-string-octal
SELECT * FROM patients WHERE ssn = E'\121\172\170'
-- attack: escape-string-quote
SELECT E'\'', ssn FROM patients --' LIMIT 1
-- attack: escape-string-hex-quote
SELECT E'\x27 FROM encounters --', ssn FROM patients LIMIT 1
-- attack: escape-string-unicode-quote
SELECT E'\u0027', ssn FROM patients LIMIT 1
-- attack: doubled-quotes
SELECT 'a''''b', "ssn" FROM patients LIMIT 1
-- attack: doubled-identifier
SELECT 1 AS "a""""b", ssn FROM patients LIMIT 1
-- attack: dollar-quote
SELECT $a$ $b$ $a$, ssn FROM patients LIMIT 1
-- attack: dollar-quote-case
SELECT $a$ $A$ FROM encounters -- $a$, ssn FROM patients LIMIT 1
-- attack: dollar-quote-unterminated refused
SELECT $a$ FROM patients
-- attack: dollar-in-name
SELECT a$x$.ssn FROM patients a$x$ LIMIT 1
-- attack: unicode-identifier
SELECT U&"\0073sn" FROM patients LIMIT 1
-- attack: unicode-table
SELECT * FROM U&"\0070atients" LIMIT 1
-- attack: unicode-uescape
SELECT U&"!0073sn" UESCAPE '!' FROM patients LIMIT 1
-- attack: unicode-string
SELECT U&'\0027', ssn FROM patients LIMIT 1
-- attack: unicode-surrogate
SELECT U&'\D83D\DE00', ssn FROM patients LIMIT 1
-- attack: unicode-lone-surrogate refused
SELECT U&'\D83D'
-- attack: unicode-zero refused
SELECT U&'\0000'
-- attack: kelvin-fold
SELECT * FROM patientK
-- attack: dotless-i-fold refused
SELECT * FROM PATİENTS
-- attack: fullwidth refused
SELECT ｓｓｎ FROM patients
-- attack: nbsp-in-name
SELECT ssn FROM patients
-- attack: zero-width-in-name refused
SELECT s​sn FROM patients
-- attack: upper answered
SELECT SSN FROM PATIENTS LIMIT 1
-- attack: quoted-upper refused
SELECT "SSN" FROM patients
-- attack: overlong-identifier refused
SELECT ssn FROM patients_with_a_name_that_is_longer_than_sixty_three_bytes_and_is_cut
-- attack: overlong-alias
SELECT aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.ssn FROM patients aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab LIMIT 1
-- attack: overlong-alias-shadow
SELECT aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.ssn FROM (SELECT 1 AS ssn) aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaax, patients b LIMIT 1
-- attack: nested-comment
SELECT /* /* */ 1, */ ssn FROM patients LIMIT 1
-- attack: comment-hint
SELECT /*+ SeqScan(patients) */ ssn FROM patients LIMIT 1
-- attack: comment-instead-of-space
SELECT/**/ssn/**/FROM/**/patients/**/LIMIT/**/1
-- attack: comment-cr
SELECT 1 --x
-- attack: string-continuation
SELECT 'a'
 'b', ssn FROM patients LIMIT 1
-- attack: string-continuation-comment
SELECT 'a' -- '
 'b', ssn FROM patients LIMIT 1
-- attack: semicolon-in-string
SELECT 'a;b', ssn FROM patients LIMIT 1
-- attack: two-statements
SELECT 1; SELECT ssn FROM patients LIMIT 1
-- attack: two-statements-second-refused refused
SELECT kind FROM encounters LIMIT 1; SELECT ctid FROM patients
-- attack: two-statements-commit
SELECT ssn FROM patients LIMIT 1; COMMIT; SELECT last_name FROM patients LIMIT 1
-- attack: end-drops
SELECT 1 END FROM patients
-- attack: end-then-statement
SELECT 1 END; SELECT ssn FROM patients
-- attack: only-cte
WITH "only" AS (SELECT 1 AS ssn) SELECT ssn FROM ONLY patients
-- attack: only-parenthesised
SELECT ssn FROM ONLY (patients) LIMIT 1
-- attack: star-after-table
SELECT ssn FROM patients * LIMIT 1
-- attack: table-union
SELECT 1, 'x' UNION ALL TABLE patients
-- attack: table-only
TABLE ONLY patients
-- attack: table-in-subquery
SELECT * FROM (TABLE patients) x LIMIT 1
-- attack: table-in-cte
WITH x AS (TABLE patients) SELECT ssn FROM x LIMIT 1
-- attack: table-in-exists
SELECT EXISTS (TABLE patients)
-- attack: table-in-in
SELECT 1 IN (SELECT 1 FROM (TABLE patients) t)
-- attack: values-subquery
VALUES ((SELECT ssn FROM patients LIMIT 1))
-- attack: hex-number
SELECT 0x1F, ssn FROM patients LIMIT 1
-- attack: junk-number
SELECT 1.a, ssn FROM patients LIMIT 1
-- attack: number-dot-dot
SELECT 1..2, ssn FROM patients LIMIT 1
-- attack: array-slice-dots
SELECT (ARRAY[ssn])[1:1] FROM patients LIMIT 1
-- attack: parameter-as-text
SELECT ssn FROM patients WHERE ssn = $1
-- attack: double-negative
SELECT - -1, ssn FROM patients LIMIT 1
-- attack: operator-question
SELECT details ? 'subscriber' FROM claims LIMIT 1
-- attack: operator-question-tilde
SELECT details ?~ 'x' FROM claims
-- attack: operator-qualified
SELECT ssn OPERATOR(pg_catalog.||) 'x' FROM patients LIMIT 1
-- attack: operator-qualified-other refused
SELECT ssn OPERATOR(s2.||) 'x' FROM patients
-- attack: typed-literal
SELECT date '2020-01-01', ssn FROM patients LIMIT 1
-- attack: bit-string
SELECT B'101', X'1F', ssn FROM patients LIMIT 1
-- attack: reserved-alias
SELECT ssn "select" FROM patients "from" LIMIT 1
-- attack: global-alias
SELECT global.ssn FROM patients global LIMIT 1
-- attack: anti-alias
SELECT anti.ssn FROM patients anti JOIN encounters USING (patient_id) LIMIT 1
-- attack: final-alias
SELECT final.ssn FROM patients final LIMIT 1
-- attack: sample-alias
SELECT sample.ssn FROM patients sample LIMIT 1
-- attack: as-of refused
SELECT * FROM patients FOR SYSTEM_TIME AS OF '2020-01-01'
-- attack: pivot refused
SELECT * FROM patients PIVOT (max(ssn) FOR sex IN ('F', 'M'))
-- attack: odbc-escape
SELECT {fn lower(ssn)} FROM patients
-- attack: backtick refused
SELECT `ssn` FROM patients
-- attack: bracket
SELECT [ssn] FROM patients
-- attack: at-variable refused
SELECT @ssn FROM patients
-- attack: hash-comment refused
SELECT 1 # comment
-- attack: limit-all
SELECT ssn FROM patients LIMIT ALL
-- attack: fetch-expression
SELECT ssn FROM patients FETCH FIRST (1) ROWS ONLY
