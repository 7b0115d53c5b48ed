"""Why tests of PySpark fail against the door: a pattern for `module #Class.test: what it said` -> the reason.

The first that fits is told. The page lists what none explains with what the test said.
"""

UNSUPPORTED = r"The feature is not supported: "
CLIENT = "the checkout is older than the client, whose own sentence or check is another now"
REASONS = {
    # The client, not the server.
    r"!= 'NOT_EXPECTED_TYPE'|RESULT_(COLUMN|COLUMNS|ROWS)_(NAMES|TYPES|MISMATCH)|has no attribute 'tempView'": CLIENT,
    r"Exception thrown when converting pandas\.Series.* does not match|Failed to convert the value of the column": CLIENT,
    # Since 4.2 it takes a user's type from a module or not at all; the tests' types are in none.
    r"unpickling user defined types": CLIENT,
    r"ImportError: Failed to import|has_memory_profiler": CLIENT,
    # Python.
    r"Python table functions \(udtf\)|udtf #.*: this command": "table functions in Python (`udtf`) are not served",
    r"test_parity_python_streaming_datasource|streamReader|streamWriter": "data sources in Python are not served in streams",
    r"test_parity_python_datasource.*(filter|COLLATE)": "conditions are not handed to data sources in Python",
    r"test_parity_(udf|memory)_profiler|with_profile|test_resources": "a profile counts a call for each batch, where Spark has one for each partition; none is of memory or of a data source",
    r"over a window\.|weighted_mean is neither a window": "Python functions over windows are not served",
    r"with an initial state": "`transformWithState` with an initial state is not served",
    r"not_supported_in_join_condition|udf_in_join_condition": "Python functions in the condition of an outer join are carried out, where Spark refuses them",
    r"nondeterministic_.*_in_aggregate": "functions that are not deterministic are let into an aggregate, where Spark refuses them",
    r"python_udf_segfault|kill_on_timeout": "a worker that dies is told in other words, and none is ended for being idle",
    r"barrier_mode": "there are no barriers: a function is not told that it runs in one",
    r"apply_in_(arrow|pandas)_.*(batch|partial|iterator)|partial_consumption|arrow_batch_slicing": "the rows of a group come in one batch",
    r"arrow_map #.*(nullability|nested_extraneous|top_level_wrong|large_variable|violate)|violate_not_null":
        "what a function gives is fitted to its schema by name, where Spark refuses other order, other nullability or more",
    # Streams.
    r"UNRESOLVED_COLUMN.*`CAST\(.* AS .* AS ": "a cast of a column with an alias has not the alias for its name",
    r"interruptAll|listener_uninterruptible": "`interruptAll` does not end streaming queries",
    r"observed_metrics|test_parity_observation|observe": "`observe` saw nothing, or not what it sees in Spark",
    r"cluster_?[bB]y": "`clusterBy` and `bucketBy` are not served",
    # Types and functions.
    r"[vV]ariant|parse_json": "there is no `VARIANT`",
    r"[Ii]nterval": "there are no columns of intervals",
    r"[cC]ollat": "there is one collation, `UTF8_BINARY`",
    r"test_(to_|make_|try_to_|lit_|current_)?time\b|_time\b.*time32|datetime\.time": "there is no `TIME`",
    r"st_(geo|srid)|[Gg]eo(metry|graphy|spatial)": "there are no geographies",
    r"_udt(_|\b)|ExamplePoint|UserDefinedType": "a user's type (`UserDefinedType`) that has a twin on the JVM is shown as what it is made of",
    r"UNRESOLVED_ROUTINE": "functions that are not there; `docs/functions.md` names them",
    r"char_varchar": "`CHAR(n)` and `VARCHAR(n)` are text of any length",
    r"expected a type:": "types that are not there, or are written otherwise",
    # Sources, sinks, the catalog.
    r"question of the catalog|test_parity_catalog": "functions of Java by name, and what `cacheTable` keeps, are not served",
    r"jdbc|orc|xml": "there are no databases, ORC and XML to read",
    r"archives|test_artifact": "only Python files and zip files are uploaded",
    r"test_parity_datasources|[sS]ave_and_load|[tT]able_overwrite": "options of files that are not obeyed, or refused",
    r"test_parity_repartition": "there are no partitions that rows are dealt to",
    r"Scala and Java": "there is no JVM",
    r"test_df_debug|shell/test_progress": "progress and plans of single operators are not sent",
    r"this kind of relation": "kinds of frames that are not served (table-valued functions in joins, `transpose`, `freqItems`)",
    r"this kind of literal": "literals of types that are not there",
    r"this type of column": "columns of types that are not there",
    r"this command": "commands that are not served",
    r"AnalysisException not raised": "what Spark refuses is carried out",
}
