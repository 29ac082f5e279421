"""What runs inside the sandbox. Standard library only: nothing else can be imported there (import-linter checks it)."""
