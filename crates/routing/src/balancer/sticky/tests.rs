//! Sessions through the whole decision: cookies that responses set, and what they do next time.

use model::Timestamp;
use model::balancer::{ActionKind, Priority};

use super::*;
use crate::Tables;
use crate::balancer::{Decision, Forward, Turn, decide};
use crate::fixture::{World, forward, get, group_arn, listener_arn};
use crate::live::HealthMark;

const NOW: Timestamp = Timestamp(1_700_000_000_000);
const DAY_MS: i64 = 86_400_000;

/// What a request with these cookies meets.
fn ask<'t>(tables: &'t Tables, cookies: &str, after_ms: i64, draw: u64) -> Forward<'t> {
    let lines = [("Cookie", cookies.as_bytes())];
    let view = View { headers: &lines, ..get("/") };
    let listener = &tables.listeners[&listener_arn("web", 80)];
    match decide(tables, listener, &view, NOW.plus_ms(after_ms), draw, Turn::Take) {
        Decision::Forward(forward) => *forward,
        other => panic!("{other:?}"),
    }
}

/// The cookies (`name=value` each) that the response sets.
fn set(tables: &Tables, met: &Forward, response: &[(&str, &[u8])], after_ms: i64) -> Vec<String> {
    let now = NOW.plus_ms(after_ms);
    let edits = cookies(&met.session, &tables.key, &met.target.id, response, now);
    let pair = |edit: crate::Edit| {
        assert_eq!((edit.change, edit.name), (crate::Change::Append, "Set-Cookie"));
        let line = String::from_utf8(edit.value.to_vec()).unwrap();
        line.split(';').next().unwrap().to_string()
    };
    edits.iter().map(pair).collect()
}

fn names(cookies: &[String]) -> String {
    let name = |cookie: &String| cookie.split('=').next().unwrap().to_string();
    cookies.iter().map(name).collect::<Vec<_>>().join(" ")
}

fn sticky(more: &[(&str, &str)]) -> World {
    let mut world = World::main_road();
    let on = [("stickiness.enabled", "true")];
    world.target_group("tg", &[&on, more].concat());
    world
}

#[test]
fn clients_stay_with_their_target() {
    let tables = sticky(&[]).healthy();
    let first = ask(&tables, "", 0, 1);
    assert_eq!(first.stick, (Stick::Off, Stick::New(Why::NoCookie)));
    let given = set(&tables, &first, &[], 0);
    assert_eq!(names(&given), "AWSALB AWSALBCORS");
    let value = |cookie: &str| cookie.split_once('=').unwrap().1.to_string();
    assert_eq!(value(&given[0]), value(&given[1]));
    assert!(!given[0].contains("10.0.3"));
    for cookie in &given {
        for draw in 0..4 {
            let next = ask(&tables, cookie, 0, draw);
            assert_eq!((&next.target.id, next.stick.1), (&first.target.id, Stick::Kept));
            assert_eq!(names(&set(&tables, &next, &[], 0)), "AWSALB AWSALBCORS");
        }
    }
    assert_eq!(tables.balancers.values().next().unwrap().live.get().non_sticky.get(), 0);
}

#[test]
fn what_breaks_a_session() {
    let check = |cookie: fn(String) -> String, after_ms, change: fn(&Tables, usize), expect| {
        let tables = sticky(&[]).healthy();
        let first = ask(&tables, "", 0, 1);
        let place = tables.groups[&group_arn("tg")]
            .targets
            .iter()
            .position(|target| target.id == first.target.id)
            .unwrap();
        let given = cookie(set(&tables, &first, &[], 0)[0].clone());
        change(&tables, place);
        let next = ask(&tables, &given, after_ms, 1);
        assert_eq!(next.stick.1, expect, "{given}");
        let lost = u64::from(!matches!(expect, Stick::Kept | Stick::New(Why::NoCookie)));
        assert_eq!(next.rule.transforms.len(), 0);
        let live = tables.balancers.values().next().unwrap().live.get();
        assert_eq!(live.non_sticky.get(), lost, "{given}");
    };
    let mark = |tables: &Tables, place: usize| {
        let target = &tables.groups[&group_arn("tg")].targets[place];
        target.live.get().set_health(HealthMark::Unhealthy, NOW);
    };
    let same: fn(&Tables, usize) = |_, _| ();
    check(|cookie| cookie, 0, same, Stick::Kept);
    check(|cookie| cookie, DAY_MS, same, Stick::Kept);
    check(|cookie| cookie, DAY_MS + 1, same, Stick::New(Why::Expired));
    check(|cookie| format!("{cookie}x"), 0, same, Stick::New(Why::Invalid));
    check(|cookie| cookie.replace('=', "=%22"), 0, same, Stick::New(Why::Invalid));
    check(|cookie| cookie.replace("AWSALB", "awsalb"), 0, same, Stick::New(Why::NoCookie));
    check(|cookie| cookie, 0, mark, Stick::New(Why::Unhealthy));
    // All are unhealthy: then this one is as good as any.
    check(
        |cookie| cookie,
        0,
        |tables, _| {
            for target in &tables.groups[&group_arn("tg")].targets {
                target.live.get().set_health(HealthMark::Unhealthy, NOW);
            }
        },
        Stick::Kept,
    );
}

#[test]
fn targets_that_left_are_not_waited_for() {
    let mut world = sticky(&[]);
    let tables = world.healthy();
    let first = ask(&tables, "", 0, 1);
    let given = set(&tables, &first, &[], 0)[0].clone();
    let id = first.target.id.id.clone();
    world.drain("tg", &id, 8080);
    let tables = world.healthy();
    let next = ask(&tables, &given, 0, 1);
    assert_eq!(next.stick.1, Stick::New(Why::Gone));
    assert_ne!(next.target.id.id, id);
    // A new target shifts places, not sessions.
    let mut world = sticky(&[]);
    world.target("tg", "10.0.0.1", 1);
    let tables = world.healthy();
    assert_eq!(ask(&tables, &given, 0, 1).target.id.id, id);
    // Another node's key, another group.
    world.settings.secret = model::Secret([1; 32]);
    assert_eq!(ask(&world.healthy(), &given, 0, 1).stick.1, Stick::New(Why::Invalid));
}

#[test]
fn durations_are_those_of_the_kind() {
    let check = |more: &[(&str, &str)], cookies: &str, duration_ms: i64| {
        let tables = sticky(more).healthy();
        let first = ask(&tables, "", 0, 1);
        let response: [(&str, &[u8]); 1] = [("set-cookie", b"APP=1; Path=/")];
        let given = format!("{cookies}{}", set(&tables, &first, &response, 0)[0]);
        assert_eq!(ask(&tables, &given, duration_ms, 1).stick.1, Stick::Kept, "{more:?}");
        let after = ask(&tables, &given, duration_ms + 1, 1).stick.1;
        assert_eq!(after, Stick::New(Why::Expired), "{more:?}");
    };
    check(&[], "", DAY_MS);
    check(&[("stickiness.lb_cookie.duration_seconds", "5")], "", 5_000);
    let app = [("stickiness.type", "app_cookie"), ("stickiness.app_cookie.cookie_name", "APP")];
    check(&app, "APP=1; ", DAY_MS);
    let short = [app[0], app[1], ("stickiness.app_cookie.duration_seconds", "7")];
    check(&short, "APP=1; ", 7_000);
}

#[test]
fn applications_begin_sessions() {
    let app = [("stickiness.type", "app_cookie"), ("stickiness.app_cookie.cookie_name", "APP")];
    let tables = sticky(&app).healthy();
    let first = ask(&tables, "", 0, 1);
    let check = |met: &Forward, line: &str, expect: &str| {
        let response = [("Set-Cookie", line.as_bytes())];
        let given = set(&tables, met, &response, 0);
        let places: Vec<_> = (0..4).map(|place| format!("AWSALBAPP-{place}=")).collect();
        assert!(given.iter().zip(&places).all(|(cookie, place)| cookie.starts_with(place)));
        let used = |cookie: &String| match cookie.strip_suffix("=_remove_") {
            Some(_) => "-=".to_string(),
            None => cookie.clone(),
        };
        let given: Vec<_> = given.iter().map(used).collect();
        assert_eq!(names(&given), expect, "{line}");
    };
    check(&first, "OTHER=1", "- - - -");
    check(&first, "APPX=1", "- - - -");
    check(&first, "app=1", "- - - -");
    check(&first, "APP=1; Path=/", "AWSALBAPP-0 - - -");
    let given = set(&tables, &first, &[("set-cookie", b"APP=1")], 0)[0].clone();
    let met = |cookies: &str| ask(&tables, cookies, 0, 7).stick.1;
    assert_eq!(met(&format!("APP=1; {given}")), Stick::Kept);
    assert_eq!(met(&given), Stick::New(Why::NoCookie));
    assert_eq!(met("APP=1"), Stick::New(Why::NoCookie));
    assert_eq!(met("APP=1; AWSALBAPP-0=_remove_"), Stick::New(Why::NoCookie));
    assert_eq!(met(&given.replace("APP-0", "")), Stick::New(Why::NoCookie));
    // Both cookies came: the companion lasts anew, and moves along to a new target.
    let again = ask(&tables, &format!("APP=1; {given}"), 0, 7);
    check(&again, "OTHER=1", "AWSALBAPP-0 - - -");
    let removed = ask(&tables, "APP=1; AWSALBAPP-0=_remove_", 0, 7);
    check(&removed, "OTHER=1", "- - - -");
    let stale = ask(&tables, "APP=1; AWSALBAPP-0=stale", 0, 7);
    assert_eq!(stale.stick.1, Stick::New(Why::Invalid));
    check(&stale, "OTHER=1", "AWSALBAPP-0 - - -");
}

#[test]
fn companions_cross_sites_for_browsers_that_ask_for_it() {
    let app = [("stickiness.type", "app_cookie"), ("stickiness.app_cookie.cookie_name", "APP")];
    let (app, plain) = (sticky(&app).healthy(), sticky(&[]).healthy());
    let check = |tables: &Tables, origin: &str, agent: &str, expect: bool| {
        let lines = [("Origin", origin.as_bytes()), ("User-Agent", agent.as_bytes())];
        let lines = &lines[usize::from(origin.is_empty())..];
        let view = View { headers: lines, host: Some("shop.io"), ..get("/") };
        let group = &tables.groups[&group_arn("tg")];
        assert_eq!(crosses_sites(group, &view), expect, "{origin} {agent}");
    };
    let chrome = "Mozilla/5.0 (X11; Linux x86_64) Chrome/80.0.3987.87 Safari/537.36";
    check(&app, "https://other.io", chrome, true);
    check(&app, "https://other.io", "Chromium/120.0", true);
    check(&app, "https://other.io", &chrome.replace("80", "79"), false);
    check(&app, "https://other.io", "Mozilla/5.0 Firefox/120.0", false);
    check(&app, "https://shop.io", chrome, false);
    check(&app, "null", chrome, false);
    check(&app, "", chrome, false);
    check(&plain, "https://other.io", chrome, false);
}

fn split(weights: [u32; 2], seconds: Option<u32>) -> World {
    let mut world = World::main_road();
    world.target_group("blue", &[]);
    world.target("blue", "127.0.0.1", 9001);
    let ActionKind::Forward(mut action) = forward(&[("tg", weights[0]), ("blue", weights[1])])
    else {
        panic!("no forward action");
    };
    action.stickiness_seconds = seconds;
    let action = ActionKind::Forward(action);
    world.rule("web", 80, Priority::Default, vec![], action);
    world
}

#[test]
fn clients_stay_with_their_group() {
    let tables = split([50, 50], Some(60)).healthy();
    let blue = (0..64).map(|draw| ask(&tables, "", 0, draw)).find(|f| f.group.name == "blue");
    let blue = blue.unwrap();
    assert_eq!(blue.stick, (Stick::New(Why::NoCookie), Stick::Off));
    let given = set(&tables, &blue, &[], 0);
    assert_eq!(names(&given), "AWSALBTG AWSALBTGCORS");
    for cookie in &given {
        for draw in 0..16 {
            let next = ask(&tables, cookie, 60_000, draw);
            assert_eq!((next.group.name.as_str(), next.stick.0), ("blue", Stick::Kept));
        }
    }
    assert_eq!(ask(&tables, &given[0], 60_001, 1).stick.0, Stick::New(Why::Expired));
    // Without stickiness the cookie means nothing, and none is set.
    let plain = split([100, 0], None).healthy();
    let met = ask(&plain, &given[0], 0, 1);
    assert_eq!((met.group.name.as_str(), met.stick.0), ("tg", Stick::Off));
    assert_eq!(set(&plain, &met, &[], 0), [""; 0]);
    // A weight of 0 keeps those who are there.
    let drained = split([100, 0], Some(60)).healthy();
    assert_eq!(ask(&drained, &given[0], 0, 1).group.name, "blue");
    assert_eq!(ask(&drained, "", 0, 1).group.name, "tg");
    // A group that the rule no longer names.
    let mut gone = split([100, 0], Some(60));
    let ActionKind::Forward(mut action) = forward(&[("tg", 1)]) else { panic!() };
    action.stickiness_seconds = Some(60);
    gone.rule("web", 80, Priority::Default, vec![], ActionKind::Forward(action));
    assert_eq!(ask(&gone.healthy(), &given[0], 0, 1).stick.0, Stick::New(Why::Gone));
}

#[test]
fn cookies_of_group_and_target_go_together() {
    let mut world = split([50, 50], Some(60));
    world.target_group("tg", &[("stickiness.enabled", "true")]);
    let tables = world.healthy();
    let first = (0..64).map(|draw| ask(&tables, "", 0, draw)).find(|f| f.group.name == "tg");
    let first = first.unwrap();
    let given = set(&tables, &first, &[], 0);
    assert_eq!(names(&given), "AWSALBTG AWSALBTGCORS AWSALB AWSALBCORS");
    let next = ask(&tables, &given.join("; "), 0, 5);
    assert_eq!(next.stick, (Stick::Kept, Stick::Kept));
    assert_eq!(next.target.id, first.target.id);
}

#[test]
fn an_explanation_tells_of_cookies() {
    let tables = sticky(&[]).healthy();
    let listener = &tables.listeners[&listener_arn("web", 80)];
    let check = |cookies: &str, expect: &str| {
        let lines = [("cookie", cookies.as_bytes())];
        let view = View { headers: &lines, ..get("/") };
        let story = crate::explain::explain_at(&tables, listener, &view, NOW, 1);
        let last = story.steps.last().unwrap();
        assert!(last.detail.contains(expect), "{}", last.detail);
    };
    let given = set(&tables, &ask(&tables, "", 0, 1), &[], 0);
    check(&given[0], "(Healthy, kept by its cookie)");
    check("", "(Healthy, newly chosen: no stickiness cookie)");
    check("AWSALB=x", "newly chosen: the stickiness cookie is not valid");
}
