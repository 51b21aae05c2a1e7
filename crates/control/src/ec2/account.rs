//! Attributes of the account: DescribeAccountAttributes.

use model::Snapshot;
use model::limits::{ADDRESSES_PER_REGION, SECURITY_GROUPS_PER_INTERFACE};
use shapes::ec2::{
    AccountAttribute, AccountAttributeValue, DescribeAccountAttributesInput,
    DescribeAccountAttributesOutput,
};
use wire::Fault;

use super::default_vpc;
use crate::Ctx;

/// `DescribeAccountAttributes`
pub fn describe_account_attributes(
    ctx: &Ctx<'_>,
    state: &Snapshot,
    input: DescribeAccountAttributesInput,
) -> Result<DescribeAccountAttributesOutput, Fault> {
    let default_vpc = default_vpc::find(ctx, state);
    let all = [
        ("supported-platforms", "VPC".to_owned()),
        ("vpc-max-security-groups-per-interface", SECURITY_GROUPS_PER_INTERFACE.to_string()),
        ("max-elastic-ips", ADDRESSES_PER_REGION.to_string()),
        ("max-instances", "1000".to_owned()),
        ("vpc-max-elastic-ips", ADDRESSES_PER_REGION.to_string()),
        ("default-vpc", default_vpc.map_or_else(|| "none".into(), |vpc| vpc.id.to_string())),
    ];
    let wanted = input.attribute_names.unwrap_or_default();
    let attributes = all
        .into_iter()
        .filter(|(name, _)| wanted.is_empty() || wanted.iter().any(|wanted| wanted == name))
        .map(|(name, value)| AccountAttribute {
            attribute_name: Some(name.into()),
            attribute_values: Some(vec![AccountAttributeValue { attribute_value: Some(value) }]),
        });
    Ok(DescribeAccountAttributesOutput { account_attributes: Some(attributes.collect()) })
}
