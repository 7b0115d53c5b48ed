//! The model as bytes.
//!
//! ```text
//! 8  k                8  decay factor     1  unit (0 batches, 1 points)
//! 8  seed             8  dim by option, 0 if none
//! 1  start: 0 k-means++, then 8 rows, 0 for the default
//!           1 random, then 8 weight
//!           2 given, then the numbers of the centres, then the weights
//! 8  rows learned     8  dim, 0 if not known yet
//! 1  phase: 0 waiting, then the numbers of the rows that wait
//!           1 running, then the numbers of the centres, then the weights
//! ```
//!
//! "The numbers" are a count (8) and so many floats (8 each).

use serde_json::Value;

use super::config::{Config, Decay, Init, TimeUnit};
use super::rule::Clusters;
use super::{NAME, Phase, StreamingKMeans};
use crate::row::VALUE_MAX;
use crate::snapshot::{Reader, SnapshotError, Writer};

const VERSION: u16 = 1;

pub(super) fn write(model: &StreamingKMeans) -> Vec<u8> {
    let mut writer = Writer::new(NAME, VERSION);
    write_config(&mut writer, &model.config);
    writer.u64(model.rows_learned);
    writer.u64(model.dim.unwrap_or(0) as u64);
    match &model.phase {
        Phase::Waiting { rows } => {
            writer.u8(0);
            writer.f64s(rows);
        }
        Phase::Running(clusters) => {
            writer.u8(1);
            writer.f64s(clusters.centers());
            writer.f64s(clusters.weights());
        }
    }
    writer.finish()
}

pub(super) fn read(snapshot: &[u8]) -> Result<StreamingKMeans, SnapshotError> {
    let mut reader = Reader::open(snapshot, NAME, VERSION)?;
    let config = read_config(&mut reader)?;
    config.validate().map_err(|_| invalid("its options"))?;
    let rows_learned = reader.u64("rows learned")?;
    let dim = Some(reader.usize("dim")?).filter(|&dim| dim > 0);
    if dim.is_some_and(|dim| dim > config.dim_max() || config.dim.is_some_and(|stated| stated != dim)) {
        return Err(invalid("dim"));
    }
    let phase = match reader.u8("phase")? {
        0 => read_waiting(&mut reader, &config, dim, rows_learned)?,
        1 => read_running(&mut reader, &config, dim)?,
        _ => return Err(invalid("phase")),
    };
    reader.finish()?;
    Ok(StreamingKMeans { config, dim, rows_learned, phase })
}

pub(super) fn export(model: &StreamingKMeans) -> Value {
    serde_json::to_value(model).expect("its maps have text for keys")
}

pub(super) fn import(exported: Value) -> Result<StreamingKMeans, SnapshotError> {
    let model: StreamingKMeans = serde_json::from_value(exported)
        .map_err(|error| SnapshotError::NotTheState { name: NAME, reason: error.to_string() })?;
    // What reading checks is checked here too.
    read(&write(&model))
}

fn read_waiting(
    reader: &mut Reader<'_>,
    config: &Config,
    dim: Option<usize>,
    rows_learned: u64,
) -> Result<Phase, SnapshotError> {
    let rows = reader.f64s("waiting rows")?;
    let count = match dim {
        Some(dim) if rows.len().is_multiple_of(dim) => rows.len() / dim,
        None if rows.is_empty() => 0,
        _ => return Err(invalid("waiting rows")),
    };
    let in_range = rows.iter().all(|value| value.abs() <= VALUE_MAX);
    // Given centres, and random ones of a known width, are there from the start.
    let may_wait = match config.init {
        Init::KMeansPlusPlus { .. } => count < config.init_rows(),
        Init::Random { .. } => dim.is_none(),
        Init::Given { .. } => false,
    };
    if !in_range || !may_wait || count as u64 != rows_learned {
        return Err(invalid("waiting rows"));
    }
    Ok(Phase::Waiting { rows })
}

fn read_running(
    reader: &mut Reader<'_>,
    config: &Config,
    dim: Option<usize>,
) -> Result<Phase, SnapshotError> {
    let centers = reader.f64s("centres")?;
    let weights = reader.f64s("weights")?;
    // A dim comes from the stored bytes, so the product is checked against overflow.
    let expected = dim.and_then(|dim| dim.checked_mul(config.k)).ok_or_else(|| invalid("dim"))?;
    if centers.len() != expected || weights.len() != config.k {
        return Err(invalid("number of centres"));
    }
    // A centre is a mean of rows, give or take rounding and the step of a split.
    if centers.iter().any(|value| value.abs() > 2.0 * VALUE_MAX) || weights.iter().any(|&weight| weight < 0.0)
    {
        return Err(invalid("centres"));
    }
    Ok(Phase::Running(Clusters::new(centers, weights)))
}

fn write_config(writer: &mut Writer, config: &Config) {
    writer.u64(config.k as u64);
    writer.f64(config.decay.factor);
    writer.u8(match config.decay.unit {
        TimeUnit::Batches => 0,
        TimeUnit::Points => 1,
    });
    writer.u64(config.seed);
    writer.u64(config.dim.unwrap_or(0) as u64);
    match &config.init {
        Init::KMeansPlusPlus { rows } => {
            writer.u8(0);
            writer.u64(rows.unwrap_or(0) as u64);
        }
        Init::Random { weight } => {
            writer.u8(1);
            writer.f64(*weight);
        }
        Init::Given { centers, weights } => {
            writer.u8(2);
            writer.f64s(&centers.concat());
            writer.f64s(weights);
        }
    }
}

fn read_config(reader: &mut Reader<'_>) -> Result<Config, SnapshotError> {
    let k = reader.usize("k")?;
    let factor = reader.f64("decay factor")?;
    let unit = match reader.u8("time unit")? {
        0 => TimeUnit::Batches,
        1 => TimeUnit::Points,
        _ => return Err(invalid("time unit")),
    };
    let seed = reader.u64("seed")?;
    let dim = Some(reader.usize("dim")?).filter(|&dim| dim > 0);
    let init = match reader.u8("start")? {
        0 => Init::KMeansPlusPlus { rows: Some(reader.usize("init rows")?).filter(|&rows| rows > 0) },
        1 => Init::Random { weight: reader.f64("initial weight")? },
        2 => {
            let centers = reader.f64s("initial centres")?;
            let weights = reader.f64s("initial weights")?;
            if weights.is_empty() || centers.is_empty() || !centers.len().is_multiple_of(weights.len()) {
                return Err(invalid("initial centres"));
            }
            let rows = centers.chunks_exact(centers.len() / weights.len());
            Init::Given { centers: rows.map(<[f64]>::to_vec).collect(), weights }
        }
        _ => return Err(invalid("start")),
    };
    Ok(Config { k, decay: Decay { factor, unit }, seed, init, dim })
}

fn invalid(what: &'static str) -> SnapshotError {
    SnapshotError::Invalid { what }
}
