//! `AnalyzePlan`: questions about plans that do not run them.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

use datafusion::arrow::datatypes::{DataType, Schema};
use prost::Message;
use tonic::Status;

use crate::error::{Result, SparkError};
use crate::plan::Planner;
use crate::plan::frame::Frame;
use crate::schema::{message, parse_type, tree};
use crate::service::execute::unpack;
use crate::session::{Session, Sessions};
use crate::wire::analyze::{
    Analyze, AnalyzePlanRequest, AnalyzePlanResponse, Analyzed, ToldDDLParse, ToldExplain,
    ToldGetStorageLevel, ToldInputFiles, ToldIsLocal, ToldIsStreaming, ToldJsonToDDL, ToldPersist,
    ToldSameSemantics, ToldSchema, ToldSemanticHash, ToldSparkVersion, ToldTreeString, ToldUnpersist,
};
use crate::wire::execute::{OpType, Plan};
use crate::wire::relation::{RelType, Relation};
use crate::wire::types::StorageLevel;

/// The version of Spark whose protocol this is.
pub(crate) const SPARK_VERSION: &str = "4.2.0";

/// Where `persist` says that rows are kept, if the script does not.
const MEMORY_AND_DISK: StorageLevel = StorageLevel {
    use_disk: true,
    use_memory: true,
    use_off_heap: false,
    deserialized: true,
    replication: 1,
};

/// Answers a question about a plan.
pub(crate) async fn analyze_plan(
    sessions: &Arc<Sessions>,
    request: AnalyzePlanRequest,
) -> Result<AnalyzePlanResponse, Status> {
    let session = sessions.session(&request.session_id)?;
    let asked = request.analyze.ok_or_else(|| session.refuse(&SparkError::missing("analyze")))?;
    let working = {
        let session = Arc::clone(&session);
        tokio::spawn(async move { answer(&session, asked).await })
    };
    let result = match working.await {
        Ok(result) => result,
        Err(error) => Err(SparkError::internal(format!("the analysis broke off: {error}"))),
    };
    let result = Some(result.map_err(|error| session.refuse(&error))?);
    let (session_id, server_side_session_id) = (session.id.clone(), session.server_id.clone());
    Ok(AnalyzePlanResponse { session_id, server_side_session_id, result })
}

async fn answer(session: &Arc<Session>, asked: Analyze) -> Result<Analyzed> {
    Ok(match asked {
        Analyze::Schema(asked) => {
            let schema = frame(session, &root(asked.plan)?).await?.schema();
            Analyzed::Schema(ToldSchema { schema: Some(Box::new(message::write_schema(&schema))) })
        }
        Analyze::TreeString(asked) => {
            let schema = frame(session, &root(asked.plan)?).await?.schema();
            Analyzed::TreeString(ToldTreeString { tree_string: tree::tree(&schema, asked.level) })
        }
        Analyze::Explain(asked) => {
            let explain_string = explain(session, &root(asked.plan)?, asked.explain_mode).await?;
            Analyzed::Explain(ToldExplain { explain_string })
        }
        Analyze::IsLocal(asked) => {
            let is_local = matches!(root(asked.plan)?.rel_type, Some(RelType::LocalRelation(_)));
            Analyzed::IsLocal(ToldIsLocal { is_local })
        }
        Analyze::IsStreaming(asked) => {
            let frame = frame(session, &root(asked.plan)?).await?;
            let is_streaming = engine::streaming::is_streaming(&frame.plan);
            Analyzed::IsStreaming(ToldIsStreaming { is_streaming })
        }
        Analyze::InputFiles(_) => Analyzed::InputFiles(ToldInputFiles { files: Vec::new() }),
        Analyze::SparkVersion(_) => {
            Analyzed::SparkVersion(ToldSparkVersion { version: SPARK_VERSION.to_owned() })
        }
        Analyze::DdlParse(asked) => {
            let parsed = parse_type(&asked.ddl_string)?;
            Analyzed::DdlParse(ToldDDLParse { parsed: Some(Box::new(message::write(&parsed))) })
        }
        Analyze::JsonToDdl(asked) => {
            Analyzed::JsonToDdl(ToldJsonToDDL { ddl_string: ddl(&parse_type(&asked.json_string)?) })
        }
        Analyze::SameSemantics(asked) => {
            let result = plain(root(asked.target_plan)?) == plain(root(asked.other_plan)?);
            Analyzed::SameSemantics(ToldSameSemantics { result })
        }
        Analyze::SemanticHash(asked) => {
            let [a, b, c, d, ..] = hash(Some(Box::new(root(asked.plan)?))).to_le_bytes();
            Analyzed::SemanticHash(ToldSemanticHash { result: i32::from_le_bytes([a, b, c, d]) })
        }
        Analyze::Persist(asked) => {
            session.persist(hash(asked.relation), Some(asked.storage_level.unwrap_or(MEMORY_AND_DISK)));
            Analyzed::Persist(ToldPersist {})
        }
        Analyze::Unpersist(asked) => {
            session.persist(hash(asked.relation), None);
            Analyzed::Unpersist(ToldUnpersist {})
        }
        Analyze::GetStorageLevel(asked) => {
            let level = session.persisted(hash(asked.relation));
            let storage_level =
                Some(level.unwrap_or(StorageLevel { replication: 1, ..StorageLevel::default() }));
            Analyzed::GetStorageLevel(ToldGetStorageLevel { storage_level })
        }
    })
}

fn root(plan: Option<Plan>) -> Result<Relation> {
    match plan.and_then(|plan| plan.op_type) {
        Some(OpType::Root(relation)) => Ok(*relation),
        Some(OpType::CompressedOperation(packed)) => match unpack(&packed)? {
            OpType::Root(relation) => Ok(*relation),
            _ => Err(SparkError::missing("root")),
        },
        _ => Err(SparkError::missing("root")),
    }
}

async fn frame(session: &Arc<Session>, relation: &Relation) -> Result<Frame> {
    Planner::new(session).relation(relation).await
}

/// A number for a relation: the same for the same one.
fn hash(relation: Option<Box<Relation>>) -> u64 {
    let mut hasher = DefaultHasher::new();
    relation.map(|relation| plain(*relation).encode_to_vec()).hash(&mut hasher);
    hasher.finish()
}

/// The relation without the numbers that every DataFrame has for itself.
fn plain(mut relation: Relation) -> Relation {
    relation.common = None;
    relation
}

async fn explain(session: &Arc<Session>, relation: &Relation, mode: i32) -> Result<String> {
    const EXTENDED: i32 = 2;
    let mut planner = Planner::new(session);
    let frame = planner.relation(relation).await?;
    let state = planner.frames.context().state();
    let optimized = state.optimize(&frame.plan)?;
    let physical = if engine::streaming::is_streaming(&frame.plan) {
        // It has none before it is a query.
        optimized.display_indent().to_string()
    } else {
        let physical = state.create_physical_plan(&frame.plan).await?;
        datafusion::physical_plan::displayable(physical.as_ref()).indent(false).to_string()
    };
    let mut text = String::new();
    if mode == EXTENDED {
        text = format!(
            "== Analyzed Logical Plan ==\n{}\n\n== Optimized Logical Plan ==\n{}\n\n",
            frame.plan.display_indent(),
            optimized.display_indent()
        );
    }
    Ok(format!("{text}== Physical Plan ==\n{physical}"))
}

/// A row's type as DDL.
fn ddl(data_type: &DataType) -> String {
    let DataType::Struct(fields) = data_type else { return crate::schema::name(data_type) };
    let field = |field: &Arc<datafusion::arrow::datatypes::Field>| {
        let rest = if field.is_nullable() { "" } else { " NOT NULL" };
        format!("{} {}{rest}", field.name(), crate::schema::name(field.data_type()))
    };
    Schema::new(fields.clone()).fields().iter().map(field).collect::<Vec<_>>().join(",")
}
