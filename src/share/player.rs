//! The player of a share page: what the script fills and shows, and its drawings.

use std::fmt::Write;

use super::document::escape;
use super::page::{Cover, small_cover};
use super::words::Words;

/// Speeds to choose from.
const SPEEDS: [&str; 8] = ["0.5", "0.75", "0.9", "1", "1.1", "1.25", "1.5", "2"];

/// Minutes to choose from, after which the player falls silent.
const SLEEPS: [u64; 4] = [15, 30, 45, 60];

/// The drawings of all buttons, once a page.
const ICONS: &str = include_str!("assets/icons.svg");

/// One of them.
pub fn icon(name: &str) -> String {
    format!("<svg class=\"i i-{name}\" aria-hidden=\"true\"><use href=\"#i-{name}\"/></svg>")
}

/// The button that starts all of it.
pub fn big(words: &Words) -> String {
    format!(
        "<button class=\"big\" hidden>{}{}<span>{}</span></button>",
        icon("play"),
        icon("pause"),
        escape(words.script.play)
    )
}

/// The player itself, hidden until there is a script; the panel of the lyrics; what the script says.
pub fn player(words: &Words, cover: Option<&Cover>, up: &str) -> String {
    let button = |class: &str, label: &str, attributes: &str, icons: &[&str]| {
        let (label, icons) =
            (escape(label), icons.iter().map(|name| icon(name)).collect::<String>());
        format!(
            "<button class=\"{class}\" aria-label=\"{label}\" title=\"{label}\"{attributes}>{icons}</button>"
        )
    };
    let lyrics = format!(
        "<section class=\"lyrics\" id=\"lyrics\" role=\"dialog\" aria-label=\"{}\" hidden>\n{}\n\
         <div class=\"lines\" tabindex=\"0\" dir=\"auto\"></div>\n</section>\n",
        escape(words.lyrics),
        button("close", words.close, "", &["close"])
    );
    let thumb =
        cover.map_or_else(String::new, |cover| small_cover(up, &cover.stem, " loading=\"lazy\""));
    let now = format!(
        "<p class=\"now\">{thumb}<span><b dir=\"auto\"></b><span dir=\"auto\"></span></span></p>"
    );
    let line = format!(
        "<div class=\"line\" dir=\"ltr\"><span class=\"at\">0:00</span><input class=\"seek\" type=\"range\" min=\"0\" \
         step=\"any\" value=\"0\" aria-label=\"{}\"><span class=\"length\"></span></div>",
        escape(words.position)
    );
    let buttons = format!(
        "<div class=\"buttons\" dir=\"ltr\">{}{}{}</div>",
        button("previous", words.previous, "", &["previous"]),
        button("toggle", words.script.play, "", &["play", "pause"]),
        button("next", words.next, "", &["next"])
    );
    let extra = format!(
        "<div class=\"extra\">{}<span class=\"sound\">{}<input class=\"volume\" type=\"range\" max=\"1\" step=\"0.05\" \
         dir=\"ltr\" aria-label=\"{}\"></span>{}</div>",
        button(
            "open-lyrics",
            words.lyrics,
            " aria-expanded=\"false\" aria-controls=\"lyrics\" hidden",
            &["words"]
        ),
        button("mute", words.mute, " aria-pressed=\"false\"", &["loud", "silent"]),
        escape(words.volume),
        button(
            "open-options",
            words.options,
            " aria-expanded=\"false\" aria-controls=\"options\"",
            &["options"]
        )
    );
    format!(
        "{lyrics}<section class=\"player\" aria-label=\"{}\" hidden>\n<p class=\"say\" role=\"status\"></p>\n{}\
         {now}\n{line}\n{buttons}\n{extra}\n</section>\n\
         <script type=\"application/json\" id=\"texts\">{}</script>\n{}",
        escape(words.player),
        options(words),
        texts(words),
        ICONS.trim_end()
    ) + "\n"
}

/// What is needed less often, in a panel above the player.
fn options(words: &Words) -> String {
    let choice = |class: &str, label: &str, options: &str| {
        format!(
            "<label><span>{}</span><select class=\"{class}\">{options}</select></label>\n",
            escape(label)
        )
    };
    let option = |value: &str, text: &str, chosen: bool| {
        let chosen = if chosen { " selected" } else { "" };
        format!("<option value=\"{value}\"{chosen}>{}</option>", escape(text))
    };
    let speeds: String =
        SPEEDS.iter().map(|speed| option(speed, &format!("{speed} ×"), *speed == "1")).collect();
    let mut sleeps = option("", words.off, true);
    for minutes in SLEEPS {
        sleeps.push_str(&option(
            &minutes.to_string(),
            &words.counted(minutes, &words.after),
            false,
        ));
    }
    sleeps.push_str(&option("end", words.end_of_track, false));
    let repeats: String = [("", words.off), ("all", words.repeat_all), ("one", words.repeat_one)]
        .map(|(value, text)| option(value, text, value.is_empty()))
        .concat();
    format!(
        "<div class=\"options\" id=\"options\" role=\"group\" aria-label=\"{}\" hidden>\n{}{}{}\
         <label class=\"check\"><input type=\"checkbox\" class=\"shuffle\"><span>{}</span></label>\n\
         <button class=\"link\">{}<span>{}</span></button>\n\
         <label class=\"linked\" hidden><span>{}</span><input readonly dir=\"ltr\"></label>\n</div>\n",
        escape(words.options),
        choice("speed", words.speed, &speeds),
        choice("sleep", words.sleep, &sleeps),
        choice("repeat", words.repeat, &repeats),
        escape(words.shuffle),
        icon("link"),
        escape(words.link),
        escape(words.script.copy)
    )
}

/// The single keys of the script, which can be switched off (WCAG 2.1.4).
pub fn keys(words: &Words) -> String {
    let mut rows = String::new();
    for (keys, text) in [
        (&["Space", "K"], words.keys.play),
        (&["←", "→"], words.keys.arrows),
        (&["J", "L"], words.keys.jump),
        (&["P", "N"], words.keys.tracks),
    ] {
        let [one, other] = keys;
        let _ =
            write!(rows, "<dt><kbd>{one}</kbd> <kbd>{other}</kbd></dt><dd>{}</dd>", escape(text));
    }
    format!(
        "<details class=\"keys\" hidden><summary>{}</summary>\n<dl>{rows}<dt><kbd>M</kbd></dt><dd>{}</dd></dl>\n\
         <label class=\"check\"><input type=\"checkbox\" checked><span>{}</span></label></details>\n",
        escape(words.keys.heading),
        escape(words.keys.mute),
        escape(words.keys.on)
    )
}

/// The texts of the script: JSON that ends no element, whatever they say.
fn texts(words: &Words) -> String {
    serde_json::to_string(&words.script).unwrap_or_default().replace('<', "\\u003c")
}
