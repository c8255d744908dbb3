"""Where tables are kept: Parquet files and DuckDB databases, for pandas, polars and pyarrow alike.

Everything goes through Arrow. The libraries are extras, imported by the functions that need them.
"""
