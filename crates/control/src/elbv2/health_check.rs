//! Health-check settings of target groups: defaults, ranges, what fits together.

use model::balancer::HealthCheck;
use shapes::elbv2::Matcher;
use wire::Fault;

/// The settings that a request gives; what it leaves out stays as it is.
#[derive(Default)]
pub struct Given {
    /// `HealthCheckEnabled`
    pub enabled: Option<bool>,
    /// `HealthCheckProtocol`
    pub protocol: Option<String>,
    /// `HealthCheckPort`
    pub port: Option<String>,
    /// `HealthCheckPath`
    pub path: Option<String>,
    /// `HealthCheckIntervalSeconds`
    pub interval: Option<i64>,
    /// `HealthCheckTimeoutSeconds`
    pub timeout: Option<i64>,
    /// `HealthyThresholdCount`
    pub healthy: Option<i64>,
    /// `UnhealthyThresholdCount`
    pub unhealthy: Option<i64>,
    /// `Matcher`
    pub matcher: Option<Matcher>,
}

/// The settings of a new group. AWS: the guide's defaults of application load balancers (its API
/// text says 6 seconds for the timeout where the guide says 5; AWS answers 5).
pub fn defaults(is_grpc: bool) -> HealthCheck {
    let (path, matcher) = if is_grpc { ("/AWS.ALB/healthcheck", "12") } else { ("/", "200") };
    HealthCheck {
        enabled: true,
        protocol: "HTTP".to_owned(),
        port: None,
        path: Some(path.to_owned()),
        interval_seconds: 30,
        timeout_seconds: 5,
        healthy_threshold: 5,
        unhealthy_threshold: 2,
        matcher: Some(matcher.to_owned()),
    }
}

/// The settings after a request. Ranges of numbers have been checked by the model.
pub fn changed(current: &HealthCheck, given: Given, is_grpc: bool) -> Result<HealthCheck, Fault> {
    let Given { enabled, protocol, port, path, interval, timeout, healthy, unhealthy, matcher } =
        given;
    let mut check = current.clone();
    if enabled == Some(false) {
        return Err(Fault::validation(
            "Health checks can be disabled only for target groups with target type 'lambda'",
        ));
    }
    if let Some(protocol) = protocol {
        check.protocol = checked_protocol(protocol)?;
    }
    if let Some(port) = port {
        check.port = checked_port(&port)?;
    }
    if let Some(path) = path {
        check.path = Some(checked_path(path)?);
    }
    if let Some(matcher) = matcher {
        check.matcher = Some(checked_matcher(matcher, is_grpc)?);
    }
    let number = |given: Option<i64>, current: u32| {
        given.and_then(|n| u32::try_from(n).ok()).unwrap_or(current)
    };
    check.interval_seconds = number(interval, check.interval_seconds);
    check.timeout_seconds = number(timeout, check.timeout_seconds);
    check.healthy_threshold = number(healthy, check.healthy_threshold);
    check.unhealthy_threshold = number(unhealthy, check.unhealthy_threshold);
    if check.timeout_seconds >= check.interval_seconds {
        return Err(Fault::validation("Health check interval must be greater than the timeout."));
    }
    Ok(check)
}

fn checked_protocol(protocol: String) -> Result<String, Fault> {
    if matches!(protocol.as_str(), "HTTP" | "HTTPS") {
        return Ok(protocol);
    }
    let message = format!("Health check protocol '{protocol}' must be one of '[HTTP, HTTPS]'");
    Err(Fault::validation(message))
}

fn checked_port(port: &str) -> Result<Option<u16>, Fault> {
    if port == "traffic-port" {
        return Ok(None);
    }
    let number = port.parse().ok().filter(|number| *number > 0 && !port.starts_with('+'));
    number.map(Some).ok_or_else(|| {
        Fault::validation(format!(
            "Health check port '{port}' must be 'traffic-port' or a number between '1-65535' \
             inclusive"
        ))
    })
}

fn checked_path(path: String) -> Result<String, Fault> {
    let visible = |byte: u8| (0x21..=0x7e).contains(&byte);
    if !path.starts_with('/') {
        let message = format!("Health check path '{path}' must begin with a '/'");
        return Err(Fault::validation(message));
    }
    if !path.bytes().all(visible) {
        let message = format!("Health check path '{path}' contains invalid characters");
        return Err(Fault::validation(message));
    }
    Ok(path)
}

/// AWS: `HttpCode` 200–499 for HTTP1 and HTTP2, `GrpcCode` 0–99 for GRPC.
fn checked_matcher(matcher: Matcher, is_grpc: bool) -> Result<String, Fault> {
    let (codes, wrong, what, (min, max)) = if is_grpc {
        (matcher.grpc_code, matcher.http_code, "GRPC", (0, 99))
    } else {
        (matcher.http_code, matcher.grpc_code, "HTTP", (200, 499))
    };
    let codes = match (codes, wrong) {
        (Some(codes), None) => codes,
        (None, None) => return Err(Fault::validation("A health check matcher must be specified")),
        _ => {
            return Err(Fault::validation(format!(
                "Only {what} codes can be specified in the health check matcher of this target \
                 group"
            )));
        }
    };
    if codes.split(',').all(|part| is_code_range(part, min, max)) {
        return Ok(codes);
    }
    Err(Fault::validation(format!(
        "Health check matcher {what} code '{codes}' must be within '{min}-{max}' inclusive"
    )))
}

/// `200` or `200-299`.
fn is_code_range(text: &str, min: u16, max: u16) -> bool {
    let code = |text: &str| {
        let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        text.parse::<u16>().ok().filter(|code| digits && (min..=max).contains(code))
    };
    match text.split_once('-') {
        None => code(text).is_some(),
        Some((from, to)) => code(from).zip(code(to)).is_some_and(|(from, to)| from <= to),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn http(code: &str) -> Matcher {
        Matcher { http_code: Some(code.to_owned()), grpc_code: None }
    }

    #[test]
    fn matchers_are_lists_of_codes_and_ranges() {
        let check = |codes: &str, fine: bool| {
            assert_eq!(checked_matcher(http(codes), false).is_ok(), fine, "{codes}");
        };
        for codes in ["200", "200,202", "200-299", "200,300-399,404", "200-499", "200-200"] {
            check(codes, true);
        }
        for codes in ["", "199", "500", "200-500", "299-200", "200,", "2xx", "+200", "200 "] {
            check(codes, false);
        }
        let grpc = |code: &str| Matcher { grpc_code: Some(code.to_owned()), http_code: None };
        assert!(checked_matcher(grpc("0-99"), true).is_ok());
        assert!(checked_matcher(grpc("100"), true).is_err());
        assert!(checked_matcher(grpc("12"), false).is_err());
        assert!(checked_matcher(http("200"), true).is_err());
    }

    #[test]
    fn settings_change_one_by_one() {
        let given = Given { timeout: Some(30), ..Given::default() };
        let refused = changed(&defaults(false), given, false).unwrap_err();
        assert_eq!(refused.message, "Health check interval must be greater than the timeout.");
        let given = Given { port: Some("8081".into()), interval: Some(10), ..Given::default() };
        let check = changed(&defaults(false), given, false).unwrap();
        assert_eq!(
            (check.port, check.interval_seconds, check.timeout_seconds),
            (Some(8081), 10, 5)
        );
        let back = Given { port: Some("traffic-port".into()), ..Given::default() };
        assert_eq!(changed(&check, back, false).unwrap().port, None);
    }

    #[test]
    fn what_cannot_be_checked_is_refused() {
        let refused = |given: Given| changed(&defaults(false), given, false).is_err();
        let text = |text: &str| Some(text.to_owned());
        assert!(refused(Given { protocol: text("TCP"), ..Given::default() }));
        assert!(refused(Given { port: text("0"), ..Given::default() }));
        assert!(refused(Given { port: text("65536"), ..Given::default() }));
        assert!(refused(Given { port: text("http"), ..Given::default() }));
        assert!(refused(Given { path: text("health"), ..Given::default() }));
        assert!(refused(Given { path: text("/a b"), ..Given::default() }));
        assert!(refused(Given { enabled: Some(false), ..Given::default() }));
        assert!(refused(Given { matcher: Some(Matcher::default()), ..Given::default() }));
        assert!(!refused(Given { path: text("/health?a=b"), ..Given::default() }));
    }
}
