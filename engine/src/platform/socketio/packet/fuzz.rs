//! Whatever the text is: it is read or refused in one short line, and what was read can be written and read again.

use showrunner_fuzz::{assert_one_short_line, fuzz_text};

use super::*;

#[test]
fn engine_packets() {
    fuzz_text!(16, |text| match EnginePacket::parse(text) {
        Ok(EnginePacket::Open(open)) => assert!((SHORTEST_PATIENCE..=LONGEST_PATIENCE).contains(&open.patience())),
        Ok(EnginePacket::Message(packet)) => assert_eq!(Some(packet), text.strip_prefix('4')),
        Ok(EnginePacket::Close | EnginePacket::Ping | EnginePacket::Noop) => {}
        Err(error) => assert_one_short_line(&error.to_string()),
    });
}

#[test]
fn socketio_packets() {
    fuzz_text!(192, |text| {
        let packet = match Packet::parse(text) {
            Ok(packet) => packet,
            Err(error) => return assert_one_short_line(&error.to_string()),
        };
        assert!(packet.attachments() <= MAX_ATTACHMENTS);
        let frame = packet.encode();
        let written = match EnginePacket::parse(&frame) {
            Ok(EnginePacket::Message(written)) => written,
            other => panic!("{other:?}"),
        };
        let again = Packet::parse(written).unwrap();
        assert_eq!((&again.namespace, kind(&again.body)), (&packet.namespace, kind(&packet.body)));
        if !values(&packet.body).any(has_decimals) {
            assert_eq!(again.encode(), frame);
        }
    });
}

fn kind(body: &Body) -> (&str, Option<u64>) {
    match body {
        Body::Connect { .. } => ("connect", None),
        Body::Disconnect => ("disconnect", None),
        Body::Event { name, ack, .. } => (name, *ack),
        Body::Ack { id, .. } => ("ack", Some(*id)),
        Body::ConnectError { message, .. } => (message, None),
    }
}

fn values(body: &Body) -> impl Iterator<Item = &Value> {
    let (args, data): (&[Value], _) = match body {
        Body::Event { args, .. } | Body::Ack { args, .. } => (args, None),
        Body::Connect { data } | Body::ConnectError { data, .. } => (&[], data.as_ref()),
        Body::Disconnect => (&[], None),
    };
    args.iter().chain(data)
}

/// What is written of a decimal may be read differently in its last place.
fn has_decimals(value: &Value) -> bool {
    match value {
        Value::Number(number) => number.is_f64(),
        Value::Array(items) => items.iter().any(has_decimals),
        Value::Object(fields) => fields.values().any(has_decimals),
        _ => false,
    }
}
