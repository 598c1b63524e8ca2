//! HTTP: one client for a run, redirects followed one by one and recorded, bodies capped while
//! they stream, transient errors tried again.

use std::{
    collections::BTreeMap,
    net::{IpAddr, SocketAddr},
    sync::Arc,
    time::Duration,
};

use futures_util::StreamExt as _;
use reqwest::{
    dns::{Addrs, Name, Resolve, Resolving},
    header::{self, HeaderMap, HeaderName, HeaderValue},
    redirect::Policy,
};
use tokio::sync::Mutex;
use url::Url;

use crate::evidence::hidden;

use super::{
    AddressGuard, Capture, FetchError, Fetched, Hop,
    address::host_key,
    politeness::{Gates, Turn},
    robots,
};

/// Settings of a run.
#[derive(Debug, Clone)]
pub struct Options {
    /// Named in the User-Agent.
    pub contact: Option<String>,
    /// Longest time for one request.
    pub timeout: Duration,
    /// Largest body, in megabytes.
    pub max_megabytes: u64,
    /// Most redirects followed.
    pub max_redirects: u32,
    /// Pause between two requests to one host.
    pub delay: Duration,
    /// Further attempts after a transient error.
    pub retries: u32,
    /// Proxy for all requests; without it those of the environment.
    pub proxy: Option<String>,
    /// Which addresses may be connected to.
    pub guard: AddressGuard,
}

/// What is to be fetched.
#[derive(Debug, Clone, Default)]
pub struct Request {
    /// The address.
    pub url: String,
    /// Further headers.
    pub headers: BTreeMap<String, String>,
    /// The address that the validators below belong to (where the last redirect led).
    pub validators_for: Option<String>,
    /// `ETag` of the last capture.
    pub etag: Option<String>,
    /// `Last-Modified` of the last capture.
    pub last_modified: Option<String>,
    /// Whether the owner of the site lets robots.txt be ignored.
    pub ignore_robots: bool,
}

/// Fetches pages.
#[derive(Debug)]
pub struct Fetcher {
    client: reqwest::Client,
    options: Options,
    gates: Gates,
    robots: Mutex<BTreeMap<String, Arc<Mutex<Option<Robots>>>>>,
}

#[derive(Debug, Clone)]
enum Robots {
    Rules(robots::Rules),
    Unavailable(u16),
    CutOff(String),
}

impl Request {
    /// Whether what is known of the last capture belongs to an address.
    fn known(&self, url: &Url) -> bool {
        (self.etag.is_some() || self.last_modified.is_some())
            && self.validators_for.as_deref() == Some(redacted(url).as_str())
    }
}

const PRODUCT: &str = "fairnotice";
const LONGEST_WAIT: Duration = Duration::from_secs(60);
/// Seconds; no host is left alone for longer than a day because of one answer.
const LONGEST_HOLD: u64 = 86_400;
/// Redirects of a robots.txt that are followed (RFC 9309, 2.3.1.2).
const ROBOTS_REDIRECTS: u32 = 5;

/// Resolves names to addresses that pass the guard, so that what was checked is what is connected
/// to. The proxy that the configuration names may be anywhere.
struct GuardedResolver {
    guard: AddressGuard,
    proxy: Option<String>,
}

impl Resolve for GuardedResolver {
    fn resolve(&self, name: Name) -> Resolving {
        let guard = self.guard.clone();
        let is_proxy = self.proxy.as_deref() == Some(name.as_str());
        Box::pin(async move {
            let host = name.as_str().to_owned();
            let found: Vec<SocketAddr> =
                tokio::net::lookup_host((host.as_str(), 0)).await?.collect();
            let passing: Vec<SocketAddr> = found
                .iter()
                .copied()
                .filter(|a| is_proxy || guard.passes(a.ip()))
                .collect();
            match (passing.is_empty(), found.first()) {
                (true, Some(refused)) => Err(Box::new(FetchError::PrivateAddress {
                    host,
                    address: refused.ip(),
                })
                    as Box<dyn std::error::Error + Send + Sync>),
                _ => Ok(Box::new(passing.into_iter()) as Addrs),
            }
        })
    }
}

impl Fetcher {
    /// Sets up the client.
    ///
    /// # Errors
    /// When the proxy's address or the system's trust store cannot be used.
    pub fn new(options: Options) -> Result<Self, FetchError> {
        // Another part of the program may have chosen the provider already; that is as good.
        let _already = rustls::crypto::ring::default_provider().install_default();
        let contact = options
            .contact
            .as_deref()
            .unwrap_or("no contact configured");
        let agent = format!(
            "{PRODUCT}/{} (policy monitor; {contact})",
            env!("CARGO_PKG_VERSION")
        );
        let mut headers = HeaderMap::new();
        headers.insert(
            header::ACCEPT,
            HeaderValue::from_static("text/html,application/xhtml+xml,text/markdown,text/plain;q=0.9,application/pdf,*/*;q=0.8"),
        );
        headers.insert(
            header::ACCEPT_LANGUAGE,
            HeaderValue::from_static("en,*;q=0.5"),
        );
        let mut builder = reqwest::Client::builder()
            .user_agent(agent)
            .default_headers(headers)
            .redirect(Policy::none())
            .connect_timeout(options.timeout.min(Duration::from_secs(30)))
            .timeout(options.timeout)
            .pool_max_idle_per_host(1)
            .dns_resolver(Arc::new(GuardedResolver {
                guard: options.guard.clone(),
                proxy: options
                    .proxy
                    .as_deref()
                    .and_then(|proxy| Url::parse(proxy).ok())
                    .and_then(|proxy| proxy.host_str().map(str::to_owned)),
            }));
        if let Some(proxy) = &options.proxy {
            let proxy = reqwest::Proxy::all(proxy)
                .map_err(|e| FetchError::Setup(format!("[fetch] proxy cannot be used: {e}")))?;
            builder = builder.proxy(proxy);
        }
        let client = builder
            .build()
            .map_err(|e| FetchError::Setup(format!("cannot set up the HTTP client: {e}")))?;
        let gates = Gates::new(options.delay);
        Ok(Self {
            client,
            options,
            gates,
            robots: Mutex::default(),
        })
    }

    /// Fetches a page: politely, with redirects, with further attempts.
    ///
    /// # Errors
    /// When nothing usable came after all attempts.
    pub async fn fetch(&self, request: &Request) -> Result<Fetched, FetchError> {
        self.patiently(|| self.attempt(request)).await
    }

    /// Lets somebody else ask a host for a page (a browser that draws it), as politely as pages are
    /// fetched here: one at a time, with the pause between them, with further attempts.
    ///
    /// # Errors
    /// When nothing usable came after all attempts.
    pub async fn politely<T, F: Future<Output = Result<T, FetchError>>>(
        &self,
        url: &str,
        ask: impl Fn() -> F,
    ) -> Result<T, FetchError> {
        let url = &parse(url)?;
        let ask = &ask;
        self.patiently(|| async move {
            let mut turn = self.turn(url).await?;
            let answer = ask().await;
            if let Err(FetchError::Status {
                retry_after: Some(seconds),
                ..
            }) = &answer
            {
                turn.hold(Duration::from_secs((*seconds).min(LONGEST_HOLD)));
            }
            answer
        })
        .await
    }

    /// Tries again what failed for a reason that may pass.
    async fn patiently<T, F: Future<Output = Result<T, FetchError>>>(
        &self,
        ask: impl Fn() -> F,
    ) -> Result<T, FetchError> {
        let mut attempt = 0;
        loop {
            let error = match ask().await {
                Ok(answer) => return Ok(answer),
                Err(error) => error,
            };
            let asked = match &error {
                FetchError::Status { retry_after, .. } => retry_after.map(Duration::from_secs),
                _ => None,
            };
            let pause =
                self.options.delay.max(Duration::from_millis(500)) * 2u32.pow(attempt.min(6));
            let pause = asked.unwrap_or(pause).max(self.options.delay);
            if !error.transient() || attempt >= self.options.retries || pause > LONGEST_WAIT {
                return Err(error);
            }
            attempt += 1;
            tracing::info!("{error}; attempt {} in {pause:?}", attempt + 1);
            tokio::time::sleep(pause).await;
        }
    }

    /// Whether a page may be fetched at all, by scheme and robots.txt; for a browser that fetches
    /// it itself.
    ///
    /// # Errors
    /// When it may not.
    pub async fn admits(&self, url: &str, ignore_robots: bool) -> Result<(), FetchError> {
        let url = parse(url)?;
        self.check_literal(&url)?;
        if ignore_robots {
            Ok(())
        } else {
            self.check_robots(&url).await
        }
    }

    async fn attempt(&self, request: &Request) -> Result<Fetched, FetchError> {
        let mut url = parse(&request.url)?;
        let mut hops = Vec::new();
        loop {
            let refused = |error| refused_behind(&hops, error);
            self.check_literal(&url).map_err(refused)?;
            if !request.ignore_robots {
                self.check_robots(&url).await?;
            }
            let mut turn = self.turn(&url).await?;
            let response = self.send(&url, request, &hops).await.map_err(refused)?;
            let status = response.status();
            let location = response
                .headers()
                .get(header::LOCATION)
                // Not all servers write what is not ASCII as they should.
                .map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned());
            tracing::info!("{}: {status}", redacted(&url));
            hops.push(Hop {
                url: redacted(&url),
                status: status.as_u16(),
                location: location.as_deref().map(hidden),
                address: response.remote_addr().map(|address| address.ip()),
            });
            match (status.as_u16(), location) {
                (304, _) if request.known(&url) => return Ok(Fetched::NotModified),
                (301 | 302 | 303 | 307 | 308, Some(location)) => {
                    drop(turn);
                    if hops.len() > self.options.max_redirects as usize {
                        return Err(FetchError::TooManyRedirects {
                            url: parse(&request.url)
                                .map_or_else(|_| request.url.clone(), |url| redacted(&url)),
                            limit: self.options.max_redirects,
                        });
                    }
                    let wrong = |to: &str| FetchError::RedirectRefused {
                        from: redacted(&url),
                        error: Box::new(FetchError::Scheme(hidden(to))),
                    };
                    let next = url.join(&location).map_err(|_| wrong(&location))?;
                    if !matches!(next.scheme(), "http" | "https") {
                        return Err(wrong(next.as_str()));
                    }
                    url = next;
                }
                (200..=299, _) => {
                    let capture = self.body(response, &url, hops).await?;
                    return Ok(Fetched::New(Box::new(capture)));
                }
                _ => {
                    let retry_after = retry_after(response.headers());
                    if let Some(seconds) = retry_after {
                        turn.hold(Duration::from_secs(seconds.min(LONGEST_HOLD)));
                    }
                    return Err(FetchError::Status {
                        url: redacted(&url),
                        status: status.as_u16(),
                        retry_after,
                    });
                }
            }
        }
    }

    async fn turn(&self, url: &Url) -> Result<Turn, FetchError> {
        let host = host_key(url);
        self.gates
            .turn(&host, LONGEST_WAIT)
            .await
            .map_err(|left| FetchError::Asked {
                host,
                seconds: left.as_secs(),
            })
    }

    async fn send(
        &self,
        url: &Url,
        request: &Request,
        hops: &[Hop],
    ) -> Result<reqwest::Response, FetchError> {
        let mut builder = self.client.get(url.clone());
        // Headers of a document (cookies, tokens) are for its own host only.
        let own_host = hops.first().is_none_or(|first| {
            Url::parse(&first.url).is_ok_and(|first| first.origin() == url.origin())
        });
        if own_host {
            for (name, value) in &request.headers {
                let name = HeaderName::try_from(name.as_str())
                    .map_err(|_| FetchError::Setup(format!("`{name}` is no header name")))?;
                let value = HeaderValue::try_from(value.as_str()).map_err(|_| {
                    FetchError::Setup(format!("the value of header {name} cannot be sent"))
                })?;
                builder = builder.header(name, value);
            }
        }
        if request.known(url) {
            if let Some(etag) = &request.etag {
                builder = builder.header(header::IF_NONE_MATCH, etag);
            }
            if let Some(date) = &request.last_modified {
                builder = builder.header(header::IF_MODIFIED_SINCE, date);
            }
        }
        builder
            .send()
            .await
            .map_err(|error| self.explain(url, &error))
    }

    async fn body(
        &self,
        response: reqwest::Response,
        url: &Url,
        hops: Vec<Hop>,
    ) -> Result<Capture, FetchError> {
        let text = |name: HeaderName| {
            response
                .headers()
                .get(name)
                .and_then(|v| v.to_str().ok())
                .map(str::to_owned)
        };
        let (media_type, etag, last_modified) = (
            text(header::CONTENT_TYPE),
            text(header::ETAG),
            text(header::LAST_MODIFIED),
        );
        let limit = self.options.max_megabytes << 20;
        let too_large = || FetchError::TooLarge {
            url: redacted(url),
            megabytes: self.options.max_megabytes,
        };
        if response
            .content_length()
            .is_some_and(|length| length > limit)
        {
            return Err(too_large());
        }
        // What the server says it sends, without room to grow for it.
        let announced = response.content_length().unwrap_or_default();
        let mut bytes = Vec::with_capacity(usize::try_from(announced).unwrap_or_default());
        let mut stream = response.bytes_stream();
        while let Some(chunk) = stream.next().await {
            let chunk = chunk.map_err(|error| self.explain(url, &error))?;
            if (bytes.len() + chunk.len()) as u64 > limit {
                return Err(too_large());
            }
            bytes.extend_from_slice(&chunk);
        }
        Ok(Capture {
            bytes,
            media_type,
            hops,
            url: redacted(url),
            etag,
            last_modified,
            rendered: false,
        })
    }

    /// Hosts written as addresses are not resolved, so they are checked here.
    fn check_literal(&self, url: &Url) -> Result<(), FetchError> {
        let address: Option<IpAddr> = match url.host() {
            Some(url::Host::Ipv4(v4)) => Some(v4.into()),
            Some(url::Host::Ipv6(v6)) => Some(v6.into()),
            _ => None,
        };
        match address {
            Some(address) if !self.options.guard.passes(address) => {
                Err(FetchError::PrivateAddress {
                    host: address.to_string(),
                    address,
                })
            }
            _ => Ok(()),
        }
    }

    async fn check_robots(&self, url: &Url) -> Result<(), FetchError> {
        let key = host_key(url);
        let slot = Arc::clone(self.robots.lock().await.entry(key.clone()).or_default());
        let mut slot = slot.lock().await;
        if slot.is_none() {
            *slot = Some(self.robots_of(url).await);
        }
        match slot.as_ref() {
            Some(Robots::Unavailable(status)) => Err(FetchError::RobotsUnavailable {
                host: key,
                status: *status,
            }),
            Some(Robots::CutOff(detail)) => Err(FetchError::Connection {
                url: format!("{key}/robots.txt"),
                detail: detail.clone(),
            }),
            Some(Robots::Rules(rules)) => {
                let path = match url.query() {
                    Some(query) => format!("{}?{query}", url.path()),
                    None => url.path().to_owned(),
                };
                if rules.allow(&path) {
                    Ok(())
                } else {
                    Err(FetchError::Robots {
                        url: redacted(url),
                        host: key,
                    })
                }
            }
            None => Ok(()),
        }
    }

    /// The rules of a host (RFC 9309, 2.3.1): behind a few redirects, asked for again where its
    /// server fails for a while. No connection at all is left to the page's own request to report.
    async fn robots_of(&self, page: &Url) -> Robots {
        let nothing = || Robots::Rules(robots::Rules::default());
        let Ok(mut url) = page.join("/robots.txt") else {
            return nothing();
        };
        let timeout = self.options.timeout.min(Duration::from_secs(15));
        let (mut redirects, mut attempt) = (0, 0);
        loop {
            let Ok(mut turn) = self.turn(&url).await else {
                return nothing();
            };
            let answer = self.client.get(url.clone()).timeout(timeout).send().await;
            let Ok(response) = answer else {
                return nothing();
            };
            let status = response.status();
            let asked = retry_after(response.headers()).map(Duration::from_secs);
            if status.is_success() {
                return self.rules(&url, response).await;
            }
            if status.is_redirection() {
                let to = response.headers().get(header::LOCATION);
                let to = to.map(|to| String::from_utf8_lossy(to.as_bytes()).into_owned());
                let next = to.and_then(|to| url.join(&to).ok()).filter(|next| {
                    matches!(next.scheme(), "http" | "https") && self.check_literal(next).is_ok()
                });
                match next {
                    Some(next) if redirects < ROBOTS_REDIRECTS => url = next,
                    _ => return nothing(),
                }
                redirects += 1;
                continue;
            }
            if let Some(asked) =
                asked.filter(|_| status.as_u16() == 429 || status.is_server_error())
            {
                turn.hold(asked.min(Duration::from_secs(LONGEST_HOLD)));
            }
            if !status.is_server_error() {
                return nothing();
            }
            drop(turn);
            let pause = asked
                .unwrap_or(Duration::from_millis(500))
                .max(self.options.delay);
            if attempt >= self.options.retries || pause > LONGEST_WAIT {
                return Robots::Unavailable(status.as_u16());
            }
            attempt += 1;
            tokio::time::sleep(pause).await;
        }
    }

    async fn rules(&self, url: &Url, response: reqwest::Response) -> Robots {
        let mut bytes = Vec::new();
        let mut stream = response.bytes_stream();
        while let Some(chunk) = stream.next().await {
            match chunk {
                Ok(chunk) => bytes.extend_from_slice(&chunk),
                // Half of the rules are not the rules.
                Err(error) => return Robots::CutOff(self.explain(url, &error).to_string()),
            }
            if bytes.len() >= robots::LIMIT {
                bytes.truncate(robots::LIMIT);
                break;
            }
        }
        let text = String::from_utf8_lossy(&bytes);
        Robots::Rules(robots::Rules::parse(&text, PRODUCT))
    }

    fn explain(&self, url: &Url, error: &reqwest::Error) -> FetchError {
        let mut source: Option<&(dyn std::error::Error + 'static)> = Some(error);
        let mut last = error.to_string();
        while let Some(inner) = source {
            if let Some(FetchError::PrivateAddress { host, address }) = inner.downcast_ref() {
                return FetchError::PrivateAddress {
                    host: host.clone(),
                    address: *address,
                };
            }
            last = inner.to_string();
            source = inner.source();
        }
        if error.is_timeout() {
            return FetchError::Timeout {
                url: redacted(url),
                seconds: self.options.timeout.as_secs(),
            };
        }
        FetchError::Connection {
            url: redacted(url),
            detail: last,
        }
    }
}

fn parse(text: &str) -> Result<Url, FetchError> {
    match Url::parse(text) {
        Ok(url) if matches!(url.scheme(), "http" | "https") && url.has_host() => Ok(url),
        _ => Err(FetchError::Scheme(hidden(text))),
    }
}

/// What refuses an address, with the page that led there, where one did.
fn refused_behind(hops: &[Hop], error: FetchError) -> FetchError {
    match (hops.last(), &error) {
        (Some(hop), FetchError::PrivateAddress { .. }) => FetchError::RedirectRefused {
            from: hop.url.clone(),
            error: Box::new(error),
        },
        _ => error,
    }
}

/// Seconds after which a server wants to be asked again: a number, or a date that is held against
/// the server's own clock.
fn retry_after(headers: &HeaderMap) -> Option<u64> {
    let text = |name| {
        headers
            .get(name)
            .and_then(|v: &HeaderValue| v.to_str().ok())
    };
    let value = text(header::RETRY_AFTER)?.trim();
    if let Ok(seconds) = value.parse() {
        return Some(seconds);
    }
    let date = |text: &str| jiff::fmt::rfc2822::parse(text).ok();
    let (until, now) = (date(value)?, date(text(header::DATE)?)?);
    let seconds = until.timestamp().as_second() - now.timestamp().as_second();
    Some(u64::try_from(seconds).unwrap_or_default())
}

/// A URL without its password.
pub(super) fn redacted(url: &Url) -> String {
    let mut url = url.clone();
    if url.password().is_some() {
        // A URL that had a password can have another one.
        let _had_one = url.set_password(Some("***"));
    }
    url.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn retry_after_is_a_number_or_a_date_against_the_servers_clock() {
        let after = |pairs: &[(HeaderName, &'static str)]| {
            let mut headers = HeaderMap::new();
            for (name, value) in pairs {
                headers.insert(name.clone(), HeaderValue::from_static(value));
            }
            retry_after(&headers)
        };
        let date = "Fri, 01 Jan 2027 03:00:00 GMT";
        let later = "Fri, 01 Jan 2027 03:02:00 GMT";
        assert_eq!(after(&[(header::RETRY_AFTER, " 30 ")]), Some(30));
        let both = [(header::RETRY_AFTER, later), (header::DATE, date)];
        assert_eq!(after(&both), Some(120));
        let past = [(header::RETRY_AFTER, date), (header::DATE, later)];
        assert_eq!(after(&past), Some(0));
        assert_eq!(after(&[(header::RETRY_AFTER, later)]), None);
        assert_eq!(after(&[(header::RETRY_AFTER, "soon")]), None);
    }

    #[test]
    fn passwords_are_not_said() {
        let url = Url::parse("https://ada:secret@fern.example/privacy").unwrap();
        assert!(!redacted(&url).contains("secret"));
    }
}
