//! `phictl`: grants, sessions and the record, from the command line.

use std::process::ExitCode;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    phigate_cli::run(std::env::args_os()).await.into()
}
