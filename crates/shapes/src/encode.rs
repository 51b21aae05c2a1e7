//! Structs to [`Node`]. Absent members become null nodes, which every writer omits.

use std::collections::BTreeMap;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use wire::{Node, Time};

/// A value that can be written.
pub trait Encode {
    /// The tree of this value, with wire names.
    fn encode(self) -> Node;
}

impl Encode for String {
    fn encode(self) -> Node {
        Node::Text(self)
    }
}

impl Encode for i64 {
    fn encode(self) -> Node {
        Node::Int(self)
    }
}

impl Encode for f64 {
    fn encode(self) -> Node {
        Node::Float(self)
    }
}

impl Encode for bool {
    fn encode(self) -> Node {
        Node::Bool(self)
    }
}

impl Encode for Time {
    fn encode(self) -> Node {
        Node::Time(self.0)
    }
}

impl Encode for Vec<u8> {
    fn encode(self) -> Node {
        Node::Text(STANDARD.encode(self))
    }
}

impl<T: Encode> Encode for Box<T> {
    fn encode(self) -> Node {
        (*self).encode()
    }
}

impl<T: Encode> Encode for Option<T> {
    fn encode(self) -> Node {
        self.map_or(Node::Null, Encode::encode)
    }
}

impl<T: Encode> Encode for Vec<T> {
    fn encode(self) -> Node {
        Node::List(self.into_iter().map(Encode::encode).collect())
    }
}

impl<T: Encode> Encode for BTreeMap<String, T> {
    fn encode(self) -> Node {
        Node::Dict(self.into_iter().map(|(key, value)| (key, value.encode())).collect())
    }
}

/// A structure from its members; used by generated code.
pub fn structure<const N: usize>(members: [(&'static str, Node); N]) -> Node {
    let present = members.into_iter().filter(|(_, node)| !node.is_null());
    Node::Struct(present.map(|(name, node)| (name.into(), node)).collect())
}
