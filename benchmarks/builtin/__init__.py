"""Natural goals for the built-in models, the tools and files they meet, and the score: right, said so, wrong."""
