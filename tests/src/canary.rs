//! Values that must never leave: written into every cell that `limited_dataset` masks, so that one
//! search through the bytes on the wire finds a leak whatever road it took.

/// A world of masked values. Two worlds differ in nothing else, so whatever a client sees of one it
/// must see of the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum World {
    /// Every masked cell filled.
    One,
    /// Other values, other lengths, other numbers of distinct values, and gaps.
    Two,
}

/// The text in every masked text of world one, in no other text.
const ONE: &str = "Qzx";

/// The same for world two.
const TWO: &str = "Wkj";

/// The account number of every patient of world one: eight bytes that are searched for in binary.
const ACCOUNT_ONE: i64 = 7_733_177_331_773;

/// The same for world two.
const ACCOUNT_TWO: i64 = 8_844_188_442_884;

impl World {
    /// The statements that make the world of the small hospital.
    pub fn sql(self) -> String {
        // A document's lines leave where they are a number: what else lies there differs, as all the rest.
        let elsewhere = match self {
            Self::One => format!(
                "CASE claim_id % 4 WHEN 1 THEN jsonb_build_object('lines', jsonb_build_array('{ONE}'))
                 ELSE jsonb_build_object('lines', jsonb_build_object('{ONE}', claim_id)) END"
            ),
            Self::Two => format!(
                "CASE claim_id % 4 WHEN 1 THEN jsonb_build_array('{TWO}', claim_id) ELSE 'null' END"
            ),
        };
        let (mark, account, network) = match self {
            Self::One => (ONE, ACCOUNT_ONE, "198.51.100"),
            Self::Two => (TWO, ACCOUNT_TWO, "192.0.2"),
        };
        // Rows are put in the order of their keys, which an update leaves and a table's pages show.
        // Where masks hide them, world two has fewer distinct values, other widths, and NULLs.
        let (suffix, gap) = match self {
            Self::One => ("patient_id::text", "false"),
            Self::Two => (
                "(patient_id % 7)::text || repeat('y', patient_id % 5)",
                "patient_id % 3 = 0",
            ),
        };
        format!(
            "UPDATE patients SET
               mrn = '{mark}' || lpad(patient_id::text, 7, '0'),
               ssn = CASE WHEN {gap} THEN NULL ELSE '{mark}-' || lpad((patient_id % 900)::text, 7, '0') END,
               first_name = '{mark}first' || {suffix},
               middle_name = CASE WHEN {gap} THEN NULL ELSE '{mark}mid' || {suffix} END,
               last_name = '{mark}last' || {suffix},
               street_address = '{mark} street ' || {suffix},
               phone = CASE WHEN {gap} THEN NULL ELSE '({mark}) 555-01' || left({suffix}, 2) END,
               fax = '{mark}-fax',
               email = CASE WHEN {gap} THEN NULL ELSE lower('{mark}') || {suffix} || '@example.org' END,
               health_plan_id = '{mark}HP' || left({suffix}, 10),
               account_number = {account},
               drivers_license = '{mark}DL' || left({suffix}, 10),
               license_plate = '{mark}' || left({suffix}, 6),
               portal_url = 'https://{mark}.example.org/' || {suffix},
               last_login_ip = ('{network}.' || (patient_id % 250))::inet,
               photo = convert_to('{mark}photo' || {suffix}, 'UTF8');
             UPDATE notes SET body = '{mark} note of ' || {suffix};
             UPDATE providers SET npi = '{mark}' || lpad(provider_id::text, 7, '0'),
               first_name = '{mark}dr', last_name = '{mark}dr' || provider_id;
             UPDATE devices SET device_serial = '{mark}SN' || patient_id;
             UPDATE claims SET member_id = '{mark}' || left({suffix}, 8), claim_number = '{mark}CL' || claim_id,
               details = CASE WHEN claim_id % 4 IN (1, 2) THEN {elsewhere}
                 ELSE jsonb_build_object('subscriber', '{mark}' || {suffix}, 'lines', claim_id % 5) END;
             CLUSTER patients USING patients_pkey;
             CLUSTER notes USING notes_pkey;
             CLUSTER providers USING providers_pkey;
             CLUSTER devices USING devices_pkey;
             CLUSTER claims USING claims_pkey;
             ANALYZE"
        )
    }

    /// What must not be found in bytes that left.
    pub fn canaries(self) -> Vec<Vec<u8>> {
        let (mark, account, network): (&str, i64, &[u8]) = match self {
            Self::One => (ONE, ACCOUNT_ONE, b"198.51.100."),
            Self::Two => (TWO, ACCOUNT_TWO, b"192.0.2."),
        };
        let hex = mark
            .bytes()
            .fold(String::new(), |hex, byte| format!("{hex}{byte:02x}"));
        let backwards: String = mark.chars().rev().collect();
        vec![
            mark.as_bytes().to_vec(),
            mark.to_ascii_lowercase().into_bytes(),
            mark.to_ascii_uppercase().into_bytes(),
            backwards.into_bytes(),
            hex.into_bytes(),
            account.to_string().into_bytes(),
            account.to_be_bytes().to_vec(),
            network.to_vec(),
        ]
    }

    /// The first canary in the bytes, with what stands around it.
    pub fn find(self, bytes: &[u8]) -> Option<String> {
        self.canaries().iter().find_map(|canary| {
            let at = bytes
                .windows(canary.len())
                .position(|window| window == canary)?;
            let around = bytes.get(at.saturating_sub(40)..(at + 60).min(bytes.len()))?;
            Some(String::from_utf8_lossy(around).into_owned())
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_canary_is_found_in_text_and_in_binary() {
        for leak in [
            b"..Qzx..".to_vec(),
            b"QZX".to_vec(),
            ACCOUNT_ONE.to_be_bytes().to_vec(),
        ] {
            assert!(World::One.find(&leak).is_some(), "{leak:?}");
            assert!(World::Two.find(&leak).is_none(), "{leak:?}");
        }
        assert!(World::One.find(b"nothing to see").is_none());
    }
}
