"""The page: answers, citations and articles as escaped HTML, in the reader's language. Importing it costs nothing."""

from qa.page.words import fixed

__all__ = ["fixed"]
