//! Rows in a real PostgreSQL, each batch once. Where none is installed there is nothing to try.

use std::os::unix::fs::chown;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use env::SimDisk;
use tokio_postgres::{Client, NoTls};

use crate::support::World;

/// A server of its own, behind a socket in a directory of its own.
struct Postgres {
    child: Child,
    dir: tempfile::TempDir,
}

impl Drop for Postgres {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Where the programs are.
fn programs() -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut places: Vec<PathBuf> = std::env::split_paths(&path).collect();
    // Debian keeps each version apart.
    let versions = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    places.extend(versions.map(|version| version.path().join("bin")));
    places.into_iter().find(|place| place.join("initdb").exists() && place.join("postgres").exists())
}

/// A command that is not run by root, who may not run a PostgreSQL.
fn command(program: &Path) -> Command {
    if !is_root() {
        return Command::new(program);
    }
    let mut command = Command::new("setpriv");
    command.args(["--reuid=65534", "--regid=65534", "--clear-groups"]).arg(program);
    command
}

fn is_root() -> bool {
    std::fs::metadata("/proc/self").is_ok_and(|own| std::os::unix::fs::MetadataExt::uid(&own) == 0)
}

impl Postgres {
    fn start() -> Option<Postgres> {
        let programs = programs()?;
        let dir = tempfile::tempdir_in("/tmp").unwrap();
        if is_root() {
            chown(dir.path(), Some(65534), Some(65534)).unwrap();
        }
        let data = dir.path().join("data");
        let made = command(&programs.join("initdb"))
            .args(["-A", "trust", "-U", "pelton", "-E", "UTF8", "--locale=C", "--no-sync", "-D"])
            .arg(&data)
            .output()
            .unwrap();
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        let child = command(&programs.join("postgres"))
            .arg("-D")
            .arg(&data)
            .arg("-k")
            .arg(dir.path())
            .args(["-c", "listen_addresses=", "-c", "fsync=off"])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        Some(Postgres { child, dir })
    }

    fn options(&self, table: &str) -> String {
        let socket = self.dir.path().display().to_string().replace('/', "%2F");
        format!("url 'postgresql://pelton@{socket}/postgres', dbtable '{table}'")
    }

    async fn client(&mut self) -> Client {
        let config = format!("host={} user=pelton dbname=postgres", self.dir.path().display());
        loop {
            if let Ok((client, connection)) = tokio_postgres::connect(&config, NoTls).await {
                tokio::spawn(connection);
                return client;
            }
            assert_eq!(self.child.try_wait().unwrap(), None, "PostgreSQL ended");
            tokio::task::yield_now().await;
        }
    }
}

const WORDS: &str =
    "CREATE STREAMING TABLE words (word STRING, n INT, raw BINARY, tags ARRAY<STRING>, at TIMESTAMP)
    USING kafka OPTIONS (topic 'words', maxOffsetsPerTrigger 3)";

fn words(count: usize) -> Vec<String> {
    let word = |n: usize| ["a", "b'\\\"", "c"][n % 3].to_owned();
    let row = |n| {
        serde_json::json!({
            "word": word(n), "n": n, "raw": "00ff", "tags": ["x", null, "y,z"], "at": "2026-01-02T03:04:05Z",
        })
    };
    (0..count).map(|n| row(n).to_string()).collect()
}

async fn texts(client: &Client, sql: &str) -> Vec<String> {
    client.query(sql, &[]).await.unwrap().iter().map(|row| row.get(0)).collect()
}

async fn prepared() -> SimDisk {
    let (disk, world) = World::new();
    world.sql(WORDS).await;
    world.write("words", 0, &words(20)).await;
    world.close().await;
    disk
}

#[tokio::test]
async fn rows_arrive_once_and_groups_take_each_others_place() {
    let Some(mut postgres) = Postgres::start() else { return };
    let client = postgres.client().await;
    let create = |n: usize| {
        let (all, totals) = (postgres.options(&format!("rows{n}")), postgres.options(&format!("totals{n}")));
        [
            format!(
                "CREATE STREAMING TABLE IF NOT EXISTS copied USING postgresql OPTIONS ({all})
                     AS SELECT * FROM STREAM words"
            ),
            format!(
                "CREATE STREAMING TABLE IF NOT EXISTS totals USING postgresql OPTIONS ({totals}, key 'word')
                     AS SELECT word, count(*) AS times, sum(n) AS total FROM STREAM words GROUP BY word"
            ),
        ]
    };
    let mut finished = false;
    // Each with tables of its own, and power cuts at other moments.
    for cut in (0..).step_by(11) {
        let disk = prepared().await;
        // Every world draws the same random names, and the database would know them from the world before.
        client.batch_execute("DROP TABLE IF EXISTS pelton_batches").await.unwrap();
        let world = World::open(&disk);
        disk.cut_after(cut);
        let mut created = true;
        for sql in create(cut as usize) {
            created &= world.engine.execute(&sql).await.is_ok();
        }
        world.settled().await;
        finished |= created && world.engine.queries().iter().all(|query| query.error.is_none());
        drop(world);
        let world = World::open(&disk.crash());
        for sql in create(cut as usize) {
            world.sql(&sql).await;
        }
        world.caught_up().await;
        let n = texts(&client, &format!("SELECT n::text AS text FROM rows{cut} ORDER BY n")).await;
        assert_eq!(n, (0..20).map(|n| n.to_string()).collect::<Vec<_>>(), "cut after {cut}");
        let totals = format!("SELECT concat_ws(' ', word, times, total) FROM totals{cut} ORDER BY word");
        assert_eq!(texts(&client, &totals).await, ["a 7 63", "b'\\\" 7 70", "c 6 57"], "cut after {cut}");
        world.close().await;
        if finished {
            break;
        }
    }
    let types = "SELECT row_to_json(r)::text FROM (SELECT * FROM rows0 ORDER BY n LIMIT 1) r";
    let expected =
        r#"{"word":"a","n":0,"raw":"\\x00ff","tags":["x",null,"y,z"],"at":"2026-01-02T03:04:05+00:00"}"#;
    client.batch_execute("SET timezone TO 'UTC'").await.unwrap();
    assert_eq!(texts(&client, types).await, [expected]);
}

#[tokio::test]
async fn a_whole_result_takes_the_place_of_the_last() {
    let Some(mut postgres) = Postgres::start() else { return };
    let client = postgres.client().await;
    let (_disk, world) = World::new();
    world.sql(WORDS).await;
    let options = postgres.options("best");
    world
        .sql(&format!(
            "CREATE STREAMING TABLE best USING postgresql OPTIONS ({options}, outputMode 'complete')
               AS SELECT word, sum(n) AS total FROM STREAM words GROUP BY word ORDER BY total DESC LIMIT 2"
        ))
        .await;
    world.write("words", 0, &words(20)).await;
    world.caught_up().await;
    let found = texts(&client, "SELECT concat_ws(' ', word, total) FROM best ORDER BY total DESC").await;
    assert_eq!(found, ["b'\\\" 70", "a 63"]);
    // A table that is there keeps its types and its other columns.
    client
        .batch_execute(
            "CREATE TABLE own (n text UNIQUE, word varchar(9), seen timestamptz DEFAULT now(), id serial)",
        )
        .await
        .unwrap();
    let options = postgres.options("own");
    world
        .sql(&format!(
            "CREATE STREAMING TABLE own USING postgresql OPTIONS ({options}, key 'n')
               AS SELECT word, n % 2 AS n FROM STREAM words"
        ))
        .await;
    world.caught_up().await;
    let found = texts(&client, "SELECT concat_ws(' ', n, word, seen IS NOT NULL) FROM own ORDER BY n").await;
    assert_eq!(found, ["0 a t", "1 b'\\\" t"]);
}

#[tokio::test]
async fn a_database_that_is_not_there_is_said_at_once() {
    let (_disk, world) = World::new();
    world.sql(WORDS).await;
    let table = |options: &str| {
        format!(
            "CREATE STREAMING TABLE t USING postgresql OPTIONS ({options}) AS SELECT word FROM STREAM words"
        )
    };
    for (options, expected) in [
        ("url 'postgresql://u@%2Fnowhere/db', dbtable 't'", "prepare table t of PostgreSQL"),
        ("url 'mysql://h/db', dbtable 't'", "url is not understood"),
        ("dbtable 't'", "expected OPTIONS with url and dbtable"),
        ("url 'postgresql://h/db?sslmode=require', dbtable 't'", "are not encrypted; leave sslmode out"),
        ("url 'jdbc:postgresql://h/db', dbtable 't', key 'nothing'", "the query has no column nothing"),
    ] {
        let refused = world.refused(&table(options)).await;
        assert!(refused.contains(expected), "{options}\n{refused}");
    }
    let groups = "CREATE STREAMING TABLE t USING postgresql OPTIONS (url 'postgresql://h/db', dbtable 't')
                    AS SELECT word, count(*) AS n FROM STREAM words GROUP BY word";
    assert!(world.refused(groups).await.contains("name the columns of the group"));
}
