"""Files of the workspace as text: read, write, edit, list, search. Touches the workspace, by descriptors that never leave it."""
