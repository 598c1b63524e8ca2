//! `fairnotice export ota`

use std::path::PathBuf;

use fairnotice::run::{Workspace, import::export};

use super::{Exit, Globals, Outcome, print_json, print_text};

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, clap::Subcommand)]
enum What {
    /// A Git repository laid out as the versions of Open Terms Archive.
    Ota {
        /// A folder that is empty or does not exist yet.
        folder: PathBuf,
        /// Only this document; may be repeated.
        #[arg(long)]
        id: Vec<String>,
        /// Name of the service (default: the organisation's service, else its name).
        #[arg(long)]
        service: Option<String>,
    },
}

#[derive(serde::Serialize)]
struct Report<'a> {
    schema: &'static str,
    folder: &'a std::path::Path,
    #[serde(flatten)]
    exported: export::Exported,
}

pub(crate) fn run(args: &Args, globals: &Globals) -> Outcome {
    let What::Ota {
        folder,
        id,
        service,
    } = &args.what;
    let workspace = Workspace::read(&globals.workspace)?;
    let organisation = &workspace.config.organisation;
    let service = [
        service.as_deref(),
        organisation.service.as_deref(),
        Some(organisation.name.as_str()),
    ]
    .into_iter()
    .flatten()
    .find(|name| !name.is_empty())
    .unwrap_or("Documents");
    let exported = export::ota(&workspace, id, service, folder)?;
    if globals.json() {
        print_json(&Report {
            schema: "fairnotice/export/1",
            folder,
            exported,
        })?;
    } else {
        print_text(&format!(
            "exported {} versions of {} documents to {}\n",
            exported.versions,
            exported.documents,
            folder.display()
        ))?;
    }
    Ok(Exit::Done)
}
