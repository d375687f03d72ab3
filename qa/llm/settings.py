"""Which language model writes the answers, if any: one frozen value, whose key is never shown."""

from dataclasses import dataclass, field
from urllib.parse import urlsplit

from index.errors import UserError

LEAST_CONTEXT = 1024  # tokens
_SCHEMES = ("http", "https")


@dataclass(frozen=True)
class LLMSettings:
    """An OpenAI-compatible server and a model on it. Raises UserError where a value cannot be right."""

    url: str  # up to and with /v1, which is added to an address without a path
    model: str
    key: str = field(default="", repr=False)
    timeout: float = 60.0  # seconds for a whole answer; its first word must come in half of them
    context: int = 4096  # tokens that prompt and answer may take together

    def __post_init__(self) -> None:
        if not self.model:
            raise UserError("--llm-url needs --llm-model: `polycite doctor` lists the models of a server")
        if not 1 <= self.timeout <= 3600:
            raise UserError(f"--llm-timeout {self.timeout:g} is out of range: give 1 to 3600 seconds")
        if self.context < LEAST_CONTEXT:
            raise UserError(f"--llm-context {self.context} is too small: give at least {LEAST_CONTEXT} tokens")

    @property
    def first_word(self) -> float:
        """Seconds until the first word must have come."""
        return self.timeout / 2

    def masked(self, text: str) -> str:
        """A text in which the key, should a server have sent it back, cannot be read."""
        return text.replace(self.key, "***") if self.key else text


def llm_settings(
    url: str | None, model: str | None, key: str | None, timeout: float, context: int
) -> LLMSettings | None:
    """The settings out of options; None where no server is named. Raises UserError where one is wrong."""
    if not url:
        if model:
            raise UserError("--llm-model needs --llm-url, the address of its server, e.g. http://127.0.0.1:11434/v1")
        return None
    return LLMSettings(check_url(url), model or "", key or "", timeout, context)


def check_url(url: str) -> str:
    """An address without its last slash; UserError where it is none, or holds a secret that logs would show."""
    try:
        parts = urlsplit(url)
        valid = parts.scheme in _SCHEMES and bool(parts.hostname) and (parts.port is None or parts.port > 0)
    except ValueError:
        valid = False
    if not valid:
        raise UserError("--llm-url is no http address: write it like http://127.0.0.1:11434/v1")
    if parts.username or parts.password or parts.query or parts.fragment:
        raise UserError("--llm-url holds more than an address: give a key by --llm-key or POLYCITE_LLM_KEY")
    return url.rstrip("/") if parts.path.strip("/") else f"{url.rstrip('/')}/v1"
