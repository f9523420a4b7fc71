//! The policy as a CloudFormation template. JSON, which every YAML template may hold as well.

use super::{advice, needs::Needs, trust};
use serde_json::{Map, Value, json};

/// The whole template.
pub(crate) fn template(needs: &Needs) -> Value {
    let trusts: Map<String, Value> = trust::policies(needs)
        .into_iter()
        .map(|trust| {
            let value = json!({"For": trust.place, "AssumeRolePolicyDocument": trust.document});
            (trust.name.to_owned(), value)
        })
        .collect();
    let whys: Map<String, Value> = needs
        .statements()
        .iter()
        .map(|statement| (statement.sid.to_owned(), json!(statement.why)))
        .collect();
    json!({
        "AWSTemplateFormatVersion": "2010-09-09",
        "Description": format!("What mpguard needs for pricing {}, made by mpguard policy.", needs.pricing()),
        "Metadata": {
            "Mpguard": {
                "Statements": whys,
                "ManagedPolicies": advice::managed(needs),
                "TrustPolicies": trusts,
            },
        },
        "Parameters": {
            "RoleName": {
                "Type": "String",
                "Description": "Name of the IAM role of the ECS task, or of the pod's service account.",
            },
        },
        "Resources": {
            "MpguardPolicy": {
                "Type": "AWS::IAM::ManagedPolicy",
                "Properties": {
                    // A policy whose description changes is made anew: it never does.
                    "Description": "What mpguard calls.",
                    "PolicyDocument": needs.document(),
                    "Roles": [{"Ref": "RoleName"}],
                },
            },
        },
        "Outputs": {
            "PolicyArn": {"Description": "ARN of the policy.", "Value": {"Ref": "MpguardPolicy"}},
        },
    })
}
