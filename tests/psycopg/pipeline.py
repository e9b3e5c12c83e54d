"""Pipeline mode: many requests on their way at once, and errors among them."""

import sys

import psycopg

with psycopg.connect(sys.argv[1], autocommit=True) as connection:
    with connection.pipeline():
        cursors = [
            connection.execute("SELECT %s::int, ssn FROM patients WHERE patient_id = 1", (number,))
            for number in range(100)
        ]
        assert [cursor.fetchone() for cursor in cursors] == [(number, None) for number in range(100)]

    # After an error the server skips to the next Sync: what was queued behind it is aborted.
    with connection.pipeline() as pipeline:
        before = connection.execute("SELECT 1")
        pipeline.sync()
        refused = connection.execute("SELECT pg_read_file('x')")
        behind = connection.execute("SELECT 2")
        try:
            pipeline.sync()
            raise AssertionError("not refused")
        except psycopg.errors.InsufficientPrivilege:
            pass
        assert before.fetchone() == (1,)
        try:
            behind.fetchone()
            raise AssertionError("not aborted")
        except psycopg.Error:
            pass
        after = connection.execute("SELECT 3")
        assert after.fetchone() == (3,)

    with connection.transaction(), connection.pipeline():
        rows = connection.execute("SELECT count(*) FROM patients").fetchone()
        assert rows == (300,), rows
    assert connection.info.transaction_status == psycopg.pq.TransactionStatus.IDLE

print("done")
