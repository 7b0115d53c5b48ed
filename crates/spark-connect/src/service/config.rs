//! `Config`: the session's settings.

use std::sync::Arc;

use tonic::Status;

use crate::error::{Class, Result, SparkError};
use crate::session::{Session, Sessions, TIME_ZONE};
use crate::wire::session::{ConfigOp, ConfigRequest, ConfigResponse, KeyValue};

/// What Spark begins with, as far as clients ask for it.
const DEFAULTS: &[(&str, &str)] = &[
    ("spark.app.name", "Spark Connect server"),
    ("spark.connect.session.planCompression.defaultAlgorithm", "ZSTD"),
    ("spark.connect.session.planCompression.threshold", "10485760"),
    ("spark.python.sql.dataFrameDebugging.enabled", "true"),
    ("spark.sql.ansi.enabled", "true"),
    ("spark.sql.caseSensitive", "false"),
    ("spark.sql.connect.serverStacktrace.enabled", "true"),
    ("spark.sql.crossJoin.enabled", "true"),
    ("spark.sql.execution.arrow.maxRecordsPerBatch", "10000"),
    ("spark.sql.execution.arrow.pyspark.enabled", "false"),
    ("spark.sql.execution.arrow.pyspark.fallback.enabled", "true"),
    ("spark.sql.execution.arrow.pyspark.selfDestruct.enabled", "false"),
    ("spark.sql.execution.arrow.useLargeVarTypes", "false"),
    ("spark.sql.execution.pandas.convertToArrowArraySafely", "false"),
    ("spark.sql.execution.pandas.inferPandasDictAsMap", "false"),
    ("spark.sql.execution.pandas.structHandlingMode", "legacy"),
    ("spark.sql.execution.pyspark.binaryAsBytes", "true"),
    ("spark.sql.execution.pythonUDF.arrow.enabled", "true"),
    ("spark.sql.execution.pythonUDTF.arrow.enabled", "true"),
    ("spark.sql.legacy.inferArrayTypeFromFirstElement", "false"),
    ("spark.sql.pyspark.inferNestedDictAsStruct.enabled", "false"),
    ("spark.sql.pyspark.legacy.inferArrayTypeFromFirstElement.enabled", "false"),
    ("spark.sql.pyspark.legacy.inferMapTypeFromFirstPair.enabled", "false"),
    ("spark.sql.repl.eagerEval.enabled", "false"),
    ("spark.sql.repl.eagerEval.maxNumRows", "20"),
    ("spark.sql.repl.eagerEval.truncate", "20"),
    ("spark.sql.session.localRelationBatchOfChunksSizeBytes", "1073741824"),
    ("spark.sql.session.localRelationCacheThreshold", "1048576"),
    ("spark.sql.session.localRelationChunkSizeBytes", "16777216"),
    ("spark.sql.session.localRelationChunkSizeRows", "10000"),
    ("spark.sql.session.localRelationSizeLimit", "3221225472"),
    ("spark.sql.session.timeZone", "UTC"),
    ("spark.sql.shuffle.partitions", "200"),
    ("spark.sql.sources.default", "parquet"),
    ("spark.sql.streaming.multipleWatermarkPolicy", "min"),
    ("spark.sql.timestampType", "TIMESTAMP_LTZ"),
    ("spark.sql.warehouse.dir", "spark-warehouse"),
];

/// Settings that name what a session stands on; they cannot be changed while it runs.
const STATIC: &[&str] =
    &["spark.app.name", "spark.master", "spark.driver.", "spark.executor.", "spark.sql.warehouse.dir"];

pub(crate) fn default(key: &str) -> Option<&'static str> {
    let found = DEFAULTS.binary_search_by(|(known, _)| known.cmp(&key));
    found.ok().map(|index| DEFAULTS[index].1)
}

/// Gets, sets and forgets settings.
pub(crate) async fn config(
    sessions: &Arc<Sessions>,
    request: ConfigRequest,
) -> Result<ConfigResponse, Status> {
    let session = sessions.session(&request.session_id)?;
    let asked = request.operation.and_then(|operation| operation.op_type);
    let asked = asked.ok_or_else(|| session.refuse(&SparkError::missing("operation")))?;
    let pairs = answer(&session, asked).map_err(|error| session.refuse(&error))?;
    let warnings = Vec::new();
    let (session_id, server_side_session_id) = (session.id.clone(), session.server_id.clone());
    Ok(ConfigResponse { session_id, server_side_session_id, pairs, warnings })
}

fn answer(session: &Session, asked: ConfigOp) -> Result<Vec<KeyValue>> {
    let found = |key: &str| KeyValue { key: key.to_owned(), value: session.setting(key) };
    match asked {
        ConfigOp::Set(set) => {
            for pair in set.pairs {
                check(&pair.key, pair.value.as_deref().unwrap_or_default())?;
                session.set(&pair.key, pair.value);
            }
            Ok(Vec::new())
        }
        ConfigOp::Get(get) => get.keys.iter().map(|key| known(found(key))).collect(),
        ConfigOp::GetOption(get) => Ok(get.keys.iter().map(|key| found(key)).collect()),
        ConfigOp::GetWithDefault(get) => {
            let or = |pair: KeyValue| KeyValue { value: session.setting(&pair.key).or(pair.value), ..pair };
            Ok(get.pairs.into_iter().map(or).collect())
        }
        ConfigOp::GetAll(get) => {
            let prefix = get.prefix.unwrap_or_default();
            let mut all = session.settings();
            for (key, value) in DEFAULTS {
                all.entry((*key).to_owned()).or_insert_with(|| (*value).to_owned());
            }
            let of = |(key, value): (String, String)| {
                let key = key.strip_prefix(&prefix)?.to_owned();
                Some(KeyValue { key, value: Some(value) })
            };
            Ok(all.into_iter().filter_map(of).collect())
        }
        ConfigOp::Unset(unset) => {
            unset.keys.iter().for_each(|key| session.set(key, None));
            Ok(Vec::new())
        }
        ConfigOp::IsModifiable(asked) => {
            let say = |key: String| {
                let yes = default(&key).is_some() && !is_static(&key);
                KeyValue { key, value: Some(yes.to_string()) }
            };
            Ok(asked.keys.into_iter().map(say).collect())
        }
    }
}

fn is_static(key: &str) -> bool {
    STATIC.iter().any(|word| key.starts_with(word))
}

fn known(pair: KeyValue) -> Result<KeyValue> {
    if pair.value.is_some() {
        return Ok(pair);
    }
    let text =
        format!("The SQL config \"{}\" cannot be found. Please verify that the config exists.", pair.key);
    let error = SparkError::new(Class::NoSuchElement, "SQL_CONF_NOT_FOUND", "42K0I", text);
    Err(error.with("sqlConf", format!("\"{}\"", pair.key)))
}

/// Refuses a value that would not be honoured.
pub(crate) fn check(key: &str, value: &str) -> Result<()> {
    let wanted = match key {
        TIME_ZONE if engine::show::Zone::parse(value).is_some() => return Ok(()),
        TIME_ZONE => {
            let text = format!(
                "The value '{value}' in the config \"{TIME_ZONE}\" is invalid. Cannot resolve the given timezone."
            );
            return Err(SparkError::new(
                Class::IllegalArgument,
                "INVALID_CONF_VALUE.TIME_ZONE",
                "22022",
                text,
            ));
        }
        "spark.sql.caseSensitive" if value == "true" => "false: names are compared without regard to case",
        _ => return Ok(()),
    };
    let text = format!("The value '{value}' in the config \"{key}\" is invalid. It must be {wanted}.");
    Err(SparkError::new(Class::IllegalArgument, "INVALID_CONF_VALUE.REQUIREMENT", "22022", text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn defaults_are_sorted_for_the_search() {
        assert!(DEFAULTS.is_sorted_by_key(|(key, _)| *key));
        assert_eq!(default("spark.sql.session.timeZone"), Some("UTC"));
        assert_eq!(default("spark.sql.session"), None);
    }
}
