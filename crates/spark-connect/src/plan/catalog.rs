//! `spark.catalog`: what there is, in Spark's words, and what is done to it by name.

use std::collections::BTreeMap;

use engine::Database;
use serde_json::{Value, json};

use crate::database::{self, CATALOG, GLOBAL, TableName, view_keys};
use crate::error::{Class, Result, SparkError};
use crate::expression::{name_parts, name_quoted};
use crate::plan::Planner;
use crate::plan::frame::{Frame, aliased_name};
use crate::plan::observe::in_operation;
use crate::schema::message;
use crate::service::describe::{self, Told};
use crate::service::{tables, write};
use crate::sql::{self, Arguments, fits};
use crate::wire::relation::ReadDataSource;
use crate::wire::statistics::{CatType, Catalog, CreateTable, ListTables};

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

/// What a name stands for.
enum Known {
    Table(TableName),
    /// In a database, or the session's own.
    View {
        database: Option<String>,
        name: String,
    },
}

impl Known {
    fn name(&self) -> &str {
        match self {
            Known::Table(table) => &table.name,
            Known::View { name, .. } => name,
        }
    }

    fn database(&self) -> Option<&str> {
        match self {
            Known::Table(table) => Some(&table.database),
            Known::View { database, .. } => database.as_deref(),
        }
    }

    fn is_temporary(&self) -> bool {
        matches!(self, Known::View { database, .. } if database.as_deref().is_none_or(|of| of == GLOBAL))
    }

    /// What else is known of it is kept under this.
    fn key(&self) -> String {
        match self {
            Known::Table(table) => table.key(),
            Known::View { database: Some(database), name } => format!("{database}.{name}"),
            Known::View { database: None, name } => name.clone(),
        }
    }
}

impl Planner<'_> {
    pub(crate) async fn catalog(&mut self, catalog: &Catalog) -> Result<Frame> {
        let told = match catalog.cat_type.as_ref().ok_or_else(|| SparkError::missing("cat_type"))? {
            CatType::CurrentDatabase(_) => one(TEXT, self.session.database().into()),
            CatType::CurrentCatalog(_) => one(TEXT, CATALOG.into()),
            CatType::SetCurrentDatabase(set) => {
                self.session.set_database(self.database(&set.db_name)?);
                nothing()
            }
            CatType::SetCurrentCatalog(set) if set.catalog_name == CATALOG => nothing(),
            CatType::SetCurrentCatalog(set) => return Err(no_catalog(&set.catalog_name)),
            CatType::ListCatalogs(list) => {
                let rows = [CATALOG].into_iter().filter(|name| fits(list.pattern.as_deref(), name));
                let rows = rows.map(|name| vec![name.into(), Value::Null]).collect();
                Told { columns: vec![("name", TEXT), ("description", TEXT)], rows }
            }
            CatType::ListDatabases(list) => self.databases(|name| fits(list.pattern.as_deref(), name)),
            CatType::GetDatabase(database) => {
                let wanted = self.database(&database.db_name)?;
                self.databases(|name| name == wanted)
            }
            CatType::DatabaseExists(database) => one(FLAG, self.database(&database.db_name).is_ok().into()),
            CatType::ListTables(list) => self.listed(list, false)?,
            CatType::ListViews(list) => self.listed(list, true)?,
            CatType::GetTable(table) => {
                let known = self.known(&table.table_name, table.db_name.as_deref())?;
                Told { columns: TABLE.to_vec(), rows: vec![self.about(&known)] }
            }
            CatType::TableExists(table) => {
                one(FLAG, self.known(&table.table_name, table.db_name.as_deref()).is_ok().into())
            }
            CatType::ListColumns(table) => {
                let known = self.known(&table.table_name, table.db_name.as_deref())?;
                let name = qualified(&table.table_name, table.db_name.as_deref());
                self.columns_of(&name, &known).await?
            }
            other => return self.catalog_functions(other).await,
        };
        self.answered(told).await
    }

    /// Questions about functions, and what is done to tables.
    async fn catalog_functions(&mut self, kind: &CatType) -> Result<Frame> {
        let told = match kind {
            CatType::ListFunctions(list) => {
                list.db_name.as_deref().map(|name| self.database(name)).transpose()?;
                let names = describe::functions(self.session, list.pattern.as_deref());
                function_rows(names.iter().map(String::as_str))
            }
            CatType::GetFunction(function) => {
                let name = &function.function_name;
                if function.db_name.is_some() || !self.has_function(name)? {
                    let shown = name_parts(name)?.join("`.`");
                    let text = format!(
                        "Cannot resolve routine `{shown}` on search path [`system`.`builtin`, `system`.`session`, \
                         `{CATALOG}`.`{}`].",
                        self.session.database()
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
                let known = self.known(&table.table_name, None)?;
                one(FLAG, self.session.is_cached(&known.key()).into())
            }
            CatType::CacheTable(table) => self.kept(&table.table_name, true)?,
            CatType::UncacheTable(table) => self.kept(&table.table_name, false)?,
            CatType::ClearCache(_) => {
                self.session.clear_cached();
                nothing()
            }
            CatType::RefreshTable(table) => self.known(&table.table_name, None).map(|_| nothing())?,
            CatType::AnalyzeTable(table) => self.known(&table.table_name, None).map(|_| nothing())?,
            CatType::RefreshByPath(_) => nothing(),
            other => return self.catalog_changes(other).await,
        };
        self.answered(told).await
    }

    async fn catalog_changes(&mut self, kind: &CatType) -> Result<Frame> {
        match kind {
            CatType::RecoverPartitions(table) => {
                let known = self.known(&table.table_name, None)?;
                if self.partitions(&known.key()).is_empty() {
                    let text = format!(
                        "Operation ALTER TABLE RECOVER PARTITIONS is not allowed for {} because it is not a partitioned \
                         table.",
                        TableName::read(self.session, &table.table_name)?.whole()
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
                let name = TableName::read(self.session, &table.table_name)?;
                match name.is_known(&self.session.engine) {
                    true => tables::forget(self.session, &name).await?,
                    false if table.if_exists => {}
                    false => return Err(name.missing()),
                }
            }
            CatType::DropView(view) => {
                if !self.session.drop_view(&view.view_name) && !view.if_exists {
                    return Err(SparkError::table(&name_parts(&view.view_name)?.join("`.`")));
                }
            }
            CatType::TruncateTable(table) => {
                self.known(&table.table_name, None)?;
                let name = name_quoted(&name_parts(&table.table_name)?);
                let text = format!("INSERT OVERWRITE TABLE {name} SELECT * FROM {name} WHERE false");
                if let sql::Command::Insert(insert) = sql::Command::parse(&text, &Arguments::default())?
                    && !Box::pin(write::insert_rows(self.session, &insert)).await?
                {
                    return Err(SparkError::unsupported("emptying a table that is not one of files"));
                }
            }
            CatType::GetTableProperties(table) => {
                self.known(&table.table_name, None)?;
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

    fn databases(&self, wanted: impl Fn(&str) -> bool) -> Told {
        let columns = vec![("name", TEXT), ("catalog", TEXT), ("description", TEXT), ("locationUri", TEXT)];
        let found = database::all(&self.session.engine).into_iter().filter(|found| wanted(&found.name));
        let row = |found: Database| {
            let place = database::location(self.session, &found);
            vec![found.name.into(), CATALOG.into(), found.comment.into(), place.into()]
        };
        Told { columns, rows: found.map(row).collect() }
    }

    fn database(&self, name: &str) -> Result<String> {
        database::read(&self.session.engine, name)
    }

    /// Tables and views of a database, or views alone, and the session's own views.
    fn listed(&self, list: &ListTables, only_views: bool) -> Result<Told> {
        let database = match &list.db_name {
            Some(name) => describe::inside(self.session, name)?,
            None => self.session.database(),
        };
        let tables = if only_views { Vec::new() } else { self.session.engine.tables_in(&database) };
        let table = |name| Known::Table(TableName { database: database.clone(), name });
        let inside = self.session.views_in(&database).into_iter();
        let inside = inside.map(|name| Known::View { database: Some(database.clone()), name });
        let own = self.views.keys().filter(|name| !name.contains('.')).cloned();
        let own = own.map(|name| Known::View { database: None, name });
        let mut all: Vec<Known> = tables.into_iter().map(table).chain(inside).chain(own).collect();
        all.retain(|known| fits(list.pattern.as_deref(), known.name()));
        all.sort_by(|a, b| (a.is_temporary(), a.name()).cmp(&(b.is_temporary(), b.name())));
        Ok(Told { columns: TABLE.to_vec(), rows: all.iter().map(|known| self.about(known)).collect() })
    }

    fn about(&self, known: &Known) -> Vec<Value> {
        let namespace = known.database().map_or_else(|| json!([]), |database| json!([database]));
        let catalog = if known.is_temporary() { Value::Null } else { CATALOG.into() };
        let kind = match known {
            Known::Table(_) => "MANAGED",
            Known::View { .. } if known.is_temporary() => "TEMPORARY",
            Known::View { .. } => "VIEW",
        };
        let comment = self.session.engine.note_of(&known.key()).comment;
        let comment = comment.filter(|_| matches!(known, Known::Table(_)));
        let name = known.name().into();
        vec![name, catalog, namespace, comment.into(), kind.into(), known.is_temporary().into()]
    }

    /// The table or the view that there is of this name.
    fn known(&self, name: &str, database: Option<&str>) -> Result<Known> {
        let parts = match database {
            Some(database) => [name_parts(database)?, vec![name.to_owned()]].concat(),
            None => name_parts(name)?,
        };
        let found = view_keys(self.session, &parts).into_iter().find(|key| self.views.contains_key(key));
        if let Some(key) = found {
            return Ok(match key.split_once('.') {
                Some((of, name)) => Known::View { database: Some(of.to_owned()), name: name.to_owned() },
                None => Known::View { database: None, name: key },
            });
        }
        match TableName::of(self.session, &parts) {
            Ok(table) if table.is_known(&self.session.engine) => Ok(Known::Table(table)),
            Ok(table) if database.is_some() => Err(table.missing()),
            _ => Err(SparkError::table(&parts.join("`.`"))),
        }
    }

    /// The columns that say a table's directories.
    fn partitions(&self, name: &str) -> Vec<String> {
        self.frames.table_files(name).map(|(_, _, partitions)| partitions).unwrap_or_default()
    }

    async fn columns_of(&mut self, name: &str, known: &Known) -> Result<Told> {
        let frame = self.table(name).await?;
        let partitions = self.partitions(&known.key());
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
        let known = self.known(name, None)?;
        self.session.set_cached(&known.key(), kept);
        Ok(nothing())
    }

    async fn create_table(&mut self, table: &CreateTable) -> Result<()> {
        let name = TableName::read(self.session, &table.table_name)?;
        name.place(&self.session.engine)?;
        let mut options: BTreeMap<String, String> = table.options.clone();
        options.extend(table.path.clone().map(|path| ("path".to_owned(), path)));
        let description = table.description.clone().filter(|text| !text.is_empty());
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
        if name.is_known(&self.session.engine) {
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
                name: &name.key(),
                format: &format,
                path,
                options: &options,
                columns,
                partition_by: &[],
            };
            table.create(self.session).await?;
            return tables::describe(self.session, &name, description).await;
        }
        let Some(columns) = columns else {
            let text = format!("The table {} has neither columns nor a path.", name.whole());
            return Err(SparkError::invalid(text));
        };
        let column = |field: &datafusion::arrow::datatypes::FieldRef| {
            (field.name().clone(), engine::dataframe::type_name(field.data_type()))
        };
        let columns = columns.fields().iter().map(column).collect();
        let table = sql::CreateTable {
            name: table.table_name.clone(),
            replace: false,
            if_not_exists: false,
            columns,
            format,
            options,
            partition_by: Vec::new(),
            comment: description,
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

fn no_catalog(name: &str) -> SparkError {
    let text = format!(
        "The catalog `{name}` not found. Consider to set the SQL config \"spark.sql.catalog.{name}\" to a catalog plugin."
    );
    SparkError::new(Class::Analysis, "CATALOG_NOT_FOUND", "42P08", text)
}
