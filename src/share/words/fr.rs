//! French.

use super::{Form, Forms, Keys, Notice, Script, Words, month_of};

const MONTHS: [&str; 12] = [
    "janvier",
    "février",
    "mars",
    "avril",
    "mai",
    "juin",
    "juillet",
    "août",
    "septembre",
    "octobre",
    "novembre",
    "décembre",
];

/// 0 and 1 are one; whole millions take a form of their own.
fn form(number: u64) -> Form {
    match number {
        0 | 1 => Form::One,
        _ if number.is_multiple_of(1_000_000) => Form::Many,
        _ => Form::Other,
    }
}

fn day(year: i64, month: i64, day: i64) -> String {
    let first = if day == 1 { "er" } else { "" };
    format!("{day}{first} {} {year}", month_of(&MONTHS, month))
}

/// The texts.
pub const WORDS: Words = Words {
    lang: "fr",
    dir: "ltr",
    form,
    day,
    group: ("\u{202f}", 1000),
    shared: "Partagé avec vous",
    cover_of: "Pochette de {title}",
    tracks: "Titres",
    count: Forms {
        zero: "{n} titre",
        one: "{n} titre",
        two: "{n} titres",
        few: "{n} titres",
        many: "{n} de titres",
        other: "{n} titres",
    },
    seconds: "{s} s",
    minutes: "{m} min",
    hours: "{h} h {m} min",
    until: "jusqu’au {day}",
    mix: "Musique partagée",
    download: "Télécharger {title}",
    download_all: "Tout télécharger",
    more: "Écouter autrement",
    open_in_player: "Ouvrir dans un autre lecteur",
    podcast: "S’abonner comme à un podcast",
    qr: "Code QR de ce lien",
    share: "Partager",
    missing: "absent pour le moment",
    lyrics_of: "Paroles de {title}",
    player: "Lecteur",
    position: "Position",
    previous: "Titre précédent",
    next: "Titre suivant",
    mute: "Couper le son",
    volume: "Volume",
    options: "Autres commandes",
    speed: "Vitesse",
    sleep: "Minuterie de sommeil",
    off: "Non",
    after: Forms {
        zero: "{n} minute",
        one: "{n} minute",
        two: "{n} minutes",
        few: "{n} minutes",
        many: "{n} de minutes",
        other: "{n} minutes",
    },
    end_of_track: "Fin du titre",
    shuffle: "Ordre aléatoire",
    repeat: "Répéter",
    repeat_all: "Tous les titres",
    repeat_one: "Ce titre",
    link: "Copier le lien vers cet instant",
    lyrics: "Paroles",
    close: "Fermer",
    full_screen: "Plein écran",
    window: "Image dans l’image",
    keys: Keys {
        heading: "Clavier",
        play: "lecture et pause",
        arrows: "5 secondes",
        jump: "10 secondes",
        tracks: "titre précédent et suivant",
        mute: "couper le son",
        on: "Utiliser ces touches",
    },
    made_with: "Partagé avec Kinglet",
    open_page: "Ouvrir la page entière",
    not_found: Notice {
        heading: "Ce lien ne mène nulle part",
        text: "Une partie s’est peut-être perdue en route. Copiez de nouveau le lien entier, ou demandez à la personne qui l’a envoyé.",
    },
    ended: Notice {
        heading: "Ce lien a expiré",
        text: "Ce qui était partagé ici n’est plus ouvert. Demandez un nouveau lien à la personne qui l’a envoyé.",
    },
    used_up: Notice {
        heading: "Ce lien a été écouté jusqu’au bout",
        text: "Il pouvait être écouté un certain nombre de fois, et c’est fait. Demandez un nouveau lien à la personne qui l’a envoyé.",
    },
    nothing: Notice {
        heading: "Il ne reste rien ici",
        text: "Ce qui était partagé est absent pour le moment. Cela peut revenir ; sinon, demandez à la personne qui a envoyé le lien.",
    },
    locked: Notice {
        heading: "Ce lien demande une phrase secrète",
        text: "La personne qui vous l’a envoyé la connaît.",
    },
    passphrase: "Phrase secrète",
    unlock: "Ouvrir",
    wrong: "Ce n’est pas la bonne phrase. Essayez encore.",
    too_many: "Trop d’essais. Attendez quelques minutes, puis essayez encore.",
    script: Script {
        play: "Lire",
        pause: "Mettre en pause",
        at: "{at} sur {length}",
        broken: "« {title} » ne peut pas être lu ici.",
        missing: "« {title} » est absent pour le moment.",
        ended: "Ce lien a expiré. Demandez-en un nouveau à la personne qui l’a envoyé.",
        busy: "Le serveur ne peut pas répondre. Nouvel essai …",
        offline: "Pas de connexion. Nouvel essai …",
        copied: "Le lien vers cet instant est copié.",
        copy: "Copier ce lien",
        sleeping: "Arrêt dans {time}",
        asleep: "Bonne nuit.",
        loading: "Chargement …",
        no_lyrics: "Il n’y a pas de paroles.",
    },
};
