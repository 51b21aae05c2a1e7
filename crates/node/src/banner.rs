//! What a starting node tells the person who started it.

use crate::node::{Addresses, Node};

impl Node {
    /// A few lines: where the node listens, where it keeps things, what to try first.
    pub fn banner(&self) -> String {
        let Addresses { api, http, https, dns } = self.addresses();
        let dns = match dns {
            Some(dns) => format!("{dns}   by UDP and TCP: dig @{} -p {}", dns.ip(), dns.port()),
            None => "not served".to_owned(),
        };
        let config = self.config();
        let data = match &config.data_dir {
            Some(folder) => format!("records are kept in {}", folder.display()),
            None => "nothing is kept (--ephemeral)".to_owned(),
        };
        format!(
            "breezeway {version}
  control API   http://{api}   every AWS service: --endpoint-url http://{api}
  front door    http://{http}   https://{https}
  DNS           {dns}
  networks      driver {network}: {why}
  data          {data}
  account       {account} in {region}

  try           aws --endpoint-url http://{api} apigatewayv2 get-apis
  health        http://{api}/_breezeway/health   metrics: /_breezeway/metrics

",
            version = env!("CARGO_PKG_VERSION"),
            network = config.network,
            why = config.network.why(),
            account = config.account_id,
            region = config.region,
        )
    }

    /// One line of JSON for scripts: the addresses that the node listens on.
    pub fn ready_line(&self) -> String {
        let Addresses { api, http, https, dns } = self.addresses();
        let line = serde_json::json!({
            "api": api.to_string(),
            "http": http.to_string(),
            "https": https.to_string(),
            "dns": dns.map(|dns| dns.to_string()),
        });
        line.to_string()
    }
}
