//! `verdant check`: is this programme sound, and what can it come to cost?

use std::path::PathBuf;

use comfy_table::{CellAlignment, Table, presets};
use engine::programme::{Dividend, Exposure, Growth, Liability, Release, Split};
use engine::{Programme, Unit};
use ledger::Rate;

use crate::output::{self, OutputError};
use crate::programme_file;

const EXAMPLE: &str = "\
Example:
  verdant check examples/wine.toml";

/// Check a programme: its parameters, what it guarantees, and what it can come to cost
///
/// A faulty programme is refused with every fault at once, each with its line, key and reason. For
/// a good one the parameters with their defaults, the guarantees it has and those it lacks, and
/// the most that 100 yuan of sales can come to cost are printed.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLE)]
pub struct Args {
    /// The programme, a TOML file
    programme: PathBuf,
}

/// Why a check ends with status 1.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The programme was refused.
    #[error(transparent)]
    Programme(#[from] programme_file::Error),
    /// The result cannot be written.
    #[error(transparent)]
    Output(#[from] OutputError),
}

/// Runs the command.
pub fn run(args: &Args) -> Result<(), Error> {
    let programme = programme_file::read(&args.programme)?;
    Ok(output::write(&report(&programme))?)
}

fn report(programme: &Programme) -> String {
    let mut lines = vec![programme.name.clone(), String::new(), "Parameters".into()];
    lines.push(parameters(programme).trim_fmt());
    lines.extend([String::new(), "Guarantees".into()]);
    for guarantee in guarantees(programme) {
        let mark = if guarantee.holds { "has  " } else { "lacks" };
        lines.push(format!("  {mark}  {}", guarantee.text));
    }
    let worst = programme.liability(programme.needed_concession());
    let usual = programme.liability(programme.concession);
    lines.push(format!("\nThe most that {} yuan of sales can come to cost", worst.sale));
    lines.push(exposures(&worst, &usual).trim_fmt());
    lines.extend([String::new(), verdict(&worst, &usual), String::new()]);
    lines.join("\n")
}

fn table() -> Table {
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    table
}

fn parameters(programme: &Programme) -> Table {
    let mut rows = Rows(table());
    rows.add("order.concession", &programme.concession);
    if let Some(growth) = &programme.growth {
        rows.growth(growth);
    }
    if let Some(quota) = &programme.quota {
        rows.add("quota.buyer", &quota.buyer);
        rows.add("quota.sponsors", &list(&quota.sponsors));
    }
    if let Some(share) = &programme.share {
        rows.add("share.per", &share.per);
        rows.add("share.sponsors", &list(&share.sponsors));
    }
    for dividend in &programme.dividends {
        rows.dividend(dividend);
    }
    if let Some(release) = &programme.release {
        rows.release(release);
    }
    rows.add("reward.usage", &programme.reward.usage);
    rows.add("reward.convert", &programme.reward.convert);
    rows.0
}

/// Parameters as they are written in the file, a row each.
struct Rows(Table);

impl Rows {
    fn add(&mut self, key: &str, value: &dyn std::fmt::Display) {
        self.0.add_row([format!("  {key}"), value.to_string()]);
    }

    fn growth(&mut self, growth: &Growth) {
        self.add("growth.contribution", &growth.contribution);
        self.add("growth.issue_price", &growth.issue_price);
        match growth.issue_cap {
            Some(cap) => self.add("growth.issue_cap", &cap),
            None => self.add("growth.issue_cap", &"none"),
        }
        self.add("growth.redeem_fee", &growth.redeem_fee);
        self.add("growth.exchange_fee", &growth.exchange_fee);
        self.add("growth.forced_exit", &growth.forced_exit);
        self.add("growth.grants.buyer", &growth.buyer);
        self.add("growth.grants.sponsors", &list(&growth.sponsors));
    }

    fn dividend(&mut self, dividend: &Dividend) {
        let name = format!("dividend \"{}\"", dividend.name);
        let rest = if dividend.carry { "carried" } else { "to the platform" };
        let split = match &dividend.split {
            Split::ProRata { all: false } => "by shares of those who can draw".to_owned(),
            Split::ProRata { all: true } => "by everybody's shares".to_owned(),
            Split::Tiers { of_pool, by_shares, .. } => format!(
                "by tiers of the {}, {} within a tier",
                if *of_pool { "pool" } else { "turnover" },
                if *by_shares { "by shares" } else { "equally" },
            ),
        };
        self.add(&name, &format!("{} of turnover, {split}, the rest {rest}", dividend.rate));
        if let Split::Tiers { tiers, .. } = &dividend.split {
            for tier in tiers {
                let max = tier.max.map_or("the next tier".to_owned(), |max| max.to_string());
                let text = format!("{} from {} to {max} shares", tier.rate, tier.min);
                self.add(&format!("  tier \"{}\"", tier.name), &text);
            }
        }
    }

    fn release(&mut self, release: &Release) {
        self.add("release.daily", &release.daily);
        self.add("release.generations", &list(&release.generations));
        for package in &release.packages {
            let text = format!("{} from {}", multiple(package.multiple), package.price);
            self.add(&format!("  package \"{}\"", package.name), &text);
        }
        let Some(team) = &release.team else { return };
        self.add("release.team.peer", &format!("{}, {} deep", team.peer, team.peer_depth));
        let count = if team.cash_only { "cash" } else { "total" };
        self.add("release.team.count", &count);
        for star in &team.stars {
            let text = format!("{} from a team volume of {}", star.rate, star.volume);
            self.add(&format!("  star \"{}\"", star.name), &text);
        }
    }
}

fn list(rates: &[Rate]) -> String {
    match rates {
        [] => "none".into(),
        rates => rates.iter().map(Rate::to_string).collect::<Vec<_>>().join(", "),
    }
}

fn multiple(rate: Rate) -> String {
    let text = ledger::Micro::from_steps(rate.ppm()).to_string();
    format!("{}x", text.trim_end_matches('0').trim_end_matches('.'))
}

struct Guarantee {
    holds: bool,
    text: String,
}

/// What the programme guarantees by its rules, and what it does not (spec, section 3).
fn guarantees(programme: &Programme) -> Vec<Guarantee> {
    let mut guarantees = Vec::new();
    let mut say = |holds: bool, text: String| guarantees.push(Guarantee { holds, text });
    say(
        true,
        format!(
            "funded: contribution and dividends take {} of an order's cash, the platform keeps {}",
            programme.needed_concession(),
            programme.concession
        ),
    );
    if let Some(growth) = &programme.growth {
        let granted = growth.sponsors.iter().try_fold(growth.buyer, |sum, &rate| sum.plus(rate));
        let granted = granted.map_or_else(|_| "too much".into(), |rate| rate.to_string());
        say(
            true,
            format!(
                "the price cannot fall: grants are {granted} of the contribution, at most 100%"
            ),
        );
        say(true, "every point is backed: price x supply is the pool, to the fen".into());
        say(
            growth.issue_cap.is_some(),
            match growth.issue_cap {
                Some(cap) => format!("a cap on issue: never more than {cap} points"),
                None => "a cap on issue: points are issued without end".into(),
            },
        );
        say(
            programme.is_limited_by_quota(),
            if programme.is_limited_by_quota() {
                "a limit on draws: nobody draws more on points than the quota granted".into()
            } else {
                "a limit on draws: points are not limited by quota, early holders gain without end"
                    .into()
            },
        );
    }
    if !programme.dividends.is_empty() {
        say(
            true,
            "dividends are paid out of the day's turnover only, never out of later sales".into(),
        );
        say(
            programme.quota.is_some(),
            if programme.quota.is_some() {
                "a limit on dividends: each uses quota up".into()
            } else {
                "a limit on dividends: there is no quota, shares draw for ever".into()
            },
        );
    }
    if programme.release.is_some() {
        say(
            true,
            "a lot never gives more than its gift: bonuses come out of the member's own lots"
                .into(),
        );
        let worst = programme.liability(programme.needed_concession());
        let uncovered = worst.uncovered();
        say(
            !uncovered.is_positive(),
            if uncovered.is_positive() {
                format!(
                    "cover for released points: of each {} sold, {uncovered} can rest on later sales",
                    worst.sale
                )
            } else {
                "cover for released points: the sale that grants them pays for them".into()
            },
        );
    }
    if programme.release.is_some() && programme.reward.usage.is_zero() && !programme.reward.convert
    {
        say(false, "a use for released points: without [reward] they pay for nothing".into());
    }
    if programme.reward.convert {
        say(true, "conversion is refused when revenue cannot pay for it".into());
    }
    guarantees
}

/// Claims, and what the sale itself pays of them: at the least concession an order may carry, and
/// at the programme's own.
fn exposures(worst: &Liability, usual: &Liability) -> Table {
    let mut table = table();
    table.set_header([
        "  unit".to_owned(),
        "granted".to_owned(),
        "can be claimed for".to_owned(),
        format!("covered at {} concession", worst.concession),
        format!("at {}", usual.concession),
        String::new(),
    ]);
    for (exposure, usually) in worst.exposures.iter().zip(&usual.exposures) {
        table.add_row([
            format!("  {}", name(exposure.unit)),
            exposure.unit.amount(exposure.granted).to_string(),
            exposure.claim.to_string(),
            exposure.covered.to_string(),
            usually.covered.to_string(),
            how(exposure).to_owned(),
        ]);
    }
    table.add_row([
        "  programme as a whole".to_owned(),
        String::new(),
        worst.claims.to_string(),
        worst.covered.to_string(),
        usual.covered.to_string(),
        "what is left of the concession covers locked points".to_owned(),
    ]);
    for column in 1..=4 {
        if let Some(column) = table.column_mut(column) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    table
}

fn name(unit: Unit) -> &'static str {
    match unit {
        Unit::Cash => "cash (dividends)",
        Unit::Growth => "growth points",
        Unit::Stable => "stable points",
        Unit::Quota => "quota",
        Unit::Share => "shares",
        Unit::Locked => "locked points",
        Unit::Reward => "reward points",
    }
}

fn how(exposure: &Exposure) -> &'static str {
    match exposure.unit {
        Unit::Growth => "a claim on the pool, of at most what went into it",
        Unit::Cash => "out of the day's turnover, if somebody can draw",
        Unit::Locked => "released over time, then worth 1 yuan each in orders",
        Unit::Quota => "no claim: the most its holders may ever draw",
        Unit::Share => "no claim: a weight in dividends",
        Unit::Stable | Unit::Reward => "",
    }
}

fn verdict(worst: &Liability, usual: &Liability) -> String {
    let claims = format!("{} that can be claimed for {} sold", worst.claims, worst.sale);
    if !worst.uncovered().is_positive() {
        return format!("All {claims} are covered by the sale itself, at any concession.");
    }
    format!(
        "Of {claims}, {} rest on the platform's own means or on later sales when an order carries \
         the least concession, {}; {} at the programme's own, {}.",
        worst.uncovered(),
        worst.concession,
        usual.uncovered(),
        usual.concession
    )
}
