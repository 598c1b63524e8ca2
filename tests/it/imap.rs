//! Returned mail in an IMAP mailbox, against a small server of the tests' own.

use std::{
    collections::BTreeSet,
    io::{BufRead as _, BufReader, Read, Write},
    net::TcpListener,
    sync::{Arc, Mutex},
};

use rustls::{
    ServerConfig, ServerConnection, StreamOwned,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject as _},
};

use super::{
    campaign::{Place, people},
    sink::{Script, Sink},
};

/// A mailbox: messages by unique number, those seen, and the commands that were said.
#[derive(Default)]
struct Mailbox {
    messages: Vec<(u32, String)>,
    seen: BTreeSet<u32>,
    commands: Vec<String>,
}

struct Server {
    port: u16,
    mailbox: Arc<Mutex<Mailbox>>,
}

fn serve(messages: Vec<(u32, String)>) -> Server {
    serve_with(messages, None, false)
}

/// With TLS, from the start or after STARTTLS.
fn serve_with(messages: Vec<(u32, String)>, tls: Option<Arc<ServerConfig>>, later: bool) -> Server {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    let mailbox = Arc::new(Mutex::new(Mailbox {
        messages,
        ..Mailbox::default()
    }));
    std::thread::spawn({
        let mailbox = Arc::clone(&mailbox);
        move || {
            for stream in listener.incoming() {
                let mut stream = stream.unwrap();
                if later {
                    let mut line = String::new();
                    stream.write_all(b"* OK hello\r\n").unwrap();
                    let tag = BufReader::new(&stream)
                        .read_line(&mut line)
                        .map(|_| line.split(' ').next().unwrap_or_default().to_owned());
                    mailbox
                        .lock()
                        .unwrap()
                        .commands
                        .push(line.trim().to_owned());
                    write!(stream, "{} OK go on\r\n", tag.unwrap()).unwrap();
                }
                // A client that breaks off ends only its session.
                let _broken = match &tls {
                    Some(tls) => {
                        let session = ServerConnection::new(Arc::clone(tls)).unwrap();
                        talk(StreamOwned::new(session, stream), &mailbox, later)
                    }
                    None => talk(stream, &mailbox, false),
                };
            }
        }
    });
    Server { port, mailbox }
}

/// A certificate for this machine, made for the test, and a server that has it.
fn certificate(place: &Place) -> Option<Arc<ServerConfig>> {
    let folder = place.folder.path();
    let made = std::process::Command::new("openssl")
        .args([
            "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2",
        ])
        .args(["-subj", "/CN=localhost"])
        .args(["-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"])
        .args(["-addext", "basicConstraints=critical,CA:FALSE"])
        .arg("-keyout")
        .arg(folder.join("key.pem"))
        .arg("-out")
        .arg(folder.join("cert.pem"))
        .output();
    if !made.is_ok_and(|made| made.status.success()) {
        println!("skipped: openssl is not installed");
        return None;
    }
    let certificate = CertificateDer::from_pem_file(folder.join("cert.pem")).unwrap();
    let key = PrivateKeyDer::from_pem_file(folder.join("key.pem")).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate], key)
        .unwrap();
    Some(Arc::new(config))
}

fn talk<S: Read + Write>(
    stream: S,
    mailbox: &Mutex<Mailbox>,
    greeted: bool,
) -> std::io::Result<()> {
    let mut input = BufReader::new(stream);
    if !greeted {
        write!(input.get_mut(), "* OK [CAPABILITY IMAP4rev1] ready\r\n")?;
    }
    loop {
        let mut line = String::new();
        if input.read_line(&mut line)? == 0 {
            return Ok(());
        }
        line.truncate(line.trim_end().len());
        while line.ends_with('}') {
            write!(input.get_mut(), "+ go on\r\n")?;
            let mut more = String::new();
            input.read_line(&mut more)?;
            line.push_str(more.trim_end());
        }
        let out = input.get_mut();
        let mut mailbox = mailbox.lock().unwrap();
        mailbox.commands.push(line.clone());
        let (tag, rest) = line.split_once(' ').unwrap_or((&line, ""));
        let rest = rest.to_owned();
        if let Some(login) = rest.strip_prefix("LOGIN ") {
            if login.contains("wrong") {
                write!(out, "{tag} NO [AUTHENTICATIONFAILED] who are you?\r\n")?;
                continue;
            }
        } else if rest.starts_with("SELECT") {
            write!(
                out,
                "* {} EXISTS\r\n* OK [UIDVALIDITY 1] fine\r\n",
                mailbox.messages.len()
            )?;
        } else if rest == "UID SEARCH UNSEEN" {
            write!(out, "* SEARCH")?;
            for (uid, _) in mailbox
                .messages
                .iter()
                .filter(|(uid, _)| !mailbox.seen.contains(uid))
            {
                write!(out, " {uid}")?;
            }
            write!(out, "\r\n")?;
        } else if let Some(fetch) = rest.strip_prefix("UID FETCH ") {
            let uid: u32 = fetch.split(' ').next().unwrap().parse().unwrap();
            let (at, (_, text)) = mailbox
                .messages
                .iter()
                .enumerate()
                .find(|(_, (u, _))| *u == uid)
                .unwrap();
            // An untagged answer about something else comes in between, as servers do.
            write!(
                out,
                "* 9 EXISTS\r\n* {} FETCH (UID {uid} BODY[]<0> {{{}}}\r\n{text})\r\n",
                at + 1,
                text.len()
            )?;
        } else if let Some(store) = rest.strip_prefix("UID STORE ") {
            let set = store.split(' ').next().unwrap();
            let uids: Vec<u32> = set.split(',').map(|uid| uid.parse().unwrap()).collect();
            mailbox.seen.extend(uids);
        }
        write!(out, "{tag} OK done\r\n")?;
    }
}

fn report(to: &str, address: &str) -> String {
    format!(
        "From: MAILER-DAEMON@mx.example\r\nTo: {to}\r\nSubject: Undelivered\r\nMIME-Version: 1.0\r\n\
         Content-Type: multipart/report; report-type=delivery-status; boundary=b\r\n\r\n--b\r\n\
         Content-Type: text/plain\r\n\r\nSorry. {{}} (\r\n--b\r\nContent-Type: message/delivery-status\r\n\r\n\
         Reporting-MTA: dns; mx.example\r\n\r\nFinal-Recipient: rfc822; {address}\r\nAction: failed\r\nStatus: 5.1.1\r\n\r\n--b--\r\n"
    )
}

#[test]
fn returned_mail_is_fetched_and_only_what_was_understood_becomes_seen() {
    let sink = Sink::start(Script::default());
    let place = Place::new();
    let id = place.campaign(&people(3), &["--bounce-address", "bounce@mail.example"]);
    place.send(&id, &sink, &[], 0);
    let seen = sink.seen();
    let one = seen.iter().find(|seen| seen.to.starts_with("p1@")).unwrap();
    let away = "From: p2@example2.org\r\nSubject: Out of office\r\nAuto-Submitted: auto-replied\r\n\r\nAway.\r\n";
    let question = "From: p0@example0.org\r\nSubject: What does this mean?\r\n\r\nHello?\r\n";
    let server = serve(vec![
        (7, report(&one.from, "p1@example1.org")),
        (8, away.to_owned()),
        (21, question.to_owned()),
    ]);
    let url = format!("imap://bo%22unce@127.0.0.1:{}/Returned", server.port);
    place.write("password", "söcret \"1\"\n");
    let found = place.json(&["bounces", &url, "--password-file", "password"], 0);
    assert_eq!(
        ["messages", "hard", "auto_replies", "suppressed"]
            .map(|name| found[name].as_u64().unwrap()),
        [3, 1, 1, 1],
        "{found}"
    );
    assert!(
        found["others"][0].as_str().unwrap().ends_with("message 21"),
        "{found}"
    );
    {
        let mailbox = server.mailbox.lock().unwrap();
        assert_eq!(mailbox.seen, BTreeSet::from([7, 8]));
        assert!(
            mailbox.commands[0].contains("LOGIN \"bo\\\"unce\" {11}söcret \"1\""),
            "{:?}",
            mailbox.commands
        );
        assert!(
            mailbox
                .commands
                .iter()
                .any(|c| c.ends_with("SELECT \"Returned\""))
        );
        assert!(
            !mailbox
                .commands
                .iter()
                .any(|c| c.contains("DELETE") || c.contains("EXPUNGE"))
        );
    }
    // Again: only what nobody has seen is read.
    let again = place.json(&["bounces", &url, "--password-file", "password"], 0);
    assert_eq!(
        (again["messages"].as_u64(), again["hard"].as_u64()),
        (Some(1), Some(0))
    );
}

#[test]
fn a_mailbox_that_cannot_be_read_is_told() {
    let place = Place::new();
    let server = serve(Vec::new());
    let url = format!("imap://bounce@127.0.0.1:{}", server.port);
    place.write("password", "wrong\n");
    for (url, file, words) in [
        (url.clone(), Some("password"), "who are you?"),
        (url.clone(), None, "there is no password"),
        (format!("{url}?tls=starttls"), Some("password"), "imap://"),
        (
            "imaps://bounce@127.0.0.1:1/INBOX".to_owned(),
            Some("password"),
            "refused",
        ),
        (
            "imaps://127.0.0.1/INBOX".to_owned(),
            Some("password"),
            "no IMAP address",
        ),
    ] {
        let mut arguments = vec!["bounces", &url];
        arguments.extend(file.iter().flat_map(|file| ["--password-file", file]));
        let output = place.run(&arguments);
        assert!(!output.status.success());
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(
            said.contains(words) && !said.contains("bounce@"),
            "{words}: {said}"
        );
    }
}

#[test]
fn a_mailbox_behind_tls_is_read_when_its_certificate_is_known() {
    let sink = Sink::start(Script::default());
    let place = Place::new();
    let Some(tls) = certificate(&place) else {
        return;
    };
    let id = place.campaign(&people(1), &["--bounce-address", "bounce@mail.example"]);
    place.send(&id, &sink, &[], 0);
    let to = sink.seen()[0].from.clone();
    place.write("password", "secret\n");
    let read = |url: &str, code| place.json(&["bounces", url, "--password-file", "password"], code);
    for later in [false, true] {
        let messages = vec![(1, report(&to, "p0@example0.org"))];
        let server = serve_with(messages, Some(Arc::clone(&tls)), later);
        let url = match later {
            false => format!("imaps://bounce@127.0.0.1:{}/INBOX?", server.port),
            true => format!(
                "imap://bounce@127.0.0.1:{}/INBOX?tls=starttls&",
                server.port
            ),
        };
        // Nobody vouches for it: nothing is said to it, least of all the password.
        let refused = read(&url, 2).to_string();
        assert!(refused.contains("certificate"), "{refused}");
        let said = |server: &Server| server.mailbox.lock().unwrap().commands.clone();
        assert!(said(&server).iter().all(|line| line.ends_with("STARTTLS")));
        let ca = place.folder.path().join("cert.pem");
        let found = read(&format!("{url}ca={}", ca.display()), 0);
        assert_eq!(found["messages"].as_u64(), Some(1), "{found}");
        assert!(said(&server).iter().any(|line| line.contains("LOGIN")));
        assert_eq!(server.mailbox.lock().unwrap().seen, BTreeSet::from([1]));
    }
}
