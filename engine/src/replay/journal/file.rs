//! A journal in a file of its own, as `export` writes it.

use std::fs;
use std::io::{self, BufRead, BufReader, Read as _};
use std::path::{Path, PathBuf};

use super::line::FirstLine;
use super::{FORMAT, Header, Line, RecordedPlugin};
use crate::recording::{Entry, OwnCall};
use crate::replay::error::JournalError;

/// A plugin's whole memory is on one line; more than this is no journal of ours.
const LINE_BYTES: u64 = 256 << 20;

/// Of what is wrong with a line this much is told, in characters: serde repeats what it did not expect.
const LONGEST_TOLD: usize = 200;

const NO_HEADER: &str = "its first line is not the header of a journal";

pub(super) struct File<R = BufReader<fs::File>> {
    /// Only told.
    path: PathBuf,
    reader: R,
    /// Of the line that was read last, from 1.
    line: u64,
    /// Whether that line has an end. A file that was cut off has one that has none.
    is_ended: bool,
    /// Read while looking for the end of the beginning.
    ahead: Option<Line>,
    has_ended: bool,
}

/// What stands before the first event.
pub(super) struct Beginning {
    pub(super) header: Header,
    pub(super) plugins: Vec<RecordedPlugin>,
    pub(super) own_calls: Vec<OwnCall>,
}

impl File {
    pub(super) fn open(path: &Path) -> Result<(Self, Beginning), JournalError> {
        let failed = |source| JournalError::Io { doing: "read the journal", path: path.to_owned(), source };
        Self::begin(path, BufReader::new(fs::File::open(path).map_err(failed)?))
    }
}

impl<R: BufRead> File<R> {
    fn begin(path: &Path, reader: R) -> Result<(Self, Beginning), JournalError> {
        let mut file = Self { path: path.to_owned(), reader, line: 0, is_ended: true, ahead: None, has_ended: false };
        let header = file.header()?;
        let mut beginning = Beginning { header, plugins: Vec::new(), own_calls: Vec::new() };
        loop {
            match file.read()? {
                Line::Plugin(plugin) => beginning.plugins.push(*plugin),
                Line::OwnCall(call) => beginning.own_calls.push(call),
                Line::Journal(_) => return Err(file.wrong(1, "a second header; the file holds two journals")),
                ahead @ (Line::Event(_) | Line::End(_)) => {
                    file.ahead = Some(ahead);
                    return Ok((file, beginning));
                }
            }
        }
    }

    pub(super) fn next_entry(&mut self) -> Result<Option<Entry>, JournalError> {
        while !self.has_ended {
            let line = match self.ahead.take() {
                Some(line) => line,
                None => self.read()?,
            };
            match line {
                Line::Event(entry) => return Ok(Some(*entry)),
                Line::End(_) => self.has_ended = true,
                Line::Journal(_) | Line::Plugin(_) | Line::OwnCall(_) => {
                    return Err(self.wrong(1, "it belongs before the first event"));
                }
            }
        }
        Ok(None)
    }

    fn header(&mut self) -> Result<Header, JournalError> {
        let Some(text) = self.text()? else { return Err(self.foreign("it is empty")) };
        let first = serde_json::from_str::<FirstLine>(&text).ok().filter(|first| first.line == "journal");
        let Some(FirstLine { format, engine, .. }) = first else { return Err(self.foreign(NO_HEADER)) };
        if format > FORMAT {
            return Err(JournalError::Newer { path: self.path.clone(), engine: one_line(&engine), found: format });
        }
        match self.parse(&text)? {
            Line::Journal(header) => Ok(header),
            _ => Err(self.foreign(NO_HEADER)),
        }
    }

    fn read(&mut self) -> Result<Line, JournalError> {
        match self.text()? {
            Some(text) => self.parse(&text),
            None => Err(self.cut()),
        }
    }

    fn parse(&self, text: &str) -> Result<Line, JournalError> {
        serde_json::from_str(text).map_err(|error| {
            if !self.is_ended && error.is_eof() {
                return self.cut();
            }
            let whole = error.to_string();
            // It counts lines from the beginning of each, which tells nobody anything.
            let problem = whole.split(" at line ").next().unwrap_or(&whole);
            self.wrong(error.column().max(1), &one_line(problem))
        })
    }

    fn cut(&self) -> JournalError {
        JournalError::Cut { path: self.path.clone(), line: self.line }
    }

    fn foreign(&self, problem: &str) -> JournalError {
        JournalError::Foreign { path: self.path.clone(), problem: problem.to_owned() }
    }

    fn wrong(&self, column: usize, problem: &str) -> JournalError {
        JournalError::Line { path: self.path.clone(), line: self.line, column, problem: problem.to_owned() }
    }

    /// The next line that is not empty; `None` at the end of the file.
    fn text(&mut self) -> Result<Option<String>, JournalError> {
        loop {
            let mut bytes = Vec::new();
            let read = self.reader.by_ref().take(LINE_BYTES).read_until(b'\n', &mut bytes);
            let read = read.map_err(|source| self.unreadable(source))?;
            if read == 0 {
                return Ok(None);
            }
            self.line += 1;
            self.is_ended = bytes.ends_with(b"\n");
            if read as u64 == LINE_BYTES {
                return Err(self.wrong(1, "the line is longer than 256 MiB"));
            }
            let text = String::from_utf8(bytes).map_err(|error| match error.utf8_error() {
                // The end of it is the beginning of a character.
                error if !self.is_ended && error.error_len().is_none() => self.cut(),
                error => self.wrong(error.valid_up_to() + 1, "this is not UTF-8"),
            })?;
            let text = text.trim();
            if !text.is_empty() {
                return Ok(Some(text.to_owned()));
            }
        }
    }

    fn unreadable(&self, source: io::Error) -> JournalError {
        JournalError::Io { doing: "read the journal", path: self.path.clone(), source }
    }
}

/// The file may come from anybody, and a screen must not be filled or steered by what it holds.
fn one_line(problem: &str) -> String {
    problem.chars().filter(|character| !character.is_control()).take(LONGEST_TOLD).collect()
}

#[cfg(test)]
mod fuzz;
