//! The gRPC services: what arrives is checked, the plane acts, the answer is put together.

mod catalog;
mod database;
mod gateways;
mod grants;
mod sessions;

use phigate_grant::InvalidField;
use tonic::Status;

pub(crate) use catalog::Catalog;
pub(crate) use database::Database;
pub(crate) use gateways::Gateways;
pub(crate) use grants::Grants;
pub(crate) use sessions::Sessions;

/// Items on a page where the caller does not say.
const PAGE: u32 = 100;

/// The most items on a page.
const MAX_PAGE: u32 = 1000;

fn invalid(error: &InvalidField) -> Status {
    Status::invalid_argument(error.to_string())
}

fn page_size(size: u32) -> Result<u32, Status> {
    match size {
        0 => Ok(PAGE),
        1..=MAX_PAGE => Ok(size),
        _ => Err(Status::invalid_argument(
            "page_size: is 1 to 1000, or 0 for 100",
        )),
    }
}

fn page_token(token: &str) -> Result<Option<i64>, Status> {
    if token.is_empty() {
        return Ok(None);
    }
    let before = token.parse().map(Some);
    before.map_err(|_| Status::invalid_argument("page_token: is not one of an earlier answer"))
}

fn optional<T: std::str::FromStr<Err: std::fmt::Display>>(
    field: &'static str,
    text: &str,
) -> Result<Option<T>, Status> {
    if text.is_empty() {
        return Ok(None);
    }
    Ok(Some(phigate_proto::parse(field, text)?))
}

/// What is told to those whose sessions end; may be empty.
fn reason(text: &str) -> Result<String, Status> {
    if text.trim().is_empty() {
        return Ok(String::new());
    }
    phigate_grant::check_reason("reason", text).map_err(|error| invalid(&error))
}
