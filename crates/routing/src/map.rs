//! The hash maps that requests look into.

/// A hash map whose hash is cheap. Keys are put in by whoever owns the records; strangers only look
/// them up, so that they cannot make them collide.
pub type Map<K, V> = std::collections::HashMap<K, V, foldhash::fast::RandomState>;
