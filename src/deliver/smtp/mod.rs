//! SMTP sessions of our own: a stream without Nagle's delay, and pipelining where it is offered.

mod connection;
mod relay;
mod reply;
mod stream;

pub(super) use connection::{Broken, Mail};
pub use connection::{Connection, OpenError};
pub(super) use relay::percent_decode;
pub use relay::{Relay, Security, Timeouts, UrlError};
pub use reply::Reply;
pub(super) use stream::configuration as trust;
