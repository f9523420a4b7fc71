//! Raw counts, as a product adds them, and the units that AWS bills.

use std::fmt;

/// Raw counts as added by the product: billed units times `per_unit`.
pub type Raw = u64;

/// Largest raw count that one counter holds in one hour. The ledger adds up in 63 bits, so 128 full hours fit.
pub const RAW_MAX: Raw = (1 << 56) - 1;
const _: () = assert!(RAW_MAX <= Raw::MAX / 2 / 128);

/// Most decimals of a quantity. Source: `MeterUsage`, member `UsageQuantityAsDecimal`.
pub const DIGITS_MAX: u32 = 6;

/// Most whole units in one record. Source: `UsageQuantityAsDecimal`: ten digits before the point.
pub const WHOLE_MAX: u64 = 9_999_999_999;

/// Billed units, exact to their number of decimals.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Units {
    /// Units times ten to the power of `digits`.
    pub scaled: u64,
    /// Decimals, 0 to 6.
    pub digits: u32,
}

impl Units {
    /// The quantity as `UsageQuantity` takes it; `None` when it needs the decimal member.
    ///
    /// A dimension without decimals stays with integers, as old Regions and stacks know them. AWS compares
    /// by value, so a large hour in the other member does no harm. Source: MeterUsage API reference.
    #[must_use]
    pub fn whole(self) -> Option<i32> {
        if self.digits == 0 { i32::try_from(self.scaled).ok() } else { None }
    }
}

impl fmt::Display for Units {
    /// As `UsageQuantityAsDecimal` takes it: no sign, no leading or trailing zeros.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let one = 10_u64.pow(self.digits.min(DIGITS_MAX));
        let (whole, part) = (self.scaled / one, self.scaled % one);
        if part == 0 {
            return write!(f, "{whole}");
        }
        let digits = format!("{part:0width$}", width = self.digits as usize);
        write!(f, "{whole}.{}", digits.trim_end_matches('0'))
    }
}

/// How raw counts become units: so many raw counts make one step of the quantity, exactly.
///
/// With 3 raw counts in a unit and 2 decimals a hundredth is no whole number of counts, so the step is one
/// unit for 3 counts; with 1000 in a unit it is a hundredth for 10. No floats, no rounding.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Scale {
    /// Raw counts in a step.
    pub raw: u64,
    /// Scaled units in a step.
    pub scaled: u64,
    /// Decimals.
    pub digits: u32,
}

impl Scale {
    /// The scale of a dimension with `per_unit` raw counts in a unit and `digits` decimals.
    #[must_use]
    pub fn new(per_unit: u64, digits: u32) -> Scale {
        let digits = digits.min(DIGITS_MAX);
        let one = 10_u64.pow(digits);
        let per_unit = per_unit.max(1);
        let common = gcd(per_unit, one);
        Scale { raw: per_unit / common, scaled: one / common, digits }
    }

    /// Whole steps in `raw` counts.
    #[must_use]
    pub fn steps(self, raw: Raw) -> u64 {
        raw / self.raw
    }

    /// Most steps that one record takes when the hour may bill `ceiling` whole units.
    #[must_use]
    pub fn steps_max(self, ceiling: Option<u64>) -> u64 {
        let whole = ceiling.unwrap_or(WHOLE_MAX).min(WHOLE_MAX);
        // 10^10 times 10^6 stays far inside 64 bits.
        let most = if ceiling.is_some() {
            whole * 10_u64.pow(self.digits)
        } else {
            (whole + 1) * 10_u64.pow(self.digits) - 1
        };
        most / self.scaled
    }

    /// Units of so many steps.
    #[must_use]
    pub fn units(self, steps: u64) -> Units {
        Units { scaled: steps * self.scaled, digits: self.digits }
    }
}

fn gcd(a: u64, b: u64) -> u64 {
    if b == 0 { a } else { gcd(b, a % b) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_print_as_aws_takes_them() {
        let check =
            |scaled, digits, text: &str| assert_eq!(Units { scaled, digits }.to_string(), text);
        check(17, 0, "17");
        check(1742, 2, "17.42");
        check(1700, 2, "17");
        check(1, 6, "0.000001");
        check(0, 6, "0");
        check(9_999_999_999_999_999, 6, "9999999999.999999");
    }

    #[test]
    fn an_integer_dimension_uses_the_decimal_member_only_beyond_int32() {
        // T20
        let units = |scaled, digits| Units { scaled, digits };
        assert_eq!(units(i32::MAX as u64, 0).whole(), Some(i32::MAX));
        assert_eq!(units(i32::MAX as u64 + 1, 0).whole(), None);
        assert_eq!(units(17, 2).whole(), None);
    }

    #[test]
    fn steps_are_exact_for_every_scale() {
        for per_unit in [1, 2, 3, 7, 10, 16, 60, 1000, 1024, 1_000_000, 1 << 30] {
            for digits in 0..=DIGITS_MAX {
                let scale = Scale::new(per_unit, digits);
                let exact = u128::from(scale.raw) * 10_u128.pow(digits);
                assert_eq!(
                    exact,
                    u128::from(scale.scaled) * u128::from(per_unit),
                    "{per_unit} {digits}"
                );
            }
        }
        assert_eq!(Scale::new(1000, 2), Scale { raw: 10, scaled: 1, digits: 2 });
        assert_eq!(Scale::new(3, 2), Scale { raw: 3, scaled: 100, digits: 2 });
    }

    #[test]
    fn a_record_never_holds_more_than_aws_takes() {
        let most = |ceiling, digits| {
            let scale = Scale::new(1_000_000, digits);
            scale.units(scale.steps_max(ceiling)).to_string()
        };
        assert_eq!(most(None, 6), "9999999999.999999");
        assert_eq!(most(None, 0), "9999999999");
        assert_eq!(most(Some(100), 3), "100");
    }
}
