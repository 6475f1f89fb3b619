//! Found failures, kept as the smallest example: mostly the edges of 64 bits.

use engine::{Engine, Programme};
use serde_json::{Value, json};

use crate::agreement::feed;

fn engine(programme: &str) -> Engine {
    Engine::new(Programme::from_toml(programme).unwrap(), 0)
}

/// Applies commands on consecutive days; each comes with what is expected of it.
fn expect(engine: &mut Engine, day: u32, commands: &[(Value, &str)]) {
    for (command, expected) in commands {
        let mut command = command.clone();
        command["at"] = json!(format!("2026-01-{day:02}T09:00:00+08:00"));
        assert_eq!(feed(engine, &command, false), *expected, "{command}");
    }
}

fn join(member: &str) -> (Value, &'static str) {
    (json!({"type": "member.join", "member": member}), "ok")
}

fn adjust(member: &str, unit: &str, amount: &str) -> Value {
    json!({"type": "member.adjust", "member": member, "unit": unit, "amount": amount,
        "reason": "r", "operator": "o"})
}

const MOST: &str = "9223372036854.775807";
const BELOW_LEAST: &str = "-9223372036854.775808";

#[test]
fn the_lowest_number_is_read_and_refused_like_any_that_is_not_there() {
    let mut engine = engine("name = 'x'\n[growth]\nissue_price = '0.01'\ncontribution = '0%'\n");
    let order =
        json!({"type": "order.pay", "order": "1", "member": "A", "amount": "90000000000000000.00"});
    expect(
        &mut engine,
        1,
        &[
            join("A"),
            (order, "ok"),
            (json!({"type": "order.complete", "order": "1"}), "ok"),
            (adjust("A", "growth", MOST), "ok"),
            (adjust("A", "growth", BELOW_LEAST), "insufficient_balance"),
            (adjust("A", "share", BELOW_LEAST), "insufficient_balance"),
        ],
    );
}

#[test]
fn no_unit_is_issued_beyond_what_its_negative_can_hold() {
    for weights in ["all", "active"] {
        let mut engine = engine(&format!(
            "name = 'x'\n[share]\n[[dividend]]\nname = 'd'\nrate = '10%'\nweights = '{weights}'\n"
        ));
        expect(
            &mut engine,
            1,
            &[
                join("A"),
                join("B"),
                (adjust("A", "share", MOST), "ok"),
                (adjust("B", "share", "0.000001"), "overflow"),
                (adjust("B", "reward", MOST), "ok"),
                (adjust("A", "reward", "0.000001"), "overflow"),
                (adjust("A", "quota", "92233720368547758.07"), "ok"),
                (adjust("B", "quota", "0.01"), "overflow"),
                (
                    json!({"type": "order.pay", "order": "1", "member": "A", "amount": "100.00"}),
                    "ok",
                ),
                (json!({"type": "order.complete", "order": "1"}), "overflow"),
            ],
        );
        expect(&mut engine, 2, &[join("C")]);
    }
}

/// Locked points and reward points have one range together: else this day could not be closed.
#[test]
fn what_a_settlement_could_not_release_is_not_granted() {
    let mut engine = engine(
        "name = 'x'\n[release]\ndaily = '100%'\n[[release.packages]]\nname = 'a'\nprice = '1.00'\nmultiple = '2x'\n",
    );
    expect(
        &mut engine,
        1,
        &[
            join("A"),
            (json!({"type": "order.pay", "order": "1", "member": "A", "amount": "1.00"}), "ok"),
            (json!({"type": "order.complete", "order": "1"}), "ok"),
            (adjust("A", "reward", MOST), "overflow"),
            (adjust("A", "reward", "9223372036852.775807"), "ok"),
        ],
    );
    expect(&mut engine, 4, &[join("B")]);
}

#[test]
fn a_settlement_with_large_sums_and_room_for_them_is_made() {
    let mut engine =
        engine("name = 'x'\n[share]\nper = '1000000.00'\n[[dividend]]\nname = 'd'\nrate = '40%'\n");
    let order =
        json!({"type": "order.pay", "order": "1", "member": "A", "amount": "70000000000000000.00"});
    let complete = json!({"type": "order.complete", "order": "1"});
    expect(&mut engine, 1, &[join("A"), (order, "ok"), (complete, "ok")]);
    expect(&mut engine, 2, &[join("B")]);
    let state = serde_json::to_value(engine.state().to_file(&[])).unwrap();
    assert_eq!(state["members"][0]["cash"], "28000000000000000.00");
    assert_eq!(state["platform"]["revenue"], "42000000000000000.00");
}

/// Refunded newest first, so that each refund begins at orders that no longer count.
#[test]
fn the_grade_goes_down_with_the_orders_that_gave_it() {
    let mut engine = engine(
        "name = 'x'\n[release]\n[[release.packages]]\nname = 'low'\nprice = '1.00'\nmultiple = '1x'\n\
         [[release.packages]]\nname = 'high'\nprice = '2.00'\nmultiple = '1x'\n",
    );
    expect(&mut engine, 1, &[join("A")]);
    let order = |i: u32| format!("o{i}");
    for i in 0..10 {
        let amount = if i % 3 == 1 { "2.00" } else { "1.00" };
        let pay = json!({"type": "order.pay", "order": order(i), "member": "A", "amount": amount});
        let complete = json!({"type": "order.complete", "order": order(i)});
        expect(&mut engine, 1, &[(pay, "ok"), (complete, "ok")]);
    }
    for i in (0..10).rev() {
        let member = engine.state().find_member("A").unwrap();
        let expected = if i >= 1 { Some("high") } else { Some("low") };
        assert_eq!(engine.state().grade(member), expected, "before {i} is refunded");
        expect(&mut engine, 1, &[(json!({"type": "order.refund", "order": order(i)}), "ok")]);
    }
    let member = engine.state().find_member("A").unwrap();
    assert_eq!(engine.state().grade(member), None);
}

/// "What is absent is off": without `[reward]` nothing is paid with reward points.
#[test]
fn without_a_reward_table_reward_points_do_not_pay() {
    for (table, expected) in [("", "reward_over_usage"), ("[reward]\n", "ok")] {
        let mut engine = engine(&format!("name = 'x'\n{table}"));
        let pay = json!({"type": "order.pay", "order": "1", "member": "A", "amount": "10.00", "reward": "1.00"});
        expect(&mut engine, 1, &[join("A"), (adjust("A", "reward", "5"), "ok"), (pay, expected)]);
    }
}
