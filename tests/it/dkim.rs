//! DKIM signatures, verified by another program (dkimpy) and by openssl; skipped, and said, where
//! they are not installed.

use std::process::Command;

use super::{
    campaign::{Place, people},
    sink::{Script, Sink},
};

/// Verifies each message of a folder with the key given as Base64 DER; then once more with a
/// word of the text changed, which must fail.
const VERIFY: &str = r#"
import sys, glob, dkim
key = open(sys.argv[2]).read().split('-----')[2].replace('\n', '').encode()
dns = lambda name, timeout=5: b'v=DKIM1; k=rsa; p=' + key if name == b's1._domainkey.mail.example.' else None
count = 0
for path in sorted(glob.glob(sys.argv[1] + '/*.eml')):
    raw = open(path, 'rb').read()
    assert raw.startswith(b'DKIM-Signature: '), path
    assert dkim.verify(raw, dnsfunc=dns), path
    assert not dkim.verify(raw.replace(b'Section 4', b'Section 5'), dnsfunc=dns), path
    assert not dkim.verify(raw.replace(b'Subject: Our', b'Subject: Your'), dnsfunc=dns), path
    second = raw.replace(b'\r\nFrom: ', b'\r\nFrom: Eve <eve@mail.example>\r\nFrom: ', 1)
    assert second != raw and not dkim.verify(second, dnsfunc=dns), path
    count += 1
print(count)
"#;

fn openssl(place: &Place, arguments: &[&str]) -> Option<()> {
    let output = Command::new("openssl")
        .args(arguments)
        .current_dir(place.folder.path())
        .output();
    match output {
        Ok(output) if output.status.success() => Some(()),
        _ => {
            println!("skipped: openssl cannot {arguments:?}");
            None
        }
    }
}

fn signing(place: &Place, key_file: &str) {
    place.write(
        "fairnotice.toml",
        &format!(
            "[mail]\nfrom = \"Example Rooms <notices@mail.example>\"\n\n\
             [mail.dkim]\ndomain = \"mail.example\"\nselector = \"s1\"\nkey_file = \"{key_file}\"\n"
        ),
    );
}

#[test]
fn every_mail_is_signed_and_another_program_agrees() {
    let place = Place::new();
    let made = openssl(
        &place,
        &[
            "genpkey",
            "-algorithm",
            "RSA",
            "-pkeyopt",
            "rsa_keygen_bits:2048",
            "-out",
            "key.pem",
        ],
    )
    .and_then(|()| {
        openssl(
            &place,
            &["pkey", "-in", "key.pem", "-pubout", "-out", "public.pem"],
        )
    });
    if made.is_none() {
        return;
    }
    signing(&place, "key.pem");
    place.json(&["config", "check"], 0);
    let sink = Sink::start(Script {
        pipelining: true,
        ..Script::default()
    });
    let list = "email,name\nann@example.org,Ann Lee\nwei@example.org,王小明\nbob@b\u{fc}cher.example,\"Lee, Bob\"\n";
    let id = place.campaign(list, &[]);
    place.send(&id, &sink, &[], 0);
    let mails = place.folder.path().join("mails");
    std::fs::create_dir(&mails).unwrap();
    for (n, seen) in sink.seen().iter().enumerate() {
        std::fs::write(mails.join(format!("{n}.eml")), &seen.content).unwrap();
    }
    // What is shown later is what was sent, signature and all, and proven by the ledger.
    let shown = place.json(&["campaign", "preview", &id, "ann@example.org"], 0);
    let shown = &shown["messages"][0];
    let sent = sink
        .seen()
        .into_iter()
        .find(|seen| seen.to.starts_with("ann@"))
        .unwrap();
    assert_eq!(shown["proven"], true, "{shown}");
    assert_eq!(
        shown["message"].as_str().unwrap().trim_end(),
        String::from_utf8(sent.content).unwrap().trim_end()
    );
    let dkimpy = Command::new("python3").args(["-c", "import dkim"]).output();
    if !dkimpy.is_ok_and(|output| output.status.success()) {
        println!("skipped: dkimpy is not installed (pip install dkimpy)");
        return;
    }
    let script = place.write("verify.py", VERIFY);
    let output = Command::new("python3")
        .arg(script)
        .arg(&mails)
        .arg(place.folder.path().join("public.pem"))
        .output()
        .unwrap();
    assert_eq!(
        String::from_utf8_lossy(&output.stdout).trim(),
        "3",
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
}

#[test]
fn with_two_keys_each_mail_has_two_signatures() {
    let place = Place::new();
    let rsa: &[&str] = &["-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048"];
    for (name, options) in [("rsa.pem", rsa), ("ed.pem", &["-algorithm", "ed25519"])] {
        let arguments = [&["genpkey"], options, &["-out", name]].concat();
        if openssl(&place, &arguments).is_none() {
            return;
        }
    }
    let key = |selector: &str, file: &str| {
        format!(
            "[[mail.dkim]]\ndomain = \"mail.example\"\nselector = \"{selector}\"\nkey_file = \"{file}\"\n\n"
        )
    };
    let from = "[mail]\nfrom = \"Example Rooms <notices@mail.example>\"\n\n";
    let both = from.to_owned() + &key("s1", "rsa.pem") + &key("s2", "ed.pem");
    place.write("fairnotice.toml", &both);
    place.json(&["config", "check"], 0);
    let sink = Sink::start(Script::default());
    let id = place.campaign(&people(1), &[]);
    place.send(&id, &sink, &[], 0);
    let sent = sink.seen().remove(0).content;
    let text = String::from_utf8(sent).unwrap();
    let signatures: Vec<&str> = text.matches("a=rsa-sha256").collect();
    assert_eq!(signatures.len(), 1, "{text}");
    let (first, second) = (text.find("a=rsa-sha256"), text.find("a=ed25519-sha256"));
    assert!(first.is_some() && first < second, "{text}");
    assert!(text.contains("s=s1;") && text.contains("s=s2;"));
    if openssl(
        &place,
        &["pkey", "-in", "rsa.pem", "-pubout", "-out", "public.pem"],
    )
    .is_some()
        && Command::new("python3")
            .args(["-c", "import dkim"])
            .output()
            .is_ok_and(|output| output.status.success())
    {
        let mails = place.folder.path().join("mails");
        std::fs::create_dir(&mails).unwrap();
        std::fs::write(mails.join("0.eml"), &text).unwrap();
        let script = place.write("verify.py", VERIFY);
        let output = Command::new("python3")
            .arg(script)
            .arg(&mails)
            .arg(place.folder.path().join("public.pem"))
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&output.stdout);
        assert_eq!(
            said.trim(),
            "1",
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
    }
    let twice = from.to_owned() + &key("s1", "rsa.pem") + &key("s1", "ed.pem");
    place.write("fairnotice.toml", &twice);
    let found = place.json(&["config", "check"], 2);
    assert!(found.to_string().contains("there twice"), "{found}");
    place.write("fairnotice.toml", "[mail]\ndkim = \"rsa.pem\"\n");
    let found = place.json(&["config", "check"], 2);
    assert!(found.to_string().contains("a table with domain"), "{found}");
}

#[test]
fn a_key_that_cannot_be_used_is_told_before_anything_is_sent() {
    let place = Place::new();
    let sink = Sink::start(Script::default());
    let id = place.campaign(&people(2), &[]);
    place.write("text.pem", "this is no key\n");
    let mut wrong = vec!["absent.pem", "text.pem"];
    if openssl(
        &place,
        &[
            "genpkey",
            "-algorithm",
            "RSA",
            "-pkeyopt",
            "rsa_keygen_bits:1024",
            "-out",
            "small.pem",
        ],
    )
    .is_some()
    {
        wrong.push("small.pem");
    }
    for file in wrong {
        signing(&place, file);
        let found = place.json(&["config", "check"], 2);
        let problem = &found["problems"][0];
        assert_eq!(problem["line"], 7, "{found}");
        assert!(
            problem["message"].as_str().unwrap().contains("DKIM key"),
            "{found}"
        );
        place.send(&id, &sink, &[], 1);
    }
    assert_eq!(sink.count(), 0);
    let text = "[mail]\nfrom = \"not an address\"\nsmtp = \"http://relay.example\"\n";
    place.write("fairnotice.toml", text);
    let found = place.json(&["config", "check"], 2);
    let lines: Vec<_> = found["problems"]
        .as_array()
        .unwrap()
        .iter()
        .map(|p| p["line"].as_u64())
        .collect();
    assert_eq!(lines, [Some(2), Some(3)], "{found}");
}
