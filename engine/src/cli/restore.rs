//! `showrunner restore`: a backup takes the place of the database.

use std::path::{Path, PathBuf};

use super::backup::{contents, unless_interrupted};
use super::output;
use crate::store::backup::{Restored, part_of, restore};
use crate::{config, store};

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// What `showrunner backup` has written.
    file: PathBuf,
}

pub(super) async fn execute(config: &Path, Arguments { file }: Arguments) -> anyhow::Result<()> {
    let database = store::path(&config::paths(config)?.data_dir);
    let part = part_of(&database);
    let (from, to) = (file, database.clone());
    let restored = unless_interrupted(&part, move || restore(&from, &to)).await?;
    output::line(describe(&restored, &database))
}

fn describe(Restored { copied, aside }: &Restored, database: &Path) -> String {
    let (file, database) = (copied.file.display(), database.display());
    let before = match aside {
        Some(aside) => format!("What was there before is kept as {}; remove it when all is well.", aside.display()),
        None => "There was none before.".to_owned(),
    };
    format!("{database} is now what {file} holds: {}.\n{before}", contents(copied))
}

#[cfg(test)]
mod tests {
    use crate::store::backup::Copied;

    use super::*;

    #[test]
    fn the_operator_is_told_where_the_old_database_is() {
        let copied = Copied { file: "b.db".into(), bytes: 1 << 20, version: 1, events: 2, tasks: 1, kv: 1 };
        let restored = Restored { copied, aside: Some("/d/showrunner.db.before".into()) };
        let text = describe(&restored, Path::new("/d/showrunner.db"));
        assert!(
            text.starts_with("/d/showrunner.db is now what b.db holds: 1.0 MiB with 2 events, 1 task and"),
            "{text}"
        );
        assert!(text.contains("kept as /d/showrunner.db.before;"), "{text}");
    }
}
