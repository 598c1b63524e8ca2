//! The way out for a browser: a proxy on this machine, for one page, that connects only where the
//! gate lets it. The browser resolves no name itself, so what was checked is what is connected to,
//! for the page, each redirect and everything that its scripts ask for.

use std::{io, net::SocketAddr};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    task::JoinHandle,
};

use super::AddressGuard;

/// Largest head of a request.
const HEAD: usize = 64 << 10;

/// A proxy that ends with its owner.
#[derive(Debug)]
pub(super) struct Tunnel {
    address: SocketAddr,
    task: JoinHandle<()>,
}

impl Drop for Tunnel {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Tunnel {
    /// Listens on a port of its own.
    pub(super) async fn start(guard: AddressGuard) -> io::Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let address = listener.local_addr()?;
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let guard = guard.clone();
                tokio::spawn(async move {
                    // A browser that breaks off has seen enough.
                    let _broken = serve(stream, &guard).await;
                });
            }
        });
        Ok(Self { address, task })
    }

    /// Where it listens.
    pub(super) fn address(&self) -> SocketAddr {
        self.address
    }
}

async fn serve(mut browser: TcpStream, guard: &AddressGuard) -> io::Result<()> {
    let Some((head, rest)) = head_of(&mut browser).await? else {
        return Ok(());
    };
    let Some((asked, sent)) = parse(&head) else {
        return refuse(&mut browser, "400 Bad Request").await;
    };
    let Some(mut server) = connect(&asked, guard).await else {
        return refuse(&mut browser, "403 Forbidden").await;
    };
    match sent {
        Some(sent) => {
            server.write_all(sent.as_bytes()).await?;
            server.write_all(&rest).await?;
            let Some((head, rest)) = head_of(&mut server).await? else {
                return refuse(&mut browser, "502 Bad Gateway").await;
            };
            let (line, fields) = head.split_once("\r\n").unwrap_or((&head, ""));
            let head = format!("{line}\r\n{}", closing(fields));
            browser.write_all(head.as_bytes()).await?;
            browser.write_all(&rest).await?;
        }
        None => {
            let connected = b"HTTP/1.1 200 Connected\r\n\r\n";
            browser.write_all(connected).await?;
        }
    }
    tokio::io::copy_bidirectional(&mut browser, &mut server).await?;
    Ok(())
}

/// The head of a message, and what came after it; `None` when it ends early or is too long.
async fn head_of(stream: &mut TcpStream) -> io::Result<Option<(String, Vec<u8>)>> {
    let mut bytes = Vec::new();
    loop {
        if let Some(at) = bytes.windows(4).position(|w| w == b"\r\n\r\n") {
            let rest = bytes.split_off(at + 4);
            return Ok(Some((String::from_utf8_lossy(&bytes).into_owned(), rest)));
        }
        if bytes.len() > HEAD || stream.read_buf(&mut bytes).await? == 0 {
            return Ok(None);
        }
    }
}

/// Header fields of a message after which the connection ends, with the empty line.
fn closing(fields: &str) -> String {
    let mut kept = String::new();
    for field in fields.lines().filter(|line| !line.is_empty()) {
        let name = field.split(':').next().unwrap_or_default();
        let hop = ["connection", "proxy-connection", "keep-alive"];
        if !hop.iter().any(|hop| name.eq_ignore_ascii_case(hop)) {
            kept += field;
            kept += "\r\n";
        }
    }
    kept + "Connection: close\r\n\r\n"
}

async fn refuse(browser: &mut TcpStream, status: &str) -> io::Result<()> {
    let answer = format!("HTTP/1.1 {status}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
    browser.write_all(answer.as_bytes()).await
}

async fn connect((host, port): &(String, u16), guard: &AddressGuard) -> Option<TcpStream> {
    let found = tokio::net::lookup_host((host.as_str(), *port)).await.ok()?;
    let passing: Vec<SocketAddr> = found.filter(|a| guard.passes(a.ip())).collect();
    TcpStream::connect(passing.as_slice()).await.ok()
}

/// Host and port that a head asks for, and the head to send on: none for `CONNECT`. A plain request
/// and its answer are told to close, so that the next one cannot come to the wrong host.
fn parse(head: &str) -> Option<((String, u16), Option<String>)> {
    let (line, fields) = head.split_once("\r\n")?;
    let mut words = line.split(' ');
    let (method, target, version) = (words.next()?, words.next()?, words.next()?);
    if method == "CONNECT" {
        let (host, port) = target.rsplit_once(':')?;
        let host = host.trim_matches(['[', ']']).to_owned();
        return Some(((host, port.parse().ok()?), None));
    }
    let url = url::Url::parse(target)
        .ok()
        .filter(|u| u.scheme() == "http")?;
    let host = url.host_str()?.trim_matches(['[', ']']).to_owned();
    let port = url.port_or_known_default()?;
    let query = url.query().map_or_else(String::new, |q| format!("?{q}"));
    let line = format!("{method} {}{query} {version}\r\n", url.path());
    let sent = line + &closing(fields);
    Some(((host, port), Some(sent)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn heads_are_read_and_made_to_close() {
        let (asked, head) =
            parse("GET http://fern.example:8080/p?q=1 HTTP/1.1\r\nHost: fern.example:8080\r\nProxy-Connection: keep-alive\r\nA: b\r\n\r\n")
                .unwrap();
        assert_eq!(asked, ("fern.example".to_owned(), 8080));
        assert_eq!(
            head.unwrap(),
            "GET /p?q=1 HTTP/1.1\r\nHost: fern.example:8080\r\nA: b\r\nConnection: close\r\n\r\n"
        );
        let (asked, head) = parse("CONNECT [::1]:443 HTTP/1.1\r\n\r\n").unwrap();
        assert_eq!((asked, head), (("::1".to_owned(), 443), None));
        assert!(parse("GET /p HTTP/1.1\r\n\r\n").is_none());
        assert!(parse("GET ftp://fern.example/ HTTP/1.1\r\n\r\n").is_none());
    }

    #[tokio::test]
    async fn a_private_address_is_not_connected_to() {
        let inner = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let port = inner.local_addr().unwrap().port();
        for (guard, status) in [
            (AddressGuard::new(|_| false), "HTTP/1.1 403"),
            (AddressGuard::new(|_| true), "HTTP/1.1 200"),
        ] {
            let tunnel = Tunnel::start(guard).await.unwrap();
            let mut browser = TcpStream::connect(tunnel.address()).await.unwrap();
            let ask = format!("CONNECT localhost:{port} HTTP/1.1\r\n\r\n");
            browser.write_all(ask.as_bytes()).await.unwrap();
            let mut answer = vec![0; status.len()];
            browser.read_exact(&mut answer).await.unwrap();
            assert_eq!(String::from_utf8_lossy(&answer), status);
        }
    }
}
