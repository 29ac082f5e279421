"""Documents as text: PDF, Word, PowerPoint, Excel, OpenDocument, EPUB, HTML, pictures; taken apart in a child process."""
