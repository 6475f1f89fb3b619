use engine::Described;

use crate::body::{Body, Path};
use crate::row::Row;

/// In words, the first thing in which a stored row differs from what its command comes to.
pub fn between(stored: &Row, made: &Row) -> String {
    macro_rules! column {
        ($($column:ident)*) => {$(
            if stored.$column != made.$column {
                let (stored, made) = (&stored.$column, &made.$column);
                return format!(
                    "{} is {stored:?}, and should be {made:?}", stringify!($column)
                );
            }
        )*};
    }
    column!(seq entry is_last effective_at recorded_at command key refused);
    if stored.body != made.body {
        return bodies(stored, made);
    }
    "nothing but the hash".to_owned()
}

fn bodies(stored: &Row, made: &Row) -> String {
    let Ok(was) = Body::read(stored.seq, &stored.body) else {
        return "the postings cannot be read".to_owned();
    };
    let Ok(is) = Body::read(made.seq, &made.body) else {
        return "the postings cannot be read again".to_owned();
    };
    if was.price != is.price {
        return format!("the price is {:?}, and should be {:?}", was.price, is.price);
    }
    for (number, (stored, made)) in (1..).zip(was.postings.iter().zip(&is.postings)) {
        if stored != made {
            let text = |body: &Body<'_>, posting| {
                serde_json::to_string(&Described { names: body, of: posting }).unwrap_or_default()
            };
            return format!(
                "posting {number} is {}, and should be {}",
                text(&was, *stored),
                text(&is, *made)
            );
        }
    }
    for (stored, made) in was.touches.iter().zip(&is.touches) {
        if stored == made {
            continue;
        }
        let path = Path { holder: made.holder, name: made.name };
        let units = engine::Unit::ALL.iter().zip(stored.balances.iter().zip(&made.balances));
        for (unit, (&stored, &made)) in units {
            if stored != made {
                return format!(
                    "the balance of {path} is {} {}, and should be {}",
                    unit.amount(stored),
                    unit.name(),
                    unit.amount(made)
                );
            }
        }
        return format!("the chain of {path} is {stored:?}, and should be {made:?}");
    }
    "the names or the number of postings differ".to_owned()
}
