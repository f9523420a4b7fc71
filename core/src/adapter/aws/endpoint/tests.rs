use super::{
    super::{region::Said, testing::settings},
    *,
};

fn url(service: Service, region: &str) -> Option<String> {
    let region = Region::read(region, Said::Region).expect("the Region is well formed");
    Endpoints::Production(Variant::default()).url(service, &region)
}

/// What botocore makes of each Region, written by tests/outside/test_endpoints.py.
const HOSTS: &str = include_str!("hosts.tsv");

struct Row {
    service: Service,
    region: &'static str,
    standard: &'static str,
    fips: Option<&'static str>,
    dualstack: Option<&'static str>,
    both: Option<&'static str>,
}

fn rows() -> Vec<Row> {
    let row = |line: &'static str| {
        let parts: Vec<&str> = line.split('\t').collect();
        let [service, region, standard, fips, dualstack, both] = parts[..] else {
            panic!("six columns: {line}");
        };
        let listed = |host| (host != "-").then_some(host);
        Row {
            service: match service {
                "meteringmarketplace" => Service::Metering,
                "license-manager" => Service::Licensing,
                "sts" => Service::Tokens,
                other => panic!("no service of ours: {other}"),
            },
            region,
            standard,
            fips: listed(fips),
            dualstack: listed(dualstack),
            both: listed(both),
        }
    };
    HOSTS.lines().filter(|line| !line.starts_with('#')).map(row).collect()
}

#[test]
fn every_host_is_the_one_that_botocore_computes() {
    let rows = rows();
    assert!(rows.len() > 100, "{}", rows.len());
    for partition in ["us-east-1", "cn-northwest-1", "us-gov-west-1", "eusc-de-east-1"] {
        let services = rows.iter().filter(|row| row.region == partition).count();
        assert_eq!(services, 3, "{partition}");
    }
    for row in rows {
        let check = |fips, dualstack, expected: &str| {
            let region = Region::read(row.region, Said::Region).expect("well formed");
            let url = Endpoints::Production(Variant { fips, dualstack }).url(row.service, &region);
            let case = format!("{:?} {} {fips} {dualstack}", row.service, row.region);
            assert_eq!(url, Some(format!("https://{expected}")), "{case}");
        };
        // A host that does not exist is replaced by the next best one that does.
        let dualstack = row.dualstack.unwrap_or(row.standard);
        check(false, false, row.standard);
        check(true, false, row.fips.unwrap_or(row.standard));
        check(false, true, dualstack);
        check(true, true, row.both.unwrap_or(dualstack));
    }
}

#[test]
fn a_region_that_is_new_to_us_has_hosts_of_the_first_partition() {
    let expected = "https://metering.marketplace.xy-central-1.amazonaws.com";
    assert_eq!(url(Service::Metering, "xy-central-1").as_deref(), Some(expected));
}

#[test]
fn a_region_of_an_unknown_partition_has_no_host() {
    assert_eq!(url(Service::Metering, "us-iso-east-1"), None);
    assert_eq!(url(Service::Metering, "us-isob-east-1"), None);
    assert_eq!(url(Service::Metering, "eu-isoe-west-1"), None);
    assert_eq!(url(Service::Metering, "us-isof-south-1"), None);
    assert_eq!(url(Service::Metering, "eusc-fr-east-1"), None);
}

#[test]
fn regions_of_one_partition_are_beside_each_other() {
    let region = |name| Region::read(name, Said::Region).expect("well formed");
    let beside = |one, two| region(one).is_beside(&region(two));
    assert!(beside("us-east-1", "ap-southeast-7"));
    assert!(beside("us-gov-west-1", "us-gov-east-1"));
    assert!(!beside("us-east-1", "cn-north-1"));
    assert!(!beside("us-east-1", "us-gov-west-1"));
    assert!(!beside("us-iso-east-1", "us-iso-east-1"), "not one that we know");
}

#[test]
fn in_a_sandbox_every_service_is_at_its_address() {
    let endpoints = Endpoints::of(&settings(Some("http://127.0.0.1:4000/t/app".to_owned())));
    let region = Region::read("us-east-1", Said::Region).expect("well formed");
    for service in [Service::Metering, Service::Licensing, Service::Tokens] {
        assert_eq!(endpoints.url(service, &region).as_deref(), Some("http://127.0.0.1:4000"));
    }
}

#[test]
fn the_sellers_code_chooses_the_variant_and_nothing_else() {
    let of = |use_fips_endpoint, use_dualstack_endpoint| {
        let of = settings(None);
        Endpoints::of(&CloudSettings { use_fips_endpoint, use_dualstack_endpoint, ..of })
    };
    let variant = |fips, dualstack| Endpoints::Production(Variant { fips, dualstack });
    assert_eq!(of(false, false), variant(false, false));
    assert_eq!(of(true, false), variant(true, false));
    assert_eq!(of(false, true), variant(false, true));
}
