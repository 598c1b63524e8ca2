use std::fmt::Write as _;

use super::*;

/// A PDF of pages; each page is a list of lines: size, bold, x, y from the bottom, text.
fn pdf(pages: &[Vec<(u32, bool, u32, u32, &str)>]) -> Vec<u8> {
    let mut objects: Vec<String> = vec![
        "<< /Type /Catalog /Pages 2 0 R >>".to_owned(),
        String::new(),
        "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>"
            .to_owned(),
        "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica-Bold /Encoding /WinAnsiEncoding >>"
            .to_owned(),
    ];
    let mut kids = String::new();
    for lines in pages {
        let mut content = String::new();
        for (size, bold, x, y, text) in lines {
            let font = if *bold { "F2" } else { "F1" };
            writeln!(content, "BT /{font} {size} Tf {x} {y} Td ({text}) Tj ET").unwrap();
        }
        objects.push(format!(
            "<< /Length {} >>\nstream\n{content}\nendstream",
            content.len() + 1
        ));
        let stream = objects.len();
        objects.push(format!(
            "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents {stream} 0 R /Resources << /Font << /F1 3 0 R /F2 4 0 R >> >> >>"
        ));
        write!(kids, "{} 0 R ", objects.len()).unwrap();
    }
    objects[1] = format!("<< /Type /Pages /Kids [{kids}] /Count {} >>", pages.len());
    let mut file = "%PDF-1.4\n".to_owned();
    let mut offsets = Vec::new();
    for (i, object) in objects.iter().enumerate() {
        offsets.push(file.len());
        write!(file, "{} 0 obj\n{object}\nendobj\n", i + 1).unwrap();
    }
    let xref = file.len();
    write!(file, "xref\n0 {}\n0000000000 65535 f \n", objects.len() + 1).unwrap();
    for offset in offsets {
        writeln!(file, "{offset:010} 00000 n ").unwrap();
    }
    write!(
        file,
        "trailer\n<< /Size {} /Root 1 0 R >>\nstartxref\n{xref}\n%%EOF\n",
        objects.len() + 1
    )
    .unwrap();
    file.into_bytes()
}

fn pages() -> Vec<Vec<(u32, bool, u32, u32, &'static str)>> {
    vec![
        vec![
            (8, false, 60, 810, "Lantern Ltd - Privacy Policy"),
            (24, true, 60, 760, "Privacy Policy"),
            (
                11,
                false,
                60,
                730,
                "This policy says which personal data we process, for which purposes and how",
            ),
            (
                11,
                false,
                60,
                716,
                "long we keep them. It takes effect on 1 June 2031.",
            ),
            (16, true, 60, 690, "1. Data we collect"),
            (11, false, 60, 668, "We collect:"),
            (
                11,
                false,
                72,
                654,
                "\\225 your name and your e-mail address, which you give us when you open an ac-",
            ),
            (11, false, 80, 640, "count with us;"),
            (11, false, 72, 626, "\\225 payment data."),
            (11, true, 60, 600, "Your choices"),
            (
                11,
                false,
                60,
                586,
                "You may close your account at any time, and we then delete what we know about",
            ),
            (8, false, 280, 30, "Page 1 of 2"),
        ],
        vec![
            (8, false, 60, 810, "Lantern Ltd - Privacy Policy"),
            (11, false, 60, 760, "you within thirty days."),
            (16, true, 60, 730, "2. Law"),
            (
                11,
                false,
                60,
                710,
                "The law of Norland governs this policy.",
            ),
            (8, false, 280, 30, "Page 2 of 2"),
        ],
    ]
}

#[test]
fn lines_become_headings_paragraphs_and_items() {
    insta::assert_snapshot!(convert(&pdf(&pages())).unwrap().markdown, @r"
    # Privacy Policy

    This policy says which personal data we process, for which purposes and how long we keep them. It takes effect on 1 June 2031.

    ## 1. Data we collect

    We collect:

    - your name and your e-mail address, which you give us when you open an account with us;
    - payment data.

    Your choices

    You may close your account at any time, and we then delete what we know about you within thirty days.

    ## 2. Law

    The law of Norland governs this policy.
    ");
}

#[test]
fn files_without_text_or_cut_off_are_refused() {
    let error = |bytes: &[u8]| convert(bytes).unwrap_err().to_string();
    assert!(error(&pdf(&[vec![]])).contains("holds no text"));
    assert!(error(b"%PDF-1.7\nnothing").contains("damaged"));
    let whole = pdf(&pages());
    assert!(convert(&whole).unwrap().warnings.is_empty());
    // What is left of a cut file is read with a warning, or it is refused; never a panic.
    let mut read = 0;
    for length in (0..whole.len() - 6).step_by(97) {
        match convert(&whole[..length]) {
            Ok(left) => {
                assert_eq!(left.warnings[0].code, "cut-off");
                read += 1;
            }
            Err(error) => assert!(error.to_string().contains("damaged"), "{error}"),
        }
    }
    assert!(read > 0);
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig::with_cases(48))]
    #[test]
    fn damaged_files_never_panic(
        at in 0_usize..2000,
        bytes in proptest::collection::vec(proptest::prelude::any::<u8>(), 1..30),
    ) {
        let mut file = pdf(&pages());
        let at = at % file.len();
        let end = (at + bytes.len()).min(file.len());
        file.splice(at..end, bytes);
        let _ = convert(&file);
    }
}

#[test]
fn a_page_that_unpacks_without_end_is_refused() {
    use std::io::Write as _;
    let mut packed = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::fast());
    for _ in 0..300 {
        packed.write_all(&vec![b' '; 1024 * 1024]).unwrap();
    }
    let packed = packed.finish().unwrap();
    let mut file = b"%PDF-1.4\n1 0 obj\n<< /Type /Catalog /Pages 2 0 R >>\nendobj\n\
        2 0 obj\n<< /Type /Pages /Kids [3 0 R] /Count 1 >>\nendobj\n\
        3 0 obj\n<< /Type /Page /Parent 2 0 R /MediaBox [0 0 600 800] /Contents 4 0 R >>\nendobj\n"
        .to_vec();
    let head = format!(
        "4 0 obj\n<< /Length {} /Filter /FlateDecode >>\nstream\n",
        packed.len()
    );
    file.extend(head.as_bytes());
    file.extend(packed);
    file.extend(b"\nendstream\nendobj\ntrailer\n<< /Size 5 /Root 1 0 R >>\n%%EOF");
    let error = convert(&file).unwrap_err().to_string();
    assert!(error.contains("unpacks to more than"), "{error}");
}

#[test]
fn forms_that_draw_forms_come_to_an_end() {
    // Each draws the next one ten times; the last one is the large one.
    let mut file = b"%PDF-1.4\n1 0 obj\n<< /Type /Catalog /Pages 2 0 R >>\nendobj\n\
        2 0 obj\n<< /Type /Pages /Kids [3 0 R] /Count 1 >>\nendobj\n\
        3 0 obj\n<< /Type /Page /Parent 2 0 R /MediaBox [0 0 600 800] /Contents 4 0 R \
        /Resources << /XObject << /X 5 0 R >> >> >>\nendobj\n\
        4 0 obj\n<< /Length 5 >>\nstream\n/X Do\nendstream\nendobj\n"
        .to_vec();
    for i in 5..16 {
        let spaces = if i == 15 { 8 * 1024 * 1024 } else { 0 };
        let data = format!("{} {}", "/X Do ".repeat(10), " ".repeat(spaces));
        let head = format!(
            "{i} 0 obj\n<< /Type /XObject /Subtype /Form /BBox [0 0 9 9] /Length {} \
             /Resources << /XObject << /X {} 0 R >> >> >>\nstream\n{data}\nendstream\nendobj\n",
            data.len(),
            i + 1
        );
        file.extend(head.as_bytes());
    }
    file.extend(b"trailer\n<< /Size 17 /Root 1 0 R >>\n%%EOF");
    let error = convert(&file).unwrap_err().to_string();
    assert!(error.contains("draws more"), "{error}");
}

#[test]
fn many_pages_with_one_content_are_counted_each() {
    let mut file = b"%PDF-1.4\n1 0 obj\n<< /Type /Catalog /Pages 2 0 R >>\nendobj\n".to_vec();
    let kids: String = (0..60).map(|i| format!("{} 0 R ", i + 4)).collect();
    file.extend(format!("2 0 obj\n<< /Type /Pages /Kids [{kids}] /Count 60 >>\nendobj\n").bytes());
    let spaces = " ".repeat(5 * 1024 * 1024);
    file.extend(
        format!(
            "3 0 obj\n<< /Length {} >>\nstream\n{spaces}\nendstream\nendobj\n",
            spaces.len()
        )
        .bytes(),
    );
    for i in 0..60 {
        file.extend(
            format!(
                "{} 0 obj\n<< /Type /Page /Parent 2 0 R /Contents 3 0 R >>\nendobj\n",
                i + 4
            )
            .bytes(),
        );
    }
    file.extend(b"trailer\n<< /Size 64 /Root 1 0 R >>\n%%EOF");
    let error = convert(&file).unwrap_err().to_string();
    assert!(error.contains("unpacks to more than"), "{error}");
}
