"""One module a command of `outrider`. Each only translates: parse, assemble, run, print, exit code."""
