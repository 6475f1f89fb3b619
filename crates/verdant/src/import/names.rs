//! Names by number: each different name is kept once.

use std::collections::HashMap;
use std::rc::Rc;

use super::Error;

/// The number of a name in its [`Names`]; one more than its index, so that an optional one is as
/// small.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct NameId(std::num::NonZeroU32);

impl NameId {
    /// The name's place, from 0, for tables kept beside the names.
    pub(super) fn index(self) -> usize {
        self.0.get() as usize - 1
    }
}

/// Names, numbered in the order in which they were first met.
#[derive(Debug, Default)]
pub(super) struct Names {
    texts: Vec<Rc<str>>,
    ids: HashMap<Rc<str>, NameId>,
}

impl Names {
    /// The name's number; a new one if it was not met before.
    pub(super) fn id(&mut self, name: &str) -> Result<NameId, Error> {
        if let Some(&id) = self.ids.get(name) {
            return Ok(id);
        }
        let number = u32::try_from(self.texts.len() + 1).ok().and_then(std::num::NonZeroU32::new);
        let id = NameId(number.ok_or(Error::TooManyNames)?);
        let text: Rc<str> = Rc::from(name);
        self.texts.push(Rc::clone(&text));
        self.ids.insert(text, id);
        Ok(id)
    }

    /// The name of a number given by these names.
    pub(super) fn text(&self, id: NameId) -> &str {
        &self.texts[id.index()]
    }

    /// How many names there are.
    pub(super) fn len(&self) -> usize {
        self.texts.len()
    }
}
