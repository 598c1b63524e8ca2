//! Pages drawn by scripts: an installed Chromium, driven over its debugging protocol.
//!
//! The browser runs in a process group and with a profile of its own, which are gone afterwards.
//! Each request that the page makes is held until it has passed the same gate as every other, what
//! a text does not need (pictures, fonts, media) is not fetched at all, and whatever goes out goes
//! through a tunnel of this program, which checks the address once more as it connects.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};

use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::{Value, json};
use tokio::{net::TcpStream, process::Child, time::Instant};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, tungstenite::Message};

use super::{AddressGuard, Capture, FetchError, Hop, tunnel::Tunnel};

/// What a page is drawn with.
#[derive(Debug, Clone)]
pub struct Browser {
    /// The program; found by its usual names when absent.
    pub program: Option<String>,
    /// Folder in which the profile is made and thrown away.
    pub folder: PathBuf,
    /// Longest time for a page.
    pub timeout: Duration,
    /// Largest page, in megabytes.
    pub max_megabytes: u64,
    /// Which addresses may be connected to.
    pub guard: AddressGuard,
    /// Proxy for all requests, which then resolves the names; without it the browser goes out
    /// through a tunnel of this program that connects only where the guard lets it.
    pub proxy: Option<String>,
    /// Named in the User-Agent, after the browser's own words.
    pub contact: Option<String>,
    /// Further headers for the host of the page.
    pub headers: BTreeMap<String, String>,
}

/// Usual names of the program.
const PROGRAMS: [&str; 5] = [
    "chromium",
    "chromium-browser",
    "google-chrome",
    "google-chrome-stable",
    "chrome",
];
/// A page is still when nothing was asked for so long.
const QUIET: Duration = Duration::from_millis(800);
/// What a text does not need.
const NEEDLESS: [&str; 9] = [
    "Image",
    "Media",
    "Font",
    "TextTrack",
    "EventSource",
    "WebSocket",
    "Manifest",
    "Ping",
    "CSPViolationReport",
];

impl Browser {
    /// Draws a page and gives it as it stands then; `wait_for` is a selector that must hold text
    /// before it is taken.
    ///
    /// # Errors
    /// When there is no browser, the page answers with an error, or the time is up.
    pub async fn draw(&self, url: &str, wait_for: Option<&str>) -> Result<Capture, FetchError> {
        let profile = self.folder.join(format!(
            "browser-{}",
            crate::evidence::Hash::of(url.as_bytes()).short()
        ));
        let tunnel =
            match &self.proxy {
                Some(_) => None,
                None => Some(Tunnel::start(self.guard.clone()).await.map_err(|e| {
                    FetchError::Setup(format!("cannot listen for the browser: {e}"))
                })?),
            };
        let way_out = match (&self.proxy, &tunnel) {
            (Some(proxy), _) => proxy.clone(),
            (None, Some(tunnel)) => format!("http://{}", tunnel.address()),
            (None, None) => String::new(),
        };
        let mut child = self.launch(&profile, &way_out)?;
        let timeout = || FetchError::Timeout {
            url: url.to_owned(),
            seconds: self.timeout.as_secs(),
        };
        let drawn = tokio::time::timeout(self.timeout, self.session(&profile, url, wait_for)).await;
        end(&mut child).await;
        // A profile that cannot be removed is in nobody's way: the next one replaces it.
        let _left = std::fs::remove_dir_all(&profile);
        drawn.map_err(|_| timeout())?
    }

    fn launch(&self, profile: &Path, proxy: &str) -> Result<Child, FetchError> {
        let setup = |detail: String| FetchError::Setup(detail);
        // What a killed run left behind must not be taken for this one's.
        let _left = std::fs::remove_dir_all(profile);
        std::fs::create_dir_all(profile)
            .map_err(|e| setup(format!("cannot make {}: {e}", profile.display())))?;
        let profile = profile
            .canonicalize()
            .map_err(|e| setup(format!("cannot find {}: {e}", profile.display())))?;
        let named: Vec<&str> = match &self.program {
            Some(program) => vec![program.as_str()],
            None => PROGRAMS.to_vec(),
        };
        for program in &named {
            let mut command = tokio::process::Command::new(program);
            command
                .args([
                    "--headless=new",
                    "--remote-debugging-port=0",
                    "--no-first-run",
                    "--disable-gpu",
                    "--disable-quic",
                    "--disable-background-networking",
                    "--disable-component-update",
                    "--disable-sync",
                    "--disable-extensions",
                    "--disable-default-apps",
                    "--mute-audio",
                    "--no-default-browser-check",
                ])
                .arg(format!("--user-data-dir={}", profile.display()))
                .arg(format!("--proxy-server={proxy}"))
                // This machine's own addresses go through it too.
                .arg("--proxy-bypass-list=<-loopback>")
                .arg("about:blank")
                .stdin(Stdio::null())
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                .kill_on_drop(true);
            #[cfg(unix)]
            {
                command.process_group(0);
                use std::os::unix::fs::MetadataExt as _;
                // Chromium's sandbox cannot be set up by root, as in a container.
                if std::fs::metadata(&profile).is_ok_and(|m| m.uid() == 0) {
                    command.arg("--no-sandbox");
                }
            }
            match command.spawn() {
                Ok(child) => return Ok(child),
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
                Err(error) => return Err(setup(format!("{program} cannot be started: {error}"))),
            }
        }
        Err(setup(format!(
            "no browser was found ({}); install Chromium, or name its program in [fetch] browser",
            named.join(", ")
        )))
    }

    async fn session(
        &self,
        profile: &Path,
        url: &str,
        wait_for: Option<&str>,
    ) -> Result<Capture, FetchError> {
        let address = endpoint(profile).await;
        let broken = |detail: String| FetchError::Connection {
            url: url.to_owned(),
            detail,
        };
        let (socket, _) = tokio_tungstenite::connect_async(&address)
            .await
            .map_err(|e| broken(format!("the browser cannot be reached: {e}")))?;
        let mut page = Page {
            socket,
            url: url.to_owned(),
            session: None,
            next: 0,
            answers: BTreeMap::new(),
            guard: self.guard.clone(),
            resolves: self.proxy.is_none(),
            headers: self.headers.clone(),
            open: 0,
            last: Instant::now(),
            loaded: false,
            status: None,
            refused: None,
        };
        let target = page
            .call("Target.createTarget", json!({ "url": "about:blank" }))
            .await?;
        let attached = page
            .call(
                "Target.attachToTarget",
                json!({ "targetId": target["targetId"], "flatten": true }),
            )
            .await?;
        page.session = attached["sessionId"].as_str().map(str::to_owned);
        page.call("Page.enable", json!({})).await?;
        let version = page.call("Browser.getVersion", json!({})).await?;
        let agent = format!(
            "{} fairnotice/{} (policy monitor; {})",
            version["userAgent"].as_str().unwrap_or_default(),
            env!("CARGO_PKG_VERSION"),
            self.contact.as_deref().unwrap_or("no contact configured"),
        );
        let agent = json!({ "userAgent": agent });
        page.call("Network.setUserAgentOverride", agent).await?;
        page.call("Network.enable", json!({})).await?;
        page.call(
            "Fetch.enable",
            json!({ "patterns": [{ "urlPattern": "*" }] }),
        )
        .await?;
        page.last = Instant::now();
        let navigated = page.call("Page.navigate", json!({ "url": url })).await?;
        if let Some(refused) = page.refused.take() {
            return Err(refused);
        }
        if let Some(error) = navigated["errorText"].as_str() {
            return Err(broken(error.to_owned()));
        }
        page.settle(wait_for).await?;
        if let Some((status, at)) = page.status.clone().filter(|(status, _)| *status >= 400) {
            return Err(FetchError::Status {
                url: at,
                status,
                retry_after: None,
            });
        }
        let html = page.evaluate("document.documentElement.outerHTML").await?;
        let at = page.evaluate("document.URL").await?;
        if html.len() as u64 > self.max_megabytes << 20 {
            return Err(FetchError::TooLarge {
                url: url.to_owned(),
                megabytes: self.max_megabytes,
            });
        }
        let status = page.status.map_or(200, |(status, _)| status);
        Ok(Capture {
            bytes: format!("<!doctype html>{html}").into_bytes(),
            media_type: Some("text/html; charset=utf-8".to_owned()),
            hops: vec![Hop {
                url: at.clone(),
                status,
                location: None,
                address: None,
            }],
            url: at,
            etag: None,
            last_modified: None,
            rendered: true,
        })
    }
}

/// The browser writes where it listens into its profile, once it does.
async fn endpoint(profile: &Path) -> String {
    let file = profile.join("DevToolsActivePort");
    loop {
        if let Ok(text) = std::fs::read_to_string(&file) {
            let mut lines = text.lines();
            if let (Some(port), Some(path)) = (lines.next(), lines.next()) {
                return format!("ws://127.0.0.1:{port}{path}");
            }
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// Ends the browser and all that it started.
async fn end(child: &mut Child) {
    #[cfg(unix)]
    if let Some(id) = child.id() {
        // Without the program `kill`, the browser itself is ended all the same, below.
        let _group = tokio::process::Command::new("kill")
            .args(["-9", "--", &format!("-{id}")])
            .stderr(Stdio::null())
            .status()
            .await;
    }
    // It may have ended by itself.
    let _ended = child.kill().await;
}

/// One page of the browser.
struct Page {
    socket: WebSocketStream<MaybeTlsStream<TcpStream>>,
    url: String,
    session: Option<String>,
    next: u64,
    answers: BTreeMap<u64, Value>,
    guard: AddressGuard,
    /// Whether names are resolved here rather than by a proxy.
    resolves: bool,
    /// Further headers for the host of the page.
    headers: BTreeMap<String, String>,
    /// Requests that are under way.
    open: i64,
    /// When a request last began or ended.
    last: Instant,
    loaded: bool,
    /// Status and address of the page itself.
    status: Option<(u16, String)>,
    /// Why the page itself may not be fetched.
    refused: Option<FetchError>,
}

impl Page {
    fn broken(&self, detail: impl ToString) -> FetchError {
        FetchError::Connection {
            url: self.url.clone(),
            detail: detail.to_string(),
        }
    }

    async fn send(&mut self, method: &str, params: Value) -> Result<u64, FetchError> {
        self.next += 1;
        let mut message = json!({ "id": self.next, "method": method, "params": params });
        if let Some(session) = &self.session {
            message["sessionId"] = json!(session);
        }
        let sent = self.socket.send(Message::text(message.to_string())).await;
        sent.map_err(|e| self.broken(format!("the browser went away: {e}")))?;
        Ok(self.next)
    }

    async fn call(&mut self, method: &str, params: Value) -> Result<Value, FetchError> {
        let id = self.send(method, params).await?;
        loop {
            if let Some(answer) = self.answers.remove(&id) {
                return match answer.get("error") {
                    Some(error) => {
                        Err(self.broken(format!("the browser refuses {method}: {error}")))
                    }
                    None => Ok(answer["result"].clone()),
                };
            }
            self.hear(Duration::from_secs(60)).await?;
        }
    }

    async fn evaluate(&mut self, expression: &str) -> Result<String, FetchError> {
        let answer = self
            .call(
                "Runtime.evaluate",
                json!({ "expression": expression, "returnByValue": true }),
            )
            .await?;
        Ok(answer["result"]["value"]
            .as_str()
            .unwrap_or_default()
            .to_owned())
    }

    /// Waits until the page is loaded and still, or until the selector holds text.
    async fn settle(&mut self, wait_for: Option<&str>) -> Result<(), FetchError> {
        let probe = wait_for.map(|css| {
            format!(
                "(document.querySelector({})||{{}}).innerText||''",
                Value::from(css)
            )
        });
        loop {
            self.hear(Duration::from_millis(100)).await?;
            if let Some(refused) = self.refused.take() {
                return Err(refused);
            }
            let still = self.loaded && self.open <= 0 && self.last.elapsed() >= QUIET;
            match &probe {
                Some(probe) if self.loaded && !self.evaluate(probe).await?.trim().is_empty() => {
                    return Ok(());
                }
                None if still => return Ok(()),
                _ => {}
            }
        }
    }

    /// Hears one message, for at most so long.
    async fn hear(&mut self, limit: Duration) -> Result<(), FetchError> {
        let message = match tokio::time::timeout(limit, self.socket.next()).await {
            Err(_) => return Ok(()),
            Ok(None) => return Err(self.broken("the browser went away")),
            Ok(Some(Err(error))) => return Err(self.broken(error)),
            Ok(Some(Ok(message))) => message,
        };
        let Message::Text(text) = message else {
            return Ok(());
        };
        let Ok(value) = serde_json::from_str::<Value>(&text) else {
            return Ok(());
        };
        if let Some(id) = value["id"].as_u64() {
            self.answers.insert(id, value);
            return Ok(());
        }
        let params = &value["params"];
        match value["method"].as_str().unwrap_or_default() {
            "Fetch.requestPaused" => self.paused(params).await?,
            "Network.requestWillBeSent" => {
                self.open += 1;
                self.last = Instant::now();
            }
            "Network.loadingFinished" | "Network.loadingFailed" => {
                self.open -= 1;
                self.last = Instant::now();
            }
            "Network.responseReceived" if params["type"] == "Document" => {
                let status = params["response"]["status"].as_u64().unwrap_or(200);
                let at = params["response"]["url"]
                    .as_str()
                    .unwrap_or_default()
                    .to_owned();
                if self.status.is_none() || !self.loaded {
                    self.status = Some((u16::try_from(status).unwrap_or(200), at));
                }
            }
            "Page.loadEventFired" => self.loaded = true,
            _ => {}
        }
        Ok(())
    }

    /// Lets a request pass, or not.
    async fn paused(&mut self, params: &Value) -> Result<(), FetchError> {
        let kind = params["resourceType"].as_str().unwrap_or_default();
        let address = params["request"]["url"].as_str().unwrap_or_default();
        let verdict = if NEEDLESS.contains(&kind) {
            Err(None)
        } else {
            self.gate(address).await
        };
        let id = &params["requestId"];
        match verdict {
            Ok(()) => {
                let mut answer = json!({ "requestId": id });
                if let Some(headers) = self.own_headers(address, &params["request"]["headers"]) {
                    answer["headers"] = headers;
                }
                self.send("Fetch.continueRequest", answer).await?
            }
            Err(refusal) => {
                if kind == "Document" && !self.loaded {
                    self.refused = refusal;
                }
                let params = json!({ "requestId": id, "errorReason": "BlockedByClient" });
                self.send("Fetch.failRequest", params).await?
            }
        };
        Ok(())
    }

    /// The headers of a request to the host of the page, those of the document added; for another
    /// host there are none to add.
    fn own_headers(&self, address: &str, asked: &Value) -> Option<Value> {
        let origin = |text: &str| url::Url::parse(text).ok().map(|url| url.origin());
        if self.headers.is_empty() || origin(address) != origin(&self.url) {
            return None;
        }
        let theirs = asked.as_object()?.iter().filter(|(name, _)| {
            let ours = |own: &String| own.eq_ignore_ascii_case(name);
            !self.headers.keys().any(ours)
        });
        let mut headers: Vec<Value> = theirs
            .map(|(name, value)| json!({ "name": name, "value": value }))
            .collect();
        for (name, value) in &self.headers {
            headers.push(json!({ "name": name, "value": value }));
        }
        Some(Value::Array(headers))
    }

    async fn gate(&self, address: &str) -> Result<(), Option<FetchError>> {
        let Ok(url) = url::Url::parse(address) else {
            return Err(None);
        };
        match url.scheme() {
            "data" | "blob" | "about" => return Ok(()),
            "http" | "https" => {}
            _ => return Err(Some(FetchError::Scheme(address.to_owned()))),
        }
        let Some(host) = url.host_str() else {
            return Err(None);
        };
        let plain = host.trim_matches(['[', ']']).to_owned();
        let port = url.port_or_known_default().unwrap_or(443);
        if !self.resolves && plain.parse::<std::net::IpAddr>().is_err() {
            return Ok(());
        }
        let Ok(found) = tokio::net::lookup_host((plain.clone(), port)).await else {
            return Err(None);
        };
        // One private address among several is enough to refuse: the browser chooses itself.
        match found.map(|a| a.ip()).find(|ip| !self.guard.passes(*ip)) {
            Some(address) => Err(Some(FetchError::PrivateAddress {
                host: plain,
                address,
            })),
            None => Ok(()),
        }
    }
}
