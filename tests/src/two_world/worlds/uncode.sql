-- The number of which `code` is the pseudonym under a key: the permutation of
-- `crates/phi/src/release/pseudonym.rs` for numbers below 2^31, backwards.
CREATE FUNCTION pg_temp.mixed(key bytea, half bigint, round int) RETURNS bigint LANGUAGE sql IMMUTABLE AS $$
  SELECT ('x' || encode(substr(sha256(key || '\x04' || int8send(half << 3 | round)), 1, 4), 'hex'))::bit(32)::bigint
$$;
CREATE FUNCTION pg_temp.uncode(code bigint, key bytea) RETURNS bigint LANGUAGE plpgsql IMMUTABLE AS $$
DECLARE
  h bigint := code >> 15;
  l bigint := code & 32767;
BEGIN
  FOR round IN REVERSE 5..0 LOOP
    IF round % 2 = 0 THEN
      h := (h + 4294967296 - pg_temp.mixed(key, l, round)) % 65536;
    ELSE
      l := (l + 4294967296 - pg_temp.mixed(key, h, round)) % 32768;
    END IF;
  END LOOP;
  RETURN h << 15 | l;
END $$;
