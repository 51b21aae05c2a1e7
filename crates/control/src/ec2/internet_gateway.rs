//! Internet gateways: create, delete, describe, attach to and detach from a VPC.

use model::limits::INTERNET_GATEWAYS_PER_REGION;
use model::network::{InternetGateway, Vpc};
use model::{InternetGatewayId, Snapshot};
use shapes::ec2::{
    AttachInternetGatewayInput, AttachInternetGatewayOutput, CreateInternetGatewayInput,
    CreateInternetGatewayOutput, DeleteInternetGatewayInput, DeleteInternetGatewayOutput,
    DescribeInternetGatewaysInput, DescribeInternetGatewaysOutput, DetachInternetGatewayInput,
    DetachInternetGatewayOutput, InternetGatewayAttachment,
};
use store::Txn;
use wire::Fault;

use super::filter::{View, Wanted, each, show};
use super::{fault, resource, tags};
use crate::Ctx;

fn shape(gateway: &InternetGateway) -> shapes::ec2::InternetGateway {
    let attachment = gateway.vpc.iter().map(|vpc| InternetGatewayAttachment {
        state: Some("available".into()),
        vpc_id: Some(vpc.to_string()),
    });
    shapes::ec2::InternetGateway {
        attachments: Some(attachment.collect()),
        internet_gateway_id: Some(gateway.id.to_string()),
        owner_id: Some(gateway.scope.account.to_string()),
        tags: tags::listed(&gateway.tags),
    }
}

/// `CreateInternetGateway`
pub fn create_internet_gateway(
    ctx: &Ctx<'_>,
    txn: &mut Txn,
    input: CreateInternetGatewayInput,
) -> Result<CreateInternetGatewayOutput, Fault> {
    let count = resource::all::<InternetGateway>(ctx, txn).count();
    let limit = INTERNET_GATEWAYS_PER_REGION;
    let what = "internet gateways";
    fault::check_limit("InternetGatewayLimitExceeded", what, count, limit)?;
    let gateway = InternetGateway {
        scope: ctx.scope.clone(),
        id: InternetGatewayId::from(ctx.ec2_id("igw")),
        vpc: None,
        tags: tags::specified::<InternetGateway>(input.tag_specifications.as_deref())?,
    };
    txn.put(gateway.clone());
    Ok(CreateInternetGatewayOutput { internet_gateway: Some(shape(&gateway)) })
}

/// `DeleteInternetGateway`
pub fn delete_internet_gateway(
    ctx: &Ctx<'_>,
    txn: &mut Txn,
    input: DeleteInternetGatewayInput,
) -> Result<DeleteInternetGatewayOutput, Fault> {
    let gateway = resource::get::<InternetGateway>(ctx, txn, &input.internet_gateway_id)?;
    if gateway.vpc.is_some() {
        return Err(fault::in_use("internetGateway", &gateway.id));
    }
    txn.remove::<InternetGateway>(&gateway.id);
    Ok(DeleteInternetGatewayOutput {})
}

/// `AttachInternetGateway`
pub fn attach_internet_gateway(
    ctx: &Ctx<'_>,
    txn: &mut Txn,
    input: AttachInternetGatewayInput,
) -> Result<AttachInternetGatewayOutput, Fault> {
    let gateway = resource::get::<InternetGateway>(ctx, txn, &input.internet_gateway_id)?;
    let vpc = resource::get::<Vpc>(ctx, txn, &input.vpc_id)?;
    if let Some(attached) = &gateway.vpc {
        let message = format!("resource {} is already attached to network {attached}", gateway.id);
        return Err(fault::refuse("Resource.AlreadyAssociated", message));
    }
    if of_vpc(txn, &vpc).is_some() {
        let message = format!("Network {} already has an internet gateway attached", vpc.id);
        return Err(fault::invalid(message));
    }
    txn.update::<InternetGateway>(&gateway.id, |gateway| gateway.vpc = Some(vpc.id.clone()));
    Ok(AttachInternetGatewayOutput {})
}

/// The gateway that is attached to a VPC.
pub(crate) fn of_vpc(state: &Snapshot, vpc: &Vpc) -> Option<InternetGatewayId> {
    let attached = |gateway: &&std::sync::Arc<InternetGateway>| gateway.vpc == Some(vpc.id.clone());
    state.internet_gateways.iter().find(attached).map(|gateway| gateway.id.clone())
}

/// `DetachInternetGateway`
pub fn detach_internet_gateway(
    ctx: &Ctx<'_>,
    txn: &mut Txn,
    input: DetachInternetGatewayInput,
) -> Result<DetachInternetGatewayOutput, Fault> {
    let gateway = resource::get::<InternetGateway>(ctx, txn, &input.internet_gateway_id)?;
    let vpc = resource::get::<Vpc>(ctx, txn, &input.vpc_id)?;
    if gateway.vpc.as_ref() != Some(&vpc.id) {
        let message = format!("resource {} is not attached to network {}", gateway.id, vpc.id);
        return Err(fault::refuse("Gateway.NotAttached", message));
    }
    let mapped = |i: &model::network::NetworkInterface| i.vpc == vpc.id && i.public_ip.is_some();
    if txn.network_interfaces.iter().any(|interface| mapped(interface)) {
        let message = format!(
            "Network {} has some mapped public address(es). Please unmap those public address(es) \
             before detaching the gateway.",
            vpc.id
        );
        return Err(fault::refuse("DependencyViolation", message));
    }
    txn.update::<InternetGateway>(&gateway.id, |gateway| gateway.vpc = None);
    Ok(DetachInternetGatewayOutput {})
}

const VIEW: View<shapes::ec2::InternetGateway> = View {
    id: |v| v.internet_gateway_id.as_deref(),
    tags: |v| v.tags.as_deref(),
    fields: &[
        ("attachment.state", |v| each(&v.attachments, |a| &a.state)),
        ("attachment.vpc-id", |v| each(&v.attachments, |a| &a.vpc_id)),
        ("internet-gateway-id", |v| show(&v.internet_gateway_id)),
        ("owner-id", |v| show(&v.owner_id)),
    ],
};

/// `DescribeInternetGateways`
pub fn describe_internet_gateways(
    ctx: &Ctx<'_>,
    state: &Snapshot,
    input: DescribeInternetGatewaysInput,
) -> Result<DescribeInternetGatewaysOutput, Fault> {
    let ids = input.internet_gateway_ids.as_deref();
    let found = resource::list::<InternetGateway>(ctx, state, ids)?;
    let wanted = Wanted {
        filters: input.filters.as_deref(),
        max: input.max_results,
        token: input.next_token.as_deref(),
    };
    let page = VIEW.page(found.iter().map(|gateway| shape(gateway)), wanted)?;
    Ok(DescribeInternetGatewaysOutput {
        internet_gateways: Some(page.items),
        next_token: page.next,
    })
}
