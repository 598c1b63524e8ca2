//! Fetches the sources of many documents at once and hands them over one by one, so that no more
//! than a few captures are in memory.

use std::{collections::BTreeMap, path::Path, sync::Arc, time::Duration};

use tokio::sync::mpsc;

use crate::{
    config,
    fetch::{self, AddressGuard, Capture, FetchError, Fetched, Fetcher},
    store::Validators,
};

/// What came for one document: a capture for each of its sources, or word that nothing changed.
#[derive(Debug)]
pub enum Gathered {
    /// All captures, in the order of the sources.
    Captures(Vec<Capture>),
    /// The server says that the last capture is still right.
    NotModified,
}

/// Captures of one document, or why there are none.
pub type Outcome = Result<Gathered, FetchError>;

/// One document that is being fetched.
struct Wish {
    document: config::Document,
    /// Of the last look, for a conditional request.
    known: Option<Validators>,
}

/// The fetcher that a configuration describes.
///
/// # Errors
/// When the client cannot be set up.
pub fn fetcher(config: &config::Fetch) -> Result<Fetcher, FetchError> {
    let networks = config.allow_addresses.clone();
    Fetcher::new(fetch::Options {
        contact: config.contact.clone(),
        timeout: Duration::from_secs(config.timeout_seconds.max(1)),
        max_megabytes: config.max_megabytes.max(1),
        max_redirects: config.max_redirects,
        delay: Duration::from_millis(config.delay_milliseconds),
        retries: config.retries,
        proxy: config.proxy.clone(),
        guard: AddressGuard::new(move |address| networks.iter().any(|n| n.holds(address))),
    })
}

/// Fetches documents, several hosts at once, and calls `each` with every outcome as it comes.
/// Documents of different hosts are interleaved, so that one slow host holds up nobody. `known`
/// gives what a conditional request needs, and is asked for when a document's turn comes: of the
/// others nothing is held. Both work on `context`.
///
/// # Errors
/// When the client or the runtime cannot be set up, or `known` or `each` fails.
pub fn gather<C: ?Sized, E: From<FetchError>>(
    context: &mut C,
    root: &Path,
    settings: &config::Fetch,
    documents: &[&config::Document],
    known: impl Fn(&mut C, &config::Document) -> Result<Option<Validators>, E>,
    mut each: impl FnMut(&mut C, &config::Document, Outcome) -> Result<(), E>,
) -> Result<(), E> {
    let (files, pages): (Vec<&config::Document>, Vec<_>) = documents
        .iter()
        .partition(|document| document.source.iter().all(|s| !is_page(s)));
    // What is wrong with the client is known before anything is looked at.
    let fetcher = match pages.is_empty() {
        true => None,
        false => Some(Arc::new(fetcher(settings)?)),
    };
    for document in files {
        let outcome = read_files(root, &document.source, settings.max_megabytes);
        each(context, document, outcome)?;
    }
    let Some(fetcher) = fetcher else {
        return Ok(());
    };
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .map_err(|e| FetchError::Setup(format!("cannot start the network runtime: {e}")))?;
    let at_once = settings.concurrency.clamp(1, 256);
    let (sender, mut receiver) = mpsc::channel(2);
    let (root, settings) = (Arc::new(root.to_owned()), Arc::new(settings.clone()));
    let mut waiting = interleaved(&pages).into_iter();
    // Captures that wait to be read count as being fetched, so that a fast server cannot fill the
    // memory.
    let mut under_way = 0;
    let mut arrived: Option<(usize, Outcome)> = None;
    loop {
        while under_way < at_once
            && let Some(place) = waiting.next()
        {
            let Some(document) = pages.get(place) else {
                continue;
            };
            let wish = Wish {
                known: known(context, document)?,
                document: (*document).clone(),
            };
            let (fetcher, sender) = (Arc::clone(&fetcher), sender.clone());
            let (root, settings) = (Arc::clone(&root), Arc::clone(&settings));
            runtime.spawn(async move {
                let outcome = fetch_document(&root, &settings, &fetcher, &wish).await;
                // Nobody listens any more when the run has failed.
                let _listening = sender.send((place, outcome)).await;
            });
            under_way += 1;
        }
        if let Some((place, outcome)) = arrived.take()
            && let Some(document) = pages.get(place)
        {
            each(context, document, outcome)?;
        }
        if under_way == 0 {
            break;
        }
        arrived = receiver.blocking_recv();
        under_way -= 1;
    }
    runtime.shutdown_background();
    Ok(())
}

/// Whether a source is a page rather than a file.
pub fn is_page(source: &str) -> bool {
    let scheme = source.split_once("://").map(|(scheme, _)| scheme);
    scheme.is_some_and(|s| s.eq_ignore_ascii_case("http") || s.eq_ignore_ascii_case("https"))
}

fn read_files(root: &Path, sources: &[String], max_megabytes: u64) -> Outcome {
    sources
        .iter()
        .map(|source| {
            if source.contains("://") && !source.starts_with("file://") {
                return Err(FetchError::Scheme(crate::evidence::hidden(source)));
            }
            fetch::read_file(root, source, max_megabytes)
        })
        .collect::<Result<Vec<_>, _>>()
        .map(Gathered::Captures)
}

async fn fetch_document(
    root: &Path,
    settings: &config::Fetch,
    fetcher: &Fetcher,
    wish: &Wish,
) -> Outcome {
    let mut captures = Vec::new();
    let single = wish.document.source.len() == 1;
    for source in &wish.document.source {
        if !is_page(source) {
            captures.push(fetch::read_file(root, source, settings.max_megabytes)?);
            continue;
        }
        let robots = wish.document.robots.unwrap_or(settings.robots);
        let ignore_robots = robots == config::Robots::Ignore;
        if wish.document.render == config::Render::Browser {
            captures.push(draw(root, settings, fetcher, wish, source, ignore_robots).await?);
            continue;
        }
        // A document in parts is fetched whole: one unchanged part says nothing of the others.
        let known = wish.known.as_ref().filter(|_| single);
        let request = fetch::Request {
            url: source.clone(),
            headers: wish.document.headers.clone(),
            validators_for: known.map(|v| v.url.clone()),
            etag: known.and_then(|v| v.etag.clone()),
            last_modified: known.and_then(|v| v.last_modified.clone()),
            ignore_robots,
        };
        match fetcher.fetch(&request).await? {
            Fetched::New(capture) if settings.browser_fallback && empty(&capture) => {
                captures.push(draw(root, settings, fetcher, wish, source, ignore_robots).await?);
            }
            Fetched::New(capture) => captures.push(*capture),
            Fetched::NotModified => return Ok(Gathered::NotModified),
        }
    }
    Ok(Gathered::Captures(captures))
}

async fn draw(
    root: &Path,
    settings: &config::Fetch,
    fetcher: &Fetcher,
    wish: &Wish,
    source: &str,
    ignore_robots: bool,
) -> Result<Capture, FetchError> {
    fetcher.admits(source, ignore_robots).await?;
    let networks = settings.allow_addresses.clone();
    let browser = fetch::Browser {
        program: settings.browser.clone(),
        folder: root.join(super::workspace::STATE_FOLDER),
        timeout: Duration::from_secs(settings.timeout_seconds.max(1)),
        max_megabytes: settings.max_megabytes.max(1),
        max_redirects: settings.max_redirects,
        guard: AddressGuard::new(move |address| networks.iter().any(|n| n.holds(address))),
        proxy: settings.proxy.clone(),
        contact: settings.contact.clone(),
        headers: wish.document.headers.clone(),
    };
    let wait_for = wish.document.wait_for.as_deref();
    fetcher
        .politely(source, || browser.draw(source, wait_for))
        .await
}

/// Whether a page as served holds too little text to be a policy.
fn empty(capture: &Capture) -> bool {
    let input = crate::read::Input {
        bytes: &capture.bytes,
        media_type: capture.media_type.as_deref(),
        url: Some(&capture.url),
        ..crate::read::Input::default()
    };
    match crate::read::read(&input) {
        Ok(document) => document
            .suspect
            .is_some_and(|s| s.code == "too-little-text"),
        Err(error) => matches!(
            error,
            crate::read::ReadError::Empty | crate::read::ReadError::NoText(_)
        ),
    }
}

/// Places of the first documents of each host, then of the second ones, and so on.
fn interleaved(documents: &[&config::Document]) -> Vec<usize> {
    let mut turns: BTreeMap<String, usize> = BTreeMap::new();
    let mut ordered: Vec<(usize, usize)> = documents
        .iter()
        .enumerate()
        .map(|(place, document)| {
            let host = document
                .source
                .iter()
                .find_map(|s| url::Url::parse(s).ok())
                .and_then(|u| u.host_str().map(str::to_owned))
                .unwrap_or_default();
            let turn = turns.entry(host).or_default();
            *turn += 1;
            (*turn, place)
        })
        .collect();
    ordered.sort_unstable();
    ordered.into_iter().map(|(_, place)| place).collect()
}
