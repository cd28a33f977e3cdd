"""Pictures as data: where every line, dot and word stands. One template draws them all."""
