-- Pseudonyms and date shifts as pure functions of a value and a key: whoever may call them has no
-- key to call them with. They give what the inline expressions of phigate-phi give
-- (release/pseudonym.rs says how), and are planned in a fraction of the time.

-- A permutation of the integers from 0 to (2^(2*bits+1))-1, or, with bits = 31, from 2^31 to 2^63-1.
CREATE OR REPLACE FUNCTION phigate.permute(magnitude int8, bits int4, purpose bytea, key bytea)
RETURNS int8 LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS $phigate$
DECLARE
  k pg_catalog.bytea := pg_catalog.byteacat(key, purpose);
  d pg_catalog.int8 := (CAST(1 AS pg_catalog.int8) OPERATOR(pg_catalog.<<) bits);
  c pg_catalog.int8 := CASE WHEN (bits OPERATOR(pg_catalog.=) 31) THEN 4294967295 ELSE (d OPERATOR(pg_catalog.*) 2) END;
  -- The wide permutation's upper half is never zero: it counts from one.
  o pg_catalog.int8 := CASE WHEN (bits OPERATOR(pg_catalog.=) 31) THEN 1 ELSE 0 END;
  h pg_catalog.int8 := ((magnitude OPERATOR(pg_catalog.>>) bits) OPERATOR(pg_catalog.-) o);
  l pg_catalog.int8 := (magnitude OPERATOR(pg_catalog.&) (d OPERATOR(pg_catalog.-) 1));
BEGIN
  -- Six rounds, a pair at a time: few expressions, because each is made ready once a transaction.
  FOR r IN 0..2 LOOP
    h := ((h OPERATOR(pg_catalog.+) @OF_L@) OPERATOR(pg_catalog.%) c);
    l := ((l OPERATOR(pg_catalog.+) @OF_H@) OPERATOR(pg_catalog.%) d);
  END LOOP;
  RETURN (((h OPERATOR(pg_catalog.+) o) OPERATOR(pg_catalog.<<) bits) OPERATOR(pg_catalog.|) l);
END
$phigate$;
ALTER FUNCTION phigate.permute(int8, int4, bytea, bytea) OWNER TO phigate_definer;
GRANT EXECUTE ON FUNCTION phigate.permute(int8, int4, bytea, bytea) TO PUBLIC;

CREATE OR REPLACE FUNCTION phigate.pseudonym(value int2, key bytea)
RETURNS int2 LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS $phigate$
BEGIN
  IF (value OPERATOR(pg_catalog.<) 0) THEN
    RETURN (OPERATOR(pg_catalog.~) phigate.permute((OPERATOR(pg_catalog.~) CAST(value AS pg_catalog.int8)), 7, pg_catalog.decode('02', 'hex'), key));
  END IF;
  RETURN phigate.permute(CAST(value AS pg_catalog.int8), 7, pg_catalog.decode('02', 'hex'), key);
END
$phigate$;
ALTER FUNCTION phigate.pseudonym(int2, bytea) OWNER TO phigate_definer;
GRANT EXECUTE ON FUNCTION phigate.pseudonym(int2, bytea) TO PUBLIC;

CREATE OR REPLACE FUNCTION phigate.pseudonym(value int4, key bytea)
RETURNS int4 LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS $phigate$
BEGIN
  IF (value OPERATOR(pg_catalog.<) 0) THEN
    RETURN (OPERATOR(pg_catalog.~) phigate.permute((OPERATOR(pg_catalog.~) CAST(value AS pg_catalog.int8)), 15, pg_catalog.decode('04', 'hex'), key));
  END IF;
  RETURN phigate.permute(CAST(value AS pg_catalog.int8), 15, pg_catalog.decode('04', 'hex'), key);
END
$phigate$;
ALTER FUNCTION phigate.pseudonym(int4, bytea) OWNER TO phigate_definer;
GRANT EXECUTE ON FUNCTION phigate.pseudonym(int4, bytea) TO PUBLIC;

-- As an int4 where it is one, so that keys of both widths join.
CREATE OR REPLACE FUNCTION phigate.pseudonym(value int8, key bytea)
RETURNS int8 LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS $phigate$
DECLARE
  m pg_catalog.int8 := CASE WHEN (value OPERATOR(pg_catalog.<) 0) THEN (OPERATOR(pg_catalog.~) value) ELSE value END;
BEGIN
  m := phigate.permute(m, CASE WHEN (m OPERATOR(pg_catalog.<) 2147483648) THEN 15 ELSE 31 END, pg_catalog.decode('04', 'hex'), key);
  RETURN CASE WHEN (value OPERATOR(pg_catalog.<) 0) THEN (OPERATOR(pg_catalog.~) m) ELSE m END;
END
$phigate$;
ALTER FUNCTION phigate.pseudonym(int8, bytea) OWNER TO phigate_definer;
GRANT EXECUTE ON FUNCTION phigate.pseudonym(int8, bytea) TO PUBLIC;

-- The days that a patient's dates move by: -365 to 365, never 0.
CREATE OR REPLACE FUNCTION phigate.days(patient bytea, key bytea)
RETURNS int4 LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS $phigate$
DECLARE
  d pg_catalog.int4 := (CAST((@BITS@ OPERATOR(pg_catalog.%) 730) AS pg_catalog.int4) OPERATOR(pg_catalog.-) 365);
BEGIN
  RETURN CASE WHEN (d OPERATOR(pg_catalog.>=) 0) THEN (d OPERATOR(pg_catalog.+) 1) ELSE d END;
END
$phigate$;
ALTER FUNCTION phigate.days(bytea, bytea) OWNER TO phigate_definer;
GRANT EXECUTE ON FUNCTION phigate.days(bytea, bytea) TO PUBLIC;
