//! Returned mail in an IMAP mailbox, against a small server of the tests' own.

use std::{
    collections::BTreeSet,
    io::{BufRead as _, BufReader, Write as _},
    net::{TcpListener, TcpStream},
    sync::{Arc, Mutex},
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
                // A client that breaks off ends only its session.
                let _broken = talk(stream.unwrap(), &mailbox);
            }
        }
    });
    Server { port, mailbox }
}

fn talk(stream: TcpStream, mailbox: &Mutex<Mailbox>) -> std::io::Result<()> {
    let mut out = stream.try_clone()?;
    let mut lines = BufReader::new(stream).lines();
    write!(out, "* OK [CAPABILITY IMAP4rev1] ready\r\n")?;
    while let Some(Ok(mut line)) = lines.next() {
        while line.ends_with('}') {
            write!(out, "+ go on\r\n")?;
            line.push_str(&lines.next().unwrap()?);
        }
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
    Ok(())
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
