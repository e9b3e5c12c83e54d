-- Instants are kept away from the turn of the year: which year an instant is in depends on the
-- session's time zone, and so does the mask.
UPDATE patients SET registered_at = make_timestamptz(extract(year FROM registered_at)::int, 3, 9, 1, 2, 3, 'UTC');
UPDATE encounters SET started_at = make_timestamptz(extract(year FROM started_at)::int, 3, 9, 1, 2, 3, 'UTC'),
  ended_at = make_timestamptz(extract(year FROM ended_at)::int, 4, 1, 1, 2, 3, 'UTC');
UPDATE observations SET taken_at = make_timestamptz(extract(year FROM taken_at)::int, 3, 9, 4, 5, 6, 'UTC');
UPDATE notes SET written_at = make_timestamptz(extract(year FROM written_at)::int, 5, 6, 7, 8, 9, 'UTC');
