//! Which addresses are out in the world, and a resolver that knows no others.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use reqwest::dns::{Addrs, Name, Resolve, Resolving};

/// Resolves as the system does, and drops every address that is not public. What is left is what gets dialled, so
/// nothing can change between the check and the connection.
pub(super) struct PublicOnly;

#[derive(Debug, thiserror::Error)]
#[error("denied: {0} leads to an address that is not public")]
struct NotPublic(String);

/// Whether a request failed because its name leads nowhere public.
pub(super) fn is_refusal(error: &(dyn std::error::Error + 'static)) -> bool {
    std::iter::successors(Some(error), |error| error.source()).any(|error| error.is::<NotPublic>())
}

impl Resolve for PublicOnly {
    fn resolve(&self, name: Name) -> Resolving {
        Box::pin(async move {
            let found = tokio::net::lookup_host((name.as_str(), 0)).await?;
            let public: Vec<SocketAddr> = found.filter(|address| is_public(address.ip())).collect();
            if public.is_empty() {
                return Err(NotPublic(name.as_str().to_owned()).into());
            }
            let addresses: Addrs = Box::new(public.into_iter());
            Ok(addresses)
        })
    }
}

/// Neither this machine, nor this network, nor anything special (RFC 6890 and its updates).
pub(super) fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => match embedded_v4(address) {
            Some(inner) => is_public_v4(inner),
            None => is_public_v6(address),
        },
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    let [first, second, third, _] = address.octets();
    let special = address.is_loopback()
        || address.is_private()
        || address.is_link_local()
        || address.is_broadcast()
        || address.is_multicast()
        || address.is_documentation()
        || first == 0
        || first >= 240
        // Carrier-grade NAT, protocol assignments, benchmarks, the old 6to4 relays.
        || (first == 100 && (64..128).contains(&second))
        || (first == 192 && second == 0 && third == 0)
        || (first == 198 && (18..20).contains(&second))
        || (first == 192 && second == 88 && third == 99);
    !special
}

fn is_public_v6(address: Ipv6Addr) -> bool {
    let [first, second, ..] = address.segments();
    // Only 2000::/3 is given out at all; of that, documentation and Teredo are out.
    first & 0xe000 == 0x2000 && !(first == 0x2001 && (second == 0x0db8 || second < 0x0200))
}

/// The IPv4 address inside of an IPv4-mapped, -compatible, NAT64 or 6to4 one: the packet would go there.
fn embedded_v4(address: Ipv6Addr) -> Option<Ipv4Addr> {
    let [a, b, c, d, e, f, high, low] = address.segments();
    let v4 = |high: u16, low: u16| Ipv4Addr::from((u32::from(high) << 16) | u32::from(low));
    match (a, b, c, d, e, f) {
        (0, 0, 0, 0, 0, 0 | 0xffff) | (0, 0, 0, 0, 0xffff, 0) | (0x64, 0xff9b, 0, 0, 0, 0) => Some(v4(high, low)),
        (0x2002, high, low, ..) => Some(v4(high, low)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// An address within another leads where it leads by itself.
        #[test]
        fn no_disguise_makes_an_address_public(bits in any::<u32>(), rest in any::<u64>()) {
            let v4 = Ipv4Addr::from(bits);
            let [high, low] = [(bits >> 16) as u16, bits as u16];
            let within = |prefix: u128| Ipv6Addr::from(prefix | u128::from(bits));
            let disguises = [
                v4.to_ipv6_mapped(),
                v4.to_ipv6_compatible(),
                within(0xffff_0000_0000),
                within(0x64_ff9b << 96),
                Ipv6Addr::new(0x2002, high, low, (rest >> 48) as u16, (rest >> 32) as u16, 0, (rest >> 16) as u16, rest as u16),
            ];
            for disguise in disguises {
                prop_assert_eq!(is_public(disguise.into()), is_public(v4.into()), "{} as {}", v4, disguise);
            }
        }

        #[test]
        fn nothing_of_this_machine_or_network_is_public(bits in any::<u32>(), more in any::<u128>()) {
            let networks = [(0x7f00_0000, 8), (0x0a00_0000, 8), (0xac10_0000, 12), (0xc0a8_0000, 16), (0xa9fe_0000, 16), (0, 8)];
            for (network, length) in networks {
                let address = Ipv4Addr::from(network | (bits & (u32::MAX >> length)));
                prop_assert!(!is_public(address.into()), "{address}");
            }
            for (network, length) in [(0xfe80_u128 << 112, 10), (0xfc00 << 112, 7), (0xff00 << 112, 8)] {
                let address = Ipv6Addr::from(network | (more & (u128::MAX >> length)));
                prop_assert!(!is_public(address.into()), "{address}");
            }
        }
    }

    #[test]
    fn only_the_world_is_public() {
        let cases = [
            ("93.184.216.34", true),
            ("2606:2800:220:1::1", true),
            ("127.0.0.1", false),
            ("10.1.2.3", false),
            ("172.16.0.1", false),
            ("192.168.1.1", false),
            ("169.254.169.254", false),
            ("100.64.0.1", false),
            ("0.0.0.0", false),
            ("224.0.0.1", false),
            ("255.255.255.255", false),
            ("::1", false),
            ("::", false),
            ("fe80::1", false),
            ("fc00::1", false),
            ("ff02::1", false),
            ("2001:db8::1", false),
            ("::ffff:169.254.169.254", false),
            ("::169.254.169.254", false),
            ("64:ff9b::a9fe:a9fe", false),
            ("2002:a9fe:a9fe::1", false),
            ("::ffff:93.184.216.34", true),
        ];
        for (address, public) in cases {
            assert_eq!(is_public(address.parse().unwrap()), public, "{address}");
        }
    }
}
