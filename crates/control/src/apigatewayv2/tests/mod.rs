//! Tests of the operations through a store, so that its invariants hold after each of them.

mod api;
mod auto_deploy;
mod deployment;
mod integration;
mod parameters;
mod quick_create;
mod quota;
mod route;
mod stage;
mod tags;
mod vpc_link;
mod world;

use world::*;
