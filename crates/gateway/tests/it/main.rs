//! The gateway against a real PostgreSQL and a real control plane, one module a behaviour.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod budgets;
mod conversation;
mod copy;
mod ddl;
mod ending;
mod house;
mod login;
mod masking;
mod passthrough;
mod recording;
mod temporary;
mod writes;
