-- Notes of which `text_scrub` leaves the same words: no mark, for what it does not recognise stays.
UPDATE notes SET body = 'Mr. Quincy Zander, seen on 2019-03-0' || 1 + note_id % 9 || ', phone 617-555-0100, zander@example.org: stable.';
