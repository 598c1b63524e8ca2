//! Logs on standard error: warnings always, more with `-v`, only errors with `--quiet`.

use tracing_subscriber::{EnvFilter, fmt};

use super::{Globals, environment};

/// Logs from here on, as the options and `FAIRNOTICE_LOG` say.
///
/// `FAIRNOTICE_LOG` holds directives of tracing-subscriber's `EnvFilter`
/// (`fairnotice::fetch=debug,reqwest=info`) and goes before the options; with `--format json`
/// each entry is one JSON line, so that standard error stays readable for programs.
pub(crate) fn start(globals: &Globals) {
    let level = match (globals.quiet, globals.verbose) {
        (true, _) => "off",
        // What the verifier logs is in the error that follows, with the place it is about.
        (false, 0) => "warn,rustls_platform_verifier=off",
        (false, 1) => "warn,rustls_platform_verifier=off,fairnotice=info",
        (false, 2) => "info,fairnotice=debug",
        (false, _) => "debug,fairnotice=trace",
    };
    let directives = environment("FAIRNOTICE_LOG").unwrap_or_else(|| level.to_owned());
    let filter = EnvFilter::try_new(&directives).unwrap_or_else(|_| EnvFilter::new(level));
    let logs = fmt::fmt()
        .with_env_filter(filter)
        .with_writer(|| anstream::AutoStream::auto(std::io::stderr()))
        .with_ansi(true);
    // Who set a logger before would have to be this program itself: there is nobody to tell.
    let _first = if globals.json() {
        logs.with_ansi(false).json().try_init()
    } else {
        logs.without_time()
            .with_target(globals.verbose > 1)
            .try_init()
    };
}
