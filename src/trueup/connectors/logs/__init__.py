"""Event logs as files: any of the usual formats goes in, one checked Parquet file comes out."""
