"""Tools of the run itself: plan, notes and recall, asking the person, handing a goal to a child run."""
