//! The results as a picture: CPU per request as bars, nginx's as the yardstick.

use std::fmt::Write as _;

use super::results::{Measure, Results};
use super::subject::NAMES;

/// Pixels.
const WIDTH: f64 = 760.0;
const LEFT: f64 = 200.0;
const BAR: f64 = 13.0;
const GAP: f64 = 18.0;
const TOP: f64 = 58.0;
/// In the order of the subjects; readable on light and dark ground.
const COLOURS: [&str; 4] = ["#0a7ea4", "#8c959f", "#b3a06b", "#c4664a"];

/// Draws them.
pub fn draw(results: &Results) -> String {
    let cases = results.cases(Measure::Cpu);
    let ratio = |case: &str, subject: &str| results.find(case, subject, Measure::Cpu)?.ratio;
    let all = cases.iter().flat_map(|(case, _)| NAMES.map(|subject| ratio(case, subject)));
    let most = all.flatten().fold(1.0, f64::max);
    let scale = (WIDTH - LEFT - 60.0) / most;
    let (mut body, mut y) = (String::new(), TOP);
    for (case, words) in &cases {
        let start = y;
        for (subject, colour) in NAMES.into_iter().zip(COLOURS) {
            let Some(ratio) = ratio(case, subject) else { continue };
            let (width, text_x) = (ratio * scale, LEFT + ratio * scale + 6.0);
            let _ = writeln!(
                body,
                "<rect x=\"{LEFT}\" y=\"{y:.0}\" width=\"{width:.1}\" height=\"{BAR}\" rx=\"2\" \
                 fill=\"{colour}\"/><text x=\"{text_x:.1}\" y=\"{:.0}\">{ratio:.2}</text>",
                y + BAR - 2.0
            );
            y += BAR + 2.0;
        }
        let (x, middle) = (LEFT - 10.0, (start + y) / 2.0 + 3.0);
        let words = escaped(words);
        let _ =
            writeln!(body, "<text x=\"{x}\" y=\"{middle:.0}\" text-anchor=\"end\">{words}</text>");
        y += GAP;
    }
    let yardstick = LEFT + scale;
    let _ = writeln!(
        body,
        "<line x1=\"{yardstick:.1}\" x2=\"{yardstick:.1}\" y1=\"{:.0}\" y2=\"{y:.0}\" \
         stroke=\"#8c959f\" stroke-dasharray=\"3 3\"/>",
        TOP - 8.0
    );
    frame(&body, y)
}

fn frame(body: &str, height: f64) -> String {
    let (mut legend, mut x) = (String::new(), LEFT);
    for (name, colour) in NAMES.into_iter().zip(COLOURS) {
        let _ = writeln!(
            legend,
            "<rect x=\"{x}\" y=\"30\" width=\"11\" height=\"11\" rx=\"2\" fill=\"{colour}\"/>\
             <text x=\"{}\" y=\"40\">{}</text>",
            x + 16.0,
            escaped(name)
        );
        x += 40.0 + 7.0 * name.chars().count() as f64;
    }
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height:.0}\" \
         font-family=\"system-ui, sans-serif\" font-size=\"12\" fill=\"#6e7781\">\n\
         <text x=\"10\" y=\"18\" font-size=\"14\" font-weight=\"600\">CPU time per request, as a \
         multiple of nginx (less is better)</text>\n{legend}{body}</svg>\n"
    )
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}
