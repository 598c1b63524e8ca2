//! A mail server for tests: it takes or refuses as its script says, and remembers every message
//! whose content it saw.

use std::{
    collections::BTreeMap,
    io::{BufRead, BufReader, Write},
    net::{TcpListener, TcpStream},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

/// What a server does other than taking everything.
#[derive(Clone, Default)]
pub struct Script {
    /// Offers PIPELINING.
    pub pipelining: bool,
    /// Offers SMTPUTF8.
    pub utf8: bool,
    /// Answers to RCPT whose address contains the words.
    pub rcpt: Vec<(&'static str, &'static str)>,
    /// 450 for the first attempt at each address.
    pub greylist: bool,
    /// Answer to DATA's content, where it is not 250.
    pub content: Option<&'static str>,
    /// Closes the connection after the content, without an answer, for addresses with the words.
    pub drop_after_content: Option<&'static str>,
    /// Closes the connection after so many messages, with 421.
    pub per_connection: Option<u32>,
    /// Answers after this time.
    pub delay: Duration,
    /// Takes the connection and never speaks.
    pub hang: bool,
    /// Answer to MAIL.
    pub mail: Option<&'static str>,
}

/// One message that was seen.
#[derive(Clone)]
pub struct Seen {
    pub from: String,
    pub to: String,
    pub content: Vec<u8>,
    pub taken: bool,
}

impl Seen {
    pub fn message_id(&self) -> String {
        let text = String::from_utf8_lossy(&self.content);
        text.lines()
            .find_map(|line| line.strip_prefix("Message-ID: <"))
            .and_then(|rest| rest.split('>').next())
            .unwrap_or_default()
            .to_owned()
    }
}

pub struct Sink {
    pub port: u16,
    state: Arc<State>,
}

#[derive(Default)]
struct State {
    seen: Mutex<Vec<Seen>>,
    tried: Mutex<BTreeMap<String, u32>>,
    commands: Mutex<Vec<String>>,
    connections: AtomicU64,
    ended: AtomicU64,
    stop: AtomicBool,
}

impl Sink {
    pub fn start(script: Script) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let state = Arc::new(State::default());
        std::thread::spawn({
            let state = Arc::clone(&state);
            move || {
                for stream in listener.incoming() {
                    if state.stop.load(Ordering::Relaxed) {
                        return;
                    }
                    let (state, script) = (Arc::clone(&state), script.clone());
                    state.connections.fetch_add(1, Ordering::SeqCst);
                    std::thread::spawn(move || {
                        // A client that was killed breaks off; that is the point.
                        let _broken = talk(stream.unwrap(), &script, &state);
                        state.ended.fetch_add(1, Ordering::SeqCst);
                    });
                }
            }
        });
        Self { port, state }
    }

    pub fn url(&self) -> String {
        format!("smtp://127.0.0.1:{}", self.port)
    }

    /// All messages whose content came in full.
    pub fn seen(&self) -> Vec<Seen> {
        self.state.seen.lock().unwrap().clone()
    }

    /// How often each Message-ID was taken.
    pub fn taken(&self) -> BTreeMap<String, u32> {
        let mut counts = BTreeMap::new();
        for seen in self.state.seen.lock().unwrap().iter().filter(|s| s.taken) {
            *counts.entry(seen.message_id()).or_default() += 1;
        }
        counts
    }

    pub fn count(&self) -> usize {
        self.state.seen.lock().unwrap().len()
    }

    /// Waits until everything is read that processes which are no more had written: connections
    /// are accepted in their order, so a connection that is greeted comes after all of theirs.
    pub fn settle(&self) {
        let probe = TcpStream::connect(("127.0.0.1", self.port)).unwrap();
        BufReader::new(probe).read_line(&mut String::new()).unwrap();
        until_ended(&self.state.connections, &self.state.ended);
    }

    pub fn commands(&self) -> Vec<String> {
        self.state.commands.lock().unwrap().clone()
    }
}

/// Waits until as many connections ended as were opened.
pub fn until_ended(opened: &AtomicU64, ended: &AtomicU64) {
    let until = Instant::now() + Duration::from_secs(60);
    while ended.load(Ordering::SeqCst) < opened.load(Ordering::SeqCst) {
        assert!(Instant::now() < until, "a connection stays open");
        std::thread::sleep(Duration::from_millis(1));
    }
}

impl Drop for Sink {
    fn drop(&mut self) {
        self.state.stop.store(true, Ordering::Relaxed);
        // Wakes the listener, so that it ends.
        let _woken = TcpStream::connect(("127.0.0.1", self.port));
    }
}

fn talk(stream: TcpStream, script: &Script, state: &State) -> std::io::Result<()> {
    stream.set_nodelay(true)?;
    let mut out = stream.try_clone()?;
    let mut input = BufReader::new(stream);
    if script.hang {
        let mut line = String::new();
        while input.read_line(&mut line)? > 0 {}
        return Ok(());
    }
    let mut say = |text: &str| {
        if !script.delay.is_zero() {
            std::thread::sleep(script.delay);
        }
        out.write_all(format!("{text}\r\n").as_bytes())
    };
    say("220 sink")?;
    let (mut from, mut to, mut messages) = (String::new(), String::new(), 0);
    let mut line = String::new();
    loop {
        line.clear();
        if input.read_line(&mut line)? == 0 {
            return Ok(());
        }
        let command = line.trim_end().to_owned();
        state.commands.lock().unwrap().push(command.clone());
        let verb = command.to_ascii_uppercase();
        if verb.starts_with("EHLO") {
            let mut offers = vec!["250-sink"];
            if script.pipelining {
                offers.push("250-PIPELINING");
            }
            if script.utf8 {
                offers.push("250-SMTPUTF8");
            }
            offers.push("250 SIZE 10000000");
            say(&offers.join("\r\n"))?;
        } else if verb.starts_with("MAIL FROM:") {
            let answer = script.mail.unwrap_or("250 ok");
            from = if answer.starts_with('2') {
                inside(&command)
            } else {
                String::new()
            };
            to.clear();
            say(answer)?;
        } else if verb.starts_with("RCPT TO:") {
            let address = inside(&command);
            let refused = script
                .rcpt
                .iter()
                .find(|(words, _)| address.contains(words))
                .map(|(_, answer)| *answer);
            let first = {
                let mut tried = state.tried.lock().unwrap();
                let times = tried.entry(address.clone()).or_default();
                *times += 1;
                *times == 1
            };
            let answer = match refused {
                _ if from.is_empty() => "503 no sender",
                Some(answer) => answer,
                None if script.greylist && first => "450 4.7.1 greylisted, come again",
                None => {
                    to = address;
                    "250 ok"
                }
            };
            say(answer)?;
        } else if verb == "DATA" {
            if to.is_empty() {
                say("554 no valid recipients")?;
                continue;
            }
            say("354 go on")?;
            let mut content = Vec::new();
            loop {
                let mut line = Vec::new();
                if input.read_until(b'\n', &mut line)? == 0 {
                    return Ok(());
                }
                if line == b".\r\n" {
                    break;
                }
                content.extend_from_slice(line.strip_prefix(b".").unwrap_or(&line));
            }
            let drops = script
                .drop_after_content
                .is_some_and(|words| to.contains(words));
            let taken = script.content.is_none_or(|answer| answer.starts_with('2'));
            state.seen.lock().unwrap().push(Seen {
                from: from.clone(),
                to: std::mem::take(&mut to),
                content,
                taken,
            });
            messages += 1;
            if drops {
                return Ok(());
            }
            say(script.content.unwrap_or("250 2.0.0 ok queued"))?;
            if script.per_connection.is_some_and(|most| messages >= most) {
                say("421 enough for now")?;
                return Ok(());
            }
        } else if verb == "RSET" || verb == "NOOP" {
            from.clear();
            to.clear();
            say("250 ok")?;
        } else if verb == "QUIT" {
            say("221 bye")?;
            return Ok(());
        } else {
            say("500 what?")?;
        }
    }
}

fn inside(command: &str) -> String {
    command
        .split_once('<')
        .and_then(|(_, rest)| rest.split_once('>'))
        .map(|(address, _)| address.to_owned())
        .unwrap_or_default()
}
