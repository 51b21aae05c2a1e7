//! DHCP options: the one set that every VPC of a region has. DEVIATION: DHCP options can be read
//! but not made or changed.

use model::network::Region;
use model::{Snapshot, Tags};
use shapes::ec2::{
    AttributeValue, DescribeDhcpOptionsInput, DescribeDhcpOptionsOutput, DhcpConfiguration,
    DhcpOptions,
};
use store::Txn;
use wire::Fault;

use super::filter::{View, Wanted, each, show};
use super::{resource, tags};
use crate::Ctx;

/// The record of the region of the call, made when it is the first.
pub(crate) fn region(ctx: &Ctx<'_>, txn: &mut Txn) -> Region {
    if let Some(region) = txn.regions.get(&Region::key_of(&ctx.scope)) {
        return Region::clone(region);
    }
    let region = Region {
        scope: ctx.scope.clone(),
        dhcp_options_id: ctx.ec2_id("dopt"),
        had_default_vpc: false,
        tags: Tags::new(),
    };
    txn.put(region.clone());
    region
}

/// AWS: private names are `ec2.internal` in us-east-1, `REGION.compute.internal` elsewhere.
pub(crate) fn domain(region: &str) -> String {
    match region {
        "us-east-1" => "ec2.internal".into(),
        region => format!("{region}.compute.internal"),
    }
}

fn shape(region: &Region) -> DhcpOptions {
    let option = |key: &str, value: String| DhcpConfiguration {
        key: Some(key.into()),
        values: Some(vec![AttributeValue { value: Some(value) }]),
    };
    DhcpOptions {
        owner_id: Some(region.scope.account.to_string()),
        tags: tags::listed(&region.tags),
        dhcp_options_id: Some(region.dhcp_options_id.clone()),
        dhcp_configurations: Some(vec![
            option("domain-name", domain(&region.scope.region)),
            option("domain-name-servers", "AmazonProvidedDNS".into()),
        ]),
    }
}

const VIEW: View<DhcpOptions> = View {
    id: |v| v.dhcp_options_id.as_deref(),
    tags: |v| v.tags.as_deref(),
    fields: &[
        ("dhcp-options-id", |v| show(&v.dhcp_options_id)),
        ("key", |v| each(&v.dhcp_configurations, |c| &c.key)),
        ("value", |v| {
            v.dhcp_configurations
                .iter()
                .flatten()
                .flat_map(|c| each(&c.values, |v| &v.value))
                .collect()
        }),
        ("owner-id", |v| show(&v.owner_id)),
    ],
};

/// `DescribeDhcpOptions`
pub fn describe_dhcp_options(
    ctx: &Ctx<'_>,
    state: &Snapshot,
    input: DescribeDhcpOptionsInput,
) -> Result<DescribeDhcpOptionsOutput, Fault> {
    let found = resource::list::<Region>(ctx, state, input.dhcp_options_ids.as_deref())?;
    let wanted = Wanted {
        filters: input.filters.as_deref(),
        max: input.max_results,
        token: input.next_token.as_deref(),
    };
    let page = VIEW.page(found.iter().map(|region| shape(region)), wanted)?;
    Ok(DescribeDhcpOptionsOutput { dhcp_options: Some(page.items), next_token: page.next })
}
