//! What was measured, and how it is told: tables of ratios, or JSON.

use std::fmt::Write as _;

use serde::Serialize;

use super::subject::{NAMES, YARDSTICK};

/// A quantity.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, clap::ValueEnum)]
#[serde(rename_all = "snake_case")]
pub enum Measure {
    /// Microseconds of CPU per request, all processes of the subject.
    Cpu,
    /// Instructions in user space per request.
    Instructions,
    /// Half of the requests take no longer, in microseconds.
    P50,
    /// All but a hundredth of the requests take no longer, in microseconds.
    P99,
    /// Bytes per idle client connection.
    Idle,
}

/// All of them, in the order in which they are told.
pub const MEASURES: [Measure; 5] =
    [Measure::Cpu, Measure::Instructions, Measure::P50, Measure::P99, Measure::Idle];

impl Measure {
    fn title(self) -> &'static str {
        match self {
            Self::Cpu => "CPU time per request (µs)",
            Self::Instructions => "Instructions per request, user space",
            Self::P50 => "Latency at a fixed rate, median (µs)",
            Self::P99 => "Latency at a fixed rate, 99th percentile (µs)",
            Self::Idle => "Memory per idle connection (bytes)",
        }
    }

    fn digits(self) -> usize {
        usize::from(self == Self::Cpu)
    }
}

/// One measured value.
#[derive(Clone, Debug, Serialize)]
pub struct Value {
    /// The case's name.
    pub case: String,
    /// The case in words.
    pub words: String,
    /// Whose.
    pub subject: &'static str,
    /// What.
    pub measure: Measure,
    /// How much: the median of the rounds.
    pub value: f64,
    /// The median of the ratios to nginx, each taken within a round.
    pub ratio: Option<f64>,
}

/// All that was measured.
#[derive(Debug, Default, Serialize)]
pub struct Results {
    /// How it was measured, in a sentence each.
    pub conditions: Vec<String>,
    /// The values.
    pub values: Vec<Value>,
}

impl Results {
    /// Adds what the rounds brought: for each round the subjects in their order.
    pub fn add(
        &mut self,
        (case, words): (&str, &str),
        measure: Measure,
        rounds: &[Vec<Option<f64>>],
    ) {
        let yardstick = NAMES.iter().position(|name| *name == YARDSTICK);
        for (at, subject) in NAMES.into_iter().enumerate() {
            let own: Vec<f64> = rounds.iter().filter_map(|round| round[at]).collect();
            let Some(value) = median(own) else { continue };
            let paired = rounds.iter().filter_map(|round| Some(round[at]? / round[yardstick?]?));
            let (case, words) = (case.to_owned(), words.to_owned());
            let ratio = median(paired.collect()).filter(|ratio| ratio.is_finite());
            self.values.push(Value { case, words, subject, measure, value, ratio });
        }
    }

    /// A value.
    pub fn find(&self, case: &str, subject: &str, measure: Measure) -> Option<&Value> {
        let same = |v: &&Value| v.case == case && v.subject == subject && v.measure == measure;
        self.values.iter().find(same)
    }

    /// Names and words of the cases of a measure, in order.
    pub fn cases(&self, measure: Measure) -> Vec<(&str, &str)> {
        let of = self.values.iter().filter(|value| value.measure == measure);
        let mut cases: Vec<_> = of.map(|v| (v.case.as_str(), v.words.as_str())).collect();
        cases.dedup();
        cases
    }

    /// As Markdown.
    pub fn tables(&self) -> String {
        let mut text = String::new();
        for measure in MEASURES {
            let cases = self.cases(measure);
            if cases.is_empty() {
                continue;
            }
            let _ = writeln!(text, "### {}\n", measure.title());
            let _ = writeln!(text, "| | {} |", NAMES.join(" | "));
            let _ = writeln!(text, "|---|{}", "---:|".repeat(NAMES.len()));
            for (case, words) in cases {
                let cells = NAMES.map(|subject| self.cell(case, subject, measure));
                let _ = writeln!(text, "| {words} | {} |", cells.join(" | "));
            }
            text.push('\n');
        }
        for condition in &self.conditions {
            let _ = writeln!(text, "- {condition}");
        }
        text
    }

    fn cell(&self, case: &str, subject: &str, measure: Measure) -> String {
        let Some(found) = self.find(case, subject, measure) else { return "–".to_owned() };
        let value = thousands(&format!("{:.*}", measure.digits(), found.value));
        match found.ratio {
            Some(ratio) => format!("**{ratio:.2}** ({value})"),
            None => value,
        }
    }
}

/// Digits in groups of three.
fn thousands(number: &str) -> String {
    let (whole, rest) = number.split_at(number.find('.').unwrap_or(number.len()));
    let mut text = String::new();
    for (at, digit) in whole.char_indices() {
        if at > 0 && (whole.len() - at).is_multiple_of(3) && !text.ends_with('-') {
            text.push(',');
        }
        text.push(digit);
    }
    text + rest
}

/// The middle value.
pub fn median(mut values: Vec<f64>) -> Option<f64> {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ratios_are_paired_within_a_round() {
        let mut results = Results::default();
        let round = |own, nginx| vec![Some(own), Some(nginx), None, Some(2.0 * nginx)];
        // A slow machine in the second round changes no ratio.
        let rounds = [round(9.0, 10.0), round(90.0, 100.0), round(8.0, 10.0)];
        results.add(("c", "words"), Measure::Cpu, &rounds);
        let check = |subject, expect: Option<(f64, f64)>| {
            let found = results.find("c", subject, Measure::Cpu);
            let got = found.map(|value| (value.value, value.ratio.unwrap_or_default()));
            assert_eq!(got, expect, "{subject}");
        };
        check("breezeway", Some((9.0, 0.9)));
        check("nginx", Some((10.0, 1.0)));
        check("haproxy", None);
        check("nginx → haproxy", Some((20.0, 2.0)));
        assert!(results.tables().contains("| words | **0.90** (9.0) | **1.00** (10.0) | – |"));
    }

    #[test]
    fn numbers_have_groups() {
        let check = |number, expect: &str| assert_eq!(thousands(number), expect);
        check("1", "1");
        check("123", "123");
        check("1234.5", "1,234.5");
        check("1234567", "1,234,567");
        check("-123", "-123");
    }
}
