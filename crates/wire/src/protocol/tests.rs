//! Every protocol by example, and by random bytes.

use expect_test::{Expect, expect};
use proptest::prelude::*;

use super::form::{Dialect, Form, MAX_DEPTH, MAX_PARAMETERS};
use super::*;
use crate::{Fault, Node, Reply};

fn form_tree(body: &str, dialect: Dialect) -> Result<Node, Fault> {
    Form::parse(body.as_bytes())?.tree(dialect)
}

/// A tree as short text: lists in `[]`, structures in `{}`, maps in `<>`.
fn show(node: &Node) -> String {
    let all = |parts: Vec<String>| parts.join(" ");
    match node {
        Node::Text(text) => format!("{text:?}"),
        Node::List(items) => format!("[{}]", all(items.iter().map(show).collect())),
        Node::Struct(members) => {
            format!(
                "{{{}}}",
                all(members.iter().map(|(n, v)| format!("{n}:{}", show(v))).collect())
            )
        }
        Node::Dict(members) => {
            format!("<{}>", all(members.iter().map(|(n, v)| format!("{n}:{}", show(v))).collect()))
        }
        Node::Null => "null".to_owned(),
        Node::Bool(value) => value.to_string(),
        Node::Int(value) => value.to_string(),
        Node::Float(value) => format!("{value:?}"),
        Node::Time(value) => format!("@{value}"),
    }
}

#[test]
fn forms() {
    use Dialect::{Ec2, Query};
    let rows = [
        (Query, "Action=A&Version=1&Name=x+y%2B", r#"{Name:"x y+"}"#),
        (Query, "Names=&B", r#"{B:"" Names:""}"#),
        (Query, "N.member.1=a&N.member.2=b", r#"{N:["a" "b"]}"#),
        (Query, "N.member.10=c&N.member.7=b&N.member.2=a", r#"{N:["a" "b" "c"]}"#),
        (Query, "N.2=b&N.1=a", r#"{N:["a" "b"]}"#),
        (
            Query,
            "A.member.1.C.T.member.2.W=20&A.member.1.C.T.member.1.W=10",
            r#"{A:[{C:{T:[{W:"10"} {W:"20"}]}}]}"#,
        ),
        (Query, "P.entry.1.key=k&P.entry.1.value=v&P.entry.2.key=l", r#"{P:<k:"v" l:"">}"#),
        (Query, "P.entry.1.value=v", "{P:<>}"),
        (Query, "M.member=x&M.entry=y", r#"{M:{entry:"y" member:"x"}}"#),
        (Query, "M.member=x", r#"{M:{member:"x"}}"#),
        (Query, "A=1&A=1", r#"{A:"1"}"#),
        (Query, "", "{}"),
        (
            Ec2,
            "Filter.1.Name=vpc-id&Filter.1.Value.2=b&Filter.1.Value.1=a",
            r#"{Filter:[{Name:"vpc-id" Value:["a" "b"]}]}"#,
        ),
        (Ec2, "X.member.1=a", r#"{X:{member:["a"]}}"#),
        (Ec2, "1=a&2=b", r#"{1:"a" 2:"b"}"#),
        (Query, "A.99999999999999999999999=x", r#"{A:{99999999999999999999999:"x"}}"#),
        (Query, "A..B=x", r#"{A:{:{B:"x"}}}"#),
    ];
    for (dialect, body, expect) in rows {
        assert_eq!(show(&form_tree(body, dialect).unwrap()), expect, "{body}");
    }
}

#[test]
fn bad_forms() {
    let deep = format!("A{}=x", ".B".repeat(MAX_DEPTH + 1));
    let many = "A=1&".repeat(MAX_PARAMETERS + 1);
    let rows = [
        ("A=%zz", "two hexadecimal digits"),
        ("%=x", "two hexadecimal digits"),
        ("A=%ff", "not UTF-8"),
        ("A=1&A=2", "the parameter A contradicts"),
        ("A=1&A.B=2", "the parameter A.B contradicts"),
        ("A.B=2&A=1", "the parameter A contradicts"),
        (&deep, "nested too deeply"),
        (&many, "more than 10000 parameters"),
    ];
    for (body, words) in rows {
        let fault = form_tree(body, Dialect::Query).unwrap_err();
        assert_eq!((fault.status, &*fault.code), (400, "MalformedQueryString"));
        assert!(fault.message.contains(words), "{}", fault.message);
    }
    let within = format!("A{}=x", ".B".repeat(MAX_DEPTH));
    assert!(form_tree(&within, Dialect::Query).is_ok());
    assert!(Form::parse("A=1&".repeat(MAX_PARAMETERS).as_bytes()).is_ok());
}

#[test]
fn actions() {
    let form = Form::parse(b"Version=1&Action=CreateRule").unwrap();
    assert_eq!((form.action().unwrap(), form.get("Version")), ("CreateRule", Some("1")));
    for body in ["", "Action=", "action=x"] {
        let fault = Form::parse(body.as_bytes()).unwrap().action().unwrap_err();
        assert_eq!(fault.code, "MissingAction");
    }
}

/// A structure from pairs.
fn structure(members: Vec<(&'static str, Node)>) -> Node {
    Node::Struct(members.into_iter().map(|(name, node)| (name.into(), node)).collect())
}

/// One of everything.
fn sample() -> Node {
    structure(vec![
        ("Text", Node::text("a<b>&\"c\"\r\n\u{1}ü")),
        ("Absent", Node::Null),
        ("Yes", Node::Bool(true)),
        ("Number", Node::Int(-7)),
        ("Rate", Node::Float(0.5)),
        ("Created", Node::Time(1_458_941_186_920)),
        ("Empty", Node::List(vec![])),
        ("List", Node::List(vec![Node::text("a"), structure(vec![("B", Node::Int(1))])])),
        ("Map", Node::Dict(vec![("k".to_owned(), Node::text("v"))])),
        ("NoMap", Node::Dict(vec![])),
    ])
}

fn check(reply: Reply, expect: Expect) {
    let headers: Vec<_> = reply.headers.iter().map(|(n, v)| format!("{n}: {v}\n")).collect();
    let body = String::from_utf8(reply.body).unwrap().replace("><", ">\n<");
    expect.assert_eq(&format!("{}\n{}{body}\n", reply.status, headers.concat()));
}

#[test]
fn query_answers() {
    check(
        query::answer("CreateX", true, "http://x/doc/", &sample(), "id"),
        expect![[r#"
        200
        x-amzn-requestid: id
        content-type: text/xml
        <CreateXResponse xmlns="http://x/doc/">
        <CreateXResult>
        <Text>a&lt;b&gt;&amp;&quot;c&quot;&#xD;
        �ü</Text>
        <Yes>true</Yes>
        <Number>-7</Number>
        <Rate>0.5</Rate>
        <Created>2016-03-25T21:26:26.920Z</Created>
        <Empty/>
        <List>
        <member>a</member>
        <member>
        <B>1</B>
        </member>
        </List>
        <Map>
        <entry>
        <key>k</key>
        <value>v</value>
        </entry>
        </Map>
        <NoMap/>
        </CreateXResult>
        <ResponseMetadata>
        <RequestId>id</RequestId>
        </ResponseMetadata>
        </CreateXResponse>
    "#]],
    );
    check(
        query::answer("DeleteX", true, "http://x/", &Node::empty(), "id"),
        expect![[r#"
        200
        x-amzn-requestid: id
        content-type: text/xml
        <DeleteXResponse xmlns="http://x/">
        <DeleteXResult/>
        <ResponseMetadata>
        <RequestId>id</RequestId>
        </ResponseMetadata>
        </DeleteXResponse>
    "#]],
    );
    check(
        query::answer("TagX", false, "http://x/", &Node::empty(), "id"),
        expect![[r#"
        200
        x-amzn-requestid: id
        content-type: text/xml
        <TagXResponse xmlns="http://x/">
        <ResponseMetadata>
        <RequestId>id</RequestId>
        </ResponseMetadata>
        </TagXResponse>
    "#]],
    );
}

#[test]
fn query_faults() {
    let fault = Fault::new(400, "RuleNotFound", "One <or> more").with("dropped", "x");
    check(
        query::fault("http://x/", &fault, "id"),
        expect![[r#"
        400
        x-amzn-requestid: id
        content-type: text/xml
        <ErrorResponse xmlns="http://x/">
        <Error>
        <Type>Sender</Type>
        <Code>RuleNotFound</Code>
        <Message>One &lt;or&gt; more</Message>
        </Error>
        <RequestId>id</RequestId>
        </ErrorResponse>
    "#]],
    );
    check(
        query::fault("", &Fault::internal("oh"), "id"),
        expect![[r#"
        500
        x-amzn-requestid: id
        content-type: text/xml
        <ErrorResponse>
        <Error>
        <Type>Receiver</Type>
        <Code>InternalFailure</Code>
        <Message>oh</Message>
        </Error>
        <RequestId>id</RequestId>
        </ErrorResponse>
    "#]],
    );
}

#[test]
fn ec2_answers() {
    check(
        ec2::answer("CreateX", true, "http://ec2/", &sample(), "id"),
        expect![[r#"
        200
        x-amzn-requestid: id
        content-type: text/xml;charset=UTF-8
        <?xml version="1.0" encoding="UTF-8"?>
        <CreateXResponse xmlns="http://ec2/">
        <requestId>id</requestId>
        <Text>a&lt;b&gt;&amp;&quot;c&quot;&#xD;
        �ü</Text>
        <Yes>true</Yes>
        <Number>-7</Number>
        <Rate>0.5</Rate>
        <Created>2016-03-25T21:26:26.920Z</Created>
        <Empty/>
        <List>
        <item>a</item>
        <item>
        <B>1</B>
        </item>
        </List>
        <Map>
        <entry>
        <key>k</key>
        <value>v</value>
        </entry>
        </Map>
        <NoMap/>
        </CreateXResponse>
    "#]],
    );
    check(
        ec2::answer("DeleteX", false, "http://ec2/", &Node::empty(), "id"),
        expect![[r#"
        200
        x-amzn-requestid: id
        content-type: text/xml;charset=UTF-8
        <?xml version="1.0" encoding="UTF-8"?>
        <DeleteXResponse xmlns="http://ec2/">
        <requestId>id</requestId>
        <return>true</return>
        </DeleteXResponse>
    "#]],
    );
    check(
        ec2::fault(&Fault::new(412, "DryRunOperation", "would"), "id"),
        expect![[r#"
        412
        x-amzn-requestid: id
        content-type: text/xml;charset=UTF-8
        <?xml version="1.0" encoding="UTF-8"?>
        <Response>
        <Errors>
        <Error>
        <Code>DryRunOperation</Code>
        <Message>would</Message>
        </Error>
        </Errors>
        <RequestID>id</RequestID>
        </Response>
    "#]],
    );
}

#[test]
fn json_answers() {
    check(
        rest_json::answer(201, &sample(), "id"),
        expect![[r#"
        201
        x-amzn-requestid: id
        content-type: application/json
        {"Text":"a<b>&\"c\"\r\n\u0001ü","Yes":true,"Number":-7,"Rate":0.5,"Created":"2016-03-25T21:26:26Z","Empty":[],"List":["a",{"B":1}],"Map":{"k":"v"},"NoMap":{}}
    "#]],
    );
    check(
        rest_json::answer(204, &Node::empty(), "id"),
        expect![[r#"
        204
        x-amzn-requestid: id

    "#]],
    );
    let fault = Fault::not_found("no such API").with("resourceType", "Api");
    check(
        rest_json::fault(&fault, "id"),
        expect![[r#"
        404
        x-amzn-requestid: id
        x-amzn-errortype: NotFoundException
        content-type: application/json
        {"message":"no such API","resourceType":"Api"}
    "#]],
    );
    check(
        json11::answer(&sample(), "id"),
        expect![[r#"
        200
        x-amzn-requestid: id
        content-type: application/x-amz-json-1.1
        {"Text":"a<b>&\"c\"\r\n\u0001ü","Yes":true,"Number":-7,"Rate":0.5,"Created":1458941186.92,"Empty":[],"List":["a",{"B":1}],"Map":{"k":"v"},"NoMap":{}}
    "#]],
    );
    check(
        json11::fault(&fault, "id"),
        expect![[r#"
        404
        x-amzn-requestid: id
        x-amzn-errortype: NotFoundException
        content-type: application/x-amz-json-1.1
        {"__type":"NotFoundException","message":"no such API","resourceType":"Api"}
    "#]],
    );
}

type Labels = &'static [(&'static str, &'static str)];

#[test]
fn paths() {
    let rows: [(&str, &str, Option<Labels>); 14] = [
        ("/v2/apis", "/v2/apis", Some(&[])),
        ("/v2/apis", "/v2/apis/", None),
        ("/v2/apis", "/v2", None),
        ("/v2/apis", "/v2/%61pis", Some(&[])),
        ("/v2/apis", "/v2/%zz", None),
        ("/v2/apis/{id}", "/v2/apis/a%2Fb", Some(&[("id", "a%2Fb")])),
        ("/v2/apis/{id}", "/v2/apis/", None),
        ("/v2/apis/{id}", "/v2/apis/a/b", None),
        ("/v2/apis/{id}/x/{y}", "/v2/apis/a/x/b", Some(&[("id", "a"), ("y", "b")])),
        ("/b/{key+}", "/b/a/b/c", Some(&[("key", "a/b/c")])),
        ("/b/{key+}", "/b/", None),
        ("/b/{key+}", "/b", None),
        ("/", "/", Some(&[])),
        ("/", "", None),
    ];
    for (template, path, expect) in rows {
        assert_eq!(rest_json::capture(template, path).as_deref(), expect, "{template} {path}");
    }
}

#[test]
fn rest_requests() {
    let labels = [("arn", "a%2Fb+")];
    let members = [("tagKeys", true), ("max", false)];
    let rows = [
        ("", "", r#"{arn:"a/b+"}"#),
        ("tagKeys=a%20b&tagKeys=c+d", "", r#"{arn:"a/b+" tagKeys:["a b" "c d"]}"#),
        ("max=1&max=2&unknown=x", "", r#"{arn:"a/b+" max:"1"}"#),
        (
            "",
            r#"{"arn":"other","max":3,"t":{"k":[1,1.5,true,null]}}"#,
            r#"{arn:"a/b+" t:{k:[1 1.5 true null]}}"#,
        ),
        ("", r#"{"big":18446744073709551615}"#, r#"{arn:"a/b+" big:1.8446744073709552e19}"#),
    ];
    for (query, body, expect) in rows {
        let node = rest_json::read(&labels, &members, query, body.as_bytes()).unwrap();
        assert_eq!(show(&node), expect, "{query} {body}");
    }
    let nested = "[".repeat(100_000);
    let bad = [
        ("%", "", "query string is not properly"),
        ("", "{", "not valid JSON"),
        ("", "[]", "not a JSON object"),
        ("", &nested, "not valid JSON"),
    ];
    for (query, body, words) in bad {
        let fault = rest_json::read(&labels, &members, query, body.as_bytes()).unwrap_err();
        assert_eq!(fault.code, "BadRequestException");
        assert!(fault.message.contains(words), "{}", fault.message);
    }
    assert!(rest_json::read(&[("id", "%f")], &[], "", b"").is_err());
}

#[test]
fn json11_requests() {
    assert_eq!(
        json11::target("Route53AutoNaming_v20170314.CreateService"),
        Some(("Route53AutoNaming_v20170314", "CreateService"))
    );
    assert_eq!(json11::target("CreateService"), None);
    assert_eq!(json11::target(".x"), None);
    assert_eq!(json11::read(b"x").unwrap_err().code, "SerializationException");
    assert_eq!(show(&json11::read(b" ").unwrap()), "{}");
}

fn any_node() -> impl Strategy<Value = Node> {
    let leaf = prop_oneof![
        any::<bool>().prop_map(Node::Bool),
        any::<i64>().prop_map(Node::Int),
        "\\PC*|[\\x00-\\x20]*".prop_map(Node::Text),
    ];
    leaf.prop_recursive(4, 32, 4, |inner| {
        let members = prop::collection::btree_map("[A-Za-z]{1,8}", inner.clone(), 0..4);
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Node::List),
            members.prop_map(|all| {
                Node::Struct(all.into_iter().map(|(n, v)| (n.into(), v)).collect())
            }),
        ]
    })
}

/// The text of `<a>…</a>` elements, by a reader that is not ours.
fn texts(xml: &[u8], name: &str) -> Vec<String> {
    use quick_xml::events::Event;
    let mut reader = quick_xml::Reader::from_str(std::str::from_utf8(xml).unwrap());
    let (mut found, mut open) = (Vec::new(), None::<String>);
    loop {
        match reader.read_event().unwrap() {
            Event::Start(tag) if tag.name().as_ref() == name => open = Some(String::new()),
            Event::Text(text) => {
                if let Some(open) = &mut open {
                    open.push_str(&text);
                }
            }
            Event::GeneralRef(reference) => {
                if let Some(open) = &mut open {
                    let resolved = reference.resolve_char_ref().unwrap();
                    open.extend(resolved.or_else(|| match &*reference {
                        "amp" => Some('&'),
                        "lt" => Some('<'),
                        "gt" => Some('>'),
                        "quot" => Some('"'),
                        _ => None,
                    }));
                }
            }
            Event::End(tag) if tag.name().as_ref() == name => found.extend(open.take()),
            Event::Eof => return found,
            _ => {}
        }
    }
}

proptest! {
    #[test]
    fn parsers_answer_any_bytes(bytes in any::<Vec<u8>>()) {
        for dialect in [Dialect::Query, Dialect::Ec2] {
            let _ = Form::parse(&bytes).and_then(|form| form.tree(dialect));
        }
        let _ = json11::read(&bytes);
        let text = String::from_utf8_lossy(&bytes);
        let _ = rest_json::capture("/v2/{a}/b/{c+}", &text);
        let _ = rest_json::read(&[("a", &text)], &[("q", true)], &text, &bytes);
    }

    #[test]
    fn form_like_bytes_are_answered(body in "([AB1.]|member|entry|key|value|=|&|%41|%){0,40}") {
        for dialect in [Dialect::Query, Dialect::Ec2] {
            let _ = form_tree(&body, dialect);
        }
    }

    #[test]
    fn json_comes_back(node in any_node()) {
        let body = structure(vec![("X", node)]);
        let reply = json11::answer(&body, "id");
        prop_assert_eq!(json11::read(&reply.body).unwrap(), body);
    }

    #[test]
    fn xml_text_comes_back(text in "[\\PC\\t\\r\\n]*") {
        let reply = query::answer("X", true, "", &structure(vec![("T", Node::text(&text))]), "id");
        prop_assert_eq!(texts(&reply.body, "T"), vec![text]);
    }

    #[test]
    fn xml_is_well_formed(node in any_node()) {
        let reply = ec2::answer("X", true, "", &structure(vec![("T", node)]), "id");
        prop_assert_eq!(texts(&reply.body, "requestId"), vec!["id".to_owned()]);
    }
}
