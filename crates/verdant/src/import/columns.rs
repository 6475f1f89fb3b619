//! Which column holds what, by its name.

use super::Error;
use super::fault::Field;
use super::text::{excerpt, half_width};

/// Column names given by options, in place of the known ones.
#[derive(Debug, Clone, Default, clap::Args)]
#[command(next_help_heading = "Columns (found by their usual English and Chinese names)")]
pub struct ColumnNames {
    /// The column of the customer, e.g. member or 会员号
    #[arg(long, value_name = "NAME")]
    pub customer: Option<String>,
    /// The column of the order's date, e.g. paid_at or 付款时间
    #[arg(long, value_name = "NAME")]
    pub date: Option<String>,
    /// The column of the amount paid, e.g. total or 实付金额
    #[arg(long, value_name = "NAME")]
    pub amount: Option<String>,
    /// The column of the order's id, e.g. 订单号; without one orders are c1, c2, ...
    #[arg(long, value_name = "NAME")]
    pub order: Option<String>,
    /// The column of who brought the customer, e.g. inviter or 推荐人
    #[arg(long, value_name = "NAME")]
    pub sponsor: Option<String>,
    /// The column of the merchant, e.g. shop or 店铺
    #[arg(long, value_name = "NAME")]
    pub merchant: Option<String>,
}

/// Where in a record each field is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Columns {
    pub(super) customer: usize,
    pub(super) date: usize,
    pub(super) amount: usize,
    pub(super) order: Option<usize>,
    pub(super) sponsor: Option<usize>,
    pub(super) merchant: Option<usize>,
}

/// Finds the columns in a header.
pub(super) fn find(header: &[&str], names: &ColumnNames) -> Result<Columns, Error> {
    let asked = [
        (Field::Customer, &names.customer),
        (Field::Date, &names.date),
        (Field::Amount, &names.amount),
        (Field::Order, &names.order),
        (Field::Sponsor, &names.sponsor),
        (Field::Merchant, &names.merchant),
    ];
    let mut search = Search { header, taken: Vec::new() };
    for (field, name) in asked {
        if let Some(name) = name {
            search.named(field, name)?;
        }
    }
    for (field, _) in asked {
        search.known(field)?;
    }
    Ok(Columns {
        customer: search.required(Field::Customer)?,
        date: search.required(Field::Date)?,
        amount: search.required(Field::Amount)?,
        order: search.place(Field::Order),
        sponsor: search.place(Field::Sponsor),
        merchant: search.place(Field::Merchant),
    })
}

/// The header, and the columns already given to a field.
struct Search<'a> {
    header: &'a [&'a str],
    taken: Vec<(Field, usize)>,
}

impl Search<'_> {
    fn place(&self, field: Field) -> Option<usize> {
        self.taken.iter().find(|taken| taken.0 == field).map(|taken| taken.1)
    }

    fn required(&self, field: Field) -> Result<usize, Error> {
        let missing = || Error::MissingColumn { field, found: list(self.header.iter().copied()) };
        self.place(field).ok_or_else(missing)
    }

    /// Takes the column that an option names: exactly so, else with other case and spacing.
    fn named(&mut self, field: Field, name: &str) -> Result<(), Error> {
        let mut matching = self.matching(|column| column.trim() == name.trim());
        if matching.is_empty() {
            matching = self.matching(|column| key(column) == key(name));
        }
        let Some(place) = self.single(field, &matching)? else {
            let found = list(self.header.iter().copied());
            return Err(Error::NoSuchColumn { field, asked: list([name]), found });
        };
        if let Some(&(first, _)) = self.taken.iter().find(|taken| taken.1 == place) {
            return Err(Error::SharedColumn { first, second: field });
        }
        self.taken.push((field, place));
        Ok(())
    }

    /// Takes the column with a name known for the field, unless an option has named one.
    fn known(&mut self, field: Field) -> Result<(), Error> {
        if self.place(field).is_some() {
            return Ok(());
        }
        let mut matching = self.matching(|column| {
            let key = key(column);
            aliases(field).contains(&without_unit(&key))
        });
        matching.retain(|place| self.taken.iter().all(|taken| taken.1 != *place));
        if let Some(place) = self.single(field, &matching)? {
            self.taken.push((field, place));
        }
        Ok(())
    }

    fn matching(&self, fits: impl Fn(&str) -> bool) -> Vec<usize> {
        (0..self.header.len()).filter(|&place| fits(self.header[place])).collect()
    }

    fn single(&self, field: Field, matching: &[usize]) -> Result<Option<usize>, Error> {
        match *matching {
            [] => Ok(None),
            [place] => Ok(Some(place)),
            _ => Err(Error::AmbiguousColumn {
                field,
                matching: list(matching.iter().map(|&place| self.header[place])),
                found: list(self.header.iter().copied()),
            }),
        }
    }
}

/// A name without case, width, spaces, underscores and hyphens.
fn key(name: &str) -> String {
    half_width(name)
        .chars()
        .filter(|c| !c.is_whitespace() && !matches!(c, '_' | '-' | '"' | '\u{feff}'))
        .flat_map(char::to_lowercase)
        .collect()
}

/// The key without the currency that some tables add: 金额(元).
fn without_unit(key: &str) -> &str {
    ["(元)", "(yuan)", "(cny)", "(rmb)", "(¥)"]
        .iter()
        .find_map(|unit| key.strip_suffix(unit))
        .unwrap_or(key)
}

/// Column names for a message.
fn list<'a>(names: impl IntoIterator<Item = &'a str>) -> String {
    let shown: Vec<String> =
        names.into_iter().map(|name| format!("\"{}\"", excerpt(name))).collect();
    shown.join(", ")
}

/// The names known for a field, as keys.
fn aliases(field: Field) -> &'static [&'static str] {
    match field {
        Field::Row => &[],
        Field::Customer => &[
            "customer",
            "customerid",
            "customerno",
            "customernumber",
            "member",
            "memberid",
            "memberno",
            "user",
            "userid",
            "buyer",
            "buyerid",
            "client",
            "clientid",
            "phone",
            "mobile",
            "会员",
            "会员号",
            "会员id",
            "会员编号",
            "会员卡号",
            "客户",
            "客户号",
            "客户id",
            "客户编号",
            "顾客",
            "顾客编号",
            "用户",
            "用户id",
            "用户编号",
            "手机",
            "手机号",
            "手机号码",
            "买家",
            "买家id",
            "买家手机号",
            "买家会员名",
        ],
        Field::Date => &[
            "date",
            "datetime",
            "time",
            "orderdate",
            "ordertime",
            "orderedat",
            "created",
            "createdat",
            "paidat",
            "paytime",
            "paymenttime",
            "paymentdate",
            "purchasedate",
            "purchasedat",
            "日期",
            "时间",
            "订单日期",
            "订单时间",
            "下单日期",
            "下单时间",
            "创建时间",
            "订单创建时间",
            "付款日期",
            "付款时间",
            "订单付款时间",
            "支付日期",
            "支付时间",
            "成交时间",
        ],
        Field::Amount => &[
            "amount",
            "total",
            "totalamount",
            "totalprice",
            "pricetotal",
            "orderamount",
            "ordertotal",
            "paidamount",
            "amountpaid",
            "payment",
            "金额",
            "总金额",
            "总价",
            "总额",
            "合计",
            "订单金额",
            "订单总额",
            "实付",
            "实付款",
            "实付金额",
            "实收金额",
            "支付金额",
            "付款金额",
            "买家实付金额",
            "买家实际支付金额",
        ],
        Field::Order => &[
            "order",
            "orderid",
            "orderno",
            "ordernumber",
            "ordersn",
            "订单",
            "订单号",
            "订单id",
            "订单编号",
            "订单号码",
            "单号",
            "主订单编号",
        ],
        Field::Sponsor => &[
            "sponsor",
            "sponsorid",
            "inviter",
            "inviterid",
            "invitedby",
            "referrer",
            "referrerid",
            "referredby",
            "upline",
            "推荐人",
            "推荐人id",
            "推荐人编号",
            "推荐人手机号",
            "邀请人",
            "邀请人id",
            "邀请人编号",
            "邀请人手机号",
            "介绍人",
            "上级",
            "上级会员",
            "上级编号",
        ],
        Field::Merchant => &[
            "merchant",
            "merchantid",
            "shop",
            "shopid",
            "shopname",
            "store",
            "storeid",
            "seller",
            "sellerid",
            "vendor",
            "商家",
            "商家id",
            "商家编号",
            "商家名称",
            "商户",
            "商户号",
            "商户编号",
            "商户名称",
            "店铺",
            "店铺id",
            "店铺编号",
            "店铺名称",
            "门店",
            "卖家",
        ],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn places(header: &str, names: &ColumnNames) -> Result<Columns, String> {
        let header: Vec<&str> = header.split(',').collect();
        find(&header, names).map_err(|error| error.to_string())
    }

    const NONE: ColumnNames = ColumnNames {
        customer: None,
        date: None,
        amount: None,
        order: None,
        sponsor: None,
        merchant: None,
    };

    #[test]
    fn finds_english_and_chinese_names() {
        let all = Columns {
            customer: 0,
            date: 1,
            amount: 2,
            order: Some(3),
            sponsor: Some(4),
            merchant: Some(5),
        };
        for header in [
            "customer,date,amount,order,sponsor,merchant",
            "Customer ID,CREATED_AT, Price Total ,Order-No,Referrer,Seller",
            "会员号,下单时间,实付金额（元）,订单编号,推荐人,店铺",
            "ＭＥＭＢＥＲ,time,total (CNY),orderId,inviter,SHOP",
        ] {
            assert_eq!(places(header, &NONE), Ok(all), "{header}");
        }
        let bare = Columns { order: None, sponsor: None, merchant: None, ..all };
        assert_eq!(places("手机号,日期,金额,note", &NONE), Ok(bare));
    }

    #[test]
    fn every_alias_is_a_key_of_one_field() {
        let fields = [
            Field::Customer,
            Field::Date,
            Field::Amount,
            Field::Order,
            Field::Sponsor,
            Field::Merchant,
        ];
        let mut seen = Vec::new();
        for alias in fields.into_iter().flat_map(aliases) {
            assert_eq!(&key(alias), alias);
            assert!(!seen.contains(alias), "{alias}");
            seen.push(*alias);
        }
    }

    #[test]
    fn says_what_is_missing_or_ambiguous_and_what_to_do() {
        let error = places("who,date,amount", &NONE).unwrap_err();
        assert!(error.contains("\"who\", \"date\", \"amount\""), "{error}");
        assert!(error.contains("--customer NAME"), "{error}");
        let error = places("customer,下单时间,付款时间,amount", &NONE).unwrap_err();
        assert!(error.starts_with("\"下单时间\", \"付款时间\" could each be the date"), "{error}");
        assert!(error.contains("--date NAME"), "{error}");
        assert!(places("customer,date,amount,amount", &NONE).is_err());
    }

    #[test]
    fn options_name_columns() {
        let names = ColumnNames {
            customer: Some("BUYER".into()),
            date: Some("付款时间".into()),
            sponsor: Some("user".into()),
            ..NONE
        };
        let found = places("buyer,付款时间,下单时间,amount,user", &names);
        assert_eq!(found.map(|c| (c.customer, c.date, c.sponsor)), Ok((0, 1, Some(4))));
        let error = places("who,date,amount", &names).unwrap_err();
        assert!(error.starts_with("--customer names \"BUYER\", which is not among"), "{error}");
        let twice = ColumnNames { date: Some("a".into()), amount: Some("a".into()), ..NONE };
        let error = places("customer,a", &twice).unwrap_err();
        assert!(error.starts_with("--date and --amount name the same column"), "{error}");
        let exact = ColumnNames { amount: Some("Total".into()), ..NONE };
        assert_eq!(places("user,date,total,Total", &exact).map(|c| c.amount), Ok(3));
    }
}
