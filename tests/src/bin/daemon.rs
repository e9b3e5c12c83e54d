//! `phigate serve` in a process of its own, for tests that kill, stop and cut off: the arguments are
//! `phigate`'s, `serve PART --config FILE`.

use std::process::ExitCode;

use phigate::{runtime, telemetry};

fn main() -> ExitCode {
    telemetry::start();
    phigate_tests::fleet::serve(std::env::args().skip(1))
        .map_or_else(|usage| Err(anyhow::anyhow!(usage)), runtime::block_on)
        .unwrap_or_else(|error| {
            telemetry::failure(&error);
            ExitCode::FAILURE
        })
}
