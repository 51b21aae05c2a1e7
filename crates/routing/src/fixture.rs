//! Records for tests, and the main road: an API, a link, an internal load balancer, two targets.
//! `World::main_road` holds them; tests change what they are about.

mod discovery;
mod gateway;
mod tls;

use std::collections::BTreeMap;
use std::sync::Arc;

use model::authentication::{Hidden, Oidc, Session, Unauthenticated};
use model::balancer::*;
use model::gateway::*;
use model::link::{VpcLink, VpcLinkStatus};
use model::network::*;
use model::{ListenerArn, LoadBalancerArn, Scope, Settings, Snapshot, TargetGroupArn, Timestamp};

pub use discovery::service_arn;
pub use tls::certificate;

use crate::live::HealthMark;
use crate::{Body, Finding, Tables, Version, View};

/// Tables and the snapshot they are made from.
pub struct World {
    pub snapshot: Snapshot,
    pub settings: Settings,
}

const LINES: [(&str, &[u8]); 2] = [("host", API_HOST.as_bytes()), ("accept", b"*/*")];
pub const API_HOST: &str = "abc.execute-api.us-east-1.localhost";

fn scope() -> Scope {
    Scope::new("000000000000", "us-east-1")
}

fn map(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    pairs.iter().map(|(key, value)| ((*key).to_string(), (*value).to_string())).collect()
}

pub fn balancer_arn(name: &str) -> LoadBalancerArn {
    let resource = format!("loadbalancer/app/{name}/1");
    model::arn::arn("elasticloadbalancing", &scope(), &resource).into()
}

pub fn listener_arn(name: &str, port: u16) -> ListenerArn {
    balancer_arn(name).listener(&port.to_string())
}

pub fn group_arn(name: &str) -> TargetGroupArn {
    let resource = format!("targetgroup/{name}/1");
    model::arn::arn("elasticloadbalancing", &scope(), &resource).into()
}

pub fn forward(groups: &[(&str, u32)]) -> ActionKind {
    let group =
        |(name, weight): &(&str, u32)| WeightedGroup { group: group_arn(name), weight: *weight };
    ActionKind::Forward(Forward {
        groups: groups.iter().map(group).collect(),
        stickiness_seconds: None,
        stickiness_given: None,
    })
}

pub fn path_is(pattern: &str) -> Condition {
    Condition::Path(Patterns::Wildcards(vec![pattern.to_string()]))
}

impl World {
    pub fn empty() -> Self {
        Self { snapshot: Snapshot::default(), settings: Settings::default() }
    }

    /// Route `ANY /{proxy+}` and `GET /` of API `abc` (stages `$default` and `dev`) through link
    /// `lnk` to port 80 of `web`, whose targets are 10.0.3.1 and 10.0.3.2 on port 8080.
    pub fn main_road() -> Self {
        let mut world = Self::empty();
        world.vpc("vpc-1", "10.0.0.0/16");
        for (id, name) in [("sg-link", "link"), ("sg-alb", "web-alb"), ("sg-task", "task")] {
            world.group(id, name);
            world.allow(id, Direction::Egress, "-1", None, "0.0.0.0/0");
        }
        world.allow("sg-alb", Direction::Ingress, "tcp", Some((80, 80)), "sg-link");
        world.allow("sg-task", Direction::Ingress, "tcp", Some((8080, 8080)), "sg-alb");
        world.interface("eni-lnk", "10.0.1.5", "sg-link", InterfaceOwner::VpcLink("lnk".into()));
        let owner = InterfaceOwner::LoadBalancer(balancer_arn("web"));
        world.interface("eni-web", "10.0.2.5", "sg-alb", owner);
        world.interface("eni-t1", "10.0.3.1", "sg-task", InterfaceOwner::User);
        world.interface("eni-t2", "10.0.3.2", "sg-task", InterfaceOwner::User);
        world.link("lnk", VpcLinkStatus::Available);
        world.balancer("web", Scheme::Internal, "eni-web", &[]);
        world.target_group("tg", &[]);
        world.listener("web", 80, &[]);
        world.rule("web", 80, Priority::Default, vec![], forward(&[("tg", 1)]));
        world.target("tg", "10.0.3.1", 8080);
        world.target("tg", "10.0.3.2", 8080);
        world.api("abc", |_| ());
        world.integration("abc", "int", listener_arn("web", 80).as_str(), Some("lnk"), |_| ());
        world.route("abc", "r1", "ANY /{proxy+}", Some("int"), |_| ());
        world.route("abc", "r2", "GET /", Some("int"), |_| ());
        world.deployment("abc", "dep", Content::Live);
        world.stage("abc", "$default", Some("dep"), &[]);
        world.stage("abc", "dev", Some("dep"), &[("color", "blue")]);
        world
    }

    pub fn compile(&self) -> (Tables, Vec<Finding>) {
        crate::compile(&self.snapshot, &self.settings)
    }

    /// Tables whose targets are all healthy.
    pub fn healthy(&self) -> Tables {
        let (tables, _) = self.compile();
        for target in tables.groups.values().flat_map(|group| &group.targets) {
            target.live.get().set_health(HealthMark::Healthy, model::Timestamp(0));
        }
        tables
    }

    pub fn vpc(&mut self, id: &str, cidr: &str) {
        self.snapshot.vpcs.insert(Arc::new(Vpc {
            scope: scope(),
            id: id.into(),
            cidr: cidr.parse().unwrap(),
            cidr_association_id: String::new(),
            is_default: false,
            dns_support: true,
            dns_hostnames: true,
            address_usage_metrics: false,
            instance_tenancy: "default".into(),
            dhcp_options_id: String::new(),
            tags: map(&[]),
        }));
    }

    pub fn group(&mut self, id: &str, name: &str) {
        self.snapshot.security_groups.insert(Arc::new(SecurityGroup {
            scope: scope(),
            id: id.into(),
            vpc: "vpc-1".into(),
            name: name.into(),
            description: String::new(),
            tags: map(&[]),
        }));
    }

    pub fn allow(
        &mut self,
        group: &str,
        direction: Direction,
        protocol: &str,
        ports: Option<(i32, i32)>,
        peer: &str,
    ) {
        let id = format!("sgr-{}", self.snapshot.security_group_rules.len());
        let peer = match peer.parse() {
            Ok(block) => Peer::Cidr4(block),
            Err(_) if peer.starts_with("pl-") => Peer::PrefixList(peer.into()),
            Err(_) => Peer::Group(peer.into()),
        };
        self.snapshot.security_group_rules.insert(Arc::new(SecurityGroupRule {
            group: group.into(),
            id: id.into(),
            direction,
            protocol: protocol.into(),
            from_port: ports.map(|ports| ports.0),
            to_port: ports.map(|ports| ports.1),
            peer,
            description: None,
            tags: map(&[]),
        }));
    }

    /// Takes all rules of a group in one direction away.
    pub fn forbid(&mut self, group: &str, direction: Direction) {
        let rules = &self.snapshot.security_group_rules;
        let keys: Vec<_> = rules
            .under(&group.into())
            .filter(|rule| rule.direction == direction)
            .map(|rule| (rule.group.clone(), rule.id.clone()))
            .collect();
        for key in keys {
            self.snapshot.security_group_rules.remove(&key);
        }
    }

    pub fn interface(&mut self, id: &str, ip: &str, groups: &str, owner: InterfaceOwner) {
        self.snapshot.network_interfaces.insert(Arc::new(NetworkInterface {
            scope: scope(),
            id: id.into(),
            vpc: "vpc-1".into(),
            subnet: "subnet-1".into(),
            zone: "us-east-1a".into(),
            private_ip: ip.parse().unwrap(),
            public_ip: None,
            mac: String::new(),
            security_groups: groups.split_whitespace().map(Into::into).collect(),
            description: String::new(),
            owner,
            source_dest_check: true,
            attachment_id: None,
            created: Timestamp(0),
            tags: map(&[]),
        }));
    }

    pub fn change_interface(&mut self, id: &str, change: impl FnOnce(&mut NetworkInterface)) {
        let mut record = (**self.snapshot.network_interfaces.get(&id.into()).unwrap()).clone();
        change(&mut record);
        self.snapshot.network_interfaces.insert(Arc::new(record));
    }

    pub fn unlink(&mut self, id: &str) {
        assert!(self.snapshot.vpc_links.remove(&id.into()));
    }

    pub fn detach(&mut self, id: &str) {
        assert!(self.snapshot.network_interfaces.remove(&id.into()));
    }

    pub fn instance(&mut self, id: &str, interface: &str, state: InstanceState) {
        self.snapshot.instances.insert(Arc::new(Instance {
            scope: scope(),
            id: id.into(),
            image: String::new(),
            instance_type: "t3.micro".into(),
            key_name: None,
            profile: None,
            reservation: String::new(),
            launch_index: 0,
            keeps_interface: false,
            terminated: None,
            interface: interface.into(),
            state,
            launched: Timestamp(0),
            tags: map(&[]),
        }));
    }

    pub fn link(&mut self, id: &str, status: VpcLinkStatus) {
        self.snapshot.vpc_links.insert(Arc::new(VpcLink {
            scope: scope(),
            id: id.into(),
            name: "main".into(),
            vpc: "vpc-1".into(),
            subnets: vec!["subnet-1".into()],
            security_groups: Vec::new(),
            status,
            tags: map(&[]),
            created: Timestamp(0),
        }));
    }

    pub fn balancer(
        &mut self,
        name: &str,
        scheme: Scheme,
        interface: &str,
        attributes: &[(&str, &str)],
    ) {
        self.snapshot.load_balancers.insert(Arc::new(LoadBalancer {
            scope: scope(),
            arn: balancer_arn(name),
            name: name.into(),
            kind: LoadBalancerType::Application,
            scheme,
            dns_name: format!("{name}-1.us-east-1.elb.localhost"),
            vpc: "vpc-1".into(),
            zones: vec![ZoneMapping {
                zone: "us-east-1a".into(),
                subnet: "subnet-1".into(),
                interface: interface.into(),
                allocation_id: None,
                private_ipv4: None,
            }],
            security_groups: Vec::new(),
            ip_address_type: "ipv4".into(),
            attributes: map(attributes),
            capacity: None,
            state: LoadBalancerState::Active,
            tags: map(&[]),
            created: Timestamp(0),
        }));
    }

    pub fn change_balancer(&mut self, name: &str, change: impl FnOnce(&mut LoadBalancer)) {
        let record = self.snapshot.load_balancers.get(&balancer_arn(name)).unwrap();
        let mut record = (**record).clone();
        change(&mut record);
        self.snapshot.load_balancers.insert(Arc::new(record));
    }

    pub fn listener(&mut self, balancer: &str, port: u16, attributes: &[(&str, &str)]) {
        self.snapshot.listeners.insert(Arc::new(Listener {
            load_balancer: balancer_arn(balancer),
            arn: listener_arn(balancer, port),
            protocol: if port == 443 { "HTTPS" } else { "HTTP" }.into(),
            port,
            ssl_policy: None,
            certificates: Vec::new(),
            alpn_policy: None,
            mutual: MutualAuthentication::Off,
            attributes: map(attributes),
            tags: map(&[]),
            created: Timestamp(0),
        }));
    }

    pub fn rule(
        &mut self,
        balancer: &str,
        port: u16,
        priority: Priority,
        conditions: Vec<Condition>,
        action: ActionKind,
    ) {
        let listener = listener_arn(balancer, port);
        self.snapshot.rules.insert(Arc::new(Rule {
            arn: listener.rule(&format!("{priority:?}")),
            listener,
            priority,
            conditions,
            actions: vec![Action { order: None, kind: action }],
            transforms: Vec::new(),
            tags: map(&[]),
        }));
    }

    /// Puts an `authenticate-oidc` action before those of a rule.
    pub fn guard(&mut self, balancer: &str, port: u16, priority: Priority, issuer: &str) {
        let listener = listener_arn(balancer, port);
        let key = (listener.clone(), listener.rule(&format!("{priority:?}")));
        let mut record = (**self.snapshot.rules.get(&key).unwrap()).clone();
        let oidc = Oidc {
            issuer: issuer.into(),
            authorization_endpoint: "https://idp/authorize".into(),
            token_endpoint: format!("{issuer}/token"),
            user_info_endpoint: "https://idp/me".into(),
            client_id: "client".into(),
            client_secret: Hidden("secret".into()),
            session: Session {
                cookie_name: "C".into(),
                scope: "openid".into(),
                timeout_seconds: 3600,
                extra_params: map(&[]),
                unauthenticated: Unauthenticated::Authenticate,
            },
        };
        record.actions.iter_mut().for_each(|action| action.order = Some(2));
        record
            .actions
            .push(Action { order: Some(1), kind: ActionKind::AuthenticateOidc(Box::new(oidc)) });
        self.snapshot.rules.insert(Arc::new(record));
    }

    pub fn target_group(&mut self, name: &str, attributes: &[(&str, &str)]) {
        self.snapshot.target_groups.insert(Arc::new(TargetGroup {
            scope: scope(),
            arn: group_arn(name),
            name: name.into(),
            target_type: TargetType::Ip,
            protocol: Some("HTTP".into()),
            protocol_version: Some("HTTP1".into()),
            port: Some(8080),
            vpc: Some("vpc-1".into()),
            ip_address_type: "ipv4".into(),
            health_check: HealthCheck {
                enabled: true,
                protocol: "HTTP".into(),
                port: None,
                path: Some("/health".into()),
                interval_seconds: 30,
                timeout_seconds: 5,
                healthy_threshold: 5,
                unhealthy_threshold: 2,
                matcher: Some("200,204".into()),
            },
            attributes: map(attributes),
            tags: map(&[]),
            created: Timestamp(0),
        }));
    }

    /// Gives a rule a transform.
    pub fn transform(&mut self, priority: Priority, kind: TransformKind, from: &str, to: &str) {
        let listener = listener_arn("web", 80);
        let key = (listener.clone(), listener.rule(&format!("{priority:?}")));
        let mut record = (**self.snapshot.rules.get(&key).unwrap()).clone();
        record.transforms.push(Transform { kind, regex: from.into(), replace: to.into() });
        self.snapshot.rules.insert(Arc::new(record));
    }

    /// A second node of the load balancer `web`, in `us-east-1b`, with the address 10.0.5.5.
    pub fn second_node(&mut self) {
        let owner = InterfaceOwner::LoadBalancer(balancer_arn("web"));
        self.interface("eni-web2", "10.0.5.5", "sg-alb", owner);
        self.change_interface("eni-web2", |interface| interface.zone = "us-east-1b".into());
        self.change_balancer("web", |balancer| {
            let mut mapping = balancer.zones[0].clone();
            (mapping.zone, mapping.interface) = ("us-east-1b".into(), "eni-web2".into());
            balancer.zones.push(mapping);
        });
    }

    pub fn change_group(&mut self, name: &str, change: impl FnOnce(&mut TargetGroup)) {
        let mut record = (**self.snapshot.target_groups.get(&group_arn(name)).unwrap()).clone();
        change(&mut record);
        self.snapshot.target_groups.insert(Arc::new(record));
    }

    pub fn target(&mut self, group: &str, id: &str, port: u16) {
        self.snapshot.targets.insert(Arc::new(Target {
            group: group_arn(group),
            id: TargetId { id: id.into(), port },
            zone: None,
            registered: Timestamp(0),
            draining_until: None,
        }));
    }

    pub fn change_target(
        &mut self,
        group: &str,
        id: &str,
        port: u16,
        change: impl FnOnce(&mut Target),
    ) {
        let key = (group_arn(group), TargetId { id: id.into(), port });
        let mut record = (**self.snapshot.targets.get(&key).unwrap()).clone();
        change(&mut record);
        self.snapshot.targets.insert(Arc::new(record));
    }

    pub fn drain(&mut self, group: &str, id: &str, port: u16) {
        self.change_target(group, id, port, |target| target.draining_until = Some(Timestamp(1)));
    }
}

/// A plain GET from 192.0.2.7 for the API `abc`.
pub fn get(target: &str) -> View<'_> {
    View {
        method: "GET",
        target,
        host: Some(API_HOST),
        headers: &LINES,
        source: ([192, 0, 2, 7], 4000).into(),
        https: false,
        version: Version::Http11,
        body: Body::Empty,
        local: None,
        tls: None,
    }
}
