"""Each value read as text and as binary, masked and unmasked."""

import datetime
import ipaddress
import sys
import uuid

import psycopg

SQL = """SELECT patient_id, record_uuid, ssn, last_name, birth_date, zip, account_number,
         last_login_ip, photo, registered_at FROM patients ORDER BY patient_id LIMIT 20"""

with psycopg.connect(sys.argv[1]) as connection:
    answers = []
    for binary in (False, True):
        with connection.cursor(binary=binary) as cursor:
            answers.append(cursor.execute(SQL).fetchall())
            types = [column.type_code for column in cursor.description]
    assert answers[0] == answers[1], answers
    assert types == [23, 2950, 1042, 25, 1082, 1043, 20, 869, 17, 1184], types
    for row in answers[0]:
        patient, record, ssn, name, birth, zip_code, account, address, photo, registered = row
        assert isinstance(record, uuid.UUID)
        assert isinstance(birth, datetime.date) and isinstance(registered, datetime.datetime)
        assert (ssn, name, account, address, photo) == (None, "[redacted]", None, None, None), row

    with connection.cursor(binary=True) as cursor:
        cursor.execute(
            "SELECT count(*), max(total_charge), min(started_at) FROM encounters"
            " WHERE age_at_visit BETWEEN %s AND %b AND kind = ANY(%b) AND started_at < %b",
            (18, 65, ["inpatient", "emergency"], datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)),
        )
        number, charge, first = cursor.fetchone()
        assert number > 0 and charge > 0 and first.tzinfo is not None
    value = connection.execute("SELECT %s::inet", (ipaddress.ip_address("203.0.113.9"),)).fetchone()
    assert value[0] == ipaddress.ip_address("203.0.113.9"), value

print("done")
