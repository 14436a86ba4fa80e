"""Values that a careless writer of YAML turns into others, and strategies that make more of them."""

from __future__ import annotations

from hypothesis import strategies as st

# Texts that a careless writer turns into something else: a boolean, a number, a date, a list, a comment, an alias, a line.
TRICKY = [
    "", " ", "yes", "No", "ON", "y", "n", "true", "null", "Null", "~", "1e5", "1E5", "0x1f", "0o17", "017", "1_000",
    "12:30:00", "1.5", ".5", "-1", "+1", ".inf", ".nan", "-.INF", "nan", "inf", "e5", "2024-10-21", "2024-10-21T10:00:00Z",
    "- a", "-", "--", "---", "...", "# x", "a #b", "a: b", "a:", ":", ": a", "? a", "{{ 7*7 }}", "{% raw %}", "{a: b}", "[a]",
    "*alias", "&anchor", "!tag", "!!python/object:os.system", "|", ">", "%YAML 1.2", "@a", "`a`",
    "'", '"', "\\", "\\n", '"a": b', "=", "<<",
    "a\nb", "a\n  - b: c", "\n", "a\r\nb", "\t", "a\tb", " a", "a ", "\x00", "\x07", "\x1b[31m",
    "\x7f", "\x80", "\x85", "\x9f", "\xa0",
    "a\u2028b", "a\u2029b", "\ufeffa", "\ufffe", "\uffff", "😀", "\U0010ffff", "e\u0301", "<&'\">", "&amp;", "os.environ/X",
]  # fmt: skip

texts = st.text() | st.sampled_from(TRICKY) | st.lists(st.sampled_from(TRICKY), max_size=3).map("".join)
scalars = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | texts
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4),
    max_leaves=12,
)
