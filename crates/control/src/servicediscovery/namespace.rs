//! Namespaces: create, update, delete, tell.

use model::discovery::{Namespace, NamespaceKind, OperationKind, Zone};
use model::limits::NAMESPACES_PER_REGION;
use model::{HostedZoneId, NamespaceId, Snapshot, VpcId};
use shapes::servicediscovery::{
    self as shape, CreateHttpNamespaceInput, CreateHttpNamespaceOutput,
    CreatePrivateDnsNamespaceInput, CreatePrivateDnsNamespaceOutput, CreatePublicDnsNamespaceInput,
    CreatePublicDnsNamespaceOutput, DeleteNamespaceInput, DeleteNamespaceOutput, DnsProperties,
    GetNamespaceInput, GetNamespaceOutput, HttpProperties, NamespaceProperties, SOA, Tag,
    UpdateHttpNamespaceInput, UpdateHttpNamespaceOutput, UpdatePrivateDnsNamespaceInput,
    UpdatePrivateDnsNamespaceOutput, UpdatePublicDnsNamespaceInput, UpdatePublicDnsNamespaceOutput,
};
use store::Txn;
use wire::Fault;

use super::{fault, find, operation, tags};
use crate::Ctx;

/// Seconds that a negative answer may be kept where nobody said otherwise.
///
/// DEVIATION: negative DNS answers may be kept for 15 seconds unless a namespace says otherwise;
/// AWS's default keeps clients of a service without instances waiting for minutes.
const SOA_TTL: u32 = 15;

/// A namespace to make.
struct New {
    name: String,
    kind: NamespaceKind,
    description: Option<String>,
    creator_request_id: Option<String>,
    tags: Option<Vec<Tag>>,
}

/// A namespace that only the API tells.
pub fn create_http_namespace(
    ctx: &Ctx<'_>,
    txn: &mut Txn,
    input: CreateHttpNamespaceInput,
) -> Result<CreateHttpNamespaceOutput, Fault> {
    let CreateHttpNamespaceInput { name, creator_request_id, description, tags } = input;
    let kind = NamespaceKind::Http;
    let id = create(ctx, txn, New { name, kind, description, creator_request_id, tags })?;
    Ok(CreateHttpNamespaceOutput { operation_id: Some(id) })
}

/// A namespace with a zone that one VPC sees.
pub fn create_private_dns_namespace(
    ctx: &Ctx<'_>,
    txn: &mut Txn,
    input: CreatePrivateDnsNamespaceInput,
) -> Result<CreatePrivateDnsNamespaceOutput, Fault> {
    let CreatePrivateDnsNamespaceInput {
        name,
        creator_request_id,
        description,
        vpc,
        tags,
        properties,
    } = input;
    let vpc = VpcId::from(vpc);
    let here = txn.vpcs.get(&vpc).filter(|found| found.scope == ctx.scope);
    if here.is_none() {
        return Err(fault::invalid(format!("The VPC {vpc} does not exist in this region.")));
    }
    let zone = zone(ctx, properties.map(|properties| properties.dns_properties.soa.ttl))?;
    let kind = NamespaceKind::Private(vpc, zone);
    let name = dns_name(&name)?;
    let id = create(ctx, txn, New { name, kind, description, creator_request_id, tags })?;
    Ok(CreatePrivateDnsNamespaceOutput { operation_id: Some(id) })
}

/// A namespace with a zone that everybody sees.
pub fn create_public_dns_namespace(
    ctx: &Ctx<'_>,
    txn: &mut Txn,
    input: CreatePublicDnsNamespaceInput,
) -> Result<CreatePublicDnsNamespaceOutput, Fault> {
    let CreatePublicDnsNamespaceInput { name, creator_request_id, description, tags, properties } =
        input;
    let zone = zone(ctx, properties.map(|properties| properties.dns_properties.soa.ttl))?;
    let kind = NamespaceKind::Public(zone);
    let name = dns_name(&name)?;
    let id = create(ctx, txn, New { name, kind, description, creator_request_id, tags })?;
    Ok(CreatePublicDnsNamespaceOutput { operation_id: Some(id) })
}

/// Refuses what cannot be the name of a zone. AWS's pattern for private ones takes any printable
/// text; Route 53 then takes what DNS can carry.
fn dns_name(name: &str) -> Result<String, Fault> {
    let name = name.strip_suffix('.').unwrap_or(name);
    let is_label = |label: &str| !label.is_empty() && label.len() <= 63;
    match name.split('.').all(is_label) && !name.contains(['\\', '"']) {
        true => Ok(name.to_owned()),
        false => Err(fault::invalid(format!("{name} is not a valid domain name."))),
    }
}

fn zone(ctx: &Ctx<'_>, ttl: Option<i64>) -> Result<Zone, Fault> {
    Ok(Zone { id: HostedZoneId::from(format!("Z{}", ctx.upper(20))), soa_ttl: soa_ttl(ttl)? })
}

fn soa_ttl(ttl: Option<i64>) -> Result<u32, Fault> {
    let Some(ttl) = ttl else { return Ok(SOA_TTL) };
    let in_range = u32::try_from(ttl).ok().filter(|ttl| i32::try_from(*ttl).is_ok());
    in_range.ok_or_else(|| fault::invalid("The TTL of a SOA must be between 0 and 2147483647."))
}

fn create(ctx: &Ctx<'_>, txn: &mut Txn, new: New) -> Result<String, Fault> {
    if let Some(before) = asked_before(ctx, txn, &new)? {
        return Ok(before);
    }
    refuse_taken(ctx, txn, &new)?;
    let of_scope = txn.namespaces.iter().filter(|namespace| namespace.scope == ctx.scope);
    if of_scope.count() >= NAMESPACES_PER_REGION {
        return Err(fault::limit("namespaces", NAMESPACES_PER_REGION));
    }
    let id = find::fresh(ctx, "ns", |id| txn.namespaces.contains(&NamespaceId::from(id)));
    let creation = operation::note(ctx, txn, OperationKind::CreateNamespace, &[("NAMESPACE", &id)]);
    txn.put(Namespace {
        scope: ctx.scope.clone(),
        id: NamespaceId::from(id),
        http_name: http_name(ctx, txn, &new.name),
        name: new.name,
        kind: new.kind,
        description: new.description,
        creator_request_id: new.creator_request_id,
        creation: creation.clone(),
        tags: tags::of_new(new.tags)?,
        created: ctx.now,
    });
    Ok(creation)
}

/// AWS: the same request again is answered with the operation of the first.
fn asked_before(ctx: &Ctx<'_>, state: &Snapshot, new: &New) -> Result<Option<String>, Fault> {
    let Some(asked) = &new.creator_request_id else { return Ok(None) };
    let same = |namespace: &&std::sync::Arc<Namespace>| {
        namespace.scope == ctx.scope && namespace.creator_request_id.as_ref() == Some(asked)
    };
    let Some(before) = state.namespaces.iter().find(same) else { return Ok(None) };
    let matches = before.name == new.name && same_kind(&before.kind, &new.kind);
    match matches {
        true => Ok(Some(before.creation.clone())),
        false => Err(exists(before)),
    }
}

fn same_kind(one: &NamespaceKind, other: &NamespaceKind) -> bool {
    match (one, other) {
        (NamespaceKind::Private(one, _), NamespaceKind::Private(other, _)) => one == other,
        (NamespaceKind::Http, NamespaceKind::Http) => true,
        (NamespaceKind::Public(_), NamespaceKind::Public(_)) => true,
        _ => false,
    }
}

/// AWS: HTTP names are unique in a region, names of zones among those who see them.
fn refuse_taken(ctx: &Ctx<'_>, state: &Snapshot, new: &New) -> Result<(), Fault> {
    let taken = state.namespaces.iter().find(|namespace| {
        let same_name = namespace.name.eq_ignore_ascii_case(&new.name);
        let clashes = match &new.kind {
            NamespaceKind::Http => namespace.http_name == new.name,
            kind => same_name && same_kind(&namespace.kind, kind),
        };
        namespace.scope == ctx.scope && clashes
    });
    taken.map_or(Ok(()), |namespace| Err(exists(namespace)))
}

fn exists(namespace: &Namespace) -> Fault {
    let message = format!("Namespace {} with name {} exists.", namespace.id, namespace.name);
    fault::of("NamespaceAlreadyExists", message)
        .with("NamespaceId", namespace.id.as_str())
        .with("CreatorRequestId", namespace.creator_request_id.clone().unwrap_or_default())
}

/// AWS: the name, with a suffix where another namespace of the region has it.
fn http_name(ctx: &Ctx<'_>, state: &Snapshot, name: &str) -> String {
    let is_taken = |name: &str| {
        let mut here = state.namespaces.iter().filter(|namespace| namespace.scope == ctx.scope);
        here.any(|namespace| namespace.http_name == name)
    };
    let mut http_name = name.to_owned();
    while is_taken(&http_name) {
        http_name = format!("{name}-{}", ctx.hex(8));
    }
    http_name
}

/// Changes the description.
pub fn update_http_namespace(
    ctx: &Ctx<'_>,
    txn: &mut Txn,
    input: UpdateHttpNamespaceInput,
) -> Result<UpdateHttpNamespaceOutput, Fault> {
    let change = Change { description: Some(input.namespace.description), soa_ttl: None };
    let id = update(ctx, txn, &input.id, "HTTP", change)?;
    Ok(UpdateHttpNamespaceOutput { operation_id: Some(id) })
}

/// Changes the description and how long negative answers may be kept.
pub fn update_private_dns_namespace(
    ctx: &Ctx<'_>,
    txn: &mut Txn,
    input: UpdatePrivateDnsNamespaceInput,
) -> Result<UpdatePrivateDnsNamespaceOutput, Fault> {
    let soa_ttl = input.namespace.properties.map(|properties| properties.dns_properties.soa.ttl);
    let change = Change { description: input.namespace.description, soa_ttl };
    let id = update(ctx, txn, &input.id, "DNS_PRIVATE", change)?;
    Ok(UpdatePrivateDnsNamespaceOutput { operation_id: Some(id) })
}

/// The same of a public namespace.
pub fn update_public_dns_namespace(
    ctx: &Ctx<'_>,
    txn: &mut Txn,
    input: UpdatePublicDnsNamespaceInput,
) -> Result<UpdatePublicDnsNamespaceOutput, Fault> {
    let soa_ttl = input.namespace.properties.map(|properties| properties.dns_properties.soa.ttl);
    let change = Change { description: input.namespace.description, soa_ttl };
    let id = update(ctx, txn, &input.id, "DNS_PUBLIC", change)?;
    Ok(UpdatePublicDnsNamespaceOutput { operation_id: Some(id) })
}

struct Change {
    description: Option<String>,
    soa_ttl: Option<i64>,
}

fn update(
    ctx: &Ctx<'_>,
    txn: &mut Txn,
    id: &str,
    kind: &str,
    change: Change,
) -> Result<String, Fault> {
    let mut namespace = Namespace::clone(&*find::namespace(ctx, txn, id)?);
    if kind_name(&namespace) != kind {
        let is = kind_name(&namespace);
        return Err(fault::invalid(format!(
            "Namespace {} is of type {is}, not {kind}.",
            namespace.id
        )));
    }
    if change.description.is_some() {
        namespace.description = change.description;
    }
    if let (Some(zone), Some(ttl)) = (namespace.kind.zone_mut(), change.soa_ttl) {
        zone.soa_ttl = soa_ttl(Some(ttl))?;
    }
    let targets = [("NAMESPACE", namespace.id.as_str())];
    let id = operation::note(ctx, txn, OperationKind::UpdateNamespace, &targets);
    txn.put(namespace);
    Ok(id)
}

/// Removes a namespace that has no services.
pub fn delete_namespace(
    ctx: &Ctx<'_>,
    txn: &mut Txn,
    input: DeleteNamespaceInput,
) -> Result<DeleteNamespaceOutput, Fault> {
    let namespace = find::namespace(ctx, txn, &input.id)?;
    if txn.service_names.under(&namespace.id).next().is_some() {
        let message = "Namespace has associated services. Delete the services before deleting the \
                       namespace";
        return Err(fault::of("ResourceInUse", message));
    }
    txn.remove::<Namespace>(&namespace.id);
    let targets = [("NAMESPACE", namespace.id.as_str())];
    let id = operation::note(ctx, txn, OperationKind::DeleteNamespace, &targets);
    Ok(DeleteNamespaceOutput { operation_id: Some(id) })
}

/// One namespace.
pub fn get_namespace(
    ctx: &Ctx<'_>,
    state: &Snapshot,
    input: GetNamespaceInput,
) -> Result<GetNamespaceOutput, Fault> {
    let namespace = find::namespace(ctx, state, &input.id)?;
    Ok(GetNamespaceOutput { namespace: Some(shown(state, &namespace)) })
}

fn shown(state: &Snapshot, namespace: &Namespace) -> shape::Namespace {
    shape::Namespace {
        id: Some(namespace.id.to_string()),
        arn: Some(find::namespace_arn(&namespace.scope, &namespace.id)),
        resource_owner: Some(namespace.scope.account.to_string()),
        name: Some(namespace.name.clone()),
        r#type: Some(kind_name(namespace).to_owned()),
        description: namespace.description.clone(),
        service_count: Some(service_count(state, namespace)),
        properties: Some(properties(namespace)),
        create_date: Some(wire::Time(namespace.created.0)),
        creator_request_id: namespace.creator_request_id.clone(),
    }
}

/// A namespace as lists show it.
pub fn summary(state: &Snapshot, namespace: &Namespace) -> shape::NamespaceSummary {
    let shape::Namespace {
        id,
        arn,
        resource_owner,
        name,
        r#type,
        description,
        service_count,
        properties,
        create_date,
        creator_request_id: _,
    } = shown(state, namespace);
    shape::NamespaceSummary {
        id,
        arn,
        resource_owner,
        name,
        r#type,
        description,
        service_count,
        properties,
        create_date,
    }
}

fn service_count(state: &Snapshot, namespace: &Namespace) -> i64 {
    i64::try_from(state.service_names.under(&namespace.id).count()).unwrap_or(i64::MAX)
}

/// `Type` of a namespace.
pub fn kind_name(namespace: &Namespace) -> &'static str {
    match namespace.kind {
        NamespaceKind::Http => "HTTP",
        NamespaceKind::Private(..) => "DNS_PRIVATE",
        NamespaceKind::Public(_) => "DNS_PUBLIC",
    }
}

fn properties(namespace: &Namespace) -> NamespaceProperties {
    let zone = namespace.kind.zone();
    NamespaceProperties {
        dns_properties: Some(DnsProperties {
            hosted_zone_id: zone.map(|zone| zone.id.to_string()),
            soa: zone.map(|zone| SOA { ttl: i64::from(zone.soa_ttl) }),
        }),
        http_properties: Some(HttpProperties { http_name: Some(namespace.http_name.clone()) }),
    }
}
