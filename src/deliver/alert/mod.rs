//! Alerts to the team: what happened walks in, and goes out as mail, webhook, chat message, feed,
//! file or to a program.
//!
//! Every way carries the alert's stable id (Message-ID, `Idempotency-Key`, feed id), so that the
//! one copy too many that a crash between acceptance and its record can make is known as such.

mod feed;
mod mail;
mod message;
mod post;
mod program;

pub use feed::{atom, json_feed, markdown_file};
pub use mail::{MailSettings, mail};
pub use message::{AlertFinding, AlertMessage, Excerpt};
pub use post::{post, signature};
pub use program::run_program;

/// Why an alert did not go out; it stays due.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AlertError {
    /// A server refused or did not answer.
    #[error("{to}: {detail}")]
    Refused {
        /// Whom it was for, without credentials.
        to: String,
        /// Why.
        detail: String,
    },
    /// A file cannot be read or written.
    #[error("cannot write {path}: {detail}")]
    File {
        /// The file.
        path: String,
        /// Why.
        detail: String,
    },
    /// A program failed.
    #[error("the program `{program}` {detail}")]
    Program {
        /// The program.
        program: String,
        /// How.
        detail: String,
    },
    /// Something in the configuration cannot be used.
    #[error("{0}")]
    Setup(String),
}
