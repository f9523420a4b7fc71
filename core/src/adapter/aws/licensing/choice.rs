//! Which of several licenses counts.

use super::dates;
use crate::model::{
    license::{Contract, Entitlement, Standing},
    time::Timestamp,
};
use aws_sdk_licensemanager::types;
use std::collections::BTreeSet;

/// A license as either read gives it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Read {
    pub(super) sku: Option<String>,
    pub(super) fingerprint: Option<String>,
    /// Only shown to this account by another one that was granted it. [AC §4.6]
    pub(super) delegated: bool,
    created: Option<Timestamp>,
    contract: Contract,
}

impl Read {
    pub(super) fn of_license(license: &types::License) -> Read {
        Read {
            sku: license.product_sku().map(str::to_owned),
            fingerprint: license.issuer().and_then(|i| i.key_fingerprint()).map(str::to_owned),
            delegated: false,
            created: license.create_time().and_then(dates::read),
            contract: Contract {
                license_arn: license.license_arn().map(str::to_owned),
                version: license.version().map(str::to_owned),
                entitlements: license.entitlements().iter().map(entitlement).collect(),
                expires: license.validity().and_then(|v| v.end()).and_then(dates::read),
                standing: standing(license.status(), None),
                status: status(license.status(), None),
                others: 0,
            },
        }
    }

    pub(super) fn of_granted(license: &types::GrantedLicense) -> Read {
        let received = license.received_metadata();
        let grant = received.and_then(|r| r.received_status());
        Read {
            sku: license.product_sku().map(str::to_owned),
            fingerprint: license.issuer().and_then(|i| i.key_fingerprint()).map(str::to_owned),
            delegated: received
                .and_then(|r| r.grant_type())
                .is_some_and(|t| *t == types::GrantType::DelegateGrant),
            created: license.create_time().and_then(dates::read),
            contract: Contract {
                license_arn: license.license_arn().map(str::to_owned),
                version: license.version().map(str::to_owned),
                entitlements: license.entitlements().iter().map(entitlement).collect(),
                expires: license.validity().and_then(|v| v.end()).and_then(dates::read),
                standing: standing(license.status(), grant),
                status: status(license.status(), grant),
                others: 0,
            },
        }
    }

    fn is_usable(&self) -> bool {
        self.contract.standing == Standing::Usable
    }

    fn version(&self) -> u64 {
        self.contract.version.as_deref().and_then(|v| v.parse().ok()).unwrap_or(0)
    }
}

/// A usable one before an unusable one, then the newest. Source for "newest": [AC §4.3], F-506.
///
/// When none is usable the newest still tells why: expired, or suspended. Between twins the ARN decides, so
/// that the order of AWS's list never does.
pub(super) fn choose(licenses: Vec<Read>) -> Option<Contract> {
    let counting = licenses.iter().filter(|license| !license.delegated);
    let best = counting.clone().max_by_key(|l| {
        (l.is_usable(), l.created, l.version(), l.contract.license_arn.as_deref())
    })?;
    let others: BTreeSet<Option<&str>> = counting
        .filter(|license| license.is_usable())
        .map(|license| license.contract.license_arn.as_deref())
        .filter(|arn| *arn != best.contract.license_arn.as_deref())
        .collect();
    Some(Contract { others: others.len(), ..best.contract.clone() })
}

/// Usable is `AVAILABLE` and, where the grant is told, `ACTIVE`. [AC §4.6]
fn standing(
    status: Option<&types::LicenseStatus>,
    grant: Option<&types::ReceivedStatus>,
) -> Standing {
    use types::{LicenseStatus, ReceivedStatus};
    match (status, grant) {
        (Some(LicenseStatus::Expired), _) => Standing::Expired,
        (Some(LicenseStatus::Available), None | Some(ReceivedStatus::Active)) => Standing::Usable,
        _ => Standing::Suspended,
    }
}

/// AWS's word for why the license cannot be used, where it cannot.
fn status(
    status: Option<&types::LicenseStatus>,
    grant: Option<&types::ReceivedStatus>,
) -> Option<String> {
    if standing(status, grant) == Standing::Usable {
        return None;
    }
    match (status, grant) {
        (Some(types::LicenseStatus::Available), Some(grant)) => Some(grant.as_str().to_owned()),
        (Some(status), _) => Some(status.as_str().to_owned()),
        (None, _) => None,
    }
}

fn entitlement(entitlement: &types::Entitlement) -> Entitlement {
    Entitlement {
        name: entitlement.name().to_owned(),
        unit: entitlement.unit().as_str().to_owned(),
        value: entitlement.value().map(str::to_owned),
        max_count: entitlement.max_count().and_then(|count| u64::try_from(count).ok()),
        consumed: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use types::{LicenseStatus, ReceivedStatus};

    fn license(arn: &str, standing: Standing, created: i64, version: &str) -> Read {
        Read {
            sku: None,
            fingerprint: None,
            delegated: false,
            created: Some(Timestamp(created)),
            contract: Contract {
                license_arn: Some(arn.to_owned()),
                version: Some(version.to_owned()),
                standing,
                ..Contract::default()
            },
        }
    }

    fn chosen(licenses: Vec<Read>) -> Option<String> {
        choose(licenses).and_then(|contract| contract.license_arn)
    }

    #[test]
    fn a_usable_license_is_chosen_before_a_newer_expired_one() {
        let old = license("old", Standing::Usable, 1, "1");
        let new = license("new", Standing::Expired, 2, "1");
        assert_eq!(chosen(vec![new, old]).as_deref(), Some("old"));
    }

    #[test]
    fn of_two_usable_licenses_the_newest_is_chosen_and_its_versions_count_as_numbers() {
        let first = license("first", Standing::Usable, 1, "9");
        let second = license("second", Standing::Usable, 2, "1");
        assert_eq!(chosen(vec![second.clone(), first.clone()]).as_deref(), Some("second"));
        let tenth = license("tenth", Standing::Usable, 1, "10");
        assert_eq!(chosen(vec![tenth, first]).as_deref(), Some("tenth"));
    }

    #[test]
    fn other_usable_licenses_are_counted_and_twins_are_chosen_in_any_order() {
        let twin = |arn| license(arn, Standing::Usable, 1, "1");
        let mut shown = twin("shown");
        shown.delegated = true;
        let all = [twin("a"), twin("c"), twin("b"), license("x", Standing::Expired, 9, "9"), shown];
        for turn in 0..all.len() {
            let mut licenses = all.to_vec();
            licenses.rotate_left(turn);
            let contract = choose(licenses).expect("there are some");
            assert_eq!(contract.license_arn.as_deref(), Some("c"), "{turn}");
            assert_eq!(contract.others, 2, "{turn}");
        }
        let versions =
            vec![license("a", Standing::Usable, 1, "1"), license("a", Standing::Usable, 1, "2")];
        let contract = choose(versions).expect("there are some");
        assert_eq!((contract.version.as_deref(), contract.others), (Some("2"), 0), "one license");
        let none = vec![
            license("a", Standing::Expired, 1, "1"),
            license("b", Standing::Suspended, 2, "1"),
        ];
        assert_eq!(choose(none).map(|contract| contract.others), Some(0));
    }

    #[test]
    fn a_license_that_is_only_delegated_never_counts() {
        let mut shown = license("shown", Standing::Usable, 1, "1");
        shown.delegated = true;
        assert_eq!(chosen(vec![shown]), None);
    }

    #[test]
    fn only_an_available_license_with_an_active_grant_is_usable() {
        let check = |status, grant: Option<ReceivedStatus>, expected| {
            assert_eq!(standing(Some(&status), grant.as_ref()), expected, "{status:?} {grant:?}");
        };
        check(LicenseStatus::Available, Some(ReceivedStatus::Active), Standing::Usable);
        check(LicenseStatus::Available, None, Standing::Usable);
        check(LicenseStatus::Available, Some(ReceivedStatus::Disabled), Standing::Suspended);
        check(LicenseStatus::Available, Some(ReceivedStatus::PendingAccept), Standing::Suspended);
        check(LicenseStatus::Expired, Some(ReceivedStatus::Active), Standing::Expired);
        for status in [
            LicenseStatus::Suspended,
            LicenseStatus::Deactivated,
            LicenseStatus::PendingAvailable,
            LicenseStatus::PendingDelete,
            LicenseStatus::Deleted,
        ] {
            check(status, Some(ReceivedStatus::Active), Standing::Suspended);
        }
        assert_eq!(standing(None, None), Standing::Suspended);
    }
}
