"""Names and texts that C accepts, made from any names of columns and classes."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable

# Keywords of C99 and C++, and main; a model cannot have such a name.
KEYWORDS = frozenset(
    """
    alignas alignof and and_eq asm auto bitand bitor bool break case catch char class compl const constexpr continue
    decltype default delete do double else enum explicit export extern false float for friend goto if inline int long
    main mutable namespace new noexcept not not_eq nullptr operator or or_eq private protected public register
    restrict return short signed sizeof static struct switch template this throw true try typedef typeid typename
    union unsigned using virtual void volatile wchar_t while xor xor_eq
    """.split()  # noqa: SIM905
)
# What else a member of a struct cannot be called: keywords since C++11 and C23, and macros of compilers by themselves.
MACROS_AND_LATER = frozenset(
    """
    char16_t char32_t char8_t co_await co_return co_yield concept consteval constinit errno far i386 linux near requires
    static_assert thread_local typeof typeof_unqual unix
    """.split()  # noqa: SIM905
)
# Names of headers that a compiler may look for in the folder of the model's own header.
HEADERS = frozenset(
    """
    arduino assert complex ctype errno features fenv float inttypes iso646 limits locale math newlib setjmp signal
    stdarg stdbool stddef stdint stdio stdlib string tgmath time wchar wctype
    """.split()  # noqa: SIM905
)
LONGEST = 40
MARK = "Written by neuraltree"  # stands at the start of every exported text


def check_name(name: str) -> str:
    """The model's name, if C functions can have it; ``ValueError`` says which names are allowed."""
    if not re.fullmatch(r"[A-Za-z][A-Za-z0-9_]{0,39}", name) or _taken(name):
        raise ValueError(
            f"{name!r} cannot be the name of C functions; use a letter, then letters, digits or _, at most {LONGEST} "
            "in all, no keyword of C or C++, no standard header, not starting with nt_"
        )
    return name


def _taken(name: str) -> bool:
    return name in KEYWORDS or name.lower() in HEADERS or name.startswith("nt_")


def name_from(text: str) -> str:
    """A model name made from the name of a folder or a file: ``003`` becomes ``model_003``."""
    words = re.sub(r"[^A-Za-z0-9]+", "_", text).strip("_")[:30]
    plain = words if words[:1].isalpha() else f"model_{words}".rstrip("_")
    return f"model_{plain}" if _taken(plain) else plain


def constants(prefix: str, names: Iterable[object], taken: Collection[str] = ()) -> list[str]:
    """An enum constant for each name: ``PREFIX_PETAL_WIDTH_CM``; all differ, and none is ``taken``."""
    made: list[str] = []
    for position, name in enumerate(names):
        word = re.sub(r"[^A-Z0-9]+", "_", str(name).upper()).strip("_")[:LONGEST]
        constant = f"{prefix}_{word}" if word else f"{prefix}_{position}"
        while constant in made or constant in taken:
            constant = f"{constant}_AT_{position}"
        made.append(constant)
    return made


def members(names: Iterable[object]) -> list[str]:
    """A member of a struct for each name: ``petal_width_cm``; all differ, and none is a keyword or a macro."""
    made: list[str] = []
    for position, name in enumerate(names):
        word = re.sub(r"[^a-z0-9]+", "_", str(name).lower()).strip("_")[:LONGEST]
        member = f"x_{word}" if not word[:1].isalpha() or word in KEYWORDS | MACROS_AND_LATER else word
        while member in made:
            member = f"{member}_at_{position}"
        made.append(member)
    return made


def comment(text: object) -> str:
    """The text in a form that is safe in a C comment: printable ASCII that ends no comment and starts no trigraph."""
    plain = str(text).encode("ascii", "replace").decode()
    plain = "".join(letter if letter.isprintable() and letter != "\\" else " " for letter in plain)
    return re.sub(r"\?{2,}", "?", plain.replace("*/", "* /").replace("/*", "/ *"))[:80].strip()
