//! Bodies: chunks read and written, lengths, the end of the connection.

use super::*;
use crate::codec::body::Decoder;
use crate::codec::chunk::{BadChunk, MAX_EXTRA_BYTES, write_size};

/// Data, whether the body is over, and what was left of the input.
pub(super) type Got = Result<(Vec<u8>, bool, Vec<u8>), BadChunk>;

/// Feed `pieces` one by one, as a connection does.
pub(super) fn decode(framing: Framing, pieces: &[&[u8]]) -> Got {
    let (mut decoder, mut input, mut data) = (Decoder::new(framing), BytesMut::new(), Vec::new());
    for piece in pieces {
        input.extend_from_slice(piece);
        while let Some(got) = decoder.next(&mut input)? {
            assert!(!got.is_empty());
            data.extend_from_slice(&got);
        }
    }
    Ok((data, decoder.is_over(), input.to_vec()))
}

fn check(framing: Framing, input: &str, expect: Option<(&str, bool, &str)>) {
    let whole = decode(framing, &[input.as_bytes()]);
    let shown = whole.clone().ok().map(|(data, over, rest)| {
        (String::from_utf8(data).unwrap(), over, String::from_utf8(rest).unwrap())
    });
    let expect = expect.map(|(data, over, rest)| (data.to_owned(), over, rest.to_owned()));
    assert_eq!(shown, expect, "{input:?}");
    for at in 0..=input.len() {
        let halves = decode(framing, &[&input.as_bytes()[..at], &input.as_bytes()[at..]]);
        assert_eq!(halves, whole, "cut at {at}: {input:?}");
    }
    let bytes: Vec<_> = input.as_bytes().chunks(1).collect();
    assert_eq!(decode(framing, &bytes), whole, "byte by byte: {input:?}");
}

#[test]
fn chunked_bodies() {
    let check = |input: &str, expect| check(Framing::Chunked, input, expect);
    check("4\r\nbody\r\n0\r\n\r\n", Some(("body", true, "")));
    check("4\r\nbody\r\n0\r\n\r\nGET", Some(("body", true, "GET")));
    check("2\r\nbo\r\n2\r\ndy\r\n000\r\n\r\n", Some(("body", true, "")));
    check(
        "A\r\n0123456789\r\na\r\n0123456789\r\n0\r\n\r\n",
        Some(("01234567890123456789", true, "")),
    );
    check("0\r\n\r\n", Some(("", true, "")));
    check("4;a=b\r\nbody\r\n0;c=\"d e\"\r\n\r\n", Some(("body", true, "")));
    check("0\r\nX-T: 1\r\nY: 2\r\n\r\nrest", Some(("", true, "rest")));
    check("4\r\nbo", Some(("bo", false, "")));
    check("4\r\nbody\r\n0\r\n", Some(("body", false, "")));
    check("ffffffffffffffff\r\nab", Some(("ab", false, "")));
    for broken in [
        "\r\n",
        "x\r\n",
        "0x4\r\nbody",
        "-4\r\nbody",
        "+4\r\nbody",
        " 4\r\nbody",
        "4 \r\nbody",
        "4 4\r\nbody",
        "4 ;a\r\nbody",
        ";a\r\nbody",
        "4\nbody",
        "4\r\r\nbody",
        "4\rbody",
        "4;a\nbody",
        "4;a\0\r\nbody",
        "4;a\x7f\r\nbody",
        "4\r\nbodyX",
        "4\r\nbody\n0\r\n\r\n",
        "4\r\nbody\r0\r\n\r\n",
        "4\r\nbody\r\n\r\n",
        "10000000000000000\r\n",
        "fffffffffffffffff\r\nbody",
        "0\r\n\n",
        "0\r\nX: y\n\r\n",
        "0\r\nX: y\n\n",
        "0\r\nX : y\r\n\r\n",
        "0\r\nX: y\r\n z\r\n\r\n",
        "0\r\nno field\r\n\r\n",
        "0\r\nX: a\0\r\n\r\n",
        "0\r\nContent-Length: 4\r\n\r\n",
        "0\r\nTransfer-Encoding: chunked\r\n\r\n",
        "0\r\nHOST: a\r\n\r\n",
        "0\r\nConnection: close\r\n\r\n",
        "0\r\nTrailer: x\r\n\r\n",
        "0\r\nAuthorization: x\r\n\r\n",
        "0\r\nSet-Cookie: x\r\n\r\n",
        "0\r\nX: y\r\nCookie: x\r\n\r\n",
        "0\r\nContent-Type: x\r\n\r\n",
        "0\r\nX-Forwarded-For: x\r\n\r\n",
    ] {
        check(broken, None);
    }
}

#[test]
fn limits_of_chunks() {
    let ends = |input: String| decode(Framing::Chunked, &[input.as_bytes()]).is_ok();
    let extension = |bytes: usize| format!("0;{}\r\n\r\n", "x".repeat(bytes));
    assert!(ends(extension(MAX_EXTRA_BYTES)));
    assert!(!ends(extension(MAX_EXTRA_BYTES + 1)));
    // All extensions of a body count together.
    let many = |chunks: usize| format!("{}0\r\n\r\n", "1;xxxxxxxxxx\r\na\r\n".repeat(chunks));
    assert!(ends(many(MAX_EXTRA_BYTES / 10)));
    assert!(!ends(many(MAX_EXTRA_BYTES / 10 + 1)));
    let trailers = |bytes: usize| format!("0\r\nX: {}\r\n\r\n", "y".repeat(bytes - 7));
    assert!(ends(trailers(MAX_EXTRA_BYTES)));
    assert!(!ends(trailers(MAX_EXTRA_BYTES + 1)));
    assert!(ends(format!("0\r\n{}\r\n", "X: y\r\n".repeat(64))));
    assert!(!ends(format!("0\r\n{}\r\n", "X: y\r\n".repeat(65))));
}

#[test]
fn other_framings() {
    check(Framing::Empty, "rest", Some(("", true, "rest")));
    check(Framing::Length(4), "body", Some(("body", true, "")));
    check(Framing::Length(4), "bodyrest", Some(("body", true, "rest")));
    check(Framing::Length(4), "bo", Some(("bo", false, "")));
    check(Framing::Length(u64::MAX), "bo", Some(("bo", false, "")));
    check(Framing::UntilClose, "all of it", Some(("all of it", false, "")));
}

#[test]
fn only_an_open_end_is_an_end() {
    let ends = |framing| Decoder::new(framing).ends_here();
    assert!(ends(Framing::Empty) && ends(Framing::UntilClose));
    assert!(!ends(Framing::Length(1)) && !ends(Framing::Chunked));
}

#[test]
fn sizes_are_written_in_hexadecimal() {
    for size in [1, 9, 10, 15, 16, 255, 256, 0xabcde, usize::MAX] {
        let mut out = Vec::new();
        write_size(&mut out, size);
        assert_eq!(String::from_utf8(out).unwrap(), format!("{size:x}\r\n"));
    }
}
