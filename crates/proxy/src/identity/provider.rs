//! Calls to identity providers during a log-in, and the session that comes of them.

use std::time::{Duration, Instant};

use bytes::Bytes;
use model::Timestamp;
use network::{Fetch, FetchError, Fetcher};
use routing::balancer::authenticate::callback::Return;
use routing::balancer::authenticate::tokens::{self, Call};
use routing::balancer::authenticate::{Failure, Login, Session};
use routing::live::AuthenticationLive;

/// Time for each call. AWS: 5 seconds.
pub const PROVIDER_TIMEOUT: Duration = Duration::from_secs(5);
/// Bytes of an answer.
pub const PROVIDER_ANSWER_BYTES: usize = 64 * 1024;

/// Which of a provider's endpoints is asked, in the words of the access log.
struct Words {
    timeout: &'static str,
    failed: &'static str,
    too_large: &'static str,
}

const TOKEN: Words = Words {
    timeout: "AuthTokenEpRequestTimeout",
    failed: "AuthTokenEpRequestFailed",
    too_large: "AuthTokenEpRequestFailed",
};
const USER_INFO: Words = Words {
    timeout: "AuthUserinfoEpRequestTimeout",
    failed: "AuthUserinfoEpRequestFailed",
    too_large: "AuthUserinfoResponseSizeExceeded",
};

/// Makes a session of a client's code.
pub(super) async fn log_in(
    fetcher: &Fetcher,
    live: &AuthenticationLive,
    back: &Return<'_>,
    now: Timestamp,
) -> Result<Session, Failure> {
    let begun = Instant::now();
    let login = back.login;
    let answer =
        call(fetcher, tokens::for_code(login, &back.state.host, &back.code), &TOKEN).await?;
    let tokens = tokens::read_new(login, (answer.0, &answer.1), now)?;
    let answer = call(fetcher, tokens::for_claims(login, &tokens), &USER_INFO).await?;
    let session = tokens::read_claims(login, tokens, None, (answer.0, &answer.1), now)?;
    live.latency_us.add(u64::try_from(begun.elapsed().as_micros()).unwrap_or(u64::MAX));
    live.successes.add(1);
    Ok(session)
}

/// Makes a new session of one whose access token has expired.
pub(super) async fn renew(
    fetcher: &Fetcher,
    live: &AuthenticationLive,
    login: &Login,
    session: &Session,
    now: Timestamp,
) -> Result<Session, Failure> {
    let answer = call(fetcher, tokens::for_refresh(login, session), &TOKEN).await?;
    let tokens = tokens::read_again(session, (answer.0, &answer.1), now)?;
    let answer = call(fetcher, tokens::for_claims(login, &tokens), &USER_INFO).await?;
    let renewed = tokens::read_claims(login, tokens, Some(session), (answer.0, &answer.1), now)?;
    live.refreshes.add(1);
    Ok(renewed)
}

async fn call(fetcher: &Fetcher, call: Call<'_>, words: &Words) -> Result<(u16, Bytes), Failure> {
    let Call { endpoint, method, headers, body } = call;
    let mut lines = vec![("host", endpoint.authority.as_str())];
    lines.extend(headers.iter().map(|(name, value)| (*name, value.as_str())));
    let fetch = Fetch {
        https: endpoint.https,
        host: &endpoint.host,
        port: endpoint.port,
        method,
        target: &endpoint.target,
        headers: &lines,
        body: Bytes::from(body),
        max_body: PROVIDER_ANSWER_BYTES,
        timeout: PROVIDER_TIMEOUT,
    };
    let answer = fetcher.fetch(&fetch).await.map_err(|error| {
        let reason = match error {
            FetchError::Timeout => words.timeout,
            FetchError::TooLarge => words.too_large,
            FetchError::Failed(_) => words.failed,
        };
        Failure::new(500, reason, format!("{endpoint}: {error}"))
    })?;
    Ok((answer.status, answer.body))
}
