//! All integration tests are one binary: linking is what costs.

mod it {
    mod architecture;
    mod diff;
    mod docx;
    mod notice;
    mod samples;
}
