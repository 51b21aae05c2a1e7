//! Cloud Map services as integrations name them: an ARN, maybe with a query of filters.

use std::sync::Arc;

use model::{ServiceId, Snapshot, arn};
use percent_encoding::percent_decode_str;

use crate::Tables;
use crate::tables::ServiceTable;

/// Whether a URI is the ARN of a Cloud Map service.
pub fn is_service(uri: &str) -> bool {
    id(uri).is_some()
}

/// The id, region and account in the ARN of a service.
fn id(uri: &str) -> Option<(&str, &str, &str)> {
    let (uri, _) = uri.split_once('?').unwrap_or((uri, ""));
    let arn = arn::parse(uri).filter(|arn| arn.service == "servicediscovery")?;
    let id = arn.resource.strip_prefix("service/").filter(|id| !id.is_empty())?;
    Some((id, arn.region, arn.account))
}

/// The service that a URI names.
pub fn find(snapshot: &Snapshot, tables: &Tables, uri: &str) -> Option<Arc<ServiceTable>> {
    let (id, region, account) = id(uri)?;
    let record = snapshot.services.get(&ServiceId::from(id))?;
    let here = *record.scope.region == *region && *record.scope.account == *account;
    tables.zones.services.get(&record.id).filter(|_| here).cloned()
}

/// The attributes that instances have to have, each with this value.
///
/// AWS: the query of the URI; all of its pairs have to hold.
pub fn filters(uri: &str) -> Vec<(String, String)> {
    let query = uri.split_once('?').map_or("", |(_, query)| query);
    let decode = |text: &str| percent_decode_str(text).decode_utf8_lossy().into_owned();
    let pair = |pair: &str| {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        (decode(name), decode(value))
    };
    query.split('&').filter(|pair| !pair.is_empty()).map(pair).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn services_are_told_by_arn_and_query() {
        let check = |uri: &str, expect: Option<&str>, pairs: &[(&str, &str)]| {
            assert_eq!(id(uri).map(|(id, ..)| id), expect, "{uri}");
            let filters = filters(uri);
            let filters: Vec<_> = filters.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
            assert_eq!(filters, pairs, "{uri}");
        };
        let arn = |rest: &str| format!("arn:aws:servicediscovery:us-east-1:0:{rest}");
        check(&arn("service/srv-1"), Some("srv-1"), &[]);
        let pairs = [("stage", "prod"), ("color", "a b/c")];
        check(&arn("service/srv-1?stage=prod&color=a%20b/c"), Some("srv-1"), &pairs);
        check(&arn("service/srv-1?"), Some("srv-1"), &[]);
        check(&arn("service/srv-1?x"), Some("srv-1"), &[("x", "")]);
        check(&arn("service/"), None, &[]);
        check(&arn("namespace/ns-1"), None, &[]);
        check("http://service/srv-1", None, &[]);
    }
}
