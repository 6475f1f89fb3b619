//! What is put in: amounts, rates, moments, names and values at the edges of what is read.

/// Amounts that are some, and lead to the edges.
pub const EDGES: &str = "0 0.00 0.01 0.000001 1 0.99 1.00 00000000000000000000001 92233720368547758.07 \
    92233720368547758.08 9223372036854.775807 9223372036854.775808 46116860184273879.03 \
    92233720368547.75 9223372036854775807 4611686018427.387904 90000000000000000 9000000000000 \
    922337203685.47 100000000 99999999.99 123456.78 30000.00 3000 10000000000000.00 1000000000";

pub const NO_AMOUNTS: [&str; 31] = [
    "",
    " ",
    "-",
    "-0",
    "-0.00",
    "-1",
    "-92233720368547758.08",
    "-9223372036854.775808",
    "+1",
    ".",
    "1.",
    ".5",
    "1.005",
    "0.0000001",
    "0.00000000000000000000000000000000001",
    "1e9",
    "1E-2",
    "0x10",
    "1,000.00",
    "1_000",
    "１２",
    "١٢٣",
    "１.５０",
    "∞",
    "NaN",
    "inf",
    "½",
    "\u{0}",
    "\u{202e}1",
    "99999999999999999999999999999999999999999999999999",
    "1 ",
];

pub const RATES: &str = "0% 0x 0.0001% 0.000001x 1% 30% 50% 99.9999% 100% 1x 100.0001% 200% 1000x 1000000x \
    9223372036854.775807x 922337203685477.5807% 9223372036854.775808x 92233720368547758070000% \
    -1% -0% % x 1x% 30 1.00001% ३०%";

/// Rates that most keys take.
pub const MILD_RATES: &str = "0% 0.0001% 0.01x 1% 7.7777% 33.3333% 50%";

pub const MOMENTS: [&str; 18] = [
    "",
    "2026-01-01",
    "2026-01-01T09:00:00",
    "2026-02-30T09:00:00+08:00",
    "2026-01-01T23:59:60+08:00",
    "2026-01-01T24:00:00+08:00",
    "2026-01-01T09:00:00+99:99",
    "2026-01-01T09:00:00-23:59",
    "2026-01-01T16:00:00Z",
    "2026-01-01T15:59:59.999999999Z",
    "9999-12-31T05:59:59+08:00",
    "9999-12-31T23:59:59Z",
    "9999-12-30T22:00:00.999999999Z",
    "-009999-01-02T01:59:59Z",
    "-009999-01-03T00:00:00+08:00",
    "0000-01-01T00:00:00Z",
    "1970-01-01T00:00:00Z",
    "+262143-12-31T00:00:00Z",
];

pub const DAYS: [&str; 10] = [
    "",
    "2026-01-01",
    "2026-02-30",
    "9999-12-31",
    "-009999-01-01",
    "0000-00-00",
    "2026-1-1",
    "20260101",
    "2026-01-01T00:00:00",
    "1997-01-01",
];

pub const FIELDS: &str = "type at member sponsor order merchant amount stable reward concession points unit reason \
    operator day programme colour";

pub const TYPES: &str = "member.join merchant.join order.pay order.complete order.refund growth.redeem \
    growth.exchange stable.claim reward.convert member.adjust cash.withdraw programme.amend \
    day.settle order.Pay";

pub const KEYS: &str = "name contribution issue_price issue_cap redeem_fee exchange_fee forced_exit buyer sponsors \
    per rate split weights undistributed rate_of within min max daily generations price multiple \
    peer peer_depth volume usage";

pub const RAW_VALUES: [&str; 22] = [
    "true",
    "false",
    "0",
    "1",
    "4294967295",
    "4294967296",
    "9223372036854775807",
    "-9223372036854775808",
    "99999999999999999999",
    "0.5",
    "1e400",
    "inf",
    "nan",
    "[]",
    "{}",
    "[[]]",
    "1979-05-27",
    "'pro_rata'",
    "'tiers'",
    "['50%', '30%', '1000x']",
    "\"\"\"\n\"\"\"",
    "0xFF",
];
