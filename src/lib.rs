//! Fairnotice keeps policy documents honest: it fetches published policies, reads them into
//! numbered sections, compares versions, flags what changes for users, finds what was promised
//! about telling them, and prepares and sends the notices that are owed.
//!
//! The library is a line of rooms; `ARCHITECTURE.md` draws it. The core (`read`, `compare`,
//! `assess`, `duty`, `render`, `notice`, `evidence`) is pure; the edges (`config`, `fetch`,
//! `store`, `deliver`) touch the world; `run` ties them together, one function per use case.

pub mod assess;
pub mod compare;
pub mod config;
pub mod deliver;
pub mod duty;
pub mod evidence;
pub mod fetch;
pub mod notice;
pub mod read;
pub mod render;
pub mod run;
pub mod store;
