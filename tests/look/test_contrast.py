"""Every colour pair people read is legible, in the light and in the dark scheme."""

import re
from pathlib import Path

import pytest

CSS = Path(__file__).resolve().parents[2] / "static" / "css"
STATUSES = ("ok", "warn", "bad", "idle", "uncertain")
PROTOCOLS = ("hold", "secure", "lockdown", "evacuate", "shelter")
GROUNDS = ("paper", "wash", "wash-2")

TEXT_PAIRS = [
    *((ink, ground) for ink in ("ink", "ink-2") for ground in GROUNDS),
    *((ink, "paper") for ink in ("brand", "brand-dark", *STATUSES, *PROTOCOLS)),
    *((ink, "wash") for ink in ("brand", "bad")),
    ("brand", "wash-2"),
    ("brand", "brand-wash"),
    *((name, f"{name}-wash") for name in STATUSES),
    *(("ink", f"{name}-wash") for name in (*PROTOCOLS, "bad", "warn")),
    *(("ink-2", f"{name}-wash") for name in PROTOCOLS),
    *(("on-fill", f"{name}-fill") for name in (*STATUSES, *PROTOCOLS)),
    ("on-brand", "brand"),
    ("on-nav", "nav"),
    ("on-nav", "idle-fill"),
    ("stripe-ink", "stripe"),
]
EDGE_PAIRS = [
    ("edge", "paper"),
    ("edge", "wash"),
    ("focus", "paper"),
    ("focus", "wash"),
    ("ok-fill", "paper"),
    ("bad-fill", "paper"),
    ("ok-fill", "wash"),
    ("bad-fill", "wash"),
    *((f"{name}-fill", "paper") for name in PROTOCOLS),
]
Scheme = dict[str, str]


def make_schemes(css: str) -> dict[str, Scheme]:
    """The colour tokens of a style sheet: `light`, and `dark` with light behind it."""
    before, _, rest = css.partition("@media screen and (prefers-color-scheme: dark)")
    # The dark block ends where its own brace does: at the first "}" followed by "}".
    dark_block = re.split(r"\}\s*\}", rest, maxsplit=1)[0]
    light, dark = colours(before), colours(dark_block)
    assert light, "no light tokens found"
    assert dark, "no dark tokens found"
    return {"light": light, "dark": light | dark}


def colours(css: str) -> Scheme:
    """Token name -> six hex digits."""
    found = re.findall(r"--([a-z0-9-]+):\s*#([0-9a-fA-F]{6}|[0-9a-fA-F]{3})\s*;", css)
    return {
        name: value if len(value) == 6 else "".join(digit * 2 for digit in value)
        for name, value in found
    }


def contrast(one: str, other: str) -> float:
    """The contrast ratio, 1 to 21, of two colours of six hex digits (WCAG 2.1)."""
    lighter, darker = sorted((luminance(one), luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def luminance(colour: str) -> float:
    """Relative luminance, 0 to 1 (WCAG 2.1)."""
    red, green, blue = (
        channel / 12.92 if channel <= 0.04045 else ((channel + 0.055) / 1.055) ** 2.4
        for channel in (int(colour[i : i + 2], 16) / 255 for i in (0, 2, 4))
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


SCHEMES = make_schemes((CSS / "tokens.css").read_text())


def test_black_on_white_is_twenty_one_to_one():
    assert contrast("000000", "ffffff") == pytest.approx(21)
    assert contrast("767676", "ffffff") == pytest.approx(4.54, abs=0.01)


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize(("ink", "ground"), TEXT_PAIRS)
def test_text_stands_out_from_its_ground(scheme, ink, ground):
    tokens = SCHEMES[scheme]
    assert contrast(tokens[ink], tokens[ground]) >= 4.5


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize(("edge", "ground"), EDGE_PAIRS)
def test_edges_of_what_can_be_pressed_are_visible(scheme, edge, ground):
    tokens = SCHEMES[scheme]
    assert contrast(tokens[edge], tokens[ground]) >= 3


@pytest.mark.parametrize("scheme", SCHEMES)
def test_the_public_pages_use_the_same_colours(scheme):
    public = make_schemes((CSS / "public.css").read_text())[scheme]
    assert public.items() <= SCHEMES[scheme].items()
