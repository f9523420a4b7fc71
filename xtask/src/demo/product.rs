//! One product of packaging/examples as a running process.

use super::timeline::Timeline;
use crate::run::Done;
use mpguard_tests::{lines::Lines, place::Place, player::Language};
use serde_json::Value;
use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

/// Longer than an exchange with the sandbox takes.
const MOMENT: Duration = Duration::from_millis(500);
const PATIENCE: Duration = Duration::from_secs(30);

pub(super) struct Product {
    pub(super) language: Language,
    pub(super) license_id: String,
    process: Lines,
    /// Everything it was given to meter, by dimension.
    pub(super) metered: BTreeMap<&'static str, u64>,
    /// Credits that it was to draw for that work.
    pub(super) credits: u64,
    /// Kinds of the callbacks it has had.
    pub(super) callbacks: Vec<String>,
}

impl Product {
    pub(super) fn start(
        place: &Place,
        language: Language,
        config: &Value,
        license_id: &str,
    ) -> Done<Product> {
        let mut command = language.command(place, "packaging/examples", "product")?;
        command.env("PRODUCT_CONFIG", config.to_string());
        let process = Lines::start(&format!("the product in {}", language.name()), &mut command)?;
        let license_id = license_id.to_owned();
        Ok(Product {
            language,
            license_id,
            process,
            metered: BTreeMap::new(),
            credits: 0,
            callbacks: Vec::new(),
        })
    }

    /// Waits for a line that begins with `wanted` and gives the rest of it; tells callbacks meanwhile.
    pub(super) fn hear(&mut self, wanted: &str, timeline: &mut Timeline) -> Done<String> {
        let end = Instant::now() + PATIENCE;
        loop {
            let left = end.saturating_duration_since(Instant::now());
            let line = self.process.hear(left)?;
            if let Some(rest) = line.strip_prefix(wanted) {
                return Ok(rest.trim().to_owned());
            }
            self.take(&line, timeline)?;
        }
    }

    /// The same for a moment only.
    pub(super) fn hear_soon(
        &mut self,
        wanted: &str,
        timeline: &mut Timeline,
    ) -> Done<Option<String>> {
        while let Some(line) = self.process.hear_within(MOMENT)? {
            if let Some(rest) = line.strip_prefix(wanted) {
                return Ok(Some(rest.trim().to_owned()));
            }
            self.take(&line, timeline)?;
        }
        Ok(None)
    }

    /// Waits until a callback of this kind has come.
    pub(super) fn hear_callback(&mut self, kind: &str, timeline: &mut Timeline) -> Done {
        let end = Instant::now() + PATIENCE;
        while !self.callbacks.iter().any(|heard| heard == kind) {
            let line = self.process.hear(end.saturating_duration_since(Instant::now()))?;
            self.take(&line, timeline)?;
        }
        Ok(())
    }

    /// Tells the callbacks that have come by now.
    pub(super) fn listen(&mut self, timeline: &mut Timeline) -> Done {
        while let Some(line) = self.process.hear_within(Duration::ZERO)? {
            self.take(&line, timeline)?;
        }
        Ok(())
    }

    /// A batch of its customers' work.
    pub(super) fn work(&mut self, requests: u64, megabytes: u64) -> Done {
        *self.metered.entry("requests").or_default() += requests;
        *self.metered.entry("megabytes").or_default() += megabytes;
        self.credits += requests.div_ceil(10);
        self.process.say(&format!("{requests} {megabytes}"))
    }

    /// Ends its input; it must end by itself. Gives its account and its report.
    pub(super) fn finish(self, timeline: &mut Timeline) -> Done<(Language, Ended)> {
        let Product { language, license_id, process, metered, credits, mut callbacks } = self;
        let (mut account, mut report) = (Value::Null, Value::Null);
        for line in process.finish(PATIENCE)? {
            let read = |text: &str| {
                serde_json::from_str(text)
                    .map_err(|e| format!("the product in {} said `{line}`: {e}", language.name()))
            };
            if let Some(text) = line.strip_prefix("account: ") {
                account = read(text)?;
            } else if let Some(text) = line.strip_prefix("report: ") {
                report = read(text)?;
            } else if let Some(text) = line.strip_prefix("callback: ") {
                callbacks.push(text.split(':').next().unwrap_or_default().to_owned());
                timeline.tell(language.name(), &format!("callback {text}"));
            }
        }
        Ok((language, Ended { license_id, metered, credits, callbacks, account, report }))
    }

    fn take(&mut self, line: &str, timeline: &mut Timeline) -> Done {
        let name = self.language.name();
        if let Some(text) = line.strip_prefix("callback: ") {
            self.callbacks.push(text.split(':').next().unwrap_or_default().to_owned());
            timeline.tell(name, &format!("callback {text}"));
        } else if !line.starts_with("worked: ") {
            return Err(format!("the product in {name} said `{line}`, which nobody expected"));
        }
        Ok(())
    }
}

/// What is left of a product that has ended.
pub(super) struct Ended {
    pub(super) license_id: String,
    pub(super) metered: BTreeMap<&'static str, u64>,
    pub(super) credits: u64,
    pub(super) callbacks: Vec<String>,
    pub(super) account: Value,
    pub(super) report: Value,
}

impl Ended {
    /// Its report in a line. Node spells names in its own case.
    pub(super) fn farewell(&self) -> String {
        let [recorded, pending, disputed] =
            ["recorded", "pending", "disputed"].map(|name| &self.report[name]);
        format!("shut down: {recorded} recorded at the end, {pending} pending, {disputed} disputed")
    }
}
