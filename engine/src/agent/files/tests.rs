use std::os::unix::fs::PermissionsExt;

use super::*;

fn task(prompt: &str, context: Option<&str>) -> Task {
    Task { queue: "agent".to_owned(), prompt: prompt.to_owned(), context_json: context.map(str::to_owned), priority: 0 }
}

#[test]
fn author_and_text_come_from_the_context_where_it_has_them() {
    let cases = [
        (None, ("anon", "the prompt")),
        (Some(r#"{"author":"anna","text":"hi","room":1}"#), ("anna", "hi")),
        (Some(r#"{"author":"anna"}"#), ("anna", "the prompt")),
        (Some(r#"{"text":"hi"}"#), ("anon", "hi")),
        (Some("[1, 2]"), ("anon", "the prompt")),
        (Some("no JSON"), ("anon", "the prompt")),
    ];
    for (context, (author, text)) in cases {
        let line = QueueLine::new(&task("the prompt", context), 7);
        assert_eq!((&*line.author, &*line.text, line.ts), (author, text, 7), "{context:?}");
    }
}

#[tokio::test]
async fn each_task_is_one_line_behind_what_is_there() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("queue.jsonl");
    // The way its readers empty it.
    std::fs::write(&path, "\n").unwrap();
    let (handle, file) = QueueFile::new(path.clone());
    handle.append(&task("two\nlines \u{1f600}", Some(r#"{"author":"anna"}"#)), 1);
    handle.append(&task("second", None), 2);
    drop(handle);
    file.run(CancellationToken::new()).await;
    assert_eq!(
        std::fs::read_to_string(&path).unwrap(),
        "\n{\"author\":\"anna\",\"text\":\"two\\nlines \u{1f600}\",\"ts\":1}\n\
         {\"author\":\"anon\",\"text\":\"second\",\"ts\":2}\n"
    );
}

#[tokio::test]
async fn a_new_file_is_only_for_its_owner_and_what_came_before_the_end_is_in_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("queue.jsonl");
    let (handle, file) = QueueFile::new(path.clone());
    handle.append(&task("one", None), 1);
    let shutdown = CancellationToken::new();
    shutdown.cancel();
    file.run(shutdown).await;
    assert_eq!(std::fs::read_to_string(&path).unwrap().lines().count(), 1);
    assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
}

#[tokio::test]
async fn a_file_that_nobody_empties_stops_growing() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("queue.jsonl");
    std::fs::File::create(&path).unwrap().set_len(FILE_BYTES + 1).unwrap();
    let refused = append(&path, &[QueueLine::new(&task("one", None), 1)]).await.unwrap_err();
    assert!(refused.to_string().contains("does not empty it"), "{refused}");
    assert_eq!(std::fs::metadata(&path).unwrap().len(), FILE_BYTES + 1);
}

#[tokio::test]
async fn the_health_file_has_the_names_its_readers_know_and_nothing_is_left_beside_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("health.json");
    std::fs::write(&path, "a much longer text that was there before the first one was written by us").unwrap();
    let health = || Health { status: "connected".to_owned(), last_message: 5, reconnects: 2, uptime: 120_000 };
    let shutdown = CancellationToken::new();
    shutdown.cancel();
    HealthFile::new(path.clone()).run(health, shutdown).await;
    assert_eq!(
        std::fs::read_to_string(&path).unwrap(),
        r#"{"status":"connected","lastMessage":5,"reconnects":2,"uptime":120000}"#
    );
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
}

#[tokio::test(start_paused = true)]
async fn lines_that_could_not_be_written_come_when_they_can_each_once_and_in_order() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("agent").join("queue.jsonl");
    let (handle, file) = QueueFile::new(path.clone());
    let shutdown = CancellationToken::new();
    let running = tokio::spawn(file.run(shutdown.clone()));
    handle.append(&task("one", None), 1);
    // Its folder is not there, and it is tried again and again.
    tokio::time::sleep(RETRY * 3).await;
    handle.append(&task("two", None), 2);
    std::fs::create_dir(folder.path().join("agent")).unwrap();
    tokio::time::sleep(RETRY * 3).await;
    let prompts = || {
        let text = std::fs::read_to_string(&path).unwrap();
        text.lines().map(|line| serde_json::from_str::<QueueLine>(line).unwrap().text).collect::<Vec<_>>()
    };
    assert_eq!(prompts(), ["one", "two"]);

    // The same at the end: one last try.
    std::fs::remove_dir_all(folder.path().join("agent")).unwrap();
    handle.append(&task("three", None), 3);
    tokio::time::sleep(RETRY / 2).await;
    handle.append(&task("four", None), 4);
    std::fs::create_dir(folder.path().join("agent")).unwrap();
    shutdown.cancel();
    running.await.unwrap();
    assert_eq!(prompts(), ["three", "four"]);
}

#[tokio::test]
async fn a_health_file_that_cannot_be_put_in_its_place_leaves_nothing_beside_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("health.json");
    std::fs::create_dir(&path).unwrap();
    let health = Health { status: "connected".to_owned(), last_message: 5, reconnects: 2, uptime: 120_000 };
    replace(&path, &health).await.unwrap_err();
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
}
