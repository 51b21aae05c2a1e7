//! A bounded memory: what was used lately stays, the rest goes all at once.

use std::collections::HashMap;
use std::hash::Hash;

/// Two halves: when the newer one is full it becomes the older one, and the older one is dropped.
#[derive(Debug)]
pub(super) struct Recent<K, V> {
    newer: HashMap<K, V>,
    older: HashMap<K, V>,
}

impl<K, V> Default for Recent<K, V> {
    fn default() -> Self {
        Self { newer: HashMap::new(), older: HashMap::new() }
    }
}

impl<K: Hash + Eq + Clone, V> Recent<K, V> {
    /// What is remembered.
    pub(super) fn get(&mut self, key: &K) -> Option<&V> {
        if let Some((key, value)) = self.older.remove_entry(key) {
            self.newer.insert(key, value);
        }
        self.newer.get(key)
    }

    /// Remembers something; each half holds `half` at most, but for what moves back in.
    pub(super) fn put(&mut self, key: K, value: V, half: usize) {
        if self.newer.len() >= half {
            self.older = std::mem::take(&mut self.newer);
        }
        self.newer.insert(key, value);
    }
}

#[cfg(test)]
mod tests {
    use super::Recent;

    #[test]
    fn what_is_used_stays_and_the_rest_is_bounded() {
        let mut recent = Recent::default();
        for n in 0..1000 {
            recent.put(n, n, 10);
            assert_eq!(recent.get(&0), Some(&0), "{n}");
            assert!(recent.newer.len() + recent.older.len() <= 21, "{n}");
        }
        assert_eq!(recent.get(&500), None);
        assert_eq!(recent.get(&999), Some(&999));
    }
}
