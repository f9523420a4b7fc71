//! Who signs.

use super::{finding, unseen};
use crate::{
    adapter::{aws::examine::Aws, examine::Look},
    config::Settings,
    model::{
        finding::{Candidate, Fate, Finding, Status},
        time::Timestamp,
    },
};

pub(super) fn findings(settings: Option<&Settings>, aws: &Aws) -> Vec<Finding> {
    vec![credentials(settings, aws), principal(aws)]
}

fn credentials(settings: Option<&Settings>, aws: &Aws) -> Finding {
    const ID: &str = "credentials";
    let end = match &aws.credentials {
        Look::Seen(Ok(end)) => end,
        Look::Seen(Err(why)) => {
            // Who gave no configuration may have a product that signs nothing here.
            let status = if settings.is_some() { Status::Failed } else { Status::Warning };
            let what = "there are no credentials to sign calls with";
            let why = [why.clone()].into_iter().chain(told(&aws.sources, Fate::Refused));
            let fix = "do what the reason says: AWS bills whoever signs, so only the platform's own credentials are taken";
            return finding(ID, status, what, why.collect::<Vec<_>>().join("; "), fix);
        }
        look => return unseen(ID, look),
    };
    let what = format!("calls are signed by {}{}", source(&aws.sources), until(*end));
    let mut why: Vec<String> = told(&aws.sources, Fate::Won).collect();
    why.extend(told(&aws.sources, Fate::Refused));
    finding(ID, Status::Passed, what, why.join("; "), "")
}

fn source(sources: &[Candidate]) -> &str {
    sources
        .iter()
        .find(|source| source.fate == Fate::Won)
        .map_or("the platform's credentials", |won| won.source)
}

fn until(end: Option<Timestamp>) -> String {
    end.map_or_else(String::new, |end| {
        format!("; its credentials end at {end} and are renewed before")
    })
}

/// What is said of the sources of this fate.
fn told(sources: &[Candidate], fate: Fate) -> impl Iterator<Item = String> {
    sources
        .iter()
        .filter(move |source| source.fate == fate)
        .map(|it| format!("{}: {}", it.source, it.why))
}

fn principal(aws: &Aws) -> Finding {
    const ID: &str = "principal";
    match &aws.principal {
        Look::Seen(Ok(principal)) => finding(
            ID,
            Status::Passed,
            format!(
                "AWS knows the signer as `{}` of account `{}`",
                principal.arn, principal.account
            ),
            "GetCallerIdentity says so, and needs no permission",
            "",
        ),
        Look::Seen(Err(why)) => finding(
            ID,
            Status::Warning,
            "nobody knows who signs",
            why.as_str(),
            "check that STS can be reached in this Region; the product itself needs it on EKS only",
        ),
        look => unseen(ID, look),
    }
}
