//! Finds and reads the signature of a request: the `Authorization` header, or the query string
//! of a presigned URL. Leaves out whether it is right.

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;

use super::canonical::header;
use super::{ALGORITHM, MAX_EXPIRES_SECONDS, Parts, Scope, Signature, mismatch};
use crate::percent::{self, Plus};
use crate::{Fault, Time};

/// The signature of a request; `None` when it carries none (the caller then answers
/// `MissingAuthenticationToken`, or lets it pass).
///
/// Faults: `IncompleteSignature` (400), `SignatureDoesNotMatch` (403) when a part contradicts
/// another.
pub fn parse<'a>(parts: Parts<'a>) -> Result<Option<Signature<'a>>, Fault> {
    if let Some(authorization) = header(parts.headers, "authorization") {
        return from_header(parts, &authorization).map(Some);
    }
    if query_value(parts.query, "X-Amz-Algorithm").is_some() {
        return from_query(parts).map(Some);
    }
    Ok(None)
}

fn from_header<'a>(parts: Parts<'a>, authorization: &str) -> Result<Signature<'a>, Fault> {
    let (algorithm, rest) = authorization.split_once(' ').unwrap_or((authorization, ""));
    if algorithm != ALGORITHM {
        let message = format!("Unsupported AWS 'algorithm': '{algorithm}', expected {ALGORITHM}.");
        return Err(incomplete(message));
    }
    let mut values: [Option<&str>; 3] = [None; 3];
    const NAMES: [&str; 3] = ["Credential", "SignedHeaders", "Signature"];
    for pair in rest.split(',').map(str::trim).filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once('=').ok_or_else(|| {
            let what = "Invalid key=value pair (missing equal-sign) in Authorization header";
            incomplete(format!("{what}: '{pair}'."))
        })?;
        if let Some(at) = NAMES.iter().position(|known| *known == name) {
            values[at] = Some(value);
        }
    }
    let [Some(credential), Some(signed), Some(signature)] = values else {
        let missing = NAMES.iter().zip(values).filter(|(_, value)| value.is_none());
        let words = missing.map(|(n, _)| format!("Authorization header requires '{n}' parameter."));
        return Err(incomplete(words.collect::<Vec<_>>().join(" ")));
    };
    let (stamp, signed_at) = header_date(&parts)?;
    finish(Signature {
        scope: scope(credential)?,
        token: header(parts.headers, "x-amz-security-token"),
        signed_at,
        expires: None,
        stamp,
        signed_headers: signed.split(';').map(str::to_ascii_lowercase).collect(),
        signature: signature.to_owned(),
        parts,
    })
}

fn from_query<'a>(parts: Parts<'a>) -> Result<Signature<'a>, Fault> {
    let value = |name: &str| {
        query_value(parts.query, name).ok_or_else(|| {
            incomplete(format!("AWS query-string parameters must include '{name}'."))
        })
    };
    let algorithm = value("X-Amz-Algorithm")?;
    if algorithm != ALGORITHM {
        let message = format!("Unsupported AWS 'algorithm': '{algorithm}', expected {ALGORITHM}.");
        return Err(incomplete(message));
    }
    let stamp = value("X-Amz-Date")?;
    let signed_at = read_stamp(&stamp).ok_or_else(|| {
        let form = "Date must be in ISO-8601 'basic format'";
        incomplete(format!("{form}. Got '{stamp}'."))
    })?;
    let expires = value("X-Amz-Expires")?;
    let expires = expires.parse().ok().filter(|s| (1..=MAX_EXPIRES_SECONDS).contains(s));
    let expires = expires.ok_or_else(|| {
        incomplete(format!("X-Amz-Expires must be between 1 and {MAX_EXPIRES_SECONDS} seconds."))
    })?;
    finish(Signature {
        scope: scope(&value("X-Amz-Credential")?)?,
        token: query_value(parts.query, "X-Amz-Security-Token"),
        signed_at,
        expires: Some(expires),
        stamp,
        signed_headers: value("X-Amz-SignedHeaders")?
            .split(';')
            .map(str::to_ascii_lowercase)
            .collect(),
        signature: value("X-Amz-Signature")?,
        parts,
    })
}

/// Checks that hold for both forms.
fn finish(signature: Signature) -> Result<Signature, Fault> {
    let Signature { scope, stamp, signed_headers, .. } = &signature;
    let (day, date) = (stamp.get(..8).unwrap_or_default(), &scope.date);
    if day != date {
        return Err(mismatch(format!(
            "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from \
             HTTP: '{date}' != '{day}', from '{stamp}'."
        )));
    }
    if !signed_headers.iter().any(|name| name == "host") {
        return Err(mismatch(
            "'Host' or ':authority' must be a 'SignedHeader' in the AWS Authorization.",
        ));
    }
    Ok(signature)
}

fn scope(credential: &str) -> Result<Scope, Fault> {
    let parts: Vec<&str> = credential.split('/').collect();
    let [access_key, date, region, service, term] = parts[..] else {
        return Err(incomplete(format!(
            "Credential must have exactly 5 slash-delimited elements, e.g. \
             keyid/date/region/service/term, got '{credential}'."
        )));
    };
    if term != "aws4_request" {
        return Err(mismatch(format!(
            "Credential should be scoped with a valid terminator: 'aws4_request', not '{term}'."
        )));
    }
    if [access_key, date, region, service].contains(&"") {
        return Err(incomplete("Credential has an empty element."));
    }
    let [access_key, date, region, service] =
        [access_key, date, region, service].map(str::to_owned);
    Ok(Scope { access_key, date, region, service })
}

/// AWS: `X-Amz-Date`, else `Date`, in ISO-8601 basic format or as HTTP writes dates.
fn header_date(parts: &Parts) -> Result<(String, Time), Fault> {
    let given = header(parts.headers, "x-amz-date").or_else(|| header(parts.headers, "date"));
    let Some(given) = given else {
        return Err(incomplete(
            "Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header.",
        ));
    };
    if let Some(time) = read_stamp(&given) {
        return Ok((given, time));
    }
    let zoned = jiff::fmt::rfc2822::parse(&given).map_err(|_| {
        incomplete(format!("Date must be in ISO-8601 'basic format'. Got '{given}'."))
    })?;
    let time = Time(zoned.timestamp().as_millisecond());
    Ok((stamp(time), time))
}

/// Reads `20150830T123600Z`, and nothing else.
fn read_stamp(text: &str) -> Option<Time> {
    let shape = text.len() == 16
        && text.bytes().enumerate().all(|(i, byte)| match i {
            8 => byte == b'T',
            15 => byte == b'Z',
            _ => byte.is_ascii_digit(),
        });
    let civil = DateTime::strptime("%Y%m%dT%H%M%SZ", text).ok().filter(|_| shape)?;
    Some(Time(TimeZone::UTC.to_timestamp(civil).ok()?.as_millisecond()))
}

/// Writes `20150830T123600Z`. A time outside the calendar is written as the epoch.
pub fn stamp(time: Time) -> String {
    let stamp = Timestamp::from_millisecond(time.0).unwrap_or(Timestamp::UNIX_EPOCH);
    stamp.strftime("%Y%m%dT%H%M%SZ").to_string()
}

fn query_value(query: &str, name: &str) -> Option<String> {
    let decode = |text| percent::decode(text, Plus::Space).ok();
    query
        .split('&')
        .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
        .find(|(other, _)| decode(other).as_deref() == Some(name))
        .and_then(|(_, value)| decode(value))
}

fn incomplete(message: impl Into<String>) -> Fault {
    Fault::new(400, "IncompleteSignature", message)
}
