//! A private network made of records: one VPC on loopback addresses, a link, a load balancer
//! with one listener, an API. Tests add groups, targets, rules, routes and integrations.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use model::balancer::*;
use model::gateway::*;
use model::link::{VpcLink, VpcLinkStatus};
use model::network::*;
use model::table::Record;
use model::*;

/// The API's id and so the first label of its host name.
pub const API: &str = "a1b2c3d4e5";
/// The API's host name at the front door.
pub const HOST: &str = "a1b2c3d4e5.execute-api.us-east-1.localhost:8080";
/// The address of the link's interface.
pub const LINK_IP: &str = "127.10.1.20";
/// The address of the load balancer's interface.
pub const ALB_IP: &str = "127.10.1.10";
/// The address of a peer in the VPC without an interface.
pub const PEER_IP: &str = "127.10.9.9";
/// The port of the load balancer's listener.
pub const LISTENER_PORT: u16 = 80;

const VPC: &str = "vpc-00000000000000001";
const SUBNET: &str = "subnet-00000000000000001";
const LINK: &str = "lnk123";
/// Security groups: of the link, the load balancer, the targets.
pub const SG_LINK: &str = "sg-0000000000000link";
pub const SG_ALB: &str = "sg-00000000000000alb";
pub const SG_TARGET: &str = "sg-00000000000target";

/// The state that a test builds.
pub struct World {
    pub snapshot: Snapshot,
    pub settings: Settings,
    interfaces: u32,
}

fn scope() -> Scope {
    Scope::new("000000000000", "us-east-1")
}

pub fn balancer_arn() -> LoadBalancerArn {
    LoadBalancerArn::from(
        "arn:aws:elasticloadbalancing:us-east-1:000000000000:loadbalancer/app/web/50dc6c495c0c9188",
    )
}

pub fn listener_arn() -> ListenerArn {
    balancer_arn().listener("f2f7dc8efc522ab2")
}

pub fn group_arn(name: &str) -> TargetGroupArn {
    TargetGroupArn::from(format!(
        "arn:aws:elasticloadbalancing:us-east-1:000000000000:targetgroup/{name}/73e2d6bc24d8a067"
    ))
}

impl World {
    /// VPC, security groups that allow link -> load balancer -> target, an active load balancer
    /// whose listener answers 404 by default, an available link, an API with a `$default` stage.
    pub fn new() -> World {
        let mut world =
            World { snapshot: Snapshot::default(), settings: Settings::default(), interfaces: 0 };
        world.network();
        world.balancer();
        world.put(VpcLink {
            scope: scope(),
            id: LINK.into(),
            name: "link".into(),
            vpc: VPC.into(),
            subnets: vec![SUBNET.into()],
            security_groups: vec![SG_LINK.into()],
            status: VpcLinkStatus::Available,
            tags: Tags::new(),
            created: Timestamp(0),
        });
        world.interface(LINK_IP, SG_LINK, InterfaceOwner::VpcLink(LINK.into()));
        world.put(api());
        world.stage("$default");
        world
    }

    /// Puts a record in place.
    pub fn put<R: Record>(&mut self, record: R) {
        R::table_mut(&mut self.snapshot).insert(Arc::new(record));
        self.snapshot.revision += 1;
    }

    fn network(&mut self) {
        self.put(Vpc {
            scope: scope(),
            id: VPC.into(),
            cidr: "127.10.0.0/16".parse().unwrap(),
            cidr_association_id: "vpc-cidr-assoc-1".into(),
            is_default: false,
            dns_support: true,
            dns_hostnames: true,
            address_usage_metrics: false,
            instance_tenancy: "default".into(),
            dhcp_options_id: "dopt-1".into(),
            tags: Tags::new(),
        });
        self.put(Subnet {
            scope: scope(),
            id: SUBNET.into(),
            vpc: VPC.into(),
            cidr: "127.10.0.0/18".parse().unwrap(),
            zone: "us-east-1a".into(),
            default_for_az: false,
            map_public_ip_on_launch: false,
            assign_ipv6_on_creation: false,
            launch_options: Default::default(),
            tags: Tags::new(),
        });
        for id in [SG_LINK, SG_ALB, SG_TARGET] {
            self.put(SecurityGroup {
                scope: scope(),
                id: id.into(),
                vpc: VPC.into(),
                name: id.into(),
                description: "test".into(),
                tags: Tags::new(),
            });
            self.rule(id, "out", Direction::Egress, Peer::Cidr4("0.0.0.0/0".parse().unwrap()));
        }
        self.rule(SG_ALB, "in", Direction::Ingress, Peer::Group(SG_LINK.into()));
        self.rule(SG_TARGET, "in", Direction::Ingress, Peer::Group(SG_ALB.into()));
    }

    /// Adds a rule for all protocols and ports.
    pub fn rule(&mut self, group: &str, id: &str, direction: Direction, peer: Peer) {
        self.put(SecurityGroupRule {
            group: group.into(),
            id: format!("sgr-{group}-{id}").into(),
            direction,
            protocol: "-1".into(),
            from_port: None,
            to_port: None,
            peer,
            description: None,
            tags: Tags::new(),
        });
    }

    /// Lets every peer in the VPC connect to the listener itself.
    pub fn open_listener(&mut self) {
        let all = Peer::Cidr4("127.10.0.0/16".parse().unwrap());
        self.rule(SG_ALB, "all", Direction::Ingress, all);
    }

    /// Takes a rule away again.
    pub fn drop_rule(&mut self, group: &str, id: &str) {
        let key = (group.into(), format!("sgr-{group}-{id}").into());
        assert!(self.snapshot.security_group_rules.remove(&key));
        self.snapshot.revision += 1;
    }

    fn interface(&mut self, ip: &str, group: &str, owner: InterfaceOwner) -> NetworkInterfaceId {
        self.interfaces += 1;
        let id = NetworkInterfaceId::from(format!("eni-{:017}", self.interfaces));
        self.put(NetworkInterface {
            scope: scope(),
            id: id.clone(),
            vpc: VPC.into(),
            subnet: SUBNET.into(),
            zone: "us-east-1a".into(),
            private_ip: ip.parse::<Ipv4Addr>().unwrap(),
            public_ip: None,
            mac: "02:00:00:00:00:01".into(),
            security_groups: vec![group.into()],
            description: String::new(),
            owner,
            source_dest_check: true,
            attachment_id: None,
            created: Timestamp(0),
            tags: Tags::new(),
        });
        id
    }

    fn balancer(&mut self) {
        let owner = InterfaceOwner::LoadBalancer(balancer_arn());
        let interface = self.interface(ALB_IP, SG_ALB, owner);
        self.put(LoadBalancer {
            scope: scope(),
            arn: balancer_arn(),
            name: "web".into(),
            kind: LoadBalancerType::Application,
            scheme: Scheme::Internal,
            dns_name: "internal-web-1234567890.us-east-1.elb.amazonaws.com".into(),
            vpc: VPC.into(),
            zones: vec![ZoneMapping {
                zone: "us-east-1a".into(),
                subnet: SUBNET.into(),
                interface,
                allocation_id: None,
                private_ipv4: None,
            }],
            security_groups: vec![SG_ALB.into()],
            ip_address_type: "ipv4".into(),
            attributes: Attributes::new(),
            capacity: None,
            state: LoadBalancerState::Active,
            tags: Tags::new(),
            created: Timestamp(0),
        });
        self.put(Listener {
            load_balancer: balancer_arn(),
            arn: listener_arn(),
            protocol: "HTTP".into(),
            port: LISTENER_PORT,
            ssl_policy: None,
            certificates: Vec::new(),
            alpn_policy: None,
            mutual: model::balancer::MutualAuthentication::Off,
            attributes: Attributes::new(),
            tags: Tags::new(),
            created: Timestamp(0),
        });
        self.default_action(fixed(404, "text/plain", "no rule"));
    }

    /// Sets attributes of the load balancer.
    pub fn balancer_attribute(&mut self, key: &str, value: &str) {
        let mut balancer = (**self.snapshot.load_balancers.get(&balancer_arn()).unwrap()).clone();
        balancer.attributes.insert(key.into(), value.into());
        self.put(balancer);
    }

    /// Sets the protocol version of a target group.
    pub fn group_version(&mut self, group: &TargetGroupArn, version: &str) {
        let mut record = (**self.snapshot.target_groups.get(group).unwrap()).clone();
        record.protocol_version = Some(version.to_owned());
        self.put(record);
    }

    /// Sets attributes of a target group.
    pub fn group_attributes(&mut self, group: &TargetGroupArn, pairs: &[(&str, &str)]) {
        let mut record = (**self.snapshot.target_groups.get(group).unwrap()).clone();
        let pairs = pairs.iter().map(|(key, value)| ((*key).into(), (*value).into()));
        record.attributes.extend(pairs);
        self.put(record);
    }

    /// Rewrites paths and queries of requests that the rule with this priority forwards.
    pub fn rewrite(&mut self, priority: u32, regex: &str, replace: &str) {
        let key = (listener_arn(), listener_arn().rule(&priority.to_string()));
        let mut rule = (**self.snapshot.rules.get(&key).unwrap()).clone();
        rule.transforms = vec![Transform {
            kind: TransformKind::Url,
            regex: regex.into(),
            replace: replace.into(),
        }];
        self.put(rule);
    }

    /// Sets the listener's default action.
    pub fn default_action(&mut self, kind: ActionKind) {
        self.put_rule("default", Priority::Default, Vec::new(), kind);
    }

    /// Adds a rule on a path pattern.
    pub fn path_rule(&mut self, priority: u32, pattern: &str, kind: ActionKind) {
        let paths = Condition::Path(Patterns::Wildcards(vec![pattern.into()]));
        self.put_rule(&priority.to_string(), Priority::At(priority), vec![paths], kind);
    }

    /// Puts an action before the last one of the rule with this priority.
    pub fn guard(&mut self, priority: u32, kind: ActionKind) {
        let key = (listener_arn(), listener_arn().rule(&priority.to_string()));
        let mut rule = (**self.snapshot.rules.get(&key).unwrap()).clone();
        rule.actions.iter_mut().for_each(|action| action.order = Some(50_000));
        rule.actions.push(Action { order: Some(rule.actions.len() as u32), kind });
        self.put(rule);
    }

    fn put_rule(&mut self, id: &str, priority: Priority, on: Vec<Condition>, kind: ActionKind) {
        self.put(Rule {
            listener: listener_arn(),
            arn: listener_arn().rule(id),
            priority,
            conditions: on,
            actions: vec![Action { order: Some(1), kind }],
            transforms: Vec::new(),
            tags: Tags::new(),
        });
    }

    /// Adds a target group of addresses, checked over HTTP at `/health` every 5 s.
    pub fn group(&mut self, name: &str) -> TargetGroupArn {
        self.put(TargetGroup {
            scope: scope(),
            arn: group_arn(name),
            name: name.into(),
            target_type: TargetType::Ip,
            protocol: Some("HTTP".into()),
            protocol_version: Some("HTTP1".into()),
            port: Some(80),
            vpc: Some(VPC.into()),
            ip_address_type: "ipv4".into(),
            health_check: HealthCheck {
                enabled: true,
                protocol: "HTTP".into(),
                port: None,
                path: Some("/health".into()),
                interval_seconds: 5,
                timeout_seconds: 2,
                healthy_threshold: 2,
                unhealthy_threshold: 2,
                matcher: Some("200".into()),
            },
            attributes: Attributes::new(),
            tags: Tags::new(),
            created: Timestamp(0),
        });
        group_arn(name)
    }

    /// Registers a target with an interface of its own.
    pub fn target(&mut self, group: &TargetGroupArn, addr: SocketAddr) {
        let known = |i: &&Arc<NetworkInterface>| i.private_ip.to_string() == addr.ip().to_string();
        if self.snapshot.network_interfaces.iter().find(known).is_none() {
            self.interface(&addr.ip().to_string(), SG_TARGET, InterfaceOwner::User);
        }
        self.register(group, addr, None);
    }

    /// Registers a target, or marks it as draining until a time.
    pub fn register(&mut self, group: &TargetGroupArn, at: SocketAddr, drain: Option<Timestamp>) {
        self.put(Target {
            group: group.clone(),
            id: TargetId { id: at.ip().to_string(), port: at.port() },
            zone: Some("us-east-1a".into()),
            registered: Timestamp(0),
            draining_until: drain,
        });
    }

    /// Forgets a target.
    pub fn forget(&mut self, group: &TargetGroupArn, at: SocketAddr) {
        let id = TargetId { id: at.ip().to_string(), port: at.port() };
        assert!(self.snapshot.targets.remove(&(group.clone(), id)));
        self.snapshot.revision += 1;
    }

    /// Adds an auto-deploying stage.
    pub fn stage(&mut self, name: &str) {
        let deployment = DeploymentId::from(format!("dep{name}"));
        self.put(Deployment {
            api: API.into(),
            id: deployment.clone(),
            description: None,
            auto_deployed: true,
            content: Content::Live,
            created: Timestamp(0),
        });
        self.put(Stage {
            api: API.into(),
            name: name.into(),
            description: None,
            auto_deploy: true,
            deployment: Some(deployment),
            last_deployment_message: None,
            access_log: None,
            default_route_settings: RouteSettings::default(),
            route_settings: Default::default(),
            variables: Default::default(),
            managed: false,
            tags: Tags::new(),
            created: Timestamp(0),
            updated: Timestamp(0),
        });
    }

    /// Adds a route to the private listener.
    pub fn private_route(&mut self, key: &str) {
        let arn = listener_arn().to_string();
        let integration = integration(&arn, Some(LINK.into()));
        self.route(key, integration);
    }

    /// Adds a route to a public URL.
    pub fn public_route(&mut self, key: &str, url: &str) {
        let integration = integration(url, None);
        self.route(key, integration);
    }

    /// Adds a route with an integration of its own.
    pub fn route(&mut self, key: &str, mut integration: Integration) {
        let number = self.snapshot.routes.len() + 1;
        let id = IntegrationId::from(format!("int{number:04}"));
        integration.id = id.clone();
        self.put(integration);
        self.put(Route {
            api: API.into(),
            id: format!("rte{number:04}").into(),
            route_key: key.into(),
            integration: Some(id),
            authorization_type: "NONE".into(),
            authorizer_id: None,
            authorization_scopes: None,
            operation_name: None,
            managed: false,
        });
    }
}

/// An integration with method `ANY` and the default time-out.
pub fn integration(uri: &str, link: Option<VpcLinkId>) -> Integration {
    Integration {
        api: API.into(),
        id: IntegrationId::default(),
        integration_type: "HTTP_PROXY".into(),
        method: Some("ANY".into()),
        uri: Some(uri.into()),
        link,
        subtype: None,
        credentials_arn: None,
        description: None,
        payload_format_version: "1.0".into(),
        request_parameters: Default::default(),
        response_parameters: Default::default(),
        timeout_ms: 30_000,
        tls_server_name: None,
        managed: false,
    }
}

/// The private integration, to be changed by a test.
pub fn private() -> Integration {
    integration(listener_arn().as_str(), Some(LINK.into()))
}

fn api() -> Api {
    Api {
        scope: scope(),
        id: API.into(),
        name: "test".into(),
        description: None,
        version: None,
        route_selection_expression: "$request.method $request.path".into(),
        api_key_selection_expression: "$request.header.x-api-key".into(),
        cors: None,
        disable_execute_api_endpoint: false,
        ip_address_type: "ipv4".into(),
        quick: None,
        tags: Tags::new(),
        created: Timestamp(0),
    }
}

/// A fixed response.
pub fn fixed(status: u16, content_type: &str, body: &str) -> ActionKind {
    ActionKind::FixedResponse(FixedResponse {
        status,
        content_type: Some(content_type.into()),
        body: Some(body.into()),
    })
}

/// Forward to groups by weight.
pub fn forward(groups: &[(&TargetGroupArn, u32)]) -> ActionKind {
    let one = |(group, weight): &(&TargetGroupArn, u32)| WeightedGroup {
        group: (*group).clone(),
        weight: *weight,
    };
    ActionKind::Forward(Forward {
        groups: groups.iter().map(one).collect(),
        stickiness_seconds: None,
        stickiness_given: None,
    })
}
