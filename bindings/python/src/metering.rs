//! Counters of pricing dimensions.

use crate::{error, json};
use mpguard_core::Code;
use pyo3::{
    exceptions::PyTypeError,
    prelude::*,
    types::{PyInt, PyMapping, PyString},
};

/// A counter of one dimension and tag set, made by `Guard.meter`; keep it and add to it.
///
/// `count.rs` puts its methods `add` and `set` onto it.
#[pyclass(frozen, module = "mpguard")]
pub(crate) struct Meter {
    meter: mpguard_core::Meter,
}

#[pymethods]
impl Meter {
    /// API name of the dimension.
    #[getter]
    fn dimension(&self) -> &str {
        self.meter.dimension()
    }

    fn __repr__(&self) -> String {
        format!("<mpguard.Meter of `{}`>", self.meter.dimension())
    }
}

impl Meter {
    pub(crate) fn new(meter: mpguard_core::Meter) -> Meter {
        Meter { meter }
    }

    /// What the counting methods reach at once.
    #[inline]
    pub(crate) fn counter(&self) -> &mpguard_core::Meter {
        &self.meter
    }

    /// Counts anything that can stand for a whole number.
    pub(crate) fn put(
        &self,
        quantity: &Bound<'_, PyAny>,
        with: impl Fn(&mpguard_core::Meter, u64) -> mpguard_core::Result<()>,
        did: &'static str,
    ) -> PyResult<()> {
        match quantity.extract::<u64>() {
            Ok(n) => with(&self.meter, n).map_err(|e| error::raise(quantity.py(), &e)),
            Err(_) => Err(self.refuse(did, quantity)),
        }
    }

    /// The exception for what is no count: the wrong type, or a whole number below 0 or beyond 64 bits.
    #[cold]
    fn refuse(&self, did: &str, quantity: &Bound<'_, PyAny>) -> PyErr {
        let dimension = self.meter.dimension();
        // What can stand for a whole number says so itself: int, bool, and the integers of numpy.
        if quantity.is_instance_of::<PyInt>() || quantity.hasattr("__index__").unwrap_or(false) {
            return error::refuse(
                quantity.py(),
                Code::QuantityOutOfRange,
                format!(
                    "cannot {did} `{}` to dimension `{dimension}`: one hour holds 0 to {} raw counts; nothing was counted",
                    shown(quantity),
                    i64::MAX
                ),
            );
        }
        PyTypeError::new_err(format!(
            "cannot {did} `{}` to dimension `{dimension}`: a quantity is a whole number of raw counts, found `{}`; give \
             an int (a fraction goes into the dimension's `per_unit`), nothing was counted",
            shown(quantity),
            json::type_name(quantity)
        ))
    }
}

/// `value` for an error text, cut to what a reader can use.
fn shown(value: &Bound<'_, PyAny>) -> String {
    let text = value.repr().map_or_else(|_| "?".into(), |text| text.to_string());
    let cut: String = text.chars().take(40).collect();
    if cut.len() < text.len() { format!("{cut}…") } else { cut }
}

/// Reads tags from a mapping of text to text.
pub(crate) fn tags(tags: Option<&Bound<'_, PyAny>>) -> PyResult<Vec<(String, String)>> {
    let Some(tags) = tags.filter(|tags| !tags.is_none()) else { return Ok(Vec::new()) };
    let Ok(mapping) = tags.cast::<PyMapping>() else {
        return Err(PyTypeError::new_err(format!(
            "`tags` is a mapping of text to text, found `{}`; give for example {{\"Team\": \"red\"}}",
            json::type_name(tags)
        )));
    };
    let mut read = Vec::new();
    for pair in mapping.items()? {
        let (key, value): (Bound<'_, PyAny>, Bound<'_, PyAny>) = pair.extract()?;
        for part in [&key, &value] {
            if !part.is_instance_of::<PyString>() {
                return Err(PyTypeError::new_err(format!(
                    "`tags` is a mapping of text to text, found `{}` in it of type `{}`; give str",
                    shown(part),
                    json::type_name(part)
                )));
            }
        }
        read.push((key.extract()?, value.extract()?));
    }
    Ok(read)
}
