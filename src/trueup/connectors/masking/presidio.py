"""Presidio behind the Finder: made once, without a model unless names are asked for, and never on the network."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

import spacy
from presidio_analyzer import AnalyzerEngine, RecognizerRegistry
from presidio_analyzer.context_aware_enhancers import LemmaContextAwareEnhancer
from presidio_analyzer.nlp_engine import NlpArtifacts, SpacyNlpEngine
from presidio_analyzer.predefined_recognizers import SpacyRecognizer

from trueup.connectors.masking.recognisers import FOUND_BY_PATTERN, LANGUAGE, LIKELY, OTHERS, WORDS, recognisers
from trueup.enforce.masking.finder import Found, apart
from trueup.kernel.errors import ConflictError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from presidio_analyzer import RecognizerResult
    from spacy.language import Language
    from spacy.tokens import Doc

_THRESHOLD = LIKELY - 0.05
_WORDS_BEFORE, _WORDS_AFTER = 6, 2
# What a model calls them.
_BY_MODEL = {"person": "PERSON", "address": "LOCATION"}
# Where a check or a form is proof enough, no other word before it takes it out.
_PROOF = frozenset({"email", "iban", "person", "address"})


class _Words(SpacyNlpEngine):
    """The language pipeline: a model where names are asked for, else words and nothing more."""

    # Declared as None by Presidio, until something is loaded.
    nlp: Any

    def __init__(self, language: Language) -> None:
        super().__init__(models=[{"lang_code": LANGUAGE, "model_name": language.meta["name"]}])
        self.nlp = {LANGUAGE: language}

    def load(self) -> None:
        """Do nothing: the pipeline is loaded already."""

    def is_loaded(self) -> bool:
        """Tell so."""
        return True

    def _doc_to_nlp_artifact(self, doc: Doc, language: str) -> NlpArtifacts:
        made = super()._doc_to_nlp_artifact(doc, language)
        # Without a model there are no lemmas, and context would never be found.
        words = [token.text.lower() for token in doc]
        return NlpArtifacts(made.entities, doc, made.tokens_indices, words, self, language, made.scores)


class PresidioFinder:
    """Finds personal data of some kinds in English text with British and European formats."""

    def __init__(self, kinds: Iterable[str]) -> None:
        """Open it. Raises ConflictError for a kind that needs a model when none is installed."""
        wanted = frozenset(kinds)
        by_model = {kind: _BY_MODEL[kind] for kind in wanted if kind in _BY_MODEL}
        logging.getLogger("presidio-analyzer").setLevel(logging.ERROR)
        registry = RecognizerRegistry(
            recognizers=[*recognisers(wanted & FOUND_BY_PATTERN), *_by_model(by_model)], supported_languages=[LANGUAGE]
        )
        self._kinds = {entity: kind for kind, entity in by_model.items()} | {kind: kind for kind in FOUND_BY_PATTERN}
        self._none = not wanted
        self._engine = AnalyzerEngine(
            registry=registry,
            nlp_engine=_Words(_model() if by_model else spacy.blank(LANGUAGE)),
            supported_languages=[LANGUAGE],
            default_score_threshold=_THRESHOLD,
            context_aware_enhancer=LemmaContextAwareEnhancer(
                context_prefix_count=_WORDS_BEFORE,
                context_suffix_count=_WORDS_AFTER,
                context_matching_mode="whole_word",
            ),
        )

    def find(self, text: str) -> list[Found]:
        """Return what is found, in order, without overlaps."""
        if self._none or not text.strip():
            return []
        results = self._engine.analyze(text, LANGUAGE)
        return apart(
            Found(self._kinds[one.entity_type], one.start, one.end) for one in results if not _of_others(text, one)
        )


def _of_others(text: str, one: RecognizerResult) -> bool:
    """Tell whether the nearest word that says what a number is, says that it is something else."""
    if one.entity_type in _PROOF or one.entity_type in _BY_MODEL.values():
        return False
    own = WORDS.get(one.entity_type, ())
    before = [word.strip(".,:;#()[]'\"").lower() for word in text[max(0, one.start - 80) : one.start].split()]
    for word in reversed(before[-_WORDS_BEFORE:]):
        if word in own:
            return False
        if word in OTHERS:
            return True
    return False


def _by_model(kinds: dict[str, str]) -> list[Any]:
    if not kinds:
        return []
    return [SpacyRecognizer(supported_language=LANGUAGE, supported_entities=sorted(kinds.values()))]


def _model() -> Language:
    """Return the first installed English model that knows names."""
    for name in sorted(spacy.util.get_installed_models()):
        if name.startswith("en_"):
            return spacy.load(name)
    raise ConflictError(
        "no-model-for-names",
        "Names and addresses are to be masked, and no language model that knows them is installed.",
        "Install an English model of spaCy, or take `person` and `address` out of `mask`.",
    )
