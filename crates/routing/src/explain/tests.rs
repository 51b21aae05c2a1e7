//! What is explained, and that it is what is decided.

use model::balancer::{ActionKind, FixedResponse, Scheme};
use model::network::Direction;
use proptest::prelude::*;

use super::*;
use crate::fixture::{API_HOST, World, forward, get, group_arn, path_is};
use crate::{Body, Version};

const NOW: Timestamp = Timestamp(1_700_000_000_000);

/// `step:+` or `step:-`, then the details of the last one, then the answer's status.
fn told(story: &Explanation) -> String {
    let mark =
        |step: &Explained| format!("{}{}", step.step.as_str(), if step.passed { "+" } else { "-" });
    let steps: Vec<_> = story.steps.iter().map(mark).collect();
    let answer =
        story.answer.as_ref().map_or(String::new(), |answer| format!(" {}", answer.status));
    format!("{}{answer}", steps.join(" "))
}

#[test]
fn every_step_is_told() {
    let check = |change: fn(&mut World), target: &str, expect: &str| {
        let mut world = World::main_road();
        change(&mut world);
        let story = explain(&world.healthy(), &get(target), NOW, 1);
        assert_eq!(told(&story), expect, "{story:?}");
    };
    const GATEWAY: &str = "host+ stage+ route+ integration+";
    let full = format!("{GATEWAY} link+ listener+ rule+ target group+ target+");
    check(|_| (), "/x", &full);
    check(|w| w.unlink("lnk"), "/x", &format!("{GATEWAY} link- 503"));
    check(|w| w.forbid("sg-alb", Direction::Ingress), "/x", &format!("{GATEWAY} link- 503"));
    check(
        |w| w.forbid("sg-task", Direction::Ingress),
        "/x",
        &format!("{GATEWAY} link+ listener+ rule+ target group+ target- 504"),
    );
    check(
        |w| w.rule("web", 80, Priority::Default, vec![], forward(&[("no", 1)])),
        "/x",
        &format!("{GATEWAY} link+ listener+ rule+ target group- 503"),
    );
    check(
        |w| {
            let fixed = FixedResponse { status: 418, content_type: None, body: None };
            w.rule(
                "web",
                80,
                Priority::At(1),
                vec![path_is("/t")],
                ActionKind::FixedResponse(fixed),
            );
        },
        "/t",
        &format!("{GATEWAY} link+ listener+ rule+ 418"),
    );
    check(
        |w| {
            w.integration("abc", "int", "https://b.io/x", None, |_| ());
        },
        "/x",
        &format!("{GATEWAY} target+"),
    );
    check(
        |w| w.route("abc", "r1", "ANY /{proxy+}", None, |_| ()),
        "/x",
        "host+ stage+ route+ integration- 500",
    );
    check(|w| w.stage("abc", "s", None, &[]), "/s", "host+ stage+ stage- 404");
    let story =
        explain(&World::main_road().compile().0, &View { host: Some("x"), ..get("/") }, NOW, 1);
    assert_eq!(told(&story), "host- 404");
}

#[test]
fn details_name_what_was_found() {
    let (tables, _) = World::main_road().compile();
    let story = explain(&tables, &get("/dev/x"), NOW, 1);
    let details: Vec<_> = story.steps.iter().map(|step| step.detail.as_str()).collect();
    assert_eq!(
        details,
        [
            "API abc (shop)",
            "dev, deployment dep",
            "ANY /{proxy+} (r1)",
            "int",
            "from 10.0.1.5: GET /dev/x",
            "web port 80",
            "default rule",
            "tg",
            "10.0.3.1:8080 (Initial), connecting to 10.0.3.1:8080 from 10.0.2.5",
        ]
    );
    assert_eq!(story.refusal(), None);
}

#[test]
fn targets_that_are_left_out_are_named() {
    let tables = World::main_road().healthy();
    let group = &tables.groups[&group_arn("tg")];
    for _ in 0..outlier::FAILURES {
        outlier::failed(group, &group.targets[0], NOW);
    }
    let check = |now: Timestamp, expect: &str| {
        let story = explain(&tables, &get("/x"), now, 1);
        let told = story.steps.iter().find(|step| step.step == Step::Group).unwrap();
        assert_eq!(told.detail, expect);
    };
    let until = NOW.plus_ms(outlier::FIRST_MS);
    let out = format!("10.0.3.1:8080 until {until}, where connections failed in a row");
    check(NOW, &format!("tg, without {out}"));
    check(until, "tg");
}

/// What really happens: the dialled socket or the origin, or the status of the answer.
fn decided(tables: &Tables, view: &View, draw: u64) -> Result<String, u16> {
    let at = |listener, view: &View| match balancer::decide(
        tables,
        listener,
        view,
        NOW,
        draw,
        Turn::Take,
    ) {
        Decision::Forward(forward) => Ok(format!("connecting to {}", forward.dial)),
        Decision::Respond(respond) => Err(respond.answer.status),
        Decision::Guarded(_) | Decision::Callback => Err(401),
    };
    match front(tables, view) {
        Front::Refused { answer, .. } | Front::Own(answer) => Err(answer.status),
        Front::Listener(listener) => at(listener, view),
        Front::Api(api) => {
            let decision = gateway::decide(tables, &api, view, NOW, draw)
                .map_err(|fault| fault.answer().status)?;
            match &decision.hop {
                Hop::Public(origin) => {
                    let target = decision.target.as_deref().unwrap_or_default();
                    Ok(format!("{}:{}{target}", origin.host, origin.port))
                }
                Hop::Discovered(_) => panic!("the main road has no Cloud Map"),
                Hop::Link { listener, .. } => {
                    let sent = decision.edits.apply(view.headers);
                    at(listener, &decision.seen(view, &sent))
                }
            }
        }
    }
}

fn varied() -> World {
    let mut world = World::main_road();
    world.target_group("blue", &[("load_balancing.algorithm.type", "weighted_random")]);
    for port in 9001..9005 {
        world.target("blue", "127.0.0.1", port);
    }
    world.target_group("empty", &[]);
    let fixed = FixedResponse { status: 418, content_type: None, body: None };
    let shares = forward(&[("tg", 2), ("blue", 2), ("empty", 1)]);
    world.rule("web", 80, Priority::At(5), vec![path_is("*/a*")], shares);
    world.rule("web", 80, Priority::At(6), vec![path_is("*/b")], ActionKind::FixedResponse(fixed));
    world.integration("abc", "url", "https://b.io/p/{id}", None, |_| ());
    world.route("abc", "u", "GET /u/{id}", Some("url"), |_| ());
    world.route("abc", "j", "GET /jwt", Some("url"), |r| r.authorization_type = "JWT".into());
    world.stage("abc", "empty", None, &[]);
    world.balancer("pub", Scheme::InternetFacing, "eni-web", &[]);
    world.allow("sg-alb", Direction::Ingress, "tcp", Some((80, 80)), "192.0.2.0/24");
    world.listener("pub", 80, &[]);
    world.target_group("own", &[]);
    world.target("own", "127.0.0.1", 9100);
    world.rule("pub", 80, Priority::Default, vec![], forward(&[("own", 1)]));
    world
}

proptest! {
    #[test]
    fn explain_agrees_with_the_decision(
        method in "(GET|POST|TRACE)",
        host in prop::sample::select(vec![
            API_HOST,
            "localhost",
            "pub-1.us-east-1.elb.localhost",
            "web-1.us-east-1.elb.localhost",
        ]),
        target in "(/_aws/execute-api/abc)?(/dev|/empty|/u|/jwt)?(/[abx]{0,2}){0,2}(\\?q=1)?",
        inside in any::<bool>(),
        draw in any::<u64>(),
    ) {
        let tables = varied().healthy();
        let source = if inside { [192, 0, 2, 7] } else { [198, 51, 100, 1] };
        let view = View {
            method: &method,
            host: Some(host),
            source: (source, 1).into(),
            version: Version::Http11,
            body: Body::Empty,
            ..get(&target)
        };
        let story = explain(&tables, &view, NOW, draw);
        let twice = explain(&tables, &view, NOW, draw);
        prop_assert_eq!(&story, &twice);
        match decided(&tables, &view, draw) {
            Ok(to) => {
                let last = story.steps.last().unwrap();
                prop_assert!(last.passed && last.step == Step::Target, "{:?}", story);
                prop_assert!(last.detail.contains(&to), "{} {:?}", to, story);
                prop_assert_eq!(story.answer, None);
            }
            Err(status) => {
                prop_assert_eq!(story.answer.as_ref().map(|answer| answer.status), Some(status));
            }
        }
    }
}
