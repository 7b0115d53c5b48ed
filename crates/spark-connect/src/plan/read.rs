//! Tables, views, files, and frames that the client holds by number.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use datafusion::arrow::datatypes::Schema;
use datafusion::datasource::provider_as_source;
use datafusion::logical_expr::LogicalPlanBuilder;
use engine::storage::is_remote;

use crate::database::{TableName, view_keys};
use crate::error::{Class, Result, SparkError};
use crate::expression::name_parts;
use crate::place::{path_of, storage};
use crate::plan::Planner;
use crate::plan::frame::{Frame, Stored};
use crate::plan::local::lower;
use crate::schema::parse_schema;
use crate::wire::relation::{Read, ReadDataSource, ReadType, Sql};

/// The setting that names the column of records that cannot be read.
const CORRUPT: &str = "spark.sql.columnNameOfCorruptRecord";

impl Planner<'_> {
    pub(crate) async fn read(&mut self, read: &Read) -> Result<Frame> {
        match &read.read_type {
            Some(ReadType::NamedTable(table)) if read.is_streaming => {
                self.read_stream_table(&table.unparsed_identifier).await
            }
            Some(ReadType::NamedTable(table)) => self.table(&table.unparsed_identifier).await,
            Some(ReadType::DataSource(source)) if read.is_streaming => self.read_stream(source),
            Some(ReadType::DataSource(source)) => self.files(source).await,
            None => Err(SparkError::missing("read_type")),
        }
    }

    /// A view, or a table of the engine.
    pub(crate) async fn table(&mut self, name: &str) -> Result<Frame> {
        let parts = name_parts(name)?;
        let short = parts.last().cloned().unwrap_or_default();
        if let Some(stored) = self.view(&parts) {
            let frame = self.stored(stored).await?;
            return Ok(crate::plan::aliased(frame, &short));
        }
        match TableName::of(self.session, &parts).ok().filter(|table| table.is_known(&self.session.engine)) {
            Some(table) => match self.frames.table(&table.key()).await? {
                Some(provider) => self.scan(&short, provider),
                None => Err(table.missing()),
            },
            None => Err(SparkError::table(&parts.join("`.`"))),
        }
    }

    /// The view that a name means.
    pub(crate) fn view(&self, parts: &[String]) -> Option<Stored> {
        view_keys(self.session, parts).iter().find_map(|key| self.views.get(key).cloned())
    }

    pub(crate) async fn stored(&mut self, stored: Stored) -> Result<Frame> {
        match stored {
            Stored::Relation { relation, views } => {
                // The view means what its names meant when it was made.
                let outside = std::mem::replace(&mut self.views, views);
                let frame = self.relation(&relation).await;
                self.views = outside;
                frame
            }
            Stored::Kept { relation, views, held } => {
                let outside = std::mem::replace(&mut self.kept, held);
                let frame = Box::pin(self.stored(Stored::Relation { relation, views })).await;
                self.kept = outside;
                frame
            }
            Stored::Query { query, views } => {
                let outside = std::mem::replace(&mut self.views, views);
                let frame = self.query(&query).await;
                self.views = outside;
                frame
            }
            Stored::Stream(query) => match query.handle.rows()? {
                Some(rows) => self.scan(query.handle.name().unwrap_or_default(), rows),
                None => Err(SparkError::internal("the query keeps no rows")),
            },
        }
    }

    /// A frame that the client holds.
    pub(crate) async fn held(&mut self, id: &str) -> Result<Frame> {
        let stored = self.session.held(id).or_else(|| self.kept.get(id).cloned());
        let stored = stored.ok_or_else(|| SparkError::argument(format!("There is no held frame {id}.")))?;
        self.stored(stored).await
    }

    pub(crate) async fn sql(&mut self, sql: &Sql) -> Result<Frame> {
        let arguments = crate::sql::Arguments::new(&sql.named_arguments, &sql.pos_arguments);
        let arguments = arguments.knowing(self.session.sql_functions());
        let query = crate::sql::query(&sql.query, &arguments)?;
        self.query(&query).await
    }

    pub(super) async fn files(&mut self, source: &ReadDataSource) -> Result<Frame> {
        let options = lower(&source.options);
        let format = source.format.clone().unwrap_or_else(|| "parquet".to_owned()).to_lowercase();
        let mut paths = source.paths.clone();
        paths.extend(options.get("path").cloned());
        if let Some(known) = self.session.source(&format) {
            let schema =
                source.schema.as_deref().filter(|text| !text.is_empty()).map(parse_schema).transpose()?;
            return self.python_source(&known, &options, &source.paths, schema.as_ref());
        }
        if format == "model" {
            let show = options.get("show").map(|show| show.to_lowercase());
            return self.models(paths.first().map(String::as_str), show.as_deref());
        }
        if !["csv", "json", "text", "parquet"].contains(&format.as_str()) {
            return Err(unknown_source(&format));
        }
        if paths.is_empty() {
            return Err(SparkError::argument(format!("What is read as {format} has a path.")));
        }
        let told = storage(self.session, &options);
        for path in &paths {
            let there = match path {
                remote if is_remote(remote) => remote.contains('*') || self.frames.exists(remote, &told)?,
                path => {
                    path.contains("://")
                        || path.contains(['*', '{', '['])
                        || std::path::Path::new(path).exists()
                }
            };
            if !there {
                let text = format!("Path does not exist: {path}.");
                return Err(SparkError::new(Class::Analysis, "PATH_NOT_FOUND", "42K03", text)
                    .with("path", path.as_str()));
            }
        }
        let schema =
            source.schema.as_deref().filter(|text| !text.is_empty()).map(parse_schema).transpose()?;
        match format.as_str() {
            "csv" | "json" | "text" => self.lines(&format, &paths, &options, schema.as_ref()),
            "parquet" => self.parquet(&paths, &options, schema).await,
            other => Err(unknown_source(other)),
        }
    }

    /// The rows of files of text, as often as a path is named.
    fn lines(
        &mut self,
        format: &str,
        paths: &[String],
        options: &HashMap<String, String>,
        schema: Option<&Schema>,
    ) -> Result<Frame> {
        let not_taken = ["allowcomments", "allowunquotedfieldnames", "allowbackslashescapinganycharacter"];
        if let Some(name) = not_taken.iter().find(|name| flag(options, name)) {
            return Err(SparkError::unsupported(format!("the option {name} of {format}")));
        }
        let mut given: BTreeMap<String, String> = options.clone().into_iter().collect();
        given.extend(storage(self.session, options));
        if let Some(name) = self.session.settings().get(CORRUPT) {
            given.entry("columnnameofcorruptrecord".to_owned()).or_insert_with(|| name.clone());
        }
        given.entry("timezone".to_owned()).or_insert_with(|| self.session.zone());
        let paths = paths.iter().map(|path| path_of(path)).collect::<Result<Vec<_>>>()?;
        let rows = self.frames.lines(format, &paths, &given, schema)?;
        let plan = LogicalPlanBuilder::scan("files", provider_as_source(rows), None)?.build()?;
        Ok(unqualified(self.framed(plan, format)?))
    }

    /// The rows of all paths, in the columns of the first.
    async fn parquet(
        &mut self,
        paths: &[String],
        options: &HashMap<String, String>,
        schema: Option<Schema>,
    ) -> Result<Frame> {
        const TAKEN: [&str; 2] = ["recursivefilelookup", "pathglobfilter"];
        let mut schema = schema.map(Arc::new);
        let mut plan: Option<LogicalPlanBuilder> = None;
        for path in paths {
            let taken = options.iter().filter(|(name, _)| TAKEN.contains(&name.as_str()));
            let mut given: BTreeMap<String, String> =
                taken.map(|(name, value)| (name.clone(), value.clone())).collect();
            if is_remote(path) {
                given.extend(storage(self.session, options));
            }
            given.insert("path".to_owned(), path_of(path)?);
            let rows = self.frames.files("parquet", &given, schema.as_ref()).await?;
            schema.get_or_insert_with(|| rows.schema());
            let scan = LogicalPlanBuilder::scan("files", provider_as_source(rows), None)?;
            plan = Some(match plan {
                None => scan,
                Some(plan) => plan.union(scan.build()?)?,
            });
        }
        let plan = plan.ok_or_else(|| SparkError::missing("paths"))?.build()?;
        Ok(unqualified(self.framed(plan, "parquet")?))
    }
}

pub(crate) fn unqualified(mut frame: Frame) -> Frame {
    for column in &mut frame.columns {
        column.qualifiers.clear();
    }
    frame
}

fn flag(options: &HashMap<String, String>, name: &str) -> bool {
    options.get(name).is_some_and(|value| value.eq_ignore_ascii_case("true"))
}

pub(crate) fn unknown_source(name: &str) -> SparkError {
    let text = format!(
        "Failed to find the data source: {name}. Make sure the provider name is correct and the package is properly \
         registered and compatible with your Spark version."
    );
    SparkError::new(Class::Analysis, "DATA_SOURCE_NOT_FOUND", "42K02", text).with("provider", name)
}
