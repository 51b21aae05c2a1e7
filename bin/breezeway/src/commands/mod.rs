//! One file per command: its flags, and what it prints.

pub mod echo;
pub mod explain;
pub mod reset;
pub mod serve;
pub mod trust;
pub mod up;
