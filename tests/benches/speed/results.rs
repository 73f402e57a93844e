//! The figures of `tests/benches/RESULTS.md`, and the few of them that README.md shows, put there by this program, so
//! that nobody types them.

use std::fmt::Write as _;
use std::fs;

use crate::component::{ASYNC, FURTHER, OURS, SYNC, extism};
use crate::home::repository;
use crate::native;
use crate::report::{Report, shown};
use crate::socket::bots::Who;

const BEGIN: &str =
    "<!-- speed: `cargo bench --profile dist --bench speed -- --results` writes what stands between here -->\n";
const END: &str = "<!-- /speed: and here -->\n";

/// What is missing on this machine.
const NONE: &str = "–";

/// Puts the figures in place of those that stand there.
pub(crate) fn write(report: &Report) {
    put("tests/benches/RESULTS.md", &figures(report));
    put("README.md", &compared(&TELLING, report));
}

fn put(file: &str, figures: &str) {
    let path = repository().join(file);
    let old = fs::read_to_string(&path).unwrap();
    let new = replaced(&old, figures).unwrap_or_else(|| panic!("{file} has lost the marks of its figures"));
    fs::write(&path, new).unwrap();
    println!("written to {}", path.display());
}

fn replaced(text: &str, figures: &str) -> Option<String> {
    let (before, rest) = text.split_once(BEGIN)?;
    let (_, after) = rest.split_once(END)?;
    Some(format!("{before}{BEGIN}\n{figures}\n{END}{after}"))
}

fn figures(report: &Report) -> String {
    [machine(report), bots(report), calls(report), rooms(report), alone(report), targets(report)].join("\n")
}

fn machine(report: &Report) -> String {
    format!("Measured on {}.\n", report.machine.in_one_line())
}

const BOTS: [Who; 3] = [Who::Showrunner, Who::Node, Who::Bare];

/// What is compared of the bots: its name, the bench, the row, and the columns.
type Compared = (&'static str, &'static str, &'static str, &'static [&'static str]);

const COMPARED: [Compared; 10] = [
    ("100 lines a second: p50 / p99 / p99.9 / max, ms", "B4", "100/s", &SPREAD_MS),
    ("1,000 lines a second", "B4", "1000/s", &SPREAD_MS),
    ("4,000 lines a second", "B4", "4000/s", &SPREAD_MS),
    ("processor time of an answer at 1,000/s, µs", "B4", "1000/s", &["processor µs"]),
    ("answers a second on one core, 64 lines open", "B4", "64 open", &["a second"]),
    ("2,000 lines at once, all answered after, ms", "B4", "2000 at once", &["took ms"]),
    ("5,000 lines at once", "B4", "5000 at once", &["took ms"]),
    ("resident memory when nobody speaks, MiB", "memory", "idle", &["RSS MiB"]),
    ("resident memory after 100,000 lines", "memory", "after 100,000 messages", &["RSS MiB"]),
    ("start to dialling, ms", "start", "cached plugins", &["ms"]),
];
const SPREAD_MS: [&str; 4] = ["p50 ms", "p99 ms", "p99.9 ms", "max ms"];

/// What README.md shows of it.
const TELLING: [Compared; 5] = [
    ("an answer at 1,000 lines a second: p50 / p99, ms", "B4", "1000/s", &["p50 ms", "p99 ms"]),
    ("answers a second on one core", "B4", "64 open", &["a second"]),
    ("5,000 lines at once, all answered after, ms", "B4", "5000 at once", &["took ms"]),
    ("resident memory after 100,000 lines, MiB", "memory", "after 100,000 messages", &["RSS MiB"]),
    ("start to dialling, ms", "start", "cached plugins", &["ms"]),
];

fn bots(report: &Report) -> String {
    let words = "From the platform's socket to the reply over HTTP. The bot has a core of its own, whoever asks the other \
        one, on a clock that waits for nobody. Showrunner runs its four plugins, journal and moderation included; the \
        listener and the loop answer from a table and do nothing else.\n\n";
    format!("{words}{}", compared(&COMPARED, report))
}

fn compared(rows: &[Compared], report: &Report) -> String {
    let mut table = String::new();
    let names: Vec<_> = BOTS.iter().map(|who| who.name()).collect();
    let _ = writeln!(table, "| | {} | against Node, p50 and p99 |\n|---|--:|--:|--:|--:|", names.join(" | "));
    for (what, bench, row, columns) in rows {
        let values = |who: Who| -> Vec<Option<f64>> {
            columns.iter().map(|column| report.find(bench, row, who.name(), column)).collect()
        };
        let cells: Vec<_> = BOTS.iter().map(|who| joined(&values(*who))).collect();
        let against: Vec<_> = values(Who::Showrunner).into_iter().zip(values(Who::Node)).take(2).collect();
        let ratios: Vec<_> = against.into_iter().filter_map(|(ours, node)| Some(times(ours? / node?))).collect();
        let _ = writeln!(table, "| {what} | {} | {} |", cells.join(" | "), ratios.join(" / "));
    }
    table
}

/// Whoever handles an event, by the names in its bench.
const HANDLERS: [(&str, &str, &str); 6] = [
    ("a native call, nothing isolated", "B0", native::BY_REFERENCE),
    ("wasmtime alone, without any limit", "B1", SYNC),
    ("wasmtime alone, can wait and be interrupted", "B1", ASYNC),
    ("Showrunner", "B1", OURS),
    ("Showrunner, each further plugin", "B1", FURTHER),
    ("Extism, events as JSON", "B1", extism::NAME),
];

fn calls(report: &Report) -> String {
    let events = crate::corpus::all().map(|sample| sample.name);
    let mut table = "One event to one plugin, in µs: the same component everywhere, and the same logic in Extism. In \
        brackets: against wasmtime alone that can wait and be interrupted.\n\n"
        .to_owned();
    let _ = writeln!(table, "| | {} |\n|---{}|", events.join(" | "), "|--:".repeat(events.len()));
    for (what, bench, who) in HANDLERS {
        let cells = events.map(|event| {
            let Some(time) = report.find(bench, event, who, "ns") else { return NONE.to_owned() };
            let bare =
                report.find("B1", event, ASYNC, "ns").filter(|_| ![SYNC, ASYNC, native::BY_REFERENCE].contains(&who));
            let ratio = bare.map(|bare| format!(" ({})", times(time / bare))).unwrap_or_default();
            format!("{}{ratio}", digits(time / 1e3))
        });
        let _ = writeln!(table, "| {what} | {} |", cells.join(" | "));
    }
    table
}

/// The ways through the engine: their names, the bench, the row, who, and what makes microseconds of the columns.
const WAYS: [(&str, &str, &str, &str, f64); 9] = [
    ("a review: to a plugin's actor and back", "B2", "a review: question to verdict", "showrunner", 1.0),
    ("an event: offered to committed, 1,000/s", "B2", "the same, 1000/s on a clock", "showrunner", 1.0),
    ("review, and an answer of 1 plugin, 200/s", "B3", "1 plugin, each answers", "200/s on a clock", 1.0),
    ("of each of 10 plugins", "B3", "10 plugins, each answers", "200/s on a clock", 1.0),
    ("of each of 50 plugins", "B3", "50 plugins, each answers", "200/s on a clock", 1.0),
    ("the whole bot, on all cores, at 1,000/s, two plugins more", "beside", "nobody", "showrunner", 1e3),
    ("beside a plugin that spins to its limit", "beside", "one that spins to its limit", "showrunner", 1e3),
    ("beside one that traps", "beside", "one that traps", "showrunner", 1e3),
    ("beside one that is saved each second", "beside", "one saved each second", "showrunner", 1e3),
];

fn rooms(report: &Report) -> String {
    let mut table = "From room to room, in µs:\n\n| | p50 | p99 | p99.9 | max |\n|---|--:|--:|--:|--:|\n".to_owned();
    for (what, bench, row, who, factor) in WAYS {
        let unit = if factor > 1.0 { "ms" } else { "µs" };
        let cells = ["p50", "p99", "p99.9", "max"].map(|share| {
            let value = report.find(bench, row, who, &format!("{share} {unit}"));
            value.map_or_else(|| NONE.to_owned(), |value| digits(value * factor))
        });
        let _ = writeln!(table, "| {what} | {} |", cells.join(" | "));
    }
    table
}

/// What there is nobody to compare with.
fn alone(report: &Report) -> String {
    let ours = Who::Showrunner.name();
    let value = |bench, row, column| joined(&[report.find(bench, row, ours, column)]);
    let memory = |plugins| value("memory", plugins, "RSS MiB");
    format!(
        "- With 1, 10 and 100 small plugins it needs {}, {} and {} MiB.\n\
         - A start that has to compile the plugins dials after {} ms.\n\
         - A plugin that is saved has its first answer after {} ms, with 1,000 lines a second meanwhile.\n\
         - Lines that were lost in all of this: {}; answered twice: {}; answered by an old version after a new one: {}; left out of the journal: {}.\n",
        memory("1 plugin"),
        memory("10 plugins"),
        memory("100 plugins"),
        value("start", "cold", "ms"),
        value("live", "saved under 1000/s", "live after ms"),
        digits(report.sum(ours, "lost")),
        digits(report.sum(ours, "doubled")),
        digits(report.sum(ours, "stale")),
        digits(report.sum(ours, "unwritten")),
    )
}

fn targets(report: &Report) -> String {
    let (met, all) = report.targets_met();
    let missed = report.missed();
    if missed.is_empty() {
        return format!("All {all} targets are met.\n");
    }
    format!("{met} of {all} targets are met. Not met: {}.\n", missed.join("; "))
}

fn joined(values: &[Option<f64>]) -> String {
    let known: Option<Vec<_>> = values.iter().map(|value| value.map(digits)).collect();
    known.map_or_else(|| NONE.to_owned(), |known| known.join(" / "))
}

fn times(ratio: f64) -> String {
    format!("{ratio:.2}×")
}

/// With a comma before the thousands.
fn digits(value: f64) -> String {
    let short = shown(value);
    match short.len().checked_sub(3) {
        Some(end) if end > 0 && short.bytes().all(|byte| byte.is_ascii_digit()) => {
            format!("{},{}", &short[..end], &short[end..])
        }
        _ => short,
    }
}
