"""Bytes -> text -> plain data with places -> typed values; what does not fit on the way becomes findings."""
