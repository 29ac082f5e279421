"""What an answer says: which observation bears out each of its claims, and whether it says that it reached the goal."""
