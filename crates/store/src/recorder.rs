//! From the engine's entries to rows of the journal.

use engine::{
    Account, Action, Command, Engine, Head as EntryHead, Journal, OrderId, Posting, Programme,
    Rejection, State,
};
use ledger::Fraction;
use serde::{Deserialize, Serialize};

use crate::body::{Body, OrderFacts, Touch};
use crate::chain::Chain;
use crate::fault::Fault;
use crate::holder::{Control, Holder, PerHolder};
use crate::row::{Head, NO_HASH, Row};

/// Postings in one row at most: few enough that reading one member's is quick, enough that a
/// settlement is no mass of rows.
const POSTINGS_MAX: usize = 512;

/// Turns entries into rows: numbers them, chains them by hash and by holder, and keeps the balances
/// they leave, from the postings alone.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Recorder {
    chains: PerHolder<Chain>,
    head: Head,
    effective_at: i64,
    recorded_at: i64,
}

/// When a command was recorded, and the idempotency key it came with.
#[derive(Debug, Clone, Copy)]
pub struct Stamp<'a> {
    /// Microseconds since 1970; taken for the time of the entry before where that is later.
    pub recorded_at: i64,
    /// The key, if there is one.
    pub key: Option<&'a str>,
}

/// Takes rows as they are made.
pub trait RowSink {
    /// The next row, and whom it touched, to be drained or left.
    fn take(&mut self, row: Row, touched: &mut Vec<Touched>);
}

/// Keeps no row: for when only what they come to matters.
#[derive(Debug, Clone, Copy, Default)]
pub struct Discard;

impl RowSink for Discard {
    fn take(&mut self, _: Row, _: &mut Vec<Touched>) {}
}

/// A holder that a row touched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Touched {
    /// Whom.
    pub holder: Holder,
    /// Its name, where no row touched it before.
    pub new_name: Option<Box<str>>,
}

/// The programme's own row: row 0, which all others are chained to.
#[must_use]
pub fn first_row(programme: &Programme, recorded_at: i64) -> Row {
    let command = serde_json::json!({ "programme": programme.to_json() }).to_string();
    let mut row = Row {
        seq: 0,
        entry: 0,
        is_last: true,
        effective_at: i64::MIN,
        recorded_at,
        command: Some(command),
        key: None,
        refused: None,
        body: Body::default().write(),
        hash: NO_HASH,
    };
    row.hash = row.chained(&NO_HASH);
    row
}

impl Recorder {
    /// A recorder that goes on after the programme's row.
    #[must_use]
    pub fn after_first(first: &Row) -> Self {
        Self {
            chains: PerHolder::default(),
            head: Head { seq: 0, hash: first.hash },
            effective_at: first.effective_at,
            recorded_at: first.recorded_at,
        }
    }

    /// The last row recorded.
    #[must_use]
    pub const fn head(&self) -> Head {
        self.head
    }

    /// The chains and balances of all holders.
    #[must_use]
    pub const fn chains(&self) -> &PerHolder<Chain> {
        &self.chains
    }

    /// Applies a command and hands the rows of its entry to `sink`; a refused command with a key
    /// gives a row that says so, one without leaves no trace.
    ///
    /// # Errors
    /// The engine's [`Rejection`].
    pub fn apply(
        &mut self,
        engine: &mut Engine,
        command: &Command,
        stamp: Stamp<'_>,
        sink: &mut dyn RowSink,
    ) -> Result<(), Rejection> {
        let mut session = Session {
            stamp,
            held: None,
            entry: self.head.seq + 1,
            first: None,
            touched: Vec::new(),
            recorder: self,
            sink,
        };
        let result = engine.apply(command, &mut session);
        if let Err(reason) = result
            && stamp.key.is_some()
        {
            session.record_refusal(command, reason);
        }
        result
    }
}

/// One command being recorded.
struct Session<'a> {
    recorder: &'a mut Recorder,
    sink: &'a mut dyn RowSink,
    stamp: Stamp<'a>,
    entry: u64,
    /// What only the first row has.
    first: Option<First>,
    /// The last row made, until it is known whether the entry ends with it.
    held: Option<Row>,
    /// Whom the held row touched.
    touched: Vec<Touched>,
}

struct First {
    command: String,
    price: Option<Fraction>,
    /// The account that the command opened: its chain begins here, before any posting.
    opened: Option<Account>,
}

impl Journal for Session<'_> {
    fn open(&mut self, state: &State, head: &EntryHead<'_>) {
        // A day's settlement takes effect at the end of the day, whenever it was asked for. What is
        // refused never takes effect, so its time is not looked at.
        let at = match &head.command.action {
            Action::DaySettle { day } => day.end().unwrap_or(head.command.at),
            _ => head.command.at,
        };
        let effective_at = &mut self.recorder.effective_at;
        *effective_at = (*effective_at).max(at.as_microsecond());
        self.begin(head.command, head.price, opened(state, head.command));
    }

    fn post(&mut self, state: &State, postings: &[Posting]) {
        for postings in postings.chunks(POSTINGS_MAX) {
            self.release(false);
            self.hold(state, postings);
        }
    }

    fn close(&mut self, state: &State) {
        if self.held.is_none() {
            self.hold(state, &[]);
        }
        self.release(true);
    }
}

impl Session<'_> {
    fn begin(&mut self, command: &Command, price: Option<Fraction>, opened: Option<Account>) {
        let recorder = &mut *self.recorder;
        recorder.recorded_at = recorder.recorded_at.max(self.stamp.recorded_at);
        self.first = Some(First { command: written(command), price, opened });
    }

    fn record_refusal(&mut self, command: &Command, reason: Rejection) {
        self.begin(command, None, None);
        let mut row = self.row(Vec::new());
        row.body = Body::default().write();
        row.refused = Some(reason.code().to_owned());
        self.held = Some(row);
        self.release(true);
    }

    /// A row without its hash; its number is the next one.
    fn row(&mut self, body: Vec<u8>) -> Row {
        let seq = self.recorder.head.seq + 1;
        let first = self.first.take();
        Row {
            seq,
            entry: self.entry,
            is_last: false,
            effective_at: self.recorder.effective_at,
            recorded_at: self.recorder.recorded_at,
            key: first.as_ref().and_then(|_| self.stamp.key.map(str::to_owned)),
            command: first.map(|first| first.command),
            refused: None,
            body,
            hash: NO_HASH,
        }
    }

    fn hold(&mut self, state: &State, postings: &[Posting]) {
        let seq = self.recorder.head.seq + 1;
        let price = self.first.as_ref().and_then(|first| first.price);
        let mut touches = Vec::with_capacity(2 * postings.len().min(16));
        if let Some(account) = self.first.as_ref().and_then(|first| first.opened) {
            self.recorder.touch(seq, Holder::Account(account), state, &mut touches);
        }
        for posting in postings {
            let holder = Holder::Account(posting.account);
            self.recorder.post(seq, holder, posting, state, &mut touches);
            if let Some(control) = Control::of(posting.account) {
                self.recorder.post(seq, Holder::Control(control), posting, state, &mut touches);
            }
        }
        for touch in &mut touches {
            touch.balances = self.recorder.chains.of_mut(touch.holder).balances;
        }
        self.touched.clear();
        self.touched.extend(touches.iter().map(|touch| Touched {
            holder: touch.holder,
            new_name: (touch.links.depth == 1).then(|| touch.name.into()),
        }));
        let body = body(state, price, postings, touches).write();
        self.held = Some(self.row(body));
    }

    /// Lets the held row go.
    fn release(&mut self, is_last: bool) {
        if let Some(mut row) = self.held.take() {
            row.is_last = is_last;
            row.hash = row.chained(&self.recorder.head.hash);
            self.recorder.head = Head { seq: row.seq, hash: row.hash };
            self.sink.take(row, &mut self.touched);
        }
    }
}

impl Recorder {
    /// Goes on after a stored refusal whose command cannot be read again.
    pub(crate) fn pass(&mut self, row: &Row, key: Option<&str>) -> Result<(), Fault> {
        let expected = Row {
            seq: self.head.seq + 1,
            entry: self.head.seq + 1,
            is_last: true,
            effective_at: self.effective_at,
            recorded_at: self.recorded_at.max(row.recorded_at),
            key: key.map(str::to_owned),
            body: Body::default().write(),
            ..row.clone()
        };
        if expected != *row || row.chained(&self.head.hash) != row.hash {
            let what = crate::difference::between(row, &expected);
            return Err(Fault::Hash { seq: row.seq, what });
        }
        self.head = Head { seq: row.seq, hash: row.hash };
        self.recorded_at = row.recorded_at;
        Ok(())
    }

    /// Adds a posting to a holder's balance.
    fn post<'a>(
        &mut self,
        seq: u64,
        holder: Holder,
        posting: &Posting,
        state: &'a State,
        touches: &mut Vec<Touch<'a>>,
    ) {
        self.touch(seq, holder, state, touches);
        let chain = self.chains.of_mut(holder);
        // Of a sum over members, only the end of a settlement must fit: wrapping gets there.
        let balance = &mut chain.balances[posting.unit as usize];
        *balance = balance.wrapping_add(posting.steps);
    }

    /// Adds a holder to those the row touches.
    fn touch<'a>(
        &mut self,
        seq: u64,
        holder: Holder,
        state: &'a State,
        touches: &mut Vec<Touch<'a>>,
    ) {
        let chain = self.chains.of_mut(holder);
        if !chain.is_touched_by(seq) {
            let links = chain.touch(seq);
            let name = name(state, holder);
            touches.push(Touch { holder, name, links, balances: Default::default() });
        }
    }
}

fn name(state: &State, holder: Holder) -> &str {
    use Account::{Carry, Debt, Member, Merchant};
    match holder {
        Holder::Account(Member(id) | Debt(id)) => state.member_name(id),
        Holder::Account(Merchant(id)) => state.merchant_name(id),
        Holder::Account(Carry(id)) => state.dividend_name(id),
        Holder::Account(_) | Holder::Control(_) => "",
    }
}

/// The account a command has opened.
fn opened(state: &State, command: &Command) -> Option<Account> {
    match &command.action {
        Action::MemberJoin { member, .. } => {
            state.find_member(member.as_str()).map(Account::Member)
        }
        Action::MerchantJoin { merchant } => {
            state.find_merchant(merchant.as_str()).map(Account::Merchant)
        }
        _ => None,
    }
}

/// The body with all the names its postings need.
fn body<'a>(
    state: &'a State,
    price: Option<Fraction>,
    postings: &[Posting],
    touches: Vec<Touch<'a>>,
) -> Body<'a> {
    let mut orders: Vec<OrderId> = Vec::new();
    let mut dividends = Vec::new();
    let mut stars = Vec::new();
    let mut tiers = Vec::new();
    for Posting { why, .. } in postings {
        // The postings of one order come in a row.
        if let Some(order) = why.order().filter(|order| orders.last() != Some(order)) {
            orders.push(order);
        }
        dividends.extend(why.dividend().filter(|id| dividends.last() != Some(id)));
        stars.extend(why.star().filter(|star| stars.last() != Some(star)));
        tiers.extend(why.tier().filter(|tier| tiers.last() != Some(tier)));
    }
    sort_once(&mut orders);
    sort_once(&mut dividends);
    sort_once(&mut stars);
    sort_once(&mut tiers);
    let facts = |order| OrderFacts {
        order,
        name: state.order_name(order),
        package: state.package_name(order),
        completed: state.completed_amount(order),
    };
    Body {
        price,
        postings: postings.to_vec(),
        touches,
        orders: orders.into_iter().map(facts).collect(),
        dividends: dividends.into_iter().map(|id| (id, state.dividend_name(id))).collect(),
        stars: stars.into_iter().map(|star| (star, state.star_name(star))).collect(),
        tiers: tiers.into_iter().map(|tier| (tier, state.tier_name(tier.0, tier.1))).collect(),
    }
}

fn sort_once<T: Ord>(ids: &mut Vec<T>) {
    ids.sort_unstable();
    ids.dedup();
}

/// A command as the journal keeps it.
#[must_use]
pub fn written(command: &Command) -> String {
    // A command is made of texts: writing it cannot fail.
    serde_json::to_string(command).unwrap_or_default()
}
