//! Identifier classes: what kind of thing a column holds, in the words of 45 CFR 164.514(b)(2)(i)
//! where it has one, finer where release profiles need it.

use std::fmt;
use std::str::FromStr;

use phigate_types::Profile;
use serde::{Deserialize, Serialize};

use crate::column::TypeKind;
use crate::transform::Transform;

macro_rules! identifiers {
    ($($(#[$doc:meta])* $variant:ident = $name:literal;)*) => {
        /// What a column holds. Clauses are of 45 CFR 164.514(b)(2)(i).
        #[derive(
            Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
        )]
        #[serde(rename_all = "snake_case")]
        pub enum IdentifierClass {
            $($(#[$doc])* $variant,)*
        }

        impl IdentifierClass {
            /// Every class.
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];

            /// The name used in files and records.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }
        }
    };
}

identifiers! {
    /// (A) Names, of the individual or of relatives and household members.
    Name = "name";
    /// (A) Names of those who treat: not the individual's, masked all the same.
    ProviderName = "provider_name";
    /// (A) Names of employers.
    Employer = "employer";
    /// (B) Street addresses.
    Address = "address";
    /// (B) Cities, towns, precincts.
    City = "city";
    /// (B) Counties and census tracts.
    County = "county";
    /// (B) ZIP codes.
    Zip = "zip";
    /// (B) Latitude, longitude, any point on a map.
    GeoPoint = "geo_point";
    /// (B) States, which the clause lets through.
    State = "state";
    /// (B) Hospitals, clinics, pharmacies by name or address: a geographic unit smaller than a state.
    Facility = "facility";
    /// (C) Dates of birth.
    BirthDate = "birth_date";
    /// (C) Years of birth, which tell an age over 89.
    BirthYear = "birth_year";
    /// (C) Months or days of birth in columns of their own.
    BirthPart = "birth_part";
    /// (C) Dates of death.
    DeathDate = "death_date";
    /// (C) Ages.
    Age = "age";
    /// (C) Dates of admission, discharge, service and whatever else happened to the individual.
    Date = "date";
    /// (C) Times of day in columns of their own.
    Time = "time";
    /// (D) Telephone numbers.
    Phone = "phone";
    /// (E) Fax numbers.
    Fax = "fax";
    /// (F) Email addresses.
    Email = "email";
    /// (G) Social security numbers.
    Ssn = "ssn";
    /// (H) Medical record numbers.
    Mrn = "mrn";
    /// (I) Health plan beneficiary numbers.
    HealthPlanId = "health_plan_id";
    /// (J) Account numbers, claims and visits included.
    Account = "account";
    /// (K) Certificate and licence numbers.
    License = "license";
    /// (K) National provider identifiers.
    ProviderNpi = "provider_npi";
    /// (L) Vehicle identifiers and licence plates.
    Vehicle = "vehicle";
    /// (M) Device identifiers and serial numbers.
    DeviceId = "device_id";
    /// (N) Web addresses.
    Url = "url";
    /// (O) Internet protocol addresses.
    Ip = "ip";
    /// (P) Finger and voice prints and other biometric identifiers.
    Biometric = "biometric";
    /// (Q) Full-face photographs and comparable images.
    Photo = "photo";
    /// (R) Any other unique number, characteristic or code.
    OtherUniqueId = "other_unique_id";
    /// (R) The key by which tables refer to a patient.
    PersonKey = "person_key";
    /// (R) Keys of encounters, orders, notes and other records of a patient.
    RecordKey = "record_key";
    /// (R) Keys of those who treat.
    ProviderKey = "provider_key";
    /// (R) Keys of the places of treatment.
    FacilityKey = "facility_key";
    /// (R) Keys composed of other keys, as MIMIC-IV's `10014354-67`.
    EmbeddedKey = "embedded_key";
    /// Free text: may hold any of the eighteen.
    FreeText = "free_text";
    /// Short text beside a measurement: a result, now and then a remark.
    TextValue = "text_value";
    /// Sex, race, language, insurance: identifies only together with others.
    Quasi = "quasi";
    /// Charges, costs, coverage.
    Financial = "financial";
    /// Codes, results, units: what was observed or done.
    Clinical = "clinical";
    /// Passwords, tokens, keys: nobody's business.
    Credential = "credential";
    /// Nothing about a person.
    None = "none";
}

/// No class has this name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unknown identifier class {0:?}; one of {names}", names = names())]
pub struct UnknownIdentifier(pub String);

// === impl IdentifierClass ===

impl IdentifierClass {
    /// Whether a column of this class identifies someone or may hold text that does.
    pub const fn is_phi(self) -> bool {
        !matches!(
            self,
            Self::State | Self::Quasi | Self::Financial | Self::Clinical | Self::None
        )
    }

    /// Whether a column of this class tells of a patient: [`Self::is_phi`] but for those who treat and
    /// the places of treatment.
    pub const fn is_about_patients(self) -> bool {
        self.is_phi()
            && !matches!(
                self,
                Self::ProviderName
                    | Self::ProviderNpi
                    | Self::ProviderKey
                    | Self::Facility
                    | Self::FacilityKey
            )
    }

    /// Whether a limited data set must not have it (45 CFR 164.514(e)(2)): a direct identifier, or text
    /// that may hold one.
    pub const fn is_direct(self) -> bool {
        self.is_phi() && !matches!(self.limited_dataset(), Transform::Keep)
    }

    /// How a column of this class and kind of type is released where the classification file does
    /// not say: for `expert`, and for columns that discovery proposes. Never less than the profile
    /// asks for; a transform that the type cannot have becomes `null`.
    pub const fn default_transform(self, profile: Profile, kind: TypeKind) -> Transform {
        let wanted = match profile {
            Profile::Identified => Transform::Keep,
            Profile::SafeHarbor => self.safe_harbor(),
            Profile::LimitedDataset => self.limited_dataset(),
            Profile::Expert => self.expert(),
        };
        if wanted.supports(kind) {
            wanted
        } else {
            Transform::Null
        }
    }

    const fn safe_harbor(self) -> Transform {
        match self {
            Self::Name
            | Self::ProviderName
            | Self::Employer
            | Self::Facility
            | Self::ProviderNpi => Transform::Redact,
            Self::Address
            | Self::City
            | Self::County
            | Self::GeoPoint
            | Self::BirthPart
            | Self::Time
            | Self::Phone
            | Self::Fax
            | Self::Email
            | Self::Ssn
            | Self::Mrn
            | Self::HealthPlanId
            | Self::Account
            | Self::License
            | Self::Vehicle
            | Self::DeviceId
            | Self::Url
            | Self::Ip
            | Self::Biometric
            | Self::Photo
            | Self::OtherUniqueId
            | Self::Credential => Transform::Null,
            Self::Zip => Transform::Zip3,
            Self::BirthDate | Self::BirthYear => Transform::YearCap90,
            Self::DeathDate | Self::Date => Transform::Year,
            Self::Age => Transform::AgeCap90,
            Self::PersonKey
            | Self::RecordKey
            | Self::ProviderKey
            | Self::FacilityKey
            | Self::EmbeddedKey => Transform::Pseudonym,
            Self::FreeText | Self::TextValue => Transform::TextBlock,
            Self::State | Self::Quasi | Self::Financial | Self::Clinical | Self::None => {
                Transform::Keep
            }
        }
    }

    /// 45 CFR 164.514(e)(2): the same without names, street addresses, numbers and images; towns,
    /// ZIP codes, dates, ages and keys stay.
    const fn limited_dataset(self) -> Transform {
        match self {
            Self::City
            | Self::County
            | Self::Zip
            | Self::BirthDate
            | Self::BirthYear
            | Self::BirthPart
            | Self::DeathDate
            | Self::Age
            | Self::Date
            | Self::Time
            | Self::Facility
            | Self::PersonKey
            | Self::RecordKey
            | Self::ProviderKey
            | Self::FacilityKey => Transform::Keep,
            Self::OtherUniqueId | Self::ProviderNpi => Transform::Pseudonym,
            _ => self.safe_harbor(),
        }
    }

    /// 45 CFR 164.514(b)(1), as strict as safe harbor but for dates, shifted, and single codes, keyed.
    const fn expert(self) -> Transform {
        match self {
            Self::DeathDate | Self::Date => Transform::DateShift,
            Self::OtherUniqueId => Transform::Pseudonym,
            _ => self.safe_harbor(),
        }
    }
}

impl fmt::Display for IdentifierClass {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for IdentifierClass {
    type Err = UnknownIdentifier;

    fn from_str(text: &str) -> Result<Self, UnknownIdentifier> {
        Self::ALL
            .iter()
            .copied()
            .find(|class| class.as_str() == text)
            .ok_or_else(|| UnknownIdentifier(text.to_owned()))
    }
}

fn names() -> String {
    IdentifierClass::ALL
        .iter()
        .map(|class| class.as_str())
        .collect::<Vec<_>>()
        .join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_reads_back() {
        for class in IdentifierClass::ALL {
            assert_eq!(class.as_str().parse(), Ok(*class));
        }
    }

    #[test]
    fn no_narrower_profile_keeps_phi_by_default() {
        for class in IdentifierClass::ALL.iter().filter(|class| class.is_phi()) {
            for profile in [Profile::SafeHarbor, Profile::Expert] {
                for kind in [
                    TypeKind::Text,
                    TypeKind::Int4,
                    TypeKind::Date,
                    TypeKind::Other,
                ] {
                    let transform = class.default_transform(profile, kind);
                    assert_ne!(transform, Transform::Keep, "{class} under {profile}");
                    assert!(transform.supports(kind), "{class} as {transform}");
                }
            }
        }
    }

    #[test]
    fn free_text_leaves_whole_only_when_identified() {
        for profile in Profile::ALL {
            let whole = profile == Profile::Identified;
            let expected = if whole {
                Transform::Keep
            } else {
                Transform::TextBlock
            };
            assert_eq!(
                IdentifierClass::FreeText.default_transform(profile, TypeKind::Text),
                expected
            );
        }
    }
}
