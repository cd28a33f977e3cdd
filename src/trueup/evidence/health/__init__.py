"""Whether a model still meets the cases it was made for, says how sure it is truly, and treats groups alike."""
