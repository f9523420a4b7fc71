//! `mpguard policy` for every pricing, and for what is no pricing.

use serde_json::Value;
use std::{
    collections::BTreeSet,
    io::Write,
    process::{Command, Stdio},
};

/// Exit status, standard output, standard error.
fn policy(arguments: &[&str], stdin: &str) -> (i32, String, String) {
    let mut child = Command::new(env!("CARGO_BIN_EXE_mpguard"))
        .arg("policy")
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the command runs");
    // It may have ended without reading.
    let _ = child.stdin.take().expect("piped").write_all(stdin.as_bytes());
    let output = child.wait_with_output().expect("it ends");
    let text = |bytes| String::from_utf8(bytes).expect("UTF-8");
    (output.status.code().expect("it ends by itself"), text(output.stdout), text(output.stderr))
}

fn document(text: &str) -> Value {
    serde_json::from_str(text).expect("JSON")
}

/// Actions of a policy document, whose every statement must be one that IAM takes.
fn actions(document: &Value) -> BTreeSet<String> {
    assert_eq!(document["Version"], "2012-10-17");
    let statements = document["Statement"].as_array().expect("a list of statements");
    assert!(!statements.is_empty());
    let mut all = BTreeSet::new();
    for statement in statements {
        let sid = statement["Sid"].as_str().expect("a Sid");
        assert!(sid.chars().all(|c| c.is_ascii_alphanumeric()), "IAM takes no Sid `{sid}`");
        assert_eq!(statement["Effect"], "Allow");
        assert_eq!(statement["Resource"], "*", "metering takes no other");
        for action in statement["Action"].as_array().expect("a list of actions") {
            let action = action.as_str().expect("a text").to_owned();
            let diagnostic = sid == "MpguardDiagnostics";
            let reads =
                ["ListReceivedLicenses", "GetLicenseUsage"].iter().any(|a| action.ends_with(a));
            assert_eq!(diagnostic, reads, "{action} in {sid}");
            assert!(all.insert(action), "given twice");
        }
    }
    all
}

const HOURLY: &[&str] = &["aws-marketplace:RegisterUsage"];
const USAGE: &[&str] = &["aws-marketplace:MeterUsage"];
const CONTRACT: &[&str] = &[
    "license-manager:CheckInLicense",
    "license-manager:CheckoutLicense",
    "license-manager:ExtendLicenseConsumption",
    "license-manager:GetLicense",
];
const DIAGNOSTICS: &[&str] =
    &["license-manager:GetLicenseUsage", "license-manager:ListReceivedLicenses"];

fn set(parts: &[&[&str]]) -> BTreeSet<String> {
    parts.iter().flat_map(|part| part.iter()).map(|action| (*action).to_owned()).collect()
}

/// Source: [AC §9], the table of pricing models and actions.
#[test]
fn each_pricing_gets_its_actions_and_no_other() {
    let check = |pricing: &str, wanted: &[&[&str]]| {
        let (status, text, _) = policy(&["--pricing", pricing], "");
        assert_eq!(status, 0, "{pricing}");
        assert_eq!(actions(&document(&text)), set(wanted), "{pricing}");
    };
    check("hourly", &[HOURLY]);
    check("usage", &[USAGE]);
    check("contract", &[CONTRACT, DIAGNOSTICS]);
    check("hourly+contract", &[HOURLY, CONTRACT, DIAGNOSTICS]);
    check("contract+hourly", &[HOURLY, CONTRACT, DIAGNOSTICS]);
    check("usage+contract", &[USAGE, CONTRACT, DIAGNOSTICS]);
    check("hourly+usage", &[HOURLY, USAGE]);
    check("hourly+usage+contract", &[HOURLY, USAGE, CONTRACT, DIAGNOSTICS]);
}

#[test]
fn minimal_leaves_the_diagnostics_out_and_says_what_is_missing() {
    let (status, text, notes) = policy(&["--pricing", "usage+contract", "--minimal"], "");
    assert_eq!(status, 0);
    assert_eq!(actions(&document(&text)), set(&[USAGE, CONTRACT]));
    for part in ["ListReceivedLicenses", "all taken", "GetLicenseUsage", "disputed", "no tier"] {
        assert!(notes.contains(part), "`{part}` is missing in {notes}");
    }
    let (status, _, notes) = policy(&["--pricing", "usage", "--minimal"], "");
    assert!(status == 0 && notes.contains("leaves nothing out"), "{notes}");
}

#[test]
fn the_managed_policies_are_named_with_what_they_lack() {
    let notes = |pricing| policy(&["--pricing", pricing], "").2;
    let usage = notes("usage");
    assert!(
        usage.contains("AWSMarketplaceMeteringFullAccess suffices for MeterUsage")
            && usage.contains("AWSMarketplaceMeteringRegisterUsage does not")
            && usage.contains("Pod Identity and static keys do not suffice"),
        "{usage}"
    );
    let hourly = notes("hourly");
    assert!(hourly.contains("AWSMarketplaceMeteringRegisterUsage suffices"), "{hourly}");
    assert!(!hourly.contains("AWSLicenseManagerConsumptionPolicy"), "{hourly}");
    let contract = notes("contract");
    assert!(
        contract.contains("AWSLicenseManagerConsumptionPolicy suffices")
            && contract.contains("are not in it")
            && contract.contains("Containers Anywhere"),
        "{contract}"
    );
}

const TIERS: &str = r#"{"pricing": "contract", "product_code": "3xmpl",
    "trusted_products": [{"code": "3xmpl", "sku": "prod-1"}],
    "entitlements": [{"name": "Pro", "kind": "tier"}]}"#;

#[test]
fn a_configuration_is_read_from_a_file_or_from_standard_input() {
    let (status, text, _) = policy(&["--config", "-"], TIERS);
    assert_eq!(status, 0);
    assert_eq!(actions(&document(&text)), set(&[CONTRACT, DIAGNOSTICS]));

    let file = std::env::temp_dir().join(format!("mpguard-policy-{}.json", std::process::id()));
    std::fs::write(&file, TIERS).expect("a place for temporary files");
    let (status, text, notes) = policy(&["--minimal", "--config", &file.display().to_string()], "");
    std::fs::remove_file(&file).expect("it is there");
    assert_eq!(status, 0, "{notes}");
    assert_eq!(actions(&document(&text)), set(&[CONTRACT]));
    // The configuration says that there is a tier, and nothing to draw.
    assert!(!notes.contains("stays pending") && !notes.contains("disputed"), "{notes}");
}

#[test]
fn a_sandbox_needs_no_policy_and_is_told_so() {
    let sandboxed = TIERS.replacen('{', r#"{"sandbox": "http://127.0.0.1:4000/t/app", "#, 1);
    let (status, text, notes) = policy(&["--config", "-"], &sandboxed);
    assert!(status == 0 && notes.contains("a sandbox"), "{notes}");
    assert_eq!(actions(&document(&text)), set(&[CONTRACT, DIAGNOSTICS]));
}

#[test]
fn what_cannot_be_used_is_named_with_the_next_step_and_status_2() {
    let check = |arguments: &[&str], stdin: &str, parts: &[&str]| {
        let (status, text, errors) = policy(arguments, stdin);
        assert_eq!((status, text.as_str()), (2, ""), "{arguments:?}: {errors}");
        for part in parts {
            assert!(errors.contains(part), "{arguments:?}: `{part}` is missing in {errors}");
        }
    };
    check(&[], "", &["--config", "--pricing"]);
    check(&["--config", "-", "--pricing", "usage"], TIERS, &["cannot be used with"]);
    check(&["--pricing", "monthly"], "", &["`monthly`", "`hourly` (also fixed monthly)"]);
    check(&["--pricing", ""], "", &["`usage` (custom metering)"]);
    check(&["--pricing", "usage+usage"], "", &["given twice"]);
    check(&["--pricing", "usage", "--format", "yaml"], "", &["terraform", "cloudformation"]);
    check(&["--config", "no-such-file.json"], "", &["`no-such-file.json`"]);
    check(&["--config", "-"], "{", &["standard input", "JSON object"]);
    check(&["--config", "-"], r#"{"pricng": "usage"}"#, &["`pricng`", "did you mean `pricing`?"]);
    check(
        &["--config", "-"],
        r#"{"product_code": "3xmpl"}"#,
        &["`pricing` is missing", "`--pricing`"],
    );
}

/// Terraform's own check is not at hand everywhere, so this is a small reading of the same grammar.
#[test]
fn the_terraform_text_is_whole_and_says_the_same() {
    for pricing in ["hourly", "usage+contract", "contract"] {
        let (status, text, _) = policy(&["--pricing", pricing, "--format", "terraform"], "");
        assert_eq!(status, 0);
        let code: Vec<&str> =
            text.lines().map(str::trim).filter(|line| !line.starts_with('#')).collect();
        let mut open = Vec::new();
        let mut found = BTreeSet::new();
        for line in &code {
            assert_eq!(line.matches('"').count() % 2, 0, "{line}");
            for bracket in line.chars().filter(|c| "{}[]".contains(*c)) {
                match bracket {
                    '{' | '[' => open.push(bracket),
                    '}' => assert_eq!(open.pop(), Some('{'), "{line}"),
                    _ => assert_eq!(open.pop(), Some('['), "{line}"),
                }
            }
            let action = line.strip_suffix("\",").and_then(|line| line.strip_prefix('"'));
            found.extend(action.filter(|action| action.contains(':')).map(str::to_owned));
        }
        assert_eq!(open, [], "{text}");
        for block in [
            "data \"aws_iam_policy_document\" \"mpguard\" {",
            "resource \"aws_iam_role_policy\" \"mpguard\" {",
        ] {
            assert!(code.contains(&block), "{text}");
        }
        let (_, json, _) = policy(&["--pricing", pricing], "");
        assert_eq!(found, actions(&document(&json)), "{pricing}");
        let anywhere = text.contains("openid-license-manager.amazonaws.com");
        assert_eq!(anywhere, pricing == "contract", "metering knows no Containers Anywhere");
        // Every trust policy in the comments is a JSON document.
        let comments: Vec<&str> =
            text.lines().filter_map(|line| line.strip_prefix("#   ")).collect();
        let trusts = comments.join("\n");
        let trusts: Vec<Value> =
            serde_json::Deserializer::from_str(&trusts[trusts.find("{\n").expect("one")..])
                .into_iter()
                .collect::<Result<_, _>>()
                .expect("JSON");
        assert_eq!(trusts.len(), if anywhere { 3 } else { 2 });
    }
}

#[test]
fn the_cloudformation_template_holds_the_same_policy_and_whole_references() {
    for pricing in ["hourly+usage", "contract"] {
        let (status, text, _) = policy(&["--pricing", pricing, "--format", "cloudformation"], "");
        assert_eq!(status, 0);
        let template = document(&text);
        assert_eq!(template["AWSTemplateFormatVersion"], "2010-09-09");
        let resource = &template["Resources"]["MpguardPolicy"];
        assert_eq!(resource["Type"], "AWS::IAM::ManagedPolicy");
        let (_, json, _) = policy(&["--pricing", pricing], "");
        assert_eq!(resource["Properties"]["PolicyDocument"], document(&json));
        for reference in
            [&resource["Properties"]["Roles"][0], &template["Outputs"]["PolicyArn"]["Value"]]
        {
            let name = reference["Ref"].as_str().expect("a Ref");
            let known =
                !template["Parameters"][name].is_null() || !template["Resources"][name].is_null();
            assert!(known, "nothing is named `{name}`");
        }
        let trusts =
            template["Metadata"]["Mpguard"]["TrustPolicies"].as_object().expect("an object");
        let names: Vec<&str> = trusts.keys().map(String::as_str).collect();
        let anywhere: &[&str] = if pricing == "contract" { &["ContainersAnywhere"] } else { &[] };
        assert_eq!(names, [&["EcsTaskRole", "EksServiceAccount"], anywhere].concat());
        for trust in trusts.values() {
            let statement = &trust["AssumeRolePolicyDocument"]["Statement"][0];
            assert!(statement["Action"].as_str().is_some_and(|a| a.starts_with("sts:AssumeRole")));
            assert!(statement["Condition"].is_object(), "a role that anybody may take");
        }
    }
}
