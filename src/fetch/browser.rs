//! Pages drawn by scripts: an installed Chromium, driven over its debugging protocol.
//!
//! The browser runs in a process group and with a profile of its own, which are gone afterwards.
//! Each request that the page makes is held until it has passed the same gate as every other, what
//! a text does not need (pictures, fonts, media) is not fetched at all, and whatever goes out goes
//! through a tunnel of this program, which checks the address once more as it connects.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
    process::Stdio,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::{Value, json};
use tokio::{net::TcpStream, process::Child, time::Instant};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, tungstenite::Message};

use super::{AddressGuard, Capture, FetchError, Hop, tunnel::Tunnel};
use crate::evidence::hidden;

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
    /// Most redirects and navigations of the page that are followed.
    pub max_redirects: u32,
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
/// Requests that a page may make in all; one that asks for more is not a text.
const REQUESTS: u32 = 2_000;
/// Name of a profile's folder, before the process that made it and a number.
const PROFILE: &str = "browser-";
/// Browsers that are running, by process, with their profiles: they have process groups of their
/// own, which no signal from a terminal reaches.
static RUNNING: Mutex<BTreeMap<u32, PathBuf>> = Mutex::new(BTreeMap::new());
static DRAWN: AtomicU64 = AtomicU64::new(0);

/// Ends all browsers that this process has started, for whoever ends it before its time.
pub fn end_browsers() {
    let running = std::mem::take(&mut *RUNNING.lock().unwrap_or_else(PoisonError::into_inner));
    for (id, profile) in running {
        let _group = std::process::Command::new("kill")
            .args(["-9", "--", &format!("-{id}")])
            .stderr(Stdio::null())
            .status();
        let _left = std::fs::remove_dir_all(profile);
    }
}

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
        if self
            .proxy
            .as_deref()
            .is_some_and(|proxy| hidden(proxy) != proxy)
        {
            // It would stand in the list of processes, and the browser does not take it.
            return Err(FetchError::Setup(
                "pages cannot be drawn through a proxy that wants a password; name one without in \
                 [fetch] proxy"
                    .to_owned(),
            ));
        }
        remove_stale(&self.folder);
        let number = DRAWN.fetch_add(1, Ordering::Relaxed);
        let profile = self
            .folder
            .join(format!("{PROFILE}{}-{number}", std::process::id()));
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
        if let Some(id) = child.id() {
            let mut running = RUNNING.lock().unwrap_or_else(PoisonError::into_inner);
            running.insert(id, profile.clone());
        }
        let timeout = || match wait_for {
            Some(selector) => FetchError::NotShown {
                url: hidden(url),
                selector: selector.to_owned(),
                seconds: self.timeout.as_secs(),
            },
            None => FetchError::Timeout {
                url: hidden(url),
                seconds: self.timeout.as_secs(),
            },
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
            url: hidden(url),
            detail,
        };
        let (socket, _) = tokio_tungstenite::connect_async(&address)
            .await
            .map_err(|e| broken(format!("the browser cannot be reached: {e}")))?;
        let mut page = Page {
            socket,
            url: hidden(url),
            session: None,
            frame: String::new(),
            next: 0,
            answers: BTreeMap::new(),
            guard: self.guard.clone(),
            resolves: self.proxy.is_none(),
            headers: self.headers.clone(),
            open: BTreeSet::new(),
            asked: 0,
            last: Instant::now(),
            patience: (self.timeout / 3).max(QUIET),
            loaded: false,
            hops: Vec::new(),
            max_redirects: self.max_redirects,
            refused: None,
        };
        // Nothing that a page hands out is kept.
        page.call("Browser.setDownloadBehavior", json!({ "behavior": "deny" }))
            .await?;
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
        let tree = page.call("Page.getFrameTree", json!({})).await?;
        let frame = tree["frameTree"]["frame"]["id"].as_str();
        page.frame = frame.unwrap_or_default().to_owned();
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
            page.answered()?;
            return Err(broken(error.to_owned()));
        }
        page.settle(wait_for).await?;
        page.answered()?;
        let html = page.evaluate("document.documentElement.outerHTML").await?;
        let at = page.evaluate("document.URL").await?;
        if html.len() as u64 > self.max_megabytes << 20 {
            return Err(FetchError::TooLarge {
                url: hidden(url),
                megabytes: self.max_megabytes,
            });
        }
        let at = hidden(&at);
        Ok(Capture {
            bytes: format!("<!doctype html>{html}").into_bytes(),
            media_type: Some("text/html; charset=utf-8".to_owned()),
            hops: page.hops,
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
    let id = child.id();
    // It may have ended by itself.
    let _ended = child.kill().await;
    if let Some(id) = id {
        let mut running = RUNNING.lock().unwrap_or_else(PoisonError::into_inner);
        running.remove(&id);
    }
}

/// Removes the profiles of processes that were killed.
fn remove_stale(folder: &Path) {
    let alive = |id: &str| {
        let process = Path::new("/proc").join(id);
        // Where processes are not files, nobody is taken for dead.
        process.exists() || !Path::new("/proc/self").exists()
    };
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        if let Some((id, _)) = name.strip_prefix(PROFILE).and_then(|n| n.split_once('-'))
            && !alive(id)
        {
            let _left = std::fs::remove_dir_all(entry.path());
        }
    }
}

/// One page of the browser.
struct Page {
    socket: WebSocketStream<MaybeTlsStream<TcpStream>>,
    url: String,
    session: Option<String>,
    /// The page itself, among the frames in it.
    frame: String,
    next: u64,
    answers: BTreeMap<u64, Value>,
    guard: AddressGuard,
    /// Whether names are resolved here rather than by a proxy.
    resolves: bool,
    /// Further headers for the host of the page.
    headers: BTreeMap<String, String>,
    /// Requests that are under way.
    open: BTreeSet<String>,
    /// Requests that were made.
    asked: u32,
    /// When a request last began or ended.
    last: Instant,
    /// How long nothing may begin or end, while a request stays open, until the page is taken
    /// without it: some never end.
    patience: Duration,
    loaded: bool,
    /// How the page itself was answered, redirects and navigations in order.
    hops: Vec<Hop>,
    max_redirects: u32,
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
        if let Some(thrown) = answer["exceptionDetails"]["exception"]["description"].as_str() {
            let line = thrown.lines().next().unwrap_or_default();
            return Err(FetchError::Setup(line.to_owned()));
        }
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
            let quiet = if self.open.is_empty() {
                QUIET
            } else {
                self.patience
            };
            let still = self.loaded && self.last.elapsed() >= quiet;
            match &probe {
                Some(probe) if self.loaded => {
                    let shown = self.evaluate(probe).await.map_err(|error| match error {
                        FetchError::Setup(detail) => FetchError::Setup(format!(
                            "wait_for `{}` cannot be used: {detail}",
                            wait_for.unwrap_or_default()
                        )),
                        error => error,
                    })?;
                    if !shown.trim().is_empty() {
                        return Ok(());
                    }
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
                // A redirect is told as another request with the same id.
                let id = params["requestId"].as_str().unwrap_or_default();
                self.open.insert(id.to_owned());
                self.last = Instant::now();
                self.asked += 1;
                if self.asked > REQUESTS {
                    let detail = format!("the page makes more than {REQUESTS} requests");
                    return Err(self.broken(detail));
                }
                let redirect = &params["redirectResponse"];
                if redirect.is_object() && self.is_page(params) {
                    let to = params["request"]["url"].as_str();
                    self.hop(redirect, to)?;
                }
            }
            "Network.loadingFinished" | "Network.loadingFailed" => {
                let id = params["requestId"].as_str().unwrap_or_default();
                self.open.remove(id);
                self.last = Instant::now();
            }
            "Network.responseReceived" if self.is_page(params) => {
                // What a frame in the page answers says nothing of the page.
                self.hop(&params["response"], None)?;
            }
            "Page.loadEventFired" => self.loaded = true,
            "Page.javascriptDialogOpening" => {
                // Nobody is there to answer; a page may be left.
                let accept = params["type"] == "beforeunload";
                let answer = json!({ "accept": accept });
                self.send("Page.handleJavaScriptDialog", answer).await?;
            }
            _ => {}
        }
        Ok(())
    }

    /// Whether an event is of the page's own document, not of a frame in it or of a part.
    fn is_page(&self, params: &Value) -> bool {
        params["type"] == "Document" && params["frameId"] == self.frame.as_str()
    }

    /// Notes how the page itself was answered.
    fn hop(&mut self, response: &Value, location: Option<&str>) -> Result<(), FetchError> {
        let status = response["status"].as_u64().unwrap_or(200);
        self.hops.push(Hop {
            url: hidden(response["url"].as_str().unwrap_or_default()),
            status: u16::try_from(status).unwrap_or(200),
            location: location.map(hidden),
            address: None,
        });
        if self.hops.len() > self.max_redirects as usize + 1 {
            return Err(FetchError::TooManyRedirects {
                url: self.url.clone(),
                limit: self.max_redirects,
            });
        }
        Ok(())
    }

    /// Whether the page itself was answered well.
    fn answered(&self) -> Result<(), FetchError> {
        match self.hops.last() {
            Some(hop) if hop.status >= 400 => Err(FetchError::Status {
                url: hop.url.clone(),
                status: hop.status,
                retry_after: None,
            }),
            _ => Ok(()),
        }
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
                // A frame that is refused stays empty; the page is refused for its own address.
                if kind == "Document" && params["frameId"] == self.frame.as_str() {
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
            _ => return Err(Some(FetchError::Scheme(hidden(address)))),
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
