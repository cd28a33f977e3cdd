"""The composition root: one programme and its state. Clocks, settings and keys are made here and nowhere else."""

from trueup.workspace.callers import token_digests
from trueup.workspace.data import DeclaredData
from trueup.workspace.keeping import (
    backup_ledger,
    erase_body,
    erase_due,
    export_ledger,
    kept_bodies,
    prove_continued,
    restore_ledger,
)
from trueup.workspace.masking import masked_kinds, masking_of
from trueup.workspace.notifying import notifier_of, repeatedly
from trueup.workspace.opening import approval_desk, bodies_of, checked_programme, needed_files, opened
from trueup.workspace.receipts import Receipts, checked_receipt, receipts_of
from trueup.workspace.recording import (
    KEY_SETTING,
    ledger_vkey,
    open_ledger,
    prove_entry,
    reading_ledger,
    require_ledger,
    verify_ledger,
)
from trueup.workspace.servers import from_environment, new_token
from trueup.workspace.settings import STATE, SystemClock, new_secret, runner_name
from trueup.workspace.signing import SIGNING_KEY_SETTING, signer_for
from trueup.workspace.stores import URL_SETTING
from trueup.workspace.switching import throw_switch

__all__ = [
    "KEY_SETTING",
    "SIGNING_KEY_SETTING",
    "STATE",
    "URL_SETTING",
    "DeclaredData",
    "Receipts",
    "SystemClock",
    "approval_desk",
    "backup_ledger",
    "bodies_of",
    "checked_programme",
    "checked_receipt",
    "erase_body",
    "erase_due",
    "export_ledger",
    "from_environment",
    "kept_bodies",
    "ledger_vkey",
    "masked_kinds",
    "masking_of",
    "needed_files",
    "new_secret",
    "new_token",
    "notifier_of",
    "open_ledger",
    "opened",
    "prove_continued",
    "prove_entry",
    "reading_ledger",
    "receipts_of",
    "repeatedly",
    "require_ledger",
    "restore_ledger",
    "runner_name",
    "signer_for",
    "throw_switch",
    "token_digests",
    "verify_ledger",
]
