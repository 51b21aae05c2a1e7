//! Stickiness: which target or group a request's cookies name, and which cookies a response sets.
//!
//! AWS: an undecodable or expired cookie, or one of a target that is gone or unhealthy, means a new
//! choice and a new cookie; every response makes the cookie last anew.

// DEVIATION: Stickiness cookies are signed, not encrypted; they hold no address, only keyed hashes.
// What they say fits into AWSALBAPP-0, so AWSALBAPP-1 to AWSALBAPP-3 are always `_remove_`.

// DEVIATION: Stickiness by an application's cookie also works in groups of a weighted forward
// action; on AWS it does not.

// DEVIATION: An AWSALBTG cookie that is not valid (URL-encoded, for example) leads to a new choice
// of the target group, as an AWSALB cookie does to one of the target; AWS only says that it logs
// AWSALBTGCookieInvalid.

use edits::Edits;
use model::balancer::TargetId;
use model::{TargetGroupArn, Timestamp};

use crate::View;
use crate::balancer::action::Split;
use crate::balancer::cookie::{self, Broken, Key, Kind, Token};
use crate::map::Map;
use crate::tables::GroupTable;

const BALANCER: (&str, &str) = ("AWSALB", "AWSALBCORS");
const GROUP: (&str, &str) = ("AWSALBTG", "AWSALBTGCORS");
const APPLICATION: &str = "AWSALBAPP-0";
const SPARE: [&str; 3] = ["AWSALBAPP-1", "AWSALBAPP-2", "AWSALBAPP-3"];
/// AWS: the value of a companion that holds nothing.
const REMOVE: &str = "_remove_";

/// `stickiness.*` of a target group.
#[derive(Debug)]
pub struct Stickiness {
    /// Whose cookie it hangs on.
    pub by: By,
    /// How long a cookie holds, in milliseconds.
    pub duration_ms: i64,
    tokens: Vec<Token>,
    places: Map<Token, usize>,
}

/// Whose cookie keeps a client with its target.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum By {
    /// `lb_cookie`: the load balancer's.
    Balancer,
    /// `app_cookie`: the targets' own, of this name, together with the load balancer's.
    Application(String),
}

impl Stickiness {
    /// Stickiness to these targets of a group, in the order of its table.
    pub fn new<'a>(
        by: By,
        duration_ms: i64,
        key: &Key,
        group: &TargetGroupArn,
        targets: impl Iterator<Item = &'a TargetId>,
    ) -> Self {
        let token = |id: &TargetId| key.token(&[group.as_str(), &id.id, &id.port.to_string()]);
        let tokens: Vec<_> = targets.map(token).collect();
        let places = tokens.iter().enumerate().map(|(place, token)| (*token, place)).collect();
        Self { by, duration_ms, tokens, places }
    }
}

/// What a request's cookie did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stick {
    /// Nothing is sticky.
    Off,
    /// It named whom the request went to.
    Kept,
    /// A new choice was made, for this reason.
    New(Why),
}

/// Why a cookie did not decide.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Why {
    /// There was none.
    NoCookie,
    /// It is not one of ours.
    Invalid,
    /// It is too old.
    Expired,
    /// It names a target or group that is no longer there.
    Gone,
    /// It names an unhealthy target.
    Unhealthy,
}

impl From<Broken> for Why {
    fn from(broken: Broken) -> Self {
        match broken {
            Broken::Invalid => Self::Invalid,
            Broken::Expired => Self::Expired,
        }
    }
}

impl Stick {
    /// For `explain`; nothing when nothing is sticky.
    pub fn words(self) -> &'static str {
        match self {
            Self::Off => "",
            Self::Kept => ", kept by its cookie",
            Self::New(Why::NoCookie) => ", newly chosen: no stickiness cookie",
            Self::New(Why::Invalid) => ", newly chosen: the stickiness cookie is not valid",
            Self::New(Why::Expired) => ", newly chosen: the stickiness cookie has expired",
            Self::New(Why::Gone) => ", newly chosen: the stickiness cookie names what is gone",
            Self::New(Why::Unhealthy) => {
                ", newly chosen: the stickiness cookie names an unhealthy target"
            }
        }
    }
}

/// The place of the target that a request's cookie names.
pub fn target(sticky: &Stickiness, key: &Key, view: &View, now: Timestamp) -> Result<usize, Why> {
    let (kind, text) = match &sticky.by {
        By::Balancer => (Kind::Balancer, either(view, BALANCER)),
        // AWS: the client has to return both cookies.
        By::Application(name) => {
            (Kind::Application, companion(view).filter(|_| cookie::sent(view, name).is_some()))
        }
    };
    let token = key.open(kind, text.ok_or(Why::NoCookie)?, now, sticky.duration_ms)?;
    sticky.places.get(&token).copied().ok_or(Why::Gone)
}

/// The place of the group that a request's cookie names. AWS: a weight of 0 stops new clients only.
pub fn group(split: &Split, key: &Key, view: &View, now: Timestamp) -> Result<usize, Why> {
    let duration_ms = split.sticky_ms.ok_or(Why::NoCookie)?;
    let text = either(view, GROUP).ok_or(Why::NoCookie)?;
    let token = key.open(Kind::Group, text, now, duration_ms)?;
    let usable = |(arn, _): &(&TargetGroupArn, usize)| group_token(key, arn) == token;
    let groups = split.groups.iter().enumerate();
    let mut groups = groups.filter_map(|(place, group)| Some((group.group.as_ref().ok()?, place)));
    groups.find(usable).map(|(_, place)| place).ok_or(Why::Gone)
}

fn group_token(key: &Key, group: &TargetGroupArn) -> Token {
    key.token(&[group.as_str()])
}

/// AWS: browsers send a cookie across sites only with `SameSite=None`, so there are two alike.
fn either<'a>(view: &View<'a>, (own, cross_site): (&str, &str)) -> Option<&'a str> {
    cookie::sent(view, own).or_else(|| cookie::sent(view, cross_site))
}

/// What is known of a request when its response is to get cookies.
#[derive(Clone, Copy, Debug)]
pub struct Session<'t> {
    /// The group that the request went to.
    pub group: &'t GroupTable,
    /// Whether the choice of the group is sticky.
    pub group_sticky: bool,
    /// Whether the request brought the application's cookie and its companion.
    pub application: bool,
    /// Whether the application's companions are for requests across sites.
    pub cross_site: bool,
    /// Whether the listener speaks TLS.
    pub secure: bool,
}

impl Session<'_> {
    /// Whether responses can set cookies at all.
    pub fn sets_cookies(&self) -> bool {
        self.group_sticky || self.group.sticky.is_some()
    }
}

/// Whether a request brought the application's cookie and its companion, valid or not: then the
/// client stays with the target that it gets now.
pub fn has_application(group: &GroupTable, view: &View) -> bool {
    let Some(Stickiness { by: By::Application(name), .. }) = &group.sticky else { return false };
    cookie::sent(view, name).is_some() && companion(view).is_some()
}

/// The companion of an application's cookie, if it holds something.
fn companion<'a>(view: &View<'a>) -> Option<&'a str> {
    cookie::sent(view, APPLICATION).filter(|value| *value != REMOVE)
}

/// Whether the companions have to be sent across sites.
///
/// AWS: `SameSite=None; Secure` for requests from other origins by Chromium, since version 80.
pub fn crosses_sites(group: &GroupTable, view: &View) -> bool {
    if !matches!(&group.sticky, Some(Stickiness { by: By::Application(_), .. })) {
        return false;
    }
    let text = |name| view.values(name).next().and_then(|value| std::str::from_utf8(value).ok());
    let origin = text("origin").and_then(|origin| origin.split_once("://"));
    let foreign = origin.is_some_and(|(_, host)| Some(host) != view.host);
    let version = |agent: &str| -> Option<u32> {
        let (_, rest) = agent.split_once("Chrome/").or_else(|| agent.split_once("Chromium/"))?;
        rest.split('.').next()?.parse().ok()
    };
    foreign && text("user-agent").and_then(version).is_some_and(|version| version >= 80)
}

/// The cookies of the response of a target.
pub fn cookies(
    session: &Session,
    key: &Key,
    target: &TargetId,
    response: &[(&str, &[u8])],
    now: Timestamp,
) -> Edits {
    let mut edits = Edits::new();
    let mut set = |name: &str, value: &str, cross_site| {
        let line = cookie::line(name, value, now, cross_site, session.secure);
        edits.append("Set-Cookie", line);
    };
    if session.group_sticky {
        let value = key.seal(Kind::Group, group_token(key, &session.group.arn), now);
        set(GROUP.0, &value, false);
        set(GROUP.1, &value, true);
    }
    let Some(sticky) = &session.group.sticky else { return edits };
    let place = session.group.targets.binary_search_by(|entry| entry.id.cmp(target)).ok();
    let Some(token) = place.and_then(|place| sticky.tokens.get(place)) else { return edits };
    match &sticky.by {
        By::Balancer => {
            let value = key.seal(Kind::Balancer, *token, now);
            set(BALANCER.0, &value, false);
            set(BALANCER.1, &value, true);
        }
        // AWS: a session begins when the target sets its cookie.
        By::Application(name) => {
            let begun = session.application || sets(response, name);
            let value = begun.then(|| key.seal(Kind::Application, *token, now));
            set(APPLICATION, value.as_deref().unwrap_or(REMOVE), session.cross_site);
            SPARE.into_iter().for_each(|name| set(name, REMOVE, session.cross_site));
        }
    }
    edits
}

fn sets(response: &[(&str, &[u8])], name: &str) -> bool {
    let lines = response.iter().filter(|(line, _)| line.eq_ignore_ascii_case("set-cookie"));
    lines.map(|(_, value)| *value).any(|value| {
        let end = value.iter().position(|byte| matches!(byte, b'=' | b';')).unwrap_or(value.len());
        value[..end].trim_ascii() == name.as_bytes()
    })
}

#[cfg(test)]
mod tests;
