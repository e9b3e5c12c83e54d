"""Transactions, savepoints, server-side cursors and COPY."""

import sys

import psycopg
from psycopg.pq import TransactionStatus

with psycopg.connect(sys.argv[1]) as connection:
    connection.execute("SELECT 1")
    assert connection.info.transaction_status == TransactionStatus.INTRANS
    try:
        with connection.transaction():
            connection.execute("SELECT lo_get(1)")
    except psycopg.errors.InsufficientPrivilege:
        pass
    assert connection.info.transaction_status == TransactionStatus.INTRANS
    assert connection.execute("SELECT count(*) FROM patients").fetchone() == (300,)
    try:
        connection.execute("COPY patients TO '/tmp/x'")
    except psycopg.Error as error:
        assert error.sqlstate in ("42501", "0A000"), error
    assert connection.info.transaction_status == TransactionStatus.INERROR
    connection.rollback()

    with connection.cursor("named") as cursor:
        cursor.itersize = 40
        cursor.execute("SELECT patient_id, mrn FROM patients ORDER BY patient_id")
        rows = list(cursor)
        assert len(rows) == 300 and {mrn for _, mrn in rows} == {None}, rows[:3]
    connection.rollback()

    with connection.cursor() as cursor:
        with cursor.copy("COPY (SELECT patient_id, email FROM patients) TO STDOUT") as copy:
            rows = list(copy.rows())
        assert len(rows) == 300 and {email for _, email in rows} == {None}, rows[:3]
        with cursor.copy("COPY (SELECT patient_id, birth_date FROM patients) TO STDOUT (FORMAT binary)") as copy:
            copy.set_types(["int4", "date"])
            assert len(list(copy.rows())) == 300

print("done")
