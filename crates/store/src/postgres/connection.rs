//! Connections to a PostgreSQL server: how they begin, and when they are not used again.

use std::str::FromStr;
use std::time::Duration;

use sqlx::Connection;
use sqlx::postgres::{PgConnectOptions, PgConnection};

use crate::database::DatabaseError;

/// How the server names the connections of those who name none themselves.
const APPLICATION: &str = "verdant";

/// How long connecting may take.
pub const CONNECT_MAX: Duration = Duration::from_secs(10);

/// How long an answer may take. A server that has gone away without a word never sends one, and
/// whoever waits for it holds the writing connection. Longer than the `lock_timeout` of
/// [`PREPARE`]: where the server can say what the matter is, it is let.
const ANSWER_MAX: Duration = Duration::from_secs(20);

/// The code of the error «there is no such database».
pub const NO_DATABASE: &str = "3D000";

/// What the writing connection is told first, in one round trip.
///
/// - A commit is on the server's disk before it is answered, whatever the role or the database has
///   for a default. What asks for more (`remote_apply`) is left alone. It is set even where it
///   is so already: a default that is changed later must not reach us.
/// - A statement that has waited for a row sees what the row has become, not an error.
/// - The large statement has one plan; planning it anew for the values would copy them.
/// - Nobody waits for a lock for ever, and nobody makes others wait: a server that has lost its
///   client in the middle of a transaction ends it, and finds out soon that it has lost it.
const PREPARE: &str = "
    SELECT set_config('synchronous_commit', CASE level WHEN 'off' THEN 'on' WHEN 'local' THEN 'on' \
                       ELSE level END, false)
    FROM current_setting('synchronous_commit') AS level;
    SET default_transaction_isolation = 'read committed';
    SET plan_cache_mode = 'force_generic_plan';
    SET lock_timeout = '10s';
    SET idle_in_transaction_session_timeout = '10s';
    SET tcp_keepalives_idle = 30;
    SET tcp_keepalives_interval = 5;
    SET tcp_keepalives_count = 3;";

/// What a URL says.
pub fn options(url: &str) -> Result<PgConnectOptions, DatabaseError> {
    // A URL that cannot be read is not repeated: there may be a password in it.
    let options = PgConnectOptions::from_str(url)
        .map_err(|source| DatabaseError::Open { place: "at this URL".to_owned(), source })?;
    Ok(match options.get_application_name() {
        Some(_) => options,
        None => options.application_name(APPLICATION),
    })
}

/// Which database, without the password.
pub fn place(options: &PgConnectOptions) -> String {
    let database = options.get_database().unwrap_or_else(|| options.get_username());
    match options.get_socket() {
        Some(folder) => format!("{database} on {}", folder.display()),
        None => format!("{database} on {}:{}", options.get_host(), options.get_port()),
    }
}

/// A connection to write with.
pub async fn connect(options: &PgConnectOptions) -> Result<PgConnection, sqlx::Error> {
    within(CONNECT_MAX, async {
        let mut connection = PgConnection::connect_with(options).await?;
        sqlx::raw_sql(PREPARE).execute(&mut connection).await?;
        Ok(connection)
    })
    .await
}

/// An answer, or an error when it takes too long.
pub async fn bounded<T>(
    answer: impl Future<Output = Result<T, sqlx::Error>>,
) -> Result<T, sqlx::Error> {
    within(ANSWER_MAX, answer).await
}

async fn within<T>(
    max: Duration,
    answer: impl Future<Output = Result<T, sqlx::Error>>,
) -> Result<T, sqlx::Error> {
    tokio::time::timeout(max, answer)
        .await
        .unwrap_or_else(|_| Err(sqlx::Error::Io(std::io::ErrorKind::TimedOut.into())))
}

/// Whether the server gave this code for its error.
pub fn has_code(error: &sqlx::Error, code: &str) -> bool {
    error.as_database_error().and_then(|error| error.code()).is_some_and(|its| its == code)
}
