//! Taking the measurements: subjects in turn, round by round, so that a mood of the machine meets
//! all of them.

use anyhow::{Context, Result};

use super::Plan;
use super::case::Case;
use super::load::Load;
use super::results::{Measure, Results};
use super::subject::{Core, NAMES, Stage, Subject};

/// Measures cases on subjects that run as they would in earnest.
pub fn real(plan: &Plan, stage: &Stage<'_>, cases: &[Case], results: &mut Results) -> Result<()> {
    let subjects = start(stage)?;
    let load = Load::new()?;
    for case in cases {
        if plan.wants(&[Measure::Cpu]) {
            measure_cpu(plan, &load, &subjects, case, results)?;
        }
        if plan.wants(&[Measure::P50, Measure::P99]) {
            measure_latency(plan, &load, &subjects, case, results)?;
        }
    }
    Ok(())
}

fn start(stage: &Stage<'_>) -> Result<Vec<Subject>> {
    let start = |name: &&str| stage.start(name).with_context(|| format!("starting {name}"));
    NAMES.iter().map(start).collect()
}

/// One round: a value per subject, nothing where it cannot do the case.
fn round(
    subjects: &[Subject],
    case: &Case,
    measure: impl Fn(&Subject, &super::load::client::Errand) -> Result<f64>,
) -> Result<Vec<Option<f64>>> {
    let one = |subject: &Subject| {
        let Some(errand) = subject.errand(case) else { return Ok(None) };
        let value = measure(subject, &errand);
        value.map(Some).with_context(|| format!("{} with {}", subject.name, case.name))
    };
    subjects.iter().map(one).collect()
}

fn measure_cpu(
    plan: &Plan,
    load: &Load,
    subjects: &[Subject],
    case: &Case,
    results: &mut Results,
) -> Result<()> {
    round(subjects, case, |_, errand| {
        load.closed(errand, plan.clients, plan.requests / 10)?;
        Ok(0.0)
    })?;
    let mut rounds = Vec::new();
    for number in 1..=plan.rounds {
        eprintln!("{}: CPU, round {number} of {}", case.name, plan.rounds);
        rounds.push(round(subjects, case, |subject, errand| {
            let before = subject.sum(|process| process.cpu_us())?;
            load.closed(errand, plan.clients, plan.requests)?;
            Ok((subject.sum(|process| process.cpu_us())? - before) / plan.requests as f64)
        })?);
    }
    results.add((&case.name, &case.words()), Measure::Cpu, &rounds);
    Ok(())
}

fn measure_latency(
    plan: &Plan,
    load: &Load,
    subjects: &[Subject],
    case: &Case,
    results: &mut Results,
) -> Result<()> {
    let (mut halves, mut tails) = (Vec::new(), Vec::new());
    for number in 1..=plan.rounds {
        eprintln!("{}: latency, round {number} of {}", case.name, plan.rounds);
        let tail = std::cell::RefCell::new(Vec::new());
        let half = round(subjects, case, |_, errand| {
            let mut taken = load.open(errand, plan.clients, plan.paced, plan.rate)?;
            taken.sort();
            let at = |share: f64| {
                let place = (taken.len() as f64 * share) as usize;
                taken.get(place).map_or(f64::NAN, |time| time.as_secs_f64() * 1e6)
            };
            tail.borrow_mut().push(at(0.99));
            Ok(at(0.5))
        })?;
        let mut tail = tail.into_inner().into_iter();
        tails.push(half.iter().map(|half| half.and_then(|_| tail.next())).collect());
        halves.push(half);
    }
    results.add((&case.name, &case.words()), Measure::P50, &halves);
    results.add((&case.name, &case.words()), Measure::P99, &tails);
    Ok(())
}

/// What an idle connection occupies, on fresh subjects: what an allocator keeps from earlier work
/// would hide it.
pub fn idle(plan: &Plan, stage: &Stage<'_>, cases: &[Case], results: &mut Results) -> Result<()> {
    let subjects = start(stage)?;
    let load = Load::new()?;
    for case in cases.iter().take(1) {
        eprintln!("{}: memory of {} idle connections", case.name, plan.idle);
        let values = round(&subjects, case, |subject, errand| {
            load.closed(errand, plan.clients, plan.requests / 10)?;
            let before = subject.sum(|process| process.memory())?;
            let during =
                load.idle(errand, plan.idle, || subject.sum(|process| process.memory()))?;
            Ok((during - before) / plan.idle as f64)
        })?;
        results.add((&case.name, &case.words()), Measure::Idle, &[values]);
    }
    Ok(())
}

/// Counts instructions.
pub fn instructions(
    plan: &Plan,
    stage: &Stage<'_>,
    cases: &[Case],
    results: &mut Results,
) -> Result<()> {
    debug_assert_eq!(stage.core, Core::Counted);
    let subjects = start(stage)?;
    let load = Load::new()?;
    for case in cases {
        eprintln!("{}: instructions", case.name);
        let values = round(&subjects, case, |subject, errand| {
            load.closed(errand, COUNTED_CLIENTS, plan.counted)?;
            subject.processes.iter().try_for_each(|process| process.zero())?;
            load.closed(errand, COUNTED_CLIENTS, plan.counted)?;
            // Connecting is a part of both, and of one count only.
            let once = subject.sum(|process| process.instructions())?;
            load.closed(errand, COUNTED_CLIENTS, 3 * plan.counted)?;
            let thrice = subject.sum(|process| process.instructions())?;
            Ok((thrice - once) / (2 * plan.counted) as f64)
        })?;
        results.add((&case.name, &case.words()), Measure::Instructions, &[values]);
    }
    Ok(())
}

/// Under callgrind a proxy is slow: few clients keep it busy.
const COUNTED_CLIENTS: usize = 8;
