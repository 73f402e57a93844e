use proptest::prelude::*;
use serde_json::json;

use super::*;

fn event(name: &str, args: Vec<Value>) -> Body {
    Body::Event { name: name.into(), args, ack: None, attachments: 0 }
}

#[test]
fn engine_packets_are_told_by_their_digit() {
    let open = r#"0{"sid":"lv_VI97HAXpY6yYWAAAC","upgrades":[],"pingInterval":25000,"pingTimeout":20000,"maxPayload":1000000}"#;
    match EnginePacket::parse(open) {
        Ok(EnginePacket::Open(open)) => {
            assert_eq!(open.sid, "lv_VI97HAXpY6yYWAAAC");
            assert_eq!(open.patience(), Duration::from_secs(45));
            assert_eq!(open.max_payload, 1_000_000);
        }
        other => panic!("{other:?}"),
    }
    assert_eq!(EnginePacket::parse("1"), Ok(EnginePacket::Close));
    assert_eq!(EnginePacket::parse("2"), Ok(EnginePacket::Ping));
    assert_eq!(EnginePacket::parse("40"), Ok(EnginePacket::Message("0")));
    assert_eq!(EnginePacket::parse("6"), Ok(EnginePacket::Noop));
    assert_eq!(EnginePacket::parse(""), Err(PacketError::Empty));
    assert_eq!(EnginePacket::parse("7"), Err(PacketError::UnknownType('7')));
    assert_eq!(EnginePacket::parse("☀"), Err(PacketError::UnknownType('☀')));
    assert_eq!(EnginePacket::parse("3"), Err(PacketError::Unexpected("pong")));
    for open in ["0", "0null", "0[]", r#"0{"sid":"a"}"#, r#"0{"sid":"a","pingInterval":-1,"pingTimeout":1}"#] {
        assert!(matches!(EnginePacket::parse(open), Err(PacketError::Open(_))), "{open}");
    }
}

#[test]
fn absurd_ping_times_are_brought_to_reason() {
    for (interval, timeout, patience) in [(0, 0, SHORTEST_PATIENCE), (u64::MAX, u64::MAX, LONGEST_PATIENCE)] {
        let open = format!(r#"{{"sid":"a","pingInterval":{interval},"pingTimeout":{timeout}}}"#);
        assert_eq!(serde_json::from_str::<Open>(&open).unwrap().patience(), patience);
    }
}

#[test]
fn packets_of_the_reference_are_read() {
    let admin = |body| Packet { namespace: "/admin".into(), body };
    let cases = [
        ("0", Packet::main(Body::Connect { data: None })),
        (r#"0{"sid":"b"}"#, Packet::main(Body::Connect { data: Some(json!({"sid": "b"})) })),
        (r#"0/admin,{"token":"x"}"#, admin(Body::Connect { data: Some(json!({"token": "x"})) })),
        ("0/admin?token=x,", admin(Body::Connect { data: None })),
        ("0/admin", admin(Body::Connect { data: None })),
        ("1", Packet::main(Body::Disconnect)),
        ("1/admin,", admin(Body::Disconnect)),
        (r#"2["joinRoom",{"roomId":"u1"}]"#, Packet::main(event("joinRoom", vec![json!({"roomId": "u1"})]))),
        (r#"2["a",null,1,"x",[]]"#, Packet::main(event("a", vec![json!(null), json!(1), json!("x"), json!([])]))),
        ("2[7]", Packet::main(event("7", vec![]))),
        (
            r#"212["foo"]"#,
            Packet::main(Body::Event { name: "foo".into(), args: vec![], ack: Some(12), attachments: 0 }),
        ),
        (r#"2/admin,1["foo"]"#, admin(Body::Event { name: "foo".into(), args: vec![], ack: Some(1), attachments: 0 })),
        (r#"312["bar"]"#, Packet::main(Body::Ack { id: 12, args: vec![json!("bar")], attachments: 0 })),
        (
            r#"51-["file",{"_placeholder":true,"num":0}]"#,
            Packet::main(Body::Event {
                name: "file".into(),
                args: vec![json!({"_placeholder": true, "num": 0})],
                ack: None,
                attachments: 1,
            }),
        ),
        (
            r#"52-/admin,13["file"]"#,
            admin(Body::Event { name: "file".into(), args: vec![], ack: Some(13), attachments: 2 }),
        ),
        (r#"61-12[{"num":0}]"#, Packet::main(Body::Ack { id: 12, args: vec![json!({"num": 0})], attachments: 1 })),
        (
            r#"4{"message":"Not authorized","data":{}}"#,
            Packet::main(Body::ConnectError { message: "Not authorized".into(), data: Some(json!({})) }),
        ),
        (
            r#"4/admin,{"message":"Invalid namespace"}"#,
            admin(Body::ConnectError { message: "Invalid namespace".into(), data: None }),
        ),
        (r#"4"old""#, Packet::main(Body::ConnectError { message: "old".into(), data: None })),
    ];
    for (text, packet) in cases {
        assert_eq!(Packet::parse(text), Ok(packet), "{text}");
    }
}

#[test]
fn broken_packets_are_errors() {
    let cases = [
        "",
        "9",
        "x",
        "2",
        "2[]",
        "2{}",
        "2null",
        "2[null]",
        "2[{}]",
        r#"2["a""#,
        "212",
        "2-1[\"a\"]",
        "3[]",
        "3",
        "31",
        "31{}",
        "5[\"a\"]",
        "5-[\"a\"]",
        "5x-[\"a\"]",
        "511-[\"a\"]",
        "599999999999999999999999-[\"a\"]",
        "0{",
        "4{",
        "299999999999999999999999[\"a\"]",
        "2/admin",
        "2/admin,",
    ];
    for text in cases {
        assert!(Packet::parse(text).is_err(), "{text}");
    }
    assert_eq!(Packet::parse("511-[\"a\"]"), Err(PacketError::TooManyAttachments(11)));
}

#[test]
fn nested_json_is_bounded() {
    let deep = format!("2[\"a\",{}{}]", "[".repeat(100_000), "]".repeat(100_000));
    assert!(Packet::parse(&deep).is_err());
}

#[test]
fn what_is_sent_looks_as_the_protocol_says() {
    let join = Packet::main(event("joinRoom", vec![json!({"roomId": "u1"})]));
    assert_eq!(join.encode(), r#"42["joinRoom",{"roomId":"u1"}]"#);
    assert_eq!(Packet::main(Body::Connect { data: None }).encode(), "40");
    let ack = Packet::main(Body::Ack { id: 12, args: vec![], attachments: 0 });
    assert_eq!(ack.encode(), "4312[]");
}

fn json_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        ".{0,12}".prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 16, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map(".{0,6}", inner, 0..4).prop_map(|map| map.into_iter().collect()),
        ]
    })
}

fn packet() -> impl Strategy<Value = Packet> {
    let args = || prop::collection::vec(json_value(), 0..4);
    let body = prop_oneof![
        prop::option::of(json_value().prop_filter("null is nothing", |value| !value.is_null()))
            .prop_map(|data| Body::Connect { data }),
        Just(Body::Disconnect),
        (".{0,12}", args(), prop::option::of(any::<u64>())).prop_map(|(name, args, ack)| Body::Event {
            name,
            args,
            ack,
            attachments: 0
        }),
        (any::<u64>(), args()).prop_map(|(id, args)| Body::Ack { id, args, attachments: 0 }),
    ];
    (prop_oneof![Just(String::new()), "/[a-z]{1,8}"], body).prop_map(|(namespace, body)| Packet { namespace, body })
}

proptest! {
    #[test]
    fn what_is_written_is_read_again(packet in packet()) {
        let frame = packet.encode();
        match EnginePacket::parse(&frame) {
            Ok(EnginePacket::Message(text)) => prop_assert_eq!(Packet::parse(text), Ok(packet)),
            other => prop_assert!(false, "{:?}", other),
        }
    }
}
