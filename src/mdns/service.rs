//! What a server tells of itself by multicast DNS, and what it answers to whom: no sockets here.

use std::net::IpAddr;

use super::message::{A, AAAA, ANY, Message, NSEC, Name, PTR, Question, Record, SRV, TXT};

/// How long addresses and ports hold, and all else, in seconds (RFC 6762, 10).
const TTL_OF_ADDRESS: u32 = 120;
const TTL_OF_REST: u32 = 4500;
/// How long an answer holds for those who do not speak multicast DNS, in seconds.
const TTL_OF_LEGACY: u32 = 10;

/// A server, as it is called.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Service {
    /// Its name: that of the host below `local`, and what lists show.
    pub name: String,
    /// Its port.
    pub port: u16,
    /// The path of its API, like `/rest`.
    pub path: String,
    /// Whether it speaks https.
    pub https: bool,
}

/// Where an answer goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum To {
    /// To all on the network.
    All,
    /// To the asker alone.
    Asker,
}

impl Service {
    fn host(&self) -> Name {
        Name::of(&[&self.name, "local"])
    }

    fn instance(&self) -> Name {
        Name::of(&[&self.name, "_subsonic", "_tcp", "local"])
    }

    fn kind() -> Name {
        Name::of(&["_subsonic", "_tcp", "local"])
    }

    /// The name under which lists of all kinds of services are kept.
    fn kinds() -> Name {
        Name::of(&["_services", "_dns-sd", "_udp", "local"])
    }

    /// That there are services of its kind, and that it is one.
    fn pointers(&self) -> Vec<Record> {
        let pointer = |name, to: Name| Record {
            name,
            kind: PTR,
            unique: false,
            ttl: TTL_OF_REST,
            data: to.bytes().to_vec(),
        };
        vec![pointer(Service::kind(), self.instance()), pointer(Service::kinds(), Service::kind())]
    }

    /// Its port and its words.
    fn details(&self) -> Vec<Record> {
        let mut place = vec![0, 0, 0, 0];
        place.extend(self.port.to_be_bytes());
        place.extend(self.host().bytes());
        let mut words = Vec::new();
        let proto = if self.https { "https" } else { "http" };
        for word in ["txtvers=1", &format!("path={}", self.path), &format!("proto={proto}")] {
            let word = word.as_bytes().get(..255).unwrap_or(word.as_bytes());
            words.extend(u8::try_from(word.len()));
            words.extend(word);
        }
        let record =
            |kind, ttl, data| Record { name: self.instance(), kind, unique: true, ttl, data };
        vec![record(SRV, TTL_OF_ADDRESS, place), record(TXT, TTL_OF_REST, words)]
    }

    fn addresses(&self, addresses: &[IpAddr]) -> Vec<Record> {
        let record = |address: &IpAddr| {
            let (kind, data) = match address {
                IpAddr::V4(address) => (A, address.octets().to_vec()),
                IpAddr::V6(address) => (AAAA, address.octets().to_vec()),
            };
            Record { name: self.host(), kind, unique: true, ttl: TTL_OF_ADDRESS, data }
        };
        addresses.iter().map(record).collect()
    }

    /// That its host has no other records than addresses of these kinds.
    fn nothing_else(&self, addresses: &[IpAddr]) -> Record {
        let mut data = self.host().bytes().to_vec();
        // The types from 0 to 31 as bits, the first one highest.
        let mut types = 0_u32;
        for address in addresses {
            let kind = if address.is_ipv4() { A } else { AAAA };
            types |= 1 << (31 - u32::from(kind));
        }
        data.extend([0, 4]);
        data.extend(types.to_be_bytes());
        Record { name: self.host(), kind: NSEC, unique: true, ttl: TTL_OF_ADDRESS, data }
    }

    /// The question whether its names are free, with what it will tell.
    pub fn probe(&self, addresses: &[IpAddr]) -> Message {
        let ask = |name| Question { name, kind: ANY, unicast: true };
        let claims = self.details().into_iter().chain(self.addresses(addresses));
        Message {
            questions: vec![ask(self.host()), ask(self.instance())],
            // Not void before they are its own.
            claims: claims.map(|record| Record { unique: false, ..record }).collect(),
            ..Message::default()
        }
    }

    /// All that it tells.
    pub fn announcement(&self, addresses: &[IpAddr]) -> Message {
        let mut answers = self.pointers();
        answers.extend(self.details());
        answers.extend(self.addresses(addresses));
        answers.push(self.nothing_else(addresses));
        Message { response: true, answers, ..Message::default() }
    }

    /// That all of it ends.
    pub fn goodbye(&self, addresses: &[IpAddr]) -> Message {
        let mut message = self.announcement(addresses);
        // That there are services of its kind is for others to tell as well.
        message.answers.retain(|record| record.name != Service::kinds());
        message.answers.iter_mut().for_each(|record| record.ttl = 0);
        message
    }

    /// The answer to a question that came from a port 5353, if it is one for it, and to whom; or
    /// from another port (`legacy`), by somebody who knows nothing of multicast DNS.
    pub fn answer(
        &self,
        query: &Message,
        addresses: &[IpAddr],
        legacy: bool,
    ) -> Option<(Message, To)> {
        let (mut answers, mut more): (Vec<Record>, Vec<Record>) = Default::default();
        let mut to = To::Asker;
        for question in &query.questions {
            let found = self.found(question, addresses, &mut more);
            if found.is_empty() {
                continue;
            }
            if !question.unicast {
                to = To::All;
            }
            answers.extend(found);
        }
        // What the asker knows need not be told.
        let known = |record: &Record| {
            query.answers.iter().any(|known| {
                (&known.name, known.kind, &known.data) == (&record.name, record.kind, &record.data)
                    && known.ttl >= record.ttl / 2
            })
        };
        answers.retain(|record| !known(record));
        distinct(&mut answers);
        if answers.is_empty() {
            return None;
        }
        distinct(&mut more);
        more.retain(|record| !answers.contains(record));
        let mut message = Message { response: true, answers, more, ..Message::default() };
        if legacy {
            (message.id, message.questions) = (query.id, query.questions.clone());
            for record in message.answers.iter_mut().chain(&mut message.more) {
                record.ttl = record.ttl.min(TTL_OF_LEGACY);
                record.unique = false;
            }
            to = To::Asker;
        }
        Some((message, to))
    }

    /// What answers a question; what else the asker will ask goes to `more`.
    fn found(
        &self,
        question: &Question,
        addresses: &[IpAddr],
        more: &mut Vec<Record>,
    ) -> Vec<Record> {
        let all =
            self.pointers().into_iter().chain(self.details()).chain(self.addresses(addresses));
        let asked = |record: &Record| {
            record.name == question.name && (question.kind == ANY || question.kind == record.kind)
        };
        let mut found: Vec<Record> = all.filter(asked).collect();
        if found.is_empty() && question.name == self.host() {
            found.push(self.nothing_else(addresses));
        }
        let points =
            found.iter().any(|record| record.kind == PTR && record.name == Service::kind());
        if points {
            more.extend(self.details());
        }
        if points || found.iter().any(|record| record.kind == SRV || record.name == self.host()) {
            more.extend(self.addresses(addresses));
            more.push(self.nothing_else(addresses));
        }
        found
    }

    /// Whether a message tells of somebody else with a name of its own.
    pub fn is_taken(&self, message: &Message, addresses: &[IpAddr]) -> bool {
        message.response
            && message.answers.iter().chain(&message.more).any(|told| self.differs(told, addresses))
    }

    /// Whether somebody who is about to take the same names goes before (RFC 6762, 8.2).
    pub fn gives_way(&self, probe: &Message, addresses: &[IpAddr]) -> bool {
        let key = |record: &Record| (record.kind, record.data.clone());
        [self.host(), self.instance()].iter().any(|name| {
            let mut theirs: Vec<_> =
                probe.claims.iter().filter(|claim| claim.name == *name).map(key).collect();
            let ours = self.probe(addresses).claims;
            let mut ours: Vec<_> =
                ours.iter().filter(|claim| claim.name == *name).map(key).collect();
            theirs.sort();
            ours.sort();
            !theirs.is_empty() && theirs > ours
        })
    }

    fn differs(&self, told: &Record, addresses: &[IpAddr]) -> bool {
        let own = self.details().into_iter().chain(self.addresses(addresses));
        let of_name: Vec<Record> =
            own.filter(|own| own.name == told.name && own.kind == told.kind).collect();
        told.ttl > 0 && !of_name.is_empty() && of_name.iter().all(|own| own.data != told.data)
    }
}

fn distinct(records: &mut Vec<Record>) {
    let mut kept: Vec<Record> = Vec::new();
    for record in records.drain(..) {
        if !kept.contains(&record) {
            kept.push(record);
        }
    }
    *records = kept;
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn service() -> Service {
        Service { name: "kinglet".into(), port: 4040, path: "/music/rest".into(), https: true }
    }

    fn addresses() -> [IpAddr; 2] {
        ["192.168.1.7".parse().unwrap(), "fe80::7".parse().unwrap()]
    }

    fn ask(parts: &[&str], kind: u16, unicast: bool) -> Message {
        let question = Question { name: Name::of(parts), kind, unicast };
        Message { questions: vec![question], ..Message::default() }
    }

    #[test]
    fn a_phone_finds_name_port_path_and_addresses_with_one_question() {
        let query = ask(&["_subsonic", "_tcp", "local"], PTR, false);
        let (answer, to) = service().answer(&query, &addresses(), false).unwrap();
        assert_eq!(to, To::All);
        let answer = Message::read(&answer.write()).unwrap();
        assert_eq!(answer.answers.len(), 1);
        assert!(!answer.answers[0].unique);
        let kinds: Vec<u16> = answer.more.iter().map(|record| record.kind).collect();
        assert_eq!(kinds, [SRV, TXT, A, AAAA, NSEC]);
        assert!(answer.more.iter().all(|record| record.unique));
        let place = &answer.more[0].data;
        assert_eq!(&place[..6], [0, 0, 0, 0, 15, 200]);
        assert_eq!(&place[6..], Name::of(&["kinglet", "local"]).bytes());
        assert_eq!(answer.more[1].data, b"\x09txtvers=1\x10path=/music/rest\x0bproto=https");
        assert_eq!(answer.more[2].data, [192, 168, 1, 7]);
    }

    #[test]
    fn who_asks_alone_is_answered_alone_and_who_knows_is_not() {
        let query = ask(&["kinglet", "local"], A, true);
        let (_, to) = service().answer(&query, &addresses(), false).unwrap();
        assert_eq!(to, To::Asker);
        let mut query = ask(&["_subsonic", "_tcp", "local"], PTR, false);
        query.answers = service().pointers();
        assert_eq!(service().answer(&query, &addresses(), false), None);
        query.answers[0].ttl = 10;
        assert!(service().answer(&query, &addresses(), false).is_some());
        for other in [["other", "local"], ["kinglet", "example"]] {
            assert_eq!(service().answer(&ask(&other, ANY, false), &addresses(), false), None);
        }
        let only_v4 = &addresses()[..1];
        let (none, _) =
            service().answer(&ask(&["kinglet", "local"], AAAA, false), only_v4, false).unwrap();
        assert_eq!(none.answers[0].kind, NSEC);
        assert!(none.answers[0].data.ends_with(&[0, 4, 0x40, 0, 0, 0]));
    }

    #[test]
    fn others_are_answered_as_an_old_server_would() {
        let mut query = ask(&["kinglet", "local"], A, false);
        query.id = 77;
        let (answer, to) = service().answer(&query, &addresses(), true).unwrap();
        assert_eq!((answer.id, to, &answer.questions), (77, To::Asker, &query.questions));
        assert!(answer.answers.iter().all(|record| record.ttl <= 10 && !record.unique));
    }

    #[test]
    fn a_name_that_another_has_is_taken() {
        let (ours, own) = (service(), addresses());
        let other = Service { port: 9, ..service() };
        let theirs = other.announcement(&["192.168.1.8".parse().unwrap()]);
        assert!(ours.is_taken(&theirs, &own));
        assert!(!ours.is_taken(&ours.announcement(&own), &own));
        assert!(!ours.is_taken(&other.goodbye(&["192.168.1.8".parse().unwrap()]), &own));
        assert!(!ours.is_taken(&ours.probe(&own), &own));
        let named = Service { name: "other".into(), ..service() };
        assert!(!ours.is_taken(&named.announcement(&own), &own));
    }

    #[test]
    fn of_two_that_begin_at_once_one_gives_way() {
        let (one, other) = (service(), Service { port: 5050, ..service() });
        let (its, others) = (addresses(), ["192.168.1.6".parse().unwrap()]);
        let gives = [
            one.gives_way(&other.probe(&others), &its),
            other.gives_way(&one.probe(&its), &others),
        ];
        assert!(gives[0] || gives[1], "{gives:?}");
        assert!(!one.gives_way(&one.probe(&its), &its), "nobody gives way to oneself");
        assert!(!one.gives_way(&ask(&["kinglet", "local"], A, false), &its));
    }
}
