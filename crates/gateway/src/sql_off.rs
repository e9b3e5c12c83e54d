//! A gateway without its SQL layer, in views mode: what clients send goes to PostgreSQL as it is, as
//! the login of their policy. It exists to show that this login alone reads nothing that the policy
//! does not release: `tests/tests/sql_off.rs`.
//!
//! Nothing but that test can have it: the feature is no crate's default and no crate's but the
//! tests'; a build without debug assertions, or without the variable that the test's command sets,
//! does not compile; and a gateway that has it says so, loudly, at every session.

use phigate_sql::Passthrough;
use phigate_types::Profile;

#[cfg(not(debug_assertions))]
compile_error!("`sql-off-for-tests` is not for anything that is released");

const _: () = assert!(
    option_env!("PHIGATE_SQL_OFF_FOR_TESTS").is_some(),
    "`sql-off-for-tests` is for `cargo xtask sql-off` alone"
);

/// The authority to relay everything unread.
pub(crate) fn authority() -> Option<Passthrough> {
    tracing::error!("THE SQL LAYER IS SWITCHED OFF: this is a build for a test");
    Passthrough::new(Profile::Identified, true, true)
}
