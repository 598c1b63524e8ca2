//! Sending, beside what else sends: `cargo bench --bench send`.
//!
//! Starts what is installed (Postfix's smtp-sink and smtp-source, node with nodemailer in
//! NODE_PATH, python3), and says what is not. All figures of a table are of one run on one
//! machine; the ratio is what counts.
//!
//! `SEND_MESSAGES` (20000) and `SEND_LARGE` (1000000 recipients, for memory) make it longer.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "a bench that fails may say so, and reads the clock and the environment"
)]

mod proxy;

use std::{
    collections::BTreeMap,
    io::Write as _,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use fairnotice::{
    evidence::{Event, Hash, LEDGER_FORMAT},
    notice::{Approval, Notice, Text},
    store::Ledger,
};

const CONNECTIONS: &str = "16";

fn main() {
    let messages = number("SEND_MESSAGES", 20_000);
    println!("{messages} messages of 20 KB, {CONNECTIONS} connections, one run\n");
    println!("| sender | messages a second | of smtp-source | CPU µs a message | peak MB |");
    println!("| --- | --- | --- | --- | --- |");
    let folder = tempfile::tempdir().unwrap();
    let Some(sink) = Sink::start() else {
        println!("smtp-sink is not installed (Debian: postfix): nothing to send to");
        return ledger_rate();
    };
    let source = smtp_source(sink.port, messages);
    row("smtp-source, one fixed message", &source, None);
    let ours = fairnotice(folder.path(), sink.port, messages, &[]);
    row(
        "fairnotice, rendered for each, ledger on",
        &ours,
        source.as_ref(),
    );
    let few = (messages / 20).max(200);
    row(
        "nodemailer, pool",
        &nodemailer(folder.path(), sink.port, few),
        source.as_ref(),
    );
    row(
        "Python smtplib, threads",
        &smtplib(folder.path(), sink.port, few),
        source.as_ref(),
    );
    println!("\nThe same with a round trip of 10 ms:\n");
    println!("| sender | messages a second | of smtp-source | CPU µs a message | peak MB |");
    println!("| --- | --- | --- | --- | --- |");
    let far = proxy::start(sink.port, Duration::from_millis(5));
    let source = smtp_source(far, few);
    row("smtp-source", &source, None);
    let ours = fairnotice(folder.path(), far, messages / 4, &[]);
    row("fairnotice", &ours, source.as_ref());
    ledger_rate();
    let large = number("SEND_LARGE", 0);
    if large > 0 {
        println!("\nPeak memory with {large} recipients, {messages} of them sent:");
        memory(folder.path(), sink.port, large);
    }
}

fn number(name: &str, otherwise: u64) -> u64 {
    std::env::var(name)
        .ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or(otherwise)
}

/// What a run took.
struct Run {
    messages: u64,
    wall: f64,
    cpu: f64,
    peak: f64,
}

fn row(name: &str, run: &Option<Run>, beside: Option<&Run>) {
    let Some(run) = run else {
        return println!("| {name} | not installed | | | |");
    };
    let rate = run.messages as f64 / run.wall;
    let ratio = beside.map(|b| rate / (b.messages as f64 / b.wall));
    println!(
        "| {name} | {rate:.0} | {} | {:.0} | {:.0} |",
        ratio.map(|r| format!("{r:.2}")).unwrap_or_default(),
        run.cpu / run.messages as f64 * 1e6,
        run.peak
    );
}

struct Sink {
    port: u16,
    child: Child,
}

impl Sink {
    fn start() -> Option<Self> {
        let program = which("smtp-sink")?;
        let port = free_port();
        let child = Command::new(program)
            .args(["-u", "nobody", &format!("127.0.0.1:{port}"), "1024"])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .ok()?;
        for _ in 0..200 {
            if std::net::TcpStream::connect(("127.0.0.1", port)).is_ok() {
                break;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        Some(Self { port, child })
    }
}

impl Drop for Sink {
    fn drop(&mut self) {
        // Gone already is as good.
        let _gone = self.child.kill();
        let _gone = self.child.wait();
    }
}

fn free_port() -> u16 {
    let listener = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap();
    listener.local_addr().unwrap().port()
}

fn which(name: &str) -> Option<PathBuf> {
    ["/usr/sbin", "/usr/bin", "/usr/local/bin", "/sbin"]
        .iter()
        .map(|folder| Path::new(folder).join(name))
        .find(|path| path.exists())
}

/// Runs a command and measures it: wall time, processor time of all its threads, peak memory.
fn measure(mut command: Command, messages: u64) -> Option<Run> {
    let start = Instant::now();
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .ok()?;
    let (mut cpu, mut peak) = (0.0f64, 0.0f64);
    let status = loop {
        if let Some(status) = child.try_wait().unwrap() {
            break status;
        }
        cpu = cpu.max(processor(child.id()));
        peak = peak.max(resident(child.id()));
        std::thread::sleep(Duration::from_millis(10));
    };
    let wall = start.elapsed().as_secs_f64();
    if !status.success() {
        let mut words = String::new();
        std::io::Read::read_to_string(&mut child.stderr.take()?, &mut words).ok()?;
        println!(
            "({command:?} failed: {})",
            words.lines().last().unwrap_or_default()
        );
        return None;
    }
    Some(Run {
        messages,
        wall,
        cpu,
        peak,
    })
}

/// Processor seconds of a process, read while it lives.
fn processor(id: u32) -> f64 {
    let text = std::fs::read_to_string(format!("/proc/{id}/stat")).unwrap_or_default();
    let fields: Vec<&str> = text
        .rsplit(')')
        .next()
        .unwrap_or_default()
        .split_whitespace()
        .collect();
    let ticks = |at: usize| {
        fields
            .get(at)
            .and_then(|f| f.parse::<f64>().ok())
            .unwrap_or(0.0)
    };
    (ticks(11) + ticks(12)) / 100.0
}

fn resident(id: u32) -> f64 {
    let text = std::fs::read_to_string(format!("/proc/{id}/status")).unwrap_or_default();
    text.lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))
        .and_then(|rest| rest.split_whitespace().next()?.parse::<f64>().ok())
        .unwrap_or(0.0)
        / 1024.0
}

fn smtp_source(port: u16, messages: u64) -> Option<Run> {
    let mut command = Command::new(which("smtp-source")?);
    command.args([
        "-d",
        "-s",
        CONNECTIONS,
        "-l",
        "19800",
        "-m",
        &messages.to_string(),
        "-f",
        "notices@mail.example",
        "-t",
        "ann@example.org",
        &format!("127.0.0.1:{port}"),
    ]);
    measure(command, messages)
}

fn fairnotice(folder: &Path, port: u16, messages: u64, more: &[&str]) -> Option<Run> {
    let id = campaign(folder, messages);
    let mut command = program(folder);
    command.args([
        "campaign",
        "send",
        &id,
        "--yes",
        "--connections",
        CONNECTIONS,
    ]);
    command.args(["--smtp", &format!("smtp://127.0.0.1:{port}")]);
    command.args(more);
    measure(command, messages)
}

fn program(folder: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_fairnotice"));
    command.current_dir(folder).arg("-q");
    command
}

/// An approved campaign to so many people.
fn campaign(folder: &Path, people: u64) -> String {
    let list = folder.join("list.csv");
    let mut out = std::io::BufWriter::new(std::fs::File::create(&list).unwrap());
    writeln!(out, "email,name,user_id,plan").unwrap();
    for n in 0..people {
        writeln!(
            out,
            "p{n}@example{}.org,Person Number {n},u{n},gold",
            n % 97
        )
        .unwrap();
    }
    out.flush().unwrap();
    std::fs::write(
        folder.join("notice.json"),
        serde_json::to_vec(&notice()).unwrap(),
    )
    .unwrap();
    let start = Instant::now();
    let output = program(folder)
        .args([
            "campaign",
            "create",
            "notice.json",
            "--recipients",
            "list.csv",
        ])
        .args([
            "--from",
            "Example Rooms <notices@mail.example>",
            "--format",
            "json",
        ])
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    if people >= 1_000_000 {
        println!(
            "freezing {people} recipients took {:.1} s",
            start.elapsed().as_secs_f64()
        );
    }
    let made: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let id = made["id"].as_str().unwrap().to_owned();
    let approved = program(folder)
        .args(["campaign", "approve", &id, "--by", "ann"])
        .stdout(Stdio::null())
        .status()
        .unwrap();
    assert!(approved.success());
    id
}

fn notice() -> Notice {
    let sentence = "We change how account data is shared with partners, so that you can see who receives it and why, from 1 March 2027 on. ";
    let plain: String = std::iter::repeat_n(format!("{sentence}\n"), 55).collect();
    let html: String = std::iter::repeat_n(format!("<p>{sentence}</p>\n"), 88).collect();
    let text = Text {
        subject: Some("Our terms change on 1 March 2027".to_owned()),
        text: format!(
            "Dear {{{{ recipient.name }}}},\n\n{plain}\nYour account {{{{ recipient.user_id }}}} ({{{{ recipient.plan }}}}), {{{{ recipient.email }}}}\n"
        ),
        html: Some(format!(
            "<!doctype html><html lang=\"en\"><body><p>Dear {{{{ recipient.name }}}},</p>{html}<p>Your account {{{{ recipient.user_id }}}} ({{{{ recipient.plan }}}}), {{{{ recipient.email }}}}</p></body></html>"
        )),
    };
    let record = serde_json::json!({
        "format": 1, "id": "terms-email", "document": "terms", "document_title": "Terms",
        "company": "Example Rooms", "versions": {"old": "", "new": ""}, "channel": "email",
        "state": "approved", "texts": BTreeMap::from([("en", text)]), "fallback": "en",
        "effective": null, "send_by": null, "created": "2027-01-01T00:00:00Z",
    });
    let mut notice: Notice = serde_json::from_value(record).unwrap();
    notice.approvals = vec![Approval {
        by: "ann".to_owned(),
        at: notice.created,
        hash: notice.hash(),
    }];
    notice
}

const NODE: &str = r#"
const nodemailer = require('nodemailer');
const [port, count] = [Number(process.argv[2]), Number(process.argv[3])];
const pool = nodemailer.createTransport({ host: '127.0.0.1', port, secure: false, ignoreTLS: true,
  pool: true, maxConnections: 16, maxMessages: Infinity });
const s = 'We change how account data is shared with partners, so that you can see who receives it and why, from 1 March 2027 on. ';
const text = n => `Dear Person Number ${n},\n\n${(s + '\n').repeat(55)}\nYour account u${n}\n`;
const html = n => `<!doctype html><html lang="en"><body><p>Dear Person Number ${n},</p>${('<p>' + s + '</p>\n').repeat(88)}<p>Your account u${n}</p></body></html>`;
(async () => {
  let n = 0;
  const work = async () => { while (n < count) { const i = n++;
    await pool.sendMail({ from: 'notices@mail.example', to: `p${i}@example.org`, subject: 'Our terms change on 1 March 2027', text: text(i), html: html(i) }); } };
  await Promise.all(Array.from({ length: 32 }, work));
  pool.close();
})().catch(e => { console.error(e); process.exit(1); });
"#;

fn nodemailer(folder: &Path, port: u16, messages: u64) -> Option<Run> {
    let script = folder.join("send.js");
    std::fs::write(&script, NODE).unwrap();
    let mut command = Command::new(which("node")?);
    command
        .arg(script)
        .args([port.to_string(), messages.to_string()]);
    measure(command, messages)
}

const PYTHON: &str = r#"
import smtplib, sys, threading
from email.message import EmailMessage
port, count = int(sys.argv[1]), int(sys.argv[2])
s = 'We change how account data is shared with partners, so that you can see who receives it and why, from 1 March 2027 on. '
def message(n):
    m = EmailMessage()
    m['From'], m['To'], m['Subject'] = 'notices@mail.example', f'p{n}@example.org', 'Our terms change on 1 March 2027'
    m.set_content(f'Dear Person Number {n},\n\n' + (s + '\n') * 55 + f'\nYour account u{n}\n')
    m.add_alternative(f'<!doctype html><html lang="en"><body><p>Dear Person Number {n},</p>' + f'<p>{s}</p>\n' * 88 + f'<p>Your account u{n}</p></body></html>', subtype='html')
    return m
def work(k):
    with smtplib.SMTP('127.0.0.1', port) as server:
        for n in range(k, count, 16):
            server.send_message(message(n))
threads = [threading.Thread(target=work, args=(k,)) for k in range(16)]
[t.start() for t in threads]; [t.join() for t in threads]
"#;

fn smtplib(folder: &Path, port: u16, messages: u64) -> Option<Run> {
    let script = folder.join("send.py");
    std::fs::write(&script, PYTHON).unwrap();
    let mut command = Command::new(which("python3")?);
    command
        .arg(script)
        .args([port.to_string(), messages.to_string()]);
    measure(command, messages)
}

/// Durable transitions of the ledger alone: each `sending` is waited for, so many entries ahead
/// of its turn, as sessions do.
fn ledger_rate() {
    println!("\n| sessions | entered ahead by each | durable transitions a second |");
    println!("| --- | --- | --- |");
    for (tasks, ahead) in [(1u32, 1usize), (16, 1), (16, 4), (16, 16), (64, 4)] {
        let folder = tempfile::tempdir_in(std::env::current_dir().unwrap()).unwrap();
        let each = (if tasks == 1 { 1500 } else { 96_000 / tasks }).max(1);
        let created = Event::Created {
            campaign: "c-1".to_owned(),
            format: LEDGER_FORMAT,
            definition: Hash::default(),
            recipients: each * tasks,
        };
        let now = jiff::Timestamp::now();
        let ledger = Ledger::create(&folder.path().join("ledger.jsonl"), now, created).unwrap();
        let ledger = std::sync::Arc::new(ledger);
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .unwrap();
        let start = Instant::now();
        runtime.block_on(async {
            let mut all = tokio::task::JoinSet::new();
            for task in 0..tasks {
                let ledger = std::sync::Arc::clone(&ledger);
                all.spawn(async move {
                    let mut entered = std::collections::VecDeque::new();
                    let mut next = task * each;
                    let end = next + each;
                    loop {
                        while next < end && entered.len() < ahead {
                            let sending = Event::Sending {
                                n: next,
                                attempt: 1,
                                date: now,
                                message: Hash::default(),
                            };
                            entered.push_back((next, ledger.record(now, sending)));
                            next += 1;
                        }
                        let Some((n, durable)) = entered.pop_front() else {
                            return;
                        };
                        durable.await.unwrap();
                        let reply = "250 2.0.0 Ok: queued as 4F2A".to_owned();
                        ledger.note(now, Event::Accepted { n, reply });
                    }
                });
            }
            while all.join_next().await.is_some() {}
        });
        ledger.flush().unwrap();
        let rate = f64::from(each * tasks * 2) / start.elapsed().as_secs_f64();
        println!("| {tasks} | {ahead} | {rate:.0} |");
    }
}

fn memory(folder: &Path, port: u16, people: u64) {
    let id = campaign(folder, people);
    let mut command = program(folder);
    command.args([
        "campaign",
        "send",
        &id,
        "--yes",
        "--connections",
        CONNECTIONS,
    ]);
    command.args(["--smtp", &format!("smtp://127.0.0.1:{port}")]);
    match measure(command, people) {
        Some(run) => println!(
            "{:.0} MB while sending, {:.0} messages a second",
            run.peak,
            run.messages as f64 / run.wall
        ),
        None => println!("it did not finish"),
    }
}
