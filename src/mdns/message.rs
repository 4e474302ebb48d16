//! Messages of multicast DNS (RFC 6762, RFC 1035): what is asked and told, from bytes and to bytes.

/// Most bytes of a message.
pub const MOST_BYTES: usize = 9000;
/// Questions and records of a message that are looked at: far more than an honest one has.
const MOST_ENTRIES: usize = 256;
/// Most bytes of a name, and jumps to its parts elsewhere in the message.
const MOST_NAME_BYTES: usize = 255;
const MOST_JUMPS: usize = 32;

/// Types of records.
pub const A: u16 = 1;
/// Which name something has.
pub const PTR: u16 = 12;
/// Words about a service.
pub const TXT: u16 = 16;
/// An address of IPv6.
pub const AAAA: u16 = 28;
/// Host and port of a service.
pub const SRV: u16 = 33;
/// Which records a name has.
pub const NSEC: u16 = 47;
/// All of them.
pub const ANY: u16 = 255;

/// The class of the internet.
const IN: u16 = 1;
/// In a question: the answer may come to the asker alone. In a record: older ones are void.
const TOP_BIT: u16 = 0x8000;
/// The flags of a response that speaks for its names.
const RESPONSE: u16 = 0x8400;

/// A name, in small letters and as it is written: each part behind its length.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Name(Vec<u8>);

impl Name {
    /// A name of parts of 1 to 63 bytes; longer ones are cut.
    pub fn of(parts: &[&str]) -> Name {
        let mut bytes = Vec::new();
        for part in parts {
            let part = part.as_bytes();
            let part = part.get(..63).unwrap_or(part);
            bytes.extend(u8::try_from(part.len()));
            bytes.extend(part.iter().map(u8::to_ascii_lowercase));
        }
        bytes.push(0);
        Name(bytes)
    }

    /// As it is written.
    pub fn bytes(&self) -> &[u8] {
        &self.0
    }
}

/// What somebody wants to know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Question {
    /// Of which name.
    pub name: Name,
    /// Which type of record.
    pub kind: u16,
    /// Whether the answer may come to the asker alone.
    pub unicast: bool,
}

/// What somebody tells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// Of which name.
    pub name: Name,
    /// Its type.
    pub kind: u16,
    /// Whether the name is the teller's alone, so that older records are void.
    pub unique: bool,
    /// For how many seconds it holds; 0 ends it.
    pub ttl: u32,
    /// What it says; names in it stand there in whole.
    pub data: Vec<u8>,
}

/// A message.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Message {
    /// The number of a question, which an answer to it alone repeats.
    pub id: u16,
    /// Whether it is an answer, or the news of somebody.
    pub response: bool,
    /// What is asked.
    pub questions: Vec<Question>,
    /// What is told; in a question, what the asker knows already.
    pub answers: Vec<Record>,
    /// In a question: what the asker is about to be called.
    pub claims: Vec<Record>,
    /// What else may be of use.
    pub more: Vec<Record>,
}

impl Message {
    /// Reads a message; `None` where it is none. What is broken at its end is left out.
    pub fn read(bytes: &[u8]) -> Option<Message> {
        let mut at = Reader { bytes, place: 0 };
        let (id, flags) = (at.u16()?, at.u16()?);
        // Only ordinary queries, and answers without an error.
        if flags & 0x780f != 0 {
            return None;
        }
        let counts = [at.u16()?, at.u16()?, at.u16()?, at.u16()?].map(usize::from);
        let mut message = Message { id, response: flags & TOP_BIT != 0, ..Message::default() };
        let [questions, sections @ ..] = counts;
        for _ in 0..questions.min(MOST_ENTRIES) {
            let Some(question) = at.question() else { return Some(message) };
            message.questions.extend(question);
        }
        let Message { answers, claims, more, .. } = &mut message;
        'all: for (section, count) in [answers, claims, more].into_iter().zip(sections) {
            for _ in 0..count.min(MOST_ENTRIES) {
                let Some(record) = at.record() else { break 'all };
                section.extend(record);
            }
        }
        Some(message)
    }

    /// The message as bytes.
    pub fn write(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(512);
        let flags = if self.response { RESPONSE } else { 0 };
        let sections = [&self.answers, &self.claims, &self.more];
        let counts = [self.questions.len()].into_iter().chain(sections.map(Vec::len));
        let counts = counts.map(|count| u16::try_from(count).unwrap_or(u16::MAX));
        for number in [self.id, flags].into_iter().chain(counts) {
            out.extend(number.to_be_bytes());
        }
        for Question { name, kind, unicast } in &self.questions {
            out.extend(name.bytes());
            out.extend(kind.to_be_bytes());
            out.extend((IN | if *unicast { TOP_BIT } else { 0 }).to_be_bytes());
        }
        for Record { name, kind, unique, ttl, data } in sections.into_iter().flatten() {
            out.extend(name.bytes());
            out.extend(kind.to_be_bytes());
            out.extend((IN | if *unique { TOP_BIT } else { 0 }).to_be_bytes());
            out.extend(ttl.to_be_bytes());
            out.extend(u16::try_from(data.len()).unwrap_or(u16::MAX).to_be_bytes());
            out.extend(data);
        }
        out
    }
}

/// A place in a message.
struct Reader<'a> {
    bytes: &'a [u8],
    place: usize,
}

impl Reader<'_> {
    fn take(&mut self, count: usize) -> Option<&[u8]> {
        let end = self.place.checked_add(count)?;
        let taken = self.bytes.get(self.place..end)?;
        self.place = end;
        Some(taken)
    }

    fn u16(&mut self) -> Option<u16> {
        Some(u16::from_be_bytes(*self.take(2)?.first_chunk()?))
    }

    fn u32(&mut self) -> Option<u32> {
        Some(u32::from_be_bytes(*self.take(4)?.first_chunk()?))
    }

    fn name(&mut self) -> Option<Name> {
        let (mut name, mut jumps, mut place) = (Vec::new(), 0, self.place);
        let mut end = None;
        loop {
            let length = usize::from(*self.bytes.get(place)?);
            match length {
                0 => {
                    name.push(0);
                    self.place = end.unwrap_or(place + 1);
                    return (name.len() <= MOST_NAME_BYTES).then_some(Name(name));
                }
                1..=63 => {
                    let part = self.bytes.get(place..=place + length)?;
                    // A length is below all letters, so that it stays.
                    name.extend(part.iter().map(u8::to_ascii_lowercase));
                    place += 1 + length;
                }
                0xc0.. => {
                    let low = usize::from(*self.bytes.get(place + 1)?);
                    end = end.or(Some(place + 2));
                    jumps += 1;
                    place = (length & 0x3f) << 8 | low;
                }
                _ => return None,
            }
            if name.len() > MOST_NAME_BYTES || jumps > MOST_JUMPS {
                return None;
            }
        }
    }

    /// A question; one of another class is none, and read over.
    fn question(&mut self) -> Option<Option<Question>> {
        let name = self.name()?;
        let (kind, class) = (self.u16()?, self.u16()?);
        let ours = matches!(class & !TOP_BIT, IN | ANY);
        let unicast = class & TOP_BIT != 0;
        Some(ours.then_some(Question { name, kind, unicast }))
    }

    /// A record; one of another class is none, and read over.
    fn record(&mut self) -> Option<Option<Record>> {
        let name = self.name()?;
        let (kind, class, ttl) = (self.u16()?, self.u16()?, self.u32()?);
        let length = usize::from(self.u16()?);
        let (begin, end) = (self.place, self.place.checked_add(length)?);
        let data = self.take(length)?.to_vec();
        let data = match kind {
            PTR => self.named(begin, end, 0),
            SRV => self.named(begin, end, 6),
            _ => Some(data),
        };
        self.place = end;
        let Some(data) = data else { return Some(None) };
        let unique = class & TOP_BIT != 0;
        let record = Record { name, kind, unique, ttl, data };
        Some((class & !TOP_BIT == IN).then_some(record))
    }

    /// Data that end with a name, which may stand elsewhere in the message, as data that hold it.
    fn named(&mut self, begin: usize, end: usize, before: usize) -> Option<Vec<u8>> {
        let mut data = self.bytes.get(begin..begin + before)?.to_vec();
        self.place = begin + before;
        data.extend(self.name()?.bytes());
        (self.place == end).then_some(data)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_question_of_a_phone_is_read() {
        let mut bytes =
            b"\0\x07\0\0\0\x02\0\0\0\0\0\0\x09_Subsonic\x04_tcp\x05local\0\0\x0c\x80\x01".to_vec();
        // The second name ends with a part of the first.
        bytes.extend(b"\x07kinglet\xc0\x1b\0\x01\0\x01");
        let message = Message::read(&bytes).unwrap();
        assert!(!message.response && message.id == 7);
        let [service, host] = message.questions.as_slice() else { panic!("{message:?}") };
        assert_eq!(service.name, Name::of(&["_subsonic", "_tcp", "local"]));
        assert!(service.unicast && service.kind == PTR);
        assert_eq!(host.name, Name::of(&["Kinglet", "local"]));
        assert!(!host.unicast && host.kind == A);
    }

    #[test]
    fn names_that_run_in_circles_are_none() {
        for name in [b"\xc0\x0c".as_slice(), b"\x01a\xc0\x0c", b"\x80", b"\x40", b"\x3f", b""] {
            let mut bytes = b"\0\0\0\0\0\x01\0\0\0\0\0\0".to_vec();
            bytes.extend(name);
            bytes.extend(b"\0\x01\0\x01");
            assert_eq!(Message::read(&bytes).unwrap().questions, []);
        }
    }

    fn name() -> impl Strategy<Value = Name> {
        prop::collection::vec("[a-z0-9_ -]{1,20}", 0..5)
            .prop_map(|parts| Name::of(&parts.iter().map(String::as_str).collect::<Vec<_>>()))
    }

    fn record() -> impl Strategy<Value = Record> {
        let kind = prop_oneof![Just(A), Just(PTR), Just(TXT), Just(SRV), any::<u16>()];
        let data = prop::collection::vec(any::<u8>(), 0..40);
        (name(), kind, any::<bool>(), any::<u32>(), data, name()).prop_map(
            |(name, kind, unique, ttl, data, target)| {
                let data = match kind {
                    PTR => target.bytes().to_vec(),
                    SRV => [&[0, 0, 0, 0, 1, 2], target.bytes()].concat(),
                    _ => data,
                };
                Record { name, kind, unique, ttl, data }
            },
        )
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(
            id: u16,
            response: bool,
            questions in prop::collection::vec((name(), any::<u16>(), any::<bool>()), 0..4),
            answers in prop::collection::vec(record(), 0..4),
            claims in prop::collection::vec(record(), 0..3),
            more in prop::collection::vec(record(), 0..4),
        ) {
            let question = |(name, kind, unicast)| Question { name, kind, unicast };
            let questions = questions.into_iter().map(question).collect();
            let message = Message { id, response, questions, answers, claims, more };
            prop_assert_eq!(Message::read(&message.write()), Some(message));
        }

        #[test]
        fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = Message::read(&bytes);
            // With counts that make it look further.
            let _ = Message::read(&[b"\0\0\x84\0\0\x02\0\x02\0\x01\0\x09".as_slice(), &bytes].concat());
        }
    }
}
