//! The pieces of the demo album, as notes.

/// A piece: chords that go round, a tune over them, and who plays along.
pub struct Piece {
    /// Title.
    pub title: &'static str,
    /// Who plays, one by one.
    pub artists: &'static [&'static str],
    /// Genre.
    pub genre: &'static str,
    /// Beats a minute; a bar has four.
    pub tempo: f32,
    /// How often the chords go round.
    pub rounds: usize,
    /// A chord a bar, as keys (60 is middle C), the lowest first.
    pub chords: &'static [[u8; 4]],
    /// Which tone of the chord is plucked on each eighth of a bar; 9 for none.
    pub figure: [usize; 8],
    /// The tune of a round, over the chords as they stand beside it: beat of its beginning, key,
    /// beats.
    pub tune: &'static [(f32, u8, f32)],
    /// Whether there are drums.
    pub drums: bool,
    /// Words with times, as LRC, for a file beside the piece.
    pub words: Option<&'static str>,
    /// Words without times, for its tags.
    pub lyrics: Option<&'static str>,
}

/// The album, in order.
pub const ALBUM: [Piece; 5] = [
    Piece {
        title: "Dawn on the Roof",
        artists: &["The Kinglets"],
        genre: "Ambient",
        tempo: 84.0,
        rounds: 2,
        chords: &[[50, 57, 62, 66], [47, 54, 62, 66], [43, 55, 59, 62], [45, 57, 61, 64]],
        figure: [0, 1, 2, 3, 2, 1, 2, 3],
        tune: &[
            (0.0, 78, 1.5),
            (1.5, 81, 0.5),
            (2.0, 83, 2.0),
            (4.0, 81, 1.0),
            (5.0, 78, 1.0),
            (6.0, 74, 2.0),
            (8.0, 79, 1.5),
            (9.5, 78, 0.5),
            (10.0, 74, 2.0),
            (12.0, 76, 3.0),
        ],
        drums: false,
        words: None,
        lyrics: None,
    },
    Piece {
        title: "Copper Kettle",
        artists: &["The Kinglets", "Mira Solberg"],
        genre: "Folk",
        tempo: 112.0,
        rounds: 2,
        chords: &[[48, 55, 60, 64], [45, 52, 60, 64], [53, 57, 60, 65], [43, 55, 59, 62]],
        figure: [0, 2, 1, 2, 3, 2, 1, 2],
        tune: &[
            (0.0, 76, 0.5),
            (0.5, 79, 0.5),
            (1.0, 84, 1.0),
            (2.0, 83, 0.5),
            (2.5, 79, 1.5),
            (4.0, 76, 0.5),
            (4.5, 77, 0.5),
            (5.0, 76, 1.0),
            (6.0, 72, 2.0),
            (8.0, 81, 0.5),
            (8.5, 79, 0.5),
            (9.0, 77, 1.0),
            (10.0, 76, 1.0),
            (11.0, 77, 1.0),
            (12.0, 79, 1.0),
            (13.0, 74, 1.0),
            (14.0, 71, 2.0),
        ],
        drums: true,
        words: None,
        lyrics: Some(
            "The kettle hums, the street awakes\nThere's bread upon the sill\n\
             The light that every window takes\nIs pouring down the hill",
        ),
    },
    Piece {
        title: "Paper Boats",
        artists: &["The Kinglets"],
        genre: "Folk",
        tempo: 92.0,
        rounds: 2,
        chords: &[[52, 59, 64, 67], [48, 55, 64, 67], [43, 55, 59, 67], [50, 57, 62, 66]],
        figure: [0, 3, 2, 1, 3, 2, 1, 2],
        tune: &[
            (0.0, 79, 1.0),
            (1.0, 83, 1.0),
            (2.0, 81, 1.5),
            (3.5, 79, 0.5),
            (4.0, 76, 2.0),
            (6.5, 74, 0.5),
            (7.0, 76, 1.0),
            (8.0, 79, 1.0),
            (9.0, 81, 1.0),
            (10.0, 83, 2.0),
            (12.0, 81, 1.0),
            (13.0, 78, 3.0),
        ],
        drums: false,
        words: Some(
            "[ti:Paper Boats]\n[ar:The Kinglets]\n[00:02.61]Fold the morning paper\n\
             [00:07.83]Set it on the stream\n[00:13.04]Every page a sail\n\
             [00:18.26]Every word a dream\n",
        ),
        lyrics: None,
    },
    Piece {
        title: "Night Bus",
        artists: &["The Kinglets", "Ada Pine"],
        genre: "Electronic",
        tempo: 118.0,
        rounds: 2,
        chords: &[[45, 57, 60, 64], [41, 53, 57, 60], [48, 55, 60, 64], [43, 50, 59, 62]],
        figure: [0, 9, 2, 3, 9, 1, 2, 3],
        tune: &[
            (0.0, 76, 0.75),
            (0.75, 72, 0.75),
            (1.5, 69, 1.5),
            (4.0, 77, 0.75),
            (4.75, 76, 0.75),
            (5.5, 72, 1.5),
            (8.0, 79, 0.75),
            (8.75, 76, 0.75),
            (9.5, 72, 2.0),
            (12.0, 74, 1.0),
            (13.0, 76, 1.0),
            (14.0, 71, 2.0),
        ],
        drums: true,
        words: None,
        lyrics: None,
    },
    Piece {
        title: "Moss and Fern",
        artists: &["The Kinglets"],
        genre: "Ambient",
        tempo: 72.0,
        rounds: 1,
        chords: &[[41, 53, 57, 64], [46, 53, 58, 62], [43, 55, 58, 65], [48, 52, 58, 67]],
        figure: [0, 9, 1, 9, 2, 9, 3, 9],
        tune: &[
            (0.0, 81, 2.0),
            (2.0, 84, 2.0),
            (4.0, 82, 3.0),
            (7.0, 81, 1.0),
            (8.0, 79, 2.0),
            (10.0, 77, 2.0),
            (12.0, 76, 4.0),
        ],
        drums: false,
        words: None,
        lyrics: None,
    },
];
