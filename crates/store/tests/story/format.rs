//! What is stored must be readable by every later version: the first rows of a small programme, as
//! they were written when this was decided. If this fails, the change needs a new layout beside the
//! old one, not a new text here.

use engine::{Command, Engine, Programme};
use sha2::{Digest, Sha256};
use store::{Book, Row, RowSink, Stamp, Touched, first_row, hex};

struct Rows(Vec<Row>);

impl RowSink for Rows {
    fn take(&mut self, row: Row, _: &mut Vec<Touched>) {
        self.0.push(row);
    }
}

const PROGRAMME: &str = r#"
name = "format"
[growth]
contribution = "30%"
[growth.grants]
buyer = "50%"
sponsors = ["15%"]
[quota]
buyer = "200%"
[[dividend]]
name = "static"
rate = "10%"
"#;

const COMMANDS: [&str; 7] = [
    r#"{"type":"member.join","at":"2026-01-01T09:00:00+08:00","member":"A"}"#,
    r#"{"type":"member.join","at":"2026-01-01T09:00:01+08:00","member":"B","sponsor":"A"}"#,
    r#"{"type":"order.pay","at":"2026-01-01T09:00:02+08:00","order":"1","member":"B","amount":"100.00"}"#,
    r#"{"type":"order.complete","at":"2026-01-01T09:00:03+08:00","order":"1"}"#,
    r#"{"type":"order.complete","at":"2026-01-01T09:00:04+08:00","order":"1"}"#,
    r#"{"type":"growth.redeem","at":"2026-01-01T09:00:05+08:00","member":"B","points":"1.000000"}"#,
    r#"{"type":"order.refund","at":"2026-01-01T09:00:06+08:00","order":"1","amount":"10.00"}"#,
];

#[test]
fn what_is_stored_keeps_its_form() {
    let programme = Programme::from_toml(PROGRAMME).unwrap();
    let first = first_row(&programme, 1_000);
    let mut book = Book::open(&first, 1).unwrap();
    let mut rows = Rows(vec![first]);
    for (number, command) in (1..).zip(COMMANDS) {
        let command = Command::from_json(command).unwrap();
        let key = format!("format/{number}");
        let stamp = Stamp { recorded_at: 2_000 + number, key: Some(&key) };
        let _ = book.apply(&command, stamp, &mut rows);
    }
    let settle = r#"{"type":"day.settle","at":"2026-01-02T00:00:00+08:00","day":"2026-01-01"}"#;
    let stamp = Stamp { recorded_at: 9_000, key: None };
    book.apply(&Command::from_json(settle).unwrap(), stamp, &mut rows).unwrap();
    let mut digest = Sha256::new();
    for row in &rows.0 {
        digest.update(&row.body);
    }
    let bodies: [u8; 32] = digest.finalize().into();
    assert_eq!(
        (rows.0.len(), hex(&bodies).as_str(), hex(&rows.0[9].hash).as_str()),
        (10, BODIES, END),
        "stored journals could no longer be verified"
    );
    // And what was written is come to again.
    let mut again = Book::open(&rows.0[0], 2).unwrap();
    let mut stored = rows.0[1..].iter().cloned().map(Ok::<_, store::Fault>);
    let mut rest = Rows(Vec::new());
    while again.restore(&mut stored, &mut rest).unwrap().is_some() {}
    assert!(rest.0.is_empty());
    assert_eq!(again.recorder, book.recorder);
    let engine: &Engine = &again.engine;
    assert_eq!(
        serde_json::to_string(&engine.state().to_file(&[])).unwrap(),
        serde_json::to_string(&book.engine.state().to_file(&[])).unwrap()
    );
}

const BODIES: &str = "2e8b38dfb78464eb95252757aa5610bdf3d2d46e868e323d4163f5b5634a4aff";
const END: &str = "f1c295474be4102daab6dca9879f383d135ed8b10a2a5beed09479e59a25cb64";
