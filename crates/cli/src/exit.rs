//! How a command ends: an exit code, and for a failure the words for the person.

use std::process::ExitCode;

use tonic::Code;

/// An exit code of sysexits.h, or of `audit verify`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Exit(u8);

impl Exit {
    /// All went well; a log is sound.
    pub const OK: Self = Self(0);
    /// `audit verify`: a log was tampered with.
    pub const TAMPERED: Self = Self(1);
    /// `database doctor`: something was found that must not be.
    pub const UNSOUND: Self = Self(1);
    /// `audit verify`: sound up to a point, the rest unproven.
    pub const SOUND_UP_TO: Self = Self(2);
    /// `audit verify`: called wrongly.
    pub const VERIFY_USAGE: Self = Self(3);
    /// EX_USAGE: the command line or a value on it is wrong.
    pub const USAGE: Self = Self(64);
    /// EX_DATAERR: a file's content is wrong.
    pub const DATA: Self = Self(65);
    /// EX_NOINPUT: no such grant, session, log or file.
    pub const NOT_FOUND: Self = Self(66);
    /// EX_UNAVAILABLE: the control plane cannot be reached.
    pub const UNAVAILABLE: Self = Self(69);
    /// EX_SOFTWARE: a defect.
    pub const SOFTWARE: Self = Self(70);
    /// EX_IOERR: what was to be printed could not be written.
    pub const IO: Self = Self(74);
    /// EX_TEMPFAIL: a limit was reached; later it may work.
    pub const TEMPORARY: Self = Self(75);
    /// EX_NOPERM: the token or certificate was not accepted.
    pub const NOT_ALLOWED: Self = Self(77);
    /// EX_CONFIG: the configuration is wrong.
    pub const CONFIG: Self = Self(78);

    /// Prints clap's message where it belongs and picks the code.
    pub(crate) fn from_usage(error: &clap::Error) -> Self {
        // Nothing can be done when the terminal is gone.
        let _ = error.print();
        if !error.use_stderr() {
            return Self::OK;
        }
        // `audit verify` has a code of its own, also when clap refuses its arguments.
        let mut words = std::env::args()
            .skip(1)
            .filter(|word| !word.starts_with('-'));
        if words.next().as_deref() == Some("audit") && words.next().as_deref() == Some("verify") {
            return Self::VERIFY_USAGE;
        }
        Self::USAGE
    }

    /// The number.
    pub const fn code(self) -> u8 {
        self.0
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.0)
    }
}

/// Why a command did not do what was asked.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) exit: Exit,
    pub(crate) message: String,
    pub(crate) hint: Option<String>,
}

impl Failure {
    pub(crate) fn new(exit: Exit, message: impl Into<String>) -> Self {
        Self {
            exit,
            message: message.into(),
            hint: None,
        }
    }

    pub(crate) fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

impl From<tonic::Status> for Failure {
    fn from(status: tonic::Status) -> Self {
        let exit = match status.code() {
            Code::InvalidArgument | Code::OutOfRange | Code::FailedPrecondition => Exit::USAGE,
            Code::NotFound => Exit::NOT_FOUND,
            Code::Unauthenticated | Code::PermissionDenied => Exit::NOT_ALLOWED,
            Code::ResourceExhausted | Code::Aborted | Code::AlreadyExists => Exit::TEMPORARY,
            Code::Unavailable | Code::DeadlineExceeded | Code::Cancelled => Exit::UNAVAILABLE,
            Code::Ok | Code::Unknown | Code::Unimplemented | Code::Internal | Code::DataLoss => {
                Exit::SOFTWARE
            }
        };
        Self::new(exit, status.message())
    }
}
