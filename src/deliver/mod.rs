//! Mail and alerts.

pub mod alert;
