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
use crate::wire::statistics::{CatType, Catalog};

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

    async fn files(&mut self, source: &ReadDataSource) -> Result<Frame> {
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
                let read = JsonReadOptions { schema: schema.as_ref(), ..JsonReadOptions::default() };
                context.read_json(paths, read).await?
            }
            "text" => {
                let whole = Schema::new(vec![Field::new("value", DataType::Utf8, true)]);
                // A line is one field: no byte of a text separates or quotes.
                let read = CsvReadOptions::new().has_header(false).schema(&whole).delimiter(0).quote(1);
                let read = CsvReadOptions { file_extension: "", ..read };
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
        let mut made = context.read_csv(paths.clone(), csv(options, schema)).await?;
        if schema.is_none() && !flag(options, "inferschema") {
            // Every column is text.
            let text = |field: &Arc<Field>| field.as_ref().clone().with_data_type(DataType::Utf8);
            let texts = made.schema().fields().iter().map(text).collect::<Vec<_>>();
            let texts = Schema::new(texts);
            made = context.read_csv(paths, csv(options, Some(&texts))).await?;
        }
        let mut frame = unqualified(self.framed(made.into_unoptimized_plan(), "csv")?);
        if !flag(options, "header") && schema.is_none() {
            for (index, column) in frame.columns.iter_mut().enumerate() {
                column.name = format!("_c{index}");
            }
        }
        Ok(frame)
    }

    /// What `spark.catalog` asks, as a frame.
    pub(crate) fn catalog(&mut self, catalog: &Catalog) -> Result<Frame> {
        match catalog.cat_type.as_ref().ok_or_else(|| SparkError::missing("cat_type"))? {
            CatType::CurrentDatabase(_) => self.text_row("default"),
            CatType::CurrentCatalog(_) => self.text_row("spark_catalog"),
            CatType::DropTempView(drop) => {
                let dropped = self.session.drop_view(&drop.view_name);
                self.flag_row(dropped)
            }
            CatType::TableExists(table) => {
                let known = self.views.contains_key(&aliased_name(&table.table_name).to_lowercase())
                    || self.session.engine.has_table(&aliased_name(&table.table_name));
                self.flag_row(known)
            }
            CatType::IsCached(_) => self.flag_row(false),
            CatType::ListTables(_) => self.tables(),
            CatType::CacheTable(_) | CatType::UncacheTable(_) | CatType::ClearCache(_) => self.nothing(),
            CatType::SetCurrentDatabase(_) => self.nothing(),
            _ => Err(SparkError::unsupported("this question of the catalog")),
        }
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

fn csv<'o>(options: &HashMap<String, String>, schema: Option<&'o Schema>) -> CsvReadOptions<'o> {
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
    read
}

pub(crate) fn unknown_source(name: &str) -> SparkError {
    let text = format!(
        "Failed to find the data source: {name}. Make sure the provider name is correct and the package is properly \
         registered and compatible with your Spark version."
    );
    SparkError::new(Class::Analysis, "DATA_SOURCE_NOT_FOUND", "42K02", text).with("provider", name)
}

/// Rows of the catalog.
mod rows {
    use super::{Arc, DataType, Field, Frame, Planner, Result, Schema, SparkError};
    use datafusion::arrow::array::{ArrayRef, BooleanArray, ListArray, RecordBatch, StringArray};
    use datafusion::arrow::buffer::OffsetBuffer;

    impl Planner<'_> {
        pub(super) fn text_row(&mut self, text: &str) -> Result<Frame> {
            self.columns_of(vec![("value", Arc::new(StringArray::from(vec![text])))])
        }

        pub(super) fn flag_row(&mut self, flag: bool) -> Result<Frame> {
            self.columns_of(vec![("value", Arc::new(BooleanArray::from(vec![flag])))])
        }

        /// Views and tables.
        pub(super) fn tables(&mut self) -> Result<Frame> {
            let views: Vec<String> = self.views.keys().cloned().collect();
            let tables = self.session.engine.table_names();
            let none = || vec![None::<&str>; views.len() + tables.len()];
            let kinds = views.iter().map(|_| "TEMPORARY").chain(tables.iter().map(|_| "MANAGED"));
            let temporary = views.iter().map(|_| true).chain(tables.iter().map(|_| false));
            let rows = views.len() + tables.len();
            let item = Arc::new(Field::new_list_field(DataType::Utf8, true));
            let namespace = ListArray::new(
                item,
                OffsetBuffer::from_lengths(vec![0; rows]),
                Arc::new(StringArray::from(Vec::<&str>::new())),
                Some(vec![false; rows].into()),
            );
            let names: Vec<&String> = views.iter().chain(&tables).collect();
            let names: Vec<&str> = names.into_iter().map(String::as_str).collect();
            self.columns_of(vec![
                ("name", Arc::new(StringArray::from(names))),
                ("catalog", Arc::new(StringArray::from(none()))),
                ("namespace", Arc::new(namespace)),
                ("description", Arc::new(StringArray::from(none()))),
                ("tableType", Arc::new(StringArray::from(kinds.collect::<Vec<_>>()))),
                ("isTemporary", Arc::new(BooleanArray::from(temporary.collect::<Vec<_>>()))),
            ])
        }

        fn columns_of(&mut self, columns: Vec<(&str, ArrayRef)>) -> Result<Frame> {
            let field =
                |(name, column): &(&str, ArrayRef)| Field::new(*name, column.data_type().clone(), true);
            let schema = Arc::new(Schema::new(columns.iter().map(field).collect::<Vec<_>>()));
            let columns = columns.into_iter().map(|(_, column)| column).collect();
            let batch = RecordBatch::try_new(Arc::clone(&schema), columns)
                .map_err(|error| SparkError::internal(error.to_string()))?;
            self.batches(&schema, vec![batch])
        }
    }
}
