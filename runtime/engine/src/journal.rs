//! What is recorded of a run, and its bytes: the events that the engine was told of, in order, with what must be known after a
//! crash of the world outside.
//!
//! Feeding the recorded events to a new [`crate::State`] gives the same state, and the same commands: so nothing else of a run is
//! kept. The numbers of kinds are never used again, and a field is never added to a kind: what was recorded once is read
//! for ever.
//!
//! Reading trusts nothing: any bytes give entries or an error.

use kait_ir::codec::{Codec, CodecError, Reader};
use kait_ir::{Currency, Money, Value};
use kait_ir::{codec_enums, codec_structs};
use smol_str::SmolStr;

use crate::event::{
    Answer, Arg, Command, Computed, EffectId, Event, ModelRequest, ModelTerms, Nanos, Outcome,
    SinkId, Site, Start, TimerId, TokenPrice, Usage,
};
use crate::limits::MAX_VALUE_DEPTH;
use crate::promise::{Asks, Promise, Shown};

/// Version of the encoding of entries. A journal says the one that it was begun with.
pub const FORMAT: u32 = 1;

/// How deeply values in a journal nest at most: as those of a run, within an entry.
const NESTING: u32 = MAX_VALUE_DEPTH + 100;

/// One thing that is recorded.
#[derive(Clone, Debug, PartialEq)]
pub enum Entry {
    /// The engine was told of something.
    Happened {
        /// When.
        at: Nanos,
        /// What.
        event: Event,
        /// A digest of what the engine asked of the world thereupon ([`digest`]); 0 if it asked nothing. A replay that comes to
        /// another one has gone another way.
        asked: u32,
    },
    /// A call that changes the world is about to be made; recorded before it is. If nothing of its end follows, nobody knows
    /// whether it happened.
    Intent {
        /// The call.
        effect: EffectId,
        /// The node's path.
        path: SmolStr,
        /// What it is called with.
        args: Vec<Value>,
    },
    /// Another process has taken the run up: what was in flight was lost with the one before, and is called again.
    TakenUp {
        /// When.
        at: Nanos,
    },
}

codec_enums! {
    Entry {
        0 Happened { at event asked };
        1 Intent { effect path args };
        2 TakenUp { at };
    }
    Event {
        0 Start(start);
        1 Done { effect outcome usage };
        2 Timer(timer);
        3 Cached { effect value };
        4 Granted(effect);
        5 Cut { sink generation index value };
        6 Superseded { sink generation };
        7 InputDone { param outcome };
        8 Answered { effect answer };
        9 Computed { effect result };
        10 Resume;
        11 Cancel;
    }
    Outcome { 0 Ok(value); 1 Failed(failure); }
    Arg { 0 Ready(value); 1 Growing; }
    Answer {
        0 Approved { by edits };
        1 Denied { by why };
        2 Given(value);
        3 Taken(places);
    }
    Asks {
        0 Approval { call args };
        1 Question { question ty start };
        2 Selection { question item items label max };
    }
}

codec_structs! {
    EffectId { frame generation node };
    Site { region node };
    Usage { calls input_tokens output_tokens cost };
    Computed { outcome blamed };
    ModelTerms { context max_output price };
    Shown { name ty value editable untrusted };
    Promise { to due show asks };
    ModelRequest { site role options messages output repair tokens_left };
}

impl Codec for TimerId {
    fn put(&self, out: &mut Vec<u8>) {
        self.0.put(out);
    }

    fn get(r: &mut Reader<'_>) -> Result<Self, CodecError> {
        u64::get(r).map(Self)
    }
}

impl Codec for SinkId {
    fn put(&self, out: &mut Vec<u8>) {
        self.0.put(out);
    }

    fn get(r: &mut Reader<'_>) -> Result<Self, CodecError> {
        u32::get(r).map(Self)
    }
}

impl Codec for Start {
    fn put(&self, out: &mut Vec<u8>) {
        self.graph.put(out);
        self.args.put(out);
        self.seed.put(out);
        self.parallel.put(out);
        self.traced.put(out);
        self.sink.put(out);
        (self.terms.len() as u64).put(out);
        for (role, terms) in self.terms.iter() {
            role.put(out);
            terms.put(out);
        }
    }

    fn get(r: &mut Reader<'_>) -> Result<Self, CodecError> {
        Ok(Self {
            graph: Codec::get(r)?,
            args: Codec::get(r)?,
            seed: Codec::get(r)?,
            parallel: Codec::get(r)?,
            traced: Codec::get(r)?,
            sink: Codec::get(r)?,
            terms: Vec::get(r)?.into(),
        })
    }
}

impl Codec for TokenPrice {
    fn put(&self, out: &mut Vec<u8>) {
        for amount in [self.read, self.written] {
            Money { amount, currency: self.currency }.put(out);
        }
    }

    fn get(r: &mut Reader<'_>) -> Result<Self, CodecError> {
        let (read, written) = (Money::get(r)?, Money::get(r)?);
        let currency: Currency = read.currency;
        if currency != written.currency {
            return Err(r.damaged("prices in two currencies"));
        }
        Ok(Self { currency, read: read.amount, written: written.amount })
    }
}

/// Appends the bytes of an entry.
pub fn write(entry: &Entry, out: &mut Vec<u8>) {
    entry.put(out);
}

/// The same as [`write`] of an [`Entry::Happened`], without taking the event.
pub fn write_event(at: Nanos, event: &Event, asked: u32, out: &mut Vec<u8>) {
    out.push(0);
    at.put(out);
    event.put(out);
    asked.put(out);
}

/// The entries that the bytes hold, one after the other.
///
/// # Errors
/// If the bytes are not whole entries, with the place of the first that is none.
pub fn read(bytes: &[u8]) -> Result<Vec<Entry>, CodecError> {
    let mut reader = Reader::nesting(bytes, NESTING);
    let mut entries = Vec::new();
    while !reader.is_at_end() {
        entries.push(Entry::get(&mut reader)?);
    }
    Ok(entries)
}

/// A digest of what the commands ask of the world: calls, questions and the end, with all that they are asked with. 0 if they
/// ask nothing.
pub fn digest(commands: &[Command]) -> u32 {
    let mut asked = Vec::new();
    for command in commands {
        match command {
            Command::Leaf { effect, leaf, site, args, key } => {
                asked.push(1);
                effect.put(&mut asked);
                leaf.put(&mut asked);
                site.put(&mut asked);
                args.iter().for_each(|arg| arg.put(&mut asked));
                key.put(&mut asked);
            }
            Command::Model { effect, request } => {
                asked.push(2);
                effect.put(&mut asked);
                request.put(&mut asked);
            }
            Command::Promise { effect, site, promise } => {
                asked.push(3);
                effect.put(&mut asked);
                site.put(&mut asked);
                promise.put(&mut asked);
            }
            Command::Finish(outcome) => {
                asked.push(4);
                outcome.put(&mut asked);
            }
            _ => {}
        }
    }
    if asked.is_empty() {
        return 0;
    }
    let hash = blake3::hash(&asked);
    let digest = hash.as_bytes().iter().take(4).fold(0u32, |sum, b| sum << 8 | u32::from(*b));
    digest.max(1)
}

#[cfg(test)]
mod tests;
