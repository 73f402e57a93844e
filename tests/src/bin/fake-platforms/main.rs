//! The fake Twitch and the fake Joystick as a program, for who writes a plugin, or wants to see an engine at work
//! without an account anywhere.
//!
//! It writes a config for them into a folder, plays a lively little stream, prints what it is asked to do, and can be
//! told to misbehave by lines on its standard input.

#![allow(clippy::print_stdout, reason = "that is how it speaks")]

mod console;
mod folder;
mod show;
mod stream;

use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context as _, bail};
use clap::Parser;
use showrunner_tests::joystick::FakeJoystick;
use showrunner_tests::twitch::FakeTwitch;
use tokio::sync::mpsc;
use tokio::time::interval;

use self::console::{Next, obey};
use self::folder::Folder;
use self::show::Follower;
use self::stream::Stream;

/// Starts a fake Twitch and a fake Joystick on this machine, with a config for them.
#[derive(Debug, Parser)]
struct Arguments {
    /// Where the fake Twitch listens.
    #[arg(long, default_value_t = 7801)]
    twitch_port: u16,
    /// Where the fake Joystick listens.
    #[arg(long, default_value_t = 7802)]
    joystick_port: u16,
    /// Takes ports that are free, whichever they are; for sign-ins, too.
    #[arg(long, conflicts_with_all = ["twitch_port", "joystick_port"])]
    ports_free: bool,
    /// Where the config is written to, with its secrets.
    #[arg(long, default_value = "fake-stream")]
    dir: PathBuf,
    /// Nothing happens but what is typed.
    #[arg(long)]
    quiet: bool,
    /// Milliseconds from one thing that happens to the next.
    #[arg(long, default_value_t = 1500, value_parser = clap::value_parser!(u64).range(1..))]
    pace: u64,
}

/// Both, as commands reach them.
struct Platforms {
    twitch: FakeTwitch,
    joystick: FakeJoystick,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    let ports = if arguments.ports_free { [0, 0] } else { [arguments.twitch_port, arguments.joystick_port] };
    let [twitch, joystick] = ports.map(free);
    let (twitch, joystick) = (FakeTwitch::start_at(twitch?).await, FakeJoystick::start_at(joystick?).await);
    twitch.signs_in_by_scopes();
    let mut platforms = Platforms { twitch, joystick };
    let redirect_port = if arguments.ports_free { free(0)?.port() } else { 3000 };
    let folder = Folder::write(&arguments.dir, &platforms, redirect_port)?;
    println!("{folder}");
    let mut stream = Stream::new(&platforms);
    let mut follower = Follower::default();
    let mut tick = interval(Duration::from_millis(arguments.pace));
    let mut lines = lines();
    println!("ready; \"help\" says what can be typed here, Ctrl-C ends it");
    loop {
        tokio::select! {
            // Who is at its end types nothing more, and the stream goes on.
            Some(line) = lines.recv() => match obey(&mut platforms, &line).await {
                Next::Said(said) => println!("{said}"),
                Next::Quit => return Ok(()),
            },
            _ = tick.tick(), if !arguments.quiet => {
                if let Some(happened) = stream.step(&platforms) {
                    println!("{happened}");
                }
            }
            () = follower.more(&platforms) => {
                for line in follower.lines(&platforms) {
                    println!("{line}");
                }
            }
            ended = tokio::signal::ctrl_c() => return ended.context("can't wait for Ctrl-C"),
        }
    }
}

/// An address on this machine that nobody listens on.
fn free(port: u16) -> anyhow::Result<SocketAddr> {
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    match TcpListener::bind(address) {
        Ok(listener) => Ok(listener.local_addr()?),
        Err(error) => bail!("can't listen on {address}: {error}; choose other ports, or --ports-free"),
    }
}

/// What is typed, line by line. The thread ends with the program.
fn lines() -> mpsc::UnboundedReceiver<String> {
    let (sender, lines) = mpsc::unbounded_channel();
    std::thread::spawn(move || {
        for line in std::io::stdin().lines().map_while(Result::ok) {
            if sender.send(line).is_err() {
                return;
            }
        }
    });
    lines
}
