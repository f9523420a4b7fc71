//! Every finding that an examination can give; docs/DOCTOR.md is made from this table.

/// What a finding of one id is about.
#[derive(Debug)]
pub(crate) struct Topic {
    /// Its id. One that ends with `.` stands for all ids that begin so, such as `permission.`.
    pub(crate) id: &'static str,
    /// What the rest of such an id is.
    pub(crate) rest: &'static str,
    /// What is looked at, and how.
    pub(crate) meaning: &'static str,
    /// When it is not as it should be: the status and when it is given.
    pub(crate) statuses: &'static [(&'static str, &'static str)],
    /// What to do then.
    pub(crate) fix: &'static str,
    /// Where its section of the page is.
    pub(crate) docs: &'static str,
}

/// The topic that an id belongs to.
pub(super) fn of(id: &str) -> Option<&'static Topic> {
    let exact = TOPICS.iter().find(|topic| topic.id == id);
    exact.or_else(|| {
        let of_many = |topic: &&Topic| topic.id.ends_with('.') && id.starts_with(topic.id);
        TOPICS.iter().find(of_many)
    })
}

/// In the order of a report.
pub(crate) const TOPICS: &[Topic] = &[
    Topic {
        id: "configuration",
        rest: "",
        meaning: "The configuration as a whole, as `init` would check it.",
        statuses: &[
            ("failed", "a key is missing, unknown or has a value that it cannot take"),
            ("skipped", "no configuration was given: only the surroundings are looked at"),
        ],
        fix: "The text names the key, the value and what is allowed; CONFIGURATION.md lists every key.",
        docs: "docs/DOCTOR.md#configuration",
    },
    Topic {
        id: "sandbox",
        rest: "",
        meaning: "Whether the configuration names a sandbox or another issuer than AWS Marketplace. Such a guard marks \
                  everything that it says.",
        statuses: &[("warning", "what was examined proves nothing about AWS")],
        fix: "Leave `sandbox` and `issuer_fingerprint` out of what you ship.",
        docs: "docs/DOCTOR.md#sandbox",
    },
    Topic {
        id: "key",
        rest: "",
        meaning: "The product's public keys, which verify the signed answer of `RegisterUsage`: versions, bits, and which one \
                  is sent.",
        statuses: &[
            ("warning", "the newest key has fewer than 2048 bits"),
            ("failed", "a key cannot be read"),
            ("skipped", "the pricing has no `hourly`: no key is used"),
        ],
        fix: "Give the `BEGIN PUBLIC KEY` block that AWS shows for the product, under the version that AWS shows with it.",
        docs: "docs/DOCTOR.md#key",
    },
    Topic {
        id: "examination",
        rest: "",
        meaning: "The examination itself; there is no such finding when it could be made.",
        statuses: &[("failed", "the thread that looks did not start, or ended before its time")],
        fix: "Raise the limit of threads of the container; if that is not it, report a bug of mpguard.",
        docs: "docs/DOCTOR.md#examination",
    },
    Topic {
        id: "platform",
        rest: "",
        meaning: "Where the container runs, and by which sign that is known.",
        statuses: &[
            (
                "warning",
                "no platform of AWS was found, and no configuration says whether that is a fault",
            ),
            ("failed", "the pricing has metering, and AWS meters ECS tasks and EKS pods only"),
            ("skipped", "the examination ran out of time"),
        ],
        fix: "Run the product as an ECS task with a task role, or as an EKS pod whose service account has an IAM role (IRSA).",
        docs: "docs/DOCTOR.md#platform",
    },
    Topic {
        id: "identity",
        rest: "",
        meaning: "The task, pod or instance that AWS meters, by which usage is kept.",
        statuses: &[
            ("warning", "no platform gives a name, so each run has a random one"),
            ("failed", "it cannot be found out"),
            ("skipped", "the examination ran out of time"),
        ],
        fix: "The text says what was asked. On EKS project a service account token into the pod.",
        docs: "docs/DOCTOR.md#identity",
    },
    Topic {
        id: "region",
        rest: "",
        meaning: "The Region that calls go to, and every source that was asked for it: what it said and why it won or lost.",
        statuses: &[
            (
                "warning",
                "two sources disagree, one says something that is no Region, or AWS does not list the Region for \
                         metering of containers",
            ),
            ("failed", "no source names a Region"),
            ("skipped", "the examination ran out of time"),
        ],
        fix: "Remove `AWS_REGION` and `AWS_DEFAULT_REGION` from the definition of the task or pod; ECS and EKS set them.",
        docs: "docs/DOCTOR.md#region",
    },
    Topic {
        id: "endpoint.",
        rest: "service that the product calls: `endpoint.metering`, `endpoint.license-manager`, `endpoint.sts`, in a sandbox \
               `endpoint.sandbox`",
        meaning: "Whether its host in this Region is reached over TLS on Amazon's roots, and how long that takes. When somebody \
                  else answers, such as a proxy that inspects TLS or an entry of the hosts file, it says who issued the \
                  certificate.",
        statuses: &[
            ("warning", "a host that the product does not depend on was not reached"),
            ("failed", "a host was not reached, or what answers there is not AWS"),
            (
                "skipped",
                "no Region is known, the proxy cannot be used, or the examination ran out of time",
            ),
        ],
        fix: "Open TCP port 443 to the host (DNS, routes, security groups, VPC endpoints, proxy), and exempt AWS's hosts from TLS \
              inspection.",
        docs: "docs/DOCTOR.md#endpoint",
    },
    Topic {
        id: "proxy",
        rest: "",
        meaning: "Through which proxy AWS is called. Its password is never shown.",
        statuses: &[
            ("warning", "not all of AWS was reached through it; the text has what it said"),
            ("failed", "it cannot be used"),
            ("skipped", "a sandbox is never asked through a proxy"),
        ],
        fix: "Allow CONNECT to AWS's hosts on port 443, without TLS inspection; give user and password in its URL where it wants \
              them.",
        docs: "docs/DOCTOR.md#proxy",
    },
    Topic {
        id: "clock",
        rest: "",
        meaning: "How far this computer's clock is from AWS's, by the `Date` of an answer that proved to be AWS's.",
        statuses: &[
            ("warning", "it is 30 seconds off or more; mpguard follows AWS's time all the same"),
            ("skipped", "no host of AWS has told the time, or a sandbox was examined"),
        ],
        fix: "Have the host's clock set by a time service.",
        docs: "docs/DOCTOR.md#clock",
    },
    Topic {
        id: "credentials",
        rest: "",
        meaning: "The source of the credentials that sign calls, when they end, and every other source with the reason why it \
                  is not taken.",
        statuses: &[
            ("warning", "there are none, and no configuration says whether any are needed"),
            ("failed", "there are none: what was found is named, with what to do"),
            ("skipped", "the examination ran out of time"),
        ],
        fix: "On ECS give the task definition a task role; on EKS annotate the pod's service account with an IAM role (IRSA). \
              Static keys, profiles, node roles and EKS Pod Identity are not accepted for metering.",
        docs: "docs/DOCTOR.md#credentials",
    },
    Topic {
        id: "principal",
        rest: "",
        meaning: "Who signs, as AWS sees it: account and ARN by `GetCallerIdentity`, which needs no permission.",
        statuses: &[
            ("warning", "STS did not say"),
            ("skipped", "there are no credentials to ask with"),
        ],
        fix: "See `credentials`, and `endpoint.sts`.",
        docs: "docs/DOCTOR.md#principal",
    },
    Topic {
        id: "permissions",
        rest: "",
        meaning: "Stands in the place of the findings of single actions when there is no configuration.",
        statuses: &[(
            "skipped",
            "without a configuration nobody knows which calls the product makes",
        )],
        fix: "Give the product's configuration.",
        docs: "docs/DOCTOR.md#permissions",
    },
    Topic {
        id: "permission.",
        rest: "IAM action that the pricing needs, such as `permission.MeterUsage`",
        meaning: "Whether the role may call it. AWS looks at permissions first, so each is asked a question that changes \
                  nothing: `MeterUsage` and `ExtendLicenseConsumption` as a dry run, `RegisterUsage` for a product code that \
                  nobody has (with a real one it would begin billing), `CheckoutLicense` for something that is not counted, \
                  `CheckInLicense` with a token that nobody has; the others only read.",
        statuses: &[
            (
                "warning",
                "a diagnostic action is denied: the text says what is missing then; or nobody could tell",
            ),
            ("failed", "an action that the product needs is denied or refused"),
            ("skipped", "nothing could be asked, or AWS asked to wait"),
        ],
        fix: "Allow the action to the role of the task or pod; `mpguard policy` writes the whole policy.",
        docs: "docs/DOCTOR.md#permission",
    },
    Topic {
        id: "dry_run",
        rest: "",
        meaning: "The start-up check of custom metering: `MeterUsage` with `DryRun`, which records nothing.",
        statuses: &[
            ("warning", "the answer cannot be read"),
            ("failed", "AWS refuses to meter here, with its reason"),
            ("skipped", "nothing could be asked, or AWS asked to wait"),
        ],
        fix: "The text says what AWS refuses: the subscription, the platform, the Region, the product or its dimension.",
        docs: "docs/DOCTOR.md#dry_run",
    },
    Topic {
        id: "entitlement",
        rest: "",
        meaning: "What was bought, as far as looking tells: tiers and licenses of a contract. For hourly and usage pricing AWS \
                  says it to the first call that counts.",
        statuses: &[
            ("failed", "there is no license or subscription, or the license may not be used now"),
            ("skipped", "it cannot be looked at without consequences, or AWS did not say"),
        ],
        fix: "Buy the product in AWS Marketplace with this AWS account, and activate its license under Granted licenses in AWS \
              License Manager.",
        docs: "docs/DOCTOR.md#entitlement",
    },
    Topic {
        id: "state.directory",
        rest: "",
        meaning: "Where usage is kept: path, owner and mode, what kind of storage it is, and how long a write to the disk takes \
                  there. The doctor writes one file without a name that is gone at once.",
        statuses: &[
            (
                "warning",
                "the place is lost with the container or its processes, or writes take long",
            ),
            (
                "failed",
                "the seller's `state_dir` cannot be used, or nothing can be written anywhere",
            ),
            ("skipped", "the examination ran out of time"),
        ],
        fix: "Give the container a volume (emptyDir, ECS bind mount, disk) and name it in `state_dir`.",
        docs: "docs/DOCTOR.md#statedirectory",
    },
    Topic {
        id: "state.ledger",
        rest: "",
        meaning: "The account that is kept: records without a fate, and what is pending, delivered, disputed, held or missed. A \
                  copy of the ledger is read, so that whoever leads is not disturbed.",
        statuses: &[
            ("warning", "usage is held, disputed or missed"),
            ("failed", "the ledger cannot be read, or does not make sense"),
            (
                "skipped",
                "a guard of this process has it open, or nothing is kept from one run to the next",
            ),
        ],
        fix: "`mpguard ledger show` on the directory has the reasons, one by one.",
        docs: "docs/DOCTOR.md#stateledger",
    },
    Topic {
        id: "variable.",
        rest: "variable of the environment that would redirect or weaken a program made with an AWS SDK, such as \
               `variable.AWS_ENDPOINT_URL`",
        meaning: "That it is set, what it does to such programs, and whether mpguard reads it too. Its value is never shown.",
        statuses: &[(
            "warning",
            "somebody should know that it is set, even where it has no effect on mpguard",
        )],
        fix: "Unset it, unless another program of the container needs it.",
        docs: "docs/DOCTOR.md#variable",
    },
    Topic {
        id: "profiles",
        rest: "",
        meaning: "Files of AWS's SDKs in the home folder (`~/.aws/config`, `~/.aws/credentials`). mpguard does not read them.",
        statuses: &[("warning", "there is one")],
        fix: "Remove it from the container: AWS asks products to hold no credentials.",
        docs: "docs/DOCTOR.md#profiles",
    },
];

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn each_topic_stands_once_and_says_everything() {
        let ids: BTreeSet<&str> = TOPICS.iter().map(|topic| topic.id).collect();
        assert_eq!(ids.len(), TOPICS.len());
        for topic in TOPICS {
            assert!(topic.meaning.ends_with('.') && topic.fix.ends_with('.'), "{}", topic.id);
            assert_eq!(topic.id.ends_with('.'), !topic.rest.is_empty(), "{}", topic.id);
            assert!(!topic.statuses.is_empty(), "{}", topic.id);
            for (status, when) in topic.statuses {
                assert!(["warning", "failed", "skipped"].contains(status), "{}", topic.id);
                assert!(!when.is_empty() && !when.ends_with('.'), "{}: {when}", topic.id);
            }
        }
    }

    #[test]
    fn an_id_is_found_by_its_whole_name_or_by_its_beginning() {
        assert_eq!(of("state.directory").map(|topic| topic.id), Some("state.directory"));
        assert!(of("nonsense").is_none());
        assert!(of("state.").is_none());
    }
}
