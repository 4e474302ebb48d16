//! Genres in their usual names: the numbers of ID3v1, and the ways ID3v2 refers to them.

/// The genres of ID3v1 and of Winamp after it, by number: "Blues" is 0.
const STANDARD: &str = "Blues|Classic Rock|Country|Dance|Disco|Funk|Grunge|Hip-Hop|Jazz|Metal|New Age|Oldies|Other|Pop|R&B\
    |Rap|Reggae|Rock|Techno|Industrial|Alternative|Ska|Death Metal|Pranks|Soundtrack|Euro-Techno|Ambient|Trip-Hop|Vocal\
    |Jazz+Funk|Fusion|Trance|Classical|Instrumental|Acid|House|Game|Sound Clip|Gospel|Noise|Alternative Rock|Bass|Soul\
    |Punk|Space|Meditative|Instrumental Pop|Instrumental Rock|Ethnic|Gothic|Darkwave|Techno-Industrial|Electronic\
    |Pop-Folk|Eurodance|Dream|Southern Rock|Comedy|Cult|Gangsta Rap|Top 40|Christian Rap|Pop/Funk|Jungle|Native American\
    |Cabaret|New Wave|Psychedelic|Rave|Showtunes|Trailer|Lo-Fi|Tribal|Acid Punk|Acid Jazz|Polka|Retro|Musical\
    |Rock & Roll|Hard Rock|Folk|Folk-Rock|National Folk|Swing|Fast Fusion|Bebop|Latin|Revival|Celtic|Bluegrass\
    |Avantgarde|Gothic Rock|Progressive Rock|Psychedelic Rock|Symphonic Rock|Slow Rock|Big Band|Chorus|Easy Listening\
    |Acoustic|Humour|Speech|Chanson|Opera|Chamber Music|Sonata|Symphony|Booty Bass|Primus|Porn Groove|Satire|Slow Jam\
    |Club|Tango|Samba|Folklore|Ballad|Power Ballad|Rhythmic Soul|Freestyle|Duet|Punk Rock|Drum Solo|A Cappella|Euro-House\
    |Dance Hall|Goa|Drum & Bass|Club-House|Hardcore|Terror|Indie|BritPop|Afro-Punk|Polsk Punk|Beat|Christian Gangsta Rap\
    |Heavy Metal|Black Metal|Crossover|Contemporary Christian|Christian Rock|Merengue|Salsa|Thrash Metal|Anime|J-Pop\
    |Synthpop|Abstract|Art Rock|Baroque|Bhangra|Big Beat|Breakbeat|Chillout|Downtempo|Dub|EBM|Eclectic|Electro\
    |Electroclash|Emo|Experimental|Garage|Global|IDM|Illbient|Industro-Goth|Jam Band|Krautrock|Leftfield|Lounge|Math Rock\
    |New Romantic|Nu-Breakz|Post-Punk|Post-Rock|Psytrance|Shoegaze|Space Rock|Trop Rock|World Music|Neoclassical|Audiobook\
    |Audio Theatre|Neue Deutsche Welle|Podcast|Indie Rock|G-Funk|Dubstep|Garage Rock|Psybient";

/// The name of a genre number.
pub(super) fn by_number(number: u8) -> Option<&'static str> {
    STANDARD.split('|').nth(usize::from(number))
}

/// Whether this is the name of a genre that has a number.
pub(super) fn is_standard(name: &str) -> bool {
    STANDARD.split('|').any(|known| known.eq_ignore_ascii_case(name))
}

/// The genres in one value: `Rock`, `17`, `(17)(52)`, `(4)Eurodisco` (both), `RX`, `((odd)`.
pub(super) fn in_value(value: &str) -> Vec<&str> {
    let mut names = Vec::new();
    let mut rest = value.trim();
    if let Some(name) = referred(rest) {
        return vec![name];
    }
    while let Some((reference, after)) =
        rest.strip_prefix('(').and_then(|inner| inner.split_once(')'))
    {
        let Some(name) = referred(reference) else { break };
        names.push(name);
        rest = after.trim_start();
    }
    // A name that begins with a bracket has it doubled.
    let refinement = rest.strip_prefix('(').filter(|inner| inner.starts_with('(')).unwrap_or(rest);
    if !refinement.is_empty() {
        names.push(refinement);
    }
    names
}

/// What a number or one of the two abbreviations of ID3v2 stands for.
fn referred(reference: &str) -> Option<&'static str> {
    match reference.trim() {
        "RX" => Some("Remix"),
        "CR" => Some("Cover"),
        digits if digits.bytes().all(|byte| byte.is_ascii_digit()) => {
            by_number(digits.parse().ok()?)
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn every_number_has_its_name() {
        assert_eq!(STANDARD.split('|').count(), 192);
        for (number, name) in [
            (0, "Blues"),
            (17, "Rock"),
            (52, "Electronic"),
            (79, "Hard Rock"),
            (133, "Afro-Punk"),
            (191, "Psybient"),
        ] {
            assert_eq!(by_number(number), Some(name));
        }
        assert_eq!(by_number(192), None);
        assert!(STANDARD.split('|').all(|name| name.trim() == name && !name.is_empty()));
    }

    #[test]
    fn references_become_names() {
        assert_eq!(in_value("(17)(52)"), ["Rock", "Electronic"]);
        assert_eq!(in_value("17"), ["Rock"]);
        assert_eq!(in_value("(RX)"), ["Remix"]);
        assert_eq!(in_value("(4)Eurodisco"), ["Disco", "Eurodisco"]);
        assert_eq!(in_value("((odd) one"), ["(odd) one"]);
        assert_eq!(in_value("(odd) one"), ["(odd) one"]);
        assert_eq!(in_value("2000"), ["2000"]);
        assert_eq!(in_value("80s"), ["80s"]);
        assert!(in_value(" ").is_empty());
    }

    proptest! {
        #[test]
        fn no_genre_is_empty(text in "[()0-9RXa ]{0,20}") {
            prop_assert!(in_value(&text).iter().all(|name| !name.is_empty()));
        }
    }
}
