//! All integration tests are one binary: linking is what costs.

mod it {
    mod alerts;
    mod architecture;
    mod bench;
    mod browser;
    mod check;
    mod diff;
    mod docx;
    mod duties;
    mod history;
    mod notice;
    mod outlines;
    mod planted;
    mod samples;
    mod workspace;
}
