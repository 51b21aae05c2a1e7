//! Requests that two HTTP servers may read differently: how they are classified, and what the
//! load balancer's mode makes of them (`routing.http.desync_mitigation_mode`).
//!
//! Only what a head still shows is seen here. What the codec refuses or mends before a decision
//! (bad versions, bare line feeds, folded lines, lines without a colon) is not.

// DEVIATION: After an ambiguous request in defensive mode the client's connection is closed, the
// target's is kept: requests are written anew towards targets, never copied. Through an HTTP API
// nothing is closed, since the API, not the client, is the load balancer's peer.

// DEVIATION: What two servers could read differently gets 400 in every desync mode, 'monitor' too:
// Content-Length together with Transfer-Encoding, several lines of either, a length that is no
// number, versions other than HTTP/1.0 and HTTP/1.1, folded lines, lines without a colon or with
// blanks before it, bare line feeds, blanks in the target and control characters. AWS forwards the
// ambiguous ones of these, and in the mode 'monitor' all of them.

use edits::legal::{is_printed, is_token};

use crate::{Version, View};

/// `routing.http.desync_mitigation_mode`
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Mode {
    /// Lets everything through.
    Monitor,
    /// Refuses what is severe. AWS: the default.
    #[default]
    Defensive,
    /// Refuses whatever is not compliant.
    Strictest,
}

/// How bad a request is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Tier {
    /// Against the standard, harmless.
    Acceptable,
    /// May be read differently.
    Ambiguous,
    /// Most likely an attack.
    Severe,
}

/// Why a request is not compliant, in AWS's words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// A header name or value with odd characters.
    NonCompliantHeader,
    /// NUL or CR in a header.
    BadHeader,
    /// A header without a name.
    EmptyHeader,
    /// A name that others may take for one of the two framing headers.
    SuspiciousHeader,
    /// GET or HEAD with a body by length.
    UndefinedContentLengthSemantics,
    /// `Transfer-Encoding` with GET or HEAD, or before HTTP/1.1.
    UndefinedTransferEncodingSemantics,
    /// GET or HEAD with a length of 0.
    GetHeadZeroContentLength,
    /// Both framing headers.
    BothTeClPresent,
    /// The same length twice.
    DuplicateContentLength,
    /// Different lengths.
    MultipleContentLength,
    /// A length that is no number.
    BadContentLength,
    /// `chunked` twice.
    MultipleTransferEncodingChunked,
    /// An unknown coding.
    BadTransferEncoding,
    /// A method that is no token.
    BadMethod,
    /// NUL or CR in the URI.
    BadUri,
    /// A space in the URI.
    SpaceInUri,
    /// Another control character in the URI.
    AmbiguousUri,
}

impl Reason {
    /// How bad it is.
    pub fn tier(self) -> Tier {
        match self {
            Self::NonCompliantHeader | Self::GetHeadZeroContentLength | Self::SpaceInUri => {
                Tier::Acceptable
            }
            Self::EmptyHeader
            | Self::SuspiciousHeader
            | Self::UndefinedContentLengthSemantics
            | Self::UndefinedTransferEncodingSemantics
            | Self::BothTeClPresent
            | Self::DuplicateContentLength
            | Self::AmbiguousUri => Tier::Ambiguous,
            Self::BadHeader
            | Self::MultipleContentLength
            | Self::BadContentLength
            | Self::MultipleTransferEncodingChunked
            | Self::BadTransferEncoding
            | Self::BadMethod
            | Self::BadUri => Tier::Severe,
        }
    }

    /// A sentence for a refusal.
    pub fn words(self) -> String {
        format!("desync mitigation refuses the request: {self:?} ({:?})", self.tier())
    }
}

/// What happens to a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It passes.
    Allow,
    /// It passes, and the client's connection ends after it.
    AllowAndClose(Reason),
    /// 400, and the connection ends.
    Refuse(Reason),
}

/// What a mode makes of a request.
pub fn verdict(view: &View, mode: Mode) -> Verdict {
    judge(classify(view), mode)
}

/// What a mode makes of a request that was classified.
pub fn judge(found: Option<Reason>, mode: Mode) -> Verdict {
    found.map_or(Verdict::Allow, |reason| weigh(reason, mode))
}

fn weigh(reason: Reason, mode: Mode) -> Verdict {
    match (mode, reason.tier()) {
        (Mode::Monitor, _) | (Mode::Defensive, Tier::Acceptable) => Verdict::Allow,
        (Mode::Defensive, Tier::Ambiguous) => Verdict::AllowAndClose(reason),
        (Mode::Strictest, _) | (Mode::Defensive, Tier::Severe) => Verdict::Refuse(reason),
    }
}

/// The first reason of the highest tier; none for a compliant request. AWS: HTTP/2 is compliant.
pub fn classify(view: &View) -> Option<Reason> {
    if view.version == Version::Http2 {
        return None;
    }
    let mut worst: Option<Reason> = None;
    let mut note = |reason: Option<Reason>| match (reason, worst) {
        (Some(reason), Some(known)) if known.tier() >= reason.tier() => {}
        (Some(reason), _) => worst = Some(reason),
        (None, _) => {}
    };
    note((!view.method.bytes().all(is_token)).then_some(Reason::BadMethod));
    note(of_uri(view.target));
    for (name, value) in view.headers {
        note(of_header(name, value));
    }
    of_framing(view, note);
    worst
}

fn of_uri(target: &str) -> Option<Reason> {
    if is_printed(target.as_bytes()) && !target.as_bytes().contains(&b' ') {
        return None;
    }
    let has = |found: fn(u8) -> bool| target.bytes().any(found);
    if has(|byte| matches!(byte, 0 | b'\r')) {
        return Some(Reason::BadUri);
    }
    if has(|byte| byte.is_ascii_control()) {
        return Some(Reason::AmbiguousUri);
    }
    has(|byte| byte == b' ').then_some(Reason::SpaceInUri)
}

fn of_header(name: &str, value: &[u8]) -> Option<Reason> {
    let is_clean = |value: &[u8]| {
        is_printed(value) || value.iter().all(|byte| (0x20..0x7f).contains(byte) || *byte == b'\t')
    };
    let is_clean = !name.is_empty() && name.bytes().all(is_token) && is_clean(value);
    if is_clean {
        return is_suspicious(name).then_some(Reason::SuspiciousHeader);
    }
    let is_bad = |byte: u8| matches!(byte, 0 | b'\r');
    if name.bytes().chain(value.iter().copied()).any(is_bad) {
        return Some(Reason::BadHeader);
    }
    if name.trim().is_empty() || name.starts_with(':') {
        return Some(Reason::EmptyHeader);
    }
    match is_suspicious(name) {
        true => Some(Reason::SuspiciousHeader),
        false => Some(Reason::NonCompliantHeader),
    }
}

/// `Transfer_Encoding`, `Content-Length :` and the like: without what is neither letter nor digit,
/// and without case, they are names of framing headers, but they are spelled differently.
fn is_suspicious(name: &str) -> bool {
    // Most names are too short to be either, or begin otherwise.
    let first = name.as_bytes().first().map_or(0, u8::to_ascii_lowercase);
    if name.len() < "contentlength".len()
        || (first.is_ascii_alphanumeric() && !b"tc".contains(&first))
    {
        return false;
    }
    let fold = |letter: char| match letter {
        'ı' => 'i',
        'ſ' => 's',
        letter if letter.is_ascii() => letter.to_ascii_lowercase(),
        letter => letter.to_lowercase().next().unwrap_or(letter),
    };
    let plain = || name.chars().filter(|letter| letter.is_alphanumeric()).map(fold);
    let (own, bare) = match plain().next() {
        Some('t') => ("transfer-encoding", "transferencoding"),
        Some('c') => ("content-length", "contentlength"),
        _ => return false,
    };
    !name.eq_ignore_ascii_case(own) && plain().eq(bare.chars())
}

fn of_framing(view: &View, mut note: impl FnMut(Option<Reason>)) {
    let mut codings = view.values("transfer-encoding").peekable();
    let has_codings = codings.peek().is_some();
    let is_bare = matches!(view.method, "GET" | "HEAD");
    let mut lengths = view.values("content-length").map(length);
    if let Some(first) = lengths.next() {
        let (mut is_bad, mut differs, mut more) = (first.is_none(), false, false);
        for other in lengths {
            is_bad |= other.is_none();
            differs |= other != first;
            more = true;
        }
        match () {
            () if is_bad => note(Some(Reason::BadContentLength)),
            () if differs => note(Some(Reason::MultipleContentLength)),
            () if more => note(Some(Reason::DuplicateContentLength)),
            () => {}
        }
        match (is_bare && !is_bad, first) {
            (true, Some(0)) => note(Some(Reason::GetHeadZeroContentLength)),
            (true, _) => note(Some(Reason::UndefinedContentLengthSemantics)),
            (false, _) => {}
        }
        if has_codings && !is_bad {
            note(Some(Reason::BothTeClPresent));
        }
    }
    if has_codings {
        if is_bare || view.version == Version::Http10 {
            note(Some(Reason::UndefinedTransferEncodingSemantics));
        }
        note(of_codings(codings));
    }
}

/// AWS: digits only, after blanks are trimmed; `+5`, `5,5` and `0x5` are none.
fn length(value: &[u8]) -> Option<u64> {
    let text = std::str::from_utf8(value.trim_ascii()).ok()?;
    let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|_| is_number)
}

fn of_codings<'v>(values: impl Iterator<Item = &'v [u8]>) -> Option<Reason> {
    let mut last_chunked = false;
    let mut twice = false;
    for coding in values.flat_map(|value| value.split(|byte| *byte == b',')) {
        let name = coding.split(|byte| *byte == b';').next().unwrap_or(coding);
        let name = name.trim_ascii().to_ascii_lowercase();
        let known: [&[u8]; 5] = [b"chunked", b"compress", b"deflate", b"gzip", b"identity"];
        if !known.contains(&name.as_slice()) {
            return Some(Reason::BadTransferEncoding);
        }
        let chunked = name == b"chunked";
        twice |= chunked && last_chunked;
        last_chunked = chunked;
    }
    twice.then_some(Reason::MultipleTransferEncodingChunked)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::get;

    #[test]
    fn requests_are_classified() {
        let check = |method: &str, target: &str, headers: &str, expect: Option<Reason>| {
            let pairs: Vec<_> =
                headers.split('|').filter_map(|line| line.split_once(": ")).collect();
            let lines: Vec<_> =
                pairs.iter().map(|(name, value)| (*name, value.as_bytes())).collect();
            let view = View { method, target, headers: &lines, ..get("/") };
            assert_eq!(classify(&view), expect, "{method} {target} {headers:?}");
            assert_eq!(classify(&View { version: Version::Http2, ..view }), None);
        };
        check("GET", "/", "", None);
        check("POST", "/", "Content-Length: 5", None);
        check("POST", "/", "Transfer-Encoding: chunked", None);
        check("POST", "/", "transfer-encoding: gzip, chunked", None);
        check("GET", "/", "Content-Length: 0", Some(Reason::GetHeadZeroContentLength));
        check("GET", "/", "Content-Length: 5", Some(Reason::UndefinedContentLengthSemantics));
        check(
            "HEAD",
            "/",
            "Transfer-Encoding: chunked",
            Some(Reason::UndefinedTransferEncodingSemantics),
        );
        let both = "Content-Length: 5|Transfer-Encoding: chunked";
        check("POST", "/", both, Some(Reason::BothTeClPresent));
        let same = "Content-Length: 5|content-length: 5";
        check("POST", "/", same, Some(Reason::DuplicateContentLength));
        let other = "Content-Length: 5|Content-Length: 6";
        check("POST", "/", other, Some(Reason::MultipleContentLength));
        for bad in ["+5", "5,5", "0x5", "", "18446744073709551616"] {
            let line = format!("Content-Length: {bad}");
            check("POST", "/", &line, Some(Reason::BadContentLength));
        }
        let twice = "Transfer-Encoding: chunked|Transfer-Encoding: chunked";
        check("POST", "/", twice, Some(Reason::MultipleTransferEncodingChunked));
        check("POST", "/", "Transfer-Encoding: chunked;q=1", None);
        check("POST", "/", "Transfer-Encoding: xchunked", Some(Reason::BadTransferEncoding));
        for name in ["Transfer_Encoding", "Transfer-Encoding ", "\u{1}Content-Length"] {
            let line = format!("{name}: x");
            check("POST", "/", &line, Some(Reason::SuspiciousHeader));
        }
        check("POST", "/", "Transfer-Encodıng: x", Some(Reason::SuspiciousHeader));
        check("GET", "/", "a b: 1", Some(Reason::NonCompliantHeader));
        check("GET", "/", "a: é", Some(Reason::NonCompliantHeader));
        check("GET", "/", "a: \0", Some(Reason::BadHeader));
        check("GET", "/", ":a: 1", Some(Reason::EmptyHeader));
        check("G T", "/", "", Some(Reason::BadMethod));
        check("GET", "/a b", "", Some(Reason::SpaceInUri));
        check("GET", "/a\u{1}", "", Some(Reason::AmbiguousUri));
        check("GET", "/a\r", "", Some(Reason::BadUri));
        // The worst counts.
        check("GET", "/a b", "Content-Length: 5,5", Some(Reason::BadContentLength));
    }

    #[test]
    fn every_reason_has_its_tier_in_each_mode() {
        use Reason::*;
        let tiers = [
            (Tier::Acceptable, vec![NonCompliantHeader, GetHeadZeroContentLength, SpaceInUri]),
            (
                Tier::Ambiguous,
                vec![
                    EmptyHeader,
                    SuspiciousHeader,
                    UndefinedContentLengthSemantics,
                    UndefinedTransferEncodingSemantics,
                    BothTeClPresent,
                    DuplicateContentLength,
                    AmbiguousUri,
                ],
            ),
            (
                Tier::Severe,
                vec![
                    BadHeader,
                    MultipleContentLength,
                    BadContentLength,
                    MultipleTransferEncodingChunked,
                    BadTransferEncoding,
                    BadMethod,
                    BadUri,
                ],
            ),
        ];
        for (tier, reasons) in tiers {
            for reason in reasons {
                assert_eq!(reason.tier(), tier, "{reason:?}");
                let defensive = match tier {
                    Tier::Acceptable => Verdict::Allow,
                    Tier::Ambiguous => Verdict::AllowAndClose(reason),
                    Tier::Severe => Verdict::Refuse(reason),
                };
                let expect = [Verdict::Allow, defensive, Verdict::Refuse(reason)];
                let modes = [Mode::Monitor, Mode::Defensive, Mode::Strictest];
                assert_eq!(modes.map(|mode| weigh(reason, mode)), expect, "{reason:?}");
            }
        }
    }

    #[test]
    fn modes_decide_what_happens() {
        let check = |value: &str, expect: [Verdict; 3]| {
            let lines = [("Content-Length", value.as_bytes())];
            let view = View { headers: &lines, ..get("/") };
            let modes = [Mode::Monitor, Mode::Defensive, Mode::Strictest];
            assert_eq!(modes.map(|mode| verdict(&view, mode)), expect, "{value}");
        };
        let (zero, some) =
            (Reason::GetHeadZeroContentLength, Reason::UndefinedContentLengthSemantics);
        check("0", [Verdict::Allow, Verdict::Allow, Verdict::Refuse(zero)]);
        check("5", [Verdict::Allow, Verdict::AllowAndClose(some), Verdict::Refuse(some)]);
        let bad = Verdict::Refuse(Reason::BadContentLength);
        check("x", [Verdict::Allow, bad, bad]);
        assert!(Reason::BadUri.words().contains("BadUri (Severe)"));
    }
}
