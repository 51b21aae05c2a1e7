//! Chunked bodies (RFC 9112, 7.1), read and written. Strict: sizes are hexadecimal digits and
//! nothing else, lines end in CRLF, extensions are skipped, trailers are checked and kept.

use bytes::Bytes;

use super::lines::{Finder, Kind, Lines};

/// Fields of a trailer section.
const MAX_TRAILERS: usize = 64;
/// Bytes of all chunk extensions of one body, and of its trailer section.
pub(crate) const MAX_EXTRA_BYTES: usize = 16 * 1024;

/// Trailer fields that decide on framing, routing or access (RFC 9110, 6.5.1), beside the
/// hop-by-hop ones.
const NOT_IN_TRAILERS: [&str; 14] = [
    "authorization",
    "cache-control",
    "content-encoding",
    "content-range",
    "cookie",
    "forwarded",
    "max-forwards",
    "proxy-authenticate",
    "proxy-authorization",
    "range",
    "set-cookie",
    "www-authenticate",
    "x-forwarded-for",
    "x-forwarded-proto",
];

/// The framing is broken: nobody can say where this body ends.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct BadChunk(pub(crate) &'static str);

/// Where the decoder stands.
#[derive(Clone, Debug, PartialEq, Eq)]
enum State {
    /// Before a digit of a size; `any` once there was one.
    Size {
        size: u64,
        any: bool,
    },
    /// Within an extension.
    Extension {
        size: u64,
    },
    /// Before the LF of a size line.
    SizeEnd {
        size: u64,
    },
    /// Within data.
    Data {
        left: u64,
    },
    /// Before the CR after data.
    DataCr,
    /// Before the LF after data.
    DataLf,
    /// After the last chunk: what came of the trailer section.
    Trailers(Vec<u8>),
    /// With the whole trailer section, if there is one.
    Done(Vec<u8>),
    Broken(BadChunk),
}

/// Reads one chunked body.
#[derive(Clone, Debug)]
pub(crate) struct ChunkDecoder {
    state: State,
    extra: usize,
}

/// What the front of the input is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Piece {
    /// So many bytes of framing, to be thrown away.
    Frame(usize),
    /// So many bytes of data.
    Data(usize),
}

impl ChunkDecoder {
    pub(crate) fn new() -> ChunkDecoder {
        ChunkDecoder { state: START, extra: 0 }
    }

    /// The body and its trailers are over.
    pub(crate) fn is_done(&self) -> bool {
        matches!(self.state, State::Done(_))
    }

    /// The trailers of a body that is done.
    pub(crate) fn trailers(self) -> Option<Lines> {
        match self.state {
            State::Done(section) if !section.is_empty() => parse(section).ok(),
            _ => None,
        }
    }

    /// Data comes next.
    pub(crate) fn is_in_data(&self) -> bool {
        matches!(self.state, State::Data { .. })
    }

    /// Read on. With a non-empty input and a body that is not done, at least one byte is taken.
    pub(crate) fn step(&mut self, input: &[u8]) -> Result<Piece, BadChunk> {
        let mut taken = 0;
        while let Some(byte) = input.get(taken) {
            if let State::Data { left } = self.state {
                if taken > 0 {
                    break;
                }
                let length = usize::try_from(left).unwrap_or(usize::MAX).min(input.len());
                let left = left - length as u64;
                self.state = if left == 0 { State::DataCr } else { State::Data { left } };
                return Ok(Piece::Data(length));
            }
            match self.state {
                State::Done(_) => break,
                State::Broken(why) => return Err(why),
                _ => {}
            }
            if let Err(why) = self.frame(*byte) {
                self.state = State::Broken(why);
                return Err(why);
            }
            taken += 1;
        }
        Ok(Piece::Frame(taken))
    }

    /// One byte of framing.
    fn frame(&mut self, byte: u8) -> Result<(), BadChunk> {
        self.state = match (&mut self.state, byte) {
            (State::Size { size, .. }, b'0'..=b'9' | b'a'..=b'f' | b'A'..=b'F') => {
                let digit = u64::from((byte as char).to_digit(16).unwrap_or_default());
                let grown = size.checked_mul(16).ok_or(BadChunk("a chunk size that overflows"))?;
                State::Size { size: grown | digit, any: true }
            }
            (State::Size { size, any: true }, b'\r') => State::SizeEnd { size: *size },
            (State::Size { size, any: true }, b';') => State::Extension { size: *size },
            (State::Size { .. }, _) => return Err(BadChunk("a chunk size that is no number")),
            (State::Extension { size }, b'\r') => State::SizeEnd { size: *size },
            (State::Extension { .. }, 0..=8 | 10..=31 | 127) => {
                return Err(BadChunk("a chunk extension with control characters"));
            }
            (State::Extension { size }, _) => {
                self.extra += 1;
                if self.extra > MAX_EXTRA_BYTES {
                    return Err(BadChunk("chunk extensions beyond the limit"));
                }
                State::Extension { size: *size }
            }
            (State::SizeEnd { size: 0 }, b'\n') => State::Trailers(Vec::new()),
            (State::SizeEnd { size }, b'\n') => State::Data { left: *size },
            (State::DataCr, b'\r') => State::DataLf,
            (State::DataLf, b'\n') => START,
            (State::Trailers(seen), _) => {
                let seen = std::mem::take(seen);
                return self.trailer(byte, seen);
            }
            _ => return Err(BadChunk("a chunk that does not end in CRLF")),
        };
        Ok(())
    }

    fn trailer(&mut self, byte: u8, mut seen: Vec<u8>) -> Result<(), BadChunk> {
        seen.push(byte);
        if seen.len() > MAX_EXTRA_BYTES {
            return Err(BadChunk("trailers beyond the limit"));
        }
        if byte == b'\n' && !seen.ends_with(b"\r\n") {
            return Err(BadChunk("a trailer that ends in a bare LF"));
        }
        self.state = match seen.as_slice() {
            b"\r\n" => State::Done(Vec::new()),
            all if all.ends_with(b"\r\n\r\n") => {
                let trailers = parse(seen.clone())?;
                if !trailers.iter().all(|(name, _)| may_be_trailer(name)) {
                    return Err(BadChunk("a trailer field that may not be one"));
                }
                State::Done(seen)
            }
            _ => State::Trailers(seen),
        };
        Ok(())
    }
}

const START: State = State::Size { size: 0, any: false };

fn parse(section: Vec<u8>) -> Result<Lines, BadChunk> {
    let mut room = [httparse::EMPTY_HEADER; MAX_TRAILERS];
    let Ok(httparse::Status::Complete((_, lines))) = httparse::parse_headers(&section, &mut room)
    else {
        return Err(BadChunk("trailers that are no fields"));
    };
    let base = section.as_ptr() as usize;
    let at = |part: &[u8]| (part.as_ptr() as usize).saturating_sub(base);
    let mut finder = Finder::new(String::new(), lines.len());
    for line in lines {
        // An empty value may lie anywhere.
        let value = if line.value.is_empty() { 0 } else { at(line.value) };
        finder.push(line.name, at(line.name.as_bytes()), value, line.value.len());
    }
    Ok(finder.within(Bytes::from(section)))
}

/// True if the field does not decide on framing, routing or access; the name is in lower case.
pub(crate) fn may_be_trailer(name: &str) -> bool {
    matches!(Kind::of(name), Kind::Plain | Kind::Date)
        && !NOT_IN_TRAILERS.contains(&name)
        // What gateways and load balancers say of clients.
        && !name.starts_with("x-amzn-")
}

/// Append the line before a chunk of `length` bytes (not 0).
pub(crate) fn write_size(out: &mut Vec<u8>, length: usize) {
    let digits = (usize::BITS - length.leading_zeros()).div_ceil(4).max(1);
    for digit in (0..digits).rev() {
        out.push(b"0123456789abcdef"[(length >> (digit * 4)) & 15]);
    }
    out.extend_from_slice(b"\r\n");
}

/// After each chunk.
pub(crate) const CHUNK_END: &[u8] = b"\r\n";
/// In place of [`CHUNK_END`] when the chunk was the last one with data.
pub(crate) const LAST_CHUNK_END: &[u8] = b"\r\n0\r\n\r\n";
/// The end of a body whose last chunk is out.
pub(crate) const LAST_CHUNK: &[u8] = b"0\r\n\r\n";

/// The same with trailers.
pub(crate) fn write_trailers(out: &mut Vec<u8>, trailers: &Lines) {
    out.extend_from_slice(b"0\r\n");
    for line in trailers.list() {
        for part in [trailers.spelled(line), b": ", trailers.value(line), b"\r\n"] {
            out.extend_from_slice(part);
        }
    }
    out.extend_from_slice(b"\r\n");
}
