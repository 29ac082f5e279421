"""`outrider chat`: one run with many goals, given one after the other by a person."""
