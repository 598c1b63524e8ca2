//! A program of the user's own: the alert comes in as JSON on its standard input.

use std::{path::Path, process::Stdio, time::Duration};

use tokio::io::AsyncWriteExt as _;

use super::AlertError;

/// Runs a program in a folder; it must end with 0 in time.
///
/// # Errors
/// When it cannot be started, fails, or takes too long; then it is killed.
pub async fn run_program(
    command: &[String],
    folder: &Path,
    input: &[u8],
    limit: Duration,
) -> Result<Vec<u8>, AlertError> {
    let Some((program, args)) = command.split_first() else {
        return Err(AlertError::Setup("no program is named".to_owned()));
    };
    let error = |detail: String| AlertError::Program {
        program: program.clone(),
        detail,
    };
    let mut child = tokio::process::Command::new(program)
        .args(args)
        .current_dir(folder)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .map_err(|e| error(format!("cannot be started: {e}")))?;
    let stdin = child.stdin.take();
    let work = async {
        let feed = async {
            if let Some(mut stdin) = stdin {
                // A program that does not read its input is its own master.
                let _unread = stdin.write_all(input).await;
            }
        };
        let ((), output) = tokio::join!(feed, child.wait_with_output());
        output
    };
    let output = tokio::time::timeout(limit, work)
        .await
        .map_err(|_| error(format!("took longer than {} s", limit.as_secs())))?
        .map_err(|e| error(format!("cannot be waited for: {e}")))?;
    if output.status.success() {
        return Ok(output.stdout);
    }
    let said = String::from_utf8_lossy(&output.stderr);
    let said = said.lines().last().unwrap_or_default();
    Err(error(format!("ended with {}: {said}", output.status)))
}
