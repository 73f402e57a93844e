//! A parsed config that still knows where everything stands: from a key to its line, and from an offset to its key.

use std::ops::Range;
use std::path::{Path, PathBuf};

use toml::Spanned;
use toml::de::{DeArray, DeTable, DeValue};

use super::problem::{Blame, ConfigErrors, Finding, KeyPath, MOST_FINDINGS, Problem, Step};

/// A longer value is cut in messages.
const SHOWN_VALUE: usize = 60;

pub(super) struct Document<'text> {
    file: PathBuf,
    text: &'text str,
    tree: Spanned<DeTable<'text>>,
}

/// Where each line begins.
pub(crate) struct Lines<'text> {
    text: &'text str,
    starts: Vec<usize>,
}

/// Where a value stands, or the nearest table around it that is written (then without a value).
struct Place<'tree, 'text> {
    key: usize,
    offset: usize,
    value: Option<&'tree Spanned<DeValue<'text>>>,
}

impl<'text> Document<'text> {
    /// Reports the syntax errors, by line; never the text of a line, which may hold a secret.
    pub(super) fn parse(file: &Path, text: &'text str) -> Result<Self, ConfigErrors> {
        let (tree, errors) = DeTable::parse_recoverable(text);
        let document = Self { file: file.to_owned(), text, tree };
        if errors.is_empty() {
            return Ok(document);
        }
        let lines = Lines::of(text);
        let first = errors.iter().take(MOST_FINDINGS);
        let mut problems: Vec<Problem> = first.map(|error| document.syntax_problem(error, &lines)).collect();
        problems.sort_by_key(|problem| (problem.line, problem.column));
        Err(ConfigErrors::Invalid { problems })
    }

    /// What can be read of a file, whatever is wrong with it.
    pub(super) fn recover(file: &Path, text: &'text str) -> Self {
        let (tree, _) = DeTable::parse_recoverable(text);
        Self { file: file.to_owned(), text, tree }
    }

    pub(super) fn tree(&self) -> &Spanned<DeTable<'text>> {
        &self.tree
    }

    /// The innermost key whose name or value covers `offset`.
    ///
    /// Tables may be written in any order and in parts, so a table's span need not cover what is in it: all entries are
    /// looked at and the shortest cover wins.
    pub(super) fn path_at(&self, offset: usize) -> Option<KeyPath> {
        let mut best = None;
        search(self.tree.get_ref(), &KeyPath::default(), offset, &mut best);
        best.map(|(_, path)| path)
    }

    /// Gives each finding its line, in the order of the file.
    pub(super) fn place(&self, findings: Vec<Finding>) -> Vec<Problem> {
        let lines = Lines::of(self.text);
        let mut placed: Vec<(usize, Problem)> =
            findings.into_iter().map(|finding| self.problem(finding, &lines)).collect();
        placed.sort_by_key(|(offset, _)| *offset);
        placed.into_iter().map(|(_, problem)| problem).collect()
    }

    fn problem(&self, finding: Finding, lines: &Lines<'_>) -> (usize, Problem) {
        let Finding { path, blame, message, help } = finding;
        let place = self.find(&path);
        let is_shown = blame == Blame::Value && !path.is_secret();
        let value = place.value.filter(|_| is_shown).and_then(|value| self.shown(value));
        let offset = if blame == Blame::Key { place.key } else { place.offset };
        let (line, column) = lines.line_and_column(offset);
        (offset, Problem { file: self.file.clone(), line, column, key: path.to_string(), value, message, help })
    }

    fn find(&self, path: &KeyPath) -> Place<'_, 'text> {
        let mut place = Place { key: 0, offset: 0, value: None };
        let mut table = Some(self.tree.get_ref());
        let mut array = None;
        for step in path.steps() {
            let next = match step {
                Step::Key(key) => table.and_then(|table| table.get_key_value(key.as_str())).map(|(key, value)| {
                    place.key = key.span().start;
                    value
                }),
                Step::Index(index) => array.and_then(|array: &DeArray<'_>| array.get(*index)),
            };
            let Some(value) = next else {
                return Place { value: None, ..place };
            };
            place.offset = value.span().start;
            place.value = Some(value);
            table = value.get_ref().as_table();
            array = value.get_ref().as_array();
        }
        place
    }

    /// The value as it is written, where that is short; a table is not.
    fn shown(&self, value: &Spanned<DeValue<'_>>) -> Option<String> {
        let has_tables = |items: &DeArray<'_>| items.iter().any(|item| item.get_ref().is_table());
        if value.get_ref().is_table() || value.get_ref().as_array().is_some_and(has_tables) {
            return None;
        }
        let written = self.text.get(value.span())?.trim();
        let mut shown: String = written.lines().next()?.chars().take(SHOWN_VALUE).collect();
        if shown.len() < written.len() {
            shown.push('…');
        }
        Some(shown)
    }

    fn syntax_problem(&self, error: &toml::de::Error, lines: &Lines<'_>) -> Problem {
        let (line, column) = lines.line_and_column(error.span().map_or(0, |span| span.start));
        Problem {
            file: self.file.clone(),
            line,
            column,
            key: String::new(),
            value: None,
            message: format!("this is not TOML: {}", error.message()),
            help: None,
        }
    }
}

impl<'text> Lines<'text> {
    pub(crate) fn of(text: &'text str) -> Self {
        let after_newlines = text.match_indices('\n').map(|(newline, _)| newline + 1);
        Self { text, starts: std::iter::once(0).chain(after_newlines).collect() }
    }

    /// Both count from one.
    pub(crate) fn line_and_column(&self, offset: usize) -> (usize, usize) {
        let line = self.starts.partition_point(|start| *start <= offset);
        let start = line.checked_sub(1).and_then(|before| self.starts.get(before)).copied().unwrap_or_default();
        let column = self.text.get(start..offset).or(self.text.get(start..)).map_or(0, |line| line.chars().count());
        (line, column + 1)
    }
}

type Cover = Option<(usize, KeyPath)>;

fn search(table: &DeTable<'_>, path: &KeyPath, offset: usize, best: &mut Cover) {
    for (key, value) in table {
        let here = path.key(key.get_ref());
        consider(key.span(), &here, offset, best);
        search_value(value, &here, offset, best);
    }
}

fn search_value(value: &Spanned<DeValue<'_>>, path: &KeyPath, offset: usize, best: &mut Cover) {
    consider(value.span(), path, offset, best);
    match value.get_ref() {
        DeValue::Table(inner) => search(inner, path, offset, best),
        DeValue::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                search_value(item, &path.index(index), offset, best);
            }
        }
        _ => {}
    }
}

fn consider(span: Range<usize>, path: &KeyPath, offset: usize, best: &mut Cover) {
    let length = span.len();
    if span.contains(&offset) && best.as_ref().is_none_or(|(shortest, _)| length < *shortest) {
        *best = Some((length, path.clone()));
    }
}
