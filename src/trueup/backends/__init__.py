"""Databases behind the Protocols of the rooms below; nothing else knows one."""
