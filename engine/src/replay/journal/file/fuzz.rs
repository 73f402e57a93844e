//! A journal that anybody may have written: it is read to its last line, or its error says where it ends.

use showrunner_fuzz::{assert_one_short_line, fuzz_bytes};

use super::super::End;
use super::*;

#[test]
fn journals() {
    fuzz_bytes!(256, |bytes| {
        let lines = bytes.split(|byte| *byte == b'\n').count() as u64;
        match read_all(bytes) {
            Ok((beginning, entries)) => {
                assert!(beginning.header.format <= FORMAT);
                let all = beginning.plugins.len() + beginning.own_calls.len() + entries.len();
                assert!(
                    all as u64 + 2 <= lines,
                    "{all} are of {lines} lines, of which the first and the last are none"
                );
                assert_eq!(read_all(&written(&beginning, &entries)).unwrap().1, entries);
            }
            Err(error) => {
                assert_one_short_line(&error.to_string());
                if let JournalError::Line { line, .. } | JournalError::Cut { line, .. } = error {
                    assert!((1..=lines).contains(&line), "line {line} of {lines}");
                }
            }
        }
    });
}

fn read_all(bytes: &[u8]) -> Result<(Beginning, Vec<Entry>), JournalError> {
    let (mut file, beginning) = File::begin(Path::new("journal"), bytes)?;
    let mut entries = Vec::new();
    while let Some(entry) = file.next_entry()? {
        entries.push(entry);
    }
    assert!(file.next_entry()?.is_none(), "what has ended stays so");
    Ok((beginning, entries))
}

/// As `export` writes it.
fn written(Beginning { header, plugins, own_calls }: &Beginning, entries: &[Entry]) -> Vec<u8> {
    let plugins = plugins.iter().cloned().map(|plugin| Line::Plugin(Box::new(plugin)));
    let own_calls = own_calls.iter().cloned().map(Line::OwnCall);
    let events = entries.iter().cloned().map(|entry| Line::Event(Box::new(entry)));
    let header = std::iter::once(Line::Journal(header.clone()));
    let end = Line::End(End { events: entries.len() as u64 });
    let lines = header.chain(plugins).chain(own_calls).chain(events).chain([end]);
    lines.flat_map(|line| [serde_json::to_vec(&line).unwrap(), vec![b'\n']].concat()).collect()
}
