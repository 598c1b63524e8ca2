//! Progress of a campaign on standard error: a bar on a terminal, JSON lines for programs.

use std::{
    io::IsTerminal as _,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use fairnotice::deliver::Progress;

use super::Globals;

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Showing {
    /// A bar on a terminal, nothing elsewhere.
    Auto,
    /// One JSON line a second.
    Json,
    /// Nothing.
    None,
}

pub(crate) fn eprint_line(text: &str) {
    use std::io::Write as _;
    // Nobody can be told that standard error is closed.
    let _closed = writeln!(anstream::stderr(), "{text}");
}

/// Progress on standard error.
pub(crate) struct Meter {
    showing: Showing,
    progress: Arc<Progress>,
    done: Arc<AtomicBool>,
    thread: std::cell::RefCell<Option<std::thread::JoinHandle<()>>>,
}

impl Meter {
    pub(crate) fn new(showing: Showing, globals: &Globals, progress: Arc<Progress>) -> Self {
        let showing = match showing {
            Showing::Auto if globals.quiet || !std::io::stderr().is_terminal() => Showing::None,
            other => other,
        };
        Self {
            showing,
            progress,
            done: Arc::new(AtomicBool::new(false)),
            thread: std::cell::RefCell::new(None),
        }
    }

    pub(crate) fn begin(&self, all: u32, left: u32) {
        if self.showing == Showing::None {
            return;
        }
        let (showing, progress, done) = (
            self.showing,
            Arc::clone(&self.progress),
            Arc::clone(&self.done),
        );
        let thread = std::thread::spawn(move || {
            let bar = (showing == Showing::Auto).then(|| {
                let bar = indicatif::ProgressBar::new(u64::from(left));
                if let Ok(style) = indicatif::ProgressStyle::with_template(
                    "{bar:30} {pos}/{len} · {per_sec} · {eta} left · {msg}",
                ) {
                    bar.set_style(style);
                }
                bar
            });
            loop {
                let last = done.load(Ordering::Relaxed);
                let get = |counter: &std::sync::atomic::AtomicU64| counter.load(Ordering::Relaxed);
                let (accepted, refused) = (get(&progress.accepted), get(&progress.refused));
                let (deferred, uncertain) = (get(&progress.deferred), get(&progress.uncertain));
                match &bar {
                    Some(bar) => {
                        bar.set_position(accepted + refused);
                        bar.set_message(format!(
                            "{refused} refused, {deferred} put off, {uncertain} uncertain"
                        ));
                        if last {
                            bar.finish();
                        }
                    }
                    None => eprint_line(
                        &serde_json::json!({
                            "schema": "fairnotice/progress/1",
                            "recipients": all, "left": left, "accepted": accepted,
                            "refused": refused, "deferred": deferred, "uncertain": uncertain,
                        })
                        .to_string(),
                    ),
                }
                if last {
                    return;
                }
                let pause = if bar.is_some() { 100 } else { 1000 };
                std::thread::park_timeout(Duration::from_millis(pause));
            }
        });
        *self.thread.borrow_mut() = Some(thread);
    }

    pub(crate) fn end(&self) {
        self.done.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.borrow_mut().take() {
            thread.thread().unpark();
            // A meter that failed has nothing to say.
            let _ended = thread.join();
        }
    }
}
