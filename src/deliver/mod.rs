//! Recipients and texts walk in; messages and their outcomes walk out: reading lists, building
//! messages, SMTP sessions, rate limits, retries, bounces.
//!
//! ```text
//! CSV, JSON Lines, SQL ─► source ─► dedupe ─► frozen list
//! texts ─► message::Template ─┐
//! frozen list ────────────────┴► send ─► N sessions ─► relay
//!                                 └► Outbox (the ledger, kept by `store`)
//! ```
//!
//! Always holds: no content leaves before its `sending` entry is durable; a reply that was not
//! seen is `uncertain`, never "try again"; the words are "accepted by the relay".

mod address;
mod ahead;
pub mod alert;
mod bounce;
mod budget;
mod dedupe;
mod dkim;
mod ident;
mod imap;
mod limit;
mod mailbox;
mod message;
mod mime;
#[cfg(feature = "postgres")]
mod postgres;
mod queue;
mod recipient;
mod relay_log;
mod send;
mod smtp;
mod source;
mod suppression;

pub use address::{Address, AddressError};
pub use bounce::{Report, ReportKind, classify};
pub use budget::{Budget, Outcome as BudgetOutcome};
pub use dedupe::{Dedupe, Duplicate};
pub use dkim::{DkimError, Signer};
pub use ident::Identities;
pub use imap::{Imap, ImapError, ImapPlace};
pub use limit::{Gcra, Limits, finish_time};
pub use mailbox::{MailboxError, each_message};
pub use message::{LARGEST, Message, MessageError, Sender, Template};
#[cfg(feature = "postgres")]
pub use postgres::{PostgresError, query};
pub use queue::Retry;
pub use recipient::Recipient;
pub use relay_log::{LogError, Seen, scan as scan_relay_log};
pub use send::{Envelope, Outbox, Progress, Settings, Stop, send};
pub use smtp::{Connection, OpenError, Relay, Reply, Security, Timeouts, UrlError};
pub use source::{ListFormat, Row, SourceError, read as read_recipients};
pub use suppression::{Suppressed, Suppression, SuppressionError};
