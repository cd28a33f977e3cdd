"""Weights of a synthetic control, by pysyncon: optional, and loaded when the first matched pilot asks for it."""

from __future__ import annotations

import importlib.util
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from trueup.decide.beside import Weigher


class SyntheticControls:
    """A Weigher: every week counts alike, weights are those of Abadie and Gardeazabal (2003) for that."""

    def weights(self, series: NDArray[np.float64], controls: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the weights; equal ones where no week tells the units apart."""
        import numpy as np
        import pandas as pd
        from pysyncon import Synth

        units = [f"unit {at}" for at in range(controls.shape[1])]
        # A week in which all are alike has no spread to be scaled by, and nothing to choose by.
        told = np.column_stack([controls, series]).std(axis=1, ddof=1) > 0
        if not told.any():
            return np.full(len(units), 1 / len(units))
        before = pd.DataFrame(controls[told], columns=units)
        followed = pd.Series(series[told], name="treated")
        model = Synth()
        model.fit(X0=before, X1=followed, Z0=before, Z1=followed, custom_V=np.ones(int(told.sum())))
        found = np.clip(np.asarray(model.W, dtype=np.float64), 0.0, None)
        shares: NDArray[np.float64] = found / found.sum()
        return shares


def weigher() -> Weigher | None:
    """Return the weigher, or None where pysyncon is not installed."""
    return SyntheticControls() if importlib.util.find_spec("pysyncon") is not None else None
