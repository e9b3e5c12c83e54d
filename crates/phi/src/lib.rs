//! What is protected health information in a column, and how a release profile lets it out.
//!
//! A [`Classification`] file says which [`IdentifierClass`] each column belongs to; with a release
//! profile and a grant's reveal and block lists it becomes an [`EffectivePolicy`]; [`release`] writes
//! the SQL expression that PostgreSQL evaluates in the column's place. A [`RowRules`] file says whose
//! each row is, and which rows are sensitive.
//!
//! No I/O, no clock: callers pass the date at which ages are judged.

mod classification;
mod collide;
mod column;
mod identifier;
mod json_paths;
pub mod keys;
mod policy;
mod release;
mod rows;
mod transform;
mod zip3;

pub use classification::{Classification, ClassificationError, ClassifiedColumn};
pub use collide::collide;
pub use column::{ColumnName, ColumnNameError, ColumnType, TypeKind, quote_identifier};
pub use identifier::{IdentifierClass, UnknownIdentifier};
pub use json_paths::{JsonPaths, JsonPathsError};
pub use policy::{
    EffectivePolicy, MalformedPolicyId, PolicyError, PolicyId, Rule, Treatment, Unclassified,
    UnknownTreatment, UnknownUnclassified,
};
pub use release::{
    KeyAccess, KeyKind, KeySource, PatientKey, ReleaseContext, Unsupported, key_sources, release,
};
pub use rows::{
    Alternative, Bearer, Chain, KeyPath, KeyPathError, Reference, Route, RowPolicy, RowRules,
    RowRulesError, Sensitivity, SensitivityCode, Step, TableName, UndeclaredSensitivity,
    UnknownSensitivity,
};
pub use transform::{Transform, UnknownTransform};
pub use zip3::Zip3List;
