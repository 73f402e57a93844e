//! The plugin contract may grow, never change: compares `wit/plugin.wit` with its frozen copies.
//!
//! A component that was built against a frozen version must load for ever, so every type must be identical,
//! every function still there with the same signature, and the exports exactly the same. New functions and
//! new interfaces to import hurt nobody. `wit/VERSIONING.md` has the reasons, and says when a copy may be
//! refreshed; the command is
//! `SHOWRUNNER_REFRESH_CONTRACT=1 cargo test -p showrunner-tests --test contract`.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test may assume, and ids of one resolve are always there"
)]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use wit_parser::{Function, Resolve, Type, TypeDefKind, TypeId, WorldItem, WorldKey};

/// What a contract consists of: a name for each part, and its shape as text. Two contracts are the same when
/// these are.
type Parts = BTreeMap<String, String>;

fn wit_folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../wit")
}

fn frozen_copies() -> Vec<PathBuf> {
    let files = fs::read_dir(wit_folder().join("frozen")).unwrap().map(|entry| entry.unwrap().path());
    let mut copies: Vec<PathBuf> = files.filter(|path| path.extension().is_some_and(|end| end == "wit")).collect();
    copies.sort();
    copies
}

#[test]
fn the_contract_is_as_it_was_frozen() {
    let current = fs::read_to_string(wit_folder().join("plugin.wit")).unwrap();
    let copies = frozen_copies();
    assert!(!copies.is_empty(), "wit/frozen holds no copy");
    for path in copies {
        if std::env::var_os("SHOWRUNNER_REFRESH_CONTRACT").is_some() && is_open(&path) {
            fs::write(&path, &current).unwrap();
        }
        let frozen = fs::read_to_string(&path).unwrap();
        let differences = differences(&frozen, &current);
        assert!(
            differences.is_empty(),
            "wit/plugin.wit broke the contract in {}:\n  {}\nPlugins in the field would no longer load. \
             wit/VERSIONING.md says what may change and how.",
            path.file_name().unwrap().to_string_lossy(),
            differences.join("\n  ")
        );
    }
}

/// Whether VERSIONING.md calls this version open, which alone allows its copy to follow the contract.
fn is_open(copy: &Path) -> bool {
    let version = copy.file_stem().unwrap().to_string_lossy();
    let versioning = fs::read_to_string(wit_folder().join("VERSIONING.md")).unwrap();
    versioning
        .lines()
        .any(|line| line.starts_with('|') && line.contains(&format!("`{version}`")) && line.contains("open"))
}

/// Everything in which `current` is no superset of `frozen`.
fn differences(frozen: &str, current: &str) -> Vec<String> {
    let (frozen, current) = (parts(frozen), parts(current));
    let mut differences = Vec::new();
    for (name, shape) in &frozen {
        match current.get(name) {
            None => differences.push(format!("{name} is gone; it was {shape}")),
            Some(now) if now != shape => differences.push(format!("{name} was {shape} and is {now}")),
            Some(_) => {}
        }
    }
    for (name, shape) in current.iter().filter(|(name, _)| !frozen.contains_key(*name)) {
        if name.starts_with("export ") {
            differences.push(format!("{name} is new: {shape}; old plugins do not have it"));
        }
    }
    differences
}

fn parts(text: &str) -> Parts {
    let mut resolve = Resolve::default();
    let package = resolve.push_source("plugin.wit", text).unwrap_or_else(|error| panic!("{error:#}"));
    let mut parts = Parts::new();
    let name = &resolve.packages[package].name;
    parts.insert("package".to_owned(), format!("{}:{} of {}", name.namespace, name.name, compatible_version(name)));
    for (interface_name, id) in &resolve.packages[package].interfaces {
        let interface = &resolve.interfaces[*id];
        let kind = if is_exported(&resolve, *id) { "export" } else { "import" };
        for (type_name, type_id) in &interface.types {
            parts.insert(format!("type {interface_name}.{type_name}"), shape(&resolve, *type_id));
        }
        for (function_name, function) in &interface.functions {
            parts.insert(format!("{kind} {interface_name}.{function_name}"), signature(&resolve, function));
        }
    }
    for (world_name, id) in &resolve.packages[package].worlds {
        let world = &resolve.worlds[*id];
        for key in world.imports.keys() {
            parts.insert(format!("import of world {world_name}: {}", key_name(&resolve, key)), "imported".to_owned());
        }
        for key in world.exports.keys() {
            parts.insert(format!("export of world {world_name}: {}", key_name(&resolve, key)), "exported".to_owned());
        }
    }
    parts
}

/// 0.1.0 and 0.1.1 are one name to a linker; 0.2.0 is another.
fn compatible_version(name: &wit_parser::PackageName) -> String {
    let version = name.version.as_ref().expect("the package has a version");
    if version.major == 0 { format!("0.{}", version.minor) } else { version.major.to_string() }
}

/// What a world imports or exports, without the package's version, which is compared once for all.
fn key_name(resolve: &Resolve, key: &WorldKey) -> String {
    let name = resolve.name_world_key(key);
    name.split_once('@').map_or(name.clone(), |(name, _)| name.to_owned())
}

fn is_exported(resolve: &Resolve, wanted: wit_parser::InterfaceId) -> bool {
    let is_it = |item: &WorldItem| matches!(item, WorldItem::Interface { id, .. } if *id == wanted);
    resolve.worlds.iter().any(|(_, world)| world.exports.values().any(is_it))
}

fn signature(resolve: &Resolve, function: &Function) -> String {
    let parameters: Vec<String> = function
        .params
        .iter()
        .map(|parameter| format!("{}: {}", parameter.name, name_of(resolve, &parameter.ty)))
        .collect();
    let result = function.result.as_ref().map_or_else(|| "_".to_owned(), |result| name_of(resolve, result));
    format!("func({}) -> {result}", parameters.join(", "))
}

/// A type as another one mentions it: its name where it has one, else what it is made of.
fn name_of(resolve: &Resolve, mentioned: &Type) -> String {
    match mentioned {
        Type::Id(id) => resolve.types[*id].name.clone().unwrap_or_else(|| shape(resolve, *id)),
        primitive => format!("{primitive:?}").to_lowercase(),
    }
}

/// What a type is made of. The order of fields and cases counts: it is a part of how they are handed over.
fn shape(resolve: &Resolve, id: TypeId) -> String {
    let list = |items: Vec<String>| items.join(", ");
    let optional =
        |mentioned: &Option<Type>| mentioned.as_ref().map_or_else(|| "_".to_owned(), |it| name_of(resolve, it));
    match &resolve.types[id].kind {
        TypeDefKind::Record(record) => {
            let fields = record.fields.iter().map(|field| format!("{}: {}", field.name, name_of(resolve, &field.ty)));
            format!("record {{ {} }}", list(fields.collect()))
        }
        TypeDefKind::Variant(variant) => {
            let cases = variant.cases.iter().map(|case| format!("{}({})", case.name, optional(&case.ty)));
            format!("variant {{ {} }}", list(cases.collect()))
        }
        TypeDefKind::Enum(cases) => {
            format!("enum {{ {} }}", list(cases.cases.iter().map(|case| case.name.clone()).collect()))
        }
        TypeDefKind::Flags(flags) => {
            format!("flags {{ {} }}", list(flags.flags.iter().map(|flag| flag.name.clone()).collect()))
        }
        TypeDefKind::Option(some) => format!("option<{}>", name_of(resolve, some)),
        TypeDefKind::List(item) => format!("list<{}>", name_of(resolve, item)),
        TypeDefKind::Tuple(tuple) => {
            format!("tuple<{}>", list(tuple.types.iter().map(|item| name_of(resolve, item)).collect()))
        }
        TypeDefKind::Result(result) => format!("result<{}, {}>", optional(&result.ok), optional(&result.err)),
        TypeDefKind::Type(alias) => format!("the same as {}", name_of(resolve, alias)),
        // Resources, futures and streams are not a part of the contract; one that appears is a difference.
        other => format!("{other:?}"),
    }
}

mod the_comparison {
    use super::differences;

    const FROZEN: &str = "
        package a:b@0.1.0;
        interface types {
            record user { id: string, age: option<u32> }
            variant event { chat(user), other }
            enum color { red, green }
            flags roles { vip, bot }
        }
        interface chat { use types.{user}; say: func(to: user, text: string) -> result<u32, string>; }
        interface handler { use types.{event}; handle: func(event: event) -> result<_, string>; }
        world plugin { import chat; export handler; }
    ";

    /// What the comparison says when the contract is changed in one place.
    fn change(from: &str, to: &str) -> Vec<String> {
        assert!(FROZEN.contains(from), "{from}");
        differences(FROZEN, &FROZEN.replace(from, to))
    }

    #[test]
    fn additions_to_what_plugins_import_are_allowed() {
        for (from, to) in [
            ("interface chat {", "interface extra { more: func(); } interface chat {"),
            (
                "interface chat { use types.{user};",
                "interface chat { use types.{user}; record new { a: u8 } wave: func(); ",
            ),
            ("import chat;", "import chat; import more: interface { x: func(); }"),
            ("record user", "/// Explained.\n record user"),
            ("package a:b@0.1.0", "package a:b@0.1.1"),
        ] {
            assert_eq!(change(from, to), Vec::<String>::new(), "{to}");
        }
    }

    #[test]
    fn everything_else_is_told() {
        for (from, to, told) in [
            ("id: string,", "", "type types.user was record { id: string, age: option<u32> }"),
            ("id: string,", "id: u32,", "type types.user"),
            ("age: option<u32>", "age: option<u64>", "type types.user"),
            ("id: string, age: option<u32>", "age: option<u32>, id: string", "type types.user"),
            ("age: option<u32>", "age: option<u32>, more: u8", "type types.user"),
            ("chat(user), other", "chat(user), other, new", "type types.event"),
            ("red, green", "red, green, blue", "type types.color"),
            ("vip, bot", "vip, bot, staff", "type types.roles"),
            (
                "text: string",
                "words: string",
                "import chat.say was func(to: user, text: string) -> result<u32, string>",
            ),
            ("say:", "tell:", "import chat.say is gone"),
            ("import chat;", "", "import of world plugin: a:b/chat is gone"),
            ("handle: func", "init: func(); handle: func", "export handler.init is new"),
            ("export handler;", "export handler; export more: func();", "export of world plugin: more is new"),
            ("result<_, string>", "result<u8, string>", "export handler.handle was"),
            ("package a:b@0.1.0", "package a:b@0.2.0", "package was a:b of 0.1 and is a:b of 0.2"),
        ] {
            let differences = change(from, to);
            assert!(differences.iter().any(|line| line.starts_with(told)), "{to}: {differences:?}");
        }
    }
}
