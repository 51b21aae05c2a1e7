//! Weights, redirects and fixed responses.

use super::*;
use crate::fixture::{World, get, listener_arn};

fn weighted(weights: &[u32]) -> Vec<Weighted> {
    let group = |(at, weight): (usize, &u32)| Weighted {
        group: Ok(TargetGroupArn::from(at.to_string())),
        weight: *weight,
    };
    weights.iter().enumerate().map(group).collect()
}

#[test]
fn weights_are_kept_over_all_draws() {
    let check = |weights: &[u32]| {
        let groups = weighted(weights);
        let total: u32 = weights.iter().sum();
        let mut counts = vec![0_u32; weights.len()];
        const DRAWS: u32 = 100_000;
        for draw in 0..u64::from(DRAWS) {
            let chosen: usize = choose(&groups, draw).unwrap().as_str().parse().unwrap();
            counts[chosen] += 1;
        }
        for (count, weight) in counts.iter().zip(weights) {
            let expect = f64::from(DRAWS) * f64::from(*weight) / f64::from(total);
            let off = (f64::from(*count) - expect).abs();
            assert!(off <= 0.01 * f64::from(DRAWS), "{weights:?}: {counts:?}");
            assert!(*weight > 0 || *count == 0, "{weights:?}: {counts:?}");
        }
    };
    check(&[1]);
    check(&[1, 1]);
    check(&[90, 10]);
    check(&[0, 5, 0, 5, 0]);
    check(&[999, 1]);
    check(&[1, 2, 3, 4, 5]);
}

#[test]
fn groups_without_weight_or_with_a_refusal_get_nothing() {
    assert!(choose(&weighted(&[0, 0]), 1).is_err());
    assert!(choose(&[], 1).is_err());
    let refusal = Refusal::new(Step::Group, "gone");
    let groups = [Weighted { group: Err(refusal.clone()), weight: 1 }];
    assert_eq!(choose(&groups, 1), Err(refusal));
}

fn with(change: impl FnOnce(&mut Redirect)) -> Redirect {
    let mut redirect = Redirect {
        protocol: "#{protocol}".into(),
        host: "#{host}".into(),
        port: "#{port}".into(),
        path: "/#{path}".into(),
        query: "#{query}".into(),
        status: 301,
    };
    change(&mut redirect);
    redirect
}

#[test]
fn redirects_fill_their_placeholders() {
    let (tables, _) = World::main_road().compile();
    let listener = &tables.listeners[&listener_arn("web", 80)];
    let check = |change: fn(&mut Redirect), target: &str, expect: &str| {
        let view = View { host: Some("Shop.Example.com:8080"), ..get(target) };
        let answer = redirect(&with(change), listener, &view);
        assert_eq!(answer.header("location"), Some(expect), "{target}");
    };
    check(|_| (), "/a?b=c", "http://shop.example.com:80/a?b=c");
    check(|_| (), "/", "http://shop.example.com:80/");
    check(
        |redirect| {
            redirect.protocol = "HTTPS".into();
            redirect.port = "443".into();
        },
        "/a/b?x",
        "https://shop.example.com:443/a/b?x",
    );
    check(|r| r.host = "www.#{host}".into(), "/", "http://www.shop.example.com:80/");
    check(|r| r.path = "/new/#{path}/#{port}".into(), "/a", "http://shop.example.com:80/new/a/80");
    check(
        |r| r.query = "old=#{path}&#{query}".into(),
        "/a?q",
        "http://shop.example.com:80/a?old=a&q",
    );
    check(|r| r.query = String::new(), "/a?q", "http://shop.example.com:80/a");
    check(|r| r.path = "/#{what}".into(), "/a", "http://shop.example.com:80/#{what}");
    // What a client sends is not expanded again.
    check(|_| (), "/#{host}?#{port}", "http://shop.example.com:80/#{host}?#{port}");
    let nameless = redirect(&with(|_| ()), listener, &View { host: None, ..get("/") });
    assert_eq!(nameless.header("location"), Some("http://web-1.us-east-1.elb.localhost:80/"));
}

#[test]
fn a_redirect_has_a_page_and_a_limit() {
    let (tables, _) = World::main_road().compile();
    let listener = &tables.listeners[&listener_arn("web", 80)];
    let status = |status: u16, length: usize| {
        let target = format!("/{}", "x".repeat(length));
        redirect(&with(|redirect| redirect.status = status), listener, &get(&target))
    };
    let page = status(301, 1);
    assert_eq!((page.status, page.reason), (301, "Moved Permanently"));
    assert!(page.body.starts_with(b"<html>\r\n<head><title>301 Moved Permanently</title>"));
    assert_eq!(status(302, 1).reason, "Found");
    let frame = status(301, 0).header("location").unwrap().len();
    assert_eq!(status(301, LONGEST_LOCATION - frame).status, 301);
    assert_eq!(status(301, LONGEST_LOCATION - frame + 1).status, 507);
}

#[test]
fn fixed_responses_are_as_configured() {
    let check = |status, kind: Option<&str>, body: Option<&str>, expect: &str| {
        let answer = fixed(&FixedResponse {
            status,
            content_type: kind.map(Into::into),
            body: body.map(Into::into),
        });
        assert_eq!(answer.status, status);
        assert_eq!(answer.header("content-type"), Some(expect));
        assert_eq!(answer.header("server"), Some("awselb/2.0"));
        assert_eq!(answer.body, body.unwrap_or("").as_bytes());
    };
    check(200, Some("application/json"), Some("{}"), "application/json; charset=utf-8");
    check(404, Some("text/plain"), Some("#{host}"), "text/plain; charset=utf-8");
    check(503, None, None, "text/plain; charset=utf-8");
}
