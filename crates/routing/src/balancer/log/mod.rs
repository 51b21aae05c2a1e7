//! Logs of load balancers: what a line says, and the object that it belongs to. Who collects lines
//! and writes objects is the node's business.

pub mod access;
pub mod connection;
pub mod health;

use std::fmt::Write as _;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use model::attributes::{flag, value};
use model::balancer::LoadBalancer;
use model::{LoadBalancerArn, Timestamp};

use crate::tables::ListenerTable;

/// A log of a load balancer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Kind {
    /// `access_logs.s3`: a line for each request.
    Access,
    /// `connection_logs.s3`: a line for each connection.
    Connection,
    /// `health_check_logs.s3`: a line for each health check.
    HealthCheck,
}

impl Kind {
    /// All of them.
    pub const ALL: [Kind; 3] = [Kind::Access, Kind::Connection, Kind::HealthCheck];

    /// What its attributes begin with.
    pub fn attribute(self) -> &'static str {
        match self {
            Self::Access => "access_logs.s3",
            Self::Connection => "connection_logs.s3",
            Self::HealthCheck => "health_check_logs.s3",
        }
    }

    /// What the names of its files begin with.
    fn file_prefix(self) -> &'static str {
        match self {
            Self::Access => "",
            Self::Connection => "conn_log_",
            Self::HealthCheck => "health_check_log_",
        }
    }
}

/// Where a log goes: a bucket, and what the keys in it are made of.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Folder {
    /// The bucket.
    pub bucket: String,
    /// Which log it is.
    pub kind: Kind,
    prefix: String,
    account: String,
    region: String,
    /// `app.NAME.ID`
    balancer: String,
}

impl Folder {
    /// Where a load balancer wants a log to go, if it wants it.
    pub fn of(balancer: &LoadBalancer, kind: Kind) -> Option<Folder> {
        let set = &balancer.attributes;
        let key = |name: &str| format!("{}.{name}", kind.attribute());
        if !flag(set, &key("enabled"), false) {
            return None;
        }
        let text = |name: &str| value(set, &key(name), "").to_owned();
        Some(Folder {
            bucket: text("bucket"),
            kind,
            prefix: text("prefix"),
            account: balancer.scope.account.to_string(),
            region: balancer.scope.region.to_string(),
            balancer: file_name(&balancer.arn),
        })
    }

    /// The folder of the account, in the bucket.
    fn root(&self) -> String {
        let slash = if self.prefix.is_empty() { "" } else { "/" };
        format!("{}{slash}AWSLogs/{}", self.prefix.trim_matches('/'), self.account)
    }

    /// The key of the object with the lines of one node in the interval that ends at `end`.
    ///
    /// AWS: `…/yyyy/mm/dd/ACCOUNT_elasticloadbalancing_REGION_app.NAME.ID_END_IP_RANDOM.log.gz`.
    pub fn key(&self, node: IpAddr, end: Timestamp, draw: u64) -> String {
        let Folder { account, region, balancer, .. } = self;
        let (root, day, stamp) = (self.root(), end.day_path(), end.minute_stamp());
        let (prefix, random) = (self.kind.file_prefix(), random(draw));
        format!(
            "{root}/elasticloadbalancing/{region}/{day}/{prefix}{account}_elasticloadbalancing_\
             {region}_{balancer}_{stamp}_{node}_{random}.log.gz"
        )
    }
}

/// AWS: a slash of the load balancer's id is a full stop in names of files.
fn file_name(arn: &LoadBalancerArn) -> String {
    arn.short().replace('/', ".")
}

/// Eight letters and digits.
fn random(mut draw: u64) -> String {
    let mut text = String::with_capacity(8);
    for _ in 0..8 {
        text.push(char::from(b"0123456789abcdefghijklmnopqrstuvwxyz"[(draw % 36) as usize]));
        draw /= 36;
    }
    text
}

/// A line of a log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// Which log it belongs to.
    pub kind: Kind,
    /// Where it goes, if the load balancer wants it in a file.
    pub folder: Option<Arc<Folder>>,
    /// The node of the load balancer.
    pub node: IpAddr,
    /// The text, without a line end.
    pub text: String,
}

/// The logs that a load balancer wants.
#[derive(Clone, Debug, Default)]
pub struct Logs {
    /// Of requests.
    pub access: Option<Arc<Folder>>,
    /// Of connections.
    pub connections: Option<Arc<Folder>>,
    /// Of health checks.
    pub health_checks: Option<Arc<Folder>>,
}

impl Logs {
    /// Those of a load balancer.
    pub fn of(balancer: &LoadBalancer) -> Logs {
        let folder = |kind| Folder::of(balancer, kind).map(Arc::new);
        Logs {
            access: folder(Kind::Access),
            connections: folder(Kind::Connection),
            health_checks: folder(Kind::HealthCheck),
        }
    }
}

/// The address of the node that the client connected to; of the first one when it came by another
/// way (an HTTP API, the front door).
fn node(listener: &ListenerTable, local: Option<SocketAddr>) -> IpAddr {
    let own = listener.sockets.iter().find(|socket| Some(socket.bind) == local);
    let first = || listener.balancer.nodes.first().map(|node| node.ip);
    let own = own.map(|socket| socket.address.ip()).or_else(first);
    own.or(local.map(|local| local.ip())).unwrap_or(IpAddr::from([0, 0, 0, 0]))
}

/// Appends text in quotes. What could end the quotes or the line is written as nginx does:
/// `\x22`.
fn quote(line: &mut String, text: &[u8]) {
    line.push('"');
    for byte in text {
        match byte {
            b'"' | b'\\' | 0..0x20 | 0x7f.. => {
                // Writing to a string does not fail.
                let _ = write!(line, "\\x{byte:02X}");
            }
            _ => line.push(char::from(*byte)),
        }
    }
    line.push('"');
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::{World, balancer_arn};

    fn folder(kind: Kind, prefix: &str) -> Folder {
        let world = World::main_road();
        let record = world.snapshot.load_balancers.get(&balancer_arn("web")).unwrap();
        let mut balancer = LoadBalancer::clone(record);
        balancer.attributes.insert(format!("{}.enabled", kind.attribute()), "true".into());
        balancer.attributes.insert(format!("{}.bucket", kind.attribute()), "logs".into());
        balancer.attributes.insert(format!("{}.prefix", kind.attribute()), prefix.into());
        Folder::of(&balancer, kind).unwrap()
    }

    #[test]
    fn objects_have_the_names_of_aws() {
        let check = |kind, prefix: &str, expect: &str| {
            let folder = folder(kind, prefix);
            let key = folder.key([10, 0, 1, 5].into(), Timestamp(1_458_941_100_000), 7);
            let day = "elasticloadbalancing/us-east-1/2016/03/25";
            assert_eq!(key.replace(day, "DAY"), expect);
        };
        let file = "000000000000_elasticloadbalancing_us-east-1_app.web.1_\
                    20160325T2125Z_10.0.1.5_70000000.log.gz";
        check(Kind::Access, "", &format!("AWSLogs/000000000000/DAY/{file}"));
        check(Kind::Access, "a/b", &format!("a/b/AWSLogs/000000000000/DAY/{file}"));
        check(Kind::Connection, "", &format!("AWSLogs/000000000000/DAY/conn_log_{file}"));
    }

    #[test]
    fn quotes_cannot_be_left() {
        let check = |text: &[u8], expect: &str| {
            let mut line = String::new();
            quote(&mut line, text);
            assert_eq!(line, expect);
        };
        check(b"curl/8", "\"curl/8\"");
        check(b"a\"b\\c\r\n", "\"a\\x22b\\x5Cc\\x0D\\x0A\"");
        check("é".as_bytes(), "\"\\xC3\\xA9\"");
        check(b"", "\"\"");
    }
}
