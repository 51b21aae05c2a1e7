//! Request paths: decoded before they are matched, encoded again before they are forwarded.
//!
//! AWS: the path is percent-decoded before matching and forwarding; `%2F` becomes a real slash and
//! `%3F` a question mark that cuts the path. Runs of slashes and dot segments stay as they are:
//! AWS does not say what becomes of them, and a gateway that rewrites them would disagree with
//! backends about what was asked for.

use std::borrow::Cow;

use percent_encoding::{AsciiSet, CONTROLS, percent_decode, percent_encode};

/// What may not stand in the path of a request line.
const PATH: &AsciiSet = &CONTROLS
    .add(b' ')
    .add(b'"')
    .add(b'#')
    .add(b'%')
    .add(b'<')
    .add(b'>')
    .add(b'?')
    .add(b'[')
    .add(b'\\')
    .add(b']')
    .add(b'^')
    .add(b'`')
    .add(b'{')
    .add(b'|')
    .add(b'}');

/// What may not stand in a query key or value.
const QUERY: &AsciiSet = &PATH.add(b'&').add(b'+').add(b'=').add(b';').add(b'\'');

/// A decoded path: bytes, since a client may encode any. Starts with `/`. Most paths are what they
/// are.
pub fn decode(raw: &str) -> Cow<'_, [u8]> {
    let same = |byte: &u8| !matches!(byte, b'%' | b'?');
    if raw.starts_with('/') && raw.as_bytes().iter().all(same) {
        return Cow::from(raw.as_bytes());
    }
    let mut path: Vec<u8> = percent_decode(raw.as_bytes()).collect();
    if let Some(cut) = path.iter().position(|byte| *byte == b'?') {
        path.truncate(cut);
    }
    // AWS: an empty path is `/`.
    if path.first() != Some(&b'/') {
        path.insert(0, b'/');
    }
    Cow::from(path)
}

/// A decoded path as it may stand in a request line; slashes stay.
pub fn encode(path: &[u8]) -> Cow<'_, str> {
    percent_encode(path, PATH).into()
}

/// What an author cannot have meant to stand in a request line.
const ILLEGAL: &AsciiSet = &CONTROLS.add(b' ').add(b'"').add(b'#').add(b'<').add(b'>');

/// A path (or path and query) that an author wrote, already encoded as they wanted it.
pub fn encode_written(text: &str) -> String {
    percent_encode(text.as_bytes(), ILLEGAL).to_string()
}

/// Text as it may stand in a query, as key or value.
pub fn encode_query(text: &[u8]) -> String {
    percent_encode(text, QUERY).to_string()
}

/// A query key or value as text. AWS: `+` is a space.
pub fn decode_query(raw: &str) -> String {
    let spaced = raw.replace('+', " ");
    percent_decode(spaced.as_bytes()).decode_utf8_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_decoded_and_encoded_again() {
        let check = |raw: &str, decoded: &[u8], forwarded: &str| {
            assert_eq!(&*decode(raw), decoded, "{raw}");
            assert_eq!(encode(&decode(raw)), forwarded, "{raw}");
        };
        check("", b"/", "/");
        check("/", b"/", "/");
        check("/a/b", b"/a/b", "/a/b");
        check("/a%20b", b"/a b", "/a%20b");
        check("/a%2Fb", b"/a/b", "/a/b");
        check("/a%2fb%2F", b"/a/b/", "/a/b/");
        check("/a%3Fb/c", b"/a", "/a");
        check("/%C3%A9", "/é".as_bytes(), "/%C3%A9");
        check("/é", "/é".as_bytes(), "/%C3%A9");
        check("/%FF", b"/\xff", "/%FF");
        check("/100%25", b"/100%", "/100%25");
        check("/a%2520b", b"/a%20b", "/a%2520b");
        check("/a%", b"/a%", "/a%25");
        check("/a%zz", b"/a%zz", "/a%25zz");
        check("/%0d%0aX:y", b"/\r\nX:y", "/%0D%0AX:y");
        check("/%00", b"/\0", "/%00");
        check("//a/../b/.", b"//a/../b/.", "//a/../b/.");
        check("/a+b;c=d,e@f:g!$&'()*~", b"/a+b;c=d,e@f:g!$&'()*~", "/a+b;c=d,e@f:g!$&'()*~");
        check("/#%23", b"/##", "/%23%23");
    }

    #[test]
    fn query_parts_are_decoded_and_encoded() {
        let check = |raw: &str, text: &str, encoded: &str| {
            assert_eq!(decode_query(raw), text, "{raw}");
            assert_eq!(encode_query(text.as_bytes()), encoded, "{raw}");
        };
        check("a", "a", "a");
        check("a+b", "a b", "a%20b");
        check("a%2Bb", "a+b", "a%2Bb");
        check("%26%3D", "&=", "%26%3D");
        check("%C3%A9", "é", "%C3%A9");
    }
}
