"""Which paths there are to be reached at all. Gradio brings many that this page never uses: those are closed."""

import re

# Of Gradio's own routes those by which the page and gradio_client live. Not: upload, file=, proxy=, stream, run, runs,
# component_server, deep_link, dev, vibe-..., custom_component, monitoring, profiling.
_GRADIO = re.compile(
    r"/|/config/?|/theme\.css|/robots\.txt|/(?:assets|static)/.{1,200}"
    r"|/gradio_api/(?:info/?|theme\.css|startup-events|reset/?|cancel|heartbeat/[\w-]+"
    r"|queue/(?:join|data)|call/ask(?:/[\w-]+)?)",
    re.ASCII,
)
_OURS = re.compile(r"/(?:api|page)/.+|/healthz|/favicon\.ico|/mcp", re.DOTALL)
_LOGIN = ("/login", "/logout")
_BEFORE_LOGIN = re.compile(r"/healthz|/favicon\.ico|/login|/page/(?:page|login)\.css")
_HEAVY_TO_READ = re.compile(r"/(?:api|page)/(?!(?:[\w-]+\.(?:css|js|svg))$).*", re.DOTALL)
# Bytes of a body, by the beginning of its path; the first that fits. Whatever reads the body may allow less.
_LARGEST = (("/page/evaluate/", 11_000_000), ("/page/", 100_000_000), ("/login", 10_000), ("/", 2_000_000))


def is_open(path: str, *, shut: bool) -> bool:
    """Whether there is anything for clients at a path; ``shut``: of a server where one has to log in."""
    return bool(_OURS.fullmatch(path) or _GRADIO.fullmatch(path)) or (shut and path in _LOGIN)


def is_public(path: str) -> bool:
    """Whether a path can be reached by whoever has not logged in."""
    return bool(_BEFORE_LOGIN.fullmatch(path))


def counts(method: str, path: str) -> bool:
    """Whether a request counts against a client's limit: it makes work, unlike the files of the page."""
    return method not in ("GET", "HEAD") or bool(_HEAVY_TO_READ.fullmatch(path))


def largest_body(path: str) -> int:
    """The most bytes that a request to a path may carry."""
    return next(most for beginning, most in _LARGEST if path.startswith(beginning))
