//! B0: a plugin that is no plugin. What a call costs without any wall around it.

use std::hint::black_box;

use showrunner::event::{Envelope, Event};

use crate::arguments::Arguments;
use crate::corpus;
use crate::measure::{Contest, time};
use crate::report::{Report, Section};

pub(crate) const BY_REFERENCE: &str = "by reference";

trait Handler {
    fn handle(&mut self, envelope: &Envelope) -> bool;
}

/// Does what the greeters do: counts and answers `!hello`.
#[derive(Default)]
struct Greeter {
    hellos: u32,
    said: Option<String>,
}

impl Handler for Greeter {
    fn handle(&mut self, envelope: &Envelope) -> bool {
        let Event::Chat(message) = &envelope.event else { return false };
        if message.command.as_ref().is_none_or(|command| command.name != "hello") {
            return false;
        }
        self.hellos += 1;
        self.said = Some(format!("Hello {}!", message.author.display_name));
        true
    }
}

pub(crate) fn run(arguments: &Arguments, report: &mut Report) {
    let mut section = Section::new("B0", "A native call, in the same memory");
    for sample in corpus::all() {
        let (mut by_reference, mut by_clone) = (greeter(), greeter());
        let mut contest = Contest::default();
        contest.add(BY_REFERENCE, |calls| {
            time(calls, || {
                black_box(by_reference.handle(black_box(&sample.envelope)));
            })
        });
        contest.add("with a copy of the event", |calls| {
            time(calls, || {
                black_box(by_clone.handle(&Envelope::clone(black_box(&sample.envelope))));
            })
        });
        for outcome in contest.hold(arguments) {
            section.outcome(sample.name, &outcome);
        }
    }
    report.add(section);
}

fn greeter() -> Box<dyn Handler> {
    black_box(Box::new(Greeter::default()))
}
