//! Quantities of usage, exact to the six decimals that AWS takes.

use std::fmt;
use std::iter::Sum;

const MILLIONTHS: u64 = 1_000_000;

/// Millionths of a unit; 17, 17.0 and 17.00 are one value. Source: MeterUsage, `UsageQuantityAsDecimal`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Quantity(u64);

impl Quantity {
    pub(crate) fn whole(units: u32) -> Self {
        Self(u64::from(units) * MILLIONTHS)
    }

    /// Reads a decimal that has passed the model's pattern.
    pub(crate) fn decimal(text: &str) -> Option<Self> {
        let (units, fraction) = text.split_once('.').unwrap_or((text, ""));
        let millionths =
            format!("{fraction:0<6}").parse::<u64>().ok().filter(|_| fraction.len() <= 6)?;
        units.parse::<u64>().ok()?.checked_mul(MILLIONTHS)?.checked_add(millionths).map(Self)
    }

    pub(crate) fn saturating_add(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }
}

impl Sum for Quantity {
    fn sum<I: Iterator<Item = Self>>(quantities: I) -> Self {
        quantities.fold(Self::default(), Self::saturating_add)
    }
}

impl fmt::Display for Quantity {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (units, fraction) = (self.0 / MILLIONTHS, self.0 % MILLIONTHS);
        if fraction == 0 {
            return write!(formatter, "{units}");
        }
        let fraction = format!("{fraction:06}");
        write!(formatter, "{units}.{}", fraction.trim_end_matches('0'))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantities_are_compared_and_written_by_value() {
        let decimal = |text| Quantity::decimal(text).expect("a good decimal");
        assert_eq!(decimal("17.00"), Quantity::whole(17));
        assert_eq!(decimal("17.0").to_string(), "17");
        assert_eq!(decimal("0.000001").to_string(), "0.000001");
        assert_eq!(decimal("9999999999.999999").to_string(), "9999999999.999999");
        assert_ne!(decimal("17.000001"), Quantity::whole(17));
        assert_eq!([decimal("0.1"), decimal("0.2")].into_iter().sum::<Quantity>(), decimal("0.3"));
        assert_eq!(Quantity::decimal("1.0000001"), None);
    }
}
