//! Progress on a terminal, for what takes longer than a second; nothing in a pipe.

use std::{io::IsTerminal as _, time::Duration};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::Globals;

/// A bar of `length` steps that shows itself on a terminal's standard error.
pub(crate) fn bar(globals: &Globals, length: u64, what: &str) -> ProgressBar {
    let bar = ProgressBar::new(length);
    if globals.quiet || globals.json() || !std::io::stderr().is_terminal() {
        bar.set_draw_target(ProgressDrawTarget::hidden());
        return bar;
    }
    let template = format!("{{bar:30}} {{pos}}/{{len}} {what}, {{per_sec}}, {{eta}} left {{msg}}");
    if let Ok(style) = ProgressStyle::with_template(&template) {
        bar.set_style(style);
    }
    bar.enable_steady_tick(Duration::from_secs(1));
    bar
}
