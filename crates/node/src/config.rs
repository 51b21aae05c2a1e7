//! Configuration: one set of options, told as flags, `BREEZEWAY_…` variables or `breezeway.toml`.
//!
//! A flag wins over a variable, a variable over the file, the file over the default. An unknown key
//! or a value that cannot be read is an error that names it; nothing is bound or opened here.

use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, anyhow, bail};
use clap::Args;
use network::Driver;
use serde::Deserialize;

/// The options of a node, each unset until given.
#[derive(Args, Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Options {
    /// Control API: every AWS service on one port [default: 127.0.0.1:4566]
    #[arg(long, env = "BREEZEWAY_API", value_name = "ADDR")]
    pub api: Option<String>,
    /// Front door for HTTP [default: 127.0.0.1:8080]
    #[arg(long, env = "BREEZEWAY_HTTP", value_name = "ADDR")]
    pub http: Option<String>,
    /// Front door for HTTPS, HTTP/1.1 and HTTP/2 [default: 127.0.0.1:8443]
    #[arg(long, env = "BREEZEWAY_HTTPS", value_name = "ADDR")]
    pub https: Option<String>,
    /// DNS by UDP and TCP, or `off` [default: 127.0.0.1:8053, if nobody else has it]
    #[arg(long, env = "BREEZEWAY_DNS", value_name = "ADDR")]
    pub dns: Option<String>,
    /// The DNS server that is asked for names that are not ours; without one they are refused
    #[arg(long, env = "BREEZEWAY_DNS_FORWARD", value_name = "ADDR")]
    pub dns_forward: Option<String>,
    /// Where records are kept [default: ./.breezeway]
    #[arg(long, env = "BREEZEWAY_DATA_DIR", value_name = "DIR")]
    pub data_dir: Option<PathBuf>,
    /// Keep nothing beyond the process; allows POST /_breezeway/reset
    #[arg(long, env = "BREEZEWAY_EPHEMERAL", num_args = 0..=1, default_missing_value = "true")]
    pub ephemeral: Option<bool>,
    /// Account of the node, 12 digits [default: 000000000000]
    #[arg(long, env = "BREEZEWAY_ACCOUNT_ID", value_name = "ID")]
    pub account_id: Option<String>,
    /// Region of requests that are not signed for one [default: us-east-1]
    #[arg(long, env = "BREEZEWAY_REGION", value_name = "REGION")]
    pub region: Option<String>,
    /// Driver of private networks: auto or host [default: auto]
    #[arg(long, env = "BREEZEWAY_NETWORK", value_name = "DRIVER")]
    pub network: Option<String>,
    /// Domain in API endpoints; amazonaws.com gives AWS's form [default: localhost]
    #[arg(long, env = "BREEZEWAY_ENDPOINT_DOMAIN", value_name = "DOMAIN")]
    pub endpoint_domain: Option<String>,
    /// Address book: a private address and the socket it stands for; may be repeated
    #[arg(
        long = "address",
        env = "BREEZEWAY_ADDRESS",
        value_name = "PRIVATE=REAL",
        value_delimiter = ','
    )]
    #[serde(default)]
    pub address: Vec<String>,
    /// Data-plane threads [default: one per core]
    #[arg(long, env = "BREEZEWAY_WORKERS", value_name = "N")]
    pub workers: Option<usize>,
    /// Seconds that open requests get when the node stops [default: 10]
    #[arg(long, env = "BREEZEWAY_DRAIN_SECONDS", value_name = "SECONDS")]
    pub drain_seconds: Option<u64>,
    /// Folder of buckets: BUCKET/KEY below it stands for an object of S3, for logs that are written
    /// and bundles of trust stores that are read [default: s3 in the data directory]
    #[arg(long, env = "BREEZEWAY_S3_DIR", value_name = "DIR")]
    pub s3_dir: Option<PathBuf>,
    /// Access log lines of all load balancers as they come: a file, or - for standard output
    #[arg(long, env = "BREEZEWAY_ACCESS_LOG", value_name = "FILE")]
    pub access_log: Option<PathBuf>,
    /// Seconds that a log file of a load balancer grows [default: 300]
    #[arg(long, env = "BREEZEWAY_LOG_SECONDS", value_name = "SECONDS")]
    pub log_seconds: Option<u64>,
    /// What is logged: error, warn, info, debug, or per target as in `info,breezeway::access=debug`
    /// [default: info]
    #[arg(long, env = "BREEZEWAY_LOG", value_name = "FILTER")]
    pub log: Option<String>,
}

/// A checked configuration.
#[derive(Clone, Debug)]
pub struct Config {
    /// Control API.
    pub api: SocketAddr,
    /// HTTP front door.
    pub http: SocketAddr,
    /// HTTPS front door.
    pub https: SocketAddr,
    /// DNS; none where it is turned off.
    pub dns: Option<Dns>,
    /// Whom to ask for names that are not ours.
    pub dns_forward: Option<SocketAddr>,
    /// Where records are kept; none for an ephemeral node.
    pub data_dir: Option<PathBuf>,
    /// 12 digits.
    pub account_id: String,
    /// Default region.
    pub region: String,
    /// Driver of private networks.
    pub network: Driver,
    /// Domain of API endpoints.
    pub endpoint_domain: String,
    /// Private address and port (0: any) to the real socket (port 0: the same port).
    pub address_book: Vec<(SocketAddr, SocketAddr)>,
    /// Data-plane threads.
    pub workers: usize,
    /// Seconds of draining.
    pub drain_seconds: u64,
    /// Folder of buckets; none for an ephemeral node that was given none.
    pub s3_dir: Option<PathBuf>,
    /// Where access log lines go as they come.
    pub access_log: Option<PathBuf>,
    /// Seconds that a log file of a load balancer grows.
    pub log_seconds: u64,
    /// Filter of the log.
    pub log: String,
}

/// Where DNS is served.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Dns {
    /// The address, for UDP and TCP.
    pub address: SocketAddr,
    /// Whether it was asked for: the default one may be left to whoever has it.
    pub wanted: bool,
}

impl Options {
    /// The options in a configuration file; none when there is no such file.
    pub fn from_file(path: &Path) -> Result<Option<Self>> {
        let text = match std::fs::read_to_string(path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error).with_context(|| format!("{}", path.display())),
        };
        toml::from_str(&text).map(Some).with_context(|| format!("{} is not valid", path.display()))
    }

    /// These options, with what they leave out taken from `file`.
    pub fn or(self, file: Self) -> Self {
        let Self {
            api,
            http,
            https,
            dns,
            dns_forward,
            data_dir,
            ephemeral,
            account_id,
            region,
            network,
            endpoint_domain,
            address,
            workers,
            drain_seconds,
            s3_dir,
            access_log,
            log_seconds,
            log,
        } = self;
        Self {
            api: api.or(file.api),
            http: http.or(file.http),
            https: https.or(file.https),
            dns: dns.or(file.dns),
            dns_forward: dns_forward.or(file.dns_forward),
            data_dir: data_dir.or(file.data_dir),
            ephemeral: ephemeral.or(file.ephemeral),
            account_id: account_id.or(file.account_id),
            region: region.or(file.region),
            network: network.or(file.network),
            endpoint_domain: endpoint_domain.or(file.endpoint_domain),
            address: if address.is_empty() { file.address } else { address },
            workers: workers.or(file.workers),
            drain_seconds: drain_seconds.or(file.drain_seconds),
            s3_dir: s3_dir.or(file.s3_dir),
            access_log: access_log.or(file.access_log),
            log_seconds: log_seconds.or(file.log_seconds),
            log: log.or(file.log),
        }
    }

    /// Checks every option and fills in the defaults.
    pub fn resolve(self) -> Result<Config> {
        let address = |name, given: Option<String>, default: &str| {
            let text = given.unwrap_or_else(|| default.to_owned());
            text.parse::<SocketAddr>().map_err(|_| {
                anyhow!("--{name} {text:?} is not an address; it looks like 127.0.0.1:{}", 8080)
            })
        };
        let dns = match self.dns.as_deref() {
            Some("off") => None,
            given => {
                let wanted = given.is_some();
                Some(Dns { address: address("dns", self.dns, "127.0.0.1:8053")?, wanted })
            }
        };
        let forward = self.dns_forward.map(|given| address("dns-forward", Some(given), ""));
        let ephemeral = self.ephemeral.unwrap_or(false);
        if ephemeral && self.data_dir.is_some() {
            bail!("--ephemeral keeps nothing, so it cannot be used together with --data-dir");
        }
        let data_dir = self.data_dir.unwrap_or_else(|| PathBuf::from(".breezeway"));
        let data_dir = (!ephemeral).then_some(data_dir);
        if self.log_seconds == Some(0) {
            bail!("--log-seconds must be at least 1");
        }
        let workers = match self.workers {
            Some(0) => bail!("--workers must be at least 1"),
            Some(workers) => workers,
            None => std::thread::available_parallelism().map_or(1, usize::from),
        };
        Ok(Config {
            api: address("api", self.api, "127.0.0.1:4566")?,
            http: address("http", self.http, "127.0.0.1:8080")?,
            https: address("https", self.https, "127.0.0.1:8443")?,
            dns,
            dns_forward: forward.transpose()?,
            s3_dir: self.s3_dir.or_else(|| data_dir.as_ref().map(|folder| folder.join("s3"))),
            access_log: self.access_log,
            log_seconds: self.log_seconds.unwrap_or(300),
            data_dir,
            account_id: account(self.account_id.unwrap_or_else(|| "000000000000".into()))?,
            region: region(self.region.unwrap_or_else(|| "us-east-1".into()))?,
            network: Driver::choose(self.network.as_deref().unwrap_or("auto"))
                .context("--network cannot be followed")?,
            endpoint_domain: self.endpoint_domain.unwrap_or_else(|| "localhost".into()),
            address_book: address_book(&self.address)?,
            workers,
            drain_seconds: self.drain_seconds.unwrap_or(10),
            log: self.log.unwrap_or_else(|| "info".into()),
        })
    }
}

fn account(id: String) -> Result<String> {
    if id.len() == 12 && id.bytes().all(|b| b.is_ascii_digit()) {
        return Ok(id);
    }
    bail!("--account-id {id:?} is not an account id; it has 12 digits")
}

fn region(name: String) -> Result<String> {
    let allowed = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    if !name.is_empty() && name.bytes().all(allowed) {
        return Ok(name);
    }
    bail!("--region {name:?} is not a region; it looks like us-east-1")
}

fn address_book(entries: &[String]) -> Result<Vec<(SocketAddr, SocketAddr)>> {
    entries.iter().filter(|entry| !entry.is_empty()).map(|entry| book_entry(entry)).collect()
}

/// `10.0.1.10:80=127.0.0.1:9001`, or `10.0.1.10=127.0.0.1` for all ports.
fn book_entry(entry: &str) -> Result<(SocketAddr, SocketAddr)> {
    let side = |text: &str| {
        let with_port = text.parse::<SocketAddr>().ok();
        with_port.or_else(|| text.parse::<IpAddr>().ok().map(|ip| SocketAddr::new(ip, 0)))
    };
    entry
        .split_once('=')
        .and_then(|(private, real)| Some((side(private)?, side(real)?)))
        .ok_or_else(|| {
            anyhow!(
                "--address {entry:?} is not an entry; it looks like 10.0.1.10:80=127.0.0.1:9001"
            )
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Config> {
        toml::from_str::<Options>(text)?.resolve()
    }

    #[test]
    fn defaults_are_the_contract() {
        let config = parse("").unwrap();
        assert_eq!(config.api.to_string(), "127.0.0.1:4566");
        assert_eq!(config.http.to_string(), "127.0.0.1:8080");
        assert_eq!(config.https.to_string(), "127.0.0.1:8443");
        let dns = config.dns.unwrap();
        assert_eq!((dns.address.to_string().as_str(), dns.wanted), ("127.0.0.1:8053", false));
        assert_eq!(parse("dns = 'off'").unwrap().dns, None);
        assert_eq!(config.data_dir, Some(PathBuf::from(".breezeway")));
        assert_eq!(config.account_id, "000000000000");
        assert_eq!(config.region, "us-east-1");
        assert_eq!(config.endpoint_domain, "localhost");
    }

    #[test]
    fn what_is_wrong_is_named() {
        let check = |text: &str, part: &str| {
            let error = format!("{:#}", parse(text).unwrap_err());
            assert!(error.contains(part), "{error}");
        };
        check("api = 'nonsense'", "--api \"nonsense\"");
        check("dns = 'on'", "--dns \"on\"");
        check("dns-forward = 'localhost'", "--dns-forward \"localhost\"");
        check("apy = '127.0.0.1:1'", "apy");
        check("account-id = '12'", "12 digits");
        check("network = 'netns'", "unknown network driver \"netns\"");
        check("workers = 0", "at least 1");
        check("log-seconds = 0", "at least 1");
        check("address = ['10.0.0.1']", "--address \"10.0.0.1\"");
        check("region = 'US East'", "us-east-1");
        check("ephemeral = true\ndata-dir = 'x'", "--data-dir");
    }

    #[test]
    fn a_flag_wins_over_the_file() {
        let flags = Options { api: Some("127.0.0.1:1".into()), ..Options::default() };
        let file: Options = toml::from_str("api = '127.0.0.1:2'\nregion = 'eu-west-1'").unwrap();
        let config = flags.or(file).resolve().unwrap();
        assert_eq!(config.api.port(), 1);
        assert_eq!(config.region, "eu-west-1");
    }

    #[test]
    fn the_address_book_takes_ports_or_whole_addresses() {
        let config = parse("address = ['10.0.1.10:80=127.0.0.1:9001', '10.0.1.11=127.0.0.1']");
        let book = config.unwrap().address_book;
        let check = |n: usize, private: &str, real: &str| {
            assert_eq!(
                (book[n].0.to_string(), book[n].1.to_string()),
                (private.into(), real.into())
            );
        };
        check(0, "10.0.1.10:80", "127.0.0.1:9001");
        check(1, "10.0.1.11:0", "127.0.0.1:0");
    }
}
