//! Whatever the text, reading and resolving it answers, and JSON survives the round trip.

use crate::value::Value;
use proptest::prelude::*;

/// Everything that the crate does with a text.
fn run(text: &str) {
    if let Ok(template) = crate::parse(text) {
        crate::fuzz::run(&template);
    }
}

/// Pieces that make templates more often than random characters do.
const PIECES: [&str; 40] = [
    "Resources",
    "Parameters",
    "Outputs",
    "Conditions",
    "Mappings",
    "A",
    "B",
    "Type",
    "T",
    "Properties",
    "DependsOn",
    ": ",
    ":",
    "\n",
    "\n  ",
    "\n    ",
    "\n      ",
    "- ",
    "!Ref ",
    "!Sub ",
    "!GetAtt ",
    "!If ",
    "!Join ",
    "!Select ",
    "!Cidr ",
    "Fn::Base64",
    "&x ",
    "*x",
    "<<",
    "[",
    "]",
    "{",
    "}",
    ", ",
    "'${A.B}'",
    "\"",
    "| ",
    "10.0.0.0/8",
    "~",
    "Condition",
];

proptest! {
    #[test]
    fn any_text(text in any::<String>()) {
        run(&text);
    }

    #[test]
    fn any_pieces(picks in prop::collection::vec(0..PIECES.len(), 0..60)) {
        run(&picks.iter().map(|pick| PIECES[*pick]).collect::<String>());
    }

    #[test]
    fn any_property(picks in prop::collection::vec(0..PIECES.len(), 0..30)) {
        let value: String = picks.iter().map(|pick| PIECES[*pick]).collect();
        run(&format!("Resources: {{A: {{Type: T}}, B: {{Type: T, Properties: {{X: {value}}}}}}}"));
        run(&format!("{{\"Resources\": {{\"A\": {{\"Type\": \"T\", \"X\": {value}}}}}}}"));
    }

    #[test]
    fn json_round_trip(text in ".*", number in any::<i64>(), flag in any::<bool>()) {
        let json = serde_json::json!({"a": [text, number, flag, {"b": {}}]});
        prop_assert_eq!(crate::json::read(&json.to_string()).unwrap().to_json(), json.clone());
        prop_assert_eq!(Value::from_json(&json).to_json(), json);
    }
}
