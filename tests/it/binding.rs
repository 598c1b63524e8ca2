//! Heads of ledgers given out of the house: by mail, to a webhook, to a time stamping service,
//! for which `openssl ts` stands in; skipped, and said, where there is no openssl.

use std::{
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::TcpListener,
    path::{Path, PathBuf},
    process::Command,
    sync::{Arc, Mutex},
};

use super::{
    campaign::{Place, people},
    sink::{Script, Sink},
};

/// A web server that answers every POST with what `answer` makes of its body.
fn web(answer: impl Fn(&[u8]) -> Vec<u8> + Send + 'static) -> (u16, Arc<Mutex<Vec<Vec<u8>>>>) {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    let bodies = Arc::new(Mutex::new(Vec::new()));
    std::thread::spawn({
        let bodies = Arc::clone(&bodies);
        move || {
            for stream in listener.incoming() {
                let mut stream = BufReader::new(stream.unwrap());
                let mut length = 0;
                let mut line = String::new();
                while stream.read_line(&mut line).unwrap() > 2 {
                    if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
                        length = value.trim().parse().unwrap();
                    }
                    line.clear();
                }
                let mut body = vec![0; length];
                stream.read_exact(&mut body).unwrap();
                let reply = answer(&body);
                bodies.lock().unwrap().push(body);
                let head = format!(
                    "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: {}\r\n\r\n",
                    reply.len()
                );
                let stream = stream.get_mut();
                // The client may have had enough.
                let _gone = stream
                    .write_all(head.as_bytes())
                    .and_then(|()| stream.write_all(&reply));
            }
        }
    });
    (port, bodies)
}

const CONFIGURATION: &str = "\
[tsa]\ndefault_tsa = t\n[t]\nserial = ./serial\ncrypto_device = builtin\nsigner_cert = ./tsa.pem\ncerts = ./tsa.pem\n\
signer_key = ./tsa.key\nsigner_digest = sha256\ndefault_policy = 1.2.3.4.1\ndigests = sha256\naccuracy = secs:1\n\
ess_cert_id_chain = no\ness_cert_id_alg = sha256\n";

/// Makes a time stamping service's key and certificate; gives their folder.
fn stamping_service() -> Option<tempfile::TempDir> {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("tsa.cnf"), CONFIGURATION).unwrap();
    std::fs::write(folder.path().join("serial"), "01\n").unwrap();
    let made = Command::new("openssl")
        .current_dir(folder.path())
        .args([
            "req",
            "-x509",
            "-newkey",
            "rsa:2048",
            "-nodes",
            "-days",
            "2",
            "-subj",
            "/CN=Clock",
        ])
        .args(["-addext", "extendedKeyUsage=critical,timeStamping"])
        .args(["-keyout", "tsa.key", "-out", "tsa.pem"])
        .output();
    if made.is_ok_and(|made| made.status.success()) {
        return Some(folder);
    }
    println!("skipped: there is no openssl to stamp with");
    None
}

fn stamp(folder: &Path, request: &[u8]) -> Vec<u8> {
    std::fs::write(folder.join("request.tsq"), request).unwrap();
    let output = Command::new("openssl")
        .current_dir(folder)
        .args([
            "ts",
            "-reply",
            "-queryfile",
            "request.tsq",
            "-out",
            "reply.tsr",
            "-config",
            "tsa.cnf",
        ])
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    std::fs::read(folder.join("reply.tsr")).unwrap()
}

fn configure(place: &Place, to: &str, service: &str) {
    place.write(
        "fairnotice.toml",
        &format!("[mail]\nfrom = \"notices@mail.example\"\n[evidence]\nheads_to = [{to}]\ntime_stamp = \"{service}\"\n"),
    );
}

#[test]
fn a_head_goes_out_and_its_stamp_proves_when() {
    let Some(service) = stamping_service() else {
        return;
    };
    let folder: PathBuf = service.path().to_owned();
    let (clock, requests) = web(move |request| stamp(&folder, request));
    let (hook, bodies) = web(|_| Vec::new());
    let place = Place::new();
    let sink = Sink::start(Script::default());
    let id = place.campaign(&people(5), &[]);
    place.send(&id, &sink, &[], 0);
    configure(
        &place,
        &format!("\"auditor@example.org\", \"http://127.0.0.1:{hook}/heads\""),
        &format!("http://127.0.0.1:{clock}/"),
    );
    let bound = place.json(&["evidence", "bind", "--smtp", &sink.url()], 0);
    let head = bound["heads"][0]["head"].as_str().unwrap().to_owned();
    assert_eq!(bound["went"].as_array().unwrap().len(), 3, "{bound}");
    let mail = sink
        .seen()
        .into_iter()
        .find(|seen| seen.to == "auditor@example.org")
        .unwrap();
    assert!(
        String::from_utf8_lossy(&mail.content)
            .replace("=\r\n", "")
            .contains(&head)
    );
    let posted: serde_json::Value = serde_json::from_slice(&bodies.lock().unwrap()[0]).unwrap();
    assert_eq!(posted["heads"][0]["head"], head.as_str());
    assert_eq!(requests.lock().unwrap().len(), 1);
    // Nothing changed: nothing goes out.
    let again = place.json(&["evidence", "bind", "--smtp", &sink.url()], 0);
    assert_eq!(again["heads"].as_array().unwrap().len(), 0, "{again}");
    // The bundle holds the stamp, and openssl verifies it against the head alone.
    place.json(&["evidence", "export", &id, "--output", "proof.zip"], 0);
    let verified = place.json(&["evidence", "verify", "proof.zip"], 0);
    let proven = verified["proven"].to_string();
    assert!(proven.contains("carries a time stamp of"), "{proven}");
    assert_eq!(verified["manifest"]["bound"].as_array().unwrap().len(), 3);
    let token = place.state(&id).join(format!("timestamps/{head}.tsr"));
    let openssl = Command::new("openssl")
        .args(["ts", "-verify", "-digest", &head, "-in"])
        .arg(&token)
        .arg("-CAfile")
        .arg(service.path().join("tsa.pem"))
        .output()
        .unwrap();
    assert!(
        openssl.status.success(),
        "{}",
        String::from_utf8_lossy(&openssl.stderr)
    );
    // A ledger cut and told anew does not hold the stamped head any more.
    let path = place.state(&id).join("ledger.jsonl");
    let text = std::fs::read_to_string(&path).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    let cut: String = lines[..lines.len() - 5]
        .iter()
        .map(|line| format!("{line}\n"))
        .collect();
    std::fs::write(&path, cut).unwrap();
    place.json(&["evidence", "export", &id, "--output", "cut.zip"], 0);
    let found = place.json(&["evidence", "verify", "cut.zip"], 1);
    assert!(
        found["problems"].to_string().contains("was stamped at"),
        "{found}"
    );
}

#[test]
fn a_service_that_fails_is_said_and_asked_again() {
    let place = Place::new();
    let sink = Sink::start(Script::default());
    let id = place.campaign(&people(2), &[]);
    place.send(&id, &sink, &[], 0);
    let (clock, requests) = web(|_| b"no stamp".to_vec());
    configure(&place, "", &format!("http://127.0.0.1:{clock}/"));
    for round in 1..=2 {
        let bound = place.json(&["evidence", "bind"], 3);
        assert!(
            bound["failed"][0]
                .as_str()
                .unwrap()
                .contains("no time stamp"),
            "{bound}"
        );
        assert_eq!(requests.lock().unwrap().len(), round);
    }
    place.write("fairnotice.toml", "");
    assert_eq!(place.json(&["evidence", "bind"], 2)["code"], "no-one");
}
