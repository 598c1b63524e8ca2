//! The git program, as everybody here runs it: in the folder that was named, whatever the
//! environment says of another repository.

use std::{
    path::Path,
    process::{Command, Stdio},
};

/// Variables that point git at another repository, index or object store than those of its folder,
/// or give paths and differences another meaning. Git sets them itself for hooks, aliases and
/// `rebase --exec`, so that a run from there would otherwise read and write the outer repository.
///
/// All of `git rev-parse --local-env-vars` but the settings that somebody gives by environment
/// (`safe.directory` in a container, a name), as git itself keeps them on its way into a submodule;
/// then those that change what is asked.
const LOCAL: &[&str] = &[
    "GIT_ALTERNATE_OBJECT_DIRECTORIES",
    "GIT_CONFIG",
    "GIT_OBJECT_DIRECTORY",
    "GIT_DIR",
    "GIT_WORK_TREE",
    "GIT_IMPLICIT_WORK_TREE",
    "GIT_GRAFT_FILE",
    "GIT_INDEX_FILE",
    "GIT_NO_REPLACE_OBJECTS",
    "GIT_REPLACE_REF_BASE",
    "GIT_PREFIX",
    "GIT_INTERNAL_SUPER_PREFIX",
    "GIT_SHALLOW_FILE",
    "GIT_COMMON_DIR",
    "GIT_NAMESPACE",
    "GIT_QUARANTINE_PATH",
    "GIT_ATTR_SOURCE",
    "GIT_LITERAL_PATHSPECS",
    "GIT_GLOB_PATHSPECS",
    "GIT_NOGLOB_PATHSPECS",
    "GIT_ICASE_PATHSPECS",
    "GIT_EXTERNAL_DIFF",
    "GIT_DIFF_OPTS",
];

/// Settings that would change what is read or written, each at git's own default: what a user sets
/// for his terminal must not change a history.
const PLAIN: &[&str] = &[
    "core.quotePath=false",
    "core.fsmonitor=false",
    "core.autocrlf=false",
    "color.ui=false",
    "log.showRoot=true",
    "log.showSignature=false",
    "log.follow=false",
    "log.diffMerges=separate",
    "diff.relative=false",
    "diff.ignoreSubmodules=none",
    "status.renames=false",
];

/// Git in a folder, with what the user configured (name, hooks, signing). Paths are taken
/// literally.
pub(super) fn command(folder: &Path) -> Command {
    let mut command = Command::new("git");
    for name in LOCAL {
        command.env_remove(name);
    }
    command
        .arg("-C")
        .arg(folder)
        .args(["--no-pager", "--literal-pathspecs"])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
}

/// Git in a folder, for reading: nothing that the user or the repository configured changes the
/// result, and no hook is run.
pub(super) fn plain(folder: &Path) -> Command {
    let mut command = command(folder);
    for setting in PLAIN {
        command.args(["-c", setting]);
    }
    // Hooks belong to whoever owns the repository; nothing is done here that they should see.
    command.args(["-c", "core.hooksPath=/dev/null"]);
    command
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_git_calls_local_to_a_repository_is_cleared() {
        let said = command(Path::new("."))
            .args(["rev-parse", "--local-env-vars"])
            .output()
            .unwrap();
        for name in String::from_utf8(said.stdout).unwrap().lines() {
            let settings = ["GIT_CONFIG_PARAMETERS", "GIT_CONFIG_COUNT"].contains(&name);
            assert!(LOCAL.contains(&name) != settings, "{name}");
        }
    }
}
