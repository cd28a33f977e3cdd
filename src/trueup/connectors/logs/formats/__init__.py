"""The formats in which logs come, each read as a stream of batches: delimited text, XES, Parquet; compressed or not."""
