//! `verdant check` as people run it.
#![expect(clippy::unwrap_used, reason = "a test says what is wrong by failing")]

mod support;

use support::{cases, folder, text, verdant};

#[test]
fn every_programme_of_the_cases_is_sound() {
    for case in cases() {
        let output = verdant(&["check", case.join("programme.toml").to_str().unwrap()]);
        assert!(output.status.success(), "{}: {}", case.display(), text(&output.stderr));
        let report = text(&output.stdout);
        for part in ["Parameters", "Guarantees", "can come to cost", "programme as a whole"] {
            assert!(report.contains(part), "{}: {report}", case.display());
        }
    }
}

#[test]
fn a_bad_programme_is_refused_with_every_fault_at_once() {
    let file = folder("check").join("bad.toml");
    let programme = r#"name = ""
colour = "green"
[growth]
contribution = "90%"
redeem_fee = 10
exchange_fee = "100%"
issue_price = "0.001"
[growth.grants]
buyer = "80%"
sponsors = ["30%", "x"]
[[dividend]]
name = "a"
rate = "-5%"
[[dividend]]
name = "a"
rate = "50%"
split = "tiers"
[[dividend.tiers]]
name = "low"
min = "5"
max = "9"
rate = "30%"
[[dividend.tiers]]
name = "high"
min = "9"
rate = "30%"
[release]
[[release.packages]]
name = "p"
price = "20.00"
multiple = "2x"
[[release.packages]]
name = "q"
price = "20.00"
multiple = "2x"
[release.team]
peer_depth = -1
[[release.team.stars]]
name = "s"
volume = "1.00"
rate = "10%"
[[release.team.stars]]
name = "s"
volume = "2.00"
rate = "10%"
"#;
    std::fs::write(&file, programme).unwrap();
    let output = verdant(&["check", file.to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(1));
    assert!(output.stdout.is_empty());
    let message = text(&output.stderr);
    for (line, key) in [
        (1, "`name` must not be empty"),
        (2, "`colour` is an unknown key"),
        (4, "`growth.contribution` is unfunded"),
        (5, "`growth.redeem_fee` must be a text"),
        (6, "`growth.exchange_fee` is 100%"),
        (7, "`growth.issue_price` is \"0.001\": too many decimals"),
        (8, "`growth.grants` grants 110%"),
        (10, "`growth.grants.sponsors` has \"x\""),
        (13, "`dividend[1].rate` is \"-5%\": a rate cannot be negative"),
        (15, "`dividend[2].name` \"a\" is used twice"),
        (18, "`dividend[2].tiers` add up to 60%"),
        (25, "`dividend[2].tiers[2].min` overlaps"),
        (34, "`release.packages[2].price` does not ascend"),
        (37, "`release.team.peer_depth` is -1"),
        (43, "`release.team.stars[2].name` \"s\" is used twice"),
        (45, "`release.team.stars[2].rate` does not ascend"),
    ] {
        let expected = format!("bad.toml:{line}: {key}");
        assert!(message.contains(&expected), "no `{expected}` in\n{message}");
    }
}

#[test]
fn what_could_not_be_read_is_not_judged() {
    let file = folder("phantoms").join("bad.toml");
    let programme = r#"name = "x"
[order]
concession = "abc"
[growth]
contribution = "30%"
[[dividend]]
name = "d"
rate = "x"
split = "tiers"
[[dividend.tiers]]
name = "t"
min = "1"
rate = "10%"
"#;
    std::fs::write(&file, programme).unwrap();
    let message = text(&verdant(&["check", file.to_str().unwrap()]).stderr);
    assert!(message.contains("2 faults"), "{message}");
    std::fs::write(&file, "name = \"x\"\nname = \"y\"\n").unwrap();
    let message = text(&verdant(&["check", file.to_str().unwrap()]).stderr);
    assert!(message.contains("bad.toml:2") && message.contains("name"), "{message}");
    std::fs::write(&file, "\n").unwrap();
    let message = text(&verdant(&["check", file.to_str().unwrap()]).stderr);
    assert!(message.contains("bad.toml:1: `name` is missing"), "{message}");
}

#[test]
fn an_order_of_the_least_concession_is_the_worst_case() {
    let file = folder("worst").join("p.toml");
    let programme = "name = \"x\"\n[release]\n[[release.packages]]\nname = \"p\"\nprice = \"1.00\"\nmultiple = \"1x\"\n";
    std::fs::write(&file, programme).unwrap();
    let report = text(&verdant(&["check", file.to_str().unwrap()]).stdout);
    assert!(report.contains("lacks  cover for released points"), "{report}");
    assert!(report.contains("100.00 rest on the platform's own means"), "{report}");
}

#[test]
fn what_is_no_toml_and_what_is_not_there_is_said() {
    let file = folder("no-toml").join("bad.toml");
    std::fs::write(&file, "name = \"x\"\n[growth\n").unwrap();
    let output = verdant(&["check", file.to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(1));
    assert!(
        text(&output.stderr).contains("bad.toml:2: not valid TOML"),
        "{}",
        text(&output.stderr)
    );
    let output = verdant(&["check", "nowhere.toml"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output.stderr).contains("cannot read the programme nowhere.toml"));
    assert_eq!(verdant(&["check"]).status.code(), Some(2));
}
