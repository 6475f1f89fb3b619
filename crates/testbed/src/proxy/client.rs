//! What a client says, as far as one needs to know to see a COMMIT in it.

use std::collections::HashSet;

use super::frames::Frames;

const SSL: [u8; 4] = 80_877_103_u32.to_be_bytes();
const GSS: [u8; 4] = 80_877_104_u32.to_be_bytes();
const CANCEL: [u8; 4] = 80_877_102_u32.to_be_bytes();

/// What to do next with one message of a client.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// It goes to the server.
    Pass(Vec<u8>),
    /// It does not; the client is answered so.
    Answer(Vec<u8>),
    /// It would make the server commit.
    Commit(Vec<u8>),
}

/// The client's side of one session.
#[derive(Debug, Default)]
pub(super) struct Client {
    frames: Frames,
    begun: bool,
    /// The prepared statements, and the portals bound to one, that are a COMMIT.
    statements: HashSet<Vec<u8>>,
    portals: HashSet<Vec<u8>>,
}

impl Client {
    pub(super) fn push(&mut self, bytes: &[u8]) {
        self.frames.push(bytes);
    }

    /// What to do next; `None` until more bytes come.
    pub(super) fn step(&mut self) -> Option<Step> {
        if self.begun {
            let message = self.frames.typed()?;
            let commits = self.commits(&message);
            return Some(if commits { Step::Commit(message) } else { Step::Pass(message) });
        }
        let message = self.frames.untyped()?;
        let code = message.get(4..8);
        // The proxy could not read what is encrypted.
        if code == Some(&SSL) || code == Some(&GSS) {
            return Some(Step::Answer(b"N".to_vec()));
        }
        self.begun = code != Some(&CANCEL);
        Some(Step::Pass(message))
    }

    fn commits(&mut self, message: &[u8]) -> bool {
        let body = message.get(5..).unwrap_or_default();
        let mut texts = body.split(|&byte| byte == 0);
        let mut text = || texts.next().unwrap_or_default();
        match message.first() {
            Some(b'Q') => is_commit(text()),
            Some(b'P') => {
                let (statement, query) = (text(), text());
                note(&mut self.statements, statement, is_commit(query));
                false
            }
            Some(b'B') => {
                let (portal, statement) = (text(), text());
                note(&mut self.portals, portal, self.statements.contains(statement));
                false
            }
            Some(b'E') => self.portals.contains(text()),
            _ => false,
        }
    }
}

/// Names are given anew: the last meaning counts.
fn note(names: &mut HashSet<Vec<u8>>, name: &[u8], commit: bool) {
    if commit {
        names.insert(name.to_vec());
    } else {
        names.remove(name);
    }
}

fn is_commit(query: &[u8]) -> bool {
    let text = String::from_utf8_lossy(query.trim_ascii()).to_ascii_uppercase();
    let text = text.trim_matches(|c: char| c == ';' || c.is_whitespace());
    let words: Vec<&str> = text.split_whitespace().take(3).collect();
    matches!(words[..], ["COMMIT" | "END"] | ["COMMIT" | "END", "WORK" | "TRANSACTION"])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::proxy::tests::typed;

    fn begun() -> Client {
        Client { begun: true, ..Client::default() }
    }

    #[test]
    fn a_commit_is_a_whole_query_whatever_its_case() {
        for (query, commit) in [
            ("COMMIT", true),
            (" commit ; ", true),
            ("Commit Work", true),
            ("end", true),
            ("COMMIT PREPARED 'x'", false),
            ("select 'COMMIT'", false),
            ("", false),
        ] {
            let message = typed(b'Q', format!("{query}\0").as_bytes());
            let mut client = begun();
            client.push(&message);
            let step = client.step().unwrap();
            assert_eq!(step == Step::Commit(message), commit, "{query}");
            assert_eq!(client.step(), None);
        }
    }

    #[test]
    fn a_prepared_commit_is_seen_when_executed() {
        let mut client = begun();
        for (message, commit) in [
            (typed(b'P', b"s1\0commit\0\0\0"), false),
            (typed(b'P', b"s2\0select 1\0\0\0"), false),
            (typed(b'B', b"\0s1\0\0\0\0\0\0\0"), false),
            (typed(b'E', b"\0\0\0\0\0"), true),
            (typed(b'S', b""), false),
            (typed(b'B', b"\0s2\0\0\0\0\0\0\0"), false),
            (typed(b'E', b"\0\0\0\0\0"), false),
            (typed(b'B', b"p\0s1\0\0\0\0\0\0\0"), false),
            (typed(b'E', b"p\0\0\0\0\0"), true),
            (typed(b'P', b"s1\0select 1\0\0\0"), false),
            (typed(b'B', b"p\0s1\0\0\0\0\0\0\0"), false),
            (typed(b'E', b"p\0\0\0\0\0"), false),
        ] {
            client.push(&message);
            let step = client.step().unwrap();
            let expected = if commit { Step::Commit(message) } else { Step::Pass(message) };
            assert_eq!(step, expected);
        }
    }

    #[test]
    fn bytes_may_come_one_by_one() {
        let mut client = Client::default();
        let mut bytes = vec![0, 0, 0, 8];
        bytes.extend(SSL);
        bytes.extend([0, 0, 0, 9, 0, 3, 0, 0, 0]);
        bytes.extend(typed(b'Q', b"COMMIT\0"));
        let mut steps = Vec::new();
        for byte in bytes {
            client.push(&[byte]);
            steps.extend(client.step());
        }
        assert_eq!(
            steps,
            [
                Step::Answer(b"N".to_vec()),
                Step::Pass(vec![0, 0, 0, 9, 0, 3, 0, 0, 0]),
                Step::Commit(typed(b'Q', b"COMMIT\0")),
            ]
        );
    }
}
