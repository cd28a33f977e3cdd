"""All studies, in the order in which a reader needs them."""

from __future__ import annotations

from studies import automated, contrast, drift, guards, power, promises, randomised, synthetic, undrawn, watches

STUDIES = {
    module.STUDY.name: module.STUDY
    for module in (randomised, undrawn, contrast, promises, drift, power, watches, automated, guards, synthetic)
}
