-- Blocked columns, with the first world's mark where they are text.
UPDATE patients SET city = 'Qzx' || city;
UPDATE notes SET kind = 'Qzx' || kind;
UPDATE claims SET claim_number = 'CL' || claim_id;
