//! The text format of Prometheus, version 0.0.4.

use std::fmt::Display;

use super::histogram::{STEPS, Snapshot};

/// The content type of the format.
pub const CONTENT_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// The names of labels and their values.
pub type Labels<'a> = &'a [(&'static str, &'a str)];

/// What the numbers of a metric mean.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// It only grows, until the server starts anew.
    Counter,
    /// It goes up and down.
    Gauge,
    /// It counts in steps.
    Histogram,
}

/// A text that is being written.
#[derive(Debug, Default)]
pub struct Text(String);

/// A metric whose samples are being written. While it is there no other one can begin, so all
/// samples of a metric stand together, as the format demands.
#[derive(Debug)]
pub struct Metric<'a> {
    name: &'static str,
    text: &'a mut String,
}

impl Text {
    /// Begins a metric; its name must be new in this text.
    pub fn metric(&mut self, name: &'static str, kind: Kind, help: &str) -> Metric<'_> {
        let kind = match kind {
            Kind::Counter => "counter",
            Kind::Gauge => "gauge",
            Kind::Histogram => "histogram",
        };
        let help = help.replace('\\', "\\\\").replace('\n', "\\n");
        self.0.push_str(&format!("# HELP {name} {help}\n# TYPE {name} {kind}\n"));
        Metric { name, text: &mut self.0 }
    }

    /// A metric that is one count.
    pub fn counter(&mut self, name: &'static str, help: &str, value: impl Display) {
        self.metric(name, Kind::Counter, help).sample(&[], value);
    }

    /// A metric that is one number which goes up and down.
    pub fn gauge(&mut self, name: &'static str, help: &str, value: impl Display) {
        self.metric(name, Kind::Gauge, help).sample(&[], value);
    }

    /// The whole text.
    pub fn finish(self) -> String {
        self.0
    }
}

impl Metric<'_> {
    /// Writes a value.
    pub fn sample(&mut self, labels: Labels<'_>, value: impl Display) {
        self.line("", labels, None, value);
    }

    /// Writes all values of a histogram.
    pub fn histogram(&mut self, labels: Labels<'_>, snapshot: &Snapshot) {
        for ((_, end), count) in STEPS.iter().zip(snapshot.up_to) {
            self.line("_bucket", labels, Some(end), count);
        }
        self.line("_bucket", labels, Some("+Inf"), snapshot.count);
        self.line("_sum", labels, None, snapshot.sum.as_secs_f64());
        self.line("_count", labels, None, snapshot.count);
    }

    fn line(&mut self, suffix: &str, labels: Labels<'_>, end: Option<&str>, value: impl Display) {
        let end = end.map(|end| ("le", end));
        let labels: Vec<String> = labels
            .iter()
            .copied()
            .chain(end)
            .map(|(name, value)| format!("{name}=\"{}\"", escaped(value)))
            .collect();
        let labels = match labels.as_slice() {
            [] => String::new(),
            labels => format!("{{{}}}", labels.join(",")),
        };
        self.text.push_str(&format!("{}{suffix}{labels} {value}\n", self.name));
    }
}

/// The value of a label as it stands between quotes.
fn escaped(value: &str) -> String {
    value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::histogram::Histogram;
    use std::time::Duration;

    #[test]
    fn a_metric_says_what_it_is_once_before_all_its_samples() {
        let mut text = Text::default();
        let mut songs = text.metric("songs_total", Kind::Counter, "Songs sent.");
        songs.sample(&[("door", "rest"), ("kind", "flac")], 3);
        songs.sample(&[], u64::MAX);
        text.gauge("level", "It goes up and down.", 0.25);
        assert_eq!(
            text.finish(),
            "# HELP songs_total Songs sent.\n\
             # TYPE songs_total counter\n\
             songs_total{door=\"rest\",kind=\"flac\"} 3\n\
             songs_total 18446744073709551615\n\
             # HELP level It goes up and down.\n\
             # TYPE level gauge\n\
             level 0.25\n"
        );
    }

    #[test]
    fn what_would_end_a_line_or_a_value_is_escaped() {
        let mut text = Text::default();
        let mut metric = text.metric("odd", Kind::Gauge, "a \"b\" \\ c\nd");
        metric.sample(&[("name", "a \"b\" \\ c\nd")], 1);
        assert_eq!(
            text.finish(),
            "# HELP odd a \"b\" \\\\ c\\nd\n\
             # TYPE odd gauge\n\
             odd{name=\"a \\\"b\\\" \\\\ c\\nd\"} 1\n"
        );
    }

    #[test]
    fn each_step_of_a_histogram_holds_those_before_it() {
        let histogram = Histogram::default();
        for micros in [200, 600, 700, 9_000_000] {
            histogram.record(Duration::from_micros(micros));
        }
        let mut text = Text::default();
        let mut metric = text.metric("took_seconds", Kind::Histogram, "How long it took.");
        metric.histogram(&[("door", "rest")], &histogram.snapshot());
        let text = text.finish();
        let lines: Vec<&str> = text.lines().skip(2).collect();
        assert_eq!(
            lines,
            [
                "took_seconds_bucket{door=\"rest\",le=\"0.00025\"} 1",
                "took_seconds_bucket{door=\"rest\",le=\"0.0005\"} 1",
                "took_seconds_bucket{door=\"rest\",le=\"0.001\"} 3",
                "took_seconds_bucket{door=\"rest\",le=\"0.0025\"} 3",
                "took_seconds_bucket{door=\"rest\",le=\"0.005\"} 3",
                "took_seconds_bucket{door=\"rest\",le=\"0.01\"} 3",
                "took_seconds_bucket{door=\"rest\",le=\"0.025\"} 3",
                "took_seconds_bucket{door=\"rest\",le=\"0.05\"} 3",
                "took_seconds_bucket{door=\"rest\",le=\"0.1\"} 3",
                "took_seconds_bucket{door=\"rest\",le=\"0.25\"} 3",
                "took_seconds_bucket{door=\"rest\",le=\"1\"} 3",
                "took_seconds_bucket{door=\"rest\",le=\"5\"} 3",
                "took_seconds_bucket{door=\"rest\",le=\"+Inf\"} 4",
                "took_seconds_sum{door=\"rest\"} 9.0015",
                "took_seconds_count{door=\"rest\"} 4",
            ]
        );
    }
}
