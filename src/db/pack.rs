//! Short lists inside one column, so that listing songs needs no join for them.

use serde::{Deserialize, Serialize};

/// Ends a value.
const END: char = '\u{1e}';
/// Parts an id from a name.
const PART: char = '\u{1f}';

/// A thing with an id, as lists inside a row hold it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Named {
    /// The row's id.
    pub id: i64,
    /// Its name.
    pub name: String,
}

/// Packs texts; U+001E and U+001F in them become spaces.
pub fn texts(values: &[String]) -> String {
    values.iter().flat_map(|value| [clean(value), END.to_string()]).collect()
}

/// Texts as `texts` packed them, taken apart only where they are looked at.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TextList(pub String);

impl TextList {
    /// The texts.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.0.split_terminator(END)
    }
}

/// Unpacks what `texts` packed.
pub fn read_texts(packed: &str) -> Vec<String> {
    packed.split_terminator(END).map(str::to_owned).collect()
}

/// Packs things with ids.
pub fn named(values: &[Named]) -> String {
    values.iter().map(|value| format!("{}{PART}{}{END}", value.id, clean(&value.name))).collect()
}

/// Things with ids as `named` packed them, taken apart only where they are looked at.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NamedList(pub String);

impl NamedList {
    /// Ids and names; a damaged value is left out.
    pub fn iter(&self) -> impl Iterator<Item = (i64, &str)> {
        parts(&self.0)
    }
}

/// Unpacks what `named` packed; a damaged value is left out.
pub fn read_named(packed: &str) -> Vec<Named> {
    parts(packed).map(|(id, name)| Named { id, name: name.to_owned() }).collect()
}

fn parts(packed: &str) -> impl Iterator<Item = (i64, &str)> {
    packed.split_terminator(END).filter_map(|value| {
        let (id, name) = value.split_once(PART)?;
        Some((id.parse().ok()?, name))
    })
}

fn clean(text: &str) -> String {
    text.replace([END, PART], " ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn lists_come_back_as_they_were(names in proptest::collection::vec("[^\u{1e}\u{1f}]*", 0..5)) {
            let list = TextList(texts(&names));
            prop_assert!(list.iter().eq(&names));
            let things: Vec<_> =
                names.into_iter().zip(1..).map(|(name, id)| Named { id, name }).collect();
            let list = NamedList(named(&things));
            prop_assert!(list.iter().eq(things.iter().map(|thing| (thing.id, thing.name.as_str()))));
        }

        #[test]
        fn separators_in_names_do_no_harm(name in ".*\u{1e}.*\u{1f}.*") {
            let things = [Named { id: 7, name: name.clone() }];
            prop_assert_eq!(NamedList(named(&things)).iter().count(), 1);
            prop_assert_eq!(TextList(texts(&[name])).iter().count(), 1);
        }
    }
}
