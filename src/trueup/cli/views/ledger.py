"""How people read the answers of `trueup ledger`."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping


def verify(data: Mapping[str, Any]) -> str:
    """Say whether the ledger is whole, and name what is not."""
    size, uncovered = data["size"], data["uncovered"]
    head = "The ledger is sound" if data["ok"] else "The ledger is BROKEN"
    lines = [f"{head}: {_count(size, 'entry', 'entries')}, root {data['root']}"]
    if uncovered:
        lines.append(f"  uncovered: the last {_count(uncovered, 'entry', 'entries')}, after the newest checkpoint")
    lines.append(f"  witness: {data['witness']}" if not data["witness"].startswith("no ") else f"  {data['witness']}")
    for problem in data["problems"]:
        where = "" if problem["index"] is None else f" at {problem['index']}"
        lines.append(f"  {problem['kind']}{where}: {problem['detail']}")
    return "\n".join(lines)


def entry(data: Mapping[str, Any]) -> str:
    """Show an entry, its members in a fixed order."""
    found = data["entry"]
    lines = [f"Entry {data['index']}: {found['type']}", f"  id        {found['id']}", f"  time      {found['time']}"]
    lines.append(f"  recorded  {found['recorded']}")
    if "by" in found:
        lines.append(f"  by        {found['by']}")
    body = json.dumps(found["data"], ensure_ascii=False, indent=2)
    return "\n".join([*lines, *(f"  {line}" for line in body.splitlines())])


def key(data: Mapping[str, Any]) -> str:
    """Show the key alone, ready to be copied."""
    return str(data["vkey"])


def prove(data: Mapping[str, Any]) -> str:
    """Say what the proof shows and what a reader needs besides."""
    shows = f"entry {data['index']}"
    if data["index"] is None:
        shows = f"that the log continues its first {_count(data['from'], 'entry', 'entries')}"
    return (
        f"{data['file']} proves {shows} under a signed checkpoint of"
        f" {_count(data['size'], 'entry', 'entries')}.\n  Verifier key: {data['vkey']}"
    )


def receipt(data: Mapping[str, Any]) -> str:
    """List the receipts, and what a reader needs besides."""
    if not data["receipts"]:
        return "No action of high impact has ended yet, so there is no receipt."
    lines = [
        f"{item['name']}  {item['workflow']}.{item['action']}  {item['ended']}  step {item['step']}\n  {item['file']}"
        for item in data["receipts"]
    ]
    return "\n".join([*lines, f"Verifier key: {data['vkey']}"])


def checked(data: Mapping[str, Any]) -> str:
    """Say what a receipt proves, and show it."""
    head = f"{data['file']} is sound: the ledger holds this entry, under a signed checkpoint of"
    return f"{head} {_count(data['size'], 'entry', 'entries')}.\n{entry(data)}"


def export(data: Mapping[str, Any]) -> str:
    """Say what was written, and what could not be."""
    lines = [f"{data['folder']} holds {_count(data['size'], 'entry', 'entries')} as {data['format']}."]
    if data["uncovered"]:
        lines.append(f"  left out: {_count(data['uncovered'], 'entry', 'entries')} after the newest checkpoint")
    return "\n".join(lines)


def backup(data: Mapping[str, Any]) -> str:
    """Say what the copy holds, whether it is sound, and what is not in it."""
    head = f"{data['file']} holds {_count(data['entries'], 'entry', 'entries')}. The signing key is not in it."
    return f"{head}\n{verify(data['verify'])}"


def restore(data: Mapping[str, Any]) -> str:
    """Say what is back."""
    return f"{_count(data['entries'], 'entry is', 'entries are')} back.\n{verify(data['verify'])}"


def retain(data: Mapping[str, Any]) -> str:
    """List the texts by what is to become of them."""
    lines = [f"erased   {item['digest']}  tombstone {item['tombstone']}" for item in data["erased"]]
    due = 0
    for item in data["bodies"]:
        due += item["state"] in {"due", "tombstone"}
        until = f"until {item['until'][:10]} ({item['level']})" if item["until"] else ""
        lines.append(f"{item['state']:<9}{item['digest']}  {item['workflow'] or ''}  {until}".rstrip())
    lines.append(f"{_count(len(data['bodies']), 'text', 'texts')} kept, {due} to be erased.")
    return "\n".join(lines)


def erase(data: Mapping[str, Any]) -> str:
    """Say that it is gone, and where that stands."""
    return f"Erased. Entry {data['tombstone']} says so; no proof changed."


def _count(number: int, one: str, many: str) -> str:
    return f"{number:,} {one if number == 1 else many}"
