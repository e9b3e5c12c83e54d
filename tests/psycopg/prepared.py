"""psycopg prepares a statement after some runs and keeps it under a name."""

import sys

import psycopg

SQL = "SELECT last_name, city FROM patients WHERE patient_id = %s"

with psycopg.connect(sys.argv[1], autocommit=True) as connection:
    connection.prepare_threshold = 3
    seen = [connection.execute(SQL, (number,)).fetchone() for number in range(1, 12)]
    assert all(name == "[redacted]" and city for name, city in seen), seen
    assert connection.execute(SQL, (5,), prepare=True).fetchone() == seen[4]
    for binary in (False, True):
        with connection.cursor(binary=binary) as cursor:
            for number in range(1, 12):
                assert cursor.execute(SQL, (number,), prepare=True).fetchone() == seen[number - 1]
    refused = 0
    for _ in range(5):
        try:
            connection.execute("SELECT pg_read_file(%s)", ("x",), prepare=True)
        except psycopg.errors.InsufficientPrivilege as error:
            refused += 1
            assert error.diag.message_hint or error.diag.message_detail, error
    assert refused == 5, refused
    # More statements than psycopg keeps: it closes the oldest.
    for number in range(150):
        row = connection.execute(f"SELECT {number}, count(*) FROM departments", prepare=True).fetchone()
        assert row == (number, 12), row

print("done")
