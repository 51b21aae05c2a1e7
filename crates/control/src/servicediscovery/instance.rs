//! Instances: register, deregister, tell.

use model::discovery::{
    ALIAS, Attributes, CNAME, CustomHealth, EC2_INSTANCE, HealthSource, INIT_HEALTH, IPV4, IPV6,
    Namespace, NamespaceKind, OperationKind, PORT, RecordKind, Registration, RoutingPolicy,
    Service,
};
use model::limits::{
    ATTRIBUTES_PER_INSTANCE, INSTANCE_ATTRIBUTE_CHARACTERS, INSTANCES_PER_SERVICE,
};
use model::{InstanceId, RegistrationId, Snapshot};
use shapes::servicediscovery::{
    self as shape, DeregisterInstanceInput, DeregisterInstanceOutput, GetInstanceInput,
    GetInstanceOutput, RegisterInstanceInput, RegisterInstanceOutput,
};
use store::Txn;
use wire::Fault;

use super::{fault, find, operation};
use crate::Ctx;

/// What starts the attributes that mean something to the service.
const RESERVED: &str = "AWS_";

/// Registers an instance. AWS: one that is there gets the new attributes, and keeps none.
pub fn register_instance(
    ctx: &Ctx<'_>,
    txn: &mut Txn,
    input: RegisterInstanceInput,
) -> Result<RegisterInstanceOutput, Fault> {
    let mut service = Service::clone(&*find::service(ctx, txn, &input.service_id)?);
    let namespace = find::namespace_of(txn, &service)?;
    let mut attributes = input.attributes;
    check(&namespace, &service, &attributes)?;
    if let Some(id) = attributes.get(EC2_INSTANCE) {
        let address = address_of(ctx, txn, id)?;
        attributes.insert(IPV4.to_owned(), address);
    }
    let id = RegistrationId::from(input.instance_id);
    let is_new = !txn.registrations.contains(&(service.id.clone(), id.clone()));
    if is_new && txn.registrations.under(&service.id).count() >= INSTANCES_PER_SERVICE {
        return Err(fault::limit("instances per service", INSTANCES_PER_SERVICE));
    }
    let healthy = attributes.get(INIT_HEALTH).is_none_or(|status| status == "HEALTHY");
    let operation = noted(ctx, txn, OperationKind::RegisterInstance, &service, &id);
    txn.put(Registration {
        service: service.id.clone(),
        id,
        attributes,
        health: CustomHealth::new(healthy),
        creator_request_id: input.creator_request_id,
    });
    service.revision += 1;
    txn.put(service);
    Ok(RegisterInstanceOutput { operation_id: Some(operation) })
}

/// Removes an instance.
pub fn deregister_instance(
    ctx: &Ctx<'_>,
    txn: &mut Txn,
    input: DeregisterInstanceInput,
) -> Result<DeregisterInstanceOutput, Fault> {
    let mut service = Service::clone(&*find::service(ctx, txn, &input.service_id)?);
    let instance = find::instance(txn, &service, &input.instance_id)?;
    let id = instance.id.clone();
    txn.remove::<Registration>(&(service.id.clone(), id.clone()));
    let operation = noted(ctx, txn, OperationKind::DeregisterInstance, &service, &id);
    service.revision += 1;
    txn.put(service);
    Ok(DeregisterInstanceOutput { operation_id: Some(operation) })
}

fn noted(
    ctx: &Ctx<'_>,
    txn: &mut Txn,
    kind: OperationKind,
    service: &Service,
    id: &RegistrationId,
) -> String {
    let targets = [("INSTANCE", id.as_str()), ("SERVICE", service.id.as_str())];
    operation::note(ctx, txn, kind, &targets)
}

/// One instance.
pub fn get_instance(
    ctx: &Ctx<'_>,
    state: &Snapshot,
    input: GetInstanceInput,
) -> Result<GetInstanceOutput, Fault> {
    let service = find::service(ctx, state, &input.service_id)?;
    let instance = find::instance(state, &service, &input.instance_id)?;
    let shown = shape::Instance {
        id: Some(instance.id.to_string()),
        creator_request_id: instance.creator_request_id.clone(),
        attributes: Some(instance.attributes.clone()),
        created_by_account: Some(service.scope.account.to_string()),
    };
    let resource_owner = Some(service.scope.account.to_string());
    Ok(GetInstanceOutput { resource_owner, instance: Some(shown) })
}

/// An instance as lists show it.
pub fn summary(service: &Service, instance: &Registration) -> shape::InstanceSummary {
    shape::InstanceSummary {
        id: Some(instance.id.to_string()),
        attributes: Some(instance.attributes.clone()),
        created_by_account: Some(service.scope.account.to_string()),
    }
}

fn check(namespace: &Namespace, service: &Service, attributes: &Attributes) -> Result<(), Fault> {
    sizes(attributes)?;
    values(attributes)?;
    let has = |key: &str| attributes.contains_key(key);
    if has(EC2_INSTANCE) {
        return ec2(namespace, attributes);
    }
    if has(ALIAS) {
        return alias(service, attributes);
    }
    if has(INIT_HEALTH) && service.health != HealthSource::Custom {
        let message = format!("{INIT_HEALTH} requires a service with HealthCheckCustomConfig.");
        return Err(fault::invalid(message));
    }
    if matches!(service.health, HealthSource::Probes(_)) && !has(PORT) {
        return Err(no_port());
    }
    required(service, attributes)
}

/// What the records of the service need.
fn required(service: &Service, attributes: &Attributes) -> Result<(), Fault> {
    let kinds = service.dns.iter().flat_map(|dns| &dns.records).map(|record| record.kind);
    let kinds: Vec<RecordKind> = kinds.collect();
    let (ipv4, ipv6) = (attributes.contains_key(IPV4), attributes.contains_key(IPV6));
    let both = kinds.contains(&RecordKind::A) && kinds.contains(&RecordKind::Aaaa);
    for kind in kinds {
        let missing = match kind {
            RecordKind::A | RecordKind::Aaaa if both => (!ipv4 && !ipv6).then_some(IPV4),
            RecordKind::A => (!ipv4).then_some(IPV4),
            RecordKind::Aaaa => (!ipv6).then_some(IPV6),
            RecordKind::Cname => (!attributes.contains_key(CNAME)).then_some(CNAME),
            RecordKind::Srv if !attributes.contains_key(PORT) => return Err(no_port()),
            RecordKind::Srv => (!ipv4 && !ipv6).then_some(IPV4),
        };
        if let Some(key) = missing {
            let message = format!("The attribute {key} is required by the service's DNS records.");
            return Err(fault::invalid(message));
        }
    }
    Ok(())
}

fn no_port() -> Fault {
    fault::invalid("A valid port number must be supplied.")
}

fn sizes(attributes: &Attributes) -> Result<(), Fault> {
    let custom = attributes.keys().filter(|key| !key.starts_with(RESERVED)).count();
    if custom > ATTRIBUTES_PER_INSTANCE {
        let message = format!("An instance can have at most {ATTRIBUTES_PER_INSTANCE} attributes.");
        return Err(fault::invalid(message));
    }
    let characters: usize =
        attributes.iter().map(|(key, value)| key.chars().count() + value.chars().count()).sum();
    if characters > INSTANCE_ATTRIBUTE_CHARACTERS {
        let message = format!(
            "The attributes of an instance can have at most {INSTANCE_ATTRIBUTE_CHARACTERS} \
             characters."
        );
        return Err(fault::invalid(message));
    }
    Ok(())
}

/// Reserved attributes whose values cannot be what they should be.
fn values(attributes: &Attributes) -> Result<(), Fault> {
    for (key, value) in attributes {
        let fits = match key.as_str() {
            IPV4 => value.parse::<std::net::Ipv4Addr>().is_ok(),
            IPV6 => value.parse::<std::net::Ipv6Addr>().is_ok(),
            PORT if !value.parse::<u16>().is_ok_and(|port| port > 0) => return Err(no_port()),
            INIT_HEALTH => matches!(value.as_str(), "HEALTHY" | "UNHEALTHY"),
            CNAME | ALIAS => is_domain(value),
            _ => true,
        };
        if !fits {
            return Err(fault::invalid(format!("The value of {key} is not valid: {value}")));
        }
    }
    Ok(())
}

fn is_domain(name: &str) -> bool {
    let name = name.strip_suffix('.').unwrap_or(name);
    let is_label = |label: &str| {
        !label.is_empty() && label.len() <= 63 && label.bytes().all(|b| b.is_ascii_graphic())
    };
    name.len() <= 253 && name.split('.').all(is_label)
}

/// AWS: in HTTP namespaces an instance can be told by its EC2 id alone.
fn ec2(namespace: &Namespace, attributes: &Attributes) -> Result<(), Fault> {
    if namespace.kind != NamespaceKind::Http {
        let message = format!("{EC2_INSTANCE} can be used in HTTP namespaces only.");
        return Err(fault::invalid(message));
    }
    let others = attributes.keys().find(|key| {
        key.starts_with(RESERVED) && ![EC2_INSTANCE, INIT_HEALTH, PORT].contains(&key.as_str())
    });
    match others {
        None => Ok(()),
        Some(key) => Err(fault::invalid(format!("{key} cannot stand beside {EC2_INSTANCE}."))),
    }
}

/// AWS: the alias of a load balancer is a weighted A or AAAA record and nothing else.
fn alias(service: &Service, attributes: &Attributes) -> Result<(), Fault> {
    let addresses = [RecordKind::A, RecordKind::Aaaa];
    let fits = service.dns.as_ref().is_some_and(|dns| {
        dns.routing == RoutingPolicy::Weighted
            && dns.records.iter().all(|record| addresses.contains(&record.kind))
    });
    if !fits {
        let message =
            format!("{ALIAS} requires a service with A or AAAA records and WEIGHTED routing.");
        return Err(fault::invalid(message));
    }
    match attributes.keys().find(|key| key.starts_with("AWS_INSTANCE_")) {
        None => Ok(()),
        Some(key) => Err(fault::invalid(format!("{key} cannot stand beside {ALIAS}."))),
    }
}

fn address_of(ctx: &Ctx<'_>, state: &Snapshot, id: &str) -> Result<String, Fault> {
    let instance = state.instances.get(&InstanceId::from(id));
    let here = instance.filter(|instance| instance.scope == ctx.scope);
    let interface = here.and_then(|instance| {
        state.network_interfaces.iter().find(|interface| {
            interface.owner == model::network::InterfaceOwner::Instance(instance.id.clone())
        })
    });
    let address = interface.map(|interface| interface.private_ip.to_string());
    address.ok_or_else(|| fault::invalid(format!("The EC2 instance {id} does not exist.")))
}
