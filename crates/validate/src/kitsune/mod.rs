//! Kitsune as published (Mirsky, Doitshman, Elovici and Shabtai, NDSS 2018), as a baseline to be
//! held against: damped statistics of each packet, an ensemble of autoencoders over them.
//!
//! Ours, from the paper and from what the published program does; no code is shared with it.
//! Its 100 features: sender by link and network address, sender to receiver, time between packets
//! of a sender to a receiver, socket to socket, each in five windows. The paper counts 115: the
//! other 15 are those of the sending address alone, which the program leaves out, since the
//! statistics of sender to receiver are kept by the sender alone and hold the same.
//!
//! Oddities of the program that are kept: the third number of a stream is its variance, not its
//! deviation; the radius adds squares of variances; a packet counts twice in the covariance with
//! whom it is sent to; a distance from the mean does not fade while its stream is silent; biases of
//! the autoencoders move by the mean gradient; columns that move against each other count as
//! far apart; a range of nought makes a change count 1e16. Not kept: address and port written one
//! behind the other name a socket there, so that two sockets can be one; ICMP errors take the ports
//! of what they quote; sums are in single precision here once they are features, in double before.
#![doc = include_str!("checked.md")]

mod headers;
mod hospital;
mod statistics;

use ml::Model as _;
use ml::autoencoder::{self, Autoencoders};
use model::Timestamp;
use serde::{Deserialize, Serialize};

pub use self::headers::{Address, Headers, Port, read};
pub use self::hospital::{By, Place, Run, Unit, device_windows, examples, rank};
use self::statistics::{Streams, WINDOWS};

/// How many features a packet has.
pub const FEATURES: usize = WINDOWS * (3 + 7 + 3 + 7);

/// How long Kitsune learns, and how.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Settings {
    /// Packets that only teach which features go together.
    pub mapping: u64,
    /// Packets after that, from which the autoencoders learn.
    pub training: u64,
    /// The most features of one autoencoder.
    pub group: usize,
    /// Seed of the weights.
    pub seed: u64,
}

impl Default for Settings {
    /// As in the program's own example.
    fn default() -> Self {
        Self { mapping: 5_000, training: 50_000, group: 10, seed: 1 }
    }
}

/// The features of packets. Memory grows with every socket that is seen, as it does in the
/// published program: fit for captures, not for a sensor.
#[derive(Clone, Debug)]
pub struct Features {
    links: Streams<(u64, Address)>,
    hosts: Streams<Address>,
    gaps: Streams<(Address, Address)>,
    sockets: Streams<(Address, Port)>,
}

impl Default for Features {
    fn default() -> Self {
        Self {
            links: Streams::new(),
            hosts: Streams::new(),
            gaps: Streams::new(),
            sockets: Streams::new(),
        }
    }
}

impl Features {
    /// Takes a packet, with its time in seconds and its length in bytes.
    pub fn packet(&mut self, at: f64, headers: &Headers, length: usize) -> [f64; FEATURES] {
        let length = length as f64;
        let [from, to] = headers.addresses;
        let links = self.links.one((headers.macs[0], from), at, length);
        let hosts = self.hosts.two(from, to, at, length);
        let gaps = self.gaps.gap((from, to), at);
        let socket = |end: usize| match headers.ports[end] {
            Port::Arp => (Address::Mac(headers.macs[end]), Port::Nothing),
            port => (headers.addresses[end], port),
        };
        let sockets = self.sockets.two(socket(0), socket(1), at, length);
        let mut features = [0.0; FEATURES];
        let all = links.iter().flatten().chain(hosts.iter().flatten());
        let all = all.chain(gaps.iter().flatten()).chain(sockets.iter().flatten());
        features.iter_mut().zip(all).for_each(|(to, &from)| *to = from);
        features
    }
}

/// Kitsune: features, then autoencoders.
#[derive(Clone, Debug)]
pub struct Kitsune {
    features: Features,
    model: Autoencoders,
    /// Packets still to learn from.
    grace: u64,
}

impl Kitsune {
    /// One that has seen nothing.
    pub fn new(settings: &Settings) -> Self {
        let published = autoencoder::Settings {
            group: settings.group,
            seed: settings.seed,
            ..autoencoder::Settings::published(settings.mapping + 1)
        };
        Self {
            features: Features::default(),
            model: Autoencoders::new(FEATURES, &published),
            grace: settings.mapping + settings.training + 1,
        }
    }

    /// Which features each autoencoder has; none before that is learned.
    pub fn groups(&self) -> Option<&[Vec<usize>]> {
        self.model.groups()
    }

    /// Takes a packet. Says how strange it is, once it has learned; none for a frame without an
    /// Ethernet header.
    pub fn packet(&mut self, at: Timestamp, frame: &[u8]) -> Option<f64> {
        let headers = read(frame)?;
        self.known(at, &headers, frame.len())
    }

    /// The same for a packet whose headers are read already.
    pub fn known(&mut self, at: Timestamp, headers: &Headers, length: usize) -> Option<f64> {
        let features = self.features.packet(at.seconds_f64(), headers, length);
        let row = features.map(|x| x as f32);
        if self.grace > 0 {
            self.grace -= 1;
            self.model.learn(&row);
            return None;
        }
        Some(f64::from(self.model.score(&row)))
    }
}

#[cfg(test)]
mod tests;
