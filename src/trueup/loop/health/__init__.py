"""The health of the model behind a workflow: drift, calibration, groups; each typed as unknown where it is."""
