//! Rules: conditions, priorities, changes.

use serde_json::{Value, json};

use super::{World, column, fixed, forward, path_is, text, with};

struct Place {
    world: World,
    load_balancer: String,
    group: String,
    listener: String,
}

/// A condition with values in its config.
fn values(field: &str, config: &str, values: Value) -> Value {
    let values = json!({ "Values": values });
    json!({ "Field": field, config: values })
}

fn place() -> Place {
    let world = World::new();
    let (load_balancer, group) = (world.load_balancer("web"), world.group("app"));
    let listener = world.listener(&load_balancer, 80, &group);
    Place { world, load_balancer, group, listener }
}

impl Place {
    fn input(&self, priority: u32, conditions: Value) -> Value {
        json!({
            "ListenerArn": self.listener, "Priority": priority, "Conditions": conditions,
            "Actions": [forward(&self.group)],
        })
    }

    #[track_caller]
    fn refuses(&self, condition: Value, part: &str) {
        let input = self.input(1, json!([condition]));
        self.world.refuses("CreateRule", input, "ValidationError", part);
    }

    fn priorities(&self) -> Vec<String> {
        let rules = self.world.ok("DescribeRules", json!({ "ListenerArn": self.listener }));
        column(&rules["Rules"], "Priority")
    }
}

#[test]
fn each_condition_comes_back_as_aws_shows_it() {
    let place = place();
    let mut priority = 0;
    let mut check = |given: Value, shown: Value| {
        priority += 1;
        let made = place.world.ok("CreateRule", place.input(priority, json!([given])));
        assert_eq!(made["Rules"][0]["Conditions"], json!([shown]));
    };
    let host = json!({ "Field": "host-header", "Values": ["*.example.com"],
        "HostHeaderConfig": { "Values": ["*.example.com"] } });
    check(with(host.clone(), json!({ "HostHeaderConfig": null })), host.clone());
    check(with(host.clone(), json!({ "Values": null })), host);
    let path = json!({ "Field": "path-pattern", "Values": ["/a", "/b/*"],
        "PathPatternConfig": { "Values": ["/a", "/b/*"] } });
    check(with(path.clone(), json!({ "Values": null })), path);
    let regex = json!({ "Field": "path-pattern", "RegexValues": ["^/v[0-9]+/"],
        "PathPatternConfig": { "RegexValues": ["^/v[0-9]+/"] } });
    check(with(regex.clone(), json!({ "RegexValues": null })), regex.clone());
    check(with(regex.clone(), json!({ "PathPatternConfig": null })), regex);
    for same in [
        json!({ "Field": "http-header", "HttpHeaderConfig": {
            "HttpHeaderName": "User-Agent", "Values": ["*Chrome*", "a b"] } }),
        json!({ "Field": "http-header", "HttpHeaderConfig": {
            "HttpHeaderName": "X-Id", "RegexValues": ["^[a-f]+$"] } }),
        json!({ "Field": "http-request-method", "HttpRequestMethodConfig": {
            "Values": ["GET", "M-SEARCH"] } }),
        json!({ "Field": "query-string", "QueryStringConfig": {
            "Values": [{ "Key": "v", "Value": "1" }, { "Value": "*x" }] } }),
        json!({ "Field": "source-ip", "SourceIpConfig": {
            "Values": ["10.0.0.0/8", "2001:db8::/32"] } }),
    ] {
        check(same.clone(), same);
    }
}

#[test]
fn a_new_rule_has_awss_shape() {
    let place = place();
    let input = place.input(5, json!([path_is("/a")]));
    let made = &place.world.ok("CreateRule", input)["Rules"][0];
    let arn = text(&made["RuleArn"]);
    let prefix = place.listener.replace(":listener/", ":listener-rule/");
    assert_eq!(arn.strip_prefix(&format!("{prefix}/")).map(str::len), Some(16));
    assert_eq!((&made["Priority"], &made["IsDefault"]), (&json!("5"), &json!(false)));
    assert_eq!(made["Actions"][0]["TargetGroupArn"], json!(place.group));
    assert_eq!(made["Transforms"], json!([]));
}

#[test]
fn patterns_are_refused_in_awss_words() {
    let (place, long) = (place(), |n: usize| "a".repeat(n));
    let check = |condition: Value, part: &str| place.refuses(condition, part);
    check(
        json!({ "Field": "x", "Values": ["a"] }),
        "Condition field 'x' must be one of '[path-pattern,host-header,http-header,\
         http-request-method,query-string,source-ip]'",
    );
    check(json!({ "Values": ["a"] }), "A condition field must be specified");
    for (field, config) in
        [("host-header", "HostHeaderConfig"), ("path-pattern", "PathPatternConfig")]
    {
        let must = "A condition value must be specified";
        check(json!({ "Field": field }), must);
        check(json!({ "Field": field, "Values": [] }), must);
        check(values(field, config, json!([])), must);
        check(values(field, config, json!([""])), must);
        check(
            json!({ "Field": field, "Values": ["a", "b"] }),
            &format!("The '{field}' field contains too many values; the limit is '1'"),
        );
        let too_long = format!("The '{field}' value is too long; the limit is '128'");
        check(values(field, config, json!([long(129)])), &too_long);
        check(json!({ "Field": field, "Values": [long(129)] }), &too_long);
        check(
            with(values(field, config, json!(["a"])), json!({ "Values": ["a"] })),
            &format!("You cannot provide both Values and '{config}' for a condition of type"),
        );
        let both = json!({ "Values": ["a"], "RegexValues": ["a"] });
        check(json!({ "Field": field, config: both }), "both Values and RegexValues");
        for (regex, why) in [
            ("(", "cannot be read"),
            ("\\p{L}", "Unicode classes are not supported"),
            ("(?=a)b", "cannot be read"),
            ("(a)\\1", "cannot be read"),
            ("(?>a)b", "cannot be read"),
            ("a++b", "possessive and doubled quantifiers are not supported"),
            ("a(?R)b", "recursion and subroutines are not supported"),
            ("(a{1000}){1000}", "too large"),
        ] {
            let broken = json!({ "Field": field, config: { "RegexValues": [regex] } });
            check(broken, &format!("regular expression '{regex}' is not valid: "));
            let broken = json!({ "Field": field, "RegexValues": [regex] });
            check(broken, why);
        }
        let exact = json!({ "Field": field, config: { "RegexValues": [long(129)] } });
        check(exact, &too_long);
        check(values(field, config, json!(["a b"])), "the allowed characters are");
    }
}

#[test]
fn other_conditions_are_refused_in_awss_words() {
    let (place, long) = (place(), |n: usize| "a".repeat(n));
    let check = |condition: Value, part: &str| place.refuses(condition, part);
    let http = "A 'HttpHeaderConfig' must be specified with 'http-header'";
    check(json!({ "Field": "http-header" }), http);
    let header = |name: &str, value: &str| {
        let config = json!({ "HttpHeaderName": name, "Values": [value] });
        json!({ "Field": "http-header", "HttpHeaderConfig": config })
    };
    let name = "The 'HttpHeaderName' value is too long; the limit is '40'";
    check(header(&long(41), "v"), name);
    check(header("a b", "v"), "The 'HttpHeaderName' value 'a b' is invalid");
    check(header("X-*", "v"), "The 'HttpHeaderName' value 'X-*' is invalid");
    check(header("Host", "v"), "use 'host-header'");
    check(header("", "v"), "A 'HttpHeaderName' must be specified");
    check(header("A", &long(129)), "The 'http-header' value is too long; the limit is '128'");
    check(header("A", "ä"), "The 'http-header' value is invalid");
    let method =
        |value: &str| values("http-request-method", "HttpRequestMethodConfig", json!([value]));
    check(
        json!({ "Field": "http-request-method" }),
        "A 'HttpRequestMethodConfig' must be specified with 'http-request-method'",
    );
    check(
        method(&"A".repeat(41)),
        "The 'http-request-method' value is too long; the limit is '40'",
    );
    check(
        method("get"),
        "The 'http-request-method' value is invalid; the allowed characters are A-Z, hyphen and \
         underscore",
    );
    let query = |pair: Value| values("query-string", "QueryStringConfig", json!([pair]));
    check(
        json!({ "Field": "query-string" }),
        "A 'QueryStringConfig' must be specified with 'query-string'",
    );
    check(query(json!({ "Key": "k" })), "A 'Value' must be specified in 'QueryStringKeyValuePair'");
    let key = json!({ "Key": long(129), "Value": "v" });
    check(query(key), "The 'Key' value is too long; the limit is '128'");
    let value = json!({ "Value": long(129) });
    check(query(value), "The 'Value' value is too long; the limit is '128'");
    let ip = |value: &str| values("source-ip", "SourceIpConfig", json!([value]));
    check(json!({ "Field": "source-ip" }), "A 'SourceIpConfig' must be specified with 'source-ip'");
    check(
        values("source-ip", "SourceIpConfig", json!([])),
        "A 'source-ip' value must be specified",
    );
    check(ip("10.0.0.1"), "is not a valid CIDR block");
    check(ip("255.255.255.255/32"), "is not a valid CIDR block");
    let stray = with(path_is("/a"), json!({ "SourceIpConfig": { "Values": ["10.0.0.0/8"] } }));
    check(stray, "The 'SourceIpConfig' field is not compatible with 'path-pattern'");
    let stray = with(method("GET"), json!({ "Values": ["GET"] }));
    check(stray, "The 'Values' field is not compatible with 'http-request-method'");
}

#[test]
fn limits_hold_over_all_conditions_of_a_rule() {
    let place = place();
    let header = |values: Value| {
        let config = json!({ "HttpHeaderName": "A", "Values": values });
        json!({ "Field": "http-header", "HttpHeaderConfig": config })
    };
    let paths = |values: Value| {
        let config = json!({ "Values": values });
        json!({ "Field": "path-pattern", "PathPatternConfig": config })
    };
    let query = |key: &str, value: &str| {
        let values = json!([{ "Key": key, "Value": value }]);
        json!({ "Field": "query-string", "QueryStringConfig": { "Values": values } })
    };
    let check = |conditions: Value, part: &str| {
        let input = place.input(9, conditions);
        place.world.refuses("CreateRule", input, "ValidationError", part);
    };
    check(json!([]), "A condition must be specified");
    check(json!([path_is("/a"), path_is("/b")]), "only one 'path-pattern' condition");
    let six = json!([header(json!(["a", "b", "c"])), paths(json!(["/a", "/b", "/c"]))]);
    check(six, "A rule can only have '5' condition values");
    let wild = json!([header(json!(["*a*"])), paths(json!(["/*/?/*", "/?"]))]);
    check(wild, "A rule can only have '5' condition wildcards");
    check(json!([query("*?*", "?*?")]), "A rule can only have '5' condition wildcards");

    let five = json!([header(json!(["a", "b"])), header(json!(["*"])), paths(json!(["/*", "/b"]))]);
    place.world.ok("CreateRule", place.input(1, five));
    let escaped = json!([query("\\*\\?\\*", "?*?")]);
    place.world.ok("CreateRule", place.input(2, escaped));
}

#[test]
fn priorities_are_unique_and_in_range() {
    let place = place();
    let world = &place.world;
    world.rule(&place.listener, 10, "/a");
    let check = |priority: u32, code: &str, part: &str| {
        let input = place.input(priority, json!([path_is("/b")]));
        world.refuses("CreateRule", input, code, part);
    };
    check(10, "PriorityInUse", "Priority '10' is currently in use");
    check(0, "ValidationError", "greater than or equal to 1");
    check(50_001, "ValidationError", "less than or equal to 50000");
    let gone = with(
        place.input(1, json!([path_is("/a")])),
        json!({
        "ListenerArn": format!("{}0", place.listener) }),
    );
    world.refuses("CreateRule", gone, "ListenerNotFound", "One or more listeners not found");
}

#[test]
fn are_listed_in_the_order_of_evaluation() {
    let place = place();
    let world = &place.world;
    for priority in [300, 2, 50_000, 10] {
        world.rule(&place.listener, priority, "/a");
    }
    assert_eq!(place.priorities(), ["2", "10", "300", "50000", "default"]);
    let first = json!({ "ListenerArn": place.listener, "PageSize": 3 });
    let first = world.ok("DescribeRules", first);
    let rest = json!({ "ListenerArn": place.listener, "Marker": first["NextMarker"] });
    let rest = world.ok("DescribeRules", rest);
    assert_eq!(column(&rest["Rules"], "Priority"), ["50000", "default"]);
    let arn = column(&first["Rules"], "RuleArn")[1].clone();
    let one = world.ok("DescribeRules", json!({ "RuleArns": [arn] }));
    assert_eq!(column(&one["Rules"], "Priority"), ["10"]);

    let check = |input: Value, code: &str, part: &str| {
        world.refuses("DescribeRules", input, code, part);
    };
    let either = "You must specify either listener rule ARNs or a listener ARN";
    check(json!({}), "ValidationError", either);
    check(
        json!({ "ListenerArn": place.listener, "RuleArns": [arn] }),
        "ValidationError",
        "Listener rule ARNs and a listener ARN cannot be specified at the same time",
    );
    let gone = json!({ "RuleArns": [format!("{arn}0")] });
    check(gone, "RuleNotFound", "One or more rules not found");
}

#[test]
fn modify_replaces_only_what_is_given() {
    let place = place();
    let world = &place.world;
    let arn = world.rule(&place.listener, 1, "/a");
    let change = |changes: Value| with(json!({ "RuleArn": arn }), changes);
    let input = change(json!({ "Conditions": [path_is("/b")] }));
    let rule = &world.ok("ModifyRule", input)["Rules"][0];
    assert_eq!(rule["Conditions"][0]["Values"], json!(["/b"]));
    assert_eq!(rule["Actions"][0]["Type"], "fixed-response");
    let input = change(json!({ "Actions": [forward(&place.group)] }));
    let rule = &world.ok("ModifyRule", input)["Rules"][0];
    assert_eq!(rule["Conditions"][0]["Values"], json!(["/b"]));
    assert_eq!(rule["Actions"][0]["Type"], "forward");
    let check = |changes: Value, code: &str, part: &str| {
        world.refuses("ModifyRule", change(changes), code, part);
    };
    let either = "Either conditions or actions must be specified";
    check(json!({}), "ValidationError", either);
    check(json!({ "Conditions": [] }), "ValidationError", either);
    check(json!({ "Conditions": [path_is("a b")] }), "ValidationError", "path-pattern");
    check(json!({ "Actions": [forward("x")] }), "ValidationError", "target group ARN");
    let transform = json!([{ "Type": "url-rewrite" }]);
    check(json!({ "Transforms": transform }), "ValidationError", "A 'UrlRewriteConfig' must be");
    let gone = json!({ "RuleArn": format!("{arn}0"), "Actions": [fixed("200")] });
    world.refuses("ModifyRule", gone, "RuleNotFound", "One or more rules not found");
}

#[test]
fn the_default_rule_stays_as_it_is() {
    let place = place();
    let world = &place.world;
    let rules = world.ok("DescribeRules", json!({ "ListenerArn": place.listener }));
    let arn = text(&rules["Rules"][0]["RuleArn"]);
    let check = |name: &str, input: Value| {
        world.refuses(name, input, "OperationNotPermitted", &arn);
    };
    check("DeleteRule", json!({ "RuleArn": arn }));
    check("ModifyRule", json!({ "RuleArn": arn, "Conditions": [path_is("/a")] }));
    check("ModifyRule", json!({ "RuleArn": arn, "Actions": [fixed("200")] }));
    let transform = rewrite("url-rewrite", "UrlRewriteConfig", &[("^/a", "/b")]);
    check("ModifyRule", json!({ "RuleArn": arn, "Transforms": [transform] }));
    check("ModifyRule", json!({ "RuleArn": arn, "ResetTransforms": true }));
    let pairs = json!([{ "RuleArn": arn, "Priority": 1 }]);
    check("SetRulePriorities", json!({ "RulePriorities": pairs }));
}

#[test]
fn priorities_change_together() {
    let place = place();
    let world = &place.world;
    let [a, b, c] = [1, 2, 3].map(|priority| world.rule(&place.listener, priority, "/a"));
    let pairs = |pairs: &[(&str, u32)]| {
        let pair = |(arn, priority): &(&str, u32)| json!({ "RuleArn": arn, "Priority": priority });
        json!({ "RulePriorities": pairs.iter().map(pair).collect::<Vec<_>>() })
    };
    let swapped = world.ok("SetRulePriorities", pairs(&[(&a, 2), (&b, 1)]));
    assert_eq!(column(&swapped["Rules"], "RuleArn"), [b.clone(), a.clone()]);
    let rules = world.ok("DescribeRules", json!({ "ListenerArn": place.listener }));
    assert_eq!(column(&rules["Rules"], "RuleArn")[..3], [b.clone(), a.clone(), c.clone()]);
    world.ok("SetRulePriorities", pairs(&[(&b, 2), (&a, 3), (&c, 4)]));
    assert_eq!(place.priorities(), ["2", "3", "4", "default"]);

    let check = |wanted: &[(&str, u32)], code: &str, part: &str| {
        world.refuses("SetRulePriorities", pairs(wanted), code, part);
    };
    check(&[(&a, 4)], "PriorityInUse", "Priority '4' is currently in use");
    check(&[(&a, 9), (&b, 4)], "PriorityInUse", "Priority '4' is currently in use");
    let twice = "Priority '9' was provided multiple times";
    check(&[(&a, 9), (&b, 9)], "ValidationError", twice);
    check(&[(&a, 8), (&a, 9)], "ValidationError", "was provided multiple times");
    check(&[], "ValidationError", "must be specified");
    check(&[(&format!("{a}0"), 9)], "RuleNotFound", "One or more rules not found");
    assert_eq!(place.priorities(), ["2", "3", "4", "default"], "a refusal changes nothing");
}

#[test]
fn deletes_and_frees_the_group() {
    let place = place();
    let world = &place.world;
    let group = world.group("second");
    let input =
        with(place.input(1, json!([path_is("/a")])), json!({ "Actions": [forward(&group)] }));
    let arn = text(&world.ok("CreateRule", input)["Rules"][0]["RuleArn"]);
    let delete = json!({ "TargetGroupArn": group });
    world.refuses("DeleteTargetGroup", delete.clone(), "ResourceInUse", "in use");
    let other = world.load_balancer("other");
    let found = world.ok("DescribeTargetGroups", json!({ "LoadBalancerArn": place.load_balancer }));
    assert_eq!(column(&found["TargetGroups"], "TargetGroupName"), ["app", "second"]);
    world.ok("DeleteRule", json!({ "RuleArn": arn }));
    world.refuses("DeleteRule", json!({ "RuleArn": arn }), "RuleNotFound", "rules not found");
    world.listener(&other, 80, &group);
}

fn rewrite(kind: &str, config: &str, rewrites: &[(&str, &str)]) -> Value {
    let one = |(regex, replace): &(&str, &str)| json!({ "Regex": regex, "Replace": replace });
    let rewrites: Vec<_> = rewrites.iter().map(one).collect();
    json!({ "Type": kind, config: { "Rewrites": rewrites } })
}

#[test]
fn transforms_are_kept_replaced_and_reset() {
    let place = place();
    let world = &place.world;
    let host = rewrite("host-header-rewrite", "HostHeaderRewriteConfig", &[("^a(.)", "$1")]);
    let url = rewrite("url-rewrite", "UrlRewriteConfig", &[("^/a", "")]);
    let both = json!({ "Transforms": [host, url] });
    let input = with(place.input(7, json!([path_is("/a")])), both);
    let made = &world.ok("CreateRule", input)["Rules"][0];
    let arn = text(&made["RuleArn"]);
    let shown = |expect: Value| {
        let rules = world.ok("DescribeRules", json!({ "RuleArns": [arn] }));
        assert_eq!(rules["Rules"][0]["Transforms"], expect);
    };
    assert_eq!(made["Transforms"], json!([host, url]));
    shown(json!([host, url]));
    let modify = |changes: Value| world.ok("ModifyRule", with(json!({ "RuleArn": arn }), changes));
    modify(json!({ "Conditions": [path_is("/b")] }));
    shown(json!([host, url]));
    modify(json!({ "Transforms": [url] }));
    shown(json!([url]));
    modify(json!({ "ResetTransforms": true }));
    shown(json!([]));
    let input = json!({ "RuleArn": arn, "Transforms": [url], "ResetTransforms": true });
    world.refuses("ModifyRule", input, "ValidationError", "cannot be specified at the same time");
}

#[test]
fn transforms_are_checked() {
    let place = place();
    let check = |transforms: Value, part: &str| {
        let transforms = json!({ "Transforms": transforms });
        let input = with(place.input(7, json!([path_is("/a")])), transforms);
        place.world.refuses("CreateRule", input, "ValidationError", part);
    };
    let url = |rewrites: &[(&str, &str)]| rewrite("url-rewrite", "UrlRewriteConfig", rewrites);
    let long = "a".repeat(1025);
    check(json!([{ "Type": "url-rewrite" }]), "A 'UrlRewriteConfig' must be specified");
    check(json!([{ "Type": "host-header-rewrite" }]), "A 'HostHeaderRewriteConfig' must be");
    check(json!([url(&[])]), "Exactly one rewrite");
    check(json!([url(&[("a", "b"), ("c", "d")])]), "Exactly one rewrite");
    check(json!([url(&[("a", "b")]), url(&[("c", "d")])]), "only one 'url-rewrite' transform");
    check(json!([url(&[("(", "b")])]), "The regular expression '(' is not valid");
    check(json!([url(&[("(?=a)", "b")])]), "is not valid");
    check(json!([url(&[("", "b")])]), "must not be empty");
    check(json!([url(&[("a++", "b")])]), "possessive and doubled quantifiers are not supported");
    check(json!([url(&[("(?u:a)", "b")])]), "Unicode classes are not supported");
    check(json!([url(&[(&long, "b")])]), "The 'Regex' value is too long; the limit is '1024'");
    check(json!([url(&[("a", &long)])]), "The 'Replace' value is too long");
    let other = rewrite("url-rewrite", "HostHeaderRewriteConfig", &[("a", "b")]);
    check(json!([with(url(&[("a", "b")]), other)]), "Only 'UrlRewriteConfig' can be specified");
}
