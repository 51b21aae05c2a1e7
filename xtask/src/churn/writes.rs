//! The writes of the churn: each kind adds or takes away one thing, or changes one, in turn.

use std::collections::VecDeque;

use anyhow::Result;
use serde_json::{Value, json};

use super::client::{Call, Client};
use super::setup::{APIS, EC2, ELB, GROUPS, World, element, field, permission, rule};

/// A kind of write.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, clap::ValueEnum)]
pub enum Kind {
    /// CreateRoute
    AddRoute,
    /// RegisterTargets
    AddTarget,
    /// CreateRule
    AddRule,
    /// UpdateIntegration
    Integration,
    /// AuthorizeSecurityGroupIngress on the load balancer's group
    AddPermission,
    /// DeleteRoute
    DropRoute,
    /// DeregisterTargets
    DropTarget,
    /// DeleteRule
    DropRule,
    /// ModifyListenerAttributes
    Listener,
    /// RevokeSecurityGroupIngress
    DropPermission,
}

impl Kind {
    /// All, in the order in which they take turns.
    pub const ALL: [Self; 10] = [
        Self::AddRoute,
        Self::AddTarget,
        Self::AddRule,
        Self::Integration,
        Self::AddPermission,
        Self::DropRoute,
        Self::DropTarget,
        Self::DropRule,
        Self::Listener,
        Self::DropPermission,
    ];

    /// The operation's name.
    pub fn operation(self) -> &'static str {
        match self {
            Self::AddRoute => "CreateRoute",
            Self::AddTarget => "RegisterTargets",
            Self::AddRule => "CreateRule",
            Self::Integration => "UpdateIntegration",
            Self::AddPermission => "AuthorizeSecurityGroupIngress",
            Self::DropRoute => "DeleteRoute",
            Self::DropTarget => "DeregisterTargets",
            Self::DropRule => "DeleteRule",
            Self::Listener => "ModifyListenerAttributes",
            Self::DropPermission => "RevokeSecurityGroupIngress",
        }
    }
}

/// One write.
pub struct Write {
    /// The call.
    pub call: Call,
    /// What it does.
    pub kind: Kind,
    /// The number of the target that it registers or deregisters.
    pub target: Option<usize>,
    number: usize,
}

/// Targets beyond the first ones that writes register and deregister.
pub const SPARE: usize = 400;

/// Makes one write after the other. What is taken away was added before.
pub struct Writes<'w> {
    world: &'w World,
    kinds: Vec<Kind>,
    count: usize,
    routes: VecDeque<(usize, String)>,
    rules: VecDeque<String>,
    targets: VecDeque<usize>,
    permissions: VecDeque<usize>,
    dropped: Option<usize>,
}

impl<'w> Writes<'w> {
    /// None written yet.
    pub fn new(world: &'w World, kinds: &[Kind]) -> Self {
        let kinds = if kinds.is_empty() { Kind::ALL.to_vec() } else { kinds.to_vec() };
        Self {
            world,
            kinds,
            count: 0,
            routes: VecDeque::new(),
            rules: VecDeque::new(),
            targets: VecDeque::new(),
            permissions: VecDeque::new(),
            dropped: None,
        }
    }

    /// The next write.
    pub fn next(&mut self) -> Write {
        let (turn, number) = (self.count % self.kinds.len(), self.count / self.kinds.len());
        self.count += 1;
        let kind = self.kinds[turn];
        let spare = match kind {
            Kind::AddTarget => Some(number % SPARE),
            Kind::DropTarget => self.targets.pop_front(),
            _ => None,
        };
        let call = self.call(kind, number, spare.unwrap_or_default());
        Write { call, kind, target: spare.map(|spare| self.world.targets + spare), number }
    }

    fn call(&mut self, kind: Kind, number: usize, spare: usize) -> Call {
        let world = self.world;
        let operation = kind.operation();
        match kind {
            Kind::AddRoute => world.route_call(world.routes + number),
            Kind::DropRoute => {
                let (route, id) = self.routes.pop_front().unwrap_or_default();
                self.dropped = Some(route);
                let api = &world.apis[route % APIS].0;
                Call::json("DELETE", format!("/v2/apis/{api}/routes/{id}"), &Value::Null)
            }
            Kind::AddTarget => {
                self.targets.push_back(spare);
                world.on_targets(operation, spare % GROUPS, &[world.targets + spare])
            }
            Kind::DropTarget => {
                world.on_targets(operation, spare % GROUPS, &[world.targets + spare])
            }
            Kind::AddRule => {
                let (priority, path) = (1000 + number, format!("/new{number}/*"));
                rule(&world.listener, priority, &path, &world.groups[number % GROUPS])
            }
            Kind::DropRule => {
                let arn = self.rules.pop_front().unwrap_or_default();
                Call::query(ELB, operation, &format!("&RuleArn={arn}"))
            }
            Kind::Integration => {
                let (api, _, integration) = &world.apis[number % APIS];
                let path = format!("/v2/apis/{api}/integrations/{integration}");
                Call::json("PATCH", path, &json!({"timeoutInMillis": 20_000 + number % 1000}))
            }
            Kind::Listener => {
                let rest = format!(
                    "&ListenerArn={}&Attributes.member.1.Key=routing.http.response.server.enabled\
                     &Attributes.member.1.Value={}",
                    world.listener,
                    number.is_multiple_of(2)
                );
                Call::query(ELB, operation, &rest)
            }
            Kind::AddPermission => {
                let port = 20_000 + number;
                self.permissions.push_back(port);
                Call::query(EC2, operation, &permission(&world.security_group, "tcp", port))
            }
            Kind::DropPermission => {
                let port = self.permissions.pop_front().unwrap_or_default();
                Call::query(EC2, operation, &permission(&world.security_group, "tcp", port))
            }
        }
    }

    /// Remembers what a write has made.
    pub fn done(&mut self, write: &Write, body: &str) -> Result<()> {
        match write.kind {
            Kind::AddRoute => {
                let id = field(&serde_json::from_str(body)?, "routeId")?;
                self.routes.push_back((self.world.routes + write.number, id));
            }
            Kind::AddRule => self.rules.push_back(element(body, "RuleArn")?),
            _ => {}
        }
        Ok(())
    }

    /// Whether the very next request sees the write, where one request can tell.
    pub fn not_live(&self, write: &Write, front: &mut Client) -> Result<Option<u16>> {
        let (route, status) = match write.kind {
            Kind::AddRoute => (self.world.routes + write.number, 200),
            Kind::DropRoute => match self.dropped {
                Some(route) => (route, 404),
                None => return Ok(None),
            },
            _ => return Ok(None),
        };
        let host = &self.world.apis[route % APIS].1;
        let path = format!("/g{}/item{route}/1", route % GROUPS);
        let got = front.get(host, &path)?.status;
        Ok((got != status).then_some(got))
    }
}
