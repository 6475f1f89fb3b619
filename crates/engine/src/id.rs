use std::num::NonZeroU32;

use ledger::Overflow;
use serde::{Deserialize, Serialize};

/// Row numbers as types: four bytes each, also when optional, and never mixed up.
macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident),* $(,)?) => {$(
        $(#[$doc])*
        #[derive(
            Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
        )]
        #[serde(transparent)]
        pub struct $name(NonZeroU32);

        impl $name {
            /// The id of the row at `index`.
            ///
            /// # Errors
            /// [`Overflow`] beyond 2^32 - 2 rows.
            pub fn at(index: usize) -> Result<Self, Overflow> {
                let number = u32::try_from(index).ok().and_then(|i| i.checked_add(1));
                number.and_then(NonZeroU32::new).map(Self).ok_or(Overflow)
            }

            /// The row this id stands for; rows are numbered from 0 in order of arrival.
            #[must_use]
            pub const fn index(self) -> usize {
                self.0.get() as usize - 1
            }
        }
    )*};
}

ids! {
    /// A member, numbered in joining order.
    MemberId,
    /// A merchant, numbered in joining order.
    MerchantId,
    /// An order, numbered in the order in which they were paid.
    OrderId,
    /// A lot of locked points, numbered from the oldest; renumbered when finished lots are
    /// dropped.
    LotId,
    /// A dividend by its name, numbered in the order in which the names first appeared.
    DividendId,
}
