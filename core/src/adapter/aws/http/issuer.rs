//! The name of whoever signed a certificate, for people. Nothing is trusted by it.
//!
//! Source: RFC 5280, sections 4.1 and 4.1.2.4: `Certificate`, `TBSCertificate` and `Name`, in DER.

/// More of a name is not shown.
const LETTERS_MAX: usize = 100;
const SEQUENCE: u8 = 0x30;
const SET: u8 = 0x31;
const INTEGER: u8 = 0x02;
const OBJECT_IDENTIFIER: u8 = 0x06;
/// The version, which old certificates leave out.
const VERSION: u8 = 0xA0;
/// `commonName`, 2.5.4.3.
const COMMON_NAME: &[u8] = &[0x55, 0x04, 0x03];
/// `organizationName`, 2.5.4.10.
const ORGANIZATION: &[u8] = &[0x55, 0x04, 0x0A];

/// The issuer in `certificate`: `CN=…, O=…`, as far as it can be read.
pub(super) fn of(certificate: &[u8]) -> Option<String> {
    let (certificate, _) = part(certificate, SEQUENCE)?;
    let (signed, _) = part(certificate, SEQUENCE)?;
    let after_version = part(signed, VERSION).map_or(signed, |(_, rest)| rest);
    let (_, after_number) = part(after_version, INTEGER)?;
    let (_, after_algorithm) = part(after_number, SEQUENCE)?;
    let (mut names, _) = part(after_algorithm, SEQUENCE)?;
    let (mut common, mut organization) = (None, None);
    while let Some((set, rest)) = part(names, SET) {
        names = rest;
        let Some((attribute, _)) = part(set, SEQUENCE) else { continue };
        let Some((kind, value)) = part(attribute, OBJECT_IDENTIFIER) else { continue };
        let Some((_, value, _)) = any(value) else { continue };
        match kind {
            COMMON_NAME => common = Some(text(value)),
            ORGANIZATION => organization = Some(text(value)),
            _ => {}
        }
    }
    let common = common.map(|name| format!("CN={name}"));
    let organization = organization.map(|name| format!("O={name}"));
    let both: Vec<String> = common.into_iter().chain(organization).collect();
    (!both.is_empty()).then(|| both.join(", "))
}

/// Letters of any of the string types, without what a terminal would obey.
fn text(value: &[u8]) -> String {
    super::super::shown(&String::from_utf8_lossy(value), LETTERS_MAX)
}

/// The content of the first element, if it has this tag, and what comes after it.
fn part(bytes: &[u8], tag: u8) -> Option<(&[u8], &[u8])> {
    let (found, content, rest) = any(bytes)?;
    (found == tag).then_some((content, rest))
}

/// Tag and content of the first element, and what comes after it.
fn any(bytes: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (&tag, rest) = bytes.split_first()?;
    let (&first, rest) = rest.split_first()?;
    let (length, rest) = match first {
        0..=0x7F => (usize::from(first), rest),
        // The length of the length; more than four bytes are nobody's certificate.
        0x81..=0x84 => {
            let (digits, rest) = rest.split_at_checked(usize::from(first & 0x7F))?;
            let length = digits.iter().fold(0_usize, |sum, digit| sum << 8 | usize::from(*digit));
            (length, rest)
        }
        _ => return None,
    };
    let (content, rest) = rest.split_at_checked(length)?;
    Some((tag, content, rest))
}

#[cfg(test)]
mod tests {
    use super::*;
    use rcgen::{CertificateParams, DnType, KeyPair};

    fn certificate(names: &[(DnType, &str)]) -> Vec<u8> {
        let mut params = CertificateParams::new(vec!["aws.example".to_owned()]).expect("a name");
        params.distinguished_name = rcgen::DistinguishedName::new();
        for (kind, name) in names {
            params.distinguished_name.push(kind.clone(), *name);
        }
        let key = KeyPair::generate().expect("a key");
        params.self_signed(&key).expect("a certificate").der().to_vec()
    }

    #[test]
    fn whoever_signed_is_named() {
        let both = [(DnType::CommonName, "Inspector 1"), (DnType::OrganizationName, "Big Corp")];
        assert_eq!(of(&certificate(&both)).as_deref(), Some("CN=Inspector 1, O=Big Corp"));
        let other = [(DnType::CountryName, "DE"), (DnType::OrganizationName, "Big Corp")];
        assert_eq!(of(&certificate(&other)).as_deref(), Some("O=Big Corp"));
        assert_eq!(of(&certificate(&[(DnType::CountryName, "DE")])), None);
    }

    #[test]
    fn a_name_moves_no_cursor_and_does_not_fill_the_screen() {
        let long = "x".repeat(5000);
        let odd = [(DnType::CommonName, "a\x1b[2J\r\nb"), (DnType::OrganizationName, &long)];
        let said = of(&certificate(&odd)).expect("names");
        assert!(said.starts_with("CN=a[2Jb, O=xxx"), "{said}");
        assert!(said.len() < 250, "{}", said.len());
    }

    #[test]
    fn any_bytes_are_survived() {
        let good = certificate(&[(DnType::CommonName, "Inspector")]);
        for cut in 0..good.len() {
            let _ = of(&good[..cut]);
            let mut flipped = good.clone();
            flipped[cut] ^= 0xFF;
            let _ = of(&flipped);
        }
        for odd in
            [&[][..], &[0x30], &[0x30, 0x84, 0xFF, 0xFF, 0xFF, 0xFF], &[0x30, 0x80], &[0x30, 0x89]]
        {
            assert_eq!(of(odd), None);
        }
    }
}
