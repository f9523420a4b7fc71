//! What is wrong with a set-up, and how to mend it.

use crate::{config, plain::Plain, wait::wait};
use mpguard_core::{
    config::render::camel_keys,
    doctor::{self, Style},
    model::finding::{Finding, Report},
};
use napi::{Env, bindgen_prelude::Object};
use napi_derive::napi;
use serde_json::{Value, json};
use std::env;

/// Examines what a guard of these options would need; without any, the surroundings. `options` is JSON with keys in
/// camelCase, or, when `shared`, spelled as in the other languages. The text is for standard output, which may be a
/// terminal.
#[napi(
    catch_unwind,
    ts_args_type = "options: string | null, shared: boolean, isTerminal: boolean",
    ts_return_type = "Promise<DoctorReport>"
)]
pub fn examine<'env>(
    env: &'env Env,
    options: Option<String>,
    shared: bool,
    is_terminal: bool,
) -> napi::Result<Object<'env>> {
    let variable = |name: &str| Some(env::var_os(name)?.to_string_lossy().into_owned());
    let style = Style::of(is_terminal, variable);
    let examine = move || {
        let config = match options.as_deref() {
            Some(options) if !shared => config::read(options),
            text => return Ok(doctor::examine_json(text)),
        };
        // What was wrong with it is spelled as it was written already.
        let spelled = config.is_err().then_some("configuration");
        let mut report = doctor::examine_read(config);
        let findings = report.findings.iter_mut();
        findings.filter(|finding| Some(finding.id.as_str()) != spelled).for_each(spell);
        Ok(report)
    };
    wait(env, examine, move |report| Plain::json(value(&report, style)))
}

/// Names options as the seller's code does.
fn spell(finding: &mut Finding) {
    for text in [&mut finding.what, &mut finding.why, &mut finding.fix] {
        *text = camel_keys(text);
    }
}

fn value(report: &Report, style: Style) -> Value {
    let mut value = report.to_json();
    value["exit_code"] = json!(report.exit_code());
    value["text"] = json!(report.to_text(style.colour, style.width));
    value
}
