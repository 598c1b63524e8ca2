//! Webhooks: JSON by POST, signed, tried again.

use std::time::Duration;

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

use super::AlertError;

/// Attempts within one run; what still fails stays due.
const ATTEMPTS: u32 = 3;

/// `sha256=…`: HMAC-SHA256 of the body under the secret, as GitHub's and many other webhooks have
/// it.
pub fn signature(secret: &[u8], body: &[u8]) -> String {
    // HMAC takes keys of any length.
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(secret) else {
        return String::new();
    };
    mac.update(body);
    let digits: String = mac
        .finalize()
        .into_bytes()
        .iter()
        .map(|b| format!("{b:02x}"))
        .collect();
    format!("sha256={digits}")
}

/// Posts a body to a webhook.
///
/// # Errors
/// When it was not accepted after some attempts.
pub async fn post(
    url: &str,
    body: Vec<u8>,
    id: &str,
    secret: Option<&[u8]>,
) -> Result<(), AlertError> {
    let to = url::Url::parse(url)
        .ok()
        .and_then(|u| u.host_str().map(str::to_owned))
        .ok_or_else(|| AlertError::Setup("a webhook's address is not a URL".to_owned()))?;
    let client = reqwest::Client::builder()
        .timeout(Duration::from_secs(30))
        .redirect(reqwest::redirect::Policy::none())
        .build()
        .map_err(|e| AlertError::Setup(format!("cannot set up the HTTP client: {e}")))?;
    let mut last = String::new();
    for attempt in 0..ATTEMPTS {
        if attempt > 0 {
            tokio::time::sleep(Duration::from_millis(500 * 4u64.pow(attempt - 1))).await;
        }
        let mut request = client
            .post(url)
            .header("Content-Type", "application/json")
            .header(
                "User-Agent",
                concat!("fairnotice/", env!("CARGO_PKG_VERSION")),
            )
            .header("Idempotency-Key", id)
            .body(body.clone());
        if let Some(secret) = secret {
            request = request.header("X-Fairnotice-Signature", signature(secret, &body));
        }
        match request.send().await {
            Ok(response) if response.status().is_success() => return Ok(()),
            Ok(response) => {
                last = format!("it answered {}", response.status());
                let again = response.status().is_server_error()
                    || matches!(response.status().as_u16(), 408 | 425 | 429);
                if !again {
                    break;
                }
            }
            // The address of a chat webhook is its password, so the error is told without it.
            Err(error) => last = error.without_url().to_string(),
        }
    }
    Err(AlertError::Refused { to, detail: last })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_signature_is_that_of_rfc_4231() {
        // RFC 4231, test case 2.
        assert_eq!(
            signature(b"Jefe", b"what do ya want for nothing?"),
            "sha256=5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
        );
    }
}
