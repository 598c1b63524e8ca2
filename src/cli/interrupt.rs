//! Signals that end a run after what is in the air.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

/// Sets the flag at SIGINT and SIGTERM; the second signal ends the process at once, which the
/// ledger makes safe.
pub(crate) fn listen(interrupted: &Arc<AtomicBool>) {
    let flag = Arc::clone(interrupted);
    std::thread::spawn(move || {
        let Ok(runtime) = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
        else {
            return;
        };
        runtime.block_on(async move {
            loop {
                wait_for_signal().await;
                if flag.swap(true, Ordering::Relaxed) {
                    #[expect(clippy::exit, reason = "the user asked twice")]
                    std::process::exit(130);
                }
            }
        });
    });
}

/// At SIGINT and SIGTERM, ends the browsers that draw pages, which no signal reaches otherwise, and
/// then the process, which the journal makes safe.
pub(crate) fn end_with_browsers() {
    std::thread::spawn(|| {
        let Ok(runtime) = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
        else {
            return;
        };
        runtime.block_on(wait_for_signal());
        fairnotice::fetch::end_browsers();
        #[expect(clippy::exit, reason = "the user asked for it")]
        std::process::exit(130);
    });
}

#[cfg(unix)]
async fn wait_for_signal() {
    use tokio::signal::unix::{SignalKind, signal};
    let Ok(mut term) = signal(SignalKind::terminate()) else {
        return std::future::pending().await;
    };
    tokio::select! {
        _ = term.recv() => {}
        _ = tokio::signal::ctrl_c() => {}
    }
}

#[cfg(not(unix))]
async fn wait_for_signal() {
    if tokio::signal::ctrl_c().await.is_err() {
        std::future::pending::<()>().await;
    }
}
