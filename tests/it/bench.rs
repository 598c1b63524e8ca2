//! A workspace in a temporary folder, the program run in it, and a small web server whose every
//! answer a test decides.

use std::{
    collections::BTreeMap,
    fs,
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::{TcpListener, TcpStream},
    path::{Path, PathBuf},
    process::{Command, Output},
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
};

use serde_json::Value;
use tempfile::TempDir;

use super::sink::until_ended;

/// The instant at which tests play unless they say otherwise.
pub const NOW: &str = "2027-01-15T09:00:00Z";

/// A workspace that is thrown away with the test.
pub struct Bench {
    folder: TempDir,
}

/// How a run of the program ended.
pub struct Ran {
    pub code: i32,
    pub out: String,
    pub err: String,
}

impl Ran {
    /// The one JSON document on standard output.
    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.out)
            .unwrap_or_else(|e| panic!("{e}\nstdout: {}\nstderr: {}", self.out, self.err))
    }

    /// Asserts the exit code and gives itself back.
    #[track_caller]
    pub fn exits(self, code: i32) -> Self {
        assert_eq!(
            self.code, code,
            "stdout: {}\nstderr: {}",
            self.out, self.err
        );
        self
    }
}

impl Bench {
    /// An empty workspace, made by `init`.
    pub fn new() -> Self {
        let bench = Self {
            folder: tempfile::tempdir().unwrap(),
        };
        bench.run(&["init"]).exits(0);
        bench
    }

    /// A workspace with a configuration.
    pub fn with(configuration: &str) -> Self {
        let bench = Self::new();
        bench.write("fairnotice.toml", configuration);
        bench
    }

    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    pub fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub fn write(&self, name: &str, content: impl AsRef<[u8]>) {
        let path = self.file(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }

    #[track_caller]
    pub fn read(&self, name: &str) -> String {
        fs::read_to_string(self.file(name)).unwrap_or_else(|e| panic!("{name}: {e}"))
    }

    /// The program, ready to be run in the workspace at [`NOW`], with nothing of this machine's
    /// environment that could change its answers.
    pub fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_fairnotice"));
        command
            .current_dir(self.path())
            .args(args)
            .env("FAIRNOTICE_NOW", NOW);
        for name in [
            "HTTP_PROXY",
            "HTTPS_PROXY",
            "ALL_PROXY",
            "http_proxy",
            "https_proxy",
            "all_proxy",
            "PAGER",
            "FAIRNOTICE_SMTP_PASSWORD",
        ] {
            command.env_remove(name);
        }
        command
    }

    pub fn run(&self, args: &[&str]) -> Ran {
        ran(self.command(args).output().unwrap())
    }

    /// Runs at another instant.
    pub fn run_at(&self, now: &str, args: &[&str]) -> Ran {
        ran(self
            .command(args)
            .env("FAIRNOTICE_NOW", now)
            .output()
            .unwrap())
    }

    /// Runs `check --format json` and gives its documents by id.
    #[track_caller]
    pub fn check(&self, now: &str) -> BTreeMap<String, Value> {
        let ran = self.run_at(now, &["check", "--format", "json"]);
        ran.json()["documents"]
            .as_array()
            .unwrap()
            .iter()
            .map(|document| {
                (
                    document["id"].as_str().unwrap().to_owned(),
                    document.clone(),
                )
            })
            .collect()
    }
}

/// What a finished process said.
pub fn ran(output: Output) -> Ran {
    Ran {
        code: output.status.code().unwrap_or(-1),
        out: String::from_utf8_lossy(&output.stdout).into_owned(),
        err: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}

/// One answer of the server.
#[derive(Clone, Default)]
pub struct Answer {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
    /// Nothing more is sent after the headers (nothing at all with status 0), and the connection
    /// stays open.
    pub hangs: bool,
}

impl Answer {
    pub fn page(body: impl Into<Vec<u8>>) -> Self {
        Self {
            status: 200,
            headers: vec![("Content-Type".into(), "text/html; charset=utf-8".into())],
            body: body.into(),
            hangs: false,
        }
    }

    pub fn status(status: u16) -> Self {
        Self {
            status,
            ..Self::default()
        }
    }

    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.retain(|(n, _)| !n.eq_ignore_ascii_case(name));
        self.headers.push((name.into(), value.into()));
        self
    }
}

/// One request that came.
#[derive(Clone, Debug)]
pub struct Asked {
    pub path: String,
    pub headers: BTreeMap<String, String>,
}

/// A web server on a port of its own. A path without an answer is a 404.
#[derive(Clone)]
pub struct Server {
    pub address: String,
    answers: Arc<Mutex<BTreeMap<String, Answer>>>,
    asked: Arc<Mutex<Vec<Asked>>>,
    /// Connections that were opened, and those of them that ended.
    connections: Arc<(AtomicU64, AtomicU64)>,
}

impl Server {
    pub fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let server = Self {
            address: format!("http://{}", listener.local_addr().unwrap()),
            answers: Arc::default(),
            asked: Arc::default(),
            connections: Arc::default(),
        };
        let copy = server.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let copy = copy.clone();
                copy.connections.0.fetch_add(1, Ordering::SeqCst);
                std::thread::spawn(move || {
                    copy.serve(stream);
                    copy.connections.1.fetch_add(1, Ordering::SeqCst);
                });
            }
        });
        server
    }

    pub fn url(&self, path: &str) -> String {
        format!("{}{path}", self.address)
    }

    pub fn answer(&self, path: &str, answer: Answer) {
        self.answers.lock().unwrap().insert(path.to_owned(), answer);
    }

    /// The requests for a path, in order.
    pub fn asked(&self, path: &str) -> Vec<Asked> {
        self.asked
            .lock()
            .unwrap()
            .iter()
            .filter(|a| a.path == path)
            .cloned()
            .collect()
    }

    /// Waits until everything is read that processes which are no more had asked: connections are
    /// accepted in their order, so one that is answered comes after all of theirs.
    pub fn settle(&self) {
        let address = self.address.trim_start_matches("http://");
        let mut probe = TcpStream::connect(address).unwrap();
        probe.write_all(b"GET /settle HTTP/1.1\r\n\r\n").unwrap();
        BufReader::new(probe).read_line(&mut String::new()).unwrap();
        until_ended(&self.connections.0, &self.connections.1);
    }

    fn serve(&self, stream: TcpStream) -> Option<()> {
        let mut reader = BufReader::new(stream.try_clone().ok()?);
        let mut stream = stream;
        loop {
            let mut line = String::new();
            reader.read_line(&mut line).ok().filter(|n| *n > 0)?;
            let path = line.split(' ').nth(1)?.to_owned();
            let mut headers = BTreeMap::new();
            loop {
                let mut line = String::new();
                reader.read_line(&mut line).ok()?;
                let Some((name, value)) = line.trim_end().split_once(": ") else {
                    break;
                };
                headers.insert(name.to_lowercase(), value.to_owned());
            }
            if let Some(length) = headers.get("content-length").and_then(|l| l.parse().ok()) {
                let mut body = vec![0; length];
                reader.read_exact(&mut body).ok()?;
            }
            self.asked.lock().unwrap().push(Asked {
                path: path.clone(),
                headers: headers.clone(),
            });
            let answer = self.answers.lock().unwrap().get(&path).cloned();
            let mut answer = answer.unwrap_or_else(|| Answer::status(404));
            let etag = answer
                .headers
                .iter()
                .find(|(n, _)| n == "ETag")
                .map(|(_, v)| v.clone());
            if etag.is_some() && headers.get("if-none-match").cloned() == etag {
                answer = Answer::status(304);
            }
            if answer.hangs && answer.status == 0 {
                // Not a word, until the other side gives up.
                let mut rest = Vec::new();
                reader.read_to_end(&mut rest).ok()?;
                return None;
            }
            let mut head = format!("HTTP/1.1 {} Answer\r\n", answer.status);
            for (name, value) in &answer.headers {
                head += &format!("{name}: {value}\r\n");
            }
            let length = answer
                .headers
                .iter()
                .any(|(n, _)| n.eq_ignore_ascii_case("content-length"));
            if !length {
                head += &format!("Content-Length: {}\r\n", answer.body.len());
            }
            head += "\r\n";
            stream.write_all(head.as_bytes()).ok()?;
            if answer.hangs {
                // Until the other side gives up.
                let mut rest = Vec::new();
                reader.read_to_end(&mut rest).ok()?;
                return None;
            }
            stream.write_all(&answer.body).ok()?;
        }
    }
}
