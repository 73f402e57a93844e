use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::effort;
use crate::line::Mark;

fn links(allow: &[&str]) -> Links {
    Links::new(&serde_json::from_value(json!({ "allow": allow })).unwrap()).unwrap()
}

fn found_in(links: &Links, text: &str, marks: Vec<Mark>) -> Option<String> {
    let line = Line::new(text, marks);
    let mut found = None;
    links.find(&line, &mut |finding| found = Some(line.text()[finding.span].to_owned()));
    found
}

fn found(text: &str) -> Option<String> {
    found_in(&links(&[]), text, Vec::new())
}

#[test]
fn links_are_found_as_they_stand() {
    for (text, link) in [
        ("see Example.com now", "Example.com"),
        ("(example.com)", "example.com"),
        ("example.com.", "example.com"),
        ("https://example.com/a?b#c d", "example.com/a?b#c"),
        ("example.com:8080/x y", "example.com:8080/x"),
        ("http://192.0.2.7/x", "192.0.2.7/x"),
        ("http://intranet.unknown", "intranet.unknown"),
        ("a.b.example.co.uk", "a.b.example.co.uk"),
        ("https://good.example@evil.com/", "good.example@evil.com/"),
        ("t.me/group", "t.me/group"),
        ("www.example.it", "www.example.it"),
        ("my-shop.it", "my-shop.it"),
        ("Win.Top", "Win.Top"),
        ("win.shop SHOP.ONLINE", "win.shop"),
        ("hxxps://example.com", "example.com"),
        ("e\u{200b}xample.c\u{200b}om", "e\u{200b}xample.c\u{200b}om"),
        ("ｅｘａｍｐｌｅ．ｃｏｍ", "ｅｘａｍｐｌｅ．ｃｏｍ"),
        ("example。com", "example。com"),
        ("example•com", "example•com"),
        ("ехample.соm", "ехample.соm"),
        ("пример.рф", "пример.рф"),
        ("見てexample.jpだよ", "example.jp"),
        ("https://مثال.إختبار/x", "مثال.إختبار/x"),
    ] {
        assert_eq!(found(text).as_deref(), Some(link), "{text}");
    }
}

#[test]
fn links_written_around_the_rule_are_found() {
    for text in [
        "example dot com",
        "example (dot) com",
        "example [DOT] net",
        "example . com",
        "example .com",
        "example[.]com",
        "example (.) tv",
        "www example org",
        "beispiel punkt de",
        "ejemplo punto com",
        "пример точка ру",
        "example dot соm",
    ] {
        assert_eq!(found(text).as_deref(), Some(text));
    }
    assert_eq!(found("go to example dot com/now please").as_deref(), Some("example dot com/now"));
}

#[test]
fn what_only_looks_like_a_link_is_none() {
    for text in [
        "1.40",
        "clip.mp4",
        "1:15:20",
        "v1.2.3-rc.1",
        "main.rs README.md install.sh",
        "nice.it works",
        "gg.wp",
        "ok...so",
        "me@example.com",
        "@some.one",
        "1.top lane",
        "192.0.2.7",
        "the dot com bubble",
        "use .net or .io",
        "done. com certeza",
        "ок.со мной",
        "a . b",
        "x.",
        ".com",
        "://",
        "http://localhost:3000/",
        "good one.Live and learn",
        "au point com on dit",
        "word•word",
    ] {
        assert_eq!(found(text), None, "{text}");
    }
}

#[test]
fn a_platform_that_made_a_link_of_it_knows() {
    let mark = |start| vec![Mark { kind: MarkKind::Link, span: start..start + 7 }];
    assert_eq!(found_in(&links(&[]), "go visit.me now", mark(3)).as_deref(), Some("visit.me"));
    assert_eq!(found_in(&links(&[]), "go visit.me now", mark(8)).as_deref(), Some("visit.me"));
    assert_eq!(found_in(&links(&[]), "or clip.mp4 now", mark(3)), None);
}

#[test]
fn allowed_places_are_hosts_with_what_is_below_them() {
    let links = links(&["youtube.com", "https://www.example.org/alice/"]);
    for text in [
        "youtube.com",
        "https://WWW.YouTube.com/watch?v=1",
        "m.youtube.com:443/x",
        "youtube dot com",
        "example.org/alice",
        "example.org/alice/clip?x",
        "見てyoutube.comだよ",
        "https://youtube.comを見て",
    ] {
        assert_eq!(found_in(&links, text, Vec::new()), None, "{text}");
    }
    for text in [
        "notyoutube.com",
        "youtube.com.evil.ru",
        "https://youtube.com@evil.ru/",
        "evil.ru/youtube.com",
        "уoutube.com",
        "example.org",
        "example.org/alicent",
        "youtube.com and evil.ru",
    ] {
        assert!(found_in(&links, text, Vec::new()).is_some(), "{text}");
    }
    for place in ["", "youtube", "a b.com", "*", ".com", "user@host.com", "https://"] {
        assert!(Allowed::new(&[place.to_owned()]).is_err(), "{place}");
    }
}

#[test]
fn the_work_grows_with_the_text_and_no_faster() {
    for unit in ["a.", "a.b@", "a", "://a.b@", ".", "- dot ", "a . com ", "http://", "a.b/", "•a", "ｗ．", "://x"] {
        let effort = |count: usize| {
            let text = unit.repeat(count);
            effort::of(|| drop(found_in(&links(&["x.y"]), &text, Vec::new())))
        };
        let (short, long) = (effort(200), effort(800));
        assert!(long <= 5 * short + 500, "{unit:?}: {short} steps, and {long} for four times the text");
    }
}

proptest! {
    #[test]
    fn an_allowed_link_is_never_reported(
        scheme in "(https?://)?(www\\.)?", sub in "([a-z0-9]{1,8}\\.){0,2}", path in "(/[a-zA-Z0-9_?=&%.-]{0,20}){0,3}",
        before in "[ (\"]?", behind in "[ )!,]?",
    ) {
        let text = format!("{before}{scheme}{sub}youtube.com{path}{behind}");
        prop_assert_eq!(found_in(&links(&["youtube.com"]), &text, Vec::new()), None, "{}", text);
    }

    #[test]
    fn no_text_is_too_strange(text in any::<String>(), dotted in "[a-zа-я.。•:/@ -]{0,60}") {
        found(&text);
        found(&dotted);
    }
}
