//! `spark.catalog`: what there is, in Spark's words, and what is done to it by name.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::error::{Class, Result, SparkError};
use crate::expression::name_parts;
use crate::plan::Planner;
use crate::plan::frame::{Frame, aliased_name};
use crate::plan::observe::in_operation;
use crate::schema::message;
use crate::service::describe::{self, Told};
use crate::service::{tables, write};
use crate::sql::{self, Arguments, fits};
use crate::wire::relation::ReadDataSource;
use crate::wire::statistics::{CatType, Catalog, CreateTable, ListTables};

const CATALOG: &str = "spark_catalog";
const DATABASE: &str = "default";
const TEXT: &str = "STRING";
const FLAG: &str = "BOOLEAN";

/// What is told of a table.
const TABLE: [(&str, &str); 6] = [
    ("name", TEXT),
    ("catalog", TEXT),
    ("namespace", "ARRAY<STRING>"),
    ("description", TEXT),
    ("tableType", TEXT),
    ("isTemporary", FLAG),
];

impl Planner<'_> {
    pub(crate) async fn catalog(&mut self, catalog: &Catalog) -> Result<Frame> {
        let told = match catalog.cat_type.as_ref().ok_or_else(|| SparkError::missing("cat_type"))? {
            CatType::CurrentDatabase(_) => one(TEXT, DATABASE.into()),
            CatType::CurrentCatalog(_) => one(TEXT, CATALOG.into()),
            CatType::SetCurrentDatabase(set) => in_database(&set.db_name).map(|()| nothing())?,
            CatType::SetCurrentCatalog(set) if set.catalog_name == CATALOG => nothing(),
            CatType::SetCurrentCatalog(set) => return Err(no_catalog(&set.catalog_name)),
            CatType::ListCatalogs(list) => {
                let rows = [CATALOG].into_iter().filter(|name| fits(list.pattern.as_deref(), name));
                let rows = rows.map(|name| vec![name.into(), Value::Null]).collect();
                Told { columns: vec![("name", TEXT), ("description", TEXT)], rows }
            }
            CatType::ListDatabases(list) => self.databases(fits(list.pattern.as_deref(), DATABASE)),
            CatType::GetDatabase(database) => {
                in_database(&database.db_name)?;
                self.databases(true)
            }
            CatType::DatabaseExists(database) => one(FLAG, in_database(&database.db_name).is_ok().into()),
            CatType::ListTables(list) => self.listed(list, false)?,
            CatType::ListViews(list) => self.listed(list, true)?,
            CatType::GetTable(table) => {
                let name = self.known_table(&qualified(&table.table_name, table.db_name.as_deref()))?;
                Told { columns: TABLE.to_vec(), rows: vec![self.about_table(&name)] }
            }
            CatType::TableExists(table) => {
                let name = qualified(&table.table_name, table.db_name.as_deref());
                one(FLAG, self.known_table(&name).is_ok().into())
            }
            CatType::ListColumns(table) => {
                let name = self.known_table(&qualified(&table.table_name, table.db_name.as_deref()))?;
                self.columns_of(&name).await?
            }
            other => return self.catalog_functions(other).await,
        };
        self.answered(told).await
    }

    /// Questions about functions, and what is done to tables.
    async fn catalog_functions(&mut self, kind: &CatType) -> Result<Frame> {
        let told = match kind {
            CatType::ListFunctions(list) => {
                if let Some(name) = &list.db_name {
                    in_database(name)?;
                }
                let names = describe::functions(self.session, list.pattern.as_deref());
                function_rows(names.iter().map(String::as_str))
            }
            CatType::GetFunction(function) => {
                let name = &function.function_name;
                if function.db_name.is_some() || !self.has_function(name)? {
                    let text = format!(
                        "Cannot resolve routine `{name}` on search path [`system`.`builtin`, `system`.`session`, \
                         `{CATALOG}`.`{DATABASE}`]."
                    );
                    return Err(SparkError::new(Class::Analysis, "UNRESOLVED_ROUTINE", "42883", text));
                }
                function_rows([aliased_name(name).as_str()].into_iter())
            }
            CatType::FunctionExists(function) => {
                let known = function.db_name.is_none() && self.has_function(&function.function_name)?;
                one(FLAG, known.into())
            }
            CatType::DropTempView(drop) => one(FLAG, self.session.drop_view(&drop.view_name).into()),
            CatType::DropGlobalTempView(drop) => {
                one(FLAG, self.session.drop_view(&format!("global_temp.{}", drop.view_name)).into())
            }
            CatType::IsCached(table) => {
                let name = self.known_table(&table.table_name)?;
                one(FLAG, self.session.is_cached(&name).into())
            }
            CatType::CacheTable(table) => self.kept(&table.table_name, true)?,
            CatType::UncacheTable(table) => self.kept(&table.table_name, false)?,
            CatType::ClearCache(_) => {
                self.session.clear_cached();
                nothing()
            }
            CatType::RefreshTable(table) => self.known_table(&table.table_name).map(|_| nothing())?,
            CatType::AnalyzeTable(table) => self.known_table(&table.table_name).map(|_| nothing())?,
            CatType::RefreshByPath(_) => nothing(),
            other => return self.catalog_changes(other).await,
        };
        self.answered(told).await
    }

    async fn catalog_changes(&mut self, kind: &CatType) -> Result<Frame> {
        match kind {
            CatType::RecoverPartitions(table) => {
                let name = self.known_table(&table.table_name)?;
                if self.partitions(&name).is_empty() {
                    let text = format!(
                        "Operation ALTER TABLE RECOVER PARTITIONS is not allowed for `{CATALOG}`.`{DATABASE}`.`{name}` \
                         because it is not a partitioned table."
                    );
                    return Err(SparkError::new(Class::Analysis, "NOT_A_PARTITIONED_TABLE", "42809", text));
                }
            }
            CatType::CreateTable(table) => {
                // Whoever asks for its columns asks what was made.
                if in_operation() {
                    self.create_table(table).await?;
                }
                return self.table(&table.table_name).await;
            }
            CatType::DropTable(table) => {
                let name = aliased_name(&table.table_name);
                if !self.session.engine.has_table(&name) && !table.if_exists {
                    return Err(SparkError::table(&name));
                }
                tables::forget(self.session, &name).await?;
            }
            CatType::DropView(view) => {
                if !self.session.drop_view(&view.view_name) && !view.if_exists {
                    return Err(SparkError::table(&aliased_name(&view.view_name)));
                }
            }
            CatType::TruncateTable(table) => {
                let name = tables::quoted(&self.known_table(&table.table_name)?);
                let text = format!("INSERT OVERWRITE TABLE {name} SELECT * FROM {name} WHERE false");
                if let sql::Command::Insert(insert) = sql::Command::parse(&text, &Arguments::default())?
                    && !Box::pin(write::insert_rows(self.session, &insert)).await?
                {
                    return Err(SparkError::unsupported("emptying a table that is not one of files"));
                }
            }
            CatType::GetTableProperties(table) => {
                self.known_table(&table.table_name)?;
                return self
                    .answered(Told { columns: vec![("key", TEXT), ("value", TEXT)], rows: Vec::new() })
                    .await;
            }
            _ => return Err(SparkError::unsupported("this question of the catalog")),
        }
        self.answered(nothing()).await
    }

    async fn answered(&mut self, told: Told) -> Result<Frame> {
        let relation = crate::service::command::shown(told)?;
        let frame = self.relation(&relation).await?;
        Ok(frame)
    }

    fn databases(&self, wanted: bool) -> Told {
        let place = self.session.setting("spark.sql.warehouse.dir").unwrap_or_default();
        let columns = vec![("name", TEXT), ("catalog", TEXT), ("description", TEXT), ("locationUri", TEXT)];
        let row = vec![DATABASE.into(), CATALOG.into(), "default database".into(), place.into()];
        Told { columns, rows: if wanted { vec![row] } else { Vec::new() } }
    }

    /// Tables and views, or views alone.
    fn listed(&self, list: &ListTables, only_views: bool) -> Result<Told> {
        if let Some(name) = &list.db_name {
            in_database(name)?;
        }
        let tables = if only_views { Vec::new() } else { self.session.engine.table_names() };
        let views = self.views.keys().cloned();
        let mut names: Vec<String> = tables.into_iter().chain(views).collect();
        names.retain(|name| fits(list.pattern.as_deref(), name));
        names.sort();
        names.dedup();
        Ok(Told { columns: TABLE.to_vec(), rows: names.iter().map(|name| self.about_table(name)).collect() })
    }

    fn about_table(&self, name: &str) -> Vec<Value> {
        if self.views.contains_key(&name.to_lowercase()) {
            return vec![name.into(), Value::Null, json!([]), Value::Null, "TEMPORARY".into(), true.into()];
        }
        vec![name.into(), CATALOG.into(), json!([DATABASE]), Value::Null, "MANAGED".into(), false.into()]
    }

    /// The last part of the name of a table or a view that there is.
    fn known_table(&self, name: &str) -> Result<String> {
        let short = aliased_name(name);
        let known = self.views.contains_key(&short.to_lowercase()) || self.session.engine.has_table(&short);
        let parts = name_parts(name)?;
        let here = match parts.split_last() {
            Some((_, [])) | None => true,
            Some((_, before)) => in_database(&before.join(".")).is_ok() || before == ["global_temp"],
        };
        if known && here { Ok(short) } else { Err(SparkError::table(&parts.join("`.`"))) }
    }

    /// The columns that say a table's directories.
    fn partitions(&self, name: &str) -> Vec<String> {
        self.frames.table_files(name).map(|(_, _, partitions)| partitions).unwrap_or_default()
    }

    async fn columns_of(&mut self, name: &str) -> Result<Told> {
        let frame = self.table(name).await?;
        let partitions = self.partitions(name);
        let row = |column: &crate::plan::frame::Column| {
            let field = frame.field(column);
            let is_partition = partitions.iter().any(|name| name.eq_ignore_ascii_case(&column.name));
            vec![
                column.name.clone().into(),
                Value::Null,
                describe::simple(field.data_type()).into(),
                field.is_nullable().into(),
                is_partition.into(),
                false.into(),
                false.into(),
            ]
        };
        let flags = ["nullable", "isPartition", "isBucket", "isCluster"].map(|name| (name, FLAG));
        let columns = [("name", TEXT), ("description", TEXT), ("dataType", TEXT)].into_iter().chain(flags);
        Ok(Told { columns: columns.collect(), rows: frame.columns.iter().map(row).collect() })
    }

    fn has_function(&self, name: &str) -> Result<bool> {
        let parts = name_parts(name)?;
        let Some((short, before)) = parts.split_last() else { return Ok(false) };
        let here = matches!(before.join(".").as_str(), "" | "system.builtin" | "system.session");
        Ok(here && describe::functions(self.session, None).binary_search(&short.to_lowercase()).is_ok())
    }

    /// `cache` changes nothing here but what is said of it.
    fn kept(&self, name: &str, kept: bool) -> Result<Told> {
        let name = self.known_table(name)?;
        self.session.set_cached(&name, kept);
        Ok(nothing())
    }

    async fn create_table(&mut self, table: &CreateTable) -> Result<()> {
        let name = aliased_name(&table.table_name);
        let mut options: BTreeMap<String, String> = table.options.clone();
        options.extend(table.path.clone().map(|path| ("path".to_owned(), path)));
        let format = table.source.clone().filter(|source| !source.is_empty());
        let path = options.iter().find(|(name, _)| name.eq_ignore_ascii_case("path"));
        let columns = match (&table.schema, path) {
            (Some(schema), _) => match message::read(schema)? {
                datafusion::arrow::datatypes::DataType::Struct(fields) if !fields.is_empty() => {
                    Some(datafusion::arrow::datatypes::Schema::new(fields))
                }
                _ => None,
            },
            _ => None,
        };
        if self.session.engine.has_table(&name) {
            return Err(tables::exists(&name));
        }
        if let Some((_, path)) = path {
            let format = format.unwrap_or_else(|| "parquet".to_owned());
            let columns = match columns {
                Some(columns) => columns,
                None => {
                    let paths = vec![path.clone()];
                    let source =
                        ReadDataSource { format: Some(format.clone()), paths, ..ReadDataSource::default() };
                    self.files(&source).await?.schema()
                }
            };
            let (columns, path) = (&columns, path.as_str());
            let table = tables::NewTable {
                name: &name,
                format: &format,
                path,
                options: &options,
                columns,
                partition_by: &[],
            };
            return table.create(self.session).await;
        }
        let Some(columns) = columns else {
            return Err(SparkError::invalid(format!("The table {name} has neither columns nor a path.")));
        };
        let column = |field: &datafusion::arrow::datatypes::FieldRef| {
            (field.name().clone(), engine::dataframe::type_name(field.data_type()))
        };
        let columns = columns.fields().iter().map(column).collect();
        let table = sql::CreateTable {
            name,
            replace: false,
            if_not_exists: false,
            columns,
            format,
            options,
            partition_by: Vec::new(),
            query: None,
        };
        Box::pin(write::create_table(self.session, table)).await
    }
}

fn one(kind: &'static str, value: Value) -> Told {
    Told { columns: vec![("value", kind)], rows: vec![vec![value]] }
}

fn nothing() -> Told {
    Told { columns: vec![("value", TEXT)], rows: Vec::new() }
}

fn function_rows<'n>(names: impl Iterator<Item = &'n str>) -> Told {
    let row =
        |name: &str| vec![name.into(), Value::Null, Value::Null, "N/A.".into(), "pelton".into(), true.into()];
    let mut columns = TABLE.to_vec();
    columns[4] = ("className", TEXT);
    Told { columns, rows: names.map(row).collect() }
}

fn qualified(name: &str, database: Option<&str>) -> String {
    match database {
        Some(database) => format!("{database}.{name}"),
        None => name.to_owned(),
    }
}

/// Whether a name means the one schema that there is.
fn in_database(name: &str) -> Result<()> {
    let parts = name_parts(name)?;
    let parts: Vec<String> = parts.iter().map(|part| part.to_lowercase()).collect();
    let (database, catalog) = match parts.as_slice() {
        [database] => (database.as_str(), CATALOG),
        [catalog, database] => (database.as_str(), catalog.as_str()),
        _ => (name, CATALOG),
    };
    if database == DATABASE && catalog == CATALOG {
        return Ok(());
    }
    let text = format!(
        "The schema `{catalog}`.`{database}` cannot be found. Verify the spelling and correctness of the schema and \
         catalog."
    );
    Err(SparkError::new(Class::Analysis, "SCHEMA_NOT_FOUND", "42704", text)
        .with("schemaName", format!("`{catalog}`.`{database}`")))
}

fn no_catalog(name: &str) -> SparkError {
    let text = format!(
        "The catalog `{name}` not found. Consider to set the SQL config \"spark.sql.catalog.{name}\" to a catalog plugin."
    );
    SparkError::new(Class::Analysis, "CATALOG_NOT_FOUND", "42P08", text)
}
