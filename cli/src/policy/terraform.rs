//! The policy in HCL, in the form that `terraform fmt` gives it.

use super::{advice, needs::Needs, trust};
use std::fmt::Write;

/// The whole file.
pub(crate) fn text(needs: &Needs) -> String {
    let mut out = String::new();
    comment(
        &mut out,
        &format!("What mpguard needs for pricing {}, made by `mpguard policy`.", needs.pricing()),
    );
    comment(&mut out, "");
    comment(&mut out, &format!("{}.", sentence(&advice::whose(needs))));
    for note in advice::managed(needs) {
        comment(&mut out, &format!("- {note}"));
    }
    out.push_str(VARIABLE);
    document(&mut out, needs);
    out.push_str(RESOURCE);
    trust_policies(&mut out, needs);
    out
}

const VARIABLE: &str = r#"
variable "mpguard_role" {
  description = "Name of the IAM role of the ECS task, or of the pod's service account."
  type        = string
}
"#;

const RESOURCE: &str = r#"
resource "aws_iam_role_policy" "mpguard" {
  name   = "mpguard"
  role   = var.mpguard_role
  policy = data.aws_iam_policy_document.mpguard.json
}

output "mpguard_policy" {
  description = "Policy document of mpguard."
  value       = data.aws_iam_policy_document.mpguard.json
}
"#;

fn document(out: &mut String, needs: &Needs) {
    out.push_str("\ndata \"aws_iam_policy_document\" \"mpguard\" {\n");
    for (index, statement) in needs.statements().iter().enumerate() {
        let _ = write!(
            out,
            "{}  # {}\n  statement {{\n    sid    = \"{}\"\n    effect = \"Allow\"\n    actions = [\n",
            if index > 0 { "\n" } else { "" },
            statement.why,
            statement.sid
        );
        for action in &statement.actions {
            let _ = writeln!(out, "      \"{action}\",");
        }
        out.push_str("    ]\n    resources = [\"*\"]\n  }\n");
    }
    out.push_str("}\n");
}

fn trust_policies(out: &mut String, needs: &Needs) {
    out.push('\n');
    comment(out, "Trust policy (assume_role_policy) of the role; replace the words in capitals.");
    for trust in trust::policies(needs) {
        comment(out, "");
        comment(out, &format!("{}:", trust.place));
        let text = serde_json::to_string_pretty(&trust.document).unwrap_or_default();
        for line in text.lines() {
            let _ = writeln!(out, "#   {line}");
        }
    }
}

const WIDTH: usize = 110;

/// Lines of a comment.
fn comment(out: &mut String, text: &str) {
    let mut line = String::from("#");
    for word in text.split_whitespace() {
        if line.len() + 1 + word.len() > WIDTH {
            let _ = writeln!(out, "{line}");
            line = String::from(if text.starts_with("- ") { "#  " } else { "#" });
        }
        line.push(' ');
        line.push_str(word);
    }
    let _ = writeln!(out, "{line}");
}

fn sentence(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}
