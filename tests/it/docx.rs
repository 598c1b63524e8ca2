//! Tracked changes: accepting all gives the new text, rejecting all the old one, as two readers
//! see it that know nothing of the writer: a small one below, and LibreOffice where it is
//! installed.

use std::{
    fs,
    io::{Cursor, Read as _},
    path::{Path, PathBuf},
    process::Command,
};

use fairnotice::{
    compare, read,
    render::{self, Head, Redline},
};
use proptest::prelude::*;
use quick_xml::{Reader, events::Event};

use super::samples;

fn document(text: &str) -> read::Document {
    let input = read::Input {
        bytes: text.as_bytes(),
        format: Some(read::Format::Markdown),
        ..read::Input::default()
    };
    read::read(&input).unwrap()
}

fn redline(old: &read::Document, new: &read::Document) -> Vec<u8> {
    let comparison = compare::compare(old, new);
    let head = Head {
        author: "Ada & Co <legal>".to_owned(),
        made: Some("2026-03-01T09:00:00Z".parse().unwrap()),
        ..Head::default()
    };
    let redline = Redline {
        old,
        new,
        comparison: &comparison,
        assessment: None,
        duties: &[],
        promises: &[],
        head: &head,
    };
    render::docx(&redline).unwrap()
}

/// What a reader of the document reads: labels and words, without white space and marks.
fn words(document: &read::Document) -> String {
    document
        .blocks
        .iter()
        .filter(|block| block.kind != read::BlockKind::Markup)
        .map(|block| {
            let prefix = document.slice(&(block.span.start..block.body.start));
            let prefix = if block.label.is_some() { prefix } else { "" };
            format!("{prefix}{}", document.plain(block))
        })
        .map(|text| letters(&text))
        .collect()
}

fn letters(text: &str) -> String {
    text.chars().filter(|c| c.is_alphanumeric()).collect()
}

/// Reads the text of one side of the tracked changes, a line a paragraph.
fn side(docx: &[u8], accept: bool) -> String {
    let mut zip = zip::ZipArchive::new(Cursor::new(docx)).unwrap();
    let mut xml = String::new();
    zip.by_name("word/document.xml")
        .unwrap()
        .read_to_string(&mut xml)
        .unwrap();
    let (gone, tag) = if accept {
        (["w:del", "w:moveFrom"], "w:delText")
    } else {
        (["w:ins", "w:moveTo"], "")
    };
    let mut reader = Reader::from_str(&xml);
    let (mut out, mut hidden, mut text, mut joined) = (String::new(), 0, false, false);
    loop {
        match reader.read_event().unwrap() {
            Event::Start(e) if gone.contains(&e.name().as_ref()) => hidden += 1,
            Event::End(e) if gone.contains(&e.name().as_ref()) => hidden -= 1,
            // On a paragraph mark the revision is an empty element.
            Event::Empty(e) if gone.contains(&e.name().as_ref()) => joined = true,
            Event::Start(e) if matches!(e.name().as_ref(), "w:t" | "w:delText") => {
                assert!(
                    hidden > 0 || e.name().as_ref() != tag,
                    "deleted text in view"
                );
                text = hidden == 0;
            }
            Event::End(e) if matches!(e.name().as_ref(), "w:t" | "w:delText") => text = false,
            Event::Text(t) if text => out.push_str(&t),
            Event::GeneralRef(r) if text => out.push(match &*r {
                "amp" => '&',
                "lt" => '<',
                "gt" => '>',
                "quot" => '"',
                "apos" => '\'',
                other => panic!("unknown reference {other}"),
            }),
            Event::Start(e) if e.name().as_ref() == "w:p" => joined = false,
            Event::End(e) if e.name().as_ref() == "w:p" && !joined => out.push('\n'),
            Event::Eof => return out,
            _ => {}
        }
    }
}

fn check(old: &str, new: &str) {
    let (old, new) = (document(old), document(new));
    let docx = redline(&old, &new);
    assert_eq!(letters(&side(&docx, true)), words(&new), "all accepted");
    assert_eq!(letters(&side(&docx, false)), words(&old), "all rejected");
}

#[test]
fn accepting_all_gives_the_new_text_and_rejecting_all_the_old() {
    for (old, new) in samples::PAIRS {
        check(old, new);
        check(new, old);
    }
}

#[test]
fn paragraphs_come_back_too() {
    let (old, new) = samples::MOVED;
    let (old, new) = (document(old), document(new));
    let docx = redline(&old, &new);
    let lines = |text: String| -> Vec<String> {
        text.lines()
            .map(letters)
            .filter(|line| !line.is_empty())
            .collect()
    };
    let blocks = |document: &read::Document| -> Vec<String> {
        document
            .blocks
            .iter()
            .map(|block| letters(document.slice(&block.span)))
            .filter(|line| !line.is_empty())
            .collect()
    };
    assert_eq!(lines(side(&docx, true)), blocks(&new));
    assert_eq!(lines(side(&docx, false)), blocks(&old));
}

#[test]
fn both_orders_come_back() {
    // A paragraph that begins with what moved out of one that is gone.
    check(
        "# P\n\nWe take some information to run the service. The types of information that we take depend on how you use our pages each day.\n\nWe require certain information to deliver our pages, and without it we cannot show them to you.\n",
        "# P\n\nThe types of information that we take depend on how you use our pages each day. You give us certain information to deliver our pages, and without it we cannot show them to you.\n",
    );
    // A row of a table that lost a column.
    check(
        "# T\n\n| Data | Why | Ground |\n| --- | --- | --- |\n| Name | To open your account | Contract with you |\n| Mail | To write to you | Compliance with our legal obligations |\n",
        "# T\n\n| Data | Why |\n| --- | --- |\n| Name | Contract with you |\n| Mail | With our legal obligations |\n",
    );
}

#[test]
fn rows_keep_both_orders() {
    // What stood between two paragraphs that became one, and is gone.
    check(
        "# P\n\nWe keep your messages for as long as your account is open and in use.\n\nThis middle part is dropped from the text for good.\n\nAfterwards we erase them within thirty days from all of our machines.\n",
        "# P\n\nWe keep your messages for as long as your account is open and in use. Afterwards we erase them within thirty days from all of our machines.\n",
    );
    // Lines that changed places and a word each on the way.
    check(
        "# P\n\nSparrow library, Copyright (c) 2008 Anna Sperling\n\nFinch database, Copyright (c) 2007 Tom Fink\n\nWren parser, Copyright (c) 2003 Zoe King\n",
        "# P\n\nWren parser, Copyright (c) 2004 Zoe King\n\nFinch database, Copyright (c) 2009 Tom Fink\n\nSparrow library, Copyright (c) 2010 Anna Sperling\n",
    );
}

#[test]
fn moves_have_a_source_and_a_destination_of_one_name() {
    let (old, new) = samples::MOVED;
    let docx = redline(&document(old), &document(new));
    let mut zip = zip::ZipArchive::new(Cursor::new(docx)).unwrap();
    let mut xml = String::new();
    zip.by_name("word/document.xml")
        .unwrap()
        .read_to_string(&mut xml)
        .unwrap();
    let names = |tag: &str| -> Vec<String> {
        xml.split(&format!("<{tag} "))
            .skip(1)
            .filter_map(|rest| rest.split("w:name=\"").nth(1)?.split('"').next())
            .map(str::to_owned)
            .collect()
    };
    let mut from = names("w:moveFromRangeStart");
    let mut to = names("w:moveToRangeStart");
    from.sort();
    to.sort();
    assert!(!from.is_empty(), "the passage is a move");
    assert_eq!(from, to);
    let ids: Vec<&str> = xml
        .split("w:id=\"")
        .skip(1)
        .filter_map(|rest| rest.split('"').next())
        .collect();
    let ends = xml.matches("RangeEnd ").count();
    let unique: std::collections::BTreeSet<&&str> = ids.iter().collect();
    assert_eq!(
        unique.len() + ends,
        ids.len(),
        "each revision has its own id"
    );
    assert!(xml.contains(r#"w:author="Ada &amp; Co &lt;legal&gt;" w:date="2026-03-01T09:00:00Z""#));
}

#[test]
fn the_same_input_gives_the_same_bytes() {
    let (old, new) = samples::MOVED;
    let (old, new) = (document(old), document(new));
    assert_eq!(redline(&old, &new), redline(&old, &new));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn any_two_texts_come_back(old in samples::any_policy(), new in samples::any_policy()) {
        check(&old, &new);
    }
}

const MACRO: &str = r#"<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE script:module PUBLIC "-//OpenOffice.org//DTD OfficeDocument 1.0//EN" "module.dtd">
<script:module xmlns:script="http://openoffice.org/2000/script" script:name="Module1" script:language="StarBasic">
Sub Resolve(folderUrl, verb)
  name = Dir(folderUrl &amp; &quot;*.docx&quot;, 0)
  names = &quot;&quot;
  While name &lt;&gt; &quot;&quot;
    names = names &amp; name &amp; &quot;|&quot;
    name = Dir
  Wend
  list = Split(names, &quot;|&quot;)
  For i = 0 To UBound(list) - 1
    One(folderUrl &amp; list(i), folderUrl &amp; list(i) &amp; &quot;.txt&quot;, verb)
  Next i
End Sub

Sub One(fromUrl, toUrl, verb)
  Dim load(0) As New com.sun.star.beans.PropertyValue
  load(0).Name = &quot;Hidden&quot;
  load(0).Value = True
  doc = StarDesktop.loadComponentFromURL(fromUrl, &quot;_blank&quot;, 0, load())
  helper = createUnoService(&quot;com.sun.star.frame.DispatchHelper&quot;)
  helper.executeDispatch(doc.CurrentController.Frame, verb, &quot;&quot;, 0, Array())
  Dim save(1) As New com.sun.star.beans.PropertyValue
  save(0).Name = &quot;FilterName&quot;
  save(0).Value = &quot;Text (encoded)&quot;
  save(1).Name = &quot;FilterOptions&quot;
  save(1).Value = &quot;UTF8,LF&quot;
  doc.storeToURL(toUrl, save())
  doc.close(True)
End Sub
</script:module>
"#;

const LIBRARY: &str = r#"<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE library:library PUBLIC "-//OpenOffice.org//DTD OfficeDocument 1.0//EN" "library.dtd">
<library:library xmlns:library="http://openoffice.org/2000/library" library:name="Standard" library:readonly="false" library:passwordprotected="false">
 <library:element library:name="Module1"/>
</library:library>
"#;

const LIBRARIES: &str = r#"<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE library:libraries PUBLIC "-//OpenOffice.org//DTD OfficeDocument 1.0//EN" "libraries.dtd">
<library:libraries xmlns:library="http://openoffice.org/2000/library" xmlns:xlink="http://www.w3.org/1999/xlink">
 <library:library library:name="Standard" xlink:href="$(USER)/basic/Standard/script.xlb/" xlink:type="simple" library:link="false"/>
</library:libraries>
"#;

/// Starts LibreOffice with a profile of its own; `None` when it is not installed.
fn soffice(profile: &Path, argument: &str) -> Option<String> {
    let output = Command::new("timeout")
        .args(["1200", "soffice", "--headless", "--norestore", "--nologo"])
        .arg(format!(
            "-env:UserInstallation=file://{}",
            profile.display()
        ))
        .arg(argument)
        .output()
        .ok()
        .filter(|output| output.status.code() != Some(127))?;
    Some(String::from_utf8_lossy(&output.stderr).into_owned())
}

/// A profile with the macro in it. The first start of a profile only sets it up.
fn profile(folder: &Path) -> Option<PathBuf> {
    let profile = folder.join("profile");
    soffice(&profile, "--terminate_after_init")?;
    let basic = profile.join("user/basic/Standard");
    fs::create_dir_all(&basic).unwrap();
    fs::write(basic.join("Module1.xba"), MACRO).unwrap();
    fs::write(basic.join("script.xlb"), LIBRARY).unwrap();
    fs::write(profile.join("user/basic/script.xlc"), LIBRARIES).unwrap();
    Some(profile)
}

/// Lets LibreOffice accept or reject all changes of each document in a folder, which it is started
/// once for; gives what it then reads in each.
fn resolve(profile: &Path, folder: &Path, verb: &str) -> impl Fn(&str) -> String {
    let call = format!(
        "macro:///Standard.Module1.Resolve(\"file://{}/\",\"{verb}\")",
        folder.display()
    );
    let said = soffice(profile, &call).unwrap();
    let folder = folder.to_owned();
    move |name| {
        let target = folder.join(format!("{name}.docx.txt"));
        fs::read_to_string(&target)
            .unwrap_or_else(|error| panic!("LibreOffice wrote no text ({error}): {said}"))
    }
}

const ACCEPT: &str = ".uno:AcceptAllTrackedChanges";
const REJECT: &str = ".uno:RejectAllTrackedChanges";

#[test]
fn libreoffice_accepts_and_rejects_all() {
    let folder = tempfile::tempdir().unwrap();
    let Some(profile) = profile(folder.path()) else {
        println!("skipped: LibreOffice is not installed");
        return;
    };
    // All samples in one document: starting the program is what costs.
    let join = |side: fn(&(&'static str, &'static str)) -> &'static str| -> String {
        samples::PAIRS
            .iter()
            .map(side)
            .collect::<Vec<_>>()
            .join("\n\n")
    };
    let (old, new) = (document(&join(|p| p.0)), document(&join(|p| p.1)));
    fs::write(folder.path().join("redline.docx"), redline(&old, &new)).unwrap();
    let accepted = resolve(&profile, folder.path(), ACCEPT);
    assert_eq!(letters(&accepted("redline")), words(&new), "all accepted");
    let rejected = resolve(&profile, folder.path(), REJECT);
    assert_eq!(letters(&rejected("redline")), words(&old), "all rejected");
}

/// Larger texts take LibreOffice minutes each.
const LARGEST: usize = 250_000;

/// The same for real policies, which lie beside the checkout.
#[test]
#[ignore = "LibreOffice needs minutes for a hundred and fifty redlines; run by hand"]
fn libreoffice_accepts_and_rejects_all_of_real_policies() {
    let shared = std::env::var_os("FAIRNOTICE_SHARED").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared"),
        PathBuf::from,
    );
    let Ok(folders) = fs::read_dir(shared.join("eval/redline")) else {
        println!("skipped: no pairs beside the checkout");
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let Some(profile) = profile(folder.path()) else {
        println!("skipped: LibreOffice is not installed");
        return;
    };
    let mut pairs: Vec<PathBuf> = folders.map(|f| f.unwrap().path()).collect();
    pairs.sort();
    let mut sides = Vec::new();
    for pair in &pairs {
        let text = |name: &str| fs::read_to_string(pair.join(name)).ok();
        let (Some(old), Some(new)) = (text("before.md"), text("after.md")) else {
            continue;
        };
        let name = pair.file_name().unwrap().to_string_lossy().into_owned();
        if old.len().max(new.len()) > LARGEST {
            println!("{name}: left out, its size");
            continue;
        }
        let (old, new) = (document(&old), document(&new));
        let docx = redline(&old, &new);
        assert_eq!(letters(&side(&docx, true)), words(&new), "accepted, {name}");
        assert_eq!(
            letters(&side(&docx, false)),
            words(&old),
            "rejected, {name}"
        );
        fs::write(folder.path().join(format!("{name}.docx")), docx).unwrap();
        sides.push((name, words(&old), words(&new)));
    }
    let accepted = resolve(&profile, folder.path(), ACCEPT);
    let wrong: Vec<&str> = sides
        .iter()
        .filter(|(name, _, new)| letters(&accepted(name)) != *new)
        .map(|(name, _, _)| name.as_str())
        .collect();
    assert!(
        wrong.is_empty(),
        "not the new text when accepted: {wrong:?}"
    );
    let rejected = resolve(&profile, folder.path(), REJECT);
    let wrong: Vec<&str> = sides
        .iter()
        .filter(|(name, old, _)| letters(&rejected(name)) != *old)
        .map(|(name, _, _)| name.as_str())
        .collect();
    assert!(
        wrong.is_empty(),
        "not the old text when rejected: {wrong:?}"
    );
    println!("both sides of {} redlines come back", sides.len());
}
