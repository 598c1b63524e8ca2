//! Real servers: Postfix's smtp-sink, and Postfix itself with STARTTLS and a certificate of its
//! own. Skipped, and said, where they are not installed.

use std::{
    net::TcpStream,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::Duration,
};

use super::campaign::{Place, people};

fn find(name: &str) -> Option<PathBuf> {
    ["/usr/sbin", "/usr/bin"]
        .iter()
        .map(|folder| Path::new(folder).join(name))
        .find(|path| path.exists())
}

struct Server(Child, u16);

impl Drop for Server {
    fn drop(&mut self) {
        // Gone already is as good.
        let _gone = self.0.kill();
        let _gone = self.0.wait();
    }
}

fn free_port() -> u16 {
    let listener = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap();
    listener.local_addr().unwrap().port()
}

fn wait_for(port: u16) -> bool {
    (0..300).any(|_| {
        std::thread::sleep(Duration::from_millis(20));
        TcpStream::connect(("127.0.0.1", port)).is_ok()
    })
}

fn sink(options: &[&str]) -> Option<Server> {
    let Some(program) = find("smtp-sink") else {
        println!("skipped: smtp-sink is not installed (Debian: postfix)");
        return None;
    };
    let port = free_port();
    let child = Command::new(program)
        .args(["-u", "nobody"])
        .args(options)
        .args([format!("127.0.0.1:{port}"), "100".to_owned()])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .ok()?;
    let server = Server(child, port);
    if !wait_for(port) {
        println!("skipped: smtp-sink does not start here");
        return None;
    }
    Some(server)
}

#[test]
fn smtp_sink_takes_everything_with_and_without_pipelining() {
    for options in [&[][..], &["-p"], &["-e"]] {
        let Some(server) = sink(options) else { return };
        let place = Place::new();
        let id = place.campaign(&people(300), &[]);
        let url = format!("smtp://127.0.0.1:{}", server.1);
        let sent = place.json(&["campaign", "send", &id, "--smtp", &url, "--yes"], 0);
        assert_eq!(sent["accepted"], 300, "{options:?}");
    }
}

#[test]
fn smtp_sink_refuses_and_breaks_off() {
    // Hard refusals after RCPT; disconnects after the content.
    for (options, accepted) in [(&["-f", "rcpt"][..], 0), (&["-q", "."], 0)] {
        let Some(server) = sink(options) else { return };
        let place = Place::new();
        let id = place.campaign(&people(12), &[]);
        let url = format!("smtp://127.0.0.1:{}", server.1);
        let sent = place.json(
            &[
                "campaign",
                "send",
                &id,
                "--smtp",
                &url,
                "--yes",
                "--patience",
                "0",
                "--connections",
                "2",
            ],
            1,
        );
        let sum: u64 = ["pending", "deferred", "accepted", "refused", "uncertain"]
            .iter()
            .map(|name| sent[*name].as_u64().unwrap())
            .sum();
        assert_eq!(
            (sum, sent["accepted"].as_u64()),
            (12, Some(accepted)),
            "{sent}"
        );
    }
}

/// Postfix with a configuration of its own, as the receiving server.
struct Postfix {
    folder: tempfile::TempDir,
    port: u16,
}

impl Drop for Postfix {
    fn drop(&mut self) {
        let _stopped = Command::new("/usr/sbin/postfix")
            .arg("-c")
            .arg(self.folder.path().join("etc"))
            .arg("stop")
            .stderr(Stdio::null())
            .status();
    }
}

fn postfix() -> Option<Postfix> {
    let skip = |why: &str| {
        println!("skipped: {why}");
        None
    };
    if find("postfix").is_none() || find("openssl").is_none() {
        return skip("postfix or openssl is not installed");
    }
    let folder = tempfile::Builder::new()
        .prefix("pfx")
        .tempdir_in("/var/tmp")
        .ok()?;
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        std::fs::set_permissions(folder.path(), std::fs::Permissions::from_mode(0o755)).ok()?;
    }
    let (etc, spool, data) = (
        folder.path().join("etc"),
        folder.path().join("spool"),
        folder.path().join("data"),
    );
    for path in [&etc, &spool, &data] {
        std::fs::create_dir_all(path).ok()?;
    }
    let made = Command::new("openssl")
        .args([
            "req",
            "-x509",
            "-newkey",
            "rsa:2048",
            "-nodes",
            "-days",
            "2",
            "-subj",
            "/CN=localhost",
        ])
        .args(["-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"])
        .args(["-addext", "basicConstraints=critical,CA:FALSE"])
        .arg("-keyout")
        .arg(etc.join("key.pem"))
        .arg("-out")
        .arg(etc.join("cert.pem"))
        .output()
        .ok()?;
    if !made.status.success() || !chown(&data) {
        return skip("no certificate, or no user postfix");
    }
    let port = free_port();
    std::fs::write(
        etc.join("main.cf"),
        format!(
            "compatibility_level = 3.6\nqueue_directory = {}\ndata_directory = {}\nmail_owner = postfix\n\
             maillog_file = {}/mail.log\nmaillog_file_prefixes = /var/tmp\nmyhostname = mx.example\nmydestination =\n\
             inet_interfaces = 127.0.0.1\ninet_protocols = ipv4\nmynetworks = 127.0.0.0/8\n\
             default_transport = discard:\nrelay_transport = discard:\nlocal_transport = discard:\n\
             smtpd_tls_security_level = may\nsmtpd_tls_cert_file = {e}/cert.pem\nsmtpd_tls_key_file = {e}/key.pem\n\
             smtpd_client_connection_count_limit = 0\nalternate_config_directories = {e}\n",
            spool.display(),
            data.display(),
            folder.path().display(),
            e = etc.display()
        ),
    )
    .ok()?;
    std::fs::write(
        etc.join("master.cf"),
        format!(
            "127.0.0.1:{port} inet n - n - - smtpd\npickup unix n - n 60 1 pickup\ncleanup unix n - n - 0 cleanup\n\
             qmgr unix n - n 300 1 qmgr\ntlsmgr unix - - n 1000? 1 tlsmgr\nrewrite unix - - n - - trivial-rewrite\n\
             bounce unix - - n - 0 bounce\ndefer unix - - n - 0 bounce\ntrace unix - - n - 0 bounce\n\
             proxymap unix - - n - - proxymap\nproxywrite unix - - n - 1 proxymap\ndiscard unix - - n - - discard\nerror unix - - n - - error\nanvil unix - - n - 1 anvil\n\
             scache unix - - n - 1 scache\npostlog unix-dgram n - n - 1 postlogd\n"
        ),
    )
    .ok()?;
    let server = Postfix { folder, port };
    let started = Command::new("/usr/sbin/postfix")
        .arg("-c")
        .arg(&etc)
        .arg("start")
        // The daemon would keep a pipe open for ever.
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .ok()?;
    if !started.success() || !wait_for(port) {
        return skip("postfix does not start here");
    }
    Some(server)
}

fn chown(path: &Path) -> bool {
    Command::new("chown")
        .arg("postfix")
        .arg(path)
        .status()
        .is_ok_and(|status| status.success())
}

#[test]
fn postfix_takes_mail_over_starttls_and_its_log_settles() {
    let Some(server) = postfix() else { return };
    let place = Place::new();
    let id = place.campaign(&people(60), &[]);
    let trusted = format!(
        "smtp://127.0.0.1:{}?tls=starttls&ca={}",
        server.port,
        server.folder.path().join("etc/cert.pem").display()
    );
    // A certificate that nobody vouches for proves nothing.
    let strange = format!("smtp://127.0.0.1:{}?tls=starttls", server.port);
    let output = place.run(&["campaign", "send", &id, "--smtp", &strange, "--yes"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stderr).contains("no protected connection"));
    place.json(&["campaign", "resume", &id, "--by", "bea"], 0);
    let sent = place.json(&["campaign", "send", &id, "--smtp", &trusted, "--yes"], 0);
    assert_eq!(sent["accepted"], 60);
    let log = server.folder.path().join("mail.log");
    let text = (0..200)
        .find_map(|_| {
            std::thread::sleep(Duration::from_millis(50));
            let text = std::fs::read_to_string(&log).unwrap_or_default();
            (text.matches("message-id=<").count() >= 60).then_some(text)
        })
        .expect("the log names the messages");
    assert!(text.contains("status=sent"));
    // Cut the ledger inside the run: what Postfix took is found in its log, and not sent again.
    let path = place.state(&id).join("ledger.jsonl");
    let whole = std::fs::read_to_string(&path).unwrap();
    let lines: Vec<&str> = whole.lines().collect();
    let cut: String = lines[..lines.len() - 9]
        .iter()
        .map(|line| format!("{line}\n"))
        .collect();
    std::fs::write(&path, cut).unwrap();
    let log = log.display().to_string();
    let settled = place.json(&["campaign", "reconcile", &id, "--log", &log], 0);
    assert_eq!(settled["not_found"], 0, "{settled}");
    assert!(settled["found"].as_u64().unwrap() > 0, "{settled}");
}
