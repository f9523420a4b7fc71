//! Which answer to `KeepHoldings` says that something is durable.

use super::*;
use crate::{
    error::Code,
    model::{
        holdings::{Holdings, KeptUnits},
        ids::DrawId,
    },
};

const NOW: Timestamp = Timestamp(1_764_000_000_000);

fn engine() -> Engine {
    let data = EntitlementSpec {
        name: "Data".into(),
        kind: EntitlementKind::Drawdown,
        unit: "Gigabytes".into(),
        batch: 1,
        low: None,
    };
    let contract = ContractPlan { counted: vec![data], ..ContractPlan::default() };
    let plan = Plan { contract: Some(contract), ..Plan::default() };
    let mut engine = Engine::new(plan, [5; 32], NOW);
    engine.step(Input::Opened { entitled: false, leading: false }, NOW);
    engine
}

fn wanted(engine: &mut Engine) {
    let input = Input::UnitsWanted { draw: DrawId(1), entitlement: "Data".into(), quantity: 5 };
    assert_eq!(keeps(&engine.step(input, NOW)), 1);
}

/// A dead process held units of another entitlement: holdings are to be kept once more.
fn took(engine: &mut Engine) {
    let units = [("Other".into(), KeptUnits { drawn: 1, ..KeptUnits::default() })].into();
    let holdings = Box::new(Holdings { units, ..Holdings::default() });
    let input = Input::Took { id: Some("dead".into()), holdings };
    assert_eq!(keeps(&engine.step(input, NOW)), 1);
}

fn keeps(commands: &[Command]) -> usize {
    commands.iter().filter(|command| matches!(command, Command::KeepHoldings)).count()
}

fn draws(commands: &[Command]) -> bool {
    commands.iter().any(|command| matches!(command, Command::DrawDown { .. }))
}

/// T54.
#[test]
fn a_draw_leaves_once_its_holdings_are_durable() {
    let mut engine = engine();
    wanted(&mut engine);
    assert_eq!(engine.holdings().units.values().map(KeptUnits::asked).sum::<u64>(), 5);
    assert!(draws(&engine.step(Input::Kept(Ok(())), NOW)));
}

/// The first snapshot was written and the second was not: which of them is on the disk is not for us to guess.
#[test]
fn only_the_answer_to_the_newest_snapshot_counts() {
    let mut first = engine();
    took(&mut first);
    wanted(&mut first);
    assert!(!draws(&first.step(Input::Kept(Ok(())), NOW)), "that snapshot was older than the wish");
    let commands = first.step(Input::Kept(Err("full".into())), NOW);
    assert!(!draws(&commands));
    let refused = |command: &Command| {
        matches!(command, Command::UnitsAnswer { answer: Err(error), .. }
            if error.code() == Code::Unavailable)
    };
    assert!(commands.iter().any(refused), "{commands:?}");

    let mut second = engine();
    wanted(&mut second);
    took(&mut second);
    assert!(!draws(&second.step(Input::Kept(Err("full".into())), NOW)));
    assert!(draws(&second.step(Input::Kept(Ok(())), NOW)), "it has everything of the first");
}
