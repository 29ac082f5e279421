"""How events get on disk: the rows of what runs append, one transaction for one run or for all that wait."""
