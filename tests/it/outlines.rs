//! The outlines of five published policies, as a person reads them: line, level and label of each
//! section. The texts themselves are no part of the project.

use std::{fs, path::PathBuf};

use fairnotice::read::{Document, Format, Input, canonical, equivalence_key, read};

type Row = (usize, u8, &'static str);

/// Sections of each text; no label is "-".
const OUTLINES: &[(&str, &[Row])] = &[
    (
        "tencent-data-privacy-page.txt",
        &[
            (11, 1, "-"),
            (17, 2, "-"),
            (29, 2, "-"),
            (33, 1, "-"),
            (35, 2, "-"),
            (39, 2, "-"),
            (43, 2, "-"),
            (47, 2, "-"),
            (51, 1, "-"),
            (53, 2, "-"),
        ],
    ),
    (
        "tencent-meeting-privacy-protection-guidelines.txt",
        &[
            (5, 1, "-"),
            (19, 1, "-"),
            (31, 1, "I"),
            (110, 1, "II"),
            (112, 2, "2.1"),
            (118, 2, "2.2"),
            (122, 2, "2.3"),
            (126, 1, "III"),
            (128, 2, "3.1"),
            (140, 2, "3.2"),
            (144, 1, "IV"),
            (184, 1, "V"),
            (188, 2, "5.1"),
            (208, 2, "5.2"),
            (220, 2, "5.3"),
            (226, 2, "5.4"),
            (236, 2, "5.5"),
            (244, 2, "5.6"),
            (262, 2, "5.7"),
            (276, 1, "VI"),
            (280, 1, "VII"),
            (288, 1, "VIII"),
            (294, 1, "IX"),
        ],
    ),
    (
        "tencent-music-privacy-policy.txt",
        &[
            (3, 1, "-"),
            (46, 1, "I"),
            (74, 2, "1"),
            (78, 2, "2"),
            (82, 2, "3"),
            (86, 2, "4"),
            (90, 2, "5"),
            (100, 1, "II"),
            (104, 2, "1"),
            (108, 3, "1.1"),
            (122, 3, "1.2"),
            (124, 4, "1.2.1"),
            (136, 4, "1.2.2"),
            (142, 4, "1.2.3"),
            (144, 3, "1.3"),
            (148, 3, "1.4"),
            (152, 2, "1"),
        ],
    ),
    (
        "tencent-privacy-policy.md",
        &[
            (5, 1, "-"),
            (14, 1, "-"),
            (22, 1, "-"),
            (30, 1, "-"),
            (62, 1, "-"),
            (85, 1, "-"),
            (89, 1, "-"),
            (102, 1, "-"),
            (116, 1, "-"),
            (122, 1, "-"),
            (124, 2, "-"),
            (128, 2, "-"),
            (132, 1, "-"),
            (142, 1, "-"),
            (153, 1, "-"),
            (157, 1, "-"),
            (167, 1, "-"),
        ],
    ),
    (
        "unnamed-app-privacy-policy.txt",
        &[
            (3, 1, "-"),
            (20, 1, "I"),
            (24, 2, "1.1"),
            (26, 3, "1.2.1"),
            (32, 3, "1.2.2"),
            (38, 1, "-"),
            (53, 1, "3"),
            (57, 1, "-"),
            (63, 1, "-"),
            (75, 1, "-"),
            (76, 2, "1"),
            (77, 2, "2"),
            (79, 1, "-"),
            (80, 2, "1"),
            (81, 2, "8.2"),
            (89, 1, "-"),
            (95, 1, "-"),
            (98, 1, "-"),
            (101, 1, "-"),
        ],
    ),
];

/// The folder of texts that are not this project's, where it is at hand.
pub fn shared() -> Option<PathBuf> {
    #[expect(
        clippy::disallowed_methods,
        reason = "where the texts are is up to the machine"
    )]
    let named = std::env::var("FAIRNOTICE_SHARED").ok().map(PathBuf::from);
    let beside = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../shared");
    named.or(Some(beside)).filter(|path| path.is_dir())
}

fn document(name: &str) -> Option<Document> {
    let Some(path) = shared().map(|s| s.join("policies").join(name)) else {
        println!("skipped: no shared folder with {name}");
        return None;
    };
    let bytes = fs::read(&path).unwrap();
    Some(
        read(&Input {
            bytes: &bytes,
            name: Some(name),
            ..Input::default()
        })
        .unwrap(),
    )
}

#[test]
fn outlines_are_as_a_person_reads_them() {
    for (name, rows) in OUTLINES {
        let Some(document) = document(name) else {
            return;
        };
        let told: Vec<(usize, u8, &str)> = document
            .sections
            .iter()
            .map(|s| (s.lines.0, s.level, s.label.as_deref().unwrap_or("-")))
            .collect();
        assert_eq!(told, *rows, "{name}");
    }
}

#[test]
fn what_is_announced_and_absent_is_said() {
    let Some(document) = document("tencent-music-privacy-policy.txt") else {
        return;
    };
    let absent = document
        .warnings
        .iter()
        .filter(|w| w.code == "announced-but-absent");
    assert_eq!(absent.count(), 12);
    // The second "1." holds 2.1 and what follows it: a restart, said and put right.
    assert!(
        document
            .warnings
            .iter()
            .any(|w| w.code.starts_with("numbering-"))
    );
}

#[test]
fn a_page_about_privacy_is_no_policy() {
    let Some(document) = document("tencent-data-privacy-page.txt") else {
        return;
    };
    assert!(document.warnings.iter().any(|w| w.code == "not-a-policy"));
}

#[test]
fn canonical_text_reads_back_the_same() {
    for (name, _) in OUTLINES {
        let Some(first) = document(name) else { return };
        let text = canonical(&first);
        let again = read(&Input {
            bytes: text.as_bytes(),
            format: Some(Format::Markdown),
            ..Input::default()
        })
        .unwrap();
        assert_eq!(canonical(&again), text, "{name}");
        assert_eq!(equivalence_key(&again), equivalence_key(&first), "{name}");
        let outline = |d: &Document| -> Vec<(u8, Option<String>, String)> {
            d.sections
                .iter()
                .map(|s| (s.level, s.label.clone(), s.title.clone()))
                .collect()
        };
        assert_eq!(outline(&again), outline(&first), "{name}");
    }
}
