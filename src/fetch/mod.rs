//! A source walks in, a [`Capture`] walks out: the bytes as they came, with their provenance.
//!
//! Every request, each redirect and each request of a drawn page passes one gate
//! ([`AddressGuard`]): only http and https, and no private, loopback, link-local or metadata
//! address unless the configuration names it. The check is made on the address that is connected
//! to.

mod address;
mod browser;
mod file;
mod http;
mod politeness;
mod robots;
mod tunnel;

pub use address::AddressGuard;
pub use browser::{Browser, end_browsers};
pub use file::read_file;
pub use http::{Fetcher, Options, Request};
pub use robots::Rules as RobotsRules;

use std::net::IpAddr;

/// What came from a source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Capture {
    /// The bytes of the body, decompressed.
    pub bytes: Vec<u8>,
    /// Declared media type with its parameters.
    pub media_type: Option<String>,
    /// Each request that was made, in order.
    pub hops: Vec<Hop>,
    /// Where the bytes came from in the end.
    pub url: String,
    /// `ETag` of the last response.
    pub etag: Option<String>,
    /// `Last-Modified` of the last response.
    pub last_modified: Option<String>,
    /// Whether a browser drew the page.
    pub rendered: bool,
}

/// One request and how it was answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hop {
    /// The address asked.
    pub url: String,
    /// The status; 0 for a file.
    pub status: u16,
    /// Where it pointed, for a redirect.
    pub location: Option<String>,
    /// The address that was connected to.
    pub address: Option<IpAddr>,
}

/// A capture, or word that nothing changed since the validators were given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fetched {
    /// The bytes.
    New(Box<Capture>),
    /// `304 Not Modified`.
    NotModified,
}

/// Why nothing came.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FetchError {
    /// The source is neither an http(s) URL nor a file.
    #[error("`{0}` is neither an http or https URL nor a file")]
    Scheme(String),
    /// The address is private and not allowed.
    #[error(
        "{host} resolves to {address}, a private or local address; allow it by name in [fetch] allow_addresses if it is meant"
    )]
    PrivateAddress {
        /// The host asked for.
        host: String,
        /// The address it has.
        address: IpAddr,
    },
    /// A page led to an address that is refused.
    #[error("{from} redirects to an address that is refused: {error}")]
    RedirectRefused {
        /// The page that did.
        from: String,
        /// Why the address is refused.
        error: Box<Self>,
    },
    /// robots.txt forbids it.
    #[error(
        "{url} is forbidden to robots by {host}/robots.txt; if the site is yours, set robots = \"ignore\" on the document"
    )]
    Robots {
        /// The page.
        url: String,
        /// The host.
        host: String,
    },
    /// robots.txt could not be had, which means no.
    #[error("{host}/robots.txt answered {status}, so nothing may be fetched from there now")]
    RobotsUnavailable {
        /// The host.
        host: String,
        /// Its answer.
        status: u16,
    },
    /// The server said no.
    #[error("{url} answered {status}")]
    Status {
        /// The page.
        url: String,
        /// The status.
        status: u16,
        /// Seconds after which it may be asked again.
        retry_after: Option<u64>,
    },
    /// The host asked, earlier in this run, to be left alone for a while.
    #[error("{host} asked to be left alone; {seconds} s of that are left")]
    Asked {
        /// The host.
        host: String,
        /// Seconds that are left.
        seconds: u64,
    },
    /// It took too long.
    #[error("{url} gave no answer within {seconds} s")]
    Timeout {
        /// The page.
        url: String,
        /// The limit.
        seconds: u64,
    },
    /// What a drawn page was waited for did not come.
    #[error("{url}: `{selector}` ([[document]] wait_for) held no text within {seconds} s")]
    NotShown {
        /// The page.
        url: String,
        /// The selector.
        selector: String,
        /// The limit.
        seconds: u64,
    },
    /// The body is larger than allowed.
    #[error("{url} is larger than {megabytes} MB ([fetch] max_megabytes)")]
    TooLarge {
        /// The page.
        url: String,
        /// The limit.
        megabytes: u64,
    },
    /// Redirects without end.
    #[error("{url} redirects more than {limit} times")]
    TooManyRedirects {
        /// The first address.
        url: String,
        /// The limit.
        limit: u32,
    },
    /// The connection failed.
    #[error("{url}: {detail}")]
    Connection {
        /// The page.
        url: String,
        /// Why.
        detail: String,
    },
    /// A file cannot be read.
    #[error("cannot read {path}: {detail}")]
    File {
        /// The file.
        path: String,
        /// Why.
        detail: String,
    },
    /// The client or browser could not be set up.
    #[error("{0}")]
    Setup(String),
}

impl FetchError {
    /// A stable code for journals and scripts.
    pub fn code(&self) -> String {
        match self {
            Self::Scheme(_) => "scheme".to_owned(),
            Self::PrivateAddress { .. } => "private-address".to_owned(),
            Self::RedirectRefused { error, .. } => error.code(),
            Self::Robots { .. } => "robots".to_owned(),
            Self::RobotsUnavailable { .. } => "robots-unavailable".to_owned(),
            Self::Status { status, .. } => format!("http-{status}"),
            Self::Asked { .. } => "retry-after".to_owned(),
            Self::Timeout { .. } | Self::NotShown { .. } => "timeout".to_owned(),
            Self::TooLarge { .. } => "too-large".to_owned(),
            Self::TooManyRedirects { .. } => "redirects".to_owned(),
            Self::Connection { .. } => "connection".to_owned(),
            Self::File { .. } => "file".to_owned(),
            Self::Setup(_) => "setup".to_owned(),
        }
    }

    /// Whether another attempt may help.
    pub fn transient(&self) -> bool {
        match self {
            Self::Status { status, .. } => {
                // What is not implemented, or wants a login to the network, stays so.
                matches!(status, 408 | 425 | 429 | 500..=599) && !matches!(status, 501 | 505 | 511)
            }
            Self::Timeout { .. } | Self::NotShown { .. } | Self::Connection { .. } => true,
            _ => false,
        }
    }
}
