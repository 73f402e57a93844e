//! Reads the labelled lines. `tests/corpus/moderation/README.md` says how they are written.

use std::fs;
use std::path::Path;

use moderation_rules::{Mark, MarkKind, Rule};

/// Stand around what the platform marks as an emote.
const EMOTE: [char; 2] = ['⟦', '⟧'];

/// A line and what a person said of it.
pub(crate) struct Labelled {
    /// The rule that it breaks; "-" when it is fine.
    pub(crate) rule: String,
    pub(crate) language: String,
    pub(crate) text: String,
    pub(crate) marks: Vec<Mark>,
}

impl Labelled {
    pub(crate) fn is_spam(&self) -> bool {
        self.rule != "-"
    }
}

/// All lines, of all files in the order of their names.
pub(crate) fn read() -> Result<Vec<Labelled>, String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/corpus/moderation");
    let entries = fs::read_dir(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    let mut files: Vec<_> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
    files.retain(|file| file.extension().is_some_and(|extension| extension == "tsv"));
    files.sort();
    let mut lines = Vec::new();
    for file in files {
        let text = fs::read_to_string(&file).map_err(|error| format!("{}: {error}", file.display()))?;
        for (number, row) in text.lines().enumerate().filter(|(_, row)| !row.starts_with('#')) {
            lines.push(parse(row).map_err(|error| format!("{}:{}: {error}", file.display(), number + 1))?);
        }
    }
    Ok(lines)
}

fn parse(row: &str) -> Result<Labelled, String> {
    let mut columns = row.split('\t');
    let (Some(label), Some(rule), Some(language), Some(text), None) =
        (columns.next(), columns.next(), columns.next(), columns.next(), columns.next())
    else {
        return Err("a row has four columns: label, rule, language, text".to_owned());
    };
    let fits = match label {
        "fine" => rule == "-",
        "spam" => Rule::named(rule).is_some(),
        _ => false,
    };
    if !fits {
        return Err(format!("`{label}` with the rule `{rule}` is no label"));
    }
    let (text, marks) = unmark(text);
    Ok(Labelled { rule: rule.to_owned(), language: language.to_owned(), text, marks })
}

/// Takes the marks out of a text.
fn unmark(marked: &str) -> (String, Vec<Mark>) {
    let (mut text, mut marks) = (String::new(), Vec::new());
    let mut start = 0;
    for part in marked.split_inclusive(EMOTE) {
        let bare = part.trim_end_matches(EMOTE);
        text.push_str(bare);
        if part.ends_with('⟧') {
            marks.push(Mark { kind: MarkKind::Emote, span: start..text.len() });
        }
        start = text.len();
    }
    (text, marks)
}
