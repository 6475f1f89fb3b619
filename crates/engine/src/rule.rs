use std::fmt;

use serde::de::{Unexpected, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Each rule beside its name, so that no list of them can fall behind.
macro_rules! rules {
    ($($rule:ident = $name:literal),* $(,)?) => {
        /// A rule that makes postings, by its name in files and on the wire.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[expect(missing_docs, reason = "each variant is its name; `Why` says what it does")]
        pub enum Rule {
            $($rule,)*
        }

        impl Rule {
            /// Every rule.
            pub const ALL: &'static [Self] = &[$(Self::$rule,)*];

            /// The rule's name in files and on the wire.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$rule => $name,)*
                }
            }
        }
    };
}

rules! {
    OrderPaid = "order.paid",
    OrderCompleted = "order.completed",
    MerchantPaid = "merchant.paid",
    QuotaGranted = "quota.granted",
    GrowthGranted = "growth.granted",
    GrowthContributed = "growth.contributed",
    ShareBought = "share.bought",
    ShareGranted = "share.granted",
    LotGranted = "lot.granted",
    DebtNetted = "debt.netted",
    OrderRefunded = "order.refunded",
    GrantTakenBack = "grant.taken_back",
    GrantOwed = "grant.owed",
    GrowthContributionReturned = "growth.contribution_returned",
    RefundKeptBack = "refund.kept_back",
    MerchantReturned = "merchant.returned",
    GrowthRedeemed = "growth.redeemed",
    GrowthForcedExit = "growth.forced_exit",
    GrowthDustSold = "growth.dust_sold",
    GrowthPoolEmptied = "growth.pool_emptied",
    GrowthExchanged = "growth.exchanged",
    StableClaimed = "stable.claimed",
    RewardConverted = "reward.converted",
    MemberAdjusted = "member.adjusted",
    CashWithdrawn = "cash.withdrawn",
    ReleaseScheduled = "release.scheduled",
    ReleaseGenerationBonus = "release.generation_bonus",
    ReleaseTeamBonus = "release.team_bonus",
    ReleasePeerBonus = "release.peer_bonus",
    ReleaseAccelerated = "release.accelerated",
    SettleOtherSide = "settle.other_side",
    DividendFunded = "dividend.funded",
    DividendPaid = "dividend.paid",
    DividendReturned = "dividend.returned",
}

impl Rule {
    /// The rule of this name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|rule| rule.name() == name)
    }
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// By name everywhere: what is stored does not depend on the order of the rules here.
impl Serialize for Rule {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

impl<'de> Deserialize<'de> for Rule {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Name;

        impl Visitor<'_> for Name {
            type Value = Rule;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("the name of a rule")
            }

            fn visit_str<E: serde::de::Error>(self, name: &str) -> Result<Rule, E> {
                Rule::named(name).ok_or_else(|| E::invalid_value(Unexpected::Str(name), &self))
            }
        }

        deserializer.deserialize_str(Name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_rule_is_found_by_its_name() {
        for &rule in Rule::ALL {
            assert_eq!(Rule::named(rule.name()), Some(rule));
            let bytes = postcard::to_stdvec(&rule).unwrap();
            assert_eq!(postcard::from_bytes(&bytes), Ok(rule));
            assert_eq!(serde_json::to_string(&rule).unwrap(), format!("{:?}", rule.name()));
        }
        let bytes = postcard::to_stdvec("order.unknown").unwrap();
        assert!(postcard::from_bytes::<Rule>(&bytes).is_err());
    }
}
