//! Randomness as an argument: one number per request, and independent numbers derived from it.

/// What a derived number is for; each use has its own.
#[derive(Clone, Copy, Debug)]
pub enum Use {
    /// The request id of the gateway.
    RequestId = 1,
    /// The trace id that the gateway gives.
    GatewayTrace = 3,
    /// The trace id that a load balancer gives.
    BalancerTrace = 5,
    /// The group of a weighted forward action.
    Group = 7,
    /// The target of a random pick.
    Target = 8,
    /// The node of a load balancer, when nothing says which one.
    Node = 9,
    /// Whether a target in slow start takes its turn.
    SlowStart = 10,
    /// The id of a connection.
    Connection = 11,
}

/// A number derived from the request's draw (splitmix64): the same for the same arguments.
pub fn derive(draw: u64, what: Use) -> u64 {
    nth(draw, what as u64)
}

/// Two derived numbers.
pub fn pair(draw: u64, what: Use) -> (u64, u64) {
    (nth(draw, what as u64), nth(draw, what as u64 + 1))
}

/// A number below `end`, the same for the same arguments: one of a row that belongs to the draw.
pub fn below(draw: u64, index: u64, end: u64) -> u64 {
    ((u128::from(nth(draw, index)) * u128::from(end)) >> 64) as u64
}

fn nth(draw: u64, index: u64) -> u64 {
    let mut z = draw.wrapping_add(index.wrapping_mul(0x9e37_79b9_7f4a_7c15));
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}
