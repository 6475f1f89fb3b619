//! A journal that checks that every piece of every entry balances, and folds the postings.

use std::collections::BTreeMap;

use engine::{Account, Engine, Head, Journal, Posting, State, Unit};
use ledger::Balances;

#[derive(Default)]
pub struct Fold {
    pub balances: Balances<Account, Unit>,
    /// The commands that were accepted, as the journal keeps them.
    pub commands: Vec<String>,
}

impl Journal for Fold {
    fn open(&mut self, _: &State, head: &Head<'_>) {
        self.commands.push(serde_json::to_string(head.command).unwrap());
    }

    fn post(&mut self, _: &State, postings: &[Posting]) {
        assert_eq!(ledger::unbalanced(postings), None);
        ledger::fold(&mut self.balances, postings).unwrap();
    }

    fn close(&mut self, _: &State) {}
}

/// Every balance there is, but for the zeros.
pub fn balances(engine: &Engine) -> Balances<Account, Unit> {
    let state = engine.state();
    let mut balances = BTreeMap::new();
    for account in state.accounts() {
        for unit in Unit::ALL {
            let steps = state.balance(account, unit);
            if steps != 0 {
                balances.insert((account, unit), steps);
            }
        }
    }
    balances
}
