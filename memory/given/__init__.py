"""What a person named on the command line or in a setting, read with a bound."""
