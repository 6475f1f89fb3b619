//! Commands as text: one JSON object a line (spec, section 4).

use std::borrow::Cow;

use ledger::{Amount, Fen, Micro};
use serde::{Deserialize, Serialize};

use crate::command::{Action, Command, Given, Id, OrderPay, Party};

/// Why a text is not a command. Nothing of it was applied.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct EventError(String);

/// Every field any command has. Which ones a command needs and may have is in `action`.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Fields<'a> {
    #[serde(rename = "type", borrow)]
    kind: Cow<'a, str>,
    #[serde(borrow)]
    at: Cow<'a, str>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    member: Option<Cow<'a, str>>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    sponsor: Option<Cow<'a, str>>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    order: Option<Cow<'a, str>>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    merchant: Option<Cow<'a, str>>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    amount: Option<Cow<'a, str>>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    stable: Option<Cow<'a, str>>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    reward: Option<Cow<'a, str>>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    concession: Option<Cow<'a, str>>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    points: Option<Cow<'a, str>>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    unit: Option<Cow<'a, str>>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    reason: Option<Cow<'a, str>>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    operator: Option<Cow<'a, str>>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    day: Option<Cow<'a, str>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    programme: Option<Box<serde_json::Value>>,
}

impl Command {
    /// Reads one command from its JSON text.
    ///
    /// # Errors
    /// [`EventError`] when it is not JSON or not a command, with the field and what is wrong.
    pub fn from_json(text: &str) -> Result<Self, EventError> {
        // serde would also take `[...]` for the fields in their order; only an object is a command.
        if !text.trim_start().starts_with('{') {
            return Err(EventError("not a JSON object".into()));
        }
        let mut fields: Fields<'_> =
            serde_json::from_str(text).map_err(|error| EventError(plain(&error)))?;
        let at = crate::day::parse_time(&fields.at).ok_or_else(|| {
            EventError(format!(
                "`at` is \"{}\": not an RFC 3339 time before 9999-12-30, such as 2026-01-31T09:00:00+08:00",
                fields.at
            ))
        })?;
        let kind = std::mem::take(&mut fields.kind);
        let action = fields.action(&kind)?;
        fields.refuse_the_rest(&kind)?;
        Ok(Self { at, action })
    }
}

/// serde's message without its position, which would be one within the line.
fn plain(error: &serde_json::Error) -> String {
    let text = error.to_string();
    let cut = text.rfind(" at line ").unwrap_or(text.len());
    let what = text[..cut].to_owned();
    if error.is_data() {
        what
    } else {
        format!("not valid JSON: {what} at column {}", error.column())
    }
}

impl Fields<'_> {
    fn action(&mut self, kind: &str) -> Result<Action, EventError> {
        let action = match kind {
            "member.join" => Action::MemberJoin {
                member: id(kind, "member", self.member.take())?,
                sponsor: optional_id("sponsor", self.sponsor.take())?,
            },
            "merchant.join" => {
                Action::MerchantJoin { merchant: id(kind, "merchant", self.merchant.take())? }
            }
            "order.pay" => Action::OrderPay(Box::new(self.order_pay(kind)?)),
            "order.complete" => {
                Action::OrderComplete { order: id(kind, "order", self.order.take())? }
            }
            "order.refund" => Action::OrderRefund {
                order: id(kind, "order", self.order.take())?,
                amount: self.amount.take().map(|text| Amount::parse(&text)),
            },
            "growth.redeem" => Action::GrowthRedeem {
                holder: self.party(kind)?,
                points: given(kind, "points", self.points.take())?,
            },
            "growth.exchange" => Action::GrowthExchange {
                member: id(kind, "member", self.member.take())?,
                points: given(kind, "points", self.points.take())?,
            },
            "stable.claim" => Action::StableClaim {
                merchant: id(kind, "merchant", self.merchant.take())?,
                amount: given(kind, "amount", self.amount.take())?,
            },
            "reward.convert" => Action::RewardConvert {
                member: id(kind, "member", self.member.take())?,
                points: given(kind, "points", self.points.take())?,
            },
            "member.adjust" => Action::MemberAdjust {
                member: id(kind, "member", self.member.take())?,
                unit: text(kind, "unit", self.unit.take())?,
                amount: text(kind, "amount", self.amount.take())?,
                reason: self.reason.take().unwrap_or_default().into(),
                operator: self.operator.take().unwrap_or_default().into(),
            },
            "cash.withdraw" => Action::CashWithdraw {
                holder: self.party(kind)?,
                amount: given(kind, "amount", self.amount.take())?,
            },
            "programme.amend" => Action::ProgrammeAmend {
                programme: self.programme.take().ok_or_else(|| missing(kind, "programme"))?,
            },
            "day.settle" => {
                let day = self.day.take().ok_or_else(|| missing(kind, "day"))?;
                let bad =
                    |_| EventError(format!("`day` is \"{day}\": not a date such as 2026-01-31"));
                Action::DaySettle { day: day.parse().map_err(bad)? }
            }
            unknown => {
                return Err(EventError(format!("`type` is \"{unknown}\": not a known command")));
            }
        };
        Ok(action)
    }

    fn order_pay(&mut self, kind: &str) -> Result<OrderPay, EventError> {
        Ok(OrderPay {
            order: id(kind, "order", self.order.take())?,
            member: id(kind, "member", self.member.take())?,
            merchant: optional_id("merchant", self.merchant.take())?,
            amount: given(kind, "amount", self.amount.take())?,
            stable: self.stable.take().map_or(Ok(Fen::ZERO), |text| Amount::parse(&text)),
            reward: self.reward.take().map_or(Ok(Micro::ZERO), |text| Amount::parse(&text)),
            concession: self.concession.take().map(|text| text.parse()),
        })
    }

    fn party(&mut self, kind: &str) -> Result<Party, EventError> {
        match (self.member.take(), self.merchant.take()) {
            (Some(member), None) => Ok(Party::Member(id(kind, "member", Some(member))?)),
            (None, Some(merchant)) => Ok(Party::Merchant(id(kind, "merchant", Some(merchant))?)),
            _ => Err(EventError(format!("{kind} needs either `member` or `merchant`"))),
        }
    }

    /// What is left was not asked for.
    fn refuse_the_rest(&self, kind: &str) -> Result<(), EventError> {
        let left = [
            ("member", &self.member),
            ("sponsor", &self.sponsor),
            ("order", &self.order),
            ("merchant", &self.merchant),
            ("amount", &self.amount),
            ("stable", &self.stable),
            ("reward", &self.reward),
            ("concession", &self.concession),
            ("points", &self.points),
            ("unit", &self.unit),
            ("reason", &self.reason),
            ("operator", &self.operator),
            ("day", &self.day),
        ];
        let mut names = left.iter().filter(|(_, value)| value.is_some()).map(|(name, _)| *name);
        let programme = self.programme.as_ref().map(|_| "programme");
        match names.next().or(programme) {
            Some(name) => Err(EventError(format!("{kind} has no field `{name}`"))),
            None => Ok(()),
        }
    }
}

fn missing(kind: &str, field: &str) -> EventError {
    EventError(format!("{kind} needs `{field}`"))
}

fn text(kind: &str, field: &str, value: Option<Cow<'_, str>>) -> Result<Box<str>, EventError> {
    value.map(Into::into).ok_or_else(|| missing(kind, field))
}

fn id(kind: &str, field: &str, value: Option<Cow<'_, str>>) -> Result<Id, EventError> {
    optional_id(field, value)?.ok_or_else(|| missing(kind, field))
}

fn optional_id(field: &str, value: Option<Cow<'_, str>>) -> Result<Option<Id>, EventError> {
    let id = value.map(|text| Id::new(&*text)).transpose();
    id.map_err(|error| EventError(format!("`{field}` {error}")))
}

fn given<const D: u32>(
    kind: &str,
    field: &str,
    value: Option<Cow<'_, str>>,
) -> Result<Given<D>, EventError> {
    value.map(|text| Amount::parse(&text)).ok_or_else(|| missing(kind, field))
}

/// As the line it would be read from. A part of zero is left out; so is an amount that is none, as
/// only accepted commands are written, and those have none of these.
impl Serialize for Command {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut fields = self.action.fields();
        fields.at = crate::day::local_text(self.at).into();
        fields.serialize(serializer)
    }
}

impl Action {
    fn fields(&self) -> Fields<'_> {
        let mut f = Fields { kind: self.kind().into(), ..Fields::default() };
        match self {
            Self::MemberJoin { member, sponsor } => {
                f.member = name(member);
                f.sponsor = sponsor.as_ref().and_then(name);
            }
            Self::MerchantJoin { merchant } => f.merchant = name(merchant),
            Self::OrderPay(pay) => {
                f.order = name(&pay.order);
                f.member = name(&pay.member);
                f.merchant = pay.merchant.as_ref().and_then(name);
                f.amount = amount(pay.amount);
                f.stable = amount(pay.stable.and_then(nonzero));
                f.reward = amount(pay.reward.and_then(nonzero));
                f.concession = pay.concession.and_then(Result::ok).map(|r| r.to_string().into());
            }
            Self::OrderComplete { order } => f.order = name(order),
            Self::OrderRefund { order, amount: asked } => {
                f.order = name(order);
                f.amount = asked.and_then(amount);
            }
            Self::GrowthRedeem { holder, points } => {
                f.party_fields(holder);
                f.points = amount(*points);
            }
            Self::GrowthExchange { member, points } | Self::RewardConvert { member, points } => {
                f.member = name(member);
                f.points = amount(*points);
            }
            Self::StableClaim { merchant, amount: claimed } => {
                f.merchant = name(merchant);
                f.amount = amount(*claimed);
            }
            Self::MemberAdjust { member, unit, amount, reason, operator } => {
                f.member = name(member);
                f.unit = Some((&**unit).into());
                f.amount = Some((&**amount).into());
                f.reason = Some((&**reason).into());
                f.operator = Some((&**operator).into());
            }
            Self::CashWithdraw { holder, amount: withdrawn } => {
                f.party_fields(holder);
                f.amount = amount(*withdrawn);
            }
            Self::ProgrammeAmend { programme } => f.programme = Some(programme.clone()),
            Self::DaySettle { day } => f.day = Some(day.to_string().into()),
        }
        f
    }

    /// The command's name, as `order.pay`.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::MemberJoin { .. } => "member.join",
            Self::MerchantJoin { .. } => "merchant.join",
            Self::OrderPay(_) => "order.pay",
            Self::OrderComplete { .. } => "order.complete",
            Self::OrderRefund { .. } => "order.refund",
            Self::GrowthRedeem { .. } => "growth.redeem",
            Self::GrowthExchange { .. } => "growth.exchange",
            Self::StableClaim { .. } => "stable.claim",
            Self::RewardConvert { .. } => "reward.convert",
            Self::MemberAdjust { .. } => "member.adjust",
            Self::CashWithdraw { .. } => "cash.withdraw",
            Self::ProgrammeAmend { .. } => "programme.amend",
            Self::DaySettle { .. } => "day.settle",
        }
    }
}

impl<'a> Fields<'a> {
    fn party_fields(&mut self, holder: &'a Party) {
        match holder {
            Party::Member(member) => self.member = name(member),
            Party::Merchant(merchant) => self.merchant = name(merchant),
        }
    }
}

fn name(id: &Id) -> Option<Cow<'_, str>> {
    Some(id.as_str().into())
}

fn amount<const D: u32>(given: Given<D>) -> Option<Cow<'static, str>> {
    given.ok().map(|amount| amount.to_string().into())
}

fn nonzero<const D: u32>(amount: Amount<D>) -> Given<D> {
    if amount.is_zero() { Err(ledger::AmountError::NotDecimal) } else { Ok(amount) }
}
