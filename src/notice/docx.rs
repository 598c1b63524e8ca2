//! The letter as a word processing document. Recipients' placeholders become merge fields, so
//! that the recipients' list can be used as the data source of a mail merge.

use std::io::Write as _;

use pulldown_cmark::{Event, HeadingLevel, Options, Parser, Tag, TagEnd};
use zip::{CompressionMethod, ZipWriter, write::SimpleFileOptions};

use super::templates::{hidden_parts, html};

const TYPES: &str = r#"<?xml version="1.0" encoding="UTF-8" standalone="yes"?>
<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"><Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/><Default Extension="xml" ContentType="application/xml"/><Override PartName="/word/document.xml" ContentType="application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"/><Override PartName="/word/styles.xml" ContentType="application/vnd.openxmlformats-officedocument.wordprocessingml.styles+xml"/></Types>"#;
const RELATIONS: &str = r#"<?xml version="1.0" encoding="UTF-8" standalone="yes"?>
<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="rId1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument" Target="word/document.xml"/></Relationships>"#;
const DOCUMENT_RELATIONS: &str = r#"<?xml version="1.0" encoding="UTF-8" standalone="yes"?>
<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="rId1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/styles" Target="styles.xml"/></Relationships>"#;

/// The letter of a Markdown text, with placeholders in their inner form.
pub(crate) fn letter(markdown: &str, language: &str) -> Vec<u8> {
    let body = body(markdown);
    let document = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\" standalone=\"yes\"?>\n<w:document xmlns:w=\"http://schemas.openxmlformats.org/wordprocessingml/2006/main\"><w:body>{body}<w:sectPr><w:pgSz w:w=\"11906\" w:h=\"16838\"/><w:pgMar w:top=\"1417\" w:right=\"1417\" w:bottom=\"1134\" w:left=\"1417\" w:header=\"708\" w:footer=\"708\" w:gutter=\"0\"/></w:sectPr></w:body></w:document>"
    );
    let styles = styles(language);
    let mut archive = ZipWriter::new(std::io::Cursor::new(Vec::new()));
    // No time of writing in it: the same letter gives the same bytes.
    let options = SimpleFileOptions::default().compression_method(CompressionMethod::Deflated);
    for (name, content) in [
        ("[Content_Types].xml", TYPES),
        ("_rels/.rels", RELATIONS),
        ("word/_rels/document.xml.rels", DOCUMENT_RELATIONS),
        ("word/styles.xml", styles.as_str()),
        ("word/document.xml", document.as_str()),
    ] {
        // Writing to memory cannot fail.
        let started = archive.start_file(name, options).is_ok();
        let _written = started && archive.write_all(content.as_bytes()).is_ok();
    }
    archive
        .finish()
        .map(std::io::Cursor::into_inner)
        .unwrap_or_default()
}

fn styles(language: &str) -> String {
    let heading = |id: &str, name: &str, level: u8, size: u8| {
        format!(
            "<w:style w:type=\"paragraph\" w:styleId=\"{id}\"><w:name w:val=\"{name}\"/><w:basedOn w:val=\"Normal\"/><w:next w:val=\"Normal\"/><w:pPr><w:keepNext/><w:spacing w:before=\"240\" w:after=\"80\"/><w:outlineLvl w:val=\"{level}\"/></w:pPr><w:rPr><w:b/><w:sz w:val=\"{size}\"/></w:rPr></w:style>"
        )
    };
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\" standalone=\"yes\"?>\n<w:styles xmlns:w=\"http://schemas.openxmlformats.org/wordprocessingml/2006/main\"><w:docDefaults><w:rPrDefault><w:rPr><w:rFonts w:ascii=\"Calibri\" w:hAnsi=\"Calibri\" w:eastAsia=\"SimSun\"/><w:sz w:val=\"22\"/><w:lang w:val=\"{language}\" w:eastAsia=\"zh-CN\"/></w:rPr></w:rPrDefault><w:pPrDefault><w:pPr><w:spacing w:after=\"120\"/></w:pPr></w:pPrDefault></w:docDefaults><w:style w:type=\"paragraph\" w:default=\"1\" w:styleId=\"Normal\"><w:name w:val=\"Normal\"/></w:style>{}{}{}<w:style w:type=\"paragraph\" w:styleId=\"Quote\"><w:name w:val=\"Quote\"/><w:basedOn w:val=\"Normal\"/><w:pPr><w:ind w:left=\"567\"/></w:pPr></w:style><w:style w:type=\"paragraph\" w:styleId=\"ListBullet\"><w:name w:val=\"List Bullet\"/><w:basedOn w:val=\"Normal\"/><w:pPr><w:ind w:left=\"357\" w:hanging=\"357\"/></w:pPr></w:style></w:styles>",
        heading("Heading1", "heading 1", 0, 32),
        heading("Heading2", "heading 2", 1, 26),
        heading("Heading3", "heading 3", 2, 23),
        language = html(language),
    )
}

fn body(markdown: &str) -> String {
    let mut out = String::new();
    let mut runs = String::new();
    let (mut bold, mut quote, mut item) = (false, false, false);
    let mut heading: Option<&str> = None;
    let mut flush = |runs: &mut String, heading: Option<&str>, quote: bool, item: bool| {
        if runs.is_empty() {
            return;
        }
        let style = match (heading, quote, item) {
            (Some(style), _, _) => style,
            (None, true, _) => "Quote",
            (None, false, true) => "ListBullet",
            (None, false, false) => "Normal",
        };
        out.push_str(&format!(
            "<w:p><w:pPr><w:pStyle w:val=\"{style}\"/></w:pPr>{runs}</w:p>"
        ));
        runs.clear();
    };
    for event in Parser::new_ext(markdown, Options::ENABLE_TABLES) {
        match event {
            Event::Start(Tag::Heading { level, .. }) => {
                heading = Some(match level {
                    HeadingLevel::H1 => "Heading1",
                    HeadingLevel::H2 => "Heading2",
                    _ => "Heading3",
                });
            }
            Event::End(TagEnd::Heading(_)) => {
                flush(&mut runs, heading, quote, item);
                heading = None;
            }
            Event::Start(Tag::BlockQuote(_)) => {
                flush(&mut runs, None, quote, item);
                quote = true;
            }
            Event::End(TagEnd::BlockQuote(_)) => {
                flush(&mut runs, None, quote, item);
                quote = false;
            }
            Event::Start(Tag::Item) => {
                flush(&mut runs, None, quote, item);
                item = true;
                run(&mut runs, "– ", false);
            }
            Event::End(TagEnd::Item) => {
                flush(&mut runs, None, quote, item);
                item = false;
            }
            Event::End(TagEnd::Paragraph) => flush(&mut runs, None, quote, item),
            Event::Start(Tag::Strong) => bold = true,
            Event::End(TagEnd::Strong) => bold = false,
            Event::Text(words)
            | Event::Code(words)
            | Event::Html(words)
            | Event::InlineHtml(words) => run(&mut runs, &words, bold),
            Event::SoftBreak => run(&mut runs, " ", bold),
            Event::HardBreak => runs.push_str("<w:r><w:br/></w:r>"),
            _ => {}
        }
    }
    flush(&mut runs, None, quote, item);
    out
}

fn run(runs: &mut String, words: &str, bold: bool) {
    let look = if bold { "<w:rPr><w:b/></w:rPr>" } else { "" };
    let text = |words: &str| {
        // Control characters are not XML.
        let clean: String = words.chars().filter(|c| !c.is_control()).collect();
        format!(
            "<w:r>{look}<w:t xml:space=\"preserve\">{}</w:t></w:r>",
            html(&clean)
        )
    };
    for part in hidden_parts(words) {
        match part {
            Ok(words) if words.is_empty() => {}
            Ok(words) => runs.push_str(&text(&words)),
            Err(field) => {
                let field = html(&field);
                runs.push_str(&format!(
                    "<w:fldSimple w:instr=\" MERGEFIELD {field} \">{}</w:fldSimple>",
                    text(&format!("«{field}»"))
                ));
            }
        }
    }
}
