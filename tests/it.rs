//! All integration tests are one binary: linking is what costs.

#![expect(clippy::print_stdout, reason = "a test that is skipped says so")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test that cannot set up its case has failed"
)]

mod it {
    mod alerts;
    mod alerts_kill;
    mod architecture;
    mod assist;
    mod bench;
    mod binding;
    mod browser;
    mod campaign;
    mod check;
    mod diff;
    mod dkim;
    mod docx;
    mod duties;
    mod effect;
    mod evidence;
    mod explain;
    mod fetched;
    mod history;
    mod hostile;
    mod imap;
    mod judging;
    mod kept;
    mod kill;
    mod layout;
    mod life;
    mod notice;
    mod outlines;
    mod planted;
    mod postfix;
    mod postgres;
    mod probes;
    mod published;
    mod repositories;
    mod review;
    mod row;
    mod sample;
    mod samples;
    mod sink;
    mod standards;
    mod told;
    mod workspace;
    mod year;
}
