//! The whole conversion, on small tables.

use serde_json::Value;

use super::fault::Field;
use super::*;

fn import(table: &str, options: &Options) -> (Vec<Value>, Summary) {
    let mut out = Vec::new();
    let summary = convert(table.as_bytes(), options, &mut out).unwrap();
    let lines = String::from_utf8(out).unwrap();
    (lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect(), summary)
}

/// The events in a word or two each: `join B<A`, `merchant S`, `pay c1 B 12.00 @S`, `done c1`.
fn story(table: &str, options: &Options) -> Vec<String> {
    let text = |event: &Value, key: &str| event[key].as_str().unwrap_or_default().to_owned();
    let tell = |event: &Value| {
        let [order, member, sponsor, merchant, amount] =
            ["order", "member", "sponsor", "merchant", "amount"].map(|key| text(event, key));
        let sponsor = if sponsor.is_empty() { sponsor } else { format!("<{sponsor}") };
        match text(event, "type").as_str() {
            "member.join" => format!("join {member}{sponsor}"),
            "merchant.join" => format!("merchant {merchant}"),
            "order.pay" if merchant.is_empty() => format!("pay {order} {member} {amount}"),
            "order.pay" => format!("pay {order} {member} {amount} @{merchant}"),
            "order.complete" => format!("done {order}"),
            other => other.to_owned(),
        }
    };
    import(table, options).0.iter().map(tell).collect()
}

fn faults(summary: &Summary) -> Vec<(u64, Field)> {
    summary.unusable.iter().map(|fault| (fault.line, fault.field)).collect()
}

#[test]
fn customers_join_at_their_first_usable_order() {
    let table = "customer,date,amount\n\
        B,1997-01-02,5\n\
        A,1997-01-01,0.00\n\
        A,1997-01-03,7.5\n\
        C,1997-01-02,1\n\
        B,1997-01-01 13:00,2\n";
    assert_eq!(
        story(table, &Options::default()),
        [
            "join B",
            "pay c1 B 2.00",
            "done c1",
            "pay c2 B 5.00",
            "done c2",
            "join C",
            "pay c3 C 1.00",
            "done c3",
            "join A",
            "pay c4 A 7.50",
            "done c4",
        ]
    );
    let (events, summary) = import(table, &Options::default());
    assert_eq!(events[1]["at"], "1997-01-01T13:00:00+08:00");
    assert_eq!((summary.rows, summary.orders, summary.members), (5, 4, 3));
    assert_eq!(faults(&summary), [(3, Field::Amount)]);
}

#[test]
fn a_chinese_table_with_everything() {
    let table = "订单编号;会员号;下单时间;实付金额(元);推荐人;店铺\r\n\
        D1;乙;2026年1月5日 9时30分;￥1,200.00;甲;酒庄\r\n\
        D2;\"丙\";2026年1月6日;12元;乙;\r\n\
        D3;甲;2026/1/7 8:00;０.５;;酒庄\r\n";
    assert_eq!(
        story(table, &Options::default()),
        [
            "join 甲",
            "join 乙<甲",
            "merchant 酒庄",
            "pay D1 乙 1200.00 @酒庄",
            "done D1",
            "join 丙<乙",
            "pay D2 丙 12.00",
            "done D2",
            "pay D3 甲 0.50 @酒庄",
            "done D3",
        ]
    );
    let (_, summary) = import(table, &Options::default());
    assert_eq!((summary.members, summary.sponsors, summary.merchants), (3, 2, 1));
    assert_eq!(summary.unusable, []);
    for encoding in [encoding_rs::GB18030, encoding_rs::UTF_8] {
        let mut out = Vec::new();
        let bytes = encoding.encode(table).0;
        assert_eq!(convert(&*bytes, &Options::default(), &mut out).unwrap().orders, 3);
    }
}

#[test]
fn orders_complete_later_in_their_place() {
    let table = "customer,date,amount\n\
        A,2026-01-01 10:00,1\n\
        B,2026-01-01 11:00,2\n\
        A,2026-01-03 10:00,3\n\
        A,2026-01-03 10:30,4\n";
    let options = Options { complete_after: 2, ..Options::default() };
    assert_eq!(
        story(table, &options),
        [
            "join A",
            "pay c1 A 1.00",
            "join B",
            "pay c2 B 2.00",
            "done c1",
            "pay c3 A 3.00",
            "pay c4 A 4.00",
            "done c2",
            "done c3",
            "done c4",
        ]
    );
    let (events, _) = import(table, &options);
    assert_eq!(events[4]["at"], "2026-01-03T10:00:00+08:00");
    let times: Vec<&str> = events.iter().filter_map(|event| event["at"].as_str()).collect();
    assert!(times.is_sorted());
    let far = Options { complete_after: u32::MAX, ..Options::default() };
    let (events, summary) = import(table, &far);
    assert_eq!((events.len(), summary.unusable.len()), (0, 4));
}

#[test]
fn an_instant_is_kept_with_its_offset() {
    let table = "customer\tdate\tamount\n\
        A\t2026-01-01T00:00:00-05:00\t1\n\
        B\t2026-01-01 12:30\t1\n\
        C\t2026-01-01T04:45:00Z\t1\n";
    let (events, _) = import(table, &Options::default());
    let paid: Vec<&str> = events
        .iter()
        .filter(|event| event["type"] == "order.pay")
        .filter_map(|event| event["at"].as_str())
        .collect();
    assert_eq!(
        paid,
        ["2026-01-01T12:30:00+08:00", "2026-01-01T04:45:00+00:00", "2026-01-01T00:00:00-05:00"]
    );
}

#[test]
fn sponsors_are_settled_in_time_order() {
    let table = "member,date,amount,sponsor\n\
        A,2026-01-05,1,B\n\
        A,2026-01-02,1,C\n\
        A,2026-01-01,1,\n\
        C,2026-01-03,1,C\n\
        C,2026-01-04,1,A\n\
        C,2026-01-06,1,D\n\
        A,2026-01-07,1,C\n";
    assert_eq!(
        story(table, &Options::default())[..4],
        ["join D", "join C<D", "join A<C", "pay c1 A 1.00"]
    );
    let (_, summary) = import(table, &Options::default());
    let reasons: Vec<String> = summary.unusable.iter().map(ToString::to_string).collect();
    assert_eq!(faults(&summary), [(2, Field::Sponsor), (5, Field::Sponsor), (6, Field::Sponsor)]);
    assert!(reasons[0].contains("\"A\" already has the sponsor \"C\"; \"B\" is ignored"));
    assert!(reasons[1].contains("\"C\" cannot be their own sponsor"));
    assert!(reasons[2].contains("\"A\" is already below \"C\""));
    assert_eq!((summary.orders, summary.members, summary.sponsors), (7, 3, 2));
}

#[test]
fn a_chain_of_a_million_sponsors() {
    use std::fmt::Write as _;
    let links = 1_000_000;
    let mut table = String::from("member,date,amount,sponsor\n");
    for link in 0..links {
        let _ = writeln!(table, "{link},2026-01-01,1,{}", link + 1);
    }
    let _ = writeln!(table, "{links},2026-01-01,1,0");
    let mut out = Vec::new();
    let summary = convert(table.as_bytes(), &Options::default(), &mut out).unwrap();
    assert_eq!((summary.members, summary.sponsors), (links + 1, links));
    assert_eq!(faults(&summary), [(links + 2, Field::Sponsor)]);
    assert!(out.starts_with(b"{\"type\":\"member.join\",\"member\":\"1000000\",\"at\""));
}

#[test]
fn every_unusable_row_is_reported_with_its_line() {
    let table = "customer,date,amount,order\r\n\
        A,2026-01-01,1,x1\r\n\
        \r\n\
        A,2026-01-01,1,x1\r\n\
        A,2026-01-01,1\r\n\
        ,2026-01-01,1,x2\r\n\
        A,2026-02-30,abc,x3\r\n\
        \"A\r\nB\",2026-01-01,1,x4\r\n\
        A,2026-01-01,1,\r\n\
        ,,,\r\n\
        A,2026-01-01,1,x5\r\n\
        A,\"2026-01-01,1,x6\r\n\
        A,2026-01-01,1,x7\r\n";
    let (_, summary) = import(table, &Options::default());
    assert_eq!(
        faults(&summary),
        [
            (4, Field::Order),
            (5, Field::Row),
            (6, Field::Customer),
            (7, Field::Date),
            (7, Field::Amount),
            (8, Field::Customer),
            (10, Field::Order),
            (11, Field::Row),
            (13, Field::Row),
        ]
    );
    assert_eq!((summary.rows, summary.orders), (10, 2));
    assert!(summary.unusable[0].to_string().contains("\"x1\" is already the order on line 2"));
    assert!(summary.unusable[8].to_string().contains("never closed"));
}

#[test]
fn strict_writes_nothing_unless_all_is_usable() {
    let strict = Options { strict: true, ..Options::default() };
    let mut out = Vec::new();
    let table = "customer,date,amount\nA,2026-01-01,1\nA,2026-01-01,0\n";
    let error = convert(table.as_bytes(), &strict, &mut out).unwrap_err();
    assert!(matches!(error, Error::Strict(summary) if faults(&summary) == [(3, Field::Amount)]));
    assert!(out.is_empty());
    assert_eq!(story("customer,date,amount\nA,2026-01-01,1\n", &strict).len(), 3);
}

#[test]
fn day_and_month_are_told_apart_by_the_column() {
    let header = "customer,date,amount\n";
    let unclear = format!("{header}A,1/2/2026,1\nB,3/2/2026,1\nC,2026-01-01,1\n");
    let (_, summary) = import(&unclear, &Options::default());
    assert_eq!(faults(&summary), [(2, Field::Date), (3, Field::Date)]);
    assert_eq!(summary.orders, 1);
    // A row that is unusable for another reason still tells how the column is written.
    let clear = format!("{unclear},13/2/2026,1\n");
    let (events, summary) = import(&clear, &Options::default());
    assert_eq!(faults(&summary), [(5, Field::Customer)]);
    assert_eq!(events[4]["at"], "2026-02-01T12:00:00+08:00");
    let mdy = Options { date_order: Some(dates::DateOrder::Mdy), ..Options::default() };
    let (events, _) = import(&unclear, &mdy);
    assert_eq!(events[4]["at"], "2026-01-02T12:00:00+08:00");
}

#[test]
fn odd_tables() {
    let none = |table: &str| convert(table.as_bytes(), &Options::default(), &mut Vec::new());
    assert!(matches!(none(""), Err(Error::NoHeader)));
    assert!(matches!(none("\n\n\r\n"), Err(Error::NoHeader)));
    assert!(matches!(none("a,b,\"c\nx,y,z\n"), Err(Error::OpenHeader)));
    assert!(matches!(none("00001,1997-01-01,11.77\n"), Err(Error::MissingColumn { .. })));
    assert_eq!(none("customer,date,amount").map(|summary| summary.rows).unwrap(), 0);
    let names = story("customer,date,amount\n\"a\"\"\\b\",2026-01-01,1\n", &Options::default());
    assert_eq!(names[0], "join a\"\\b");
}

/// A small generator of the same numbers on every machine (SplitMix64).
struct Chance(u64);

impl Chance {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((mixed ^ (mixed >> 31)) % bound as u64) as usize
    }
}

#[test]
fn no_mutation_of_a_table_panics() {
    const SEED: &str = "会员,date,amount,order,sponsor,shop\r\n\
        A,1997-01-01,\"1,234.56\",o1,B,s\r\n\
        B,1/2/2026 10:00:00.5,¥12.30,o2,C,\r\n\
        \"C\",2026年1月5日 14时5分,12元,o3,A,s\r\n\
        D,19970101,１２．３４００,o4,,\"t\"\r\n\
        E,2024-02-29T01:02:03+08:00,92233720368547758.07,o5,E,\n";
    const PIECES: [&str; 24] = [
        ",",
        "\"",
        "\n",
        "\r",
        "\r\n",
        ";",
        "\t",
        "-",
        "/",
        ".",
        ":",
        "年",
        "元",
        "¥",
        "９",
        "0",
        "99999999999999999999",
        "\u{feff}",
        "+",
        "Z",
        "13/1/2026",
        "=\"",
        "'",
        "E+9",
    ];
    let mut chance = Chance(1);
    let mut converted = 0;
    for round in 0..20_000 {
        let mut bytes = match round % 3 {
            0 => encoding_rs::GB18030.encode(SEED).0.into_owned(),
            _ => SEED.as_bytes().to_vec(),
        };
        for _ in 0..=chance.below(8) {
            let at = chance.below(bytes.len() + 1);
            let to = (at + chance.below(6)).min(bytes.len());
            match chance.below(5) {
                0 => drop(bytes.splice(at..to, [])),
                1 => bytes.insert(at, chance.below(256) as u8),
                2 => {
                    let piece = PIECES[chance.below(PIECES.len())];
                    drop(bytes.splice(at..to, piece.bytes()));
                }
                3 => bytes.truncate(if chance.below(8) == 0 { at } else { bytes.len() }),
                _ => {
                    let copy = bytes[at..to].to_vec();
                    let other = chance.below(bytes.len() + 1);
                    drop(bytes.splice(other..other, copy));
                }
            }
        }
        let options = Options {
            decimal_comma: chance.below(4) == 0,
            complete_after: if chance.below(4) == 0 { 1_000_000_000 } else { 3 },
            ..Options::default()
        };
        let mut out = Vec::new();
        let Ok(summary) = convert(&*bytes, &options, &mut out) else { continue };
        converted += 1;
        let left_out = summary.rows - summary.orders;
        let reported = summary.unusable.iter().filter(|fault| fault.field != Field::Sponsor);
        let lines: std::collections::BTreeSet<u64> = reported.map(|fault| fault.line).collect();
        assert_eq!(lines.len() as u64, left_out, "{:?}", String::from_utf8_lossy(&bytes));
        let mut events = 0;
        for line in out.split(|&byte| byte == b'\n').filter(|line| !line.is_empty()) {
            let event: Value = serde_json::from_slice(line).unwrap();
            assert!(event["at"].is_string());
            events += 1;
        }
        assert_eq!(events, 2 * summary.orders + summary.members + summary.merchants);
    }
    assert!(converted > 5_000, "{converted}");
}
