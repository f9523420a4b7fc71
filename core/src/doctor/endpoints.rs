//! Whether AWS is reached, who answers there, and what time it has.

use super::{finding, unseen};
use crate::{
    adapter::{
        aws::examine::{Aws, Endpoint, Reached, Through, Unreached},
        examine::Look,
    },
    config::Settings,
    model::finding::{Finding, Status},
};
use std::time::Duration;

pub(super) fn findings(settings: Option<&Settings>, aws: &Aws) -> Vec<Finding> {
    let mut all: Vec<Finding> = aws.endpoints.iter().map(|it| endpoint(settings, it)).collect();
    all.push(proxy(aws));
    all.push(clock(aws));
    all
}

/// True when each host that was tried was reached.
pub(super) fn all_reached(aws: &Aws) -> bool {
    let reached = |it: &Endpoint| matches!(it.reached, Look::Seen(Ok(_)));
    !aws.endpoints.is_empty() && aws.endpoints.iter().all(reached)
}

fn endpoint(settings: Option<&Settings>, it: &Endpoint) -> Finding {
    let id = format!("endpoint.{}", it.service);
    match &it.reached {
        Look::Seen(Ok(reached)) => {
            let what = format!("`{}` was reached in {}", it.host, ms(reached.took));
            let (tls, why) = match reached.tls {
                Some(version) => (
                    format!(" over {version}"),
                    "its certificate leads to Amazon's roots, or to those that the seller's code adds",
                ),
                None => (String::new(), "a sandbox speaks plain HTTP on this computer"),
            };
            finding(id, Status::Passed, format!("{what}{tls}{}", no_fips(settings, it)), why, "")
        }
        Look::Seen(Err(Unreached { why, signer })) => {
            let status = if it.needed { Status::Failed } else { Status::Warning };
            let what = match (signer, it.host.as_str()) {
                (Some(signer), host) => {
                    format!("what answers as `{host}` shows a certificate issued by `{signer}`")
                }
                (None, "") => "there is no host to call".to_owned(),
                (None, host) => format!("`{host}` was not reached"),
            };
            finding(id, status, what, why.as_str(), fix(signer.is_some(), it))
        }
        look => unseen(id, look),
    }
}

fn fix(signed: bool, it: &Endpoint) -> &'static str {
    if signed {
        "exempt AWS's hosts from TLS inspection, and remove entries for them from the hosts file; or ask the seller to trust \
         the inspecting CA with `extra_ca_pem`"
    } else if it.host.is_empty() {
        "use a newer version of mpguard"
    } else if it.service == "sandbox" {
        "start the sandbox, or correct its address"
    } else {
        "check DNS, routes, security groups, VPC endpoints and proxy of the task or pod; TCP port 443 must be open to this host"
    }
}

/// FIPS was asked for, and there is none.
fn no_fips(settings: Option<&Settings>, it: &Endpoint) -> &'static str {
    let asked = settings.is_some_and(|settings| settings.use_fips_endpoint);
    // In GovCloud the standard host of STS is the FIPS one.
    let has = it.host.contains("fips") || (it.service == "sts" && it.host.contains(".us-gov-"));
    if asked && !has && it.service != "sandbox" {
        "; it is the standard host: AWS has none with FIPS for this service and Region"
    } else {
        ""
    }
}

fn ms(took: Duration) -> String {
    format!("{} ms", took.as_millis())
}

fn proxy(aws: &Aws) -> Finding {
    const ID: &str = "proxy";
    let failed = aws.endpoints.iter().find_map(|it| match &it.reached {
        Look::Seen(Err(unreached)) => Some(unreached.why.as_str()),
        _ => None,
    });
    match (&aws.through, failed) {
        (Through::Sandbox, _) => {
            finding(ID, Status::Skipped, "no proxy is asked", "a sandbox is on this computer", "")
        }
        (Through::Direct, _) => finding(
            ID,
            Status::Passed,
            "AWS is called directly",
            "the configuration wants no proxy, or the environment names none",
            "",
        ),
        (Through::Proxy(url), None) => finding(
            ID,
            Status::Passed,
            format!("calls go through the proxy `{url}`, but for hosts that it is not asked for"),
            "it carries TLS that it cannot read; metadata of the platform is never asked through it",
            "",
        ),
        (Through::Proxy(url), Some(why)) => finding(
            ID,
            Status::Warning,
            format!("calls go through the proxy `{url}`, and not all of AWS was reached"),
            why,
            "allow CONNECT to AWS's hosts on port 443 in the proxy, without TLS inspection",
        ),
        (Through::Unusable(why), _) => finding(
            ID,
            Status::Failed,
            "the proxy cannot be used",
            why.as_str(),
            "give an `http://` URL with host and port; user and password stand before the host",
        ),
    }
}

/// Less is the way of the answer, and a `Date` without fractions.
const RIGHT_MS: u64 = 30_000;
/// AWS refuses signatures that are further off. Source: IAM user guide, Signature Version 4; [AC §3.7].
const SIGNED_MS: u64 = 300_000;

fn clock(aws: &Aws) -> Finding {
    const ID: &str = "clock";
    if aws.through == Through::Sandbox {
        return finding(
            ID,
            Status::Skipped,
            "no clock was compared",
            "a sandbox has a clock of its own",
            "",
        );
    }
    let told = aws.endpoints.iter().find_map(|it| match &it.reached {
        Look::Seen(Ok(Reached { behind_ms, .. })) => *behind_ms,
        _ => None,
    });
    let Some(behind) = told else {
        let why = "no host of AWS has told the time: see the findings `endpoint`";
        return finding(ID, Status::Skipped, "no clock was compared", why, "");
    };
    let off = behind.unsigned_abs();
    let side = if behind > 0 { "behind" } else { "ahead of" };
    let seconds = off.div_ceil(1000);
    if off < RIGHT_MS {
        let what = format!("this computer's clock is right: {seconds} s {side} AWS's");
        return finding(
            ID,
            Status::Passed,
            what,
            "the `Date` of an answer that proved to be AWS's",
            "",
        );
    }
    let more = if off >= SIGNED_MS { "; other programs are refused for it" } else { "" };
    finding(
        ID,
        Status::Warning,
        format!("this computer's clock is {seconds} s {side} AWS's{more}"),
        "mpguard puts usage into AWS's hours and corrects its signatures, whatever this clock says; AWS refuses signatures that \
         are 5 minutes off",
        "have the host's clock set by a time service, such as Amazon Time Sync",
    )
}
