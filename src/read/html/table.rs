//! Tables of facts become tables; tables that only place things on a page do not.

use url::Url;

use super::{
    furniture::Dropped,
    page::{Page, Tag},
    write,
};

/// Longest cell of a table of facts without a header, in bytes of text.
const LONG_CELL: usize = 600;
/// Longest cell of any table of facts.
const LONGEST_CELL: usize = 3000;
/// Most cells that are written; a larger table is written as text.
const MAX_CELLS: usize = 100_000;

struct Row {
    cells: Vec<Cell>,
    head: bool,
}

struct Cell {
    at: usize,
    span: usize,
}

/// The table as GFM rows; `None` when it only lays out the page.
pub(super) fn rows(
    page: &Page<'_>,
    at: usize,
    dropped: &Dropped,
    base: Option<&Url>,
) -> Option<String> {
    let node = page.node(at)?;
    if matches!(node.attr("role"), Some("presentation" | "none")) {
        return None;
    }
    let mut rows: Vec<Row> = Vec::new();
    let mut caption = None;
    let mut headed = false;
    let mut count = 0;
    let mut i = at + 1;
    while i < node.end {
        let inner = page.node(i)?;
        if dropped.contains_key(&i) {
            i = inner.end;
            continue;
        }
        match inner.tag() {
            // A table in a table, and headings in cells, lay out.
            Some(Tag::Table) => return None,
            Some(Tag::Heading(level)) if level < 4 && !in_head(page, i, at) => return None,
            Some(Tag::Caption) => {
                caption = Some(i);
                i = inner.end;
                continue;
            }
            Some(Tag::Tr) => rows.push(Row {
                cells: Vec::new(),
                head: false,
            }),
            Some(tag @ (Tag::Td | Tag::Th)) => {
                let span = inner
                    .attr("colspan")
                    .and_then(|v| v.trim().parse::<usize>().ok())
                    .unwrap_or(1)
                    .clamp(1, 20);
                count += span;
                if count > MAX_CELLS {
                    return None;
                }
                let row = rows.last_mut()?;
                if row.cells.is_empty() {
                    row.head = true;
                }
                row.head &= tag == Tag::Th;
                headed |= tag == Tag::Th;
                row.cells.push(Cell { at: i, span });
            }
            _ => {}
        }
        i += 1;
    }
    rows.retain(|row| !row.cells.is_empty());
    let width = rows
        .iter()
        .map(|row| row.cells.iter().map(|c| c.span).sum::<usize>())
        .max()?;
    if rows.len() < 2 || !(2..=40).contains(&width) {
        return None;
    }
    let texts: Vec<Vec<String>> = rows
        .iter()
        .map(|row| {
            row.cells
                .iter()
                .flat_map(|cell| {
                    let end = page.node(cell.at).map_or(cell.at, |n| n.end);
                    let text = write::cell(page, cell.at + 1..end, dropped, base);
                    std::iter::once(text).chain(std::iter::repeat_n(String::new(), cell.span - 1))
                })
                .collect()
        })
        .collect();
    let longest = texts.iter().flatten().map(String::len).max().unwrap_or(0);
    let limit = if headed || caption.is_some() {
        LONGEST_CELL
    } else {
        LONG_CELL
    };
    let filled = texts.iter().flatten().filter(|t| !t.is_empty()).count();
    // Most rows of facts have more than one cell with words.
    let paired = texts
        .iter()
        .filter(|row| row.iter().filter(|t| !t.is_empty()).count() > 1)
        .count();
    if longest > limit || filled < 3 || paired * 2 < texts.len() {
        return None;
    }
    let mut out = String::new();
    if let Some(caption) = caption {
        let end = page.node(caption).map_or(caption, |n| n.end);
        let words = write::cell(page, caption + 1..end, dropped, base);
        if !words.is_empty() {
            out += &words;
            out += "\n\n";
        }
    }
    let mut first = true;
    for row in texts.iter().filter(|row| row.iter().any(|t| !t.is_empty())) {
        push_row(&mut out, row, width);
        if first {
            out += "\n|";
            out += &" --- |".repeat(width);
            first = false;
        }
        out.push('\n');
    }
    out.truncate(out.trim_end().len());
    Some(out)
}

/// Whether a node stands in a header cell.
fn in_head(page: &Page<'_>, at: usize, table: usize) -> bool {
    let mut next = at;
    while next > table {
        if page.tag(next) == Some(Tag::Th) {
            return true;
        }
        next = page.node(next).map_or(0, |n| n.parent);
    }
    false
}

fn push_row(out: &mut String, cells: &[String], width: usize) {
    out.push('|');
    for i in 0..width {
        let text = cells.get(i).map_or("", String::as_str);
        out.push(' ');
        out.push_str(text);
        if !text.is_empty() {
            out.push(' ');
        }
        out.push('|');
    }
}
