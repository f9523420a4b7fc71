//! One call of License Manager, in the Region where the license is at home.
//!
//! Licenses can be consumed in any Region, and yet `CheckoutLicense` may answer that another one is the
//! right one. [AC §4.9, Q27, Q28] That Region is asked once. When it serves us it is remembered for every
//! later call of this process: a token that was checked out there is extended and checked in there.

use super::super::{
    Inner,
    exceptions::{self, Asked, Reading, SdkFailure},
    region::{Region, Said},
};
use crate::model::outcome::Failure;
use aws_sdk_licensemanager::Client;

/// License Manager, ready for one call.
pub(super) struct Manager<'a> {
    pub(super) inner: &'a Inner,
    client: Client,
    pub(super) asked: Asked,
}

impl Manager<'_> {
    /// Asks, and asks once more in the Region that License Manager names instead.
    ///
    /// The request stays the same, its client token included: the first Region did nothing.
    pub(super) async fn ask<T, E: SdkFailure>(
        &mut self,
        call: impl AsyncFn(&Client) -> Result<T, E>,
    ) -> Result<T, Reading> {
        let first = self.inner.attempt(async || call(&self.client).await).await;
        let Err(reading) = first else { return first };
        let Some(home) = next_region(&reading, &self.asked.region) else { return Err(reading) };
        let Ok(client) = self.inner.clients().and_then(|clients| clients.licensing(&home)) else {
            return Err(reading);
        };
        self.asked.region = home.clone();
        let answer = self.inner.attempt(async || call(&client).await).await;
        if answer.is_ok() {
            *self.inner.licensing.borrow_mut() = Some((home, client));
        }
        answer
    }
}

/// The Region to ask instead of `asked`, when an answer names one that we may follow to.
pub(in crate::adapter::aws) fn next_region(reading: &Reading, asked: &Region) -> Option<Region> {
    exceptions::redirect(reading).and_then(region_in).filter(|named| may_follow(asked, named))
}

/// Accounts and licenses do not cross the border of a partition.
fn may_follow(asked: &Region, named: &Region) -> bool {
    named.is_beside(asked) && named.name() != asked.name()
}

/// The Region that a `Location` names. A host in it is never used as it stands: the name of the Region goes
/// through our own table of endpoints. [AC §4.9]
fn region_in(location: &str) -> Option<Region> {
    location
        .split(|c: char| !(c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-'))
        .filter(|word| word.len() >= 8)
        .find_map(|word| Region::read(word, Said::Redirect).ok())
}

impl Inner {
    /// A client with fresh credentials, or the failure that says what is missing.
    pub(super) async fn manager(
        &self,
        operation: &'static str,
        about: String,
    ) -> Result<Manager<'_>, Failure> {
        let region = self.ready(operation, &about).await?;
        let known = self.licensing.borrow().clone();
        let (region, client) = match known {
            Some(known) => known,
            None => match self.clients().and_then(|clients| clients.licensing(&region)) {
                Ok(client) => {
                    let made = (region, client);
                    *self.licensing.borrow_mut() = Some(made.clone());
                    made
                }
                Err(why) => return Err(Asked { operation, about, region }.not_sent(&why)),
            },
        };
        Ok(Manager { inner: self, client, asked: Asked { operation, about, region } })
    }

    pub(super) fn sku(&self) -> Option<String> {
        self.settings.product_sku.as_ref().map(|sku| sku.as_str().to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_location_is_read_for_a_region_and_nothing_else() {
        let named = |location| region_in(location).map(|region| region.name().to_owned());
        let west = Some("us-west-2".to_owned());
        assert_eq!(named("us-west-2"), west);
        assert_eq!(named("https://license-manager.us-west-2.amazonaws.com/"), west);
        assert_eq!(named("https://license-manager.us-west-2.amazonaws.com.evil.example/"), west);
        assert_eq!(named("https://evil.example/?region=us-west-2#x"), west);
        for nothing in ["", "/", "https://evil.example/", "https://127.0.0.1:80/", "US-WEST-2"] {
            assert_eq!(named(nothing), None, "{nothing}");
        }
    }

    #[test]
    fn a_redirect_stays_inside_the_partition_and_goes_somewhere() {
        let region = |name| Region::read(name, Said::Redirect).expect("well formed");
        let may = |asked, named| may_follow(&region(asked), &region(named));
        assert!(may("eu-west-1", "us-east-1"));
        assert!(!may("eu-west-1", "eu-west-1"), "a loop");
        assert!(!may("eu-west-1", "cn-north-1"));
        assert!(!may("eu-west-1", "us-gov-west-1"));
        assert!(!may("cn-north-1", "us-east-1"));
    }
}
