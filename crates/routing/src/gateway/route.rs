//! Routes.
/// Route trie.
#[derive(Debug, Default)]
pub struct RouteTrie;
