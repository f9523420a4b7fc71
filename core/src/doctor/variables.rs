//! What the environment would do to a program that is made with an AWS SDK.

use super::finding;
use crate::{
    adapter::surroundings::{File, Variable},
    config::Settings,
    model::{
        finding::{Finding, Status},
        proxy::ProxyChoice,
    },
};

/// Set for good reasons, and nothing is weaker for it.
const HARMLESS: [&str; 3] = ["NO_PROXY", "no_proxy", "AWS_EC2_METADATA_DISABLED"];
/// They change the very process that mpguard runs in.
const INSIDE: [&str; 4] = ["LD_PRELOAD", "LD_AUDIT", "PYTHONPATH", "NODE_OPTIONS"];
/// Read for `proxy = environment` alone.
const PROXIES: [&str; 4] = ["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"];

/// `proxied`: the configuration wants the environment's proxy, and AWS was reached through it.
pub(super) fn findings(
    settings: Option<&Settings>,
    variables: &[Variable],
    files: &[File],
    proxied: bool,
) -> Vec<Finding> {
    let by_environment =
        settings.is_some_and(|settings| settings.proxy == ProxyChoice::Environment);
    let of = |variable: &Variable| variable_of(variable, by_environment, proxied);
    variables.iter().map(of).chain(profiles(files)).collect()
}

fn variable_of(variable: &Variable, by_environment: bool, proxied: bool) -> Finding {
    let name = variable.name.as_str();
    let id = format!("variable.{name}");
    let what = format!("`{name}` is set, which {}", variable.effect_elsewhere);
    let unset = "unset it, unless another program of the container needs it";
    if HARMLESS.contains(&name) {
        return finding(id, Status::Passed, what, "it weakens nothing", "");
    }
    if INSIDE.contains(&name) {
        let why = "it changes the process that mpguard runs in, and no library can stop that; whoever runs the container can \
                   do so";
        return finding(id, Status::Warning, what, why, unset);
    }
    if PROXIES.contains(&name) {
        return match (by_environment, proxied) {
            (true, true) => {
                let why = "the configuration wants this proxy; it carries TLS that it cannot read";
                finding(id, Status::Passed, what, why, "")
            }
            (true, false) => {
                let why =
                    "the configuration wants this proxy; see the findings `proxy` and `endpoint`";
                finding(
                    id,
                    Status::Warning,
                    what,
                    why,
                    "correct it, or unset it where no proxy is needed",
                )
            }
            (false, _) => {
                let why =
                    "it has no effect on mpguard, whose configuration wants another proxy or none";
                let fix = format!(
                    "{unset}; where AWS can be reached through a proxy only, the product sets `proxy` to `environment`"
                );
                finding(id, Status::Warning, what, why, fix)
            }
        };
    }
    if variable.used {
        let why = "mpguard reads it as well, checks what it says, and does not go where it points";
        return finding(
            id,
            Status::Warning,
            what,
            why,
            "unset it: ECS and EKS set such variables by themselves",
        );
    }
    let why = "it has no effect on mpguard; a program that is made with an AWS SDK obeys it";
    finding(id, Status::Warning, what, why, unset)
}

fn profiles(files: &[File]) -> Option<Finding> {
    let first = files.first()?;
    let paths: Vec<String> =
        files.iter().map(|file| format!("`{}`", file.path.display())).collect();
    Some(finding(
        "profiles",
        Status::Warning,
        format!("there is {}, which {}", paths.join(" and "), first.effect_elsewhere),
        "mpguard does not read it; a program that is made with an AWS SDK does",
        "remove it from the container: AWS asks products to hold no credentials",
    ))
}
