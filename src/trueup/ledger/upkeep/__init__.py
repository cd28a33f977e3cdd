"""What keeps a log in good order while it is written: regular checkpoints, copies that are whole."""
