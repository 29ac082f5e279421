"""What the commands that list, find and total runs do, apart from reading their flags: importing it imports no typer."""
