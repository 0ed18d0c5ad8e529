"""On which line of a TOML file a table or a key begins, for errors people can find."""

import re

Path = tuple[str | int, ...]

_HEADER = re.compile(r"^\s*(\[\[?)\s*([^\]]+?)\s*\]\]?\s*(#.*)?$")
_KEY = re.compile(r"^\s*([A-Za-z0-9_\-]+|\"[^\"]*\")\s*=\s*(.*)$")
_QUOTES = ('"""', "'''")


class Lines:
    """The lines of one file's tables and keys.

    A path is what leads to a value, such as ("rule", 2, "count"): the third `[[rule]]`,
    its `count`. What stands in an inline table has the line of its key.
    """

    def __init__(self, text: str) -> None:
        self._found: dict[Path, int] = {(): 1}
        self._arrays: dict[tuple[str, ...], int] = {}
        table: Path = ()
        closing = ""
        depth = 0
        for at, line in enumerate(text.splitlines(), start=1):
            if closing:
                if closing in line:
                    closing = ""
                continue
            if depth > 0:
                depth += _brackets(line)
                continue
            header = _HEADER.match(line)
            if header:
                table = self._open(header[2], array=header[1] == "[[")
                self._found.setdefault(table, at)
                continue
            key = _KEY.match(line)
            if key is None:
                continue
            self._found.setdefault((*table, key[1].strip('"')), at)
            value = key[2]
            for quote in _QUOTES:
                if value.startswith(quote) and quote not in value[3:]:
                    closing = quote
            if not closing:
                depth = _brackets(value)

    def of(self, path: Path) -> int:
        """The line of the longest part of `path` that stands in the file."""
        while path not in self._found:
            path = path[:-1]
        return self._found[path]

    def _open(self, dotted: str, *, array: bool) -> Path:
        names = tuple(part.strip().strip('"') for part in dotted.split("."))
        if array:
            self._arrays[names] = self._arrays.get(names, -1) + 1
            # A new [[rule]] begins its own [[rule.…]] again.
            for other in [key for key in self._arrays if key[: len(names)] == names]:
                if other != names:
                    del self._arrays[other]
        path: list[str | int] = []
        for length in range(1, len(names) + 1):
            path.append(names[length - 1])
            if names[:length] in self._arrays:
                path.append(self._arrays[names[:length]])
        return tuple(path)


def _brackets(text: str) -> int:
    """How many more square brackets open than close, outside quotes and comments."""
    bare = re.sub(r"\"(\\.|[^\"\\])*\"|'[^']*'|#.*", "", text)
    return bare.count("[") - bare.count("]")
