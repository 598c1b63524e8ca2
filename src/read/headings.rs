//! Which pieces are headings, and how they nest.

use super::{
    BlockKind, Format,
    assemble::{Findings, Heading, Piece},
};

/// Finds title and headings.
pub(super) fn find(text: &str, format: Format, pieces: &[Piece]) -> Findings {
    let mut findings = Findings::default();
    let marked = pieces.iter().any(|p| p.leaf.heading.is_some());
    for (i, piece) in pieces.iter().enumerate() {
        let level = if let Some(level) = piece.leaf.heading {
            level
        } else if piece.leaf.kind == BlockKind::Paragraph
            && !piece.leaf.listed
            && (format == Format::Text || piece.leaf.bold || !marked)
            && title_like(text, piece)
        {
            piece
                .label
                .as_ref()
                .map_or(1, |l| u8::try_from(l.values.len()).unwrap_or(9))
        } else {
            continue;
        };
        if findings.title.is_none() && findings.headings.is_empty() && i < 4 {
            findings.title = Some(i);
            continue;
        }
        findings.headings.push(Heading {
            piece: i,
            level,
            end: None,
        });
    }
    findings
}

fn title_like(text: &str, piece: &Piece) -> bool {
    let body = text.get(piece.body.clone()).unwrap_or_default().trim();
    let words = body.split_whitespace().count();
    words > 0
        && words <= 14
        && body.len() < 120
        && !piece.bullet
        && !body.ends_with(['.', ',', ';', ':', '!', '。'])
        && body.chars().next().is_some_and(char::is_uppercase)
}
