"""Home languages as student systems write them, as the codes we write."""

import re

_NAMES = {
    "en": "eng english",
    "es": "spa spanish español espanol castilian",
    "hmn": "hmong mww hnj hmv blu hmoob",
    "so": "som somali soomaali",
    "vi": "vie vietnamese",
    "ru": "rus russian русский",
    "ar": "ara arabic arb العربية",
    "om": "orm oromo gaz afaan-oromo afaan-oromoo",
    "sw": "swa swh swahili kiswahili",
    "fr": "fra fre french français",
    "de": "deu ger german",
    "pt": "por portuguese",
    "zh": "zho chi cmn chinese mandarin",
    "ko": "kor korean",
    "ja": "jpn japanese",
    "hi": "hin hindi",
    "ur": "urd urdu",
    "te": "tel telugu",
    "ta": "tam tamil",
    "ne": "nep nepali",
    "my": "mya bur burmese",
    "km": "khm khmer cambodian",
    "lo": "lao laotian",
    "th": "tha thai",
    "tl": "tgl fil tagalog filipino",
    "uk": "ukr ukrainian",
    "pl": "pol polish",
    "am": "amh amharic",
    "ti": "tir tigrinya",
    "fa": "fas per farsi persian dari prs",
    "ps": "pus pushto pashto",
    "yo": "yor yoruba",
    "ig": "ibo igbo",
    "kar": "ksw karen s'gaw-karen",
}
_CODES = {
    word.replace("-", " "): code
    for code, words in _NAMES.items()
    for word in [code, *words.split()]
} | {"liberian english": "en"}
_PLAUSIBLE = re.compile(r"[a-z]{2,3}(-[a-z0-9]{2,4})?")


def language_of(text: str) -> tuple[str | None, bool]:
    """(code of at most 8 letters or None, whether it is a language we know).

    Takes ISO 639-1, -2 and -3 codes with or without a region, and English names.
    An unknown but well-formed code is kept as given.
    """
    word = text.strip().lower().replace("_", "-")
    plain = word.replace("-", " ")
    for candidate in (plain, plain.partition(" ")[0], re.split(r"[;,/(]", plain)[0]):
        if code := _CODES.get(candidate.strip()):
            return code, True
    if _PLAUSIBLE.fullmatch(word):
        return word, False
    return None, False
