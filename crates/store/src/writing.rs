use std::ops::{Deref, DerefMut};

use tokio::sync::{Mutex, MutexGuard};

/// The one connection that writes, in use. Only [`Self::keep`] lets it be used again: with an error,
/// or when the caller's patience ends half-way and the future is dropped, it is closed, and what was
/// begun on it is rolled back. So no transaction is ever continued by somebody else.
pub struct Writing<'a, C> {
    connection: C,
    slot: MutexGuard<'a, Option<C>>,
}

impl<'a, C> Writing<'a, C> {
    /// Takes the connection, or makes a new one. There is one writer at a time; waiting for it here
    /// is fair and cheap.
    pub async fn take<E>(
        slot: &'a Mutex<Option<C>>,
        connect: impl AsyncFnOnce() -> Result<C, E>,
    ) -> Result<Self, E> {
        let mut slot = slot.lock().await;
        let connection = match slot.take() {
            Some(connection) => connection,
            None => connect().await?,
        };
        Ok(Self { connection, slot })
    }

    /// Everything that was asked was answered.
    pub fn keep(mut self) {
        *self.slot = Some(self.connection);
    }
}

impl<C> Deref for Writing<'_, C> {
    type Target = C;

    fn deref(&self) -> &C {
        &self.connection
    }
}

impl<C> DerefMut for Writing<'_, C> {
    fn deref_mut(&mut self) -> &mut C {
        &mut self.connection
    }
}
