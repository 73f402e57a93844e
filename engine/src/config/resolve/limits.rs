//! `[host.limits]`: what one plugin may use.

use std::time::Duration;

use super::Resolver;
use crate::config::defaults::bounded;
use crate::config::problem::KeyPath;
use crate::config::raw::HostLimits;
use crate::config::settings::Limits;
use crate::config::units::{Size, Time};

/// Guest time of a call: a plugin that needs longer belongs into a program of its own.
const CALL: (Time, Time) = (Time::milliseconds(1), Time::seconds(60));

const KIB: u64 = 1 << 10;
const MIB: u64 = 1 << 20;

impl Resolver<'_> {
    pub(super) fn limits(&mut self, raw: &HostLimits) -> Limits {
        let normal = Limits::default();
        let limits = Limits {
            memory_bytes: self.bytes("memory", raw.memory, normal.memory_bytes, MIB, 4096 * MIB),
            component_bytes: self.size("component-size", raw.component_size, normal.component_bytes, MIB, 512 * MIB),
            handle: self.limit_time("handle", raw.handle, normal.handle, CALL),
            review: self.limit_time("review", raw.review, normal.review, CALL),
            init: self.limit_time("init", raw.init, normal.init, CALL),
            save: self.limit_time("save", raw.save, normal.save, CALL),
            restore: self.limit_time("restore", raw.restore, normal.restore, CALL),
            effects: self.count("effects", raw.effects, normal.effects, 1, 1024),
            effect_bytes: self.bytes("effect-size", raw.effect_size, normal.effect_bytes, KIB, 16 * MIB),
            kv_bytes: self.bytes("kv-size", raw.kv_size, normal.kv_bytes, KIB, 256 * MIB),
            kv_value_bytes: self.bytes("kv-value-size", raw.kv_value_size, normal.kv_value_bytes, KIB, 16 * MIB),
            log_lines_per_second: self.count(
                "log-lines-per-second",
                raw.log_lines_per_second,
                normal.log_lines_per_second,
                1,
                10_000,
            ),
            http_timeout: self.limit_time("http-timeout", raw.http_timeout, normal.http_timeout, CALL),
            http_body_bytes: self.bytes("http-body-size", raw.http_body_size, normal.http_body_bytes, KIB, 64 * MIB),
            http_concurrent: self.number("http-concurrent", raw.http_concurrent, normal.http_concurrent, 1, 64),
            http_per_minute: self.count("http-per-minute", raw.http_per_minute, normal.http_per_minute, 1, 100_000),
            timers: self.number("timers", raw.timers, normal.timers, 1, 10_000),
        };
        if limits.kv_value_bytes > limits.kv_bytes {
            let message = "one value can't be larger than all of them together (host.limits.kv-size)";
            self.found(key("kv-value-size"), message);
        }
        limits
    }

    fn limit_time(
        &mut self,
        name: &str,
        given: Option<Time>,
        normal: Duration,
        (least, most): (Time, Time),
    ) -> Duration {
        self.time(key(name), given, bounded(Time(normal), least, most))
    }

    fn size(&mut self, name: &str, given: Option<Size>, normal: u64, least: u64, most: u64) -> u64 {
        self.within(key(name), given, bounded(Size(normal), Size(least), Size(most))).0
    }

    fn bytes(&mut self, name: &str, given: Option<Size>, normal: usize, least: u64, most: u64) -> usize {
        // The range keeps it far below what a usize holds.
        usize::try_from(self.size(name, given, normal as u64, least, most)).unwrap_or(normal)
    }

    fn count(&mut self, name: &str, given: Option<u32>, normal: u32, least: u32, most: u32) -> u32 {
        self.within(key(name), given, bounded(normal, least, most))
    }

    fn number(&mut self, name: &str, given: Option<u32>, normal: usize, least: u32, most: u32) -> usize {
        let given = given.map_or(normal, |given| given as usize);
        self.within(key(name), Some(given), bounded(normal, least as usize, most as usize))
    }
}

fn key(name: &str) -> KeyPath {
    KeyPath::of("host.limits").key(name)
}
