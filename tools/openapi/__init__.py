"""Tools of an OpenAPI file: every operation of a web API becomes a typed tool. Reads the file; asks only that API."""
