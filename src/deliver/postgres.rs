//! Recipients by an SQL query on a PostgreSQL database, streamed: rows become JSON Lines, and
//! are read like a file.

use std::{
    io::{self, BufReader, Read},
    sync::{Arc, mpsc},
};

use futures_util::TryStreamExt as _;
use rustls_platform_verifier::BuilderVerifierExt as _;
use tokio_postgres::{Config, NoTls, config::SslMode};

/// Why a query gives no recipients.
#[derive(Debug, thiserror::Error)]
pub enum PostgresError {
    /// The URL.
    #[error("the database address cannot be read: {0}")]
    Url(String),
    /// No query.
    #[error("a database needs a query: say --query 'SELECT … AS email, … FROM …'")]
    NoQuery,
}

/// Starts a query; what it gives is read as JSON Lines. The query may stand in the URL as
/// `?query=…`. Errors of the database come out of the reader.
///
/// # Errors
/// When the URL cannot be understood or there is no query.
pub fn query(url: &str, sql: Option<&str>) -> Result<BufReader<impl Read + use<>>, PostgresError> {
    let mut parsed = url::Url::parse(url).map_err(|e| PostgresError::Url(e.to_string()))?;
    let mut in_url = None;
    let rest: Vec<(String, String)> = parsed
        .query_pairs()
        .filter_map(|(name, value)| {
            if name == "query" {
                in_url = Some(value.into_owned());
                None
            } else {
                Some((name.into_owned(), value.into_owned()))
            }
        })
        .collect();
    parsed.set_query(None);
    if !rest.is_empty() {
        parsed.query_pairs_mut().extend_pairs(rest);
    }
    let sql = sql
        .map(str::to_owned)
        .or(in_url)
        .ok_or(PostgresError::NoQuery)?;
    let sql = sql.trim().trim_end_matches(';').to_owned();
    let config: Config = parsed
        .as_str()
        .parse()
        .map_err(|e: tokio_postgres::Error| PostgresError::Url(describe(&e)))?;
    // Little is in flight at any time, so that millions of rows need no memory.
    let (send, receive) = mpsc::sync_channel::<io::Result<Vec<u8>>>(64);
    std::thread::spawn(move || {
        if let Err(why) = run(config, &sql, &send) {
            // A reader that went away does not care.
            let _gone = send.send(Err(io::Error::other(why)));
        }
    });
    Ok(BufReader::with_capacity(
        1 << 16,
        Rows {
            receive,
            current: Vec::new(),
            at: 0,
        },
    ))
}

struct Rows {
    receive: mpsc::Receiver<io::Result<Vec<u8>>>,
    current: Vec<u8>,
    at: usize,
}

impl Read for Rows {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.at >= self.current.len() {
            match self.receive.recv() {
                Ok(next) => {
                    self.current = next?;
                    self.at = 0;
                }
                Err(_) => return Ok(0),
            }
        }
        let rest = self.current.get(self.at..).unwrap_or_default();
        let count = rest.len().min(buffer.len());
        if let (Some(to), Some(from)) = (buffer.get_mut(..count), rest.get(..count)) {
            to.copy_from_slice(from);
        }
        self.at += count;
        Ok(count)
    }
}

type Sender = mpsc::SyncSender<io::Result<Vec<u8>>>;

fn run(config: Config, sql: &str, send: &Sender) -> Result<(), String> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|e| e.to_string())?;
    runtime.block_on(async {
        let client = connect(config).await?;
        let wrapped = format!("SELECT row_to_json(recipient)::text FROM ({sql}) AS recipient");
        let rows = client
            .query_raw(&wrapped, std::iter::empty::<&str>())
            .await
            .map_err(|e| describe(&e))?;
        let mut rows = std::pin::pin!(rows);
        let mut block = Vec::new();
        while let Some(row) = rows.try_next().await.map_err(|e| describe(&e))? {
            let line: &str = row.try_get(0).map_err(|e| describe(&e))?;
            block.extend_from_slice(line.as_bytes());
            block.push(b'\n');
            if block.len() > 1 << 15 && send.send(Ok(std::mem::take(&mut block))).is_err() {
                return Ok(());
            }
        }
        // A reader that went away does not care.
        let _gone = send.send(Ok(block));
        Ok(())
    })
}

async fn connect(config: Config) -> Result<tokio_postgres::Client, String> {
    if config.get_ssl_mode() == SslMode::Disable {
        let (client, connection) = config.connect(NoTls).await.map_err(|e| describe(&e))?;
        tokio::spawn(connection);
        return Ok(client);
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let tls = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .and_then(|builder| builder.with_platform_verifier())
        .map_err(|e| e.to_string())?
        .with_no_client_auth();
    let tls = tokio_postgres_rustls::MakeRustlsConnect::new(tls);
    let (client, connection) = config.connect(tls).await.map_err(|e| describe(&e))?;
    tokio::spawn(connection);
    Ok(client)
}

fn describe(error: &tokio_postgres::Error) -> String {
    match error.as_db_error() {
        Some(db) => format!("the database says: {}", db.message()),
        None => {
            let mut text = error.to_string();
            let mut source = std::error::Error::source(error);
            while let Some(inner) = source {
                text += &format!(": {inner}");
                source = inner.source();
            }
            text
        }
    }
}
