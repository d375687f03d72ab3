"""Computes index/tables/NAME.npz, where each language lies in the encoder's space, and qa/shifts-NAME.npz.

The Declaration of Human Rights says the same in every language, so the mean vector of its passages in one language,
less the mean over all languages, is that language's own offset (see ARCHITECTURE.md). Its single sentences behind the
prompt of questions give another such offset; the difference between the two is what questions are shifted by.

usage: python benchmarks/make_tables.py UDHR_FOLDER [--model NAME] [--data FOLDER]
"""

import argparse
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from index.encoder import open_encoder
from index.passages import group_passages
from index.sentences import split_blocks, split_sentences
from index.settings import DEFAULT_MODEL, PROJECT, Settings

# Files of the Declaration (ISO 639-3) by the code that Polycite's language detector gives.
FILES = {
    "af": "afr", "am": "amh", "ar": "arb", "az": "azj_latn", "be": "bel", "bg": "bul", "bn": "ben", "bo": "bod",
    "br": "bre", "ca": "cat", "ceb": "ceb", "ckb": "ckb", "co": "cos", "cs": "ces", "cy": "cym", "da": "dan",
    "de": "deu", "dv": "div", "el": "ell_monotonic", "en": "eng", "eo": "epo", "es": "spa", "et": "est", "eu": "eus",
    "fa": "pes_1", "fi": "fin", "fr": "fra", "fy": "fri", "ga": "gle", "gd": "gla", "gl": "glg", "gu": "guj",
    "he": "heb", "hi": "hin", "hr": "hrv", "hsb": "hsb", "ht": "hat_popular", "hu": "hun", "hy": "hye", "ia": "ina",
    "id": "ind", "ilo": "ilo", "is": "isl", "it": "ita", "ja": "jpn", "jv": "jav", "ka": "kat", "kk": "kaz",
    "km": "khm", "kn": "kan", "ko": "kor", "ku": "kmr", "ky": "kir", "la": "lat", "lb": "ltz", "lo": "lao",
    "lt": "lit", "lv": "lav", "mai": "mai", "mg": "plt", "mk": "mkd", "ml": "mal", "mn": "khk", "mr": "mar",
    "ms": "ind", "mt": "mlt", "my": "mya", "nds": "nds", "ne": "nep", "nl": "nld", "no": "nob", "oc": "lnc",
    "os": "oss", "pa": "pan", "pl": "pol", "ps": "pbu", "pt": "por_PT", "qu": "quz", "rm": "roh", "ro": "ron",
    "ru": "rus", "sa": "san", "sah": "sah", "sc": "src", "si": "sin", "sk": "slk", "sl": "slv", "so": "som",
    "sq": "als", "sr": "srp_cyrl", "su": "sun", "sv": "swe", "sw": "swh", "ta": "tam", "te": "tel", "tg": "tgk",
    "th": "tha", "ti": "tir", "tk": "tuk_latn", "tl": "tgl", "tr": "tur", "tt": "tat", "ug": "uig_arab", "uk": "ukr",
    "ur": "urd", "uz": "uzn_latn", "vi": "vie", "wa": "wln", "yi": "ydd", "yo": "yor", "zh": "cmn_hans", "xh": "xho",
    "zu": "zul",
}  # fmt: skip


def main() -> None:
    """Write the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("udhr", type=Path)
    parser.add_argument("--model", default=DEFAULT_MODEL)
    parser.add_argument("--data", type=Path, default=Settings().data)
    arguments = parser.parse_args()
    encoder = open_encoder(Settings(model=arguments.model, data=arguments.data)).unadapted
    languages, passage_means, token_means, tokens = [], [], [], []
    question_means, question_token_means = [], []
    for language, file in FILES.items():
        path = arguments.udhr / f"{file}.txt"
        if not path.exists():
            print(f"left out {language}: no {path.name}")
            continue
        text = path.read_text(encoding="utf-8")
        vectors, found = encoder.encode_passages(_passages(text, language))
        states = np.concatenate([each.vectors for each in found])
        languages.append(language)
        passage_means.append(vectors.mean(0))
        token_means.append(states.mean(0))
        tokens.append(states[:: max(1, len(states) // 1000)] - token_means[-1])
        asked = [encoder.encode_question(text[s.start : s.end]) for s in split_sentences(text, language)]
        question_means.append(np.mean([vector for vector, _ in asked], axis=0))
        question_token_means.append(np.concatenate([each.vectors for _, each in asked]).mean(0))
        print(f"{language}: {len(vectors)} passages, {len(states)} tokens", flush=True)
    passages, token_table = np.stack(passage_means), np.stack(token_means)
    file = f"{Path(arguments.model).name}.npz"
    target = PROJECT / "index" / "tables" / file
    target.parent.mkdir(exist_ok=True)
    np.savez_compressed(
        target,
        languages=np.array(languages),
        passage_base=passages.mean(0).astype(np.float32),
        passage_offsets=(passages - passages.mean(0)).astype(np.float16),
        token_base=token_table.mean(0).astype(np.float32),
        token_offsets=(token_table - token_table.mean(0)).astype(np.float16),
        token_scale=np.concatenate(tokens).std(0).astype(np.float32),
    )
    print(f"{target.name}: {len(languages)} languages, {target.stat().st_size // 1024} KB")
    shifts = [_offsets(q) - _offsets(p) for q, p in ((question_means, passages), (question_token_means, token_table))]
    vector_shifts, token_shifts = (shift.astype(np.float16) for shift in shifts)
    path = PROJECT / "qa" / f"shifts-{file}"
    np.savez_compressed(path, languages=np.array(languages), vectors=vector_shifts, tokens=token_shifts)


def _offsets(means: Sequence[NDArray[np.float32]] | NDArray[np.float32]) -> NDArray[np.float32]:
    """Means [languages, dimension] less the mean over all languages."""
    table = np.stack(list(means))
    offsets: NDArray[np.float32] = table - table.mean(0)
    return offsets


def _passages(text: str, language: str) -> list[str]:
    blocks, sentences = split_blocks(text), split_sentences(text, language)
    return [text[p.span.start : p.span.end] for p in group_passages(sentences, blocks)]


if __name__ == "__main__":
    main()
