//! One body out of a buffer that grows, by its framing.

use bytes::{Buf, Bytes, BytesMut};

use super::chunk::{BadChunk, ChunkDecoder, Piece};
use super::framing::Framing;
use super::lines::Lines;

/// Reads one body.
#[derive(Clone, Debug)]
pub(crate) enum Decoder {
    /// It is over.
    Over,
    /// It is over, and trailers came behind it.
    Trailed(Box<Lines>),
    /// So many bytes are to come.
    Length(u64),
    Chunked(ChunkDecoder),
    UntilClose,
}

impl Decoder {
    pub(crate) fn new(framing: Framing) -> Decoder {
        match framing {
            Framing::Empty => Decoder::Over,
            Framing::Length(length) => Decoder::Length(length),
            Framing::Chunked => Decoder::Chunked(ChunkDecoder::new()),
            Framing::UntilClose => Decoder::UntilClose,
        }
    }

    /// No byte of this body will come any more.
    pub(crate) fn is_over(&self) -> bool {
        matches!(self, Decoder::Over | Decoder::Trailed(_))
    }

    /// What came behind a body that is over.
    pub(crate) fn take_trailers(&mut self) -> Option<Box<Lines>> {
        if !self.has_trailers() {
            return None;
        }
        match std::mem::replace(self, Decoder::Over) {
            Decoder::Trailed(trailers) => Some(trailers),
            _ => None,
        }
    }

    /// True if [`Decoder::take_trailers`] has something.
    pub(crate) fn has_trailers(&self) -> bool {
        matches!(self, Decoder::Trailed(_))
    }

    /// Bytes still to come, if the message says so.
    pub(crate) fn length(&self) -> Option<u64> {
        match self {
            Decoder::Over | Decoder::Trailed(_) => Some(0),
            Decoder::Length(left) => Some(*left),
            Decoder::Chunked(_) | Decoder::UntilClose => None,
        }
    }

    /// The next data in `input`; `None` if more input is needed, or the body is over.
    pub(crate) fn next(&mut self, input: &mut BytesMut) -> Result<Option<Bytes>, BadChunk> {
        match self {
            Decoder::Over | Decoder::Trailed(_) => Ok(None),
            Decoder::UntilClose => Ok(front(input, usize::MAX)),
            Decoder::Length(left) => {
                let most = usize::try_from(*left).unwrap_or(usize::MAX);
                let data = front(input, most);
                *left -= data.as_ref().map_or(0, Bytes::len) as u64;
                if *left == 0 {
                    *self = Decoder::Over;
                }
                Ok(data)
            }
            Decoder::Chunked(chunks) => {
                let data = chunked(chunks, input);
                if chunks.is_done() {
                    let done = std::mem::replace(chunks, ChunkDecoder::new());
                    let trailers = done.trailers().map(Box::new);
                    *self = trailers.map_or(Decoder::Over, Decoder::Trailed);
                }
                data
            }
        }
    }

    /// The connection ended: true if the body ends there too, as it should.
    pub(crate) fn ends_here(&mut self) -> bool {
        if matches!(self, Decoder::UntilClose) {
            *self = Decoder::Over;
        }
        self.is_over()
    }
}

/// The next data, and the framing behind it as far as it is there, so that the end of the body is
/// known together with its last data.
fn chunked(chunks: &mut ChunkDecoder, input: &mut BytesMut) -> Result<Option<Bytes>, BadChunk> {
    let mut data = None;
    while !input.is_empty() && !chunks.is_done() {
        if data.is_some() && chunks.is_in_data() {
            break;
        }
        match chunks.step(input) {
            Ok(Piece::Frame(length)) => input.advance(length),
            Ok(Piece::Data(length)) => data = front(input, length),
            // What came before the damage is passed on first; the next call tells.
            Err(_) if data.is_some() => break,
            Err(error) => return Err(error),
        }
    }
    if input.is_empty() {
        // An idle buffer holds no memory.
        *input = BytesMut::new();
    }
    Ok(data)
}

/// At most so many bytes of the input, without copying.
fn front(input: &mut BytesMut, most: usize) -> Option<Bytes> {
    match input.len() {
        0 => None,
        length if length <= most => Some(std::mem::take(input).freeze()),
        _ if most == 0 => None,
        _ => Some(input.split_to(most).freeze()),
    }
}
