//! PDF with a text layer: its glyphs, their places and sizes, laid out again as Markdown.

mod layout;
mod packed;

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

use hayro_interpret::{
    BlendMode, ClipPath, Context, Device, DrawMode, DrawProps, Image, ImageDrawProps,
    InterpreterCache, InterpreterSettings, SoftMask,
    font::{Glyph as Drawn, GlyphRun},
    hayro_cmap::BfString,
    interpret_page,
    kurbo::{Affine, BezPath, Point, Rect},
};
use hayro_syntax::{DecryptionError, LoadPdfError, Pdf};

use super::{ReadError, Warning, converted::Converted};
use layout::{Glyph, Sheet};

/// Largest file that is read, in bytes.
const MAX_BYTES: usize = 100 * 1024 * 1024;
/// Most pages that are read.
const MAX_PAGES: usize = 3000;
/// Most drawing instructions of a file; the time of reading is bounded by it.
const MAX_STEPS: usize = 8_000_000;
/// Most bytes that the forms it draws may hold, were each as large as the largest.
const MAX_FORMS: u64 = 4 * 1024 * 1024 * 1024;

/// Thrown through the interpreter when a file draws too much; it has no other way out.
struct Exhausted;

/// Turns a PDF into Markdown.
///
/// # Errors
/// When the file is protected by a password, damaged, without text or too large.
pub(super) fn convert(bytes: &[u8]) -> Result<Converted, ReadError> {
    if bytes.len() > MAX_BYTES {
        return Err(ReadError::TooLarge(format!(
            "the PDF holds more than {} MB",
            MAX_BYTES / 1024 / 1024
        )));
    }
    // The libraries below are young and may panic on damaged files; nothing of theirs outlives the
    // call, so nothing broken can be seen afterwards.
    let read = catch_unwind(AssertUnwindSafe(|| sheets(bytes)));
    let (sheets, title) = match read {
        Ok(read) => read?,
        Err(cause) if cause.is::<Exhausted>() => {
            return Err(ReadError::TooLarge(
                "the PDF draws more than any text needs".to_owned(),
            ));
        }
        Err(_) => {
            return Err(damaged("the reader could not follow its structure"));
        }
    };
    // A whole file ends with a mark; a little may follow it.
    let end = bytes.get(bytes.len().saturating_sub(4096)..);
    let whole = end.is_some_and(|end| end.windows(5).any(|mark| mark == b"%%EOF"));
    let cut = || damaged("its end is missing, and no text is left of it");
    let unreadable: usize = sheets.iter().map(|sheet| sheet.unreadable).sum();
    let readable: usize = sheets.iter().map(|sheet| sheet.glyphs.len()).sum();
    let markdown = layout::markdown(&sheets);
    if readable < 10 || readable < unreadable || markdown.trim().is_empty() {
        return Err(if whole {
            ReadError::NoText("PDF")
        } else {
            cut()
        });
    }
    let mut warnings = Vec::new();
    if !whole {
        warnings.push(Warning {
            code: "cut-off".to_owned(),
            detail: "the PDF's end is missing, and pages may be missing with it".to_owned(),
        });
    }
    if unreadable > 0 {
        warnings.push(Warning {
            code: "characters-unreadable".to_owned(),
            detail: format!("{unreadable} of the PDF's characters are not told by its fonts"),
        });
    }
    let empty = sheets.iter().filter(|s| s.glyphs.is_empty()).count();
    if empty > 0 {
        warnings.push(Warning {
            code: "pages-without-text".to_owned(),
            detail: format!("{empty} of {} pages hold no text", sheets.len()),
        });
    }
    Ok(Converted {
        markdown,
        title,
        warnings,
        ..Converted::default()
    })
}

fn damaged(detail: &str) -> ReadError {
    ReadError::Damaged {
        format: "PDF",
        detail: detail.to_owned(),
    }
}

fn sheets(bytes: &[u8]) -> Result<(Vec<Sheet>, Option<String>), ReadError> {
    packed::check_closed(bytes)?;
    let pdf = Pdf::new(bytes.to_vec()).map_err(|error| match error {
        LoadPdfError::Decryption(DecryptionError::PasswordProtected) => ReadError::Protected("PDF"),
        LoadPdfError::Decryption(_) => damaged("its encryption is not known"),
        LoadPdfError::Invalid => damaged("it is cut off, or no PDF"),
    })?;
    let pages = pdf.pages();
    if pages.is_empty() {
        return Err(damaged("it holds no pages"));
    }
    if pages.len() > MAX_PAGES {
        return Err(ReadError::TooLarge(format!(
            "the PDF has more than {MAX_PAGES} pages"
        )));
    }
    let heaviest = packed::check_open(&pdf)?;
    let cache = InterpreterCache::new();
    let mut work = Work {
        heaviest,
        ..Work::default()
    };
    let mut contents = 0_u64;
    let mut sheets = Vec::with_capacity(pages.len());
    for page in pages.iter() {
        contents += packed::content(page);
        if contents > packed::MAX_CONTENT {
            return Err(packed::too_large());
        }
        let (_, height) = page.render_dimensions();
        let mut context = Context::new(
            Affine::IDENTITY,
            Rect::new(0.0, 0.0, 1.0, 1.0),
            &cache,
            pdf.xref(),
            InterpreterSettings::default(),
        );
        // Upright, whatever the page's rotation, with the origin at the top.
        let [a, b, c, d, e, f] = page.initial_transform(true).as_coeffs();
        let mut collector = Collector {
            upright: Affine::new([a, b, c, d, e, f]),
            sheet: Sheet {
                height: f64::from(height),
                ..Sheet::default()
            },
            work,
            last: None,
        };
        interpret_page(page, &mut context, &mut collector);
        work = collector.work;
        sheets.push(collector.sheet);
    }
    let title = pdf
        .metadata()
        .title
        .as_deref()
        .map(text_string)
        .filter(|title| !title.is_empty());
    Ok((sheets, title))
}

/// A text string of the document's dictionary: UTF-16 with a mark, else nearly Latin-1.
fn text_string(bytes: &[u8]) -> String {
    let text = match bytes {
        [0xFE, 0xFF, rest @ ..] => encoding_rs::UTF_16BE.decode_without_bom_handling(rest).0,
        [0xFF, 0xFE, rest @ ..] => encoding_rs::UTF_16LE.decode_without_bom_handling(rest).0,
        [0xEF, 0xBB, 0xBF, rest @ ..] => String::from_utf8_lossy(rest),
        _ => {
            encoding_rs::WINDOWS_1252
                .decode_without_bom_handling(bytes)
                .0
        }
    };
    text.chars()
        .filter(|c| !c.is_control())
        .collect::<String>()
        .trim()
        .to_owned()
}

/// What drawing the file has cost so far.
#[derive(Clone, Copy, Default)]
struct Work {
    /// Instructions.
    steps: usize,
    /// Forms: contents of their own that a page draws by name, and forms in turn. Each is unpacked
    /// each time.
    forms: u64,
    /// Size of the largest form, in bytes.
    heaviest: u64,
}

/// Takes the glyphs of a page and nothing else.
struct Collector {
    upright: Affine,
    sheet: Sheet,
    work: Work,
    /// Where the last run began and how long it was: outlines are drawn over fillings.
    last: Option<(Point, usize)>,
}

impl Collector {
    fn step(&mut self, count: usize) {
        self.work.steps += count.max(1);
        let unpacked = self.work.forms.saturating_mul(self.work.heaviest);
        if self.work.steps > MAX_STEPS || unpacked > MAX_FORMS {
            resume_unwind(Box::new(Exhausted));
        }
    }
}

impl<'a> Device<'a> for Collector {
    fn draw_path(&mut self, _: &BezPath, _: DrawProps<'a>, _: &DrawMode) {
        self.step(1);
    }

    fn push_clip_path(&mut self, clip: &ClipPath) {
        // The only clip that comes as a path though it is a box is that of a form.
        if clip.path.elements().len() == 5 {
            self.work.forms += 1;
        }
        self.step(1);
    }

    fn push_clip_rect(&mut self, _: &Rect) {
        self.step(1);
    }

    fn push_transparency_group(&mut self, _: f32, _: Option<SoftMask<'a>>, _: BlendMode) {
        self.step(1);
    }

    fn draw_glyph_run(&mut self, run: &GlyphRun<'_, 'a>, props: DrawProps<'a>, _: &DrawMode) {
        let glyphs = run.glyphs();
        self.step(glyphs.len());
        let Some(first) = glyphs.first() else { return };
        let place = |transform: Affine| self.upright * props.transform * transform;
        let origin = place(first.transform()) * Point::ZERO;
        if self
            .last
            .is_some_and(|(at, count)| count == glyphs.len() && at.distance(origin) < 0.6)
        {
            return;
        }
        self.last = Some((origin, glyphs.len()));
        let bold = match &**first {
            Drawn::Outline(outline) => outline.font_data().is_some_and(|font| {
                font.weight.is_some_and(|weight| weight >= 600)
                    || font.postscript_name.is_some_and(|name| {
                        let name = name.to_ascii_lowercase();
                        ["bold", "black", "heavy", "semibold", "demi"]
                            .iter()
                            .any(|word| name.contains(word))
                    })
            }),
            Drawn::Type3(_) => false,
        };
        for glyph in glyphs {
            let transform = self.upright * props.transform * glyph.transform();
            let [a, b, c, d, x, y] = transform.as_coeffs();
            // A thousand units make a size of one.
            let size = c.hypot(d) * 1000.0;
            let advance = match &**glyph {
                Drawn::Outline(outline) => outline.advance_width(),
                Drawn::Type3(drawn) => drawn.advance_width(),
            };
            let Some(text) = glyph.as_unicode() else {
                self.sheet.unreadable += 1;
                continue;
            };
            // Stamps and marks across a page are no part of its text.
            let slanted = b.abs() > a.abs() * 0.2;
            if slanted || !size.is_finite() || !x.is_finite() || !y.is_finite() || size < 1.0 {
                continue;
            }
            let text = match text {
                BfString::Char(c) => c.to_string(),
                BfString::String(text) => text,
            };
            let width = advance.map_or(size * 0.5, |units| f64::from(units) * a.hypot(b));
            self.sheet.glyphs.push(Glyph {
                x,
                y,
                size,
                width,
                bold,
                text,
            });
        }
    }

    fn draw_image(&mut self, _: Image<'a, '_>, _: ImageDrawProps<'a>) {
        self.step(1);
    }

    fn pop_clip(&mut self) {}

    fn pop_transparency_group(&mut self) {}
}

#[cfg(test)]
mod tests;
