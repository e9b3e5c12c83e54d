//! Purposes of use: a closed list from HL7 v3 ActReason (value set PurposeOfUse).

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

macro_rules! purposes {
    ($($(#[$doc:meta])* $variant:ident = $code:literal, $display:literal;)*) => {
        /// Why protected data is accessed; on every request, grant, session and record.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub enum Purpose {
            $($(#[$doc])* #[serde(rename = $code)] $variant,)*
        }

        impl Purpose {
            /// Every purpose.
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];

            /// The HL7 code.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $code,)* }
            }

            /// The HL7 display name.
            pub const fn display_name(self) -> &'static str {
                match self { $(Self::$variant => $display,)* }
            }
        }
    };
}

purposes! {
    /// Treatment of the patient.
    Treatment = "TREAT", "treatment";
    /// Treatment in an emergency.
    EmergencyTreatment = "ETREAT", "emergency treatment";
    /// Break the glass.
    BreakTheGlass = "BTG", "break the glass";
    /// Claims, billing, eligibility.
    Payment = "HPAYMT", "healthcare payment";
    /// Running the institution.
    Operations = "HOPERAT", "healthcare operations";
    /// Quality measurement and improvement.
    QualityImprovement = "HQUALIMP", "health quality improvement";
    /// Research.
    Research = "HRESCH", "healthcare research";
    /// Public health reporting and surveillance.
    PublicHealth = "PUBHLTH", "public health";
    /// Fraud investigation.
    Fraud = "FRAUD", "fraud";
    /// Records management.
    RecordManagement = "RECORDMGT", "records management";
    /// Education and training.
    Training = "TRAIN", "training";
    /// At the patient's request.
    PatientRequest = "PATRQT", "patient requested";
    /// Work on the systems themselves.
    SystemAdministration = "HSYSADMIN", "health system administration";
}

/// No purpose has this code.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "unknown purpose of use {0:?}; an HL7 v3 code such as TREAT, HPAYMT, HOPERAT, HRESCH, PUBHLTH, BTG"
)]
pub struct UnknownPurpose(pub String);

impl FromStr for Purpose {
    type Err = UnknownPurpose;

    fn from_str(text: &str) -> Result<Self, UnknownPurpose> {
        Self::ALL
            .iter()
            .copied()
            .find(|purpose| purpose.as_str() == text)
            .ok_or_else(|| UnknownPurpose(text.to_owned()))
    }
}

impl fmt::Display for Purpose {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_reads_back() {
        for purpose in Purpose::ALL {
            assert_eq!(purpose.as_str().parse(), Ok(*purpose));
        }
        assert!("hresch".parse::<Purpose>().is_err());
    }
}
