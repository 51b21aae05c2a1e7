//! Fuzz targets without a fuzzer: a target's committed inputs, and variants of them that are the
//! same on every machine. Tests of the crates call this; `cargo xtask fuzz` looks for new inputs.

use std::path::{Path, PathBuf};

/// Variants that a run makes.
const VARIANTS: usize = 1_000;
/// The longest variant, in bytes.
const LONGEST: usize = 4_096;

/// Calls `body` with every input of `fuzz/corpus/<target>`, and with variants of them. A panic
/// tells the input.
pub fn run(target: &str, body: fn(&[u8])) {
    let inputs = corpus(target);
    assert!(!inputs.is_empty(), "fuzz/corpus/{target} has no inputs");
    for input in &inputs {
        call(body, input);
    }
    let mut draw = Draw::new(target);
    for _ in 0..VARIANTS {
        call(body, &variant(&inputs, &mut draw));
    }
}

/// The committed inputs, by name.
fn corpus(target: &str) -> Vec<Vec<u8>> {
    let folder: PathBuf =
        [env!("CARGO_MANIFEST_DIR"), "..", "..", "fuzz", "corpus", target].iter().collect();
    let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
    let mut files: Vec<_> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
    files.sort();
    files.iter().filter_map(|file| std::fs::read(Path::new(file)).ok()).collect()
}

fn call(body: fn(&[u8]), input: &[u8]) {
    let _told = Told(input);
    body(input);
}

/// Tells the input if the call panics.
struct Told<'a>(&'a [u8]);

impl Drop for Told<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("the input was b\"{}\"", self.0.escape_ascii());
        }
    }
}

/// One input with a few changes: bytes flipped, removed, repeated, or taken from another input.
fn variant(inputs: &[Vec<u8>], draw: &mut Draw) -> Vec<u8> {
    let mut bytes = inputs[draw.below(inputs.len())].clone();
    for _ in 0..=draw.below(4) {
        let at = draw.below(bytes.len() + 1);
        let end = at + draw.below((bytes.len() - at).min(16) + 1);
        match draw.below(5) {
            0 if at < bytes.len() => bytes[at] ^= 1 << draw.below(8),
            1 => drop(bytes.drain(at..end)),
            2 => bytes.insert(at, draw.below(256) as u8),
            3 => {
                let copy = bytes[at..end].to_vec();
                bytes.splice(at..at, copy);
            }
            _ => {
                let other = &inputs[draw.below(inputs.len())];
                let from = draw.below(other.len() + 1);
                let to = from + draw.below((other.len() - from).min(64) + 1);
                bytes.splice(at..end, other[from..to].iter().copied());
            }
        }
    }
    bytes.truncate(LONGEST);
    bytes
}

/// Numbers that look random and never change (xorshift).
struct Draw(u64);

impl Draw {
    fn new(name: &str) -> Draw {
        let mix = |hash: u64, byte: u8| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        Draw(name.bytes().fold(0xcbf2_9ce4_8422_2325, mix) | 1)
    }

    /// A number below `bound` (0 if that is 0).
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % (bound.max(1) as u64)) as usize
    }
}
