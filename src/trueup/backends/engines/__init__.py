"""Databases that compute KPIs where the events already lie: PostgreSQL and Spark, beside DuckDB over files."""
