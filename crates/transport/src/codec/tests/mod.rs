//! The codec as data: what each input gets, in one piece and cut at every byte.

mod chunks;
mod fuzz;
mod heads;
mod rules;
mod writing;

use bytes::BytesMut;

use super::head::{self, HeadError, HeadLimits, RequestHead, ResponseHead};
use crate::check;
use crate::codec::framing::Framing;

const LIMITS: HeadLimits = HeadLimits { bytes: 1024, lines: 8 };

/// Feed `pieces` one by one, as a connection does.
fn feed<T>(
    pieces: &[&[u8]],
    parse: impl Fn(&mut BytesMut, HeadLimits) -> Result<Option<T>, HeadError>,
) -> Result<Option<(T, Vec<u8>)>, HeadError> {
    let (mut input, mut seen, mut found) = (BytesMut::new(), 0, None);
    for piece in pieces {
        input.extend_from_slice(piece);
        if found.is_none() && head::is_worth_a_look(&input, seen, LIMITS) {
            found = parse(&mut input, LIMITS)?;
        }
        seen = input.len();
    }
    Ok(found.map(|found| (found, input.to_vec())))
}

/// The same in one piece, cut in two at every place, and byte by byte.
fn everywhere<T, S: PartialEq + std::fmt::Debug>(
    input: &[u8],
    parse: impl Fn(&mut BytesMut, HeadLimits) -> Result<Option<T>, HeadError>,
    show: impl Fn(Result<Option<(T, Vec<u8>)>, HeadError>) -> S,
) -> S {
    let whole = show(feed(&[input], &parse));
    for at in 0..=input.len() {
        let halves = show(feed(&[&input[..at], &input[at..]], &parse));
        assert_eq!(halves, whole, "cut at {at}: {:?}", String::from_utf8_lossy(input));
    }
    let bytes: Vec<_> = input.chunks(1).collect();
    assert_eq!(show(feed(&bytes, &parse)), whole, "{:?}", String::from_utf8_lossy(input));
    whole
}

/// A complete request head and what makes of it: a framing, or a status.
fn decide(input: &[u8]) -> Result<Framing, u16> {
    everywhere(input, head::request, |got| match got {
        Ok(Some((head, _))) => check::check(&head).map_err(|refusal| refusal.status),
        Ok(None) => Err(0),
        Err(HeadError::TooLarge) => Err(431),
        Err(HeadError::Bad(refusal)) => Err(refusal.status),
    })
}

fn request(text: &str) -> RequestHead {
    let mut input = BytesMut::from(text);
    head::request(&mut input, LIMITS).unwrap().unwrap()
}

fn response(text: &str) -> ResponseHead {
    let mut input = BytesMut::from(text);
    head::response(&mut input, LIMITS).unwrap().unwrap()
}
