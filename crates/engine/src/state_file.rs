//! The state file (spec, section 6).

use std::collections::BTreeMap;

use ledger::{Fen, Micro};
use serde::Serialize;

use crate::account::{Account, Unit, UnitAmount};
use crate::id::MemberId;
use crate::rejection::Rejection;
use crate::state::State;
use crate::tree::TeamVolume;

/// A command that was refused: its line in the events file and the reason.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rejected {
    /// Counted from 1.
    pub line: u64,
    /// Why.
    pub reason: Rejection,
}

/// The state as the file has it: serialise it with one space of indentation.
#[derive(Debug, Serialize)]
pub struct StateFile<'a> {
    open_day: Option<String>,
    growth: GrowthRow,
    platform: PlatformRow,
    members: Vec<MemberRow<'a>>,
    merchants: Vec<MerchantRow<'a>>,
    forced_exits: u64,
    rejected: Vec<RejectedRow>,
}

#[derive(Debug, Serialize)]
struct GrowthRow {
    pool: Fen,
    supply: Micro,
    reserve: Micro,
    issued: Micro,
    price: String,
}

#[derive(Debug, Serialize)]
struct PlatformRow {
    revenue: Fen,
    gateway: Fen,
    escrow_cash: Fen,
    escrow_stable: Fen,
    escrow_reward: Micro,
    dividend_carry: Fen,
}

#[derive(Debug, Serialize)]
struct MemberRow<'a> {
    member: &'a str,
    sponsor: Option<&'a str>,
    cash: Fen,
    growth: Micro,
    stable: Fen,
    quota: Fen,
    share: Micro,
    locked: Micro,
    reward: Micro,
    grade: Option<&'a str>,
    star: Option<&'a str>,
    team_cash: Fen,
    team_points: Fen,
    owed: BTreeMap<&'static str, UnitAmount>,
}

#[derive(Debug, Serialize)]
struct MerchantRow<'a> {
    merchant: &'a str,
    payable: Fen,
    stable: Fen,
    growth: Micro,
}

#[derive(Debug, Serialize)]
struct RejectedRow {
    line: u64,
    reason: &'static str,
}

impl State {
    /// The state as the file has it, with the commands that were refused on the way.
    #[must_use]
    pub fn to_file(&self, rejected: &[Rejected]) -> StateFile<'_> {
        let teams = self.team_volumes();
        let fen = |account, unit| Fen::from_steps(self.balance(account, unit));
        let micro = |account, unit| Micro::from_steps(self.balance(account, unit));
        StateFile {
            open_day: self.open_day.map(|day| day.to_string()),
            growth: GrowthRow {
                pool: self.pool(),
                supply: self.supply(),
                reserve: micro(Account::Reserve, Unit::Growth),
                issued: self.issued(),
                price: self.price_text(),
            },
            platform: PlatformRow {
                revenue: fen(Account::Revenue, Unit::Cash),
                gateway: fen(Account::Gateway, Unit::Cash),
                escrow_cash: fen(Account::Escrow, Unit::Cash),
                escrow_stable: fen(Account::Escrow, Unit::Stable),
                escrow_reward: micro(Account::Escrow, Unit::Reward),
                dividend_carry: Fen::from_steps(self.carries.fen.iter().sum()),
            },
            members: self.members().map(|id| self.member_row(id, teams[id.index()])).collect(),
            merchants: self
                .merchants()
                .map(|id| MerchantRow {
                    merchant: self.merchant_name(id),
                    payable: fen(Account::Merchant(id), Unit::Cash),
                    stable: fen(Account::Merchant(id), Unit::Stable),
                    growth: micro(Account::Merchant(id), Unit::Growth),
                })
                .collect(),
            forced_exits: self.totals.forced_exits,
            rejected: rejected
                .iter()
                .map(|r| RejectedRow { line: r.line, reason: r.reason.code() })
                .collect(),
        }
    }

    fn member_row(&self, id: MemberId, team: TeamVolume) -> MemberRow<'_> {
        let account = Account::Member(id);
        let fen = |unit| Fen::from_steps(self.balance(account, unit));
        let micro = |unit| Micro::from_steps(self.balance(account, unit));
        MemberRow {
            member: self.member_name(id),
            sponsor: self.sponsor(id).map(|sponsor| self.member_name(sponsor)),
            cash: fen(Unit::Cash),
            growth: micro(Unit::Growth),
            stable: fen(Unit::Stable),
            quota: fen(Unit::Quota),
            share: micro(Unit::Share),
            locked: micro(Unit::Locked),
            reward: micro(Unit::Reward),
            grade: self.grade(id),
            star: self.star(team),
            team_cash: team.cash,
            team_points: team.points,
            owed: self.owed(id).map(|(unit, steps)| (unit.name(), unit.amount(steps))).collect(),
        }
    }

    /// The star a team volume reaches in the programme in force.
    #[must_use]
    pub fn star(&self, volume: TeamVolume) -> Option<&str> {
        let team = self.programme.release.as_ref()?.team.as_ref()?;
        let counted = if team.cash_only {
            volume.cash
        } else {
            // All volumes together fit in 64 bits (`Totals::volume`).
            volume.cash.plus(volume.points).unwrap_or(Fen::MAX)
        };
        team.star_for(counted).map(|star| team.stars[star].name.as_str())
    }

    /// Yuan for one point, floored to six decimals; `0.000000` where there is no price.
    #[must_use]
    pub fn price_text(&self) -> String {
        let Some(price) = self.price() else {
            return Micro::ZERO.to_string();
        };
        // fen / micro-points = 10^4 yuan / point, and six decimals more.
        let scaled =
            u128::from(price.numerator()) * 10_u128.pow(10) / u128::from(price.denominator());
        format!("{}.{:06}", scaled / 1_000_000, scaled % 1_000_000)
    }
}
