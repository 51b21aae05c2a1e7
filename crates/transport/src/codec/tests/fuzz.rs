//! Random input: nothing panics, and cutting it into pieces changes nothing.

use proptest::prelude::*;

use super::chunks::decode;
use super::*;

/// Bytes that heads and chunks are made of, more often than chance would have them.
fn soup() -> impl Strategy<Value = Vec<u8>> {
    let part = prop_oneof![
        4 => prop::sample::select(vec![
            "GET ", "POST ", "/", " HTTP/1.1", " HTTP/1.0", "HTTP/1.1 200 OK", "\r\n", "\r\n\r\n",
            "\n", "\r", "Host: a\r\n", "Content-Length: 3\r\n", "Content-Length: ", "X: y\r\n",
            "Transfer-Encoding: chunked\r\n", "Transfer-Encoding: gzip, ", "http://a/", "3\r\nabc",
            "0\r\n", "1", "a", ";x", ":", " ", "\t", "\0", "*", "#", "?", "\u{e9}",
        ])
        .prop_map(|text: &str| text.as_bytes().to_vec()),
        1 => prop::collection::vec(any::<u8>(), 0..8),
    ];
    prop::collection::vec(part, 0..24).prop_map(|parts| parts.concat())
}

/// The input cut at these places.
fn cut<'a>(input: &'a [u8], places: &[prop::sample::Index]) -> Vec<&'a [u8]> {
    let mut at: Vec<_> = places.iter().map(|place| place.index(input.len() + 1)).collect();
    at.extend([0, input.len()]);
    at.sort_unstable();
    at.windows(2).map(|pair| &input[pair[0]..pair[1]]).collect()
}

/// What matters of a head.
fn seen(head: &RequestHead) -> (String, String, Result<Framing, u16>, usize) {
    let framing = check::check(head).map_err(|refusal| refusal.status);
    let lines = head.lines.iter().count();
    (head.method().to_owned(), head.target().to_owned(), framing, lines)
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 2000,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn heads_do_not_depend_on_pieces(
        mut input in soup(),
        places in prop::collection::vec(any::<prop::sample::Index>(), 0..6),
    ) {
        // Nonsense may be refused before it is complete, so only what is complete compares.
        input.extend_from_slice(b"\r\n\r\n");
        let show = |got: Result<Option<(RequestHead, Vec<u8>)>, HeadError>| {
            got.map(|found| found.map(|(head, rest)| (seen(&head), rest)))
                .map_err(|error| error == HeadError::TooLarge)
        };
        let pieces = cut(&input, &places);
        prop_assert_eq!(show(feed(&pieces, head::request)), show(feed(&[&input], head::request)));
        let show = |got: Result<Option<(ResponseHead, Vec<u8>)>, HeadError>| {
            got.map(|found| found.map(|(head, rest)| (head.status, rest))).is_ok()
        };
        prop_assert_eq!(show(feed(&pieces, head::response)), show(feed(&[&input], head::response)));
    }

    #[test]
    fn bodies_do_not_depend_on_pieces(
        input in soup(),
        places in prop::collection::vec(any::<prop::sample::Index>(), 0..6),
        length in 0u64..64,
    ) {
        let pieces = cut(&input, &places);
        for framing in [Framing::Chunked, Framing::Length(length), Framing::UntilClose] {
            prop_assert_eq!(decode(framing, &pieces), decode(framing, &[&input]));
        }
    }

    #[test]
    fn what_is_written_in_chunks_is_read(
        pieces in prop::collection::vec(prop::collection::vec(any::<u8>(), 1..5000), 0..6),
        places in prop::collection::vec(any::<prop::sample::Index>(), 0..6),
    ) {
        let mut out = Vec::new();
        for piece in &pieces {
            crate::codec::chunk::write_size(&mut out, piece.len());
            out.extend_from_slice(piece);
            out.extend_from_slice(crate::codec::chunk::CHUNK_END);
        }
        out.extend_from_slice(crate::codec::chunk::LAST_CHUNK);
        let got = decode(Framing::Chunked, &cut(&out, &places));
        prop_assert_eq!(got, Ok((pieces.concat(), true, Vec::new())));
    }
}
