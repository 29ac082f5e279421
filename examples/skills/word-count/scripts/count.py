"""The number of words of a text file, and its most frequent ones."""

import re
import sys
from collections import Counter
from pathlib import Path

words = re.findall(r"\w+", Path(sys.argv[1]).read_text(encoding="utf-8").lower())
print(len(words), "words")
for word, times in Counter(words).most_common(5):
    print(word, times)
