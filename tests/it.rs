//! All integration tests are one binary: linking is what costs.

mod it {
    mod alerts;
    mod architecture;
    mod bench;
    mod browser;
    mod campaign;
    mod check;
    mod diff;
    mod docx;
    mod duties;
    mod evidence;
    mod history;
    mod kill;
    mod notice;
    mod outlines;
    mod planted;
    mod samples;
    mod sink;
    mod workspace;
}
