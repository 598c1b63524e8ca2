use std::io::{Cursor, Write as _};

use zip::{ZipWriter, write::SimpleFileOptions};

use super::*;

/// A word processing file of parts.
fn file(parts: &[(&str, &str)]) -> Vec<u8> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, text) in parts {
        zip.start_file(*name, SimpleFileOptions::default()).unwrap();
        zip.write_all(text.as_bytes()).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

const STYLES: &str = r#"<w:styles xmlns:w="w">
<w:style w:type="paragraph" w:default="1" w:styleId="Normal"><w:name w:val="Normal"/></w:style>
<w:style w:type="paragraph" w:styleId="Title"><w:name w:val="Title"/></w:style>
<w:style w:type="paragraph" w:styleId="H1"><w:name w:val="heading 1"/><w:pPr><w:numPr><w:ilvl w:val="0"/><w:numId w:val="1"/></w:numPr><w:outlineLvl w:val="0"/></w:pPr></w:style>
<w:style w:type="paragraph" w:styleId="Clause"><w:name w:val="Clause"/><w:basedOn w:val="H2"/></w:style>
<w:style w:type="paragraph" w:styleId="H2"><w:name w:val="heading 2"/><w:pPr><w:numPr><w:ilvl w:val="1"/><w:numId w:val="1"/></w:numPr></w:pPr></w:style>
</w:styles>"#;

const NUMBERING: &str = r#"<w:numbering xmlns:w="w">
<w:abstractNum w:abstractNumId="7"><w:lvl w:ilvl="0"><w:start w:val="1"/><w:numFmt w:val="upperRoman"/><w:lvlText w:val="%1."/></w:lvl><w:lvl w:ilvl="1"><w:start w:val="1"/><w:numFmt w:val="decimal"/><w:isLgl/><w:lvlText w:val="%1.%2"/></w:lvl></w:abstractNum>
<w:abstractNum w:abstractNumId="8"><w:lvl w:ilvl="0"><w:numFmt w:val="bullet"/><w:lvlText w:val="x"/></w:lvl><w:lvl w:ilvl="1"><w:start w:val="1"/><w:numFmt w:val="lowerLetter"/><w:lvlText w:val="(%2)"/></w:lvl></w:abstractNum>
<w:num w:numId="1"><w:abstractNumId w:val="7"/></w:num><w:num w:numId="2"><w:abstractNumId w:val="8"/></w:num>
</w:numbering>"#;

const RELATIONS: &str = r#"<Relationships><Relationship Id="r1" Type="t/hyperlink" Target="https://lantern.example/a(b)" TargetMode="External"/></Relationships>"#;

fn document(body: &str) -> String {
    format!(
        r#"<?xml version="1.0"?><w:document xmlns:w="w" xmlns:r="r"><w:body>{body}</w:body></w:document>"#
    )
}

fn markdown(body: &str) -> String {
    convert(&file(&[
        ("word/document.xml", &document(body)),
        ("word/styles.xml", STYLES),
        ("word/numbering.xml", NUMBERING),
        ("word/_rels/document.xml.rels", RELATIONS),
        (
            "word/footnotes.xml",
            r#"<w:footnotes xmlns:w="w"><w:footnote w:id="2"><w:p><w:r><w:t>As of 2031.</w:t></w:r></w:p></w:footnote></w:footnotes>"#,
        ),
    ]))
    .unwrap()
    .markdown
}

fn p(style: &str, text: &str) -> String {
    format!(r#"<w:p><w:pPr><w:pStyle w:val="{style}"/></w:pPr><w:r><w:t>{text}</w:t></w:r></w:p>"#)
}

#[test]
fn styles_and_computed_numbers() {
    let list = |level: u8, text: &str| {
        format!(
            r#"<w:p><w:pPr><w:numPr><w:ilvl w:val="{level}"/><w:numId w:val="2"/></w:numPr></w:pPr><w:r><w:t>{text}</w:t></w:r></w:p>"#
        )
    };
    let body = [
        p("Title", "Terms of Use"),
        p("H1", "Scope"),
        p("H2", "Who"),
        p("Clause", "What"),
        p("H1", "Law &amp; courts"),
        p("H2", "Courts"),
        list(0, "first"),
        list(1, "inner"),
        list(1, "other"),
        list(0, "second"),
        p("Normal", "Plain <w:x/> text").replace("<w:x/> ", ""),
    ]
    .concat();
    insta::assert_snapshot!(markdown(&body), @r"
    # Terms of Use

    ## I. Scope

    ### 1.1 Who

    ### 1.2 What

    ## II. Law & courts

    ### 2.1 Courts

    - first
      - (a) inner
      - (b) other
    - second

    Plain text
    ");
}

#[test]
fn tracked_changes_are_accepted() {
    let body = r#"<w:p><w:r><w:t xml:space="preserve">You have </w:t></w:r><w:del w:id="1"><w:r><w:delText>30</w:delText></w:r></w:del><w:ins w:id="2"><w:r><w:t>60</w:t></w:r></w:ins><w:r><w:t xml:space="preserve"> days.</w:t></w:r></w:p>
<w:p><w:pPr><w:rPr><w:del w:id="3"/></w:rPr></w:pPr><w:r><w:t xml:space="preserve">One </w:t></w:r></w:p><w:p><w:r><w:t>paragraph.</w:t></w:r></w:p>
<w:moveFrom w:id="4"><w:r><w:t>gone</w:t></w:r></w:moveFrom><w:p><w:moveFrom w:id="5"><w:r><w:t>gone</w:t></w:r></w:moveFrom><w:moveTo w:id="6"><w:r><w:t>Moved here.</w:t></w:r></w:moveTo></w:p>
<w:tbl><w:tr><w:tc><w:p><w:r><w:t>Data</w:t></w:r></w:p></w:tc><w:tc><w:p><w:r><w:t>Purpose</w:t></w:r></w:p></w:tc></w:tr>
<w:tr><w:trPr><w:del w:id="7"/></w:trPr><w:tc><w:p><w:r><w:t>Old</w:t></w:r></w:p></w:tc><w:tc><w:p><w:r><w:t>row</w:t></w:r></w:p></w:tc></w:tr>
<w:tr><w:tc><w:p><w:r><w:t>Logs</w:t></w:r></w:p></w:tc><w:tc><w:p><w:r><w:t>a | b</w:t></w:r></w:p></w:tc></w:tr></w:tbl>"#;
    insta::assert_snapshot!(markdown(body), @r"
    You have 60 days.

    One paragraph.

    Moved here.

    | Data | Purpose |
    | --- | --- |
    | Logs | a \| b |
    ");
}

#[test]
fn links_notes_and_bold() {
    let body = r#"<w:p><w:r><w:rPr><w:b/></w:rPr><w:t>Contact</w:t></w:r></w:p><w:p><w:r><w:t xml:space="preserve">See </w:t></w:r><w:hyperlink r:id="r1"><w:r><w:t>here</w:t></w:r></w:hyperlink><w:r><w:footnoteReference w:id="2"/></w:r><w:r><w:t>.</w:t></w:r><w:r><w:instrText>PAGE</w:instrText></w:r></w:p>
<mc:AlternateContent xmlns:mc="m"><mc:Choice><w:p><w:r><w:t>Box</w:t></w:r></w:p></mc:Choice><mc:Fallback><w:p><w:r><w:t>Box</w:t></w:r></w:p></mc:Fallback></mc:AlternateContent>"#;
    insta::assert_snapshot!(markdown(body), @r"
    **Contact**

    See [here](https://lantern.example/a%28b%29)[1].

    Box

    [1] As of 2031.
    ");
}

#[test]
fn files_that_are_no_documents_are_refused() {
    let error = |bytes: &[u8]| convert(bytes).unwrap_err().to_string();
    assert!(error(b"PK\x03\x04 cut off").contains("damaged"));
    assert!(error(&file(&[("a.txt", "x")])).contains("holds no word/document.xml"));
    assert!(error(&[0xD0, 0xCF, 0x11, 0xE0, 0, 0]).contains("protected"));
    let whole = file(&[("word/document.xml", &document(&p("x", "text")))]);
    assert!(convert(&whole[..whole.len() / 2]).is_err());
    assert!(error(&file(&[("word/document.xml", &document(""))])).contains("no text"));
}

#[test]
fn entities_are_not_expanded_and_bombs_do_not_go_off() {
    let laughs = format!(
        r#"<!DOCTYPE d [<!ENTITY a "ha"><!ENTITY b "{}">]>{}"#,
        "&a;".repeat(1000),
        document(&p("x", "before &b; after"))
    );
    let read = convert(&file(&[("word/document.xml", &laughs)])).unwrap();
    assert_eq!(read.markdown, "before after\n");
    let bomb = file(&[("word/document.xml", &" ".repeat(MAX_PART as usize + 10))]);
    assert!(bomb.len() < 1_000_000);
    assert!(matches!(convert(&bomb), Err(ReadError::TooLarge(_))));
    let deep = document(&"<w:p>".repeat(100_000));
    assert!(matches!(
        convert(&file(&[("word/document.xml", &deep)])),
        Err(ReadError::TooLarge(_))
    ));
}

proptest::proptest! {
    #[test]
    fn no_xml_panics(body in "(</?w:(p|tbl|tr|tc|r|t|del|ins|pPr|rPr|b|numPr|br|hyperlink r:id='r1'|gridSpan w:val='3')/?>|[a-z &;<]{0,6}){0,50}") {
        let _ = convert(&file(&[("word/document.xml", &document(&body))]));
    }

    #[test]
    fn no_bytes_panic(bytes in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..400)) {
        let mut all = b"PK\x03\x04".to_vec();
        all.extend(bytes);
        let _ = convert(&all);
    }
}
