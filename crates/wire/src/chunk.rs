//! What a parser is given of a flow, and what it asks for next.

/// A piece of one direction of a flow, in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Chunk<'a> {
    /// The next bytes of a stream. They may be cut anywhere: a parser must say the same whatever
    /// the cuts.
    Stream(&'a [u8]),
    /// So many bytes of the stream were lost for good. A parser finds the next message or gives up.
    Gap(u64),
    /// One whole datagram.
    Datagram(&'a [u8]),
}

/// What a parser wants to see next in the direction that it was just given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// Whatever comes.
    More,
    /// Nothing of the so many bytes that follow this chunk: they are only counted, and losses
    /// among them do not matter (pixel data, bodies).
    Skip(u64),
    /// Nothing more of this flow, either way.
    Done,
}
