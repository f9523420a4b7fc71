//! AWS's own service models: what a request may look like, and what an answer must look like.

mod check;
mod shape;

use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde::Deserialize;
use serde_json::Value;

pub(crate) use check::Invalid;
pub(crate) use shape::{Kind, Shape};

/// The services on the one port.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Service {
    Metering,
    LicenseManager,
    Sts,
}

#[derive(Deserialize)]
struct ShapeName {
    shape: String,
}

/// One operation of a service.
#[derive(Deserialize)]
pub(crate) struct Operation {
    input: ShapeName,
    output: Option<ShapeName>,
    #[serde(default)]
    errors: Vec<ShapeName>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Metadata {
    target_prefix: Option<String>,
    xml_namespace: Option<String>,
}

/// One service model.
#[derive(Deserialize)]
pub(crate) struct Model {
    metadata: Metadata,
    operations: BTreeMap<String, Operation>,
    shapes: BTreeMap<String, Shape>,
}

static METERING: LazyLock<Model> =
    LazyLock::new(|| load(include_str!("../../models/meteringmarketplace.json")));
static LICENSE_MANAGER: LazyLock<Model> =
    LazyLock::new(|| load(include_str!("../../models/license-manager.json")));
static STS: LazyLock<Model> = LazyLock::new(|| load(include_str!("../../models/sts.json")));

fn load(text: &str) -> Model {
    serde_json::from_str(text).expect("the embedded models are checked by the tests")
}

impl Service {
    pub(crate) const ALL: [Self; 3] = [Self::Metering, Self::LicenseManager, Self::Sts];

    pub(crate) fn model(self) -> &'static Model {
        match self {
            Self::Metering => &METERING,
            Self::LicenseManager => &LICENSE_MANAGER,
            Self::Sts => &STS,
        }
    }

    /// The service's name in the scope of a signature. Source: `signingName`, else `endpointPrefix`.
    pub(crate) fn signing_name(self) -> &'static str {
        match self {
            Self::Metering => "aws-marketplace",
            Self::LicenseManager => "license-manager",
            Self::Sts => "sts",
        }
    }

    /// The service's prefix in IAM actions.
    pub(crate) fn iam_prefix(self) -> &'static str {
        self.signing_name()
    }

    /// Namespace that some AWS services put before the error code.
    pub(crate) fn error_namespace(self) -> &'static str {
        match self {
            Self::Metering => "com.amazonaws.marketplace.metering",
            Self::LicenseManager => "com.amazonaws.licensemanager",
            Self::Sts => "com.amazonaws.sts",
        }
    }

    /// The service and the operation behind an `X-Amz-Target` header.
    pub(crate) fn by_target(target: &str) -> Option<(Self, &str)> {
        let (prefix, operation) = target.split_once('.')?;
        let service = Self::ALL
            .into_iter()
            .find(|service| service.model().metadata.target_prefix.as_deref() == Some(prefix))?;
        Some((service, operation))
    }
}

impl Model {
    pub(crate) fn has(&self, operation: &str) -> bool {
        self.operations.contains_key(operation)
    }

    pub(crate) fn operations(&self) -> impl Iterator<Item = &str> {
        self.operations.keys().map(String::as_str)
    }

    pub(crate) fn xml_namespace(&self) -> &str {
        self.metadata.xml_namespace.as_deref().unwrap_or_default()
    }

    pub(crate) fn shape(&self, name: &str) -> &Shape {
        &self.shapes[name]
    }

    pub(crate) fn input_shape(&self, operation: &str) -> &Shape {
        self.shape(&self.operations[operation].input.shape)
    }

    pub(crate) fn output_shape(&self, operation: &str) -> Option<&Shape> {
        self.operations[operation].output.as_ref().map(|output| self.shape(&output.shape))
    }

    /// Checks a request as the service does before it thinks about it.
    pub(crate) fn check_input(&self, operation: &str, input: &Value) -> Result<(), Invalid> {
        check::input(self, self.input_shape(operation), input)
    }

    /// Lists where an answer leaves its output shape.
    pub(crate) fn check_output(&self, operation: &str, output: &Value) -> Vec<String> {
        match self.output_shape(operation) {
            Some(shape) => check::output(self, shape, output),
            None if output.as_object().is_some_and(serde_json::Map::is_empty) => Vec::new(),
            None => vec![format!("`{operation}` has no output, the answer is {output}")],
        }
    }

    /// Whether the model lists this error for this operation.
    pub(crate) fn models_error(&self, operation: &str, code: &str) -> bool {
        self.operations[operation].errors.iter().any(|error| {
            let shape = self.shape(&error.shape);
            shape.error_code().unwrap_or(&error.shape) == code
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_embedded_model_loads_and_knows_its_shapes() {
        for service in Service::ALL {
            let model = service.model();
            for (name, operation) in &model.operations {
                assert!(model.shapes.contains_key(&operation.input.shape), "{name}");
                assert!(model.shapes.values().all(|shape| shape.pattern_compiles()), "{name}");
            }
        }
        let (service, operation) =
            Service::by_target("AWSMPMeteringService.MeterUsage").expect("a known target");
        assert_eq!((service, operation), (Service::Metering, "MeterUsage"));
        assert!(Service::by_target("AWSMPEntitlementService.GetEntitlements").is_none());
    }
}
