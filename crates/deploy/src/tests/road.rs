//! The whole road from one template: every type, made and removed again.

use std::sync::Arc;

use super::Bench;
use crate::Deployer;

const ROAD: &str = include_str!("road.yml");

/// A deployer that remembers nothing, as after a restart.
fn restarted(bench: &Bench) -> Deployer {
    let Deployer { store, settings, now, seed } = &bench.deployer;
    Deployer { store: Arc::clone(store), settings: settings.clone(), now: *now, seed: *seed }
}

/// Load balancers and links that wait for the data plane come up at once.
fn bring_up(bench: &Bench) {
    use model::balancer::{LoadBalancer, LoadBalancerState};
    use model::link::{VpcLink, VpcLinkStatus};
    bench
        .call(|_, txn| {
            let arns: Vec<_> = txn.load_balancers.iter().map(|found| found.arn.clone()).collect();
            for arn in arns {
                txn.update::<LoadBalancer>(&arn, |found| found.state = LoadBalancerState::Active);
            }
            let links: Vec<_> = txn.vpc_links.iter().map(|link| link.id.clone()).collect();
            for link in links {
                txn.update::<VpcLink>(&link, |link| link.status = VpcLinkStatus::Available);
            }
            Ok(())
        })
        .unwrap();
}

#[test]
fn made_and_removed() {
    let bench = Bench::new();
    let id = bench.request(super::input("road", ROAD)).unwrap();
    // Each round is a restart: nothing but the records is carried over.
    for _ in 0..5 {
        restarted(&bench).work_on_all();
        bring_up(&bench);
    }
    assert_eq!(bench.status(&id), "CREATE_COMPLETE", "{:#?}", bench.reasons(&id));
    let stack = bench.stack(&id);
    let output = |name: &str| stack.outputs[name].value.clone();
    let state = bench.state();
    let api = state.apis.iter().next().unwrap();
    assert_eq!(output("Url"), format!("https://{}.execute-api.us-east-1.amazonaws.com/", api.id));
    assert_eq!(
        output("Endpoint"),
        format!("http://{}.execute-api.us-east-1.localhost:8080", api.id)
    );
    let balancer = state.load_balancers.iter().next().unwrap();
    assert_eq!(output("Balancer"), balancer.dns_name);
    assert!(balancer.name.starts_with("road-Balancer-"), "{}", balancer.name);
    assert_eq!(balancer.attributes["idle_timeout.timeout_seconds"], "30");
    let integration = state.integrations.iter().next().unwrap();
    assert_eq!(integration.uri.as_deref(), Some(bench.physical_id(&id, "Listener").as_str()));
    assert_eq!(integration.link.as_ref().map(ToString::to_string), Some(output("Link")));
    let route = state.routes.iter().next().unwrap();
    assert_eq!(route.integration.as_ref(), Some(&integration.id));
    assert_eq!(state.targets.len(), 1);
    assert_eq!(output("Groups"), balancer.arn.to_string());
    let known = crate::handlers::TYPES.len();
    let mut used: Vec<String> =
        bench.resources(&id).iter().map(|resource| resource.resource_type.clone()).collect();
    used.sort_unstable();
    used.dedup();
    assert_eq!(used.len(), known, "the template has every type");
    bench.delete("road", &[]).unwrap();
    assert_eq!(bench.status(&id), "DELETE_COMPLETE", "{:#?}", bench.reasons(&id));
    nothing_left(&bench);
}

fn nothing_left(bench: &Bench) {
    let state = bench.state();
    let left = [
        ("apis", state.apis.len()),
        ("links", state.vpc_links.len()),
        ("balancers", state.load_balancers.len()),
        ("listeners", state.listeners.len()),
        ("rules", state.rules.len()),
        ("groups", state.target_groups.len()),
        ("targets", state.targets.len()),
        ("vpcs", state.vpcs.iter().filter(|vpc| !vpc.is_default).count()),
        ("gateways", state.internet_gateways.len()),
        ("addresses", state.addresses.len()),
        ("roles", state.roles.len()),
        ("profiles", state.instance_profiles.len()),
    ];
    for (name, count) in left {
        assert_eq!(count, 0, "{name}");
    }
}
