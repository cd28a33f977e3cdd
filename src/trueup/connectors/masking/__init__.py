"""What finds personal data: Presidio with recognisers for British and European formats."""
