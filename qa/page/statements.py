"""What a language model wrote, as HTML: sentences with their citations, those without support plainly marked.

The model's text is escaped like everything else; only numbers that were checked to be citations become ones.
"""

from collections.abc import Callable, Iterable
from dataclasses import replace

from qa.answer import Answer, Citation, Statement
from qa.page.marks import attribute, escape
from qa.page.words import Words

Chips = Callable[[Iterable[Citation], Words], str]


def is_writing(answer: Answer) -> bool:
    """Whether the model has not finished yet."""
    return answer.llm is not None and answer.llm.state == "writing"


def stopped(answer: Answer) -> Answer:
    """What there is of an answer whose reader has stopped the model."""
    return replace(answer, llm=replace(answer.llm, state="written", draft="")) if answer.llm else answer


def in_prose(answer: Answer) -> bool:
    """Whether the answer is the model's, and not made of quotes."""
    return bool(answer.statements) or is_writing(answer)


def render_statements(answer: Answer, words: Words, chips: Chips) -> str:
    """The sentences so far, the one that is being written, and who wrote them."""
    if answer.llm is None:
        return ""
    by_number = {citation.n: citation for citation in answer.citations}
    sentences = [_statement(each, by_number, words, chips) for each in answer.statements]
    if answer.llm.draft:
        sentences.append(f'<span class="pc-draft">{escape(answer.llm.draft)}</span>')
    body = f'<p class="pc-prose" dir="auto"{attribute("lang", answer.language)}>{" ".join(sentences)}</p>'
    if is_writing(answer):
        by = f'<p class="pc-note pc-busy">{escape(words.say("st_writing", model=answer.llm.model))}</p>'
    else:
        by = f'<p class="pc-note pc-by">{escape(words.say("st_by", model=answer.llm.model))}</p>'
    return f'<div class="pc-statements">{body if sentences else ""}{by}</div>'


def render_remarks(answer: Answer, words: Words) -> str:
    """How a follow-up was understood, and why an answer is not the model's, or not all of it."""
    remarks = ""
    if answer.rewritten:
        remarks += (
            f'<p class="pc-note pc-rewritten" dir="auto">{_understood("st_rewritten", answer.rewritten, words)}</p>'
        )
    if answer.context:
        alone = f'<button type="button" class="pc-link pc-alone">{escape(words.say("ask_alone"))}</button>'
        about = _understood("st_about", answer.context[-1], words)
        remarks += f'<p class="pc-note pc-rewritten" dir="auto">{about} {alone}</p>'
    if answer.llm and answer.llm.fault:
        said = words.say(f"llm_{answer.llm.fault}")
        remarks += f'<p class="pc-note pc-fallback"{attribute("lang", words.language)}>{escape(said)}</p>'
    return remarks


def _understood(key: str, question: str, words: Words) -> str:
    before, after = words.say(key, question="\0").split("\0")
    return f'{escape(before)}<q class="pc-earlier" dir="auto">{escape(question)}</q>{escape(after)}'


def _statement(statement: Statement, by_number: dict[int, Citation], words: Words, chips: Chips) -> str:
    cited = chips([by_number[n] for n in statement.citations if n in by_number], words)
    text = escape(statement.text)
    if statement.supported:
        return f'<span class="pc-statement">{text}{cited}</span>'
    why = words.say(f"st_why_{statement.reason}")
    flag = (
        f'<span class="pc-flag"{attribute("lang", words.language)}{attribute("title", why)}>'
        f'{escape(words.say("st_unsupported"))}<span class="pc-hidden">: {escape(why)}</span></span>'
    )
    return f'<span class="pc-statement pc-unsupported"><span class="pc-doubt">{text}</span>{cited}{flag}</span>'
