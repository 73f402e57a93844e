//! The figures: printed as tables while they come, written down as JSON at the end.

use std::fs;
use std::time::Duration;

use serde::Serialize;
use serde_json::{Map, Value, json};
use showrunner_tests::load::percentile;

use crate::arguments::{Arguments, Bench};
use crate::machine::{Busy, Machine};
use crate::measure::{Outcome, median};
use crate::results;

#[derive(Serialize)]
pub(crate) struct Report {
    pub(crate) machine: Machine,
    quick: bool,
    sections: Vec<Section>,
    targets: Vec<Target>,
    /// How much of the machine others took meanwhile, in percent.
    others: Map<String, Value>,
}

/// One table.
#[derive(Serialize)]
pub(crate) struct Section {
    bench: &'static str,
    title: String,
    rows: Vec<Row>,
}

#[derive(Serialize)]
pub(crate) struct Row {
    what: String,
    who: String,
    values: Values,
    /// The same of each round, where there were several.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    rounds: Vec<Map<String, Value>>,
}

/// By the name of the column, in the order of the columns.
#[derive(Default, Clone)]
pub(crate) struct Values(Vec<(&'static str, f64)>);

/// Columns that should hold nothing but zeros.
const FAULTS: [&str; 4] = ["lost", "doubled", "stale", "unwritten"];

/// What the design asks for.
#[derive(Serialize)]
struct Target {
    what: String,
    limit: Limit,
    measured: f64,
    unit: &'static str,
    met: bool,
}

#[derive(Debug, Clone, Copy, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Limit {
    AtMost(f64),
    AtLeast(f64),
}

impl Limit {
    fn holds(self, measured: f64) -> bool {
        match self {
            Self::AtMost(limit) => measured <= limit,
            Self::AtLeast(limit) => measured >= limit,
        }
    }
}

impl Report {
    pub(crate) fn begin(arguments: &Arguments) -> Self {
        let machine = Machine::look();
        println!("{machine}");
        if arguments.quick {
            println!("Quick: this shows that it works. For figures, take the time.");
        }
        Self { machine, quick: arguments.quick, sections: Vec::new(), targets: Vec::new(), others: Map::new() }
    }

    pub(crate) fn add(&mut self, section: Section) {
        section.print();
        self.sections.push(section);
    }

    pub(crate) fn target(&mut self, what: &str, limit: Limit, measured: f64, unit: &'static str) {
        let met = limit.holds(measured);
        self.targets.push(Target { what: what.to_owned(), limit, measured, unit, met });
    }

    /// Notes how quiet the machine was.
    pub(crate) fn quiet(&mut self, bench: Bench, busy: &Busy) {
        let others = busy.others_percent();
        println!("(others took {others:.0} % of the machine meanwhile)");
        self.others.insert(format!("{bench:?}"), json!(others));
    }

    pub(crate) fn end(mut self, arguments: &Arguments) {
        self.machine.look_again();
        self.print_targets();
        println!("\nload average: {} before, {} after", self.machine.load_before, self.machine.load_after);
        let path = arguments.json();
        let json = serde_json::to_string_pretty(&self).unwrap();
        fs::write(&path, json + "\n").unwrap_or_else(|error| panic!("can't write {}: {error}", path.display()));
        println!("written to {}", path.display());
        if arguments.results {
            results::write(&self);
        }
    }

    /// The value of a column in a row of a bench; `None` where it was not measured.
    pub(crate) fn find(&self, bench: &str, what: &str, who: &str, column: &str) -> Option<f64> {
        let mut sections = self.sections.iter().filter(|section| section.bench == bench);
        sections.find_map(|section| section.find(what, who, column))
    }

    /// Of all values in columns of that name.
    pub(crate) fn sum(&self, who: &str, column: &str) -> f64 {
        let rows = self.sections.iter().flat_map(|section| &section.rows).filter(|row| row.who == who);
        rows.filter_map(|row| row.values.find(column)).sum()
    }

    /// How many are met, and how many there are.
    pub(crate) fn targets_met(&self) -> (usize, usize) {
        (self.targets.iter().filter(|target| target.met).count(), self.targets.len())
    }

    /// Each with what was measured.
    pub(crate) fn missed(&self) -> Vec<String> {
        let missed = self.targets.iter().filter(|target| !target.met);
        missed.map(|target| format!("{} ({})", target.what, target.measured_and_limit())).collect()
    }

    fn print_targets(&self) {
        if self.targets.is_empty() {
            return;
        }
        println!("\n== Targets");
        let width = self.targets.iter().map(|target| target.what.chars().count()).max().unwrap_or(0);
        for target in &self.targets {
            let verdict = if target.met { "met" } else { "MISSED" };
            println!("{:width$}  {verdict:6}  {}", target.what, target.measured_and_limit());
        }
    }
}

impl Target {
    fn measured_and_limit(&self) -> String {
        let (sign, limit) = match self.limit {
            Limit::AtMost(limit) => ("≤", limit),
            Limit::AtLeast(limit) => ("≥", limit),
        };
        let unit = self.unit;
        format!("{} {unit}, wanted {sign} {} {unit}", shown(self.measured), shown(limit))
    }
}

impl Section {
    pub(crate) fn new(bench: &'static str, title: &str) -> Self {
        Self { bench, title: title.to_owned(), rows: Vec::new() }
    }

    pub(crate) fn row(&mut self, what: &str, who: &str) -> &mut Row {
        let (values, rounds) = (Values::default(), Vec::new());
        self.rows.push(Row { what: what.to_owned(), who: who.to_owned(), values, rounds });
        self.rows.last_mut().unwrap()
    }

    /// What a contest said of one contestant.
    pub(crate) fn outcome(&mut self, what: &str, outcome: &Outcome) -> &mut Row {
        let Outcome { who, median, least, most } = outcome;
        self.row(what, who).value("ns", *median).value("least", *least).value("most", *most)
    }

    /// The spread of times that are in order of size.
    pub(crate) fn latencies(&mut self, what: &str, who: &str, sorted: &[Duration]) -> &mut Row {
        let share = |share| percentile(sorted, share).unwrap_or_default().as_secs_f64() * 1e6;
        let row = self.row(what, who);
        row.value("p50 µs", share(0.5))
            .value("p99 µs", share(0.99))
            .value("p99.9 µs", share(0.999))
            .value("max µs", share(1.0))
    }

    /// The value of a column in the row of that name; `None` when there is none.
    pub(crate) fn find(&self, what: &str, who: &str, column: &str) -> Option<f64> {
        let row = self.rows.iter().find(|row| row.what == what && row.who == who)?;
        row.values.find(column)
    }

    fn columns(&self) -> Vec<&'static str> {
        let mut columns = Vec::new();
        for (name, _) in self.rows.iter().flat_map(|row| &row.values.0) {
            if !columns.contains(name) {
                columns.push(*name);
            }
        }
        columns
    }

    fn print(&self) {
        println!("\n== {}: {}", self.bench, self.title);
        let columns = self.columns();
        let mut table = vec![vec![String::new(), String::new()]];
        table[0].extend(columns.iter().map(|name| (*name).to_owned()));
        let mut last = "";
        for row in &self.rows {
            // A name stands above all that it is about.
            let what = if row.what == last { String::new() } else { row.what.clone() };
            last = &row.what;
            let mut line = vec![what, row.who.clone()];
            line.extend(columns.iter().map(|column| row.values.find(column).map_or_else(String::new, shown)));
            table.push(line);
        }
        let width = |index: usize| table.iter().map(|line| line[index].chars().count()).max().unwrap_or(0);
        let widths: Vec<usize> = (0..table[0].len()).map(width).collect();
        for line in &table {
            let cells = line.iter().zip(&widths).enumerate().map(|(index, (cell, width))| {
                if index < 2 { format!("{cell:width$}") } else { format!("{cell:>width$}") }
            });
            println!("{}", cells.collect::<Vec<_>>().join("  ").trim_end());
        }
    }
}

impl Row {
    pub(crate) fn value(&mut self, name: &'static str, value: f64) -> &mut Self {
        self.values.0.push((name, value));
        self
    }

    /// For each column the middle of all rounds; faults of all rounds are added up, so that none hides.
    pub(crate) fn rounds(&mut self, rounds: &[Values]) -> &mut Self {
        let Some(first) = rounds.first() else { return self };
        for (index, (name, _)) in first.0.iter().enumerate() {
            let mut values: Vec<f64> = rounds.iter().map(|round| round.0[index].1).collect();
            values.sort_unstable_by(f64::total_cmp);
            let of_all = if FAULTS.contains(name) { values.iter().sum() } else { median(&values) };
            self.values.0.push((name, of_all));
        }
        if rounds.len() > 1 {
            self.rounds = rounds.iter().map(Values::to_map).collect();
        }
        self
    }
}

impl Values {
    pub(crate) fn value(&mut self, name: &'static str, value: f64) -> &mut Self {
        self.0.push((name, value));
        self
    }

    fn find(&self, column: &str) -> Option<f64> {
        self.0.iter().find(|(name, _)| *name == column).map(|(_, value)| *value)
    }

    fn to_map(&self) -> Map<String, Value> {
        self.0.iter().map(|(name, value)| ((*name).to_owned(), json!(value))).collect()
    }
}

impl Serialize for Values {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.to_map().serialize(serializer)
    }
}

/// Three digits are more than a measurement is worth.
pub(crate) fn shown(value: f64) -> String {
    match value.abs() {
        _ if value == value.trunc() && value.abs() < 1e9 => format!("{value}"),
        100.0.. => format!("{value:.0}"),
        10.0..100.0 => format!("{value:.1}"),
        0.1..10.0 => format!("{value:.2}"),
        _ => format!("{value:.3}"),
    }
}
