//! A thousand messages, checked against the standards' list by another program's parser (Python's
//! `email`); skipped, and said, where there is no Python.

use std::process::Command;

use super::campaign::{Place, approve, notice};

const CHECK: &str = r#"
import sys, re, glob, email, email.policy, email.utils
from datetime import datetime
problems, seen, count = [], set(), 0
for path in sorted(glob.glob(sys.argv[1] + '/*.eml')):
    raw = open(path, 'rb').read()
    def bad(what): problems.append(f'{path}: {what}')
    m = email.message_from_bytes(raw, policy=email.policy.default)
    if m.defects: bad(f'defects {m.defects}')
    for name in ['From', 'To', 'Subject', 'Date', 'Message-ID', 'MIME-Version', 'Auto-Submitted']:
        if len(m.get_all(name, [])) != 1: bad(f'{name} is there {len(m.get_all(name, []))} times')
    for name in ['List-Unsubscribe', 'List-Id', 'Precedence', 'Bcc', 'Cc']:
        if m[name] is not None: bad(f'has {name}')
    if not re.fullmatch(r'c-[0-9a-f]+:notice:mail:[0-9a-f]{5,15}', m['Feedback-ID'] or ''): bad(f"Feedback-ID {m['Feedback-ID']}")
    if m['Auto-Submitted'] != 'auto-generated': bad('Auto-Submitted')
    if len(m['To'].addresses) != 1: bad('more than one in To')
    if m['Date'].datetime is None: bad('Date')
    mid = m['Message-ID']
    if not re.fullmatch(r'<[0-9a-f]{32}@mail\.example>', mid.strip()): bad(f'Message-ID {mid}')
    if mid in seen: bad('Message-ID twice')
    seen.add(mid)
    if m['To'].addresses[0].addr_spec in mid: bad('Message-ID tells the address')
    head, body = raw.split(b'\r\n\r\n', 1)
    try: raw.decode('ascii')
    except UnicodeDecodeError: bad('not ASCII on the wire')
    if re.search(rb'(?<!\r)\n|\r(?!\n)', raw): bad('a bare CR or LF')
    for line in raw.split(b'\r\n'):
        if len(line) > 78: bad(f'a line of {len(line)}')
        if line.startswith(b'.'): bad('a line begins with a dot')
    for word in re.findall(rb'=\?[^?]+\?[^?]\?[^?]*\?=', head):
        if len(word) > 75: bad('a long encoded word')
    if len(raw) > 100 * 1024: bad('too large')
    if m.get_content_type() != 'multipart/alternative': bad(m.get_content_type())
    parts = list(m.iter_parts())
    if [p.get_content_type() for p in parts] != ['text/plain', 'text/html']: bad('order of parts')
    for p in parts:
        if p.get_content_charset() != 'utf-8' or p['Content-Transfer-Encoding'] != 'quoted-printable': bad('encoding')
        if p.defects: bad(f'defects {p.defects}')
    text, html = [p.get_content().replace('\r\n', '\n') for p in parts]
    n = int(re.search(r'(\d+)\.eml$', path).group(1))
    if f'number {n}, 计划' not in text or f'number {n}, 计划' not in html: bad('the values are not there')
    if '\n.\n.dots\n' not in text: bad('dots')
    if len(m['Subject']) > 78: bad('subject')
    name = m['To'].addresses[0].display_name
    wanted = ['Ann Lee', 'Lee, Ann "Al"', 'Änne Müller-Lüdenscheidt', '王小明', 'שלום עליכם', "O'Neil <x>", 'J' * 200, 'Å' * 100][n % 8]
    # This parser puts a space between the encoded words of a name; RFC 2047 says that there is none.
    if name.replace(' ', '') != wanted.replace(' ', ''): bad(f'name {name!r} is not {wanted!r}')
    count += 1
print(count)
if problems:
    print('\n'.join(problems[:20])); sys.exit(1)
"#;

#[test]
fn a_thousand_messages_keep_the_standards() {
    if Command::new("python3").arg("--version").output().is_err() {
        println!("skipped: there is no python3 to read the messages");
        return;
    }
    let place = Place::new();
    let mut notice = notice();
    for text in notice.texts.values_mut() {
        text.text += "{{ recipient.number }}, {{ recipient.plan }}\nFrom here on, so be it. =\n";
        let html = text.html.take().unwrap();
        text.html = Some(html.replace(
            "</html>",
            "<p>{{ recipient.number }}, {{ recipient.plan }}</p></html>",
        ));
    }
    approve(&mut notice);
    place.write("notice.json", &serde_json::to_string(&notice).unwrap());
    let names = [
        "Ann Lee".to_owned(),
        "\"Lee, Ann \"\"Al\"\"\"".to_owned(),
        "Änne Müller-Lüdenscheidt".to_owned(),
        "王小明".to_owned(),
        "שלום עליכם".to_owned(),
        "O'Neil <x>".to_owned(),
        "J".repeat(200),
        "Å".repeat(100),
    ];
    let mut list = "email,name,locale,number,plan\n".to_owned();
    for n in 0..1000 {
        list += &format!(
            "p{n}@bücher{}.example,{},{},number {n},计划 <&> {}\n",
            n % 3,
            names[n % 8],
            ["en", "de-AT", ""][n % 3],
            "很长".repeat(n % 40)
        );
    }
    let id = place.campaign(&list, &[]);
    place.json(
        &["campaign", "send", &id, "--dry-run", "--output", "mails"],
        0,
    );
    let script = place.write("check.py", CHECK);
    let output = Command::new("python3")
        .arg(script)
        .arg(place.folder.path().join("mails"))
        .output()
        .unwrap();
    let words = String::from_utf8_lossy(&output.stdout);
    assert!(
        output.status.success(),
        "{words}{}",
        String::from_utf8_lossy(&output.stderr)
    );
    assert!(words.starts_with("1000"), "{words}");
}
