//! The guards of a rule, one after the other: what lets a request pass, or its answer.

use routing::balancer::authenticate::callback::{receive, welcome};
use routing::balancer::authenticate::login::{self, Check};
use routing::balancer::authenticate::{Failure, Guard, Login, Session, identity};
use routing::balancer::jwt::{self, TokenGuard};
use routing::balancer::pages;
use routing::live::AuthenticationLive;
use routing::tables::{ListenerTable, RuleEntry};
use routing::token::verify::digest;
use routing::{Answer, Edits, View};

use super::{entropy, provider};
use crate::serve::Scene;

/// What a request that passed has from its guards.
#[derive(Debug, Default)]
pub(crate) struct Passed {
    /// What the target is told.
    pub(crate) edits: Edits,
    /// What the client is told.
    pub(crate) cookies: Edits,
}

/// Why a request did not pass: what the client gets, and what failed unless all went as it should.
pub(crate) type Stopped = (Answer, Option<Failure>);

/// Asks the guards of a rule.
pub(crate) async fn pass(
    scene: &Scene<'_>,
    listener: &ListenerTable,
    rule: &RuleEntry,
    view: &View<'_>,
) -> Result<Passed, Stopped> {
    let live = &listener.balancer.live.get().authentication;
    let mut passed = Passed::default();
    for guard in &rule.guards {
        let done = match guard {
            Guard::Login(login) => log_in(scene, live, login, view, &mut passed).await,
            Guard::Token(guard) => token(scene, live, guard, view).await.map(|()| None),
        };
        match done {
            Ok(None) => {}
            Ok(Some(answer)) => return Err((answer, None)),
            Err(failure) => return Err(stop(live, failure)),
        }
    }
    Ok(passed)
}

fn stop(live: &AuthenticationLive, failure: Failure) -> Stopped {
    // A request without a session that a rule denies is no failure of a log-in.
    if failure.reason != "-" {
        live.fail(&failure);
    }
    (pages::page(failure.status), Some(failure))
}

/// A client comes back from a provider. AWS: it is sent to where it wanted to go.
pub(crate) async fn callback(
    scene: &Scene<'_>,
    listener: &ListenerTable,
    view: &View<'_>,
) -> Stopped {
    let live = &listener.balancer.live.get().authentication;
    match returned(scene, live, listener, view).await {
        Ok(answer) => (answer, None),
        Err(failure) => stop(live, failure),
    }
}

async fn returned(
    scene: &Scene<'_>,
    live: &AuthenticationLive,
    listener: &ListenerTable,
    view: &View<'_>,
) -> Result<Answer, Failure> {
    let (keyring, now) = (&scene.tables.keyring, scene.now);
    let back = receive(listener.logins.iter().map(|login| &**login), keyring, view, now)?;
    let session = provider::log_in(&scene.proxy.identity.fetcher, live, &back, now).await?;
    welcome(&back, &session, keyring, view, now, &entropy()?)
}

/// Lets a client pass that has a session; an answer for one that has not.
async fn log_in(
    scene: &Scene<'_>,
    live: &AuthenticationLive,
    login: &Login,
    view: &View<'_>,
    passed: &mut Passed,
) -> Result<Option<Answer>, Failure> {
    let (keyring, now) = (&scene.tables.keyring, scene.now);
    let session = match login::check(login, keyring, view, now) {
        Check::In(session) => session,
        Check::Out(reason) => {
            return login::refuse(login, keyring, view, reason, now, &entropy()?);
        }
        Check::Stale(session) => match newest(scene, live, login, &session).await {
            Ok(renewed) => {
                let lines = renewed.cookies(login, keyring, view, now, &entropy()?)?;
                for line in lines {
                    passed.cookies.append("Set-Cookie", line);
                }
                renewed
            }
            // The provider has ended the session.
            Err(failure) if !failure.is_error() => {
                let reason = Some(failure.reason);
                return login::refuse(login, keyring, view, reason, now, &entropy()?);
            }
            Err(failure) => return Err(failure),
        },
    };
    let edits = identity::headers(login, keyring, &session, now);
    let edits = edits.ok_or_else(|| {
        Failure::new(500, "AuthUnhandledException", "the identity cannot be signed")
    })?;
    passed.edits.extend(&edits);
    Ok(None)
}

/// The session after this one; the one after that when a client still shows what it had before the
/// last one.
async fn newest(
    scene: &Scene<'_>,
    live: &AuthenticationLive,
    login: &Login,
    session: &Session,
) -> Result<Session, Failure> {
    let next = renewed(scene, live, login, session).await?;
    match next.expires <= scene.now {
        true => renewed(scene, live, login, &next).await,
        false => Ok(next),
    }
}

/// Requests that come with the same session are given the same new one.
async fn renewed(
    scene: &Scene<'_>,
    live: &AuthenticationLive,
    login: &Login,
    session: &Session,
) -> Result<Session, Failure> {
    let identity = &scene.proxy.identity;
    let begun = session.begun.0.to_be_bytes();
    let parts = [&login.id[..], &begun, session.refresh_token.as_bytes()];
    let access = session.access_token.as_bytes();
    let renewal = identity.renewal(digest(&[parts[0], parts[1], parts[2], access]));
    let renew = || async {
        match provider::renew(&identity.fetcher, live, login, session, scene.now).await {
            // Whoever comes next may try again.
            Err(failure) if failure.is_error() => Err(failure),
            done => Ok(done),
        }
    };
    renewal.get_or_try_init(renew).await?.clone()
}

/// Lets a request pass that has a good token.
async fn token(
    scene: &Scene<'_>,
    live: &AuthenticationLive,
    guard: &TokenGuard,
    view: &View<'_>,
) -> Result<(), Failure> {
    let identity = &scene.proxy.identity;
    let text = jwt::bearer(view)?;
    let token = jwt::read(text)?;
    let held = identity.keys.find(&identity.fetcher, &guard.keys, token.key()).await?;
    let verdict = jwt::verdict_key(guard, held.generation, text);
    if !identity.is_verified(&verdict, scene.now) {
        let until = jwt::judge(guard, &token, &held.keys, scene.now)?;
        identity.remember(verdict, until);
    }
    live.token_successes.add(1);
    Ok(())
}
