//! Tables, views, files, and frames that the client holds by number.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use datafusion::arrow::datatypes::{DataType, Field, Schema};
use datafusion::datasource::provider_as_source;
use datafusion::logical_expr::LogicalPlanBuilder;
use datafusion::prelude::{CsvReadOptions, JsonReadOptions, SessionContext};
use engine::storage::is_remote;

use crate::error::{Class, Result, SparkError};
use crate::place::{path_of, storage};
use crate::plan::Planner;
use crate::plan::frame::{Frame, Stored, aliased_name};
use crate::plan::local::lower;
use crate::schema::parse_schema;
use crate::wire::relation::{Read, ReadDataSource, ReadType, Sql};

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
        let short = aliased_name(name);
        if let Some(stored) = self.views.get(&short.to_lowercase()).cloned() {
            let frame = self.stored(stored).await?;
            return Ok(crate::plan::aliased(frame, &short));
        }
        match self.frames.table(&short).await? {
            Some(provider) => self.scan(&short, provider),
            None => Err(SparkError::table(&name.replace('`', "").replace('.', "`.`"))),
        }
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
        let stored = self.session.held(id);
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
        if format == "model" {
            let show = options.get("show").map(|show| show.to_lowercase());
            return self.models(paths.first().map(String::as_str), show.as_deref());
        }
        if paths.is_empty() {
            return Err(SparkError::argument(format!("What is read as {format} has a path.")));
        }
        let told = storage(self.session, &options);
        for path in &mut paths {
            if is_remote(path) && format != "parquet" {
                *path = self.frames.reach(path, &told)?;
            }
            if !path.contains("://") && !path.contains('*') && !std::path::Path::new(path).exists() {
                let text = format!("Path does not exist: {path}.");
                return Err(SparkError::new(Class::Analysis, "PATH_NOT_FOUND", "42K03", text)
                    .with("path", path.as_str()));
            }
        }
        let schema =
            source.schema.as_deref().filter(|text| !text.is_empty()).map(parse_schema).transpose()?;
        let context = self.frames.context().clone();
        let frame = match format.as_str() {
            "csv" => return self.csv(&context, paths, &options, schema.as_ref()).await,
            "json" => {
                if separator(&options)?.is_some() {
                    return Err(SparkError::unsupported("a lineSep of JSON; a line ends with a line break"));
                }
                // As in Spark, a directory's files are read whatever they are called.
                let read = JsonReadOptions {
                    schema: schema.as_ref(),
                    file_extension: "",
                    ..JsonReadOptions::default()
                };
                context.read_json(paths, read).await?
            }
            "text" => {
                let whole = Schema::new(vec![Field::new("value", DataType::Utf8, true)]);
                // A line is one field: no byte of a text separates or quotes.
                let read = CsvReadOptions::new().has_header(false).schema(&whole).delimiter(0).quote(1);
                let read = CsvReadOptions { file_extension: "", terminator: separator(&options)?, ..read };
                context.read_csv(paths, read).await?
            }
            "parquet" => return self.parquet(&paths, &options, schema).await,
            other => return Err(unknown_source(other)),
        };
        Ok(unqualified(self.framed(frame.into_unoptimized_plan(), &format)?))
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

    async fn csv(
        &mut self,
        context: &SessionContext,
        paths: Vec<String>,
        options: &HashMap<String, String>,
        schema: Option<&Schema>,
    ) -> Result<Frame> {
        let mut made = context.read_csv(paths.clone(), csv(options, schema)?).await?;
        if schema.is_none() && !flag(options, "inferschema") {
            // Every column is text.
            let text = |field: &Arc<Field>| field.as_ref().clone().with_data_type(DataType::Utf8);
            let texts = made.schema().fields().iter().map(text).collect::<Vec<_>>();
            let texts = Schema::new(texts);
            made = context.read_csv(paths, csv(options, Some(&texts))?).await?;
        }
        let mut frame = unqualified(self.framed(made.into_unoptimized_plan(), "csv")?);
        if !flag(options, "header") && schema.is_none() {
            for (index, column) in frame.columns.iter_mut().enumerate() {
                column.name = format!("_c{index}");
            }
        }
        Ok(frame)
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

/// The byte that ends a line, if it is not a line break.
fn separator(options: &HashMap<String, String>) -> Result<Option<u8>> {
    match options.get("linesep").map(String::as_bytes) {
        None | Some(b"\n") => Ok(None),
        Some([byte]) => Ok(Some(*byte)),
        Some(_) => Err(SparkError::unsupported("a lineSep of several bytes")),
    }
}

fn csv<'o>(options: &HashMap<String, String>, schema: Option<&'o Schema>) -> Result<CsvReadOptions<'o>> {
    let byte = |names: [&str; 2]| {
        let text = names.iter().find_map(|name| options.get(*name))?;
        match text.as_str() {
            "\\t" => Some(b'\t'),
            other => other.bytes().next(),
        }
    };
    let mut read = CsvReadOptions::new().has_header(flag(options, "header"));
    read.file_extension = "";
    read.delimiter = byte(["sep", "delimiter"]).unwrap_or(b',');
    read.quote = byte(["quote", "quote"]).unwrap_or(b'"');
    read.escape = byte(["escape", "escape"]);
    read.schema = schema;
    read.terminator = separator(options)?;
    Ok(read)
}

pub(crate) fn unknown_source(name: &str) -> SparkError {
    let text = format!(
        "Failed to find the data source: {name}. Make sure the provider name is correct and the package is properly \
         registered and compatible with your Spark version."
    );
    SparkError::new(Class::Analysis, "DATA_SOURCE_NOT_FOUND", "42K02", text).with("provider", name)
}
