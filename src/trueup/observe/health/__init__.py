"""What the log says of the model behind a workflow: its inputs, its answers, and what reviewers made of them."""
