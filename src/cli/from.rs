//! Errors of the library as errors of the command line, each with what to do about it.

use fairnotice::{
    config::ConfigError,
    fetch::FetchError,
    run::{WorkspaceError, check::CheckError},
    store::StoreError,
};

use super::CliError;

impl From<ConfigError> for CliError {
    fn from(error: ConfigError) -> Self {
        match error {
            ConfigError::Missing { path } => {
                Self::usage("no-workspace", format!("there is no {}", path.display()))
                    .hint("`fairnotice init` makes a workspace here; -C DIR names another folder")
            }
            ConfigError::Unreadable { .. } => Self::usage("config", error.to_string()),
            ConfigError::Wrong { path, problems } => {
                let more = problems.len().saturating_sub(1);
                let Some(first) = problems.into_iter().next() else {
                    return Self::usage("config", "the configuration is wrong");
                };
                let place = format!("{}:{}:{}", path.display(), first.line, first.column);
                let rest = match more {
                    0 => String::new(),
                    n => format!(" (and {n} more: `fairnotice config check` lists all)"),
                };
                let error = Self::usage("config", first.message + &rest).place(place);
                match first.hint {
                    Some(hint) => error.hint(hint),
                    None => error,
                }
            }
        }
    }
}

impl From<WorkspaceError> for CliError {
    fn from(error: WorkspaceError) -> Self {
        let message = error.to_string();
        match error {
            WorkspaceError::Config(error) => error.into(),
            WorkspaceError::Store(error) => error.into(),
            WorkspaceError::UnknownDocument { known, .. } => {
                let hint = if known.is_empty() {
                    "`fairnotice add SOURCE` adds one".to_owned()
                } else {
                    format!("there are: {}", known.join(", "))
                };
                Self::usage("unknown-document", message).hint(hint)
            }
            WorkspaceError::UnknownVersion { hint, .. } => {
                Self::usage("unknown-version", message).hint(hint)
            }
            WorkspaceError::Rules(message) => Self::usage("rules", message).hint(
                "docs/rules.md tells how rules are written; `fairnotice rules list` shows all ids",
            ),
            _ => Self::failed("workspace", message),
        }
    }
}

impl From<StoreError> for CliError {
    fn from(error: StoreError) -> Self {
        let message = error.to_string();
        match error {
            StoreError::Locked(_) => Self::failed("locked", message)
                .hint("wait for it, or give --wait SECONDS to wait here"),
            StoreError::Index { .. } | StoreError::Record { .. } => Self::failed("index", message)
                .hint("`fairnotice reindex` rebuilds the index from the journal"),
            StoreError::Damaged { .. } => Self::failed("damaged", message)
                .hint("bring the file back from a backup; nothing was changed"),
            _ => Self::failed("store", message),
        }
    }
}

impl From<FetchError> for CliError {
    fn from(error: FetchError) -> Self {
        Self::failed("fetch", error.to_string())
    }
}

impl From<CheckError> for CliError {
    fn from(error: CheckError) -> Self {
        let message = error.to_string();
        match error {
            CheckError::Workspace(error) => error.into(),
            CheckError::Fetch(error) => error.into(),
            CheckError::Notice(error) => error.into(),
            CheckError::NothingInForce(_) => Self::failed("nothing-in-force", message)
                .hint("run `fairnotice check` on the published text first"),
            CheckError::Draft { name, .. } => Self::failed("unreadable", message).place(name),
            _ => Self::failed("check", message),
        }
    }
}
