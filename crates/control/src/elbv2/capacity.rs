//! Capacity reservations of load balancers.
//!
//! DEVIATION: a capacity reservation of a load balancer is kept and shown as provisioned at once;
//! it reserves nothing, and may be lowered as often as one likes.

use model::Snapshot;
use model::balancer::{Capacity, LoadBalancer};
use model::limits::CAPACITY_UNITS_PER_LOAD_BALANCER;
use shapes::elbv2 as out;
use shapes::elbv2::{
    DescribeCapacityReservationInput, DescribeCapacityReservationOutput,
    ModifyCapacityReservationInput, ModifyCapacityReservationOutput,
};
use store::Txn;
use wire::{Fault, Time};

use super::{fault, find};
use crate::Ctx;

/// What AWS lets one lower a reservation in a day.
const DECREASES: i64 = 2;

/// The capacity reservation of a load balancer.
pub fn describe_capacity_reservation(
    ctx: &Ctx<'_>,
    state: &Snapshot,
    input: DescribeCapacityReservationInput,
) -> Result<DescribeCapacityReservationOutput, Fault> {
    let record = find::load_balancer(ctx, state, &input.load_balancer_arn)?;
    Ok(DescribeCapacityReservationOutput {
        last_modified_time: record.capacity.map(|capacity| Time(capacity.changed.0)),
        decrease_requests_remaining: Some(DECREASES),
        minimum_load_balancer_capacity: minimum(&record),
        capacity_reservation_state: Some(zones(&record)),
    })
}

/// Asks for a reservation, or gives it up.
pub fn modify_capacity_reservation(
    ctx: &Ctx<'_>,
    txn: &mut Txn,
    input: ModifyCapacityReservationInput,
) -> Result<ModifyCapacityReservationOutput, Fault> {
    let record = find::load_balancer(ctx, txn, &input.load_balancer_arn)?;
    let reset = input.reset_capacity_reservation == Some(true);
    let asked = input.minimum_load_balancer_capacity.and_then(|minimum| minimum.capacity_units);
    let mut record = LoadBalancer::clone(&record);
    record.capacity = match (asked, reset) {
        (Some(asked), false) => Some(Capacity { units: units(asked)?, changed: ctx.now }),
        (None, true) => None,
        _ => {
            return Err(Fault::validation(
                "Either a minimum load balancer capacity or a reset of the capacity reservation \
                 must be specified",
            ));
        }
    };
    let output = ModifyCapacityReservationOutput {
        last_modified_time: Some(Time(ctx.now.0)),
        decrease_requests_remaining: Some(DECREASES),
        minimum_load_balancer_capacity: minimum(&record),
        capacity_reservation_state: Some(zones(&record)),
    };
    txn.put(record);
    Ok(output)
}

fn units(asked: i64) -> Result<u32, Fault> {
    match u32::try_from(asked) {
        Ok(units @ 1..=CAPACITY_UNITS_PER_LOAD_BALANCER) => Ok(units),
        Err(_) | Ok(0) => {
            Err(Fault::validation(format!("Capacity units '{asked}' must be greater than '0'")))
        }
        Ok(_) => Err(fault::of(
            "CapacityUnitsLimitExceeded",
            format!(
                "A load balancer can reserve at most '{CAPACITY_UNITS_PER_LOAD_BALANCER}' \
                 capacity units"
            ),
        )),
    }
}

fn minimum(record: &LoadBalancer) -> Option<out::MinimumLoadBalancerCapacity> {
    let units = record.capacity.map(|capacity| i64::from(capacity.units));
    units.map(|units| out::MinimumLoadBalancerCapacity { capacity_units: Some(units) })
}

/// AWS: a reservation is spread evenly over the zones.
fn zones(record: &LoadBalancer) -> Vec<out::ZonalCapacityReservationState> {
    let Some(capacity) = record.capacity else { return Vec::new() };
    let share = f64::from(capacity.units) / record.zones.len().max(1) as f64;
    let provisioned =
        || out::CapacityReservationStatus { code: Some("provisioned".to_owned()), reason: None };
    record
        .zones
        .iter()
        .map(|zone| out::ZonalCapacityReservationState {
            state: Some(provisioned()),
            availability_zone: Some(zone.zone.clone()),
            effective_capacity_units: Some(share),
        })
        .collect()
}
