//! Where the text is silent, in the shortest examples: what DECISIONS.md says is what happens.

use crate::plain::Plain;
use serde_json::{Value, json};

fn run(programme: &str, commands: &[Value]) -> (Plain, Vec<String>) {
    let mut plain = Plain::new(programme).unwrap();
    let mut outcomes = Vec::new();
    for command in commands {
        let mut command = command.clone();
        if command.get("at").is_none() {
            command["at"] = json!("2026-01-01T09:00:00+08:00");
        }
        outcomes.push(plain.apply(&command).err().unwrap_or("ok".into()));
    }
    (plain, outcomes)
}

/// The floors of a refund's points can add up to more than the refund: cash would be -0.01.
#[test]
fn the_cash_part_of_a_refund_would_be_negative() {
    let (plain, outcomes) = run(
        "name = 'x'\n[growth]\ncontribution = '30%'\n[growth.grants]\nbuyer = '70%'\n[reward]\n",
        &[
            json!({"type": "member.join", "member": "A"}),
            json!({"type": "merchant.join", "merchant": "s"}),
            json!({"type": "order.pay", "order": "1", "member": "A", "amount": "100.00"}),
            json!({"type": "order.complete", "order": "1"}),
            json!({"type": "growth.exchange", "member": "A", "points": "10"}),
            json!({"type": "member.adjust", "member": "A", "unit": "reward", "amount": "5", "reason": "r", "operator": "o"}),
            json!({"type": "order.pay", "order": "2", "member": "A", "merchant": "s", "amount": "3.06", "stable": "1.01", "reward": "2.02"}),
            json!({"type": "order.refund", "order": "2", "amount": "1.03"}),
            json!({"type": "order.refund", "order": "2", "amount": "1.00"}),
        ],
    );
    assert!(outcomes.iter().all(|o| o == "ok"), "{outcomes:?}");
    let refunded = plain.orders["2"].refunded;
    assert_eq!((refunded.cash, refunded.stable, refunded.reward), (3, 67, 133));
}

/// A day whose settlement overflows could not be closed by anybody: what would lead there is
/// refused before.
#[test]
fn no_day_that_cannot_be_settled() {
    let day = |day: &str, next: &str| json!({"type": "day.settle", "day": day, "at": format!("{next}T09:00:00+08:00")});
    let (plain, outcomes) = run(
        "name = 'x'\n[release]\ndaily = '100%'\n[[release.packages]]\nname = 'a'\nprice = '1.00'\nmultiple = '2x'\n",
        &[
            json!({"type": "member.join", "member": "A"}),
            json!({"type": "order.pay", "order": "1", "member": "A", "amount": "1.00"}),
            json!({"type": "order.complete", "order": "1"}),
            json!({"type": "member.adjust", "member": "A", "unit": "reward", "amount": "9223372036854.775807", "reason": "r", "operator": "o"}),
            day("2026-01-01", "2026-01-02"),
            day("2026-01-02", "2026-01-03"),
            json!({"type": "member.join", "member": "B", "at": "2026-01-03T09:00:00+08:00"}),
        ],
    );
    assert_eq!(outcomes[3..], ["overflow", "ok", "ok", "ok"]);
    assert_eq!(plain.open_day.unwrap().to_string(), "2026-01-03");
}

/// [growth] is taken away while nothing is in supply, and points are issued before the day closes:
/// the amendment waits until none are left.
#[test]
fn growth_taken_away_too_early() {
    let (plain, outcomes) = run(
        "name = 'x'\n[growth]\ncontribution = '30%'\n[growth.grants]\nbuyer = '70%'\n",
        &[
            json!({"type": "member.join", "member": "A"}),
            json!({"type": "programme.amend", "programme": {"name": "y"}}),
            json!({"type": "order.pay", "order": "1", "member": "A", "amount": "100.00"}),
            json!({"type": "order.complete", "order": "1"}),
            json!({"type": "day.settle", "day": "2026-01-01"}),
        ],
    );
    assert!(outcomes.iter().all(|o| o == "ok"), "{outcomes:?}");
    assert!(plain.programme.growth.is_some() && plain.supply() > 0);
}

/// [quota] comes by amendment: whoever holds points has no quota yet and is sold out for nothing.
#[test]
fn a_quota_that_comes_later_takes_all_points() {
    let growth = json!({"contribution": "30%", "grants": {"buyer": "70%"}});
    let (plain, outcomes) = run(
        "name = 'x'\n[growth]\ncontribution = '30%'\n[growth.grants]\nbuyer = '70%'\n",
        &[
            json!({"type": "member.join", "member": "A"}),
            json!({"type": "order.pay", "order": "1", "member": "A", "amount": "100.00"}),
            json!({"type": "order.complete", "order": "1"}),
            json!({"type": "programme.amend", "programme": {"name": "y", "growth": growth, "quota": {}}}),
            json!({"type": "day.settle", "day": "2026-01-01"}),
        ],
    );
    assert!(outcomes.iter().all(|o| o == "ok"), "{outcomes:?}");
    assert_eq!((plain.supply(), plain.pool(), plain.forced_exits), (0, 0, 1));
    assert_eq!(plain.state(&[])["members"][0]["cash"], "0.00");
}
