//! Lists: namespaces, services, instances and operations, with filters and pages.

use model::Snapshot;
use model::discovery::{Namespace, Operation, Service};
use shapes::servicediscovery::{
    ListInstancesInput, ListInstancesOutput, ListNamespacesInput, ListNamespacesOutput,
    ListOperationsInput, ListOperationsOutput, ListServicesInput, ListServicesOutput,
    NamespaceFilter, OperationFilter, OperationSummary, ServiceFilter,
};
use wire::Fault;

use super::{fault, find, instance, namespace, operation, service_view};
use crate::Ctx;
use crate::page::{Page, page};

/// Default and greatest size of a page. AWS: 100.
const PAGE_SIZE: usize = 100;

/// One page of `items`, which are in the order of their keys.
pub fn cut<T>(
    items: impl IntoIterator<Item = T>,
    key: impl Fn(&T) -> String,
    token: Option<String>,
    size: Option<i64>,
) -> Result<Page<T>, Fault> {
    let size = size.and_then(|size| usize::try_from(size).ok()).unwrap_or(PAGE_SIZE);
    page(items, key, token.as_deref(), size.min(PAGE_SIZE), || {
        fault::invalid("The NextToken is not valid.")
    })
}

/// Namespaces of the region.
pub fn list_namespaces(
    ctx: &Ctx<'_>,
    state: &Snapshot,
    input: ListNamespacesInput,
) -> Result<ListNamespacesOutput, Fault> {
    let filters = input.filters.unwrap_or_default();
    filters.iter().try_for_each(check_namespace_filter)?;
    let fits = |namespace: &Namespace| {
        namespace.scope == ctx.scope && filters.iter().all(|f| namespace_fits(f, namespace))
    };
    let all = state.namespaces.iter().filter(|namespace| fits(namespace));
    let page = cut(all, |n| n.id.to_string(), input.next_token, input.max_results)?;
    let shown = page.items.iter().map(|found| namespace::summary(state, found));
    Ok(ListNamespacesOutput { namespaces: Some(shown.collect()), next_token: page.next })
}

/// AWS: `EQ` takes one value.
fn check_namespace_filter(filter: &NamespaceFilter) -> Result<(), Fault> {
    let condition = filter.condition.as_deref().unwrap_or("EQ");
    let fits = match condition {
        "EQ" => true,
        "BEGINS_WITH" => matches!(filter.name.as_str(), "NAME" | "HTTP_NAME"),
        _ => false,
    };
    check_filter(&filter.name, condition, fits, filter.values.len() == 1)
}

fn check_filter(name: &str, condition: &str, fits: bool, one: bool) -> Result<(), Fault> {
    if !fits {
        let message = format!("The condition {condition} is not supported by the filter {name}.");
        return Err(fault::invalid(message));
    }
    match one {
        true => Ok(()),
        false => Err(fault::invalid(format!("The filter {name} requires exactly one value."))),
    }
}

fn namespace_fits(filter: &NamespaceFilter, namespace: &Namespace) -> bool {
    let Some(wanted) = filter.values.first() else { return true };
    let begins = filter.condition.as_deref() == Some("BEGINS_WITH");
    let text = |text: &str| if begins { text.starts_with(wanted) } else { text == wanted };
    match filter.name.as_str() {
        "TYPE" => namespace::kind_name(namespace) == wanted,
        "NAME" => text(&namespace.name),
        "HTTP_NAME" => text(&namespace.http_name),
        // Everything here is the caller's own.
        _ => wanted == "SELF",
    }
}

/// Services of the region or of one namespace.
pub fn list_services(
    ctx: &Ctx<'_>,
    state: &Snapshot,
    input: ListServicesInput,
) -> Result<ListServicesOutput, Fault> {
    let filters = input.filters.unwrap_or_default();
    for ServiceFilter { name, values, condition } in &filters {
        let condition = condition.as_deref().unwrap_or("EQ");
        check_filter(name, condition, condition == "EQ", values.len() == 1)?;
    }
    let fits = |service: &Service| {
        service.scope == ctx.scope && filters.iter().all(|f| service_fits(ctx, state, f, service))
    };
    let all = state.services.iter().filter(|service| fits(service));
    let page = cut(all, |s| s.id.to_string(), input.next_token, input.max_results)?;
    let shown = page.items.iter().map(|found| service_view::summary(state, found));
    Ok(ListServicesOutput { services: Some(shown.collect()), next_token: page.next })
}

fn service_fits(
    ctx: &Ctx<'_>,
    state: &Snapshot,
    filter: &ServiceFilter,
    service: &Service,
) -> bool {
    let Some(wanted) = filter.values.first() else { return true };
    match filter.name.as_str() {
        "NAMESPACE_ID" => find::namespace(ctx, state, wanted)
            .is_ok_and(|namespace| namespace.id == service.namespace),
        _ => wanted == "SELF",
    }
}

/// Instances of a service.
pub fn list_instances(
    ctx: &Ctx<'_>,
    state: &Snapshot,
    input: ListInstancesInput,
) -> Result<ListInstancesOutput, Fault> {
    let service = find::service(ctx, state, &input.service_id)?;
    let all = state.registrations.under(&service.id);
    let page = cut(all, |i| i.id.to_string(), input.next_token, input.max_results)?;
    let shown = page.items.iter().map(|found| instance::summary(&service, found));
    Ok(ListInstancesOutput {
        resource_owner: Some(service.scope.account.to_string()),
        instances: Some(shown.collect()),
        next_token: page.next,
    })
}

/// Operations of the region, oldest first.
pub fn list_operations(
    ctx: &Ctx<'_>,
    state: &Snapshot,
    input: ListOperationsInput,
) -> Result<ListOperationsOutput, Fault> {
    let filters = input.filters.unwrap_or_default();
    filters.iter().try_for_each(check_operation_filter)?;
    let fits = |operation: &Operation| {
        operation.scope == ctx.scope && filters.iter().all(|f| operation_fits(f, operation))
    };
    let all = state.operations.iter().filter(|operation| fits(operation));
    let key = |operation: &&std::sync::Arc<Operation>| Operation::key_of(&operation.id).0;
    let page = cut(all, key, input.next_token, input.max_results)?;
    let shown = page.items.iter().map(|found| OperationSummary {
        id: Some(found.id.clone()),
        status: Some(operation::status(found).to_owned()),
    });
    Ok(ListOperationsOutput { operations: Some(shown.collect()), next_token: page.next })
}

fn check_operation_filter(filter: &OperationFilter) -> Result<(), Fault> {
    let (name, count) = (filter.name.as_str(), filter.values.len());
    match filter.condition.as_deref().unwrap_or("EQ") {
        "EQ" => check_filter(name, "EQ", name != "UPDATE_DATE", count == 1),
        "IN" => check_filter(name, "IN", matches!(name, "STATUS" | "TYPE"), count > 0),
        "BETWEEN" if count == 2 => {
            check_filter(name, "BETWEEN", name == "UPDATE_DATE", true)?;
            let numbers = filter.values.iter().all(|value| value.parse::<f64>().is_ok());
            match numbers {
                true => Ok(()),
                false => Err(fault::invalid("UPDATE_DATE takes times in seconds since 1970.")),
            }
        }
        condition => check_filter(name, condition, false, true),
    }
}

fn operation_fits(filter: &OperationFilter, operation: &Operation) -> bool {
    let any = |is: &str| filter.values.iter().any(|wanted| wanted == is);
    let target = |kind: &str| operation.targets.get(kind).is_some_and(|id| any(id));
    match filter.name.as_str() {
        "NAMESPACE_ID" => target("NAMESPACE"),
        "SERVICE_ID" => target("SERVICE"),
        // AWS: the guide writes SUCCEED where the API says SUCCESS.
        "STATUS" => {
            let status = operation::status(operation);
            any(status) || (status == "SUCCESS" && any("SUCCEED"))
        }
        "TYPE" => any(operation::kind(operation)),
        _ => updated_between(&filter.values, operation),
    }
}

fn updated_between(bounds: &[String], operation: &Operation) -> bool {
    let seconds = |index: usize| bounds.get(index).and_then(|bound| bound.parse::<f64>().ok());
    let (Some(from), Some(to)) = (seconds(0), seconds(1)) else { return true };
    let at = operation.created.0 as f64 / 1_000.0;
    from <= at && at <= to
}
