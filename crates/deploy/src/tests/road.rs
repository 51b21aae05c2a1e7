//! The whole road from one template, made and removed again; every type is in one of the templates.

use std::sync::Arc;

use super::Bench;
use crate::Deployer;

const ROAD: &str = include_str!("road.yml");
const IDENTITY: &str = include_str!("identity.yml");
const TLS: &str = include_str!("tls.yml");
const DISCOVERY: &str = include_str!("discovery.yml");

/// A deployer that remembers nothing, as after a restart.
fn restarted(bench: &Bench) -> Deployer {
    let Deployer { store, settings, now, seed } = &bench.deployer;
    Deployer { store: Arc::clone(store), settings: settings.clone(), now: *now, seed: *seed }
}

/// Load balancers and links that wait for the data plane come up at once.
pub fn bring_up(bench: &Bench) {
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
    bench.delete("road", &[]).unwrap();
    assert_eq!(bench.status(&id), "DELETE_COMPLETE", "{:#?}", bench.reasons(&id));
    nothing_left(&bench);
}

#[test]
fn identities() {
    let bench = Bench::new();
    let id = bench.create("road", IDENTITY);
    assert_eq!(bench.status(&id), "CREATE_COMPLETE", "{:#?}", bench.reasons(&id));
    let state = bench.state();
    let role = state.roles.iter().next().unwrap();
    let names: Vec<&str> = role.policies.keys().map(String::as_str).collect();
    assert_eq!((names.as_slice(), role.attached.len()), (["beside", "inside"].as_slice(), 1));
    assert!(role.name.as_str().starts_with("road-Role-"));
    let outputs = &bench.stack(&id).outputs;
    assert_eq!(outputs["Role"].value, format!("arn:aws:iam::000000000000:role/{}", role.name));
    assert!(outputs["Profile"].value.starts_with("arn:aws:iam::000000000000:instance-profile/"));
    let certificate = state.certificates.iter().next().unwrap();
    assert_eq!(outputs["Certificate"].value, certificate.arn.to_string());
    bench.delete("road", &[]).unwrap();
    assert_eq!(bench.status(&id), "DELETE_COMPLETE", "{:#?}", bench.reasons(&id));
    nothing_left(&bench);
}

#[test]
fn certificates_and_trust_stores() {
    let folder = tempfile::tempdir().unwrap();
    let bucket = folder.path().join("pki");
    std::fs::create_dir(&bucket).unwrap();
    let mut bench = Bench::new();
    let authority = &bench.deployer.settings.authority.certificate;
    std::fs::write(bucket.join("ca.pem"), authority).unwrap();
    std::fs::write(bucket.join("list.crl"), include_str!("list.crl")).unwrap();
    bench.deployer.settings.buckets = Some(model::Buckets(folder.path().to_owned()));
    let id = bench.request(super::input("tls", TLS)).unwrap();
    bench.deployer.work(&id);
    bring_up(&bench);
    bench.deployer.work(&id);
    assert_eq!(bench.status(&id), "CREATE_COMPLETE", "{:#?}", bench.reasons(&id));
    let state = bench.state();
    let listener = state.listeners.iter().next().unwrap();
    let certificates = [bench.physical_id(&id, "Default"), bench.physical_id(&id, "Other")];
    assert_eq!(listener.certificates, certificates);
    assert_eq!(listener.ssl_policy.as_deref(), Some("ELBSecurityPolicy-TLS13-1-3-2021-06"));
    assert_eq!(listener.attributes.len(), 1);
    let balancer = state.load_balancers.iter().next().unwrap();
    assert!(balancer.capacity.is_some());
    let store = state.trust_stores.iter().next().unwrap();
    assert_eq!(listener.mutual.trust_store(), Some(&store.arn));
    assert!(store.name.starts_with("tls-Clients-"), "{}", store.name);
    assert_eq!((store.authorities, store.revocations.len(), store.tags.len()), (1, 2, 1));
    let outputs = &bench.stack(&id).outputs;
    let shown = ["Authorities", "Status", "Revocation", "Revoked"].map(|o| &*outputs[o].value);
    assert_eq!(shown, ["1", "ACTIVE", "1", &format!("1,2|{}", store.arn)]);
    bench.delete("tls", &[]).unwrap();
    assert_eq!(bench.status(&id), "DELETE_COMPLETE", "{:#?}", bench.reasons(&id));
    nothing_left(&bench);
}

#[test]
fn cloud_map() {
    let bench = Bench::new();
    let id = bench.request(super::input("map", DISCOVERY)).unwrap();
    bench.deployer.work(&id);
    assert_eq!(bench.status(&id), "CREATE_COMPLETE", "{:#?}", bench.reasons(&id));
    let state = bench.state();
    let web = state.services.get(&bench.physical_id(&id, "Web").as_str().into()).unwrap();
    assert!(web.name.starts_with("map-Web-"), "{}", web.name);
    assert_eq!((web.attributes.len(), web.dns.is_some(), web.revision), (1, true, 1));
    let zone = state.namespaces.get(&web.namespace).unwrap();
    assert_eq!((zone.tags.len(), zone.kind.zone().unwrap().soa_ttl), (1, 7));
    let task = state.registrations.under(&web.id).next().unwrap();
    assert_eq!(task.socket(), Some(([10, 3, 0, 9], 80).into()));
    let outputs = &bench.stack(&id).outputs;
    let shown = ["Zone", "Arn", "Name", "Task"].map(|name| outputs[name].value.clone());
    let arn = format!("arn:aws:servicediscovery:us-east-1:000000000000:service/{}", web.id);
    let zone = zone.kind.zone().unwrap().id.to_string();
    assert_eq!(shown, [zone, arn, web.name.clone(), task.id.to_string()]);
    bench.delete("map", &[]).unwrap();
    assert_eq!(bench.status(&id), "DELETE_COMPLETE", "{:#?}", bench.reasons(&id));
    let state = bench.state();
    assert!(state.namespaces.is_empty() && state.services.is_empty());
}

#[test]
fn every_type_is_used() {
    let mut used: Vec<String> = [ROAD, IDENTITY, TLS, DISCOVERY]
        .iter()
        .flat_map(|text| template::parse(text).unwrap().resources)
        .map(|resource| resource.kind)
        .collect();
    used.sort_unstable();
    used.dedup();
    let known: Vec<&str> = crate::handlers::TYPES.iter().map(|known| known.name).collect();
    assert_eq!(used, known);
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
        ("certificates", state.certificates.len()),
        ("trust stores", state.trust_stores.len()),
    ];
    for (name, count) in left {
        assert_eq!(count, 0, "{name}");
    }
}
