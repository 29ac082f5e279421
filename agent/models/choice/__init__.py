"""Multiple-choice mode: any model that can only point answers questions made here. Pure functions; touches nothing."""
