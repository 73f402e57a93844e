//! `!goal`: how moderators see and change the goals in chat. Every use gets a clear answer.

use showrunner_sdk::commands::{first_word, prefix};
use showrunner_sdk::prelude::*;

use crate::goals::{Goals, Standing};
use crate::sum::Sum;

/// The command's name; the manifest has the same.
pub(crate) const NAME: &str = "goal";

/// What came of a command: the answer, and a goal that was reached by it.
pub(crate) struct Done {
    pub(crate) text: String,
    pub(crate) reached: Option<Standing>,
}

impl From<String> for Done {
    fn from(text: String) -> Self {
        Self { text, reached: None }
    }
}

/// Carries the command out for a moderator; an error is what to tell them.
pub(crate) fn run(goals: &mut Goals, message: &ChatMessage, arguments: &str, test: bool) -> Result<Done, String> {
    let request = Request { prefix: prefix(message), test };
    let (verb, rest) = first_word(arguments);
    match verb.to_lowercase().as_str() {
        "set" => request.set(goals, rest).map(Done::from),
        "add" => request.add(goals, rest),
        "reset" => request.reset(goals, rest).map(Done::from),
        "clear" => request.clear(goals, rest).map(Done::from),
        _ => request.show(goals, arguments).map(Done::from),
    }
}

/// How all goals stand; `None` when there is none.
pub(crate) fn lines(goals: &Goals, test: bool) -> Option<String> {
    let lines: Vec<String> = goals.standings(test).iter().map(line).collect();
    (!lines.is_empty()).then(|| lines.join(" · "))
}

/// How the moderator typed it, so that answers show the same.
struct Request<'a> {
    prefix: &'a str,
    test: bool,
}

impl Request<'_> {
    fn usage(&self, rest: &str) -> String {
        format!("use {}{NAME} {rest}", self.prefix)
    }

    /// The goal that is meant, and the rest of the words. Where only one can be meant, it needs no name.
    fn goal<'w>(&self, goals: &Goals, words: &'w str) -> Result<(String, &'w str), String> {
        let (name, rest) = first_word(words);
        let keys = goals.keys();
        if let Some(key) = keys.iter().find(|key| key.eq_ignore_ascii_case(name)) {
            return Ok(((*key).to_owned(), rest));
        }
        let awake = goals.standings(self.test);
        match (awake.as_slice(), keys.as_slice()) {
            ([only], _) => Ok((only.key.clone(), words)),
            ([], [only]) => Ok(((*only).to_owned(), words)),
            (_, []) => Err("there is no goal in the config".to_owned()),
            _ => Err(format!("say which goal; there are {}", keys.join(", "))),
        }
    }

    fn show(&self, goals: &Goals, words: &str) -> Result<String, String> {
        if words.trim().is_empty() {
            let none = || format!("no goal is set; {}", self.usage("set <goal> <target>"));
            return lines(goals, self.test).ok_or_else(none);
        }
        let key = goals.keys().into_iter().find(|key| key.eq_ignore_ascii_case(words.trim()));
        match key.map(|key| goals.standing(key, self.test)) {
            Some(Some(goal)) => Ok(line(&goal)),
            Some(None) => Err(format!("the goal {words} has no target yet")),
            None => Err(self.usage("set|add|reset|clear")),
        }
    }

    fn set(&self, goals: &mut Goals, words: &str) -> Result<String, String> {
        let (key, words) = self.goal(goals, words)?;
        let (target, title) = self.sum(goals, &key, words, "set <goal> <target> <title>")?;
        if target.number == target.zero().number {
            return Err(format!("a target of 0 is none; {}", self.usage("clear <goal>")));
        }
        goals.set(&key, &target, title, self.test)?;
        self.told(goals, &key)
    }

    fn add(&self, goals: &mut Goals, words: &str) -> Result<Done, String> {
        let (key, words) = self.goal(goals, words)?;
        let (is_less, words) = words.strip_prefix('-').map_or((false, words), |words| (true, words));
        let (sum, _) = self.sum(goals, &key, words, "add <goal> <amount>")?;
        let reached = goals.add(&key, &sum, is_less, self.test)?;
        Ok(Done { text: self.told(goals, &key)?, reached })
    }

    fn reset(&self, goals: &mut Goals, words: &str) -> Result<String, String> {
        let (key, _) = self.goal(goals, words)?;
        goals.reset(&key, self.test)?;
        self.told(goals, &key)
    }

    fn clear(&self, goals: &mut Goals, words: &str) -> Result<String, String> {
        let (key, _) = self.goal(goals, words)?;
        goals.clear(&key, self.test)?;
        self.told(goals, &key)
    }

    fn told(&self, goals: &Goals, key: &str) -> Result<String, String> {
        let text = goals.standing(key, self.test).map_or_else(|| format!("The goal {key} sleeps."), |goal| line(&goal));
        Ok(if self.test { format!("{text} (a test; the goal itself stays as it is)") } else { text })
    }

    /// A number and, for goals of money, its currency, which is the goal's own where none is typed; and what follows.
    fn sum<'w>(&self, goals: &Goals, key: &str, words: &'w str, usage: &str) -> Result<(Sum, &'w str), String> {
        let (number, rest) = first_word(words);
        let sum = Sum::parse(number).map_err(|_| self.usage(usage))?;
        let own = goals.standing(key, self.test).map(|goal| goal.target);
        let is_money = match &own {
            Some(target) => target.currency.is_some(),
            None => goals.definition(key).is_some_and(crate::goals::Definition::is_money),
        };
        if !is_money {
            return Ok((sum, rest));
        }
        let (word, title) = first_word(rest);
        match own.and_then(|target| target.currency) {
            Some(own) if word.is_empty() || !is_currency(word, &own) => Ok((Sum { currency: Some(own), ..sum }, rest)),
            None if word.is_empty() => Err(format!("say in which currency, as in {number} USD")),
            _ => Ok((Sum { currency: Some(word.to_owned()), ..sum }, title)),
        }
    }
}

/// Whether a word behind a number is its currency, and not the beginning of a title: the goal's own, or a code.
fn is_currency(word: &str, own: &str) -> bool {
    word.eq_ignore_ascii_case(own) || ((3..=5).contains(&word.len()) && !word.contains(char::is_lowercase))
}

/// "Tips: 45 of 200 USD (22 %)"
fn line(goal: &Standing) -> String {
    format!("{}: {} of {} ({} %)", goal.title, goal.current.number, goal.target, goal.percent())
}
