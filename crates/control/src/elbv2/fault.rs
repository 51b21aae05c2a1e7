//! The refusals of elbv2: codes and the sentences that clients match on.
//!
//! AWS: every one of them is a 400, those for things that are not found included.

use wire::Fault;

/// A fault with a code.
pub fn of(code: &'static str, message: impl Into<String>) -> Fault {
    Fault::new(400, code, message)
}

/// `LoadBalancerNotFound`
pub fn load_balancer_not_found() -> Fault {
    of("LoadBalancerNotFound", "One or more load balancers not found")
}

/// `ListenerNotFound`
pub fn listener_not_found() -> Fault {
    of("ListenerNotFound", "One or more listeners not found")
}

/// `RuleNotFound`
pub fn rule_not_found() -> Fault {
    of("RuleNotFound", "One or more rules not found")
}

/// `TargetGroupNotFound`
pub fn target_group_not_found() -> Fault {
    of("TargetGroupNotFound", "One or more target groups not found")
}

/// `TrustStoreNotFound`
pub fn trust_store_not_found() -> Fault {
    of("TrustStoreNotFound", "One or more trust stores not found")
}

/// `InvalidConfigurationRequest`: what contradicts something else.
pub fn configuration(message: impl Into<String>) -> Fault {
    of("InvalidConfigurationRequest", message)
}

/// `InvalidLoadBalancerAction`
pub fn action(message: impl Into<String>) -> Fault {
    of("InvalidLoadBalancerAction", message)
}

/// `OperationNotPermitted`
pub fn not_permitted(message: impl Into<String>) -> Fault {
    of("OperationNotPermitted", message)
}

/// What AWS has and Breezeway has not yet: `what` is a plural subject.
pub fn unsupported(what: &str) -> Fault {
    configuration(format!("{what} are not supported here yet"))
}

/// `ValidationError` for an ARN of the wrong form.
pub fn not_an_arn(text: &str, what: &str) -> Fault {
    Fault::validation(format!("'{text}' is not a valid {what} ARN"))
}

/// `ValidationError` for a page marker that no answer gave.
pub fn marker() -> Fault {
    Fault::validation("The specified marker is not valid")
}
