"""A second reading of GBNF grammars: characters, and sets of whole stacks.

Input: a grammar's text and bytes; output: whether a text may begin with the bytes or be
them. test_grammar.py compares its masks with those of the runtime. It is written to be
seen right, not to be fast: a stack is a chain of pairs (what comes next, the rest), all
of them are followed, and counts are unfolded one by one. Bytes become characters here;
of a character that is not complete yet, the code points it may become are looked at. A
file of its own because it shares no idea with runtime/Grammar, which works on bytes and
shared stacks.
"""

import re

TOKEN = re.compile(
    r'\s+|#[^\n]*|(?P<name>[\w-]+)(?=\s*(?P<is>::=)?)|(?P<def>::=)|(?P<lit>"(?:[^"\\]|\\.)*")'
    r'|(?P<cls>\[(?:[^\]\\]|\\.)*\])|(?P<op>[|()?*+.])'
    r'|\{(?P<least>\d+)(?P<comma>,(?P<most>\d*))?\}', re.S)
ESCAPE = re.compile(r"\\(?:x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|(.))", re.S)
LAST = 0x10FFFF


def characters(text):
    """(character, escaped or not) of a literal or a class."""
    at = 0
    while at < len(text):
        if text[at] == "\\":
            m = ESCAPE.match(text, at)
            code = next((int(g, 16) for g in m.groups()[:3] if g), None)
            yield (code if code is not None else
                   ord({"n": "\n", "r": "\r", "t": "\t"}.get(m[4], m[4]))), True
            at = m.end()
        else:
            yield ord(text[at]), False
            at += 1


class Grammar:
    """Expressions are ("chars", ranges), ("all", items), ("any", items), ("rep", item,
    least, most) and ("rule", name)."""

    def __init__(self, text):
        self.tokens = [m for m in TOKEN.finditer(text) if m.lastgroup]
        self.at, self.rules = 0, {}
        while self.at < len(self.tokens):
            name = self.tokens[self.at]["name"]
            self.at += 2
            self.rules[name] = self.alternatives()

    def peek(self, group):
        return self.tokens[self.at][group] if self.at < len(self.tokens) else None

    def alternatives(self):
        items = [self.sequence()]
        while self.peek("op") == "|":
            self.at += 1
            items.append(self.sequence())
        return items[0] if len(items) == 1 else ("any", tuple(items))

    def sequence(self):
        items = []
        while self.at < len(self.tokens) and not self.peek("is") and \
                self.peek("op") not in ("|", ")"):
            items.append(self.repeated(self.part()))
        return ("all", tuple(items))

    def part(self):
        token = self.tokens[self.at]
        self.at += 1
        if token["name"]:
            return ("rule", token["name"])
        if token["lit"]:
            return ("all", tuple(("chars", ((c, c),)) for c, _ in characters(token["lit"][1:-1])))
        if token["cls"]:
            return ("chars", self.ranges(token["cls"][1:-1]))
        if token["op"] == ".":
            return ("chars", ((0, LAST),))
        assert token["op"] == "(", token
        inner = self.alternatives()
        self.at += 1
        return inner

    def ranges(self, text):
        negated = text.startswith("^")
        all_chars, out, i = list(characters(text[negated:])), [], 0
        while i < len(all_chars):
            first = last = all_chars[i][0]
            if i + 2 < len(all_chars) and all_chars[i + 1] == (ord("-"), False):
                last, i = all_chars[i + 2][0], i + 2
            out.append((first, last))
            i += 1
        if not negated:
            return tuple(out)
        bounds = sorted(out)
        result, free = [], 0
        for first, last in bounds:
            if first > free:
                result.append((free, first - 1))
            free = max(free, last + 1)
        return tuple(result + [(free, LAST)] if free <= LAST else result)

    def repeated(self, item):
        while self.at < len(self.tokens):
            token = self.tokens[self.at]
            counts = {"?": (0, 1), "*": (0, None), "+": (1, None)}.get(token["op"])
            if token["least"]:
                least = int(token["least"])
                counts = (least, least if not token["comma"] else
                          int(token["most"]) if token["most"] else None)
            if not counts:
                break
            item = ("rep", item, *counts)
            self.at += 1
        return item


def code_points(pending):
    """What a character that begins with these bytes may be: a range, or None."""
    first = pending[0]
    for size, low, high, smallest in ((2, 0xC2, 0xDF, 0x80), (3, 0xE0, 0xEF, 0x800),
                                      (4, 0xF0, 0xF4, 0x10000)):
        if not low <= first <= high or len(pending) >= size:
            continue
        if any(byte & 0xC0 != 0x80 for byte in pending[1:]):
            return None
        ends = []
        for fill in (b"\x80", b"\xbf"):
            value = first & (0x7F >> size)
            for byte in pending[1:] + fill * (size - len(pending)):
                value = value << 6 | byte & 0x3F
            ends.append(value)
        # ED begins U+D000 to U+D7FF; what would follow are the surrogates.
        most = 0xD7FF if first == 0xED else LAST
        least, most = max(ends[0], smallest), min(ends[1], most)
        return (least, most) if least <= most else None
    return None


class Matcher:
    """A state is (stacks, bytes of an unfinished character); None: nothing fits."""

    def __init__(self, text):
        self.grammar = Grammar(text)
        self.known = {}
        self.closures = {}
        self.start = (self.closure([(("rule", "root"), None)]), b"")

    def closure(self, stacks):
        """The stacks whose first item is a class, or None for the empty stack."""
        key = frozenset(stacks)
        if key in self.closures:
            return self.closures[key]
        seen, result, waiting = set(stacks), set(), list(stacks)
        while waiting:
            stack = waiting.pop()
            if stack is None or stack[0][0] == "chars":
                result.add(stack)
                continue
            item, rest = stack
            if item[0] == "rule":
                more = [(self.grammar.rules[item[1]], rest)]
            elif item[0] == "any":
                more = [(one, rest) for one in item[1]]
            elif item[0] == "all":
                for one in reversed(item[1]):
                    rest = (one, rest)
                more = [rest]
            else:
                _, inner, least, most = item
                more = [rest] if least == 0 else []
                if most is None or most > 0:
                    left = ("rep", inner, max(least - 1, 0), None if most is None else most - 1)
                    more.append((inner, (left, rest) if left[3] != 0 else rest))
            for one in more:
                if one not in seen:
                    seen.add(one)
                    waiting.append(one)
        self.closures[key] = frozenset(result)
        return self.closures[key]

    def step(self, state, byte):
        key = (state, byte)
        if key not in self.known:
            self.known[key] = self.find_step(state, byte)
        return self.known[key]

    def find_step(self, state, byte):
        stacks, pending = state
        pending += bytes([byte])
        try:
            code = ord(pending.decode())
        except UnicodeDecodeError:
            points = code_points(pending)
            if points is None:
                return None
            low, high = points
            kept = frozenset(s for s in stacks if s is not None and any(
                a <= high and b >= low for a, b in s[0][1]))
            return (kept, pending) if kept else None
        after = [s[1] for s in stacks
                 if s is not None and any(a <= code <= b for a, b in s[0][1])]
        return (self.closure(after), b"") if after else None

    def may_end(self, state):
        return state[1] == b"" and None in state[0]


class Trie:
    """Tokens by their bytes: nested dicts, with the ids of a node under None."""

    def __init__(self, tokens):
        self.root = {}
        for i, token in enumerate(tokens):
            if token:
                node = self.root
                for byte in token:
                    node = node.setdefault(byte, {})
                node.setdefault(None, []).append(i)

    def allowed(self, matcher, state):
        """The ids of all tokens that the state can take."""
        ids, waiting = [], [(self.root, state)]
        while waiting:
            node, state = waiting.pop()
            for byte, child in node.items():
                if byte is None:
                    ids += child
                    continue
                after = matcher.step(state, byte)
                if after is not None:
                    waiting.append((child, after))
        return ids
