//! Databases by the place they are in.

use std::path::Path;
use std::sync::Arc;

use engine::Programme;
use store::{Database, Postgres, ProgrammeId, Sqlite, first_row};
use tokio::runtime::{Builder, Runtime};

use crate::plan::Plan;

pub fn runtime() -> Runtime {
    Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap()
}

/// Opens the database in a folder, or the one at an address.
pub async fn open(place: &str) -> Arc<dyn Database> {
    try_open(place).await.unwrap()
}

pub async fn try_open(place: &str) -> Result<Arc<dyn Database>, store::DatabaseError> {
    if place.starts_with("postgres://") {
        return Ok(Arc::new(Postgres::create_or_open(place).await?));
    }
    Ok(Arc::new(Sqlite::create_or_open(Path::new(place)).await?))
}

/// Begins a programme's journal.
pub async fn create(
    database: &Arc<dyn Database>,
    name: &str,
    programme: &Programme,
) -> ProgrammeId {
    let first = first_row(programme, Plan::RECORDED_AT);
    database.create(name, &first).await.unwrap().id
}

/// A programme by its name.
pub async fn find(database: &Arc<dyn Database>, name: &str) -> ProgrammeId {
    let programmes = database.programmes().await.unwrap();
    programmes.into_iter().find(|programme| programme.name == name).expect("the programme").id
}
