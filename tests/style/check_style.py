#!/usr/bin/env python3
"""House rules that no compiler or formatter checks. Prints every violation as file:line: rule; exits 1 if there is one.

check_style.py [ROOT]
"""
import os
import re
import sys

MAX_FILE_LINES = 600
MAX_FUNCTION_LINES = 120
# path or path:function -> why it may be longer
LONG = {
    # A table of data: one attempt for each refusal.
    "quarry/rollup/reject_test.cpp:RejectCode",
}

CODE = (".hpp", ".cpp")
TEXT = CODE + (".py", ".sh", ".md", ".txt", ".json", ".cmake", ".sol", "run")
SKIPPED_FOLDERS = {".git", "out", ".cache", "node_modules", "__pycache__"}

UNFINISHED = re.compile(r"\b(TO" r"DO|FIX" r"ME)\b")
MACHINE_PATH = re.compile(r"(?<![\w.])/(home|root|work|Users)/\w")
INCLUDE = re.compile(r'^\s*#\s*include\s+(["<])([^">]+)')
CITATION = re.compile(r"(?<!\w)\[([A-Z][A-Za-z+-]*\d{2}[a-z]?)(?:[ ,][^\]]*)?\](?!\()")
LINK = re.compile(r"\]\((?!https?:|mailto:|#)([^)#\s]+)")
TEMPLATE = re.compile(r"template\s*<(?:[^<>]|<[^<>]*>)*>")
NOT_A_FUNCTION = re.compile(r"\b(namespace|class|struct|enum|union|extern|concept)\b|=\s*$")
IGNORED = re.compile(r'//[^\n]*|/\*.*?\*/|R"(\w*)\(.*?\)\1"|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n]){1,4}\'|'
                     r"^[ \t]*#(?:[^\n]*\\\n)*[^\n]*", re.S | re.M)

# The map of attacks names the tests that try them.
TEST_MAP = "tests/adversary/README.md"
CODE_SPAN = re.compile(r"`([^`]+)`")
GOOGLE_TEST = re.compile(r"\b(?:TEST(?:_F|_P)?|TYPED_TEST|RC_GTEST_(?:FIXTURE_)?PROP)\(\s*(\w+),\s*(\w+)")
OTHER_TEST = re.compile(r"\b(?:function|def) ((?:test|invariant)\w*)")

violations = []


def report(path, line, rule):
    violations.append(f"{path}:{line}: {rule}")


def text_files():
    for folder, folders, names in os.walk("."):
        folders[:] = sorted(f for f in folders if f not in SKIPPED_FOLDERS and not f.startswith("build"))
        for name in sorted(names):
            if name.endswith(TEXT):
                yield os.path.relpath(os.path.join(folder, name))


def functions(source):
    """(name, first line, number of lines) of every outermost C++ function body. A heuristic: counts braces outside of
    comments, strings and preprocessor lines; a function is a brace after a parameter list."""
    source = IGNORED.sub(lambda m: "\n" * m.group().count("\n"), source)
    stack, header, line, header_line, inside = [], "", 1, 1, 0
    for c in source:
        if c == "\n":
            line += 1
        if c == "{":
            header = TEMPLATE.sub("", header)
            name = re.search(r"([\w~]+|operator\S+?)\s*\(", header)
            is_function = not inside and name is not None and not NOT_A_FUNCTION.search(header)
            stack.append((name.group(1), header_line) if is_function else None)
            inside += is_function
        elif c == "}" and stack:
            opened = stack.pop()
            if opened:
                inside -= 1
                yield opened[0], opened[1], line - opened[1] + 1
        if c in "{};":
            header, header_line = "", line
        else:
            if not header.strip():
                header_line = line
            header += c


def check_code(path, source, lines):
    stem = os.path.basename(path)[:-len(".cpp")]
    if path.endswith("_test.cpp") and not re.search(rf"^namespace quarry[\w:]*::{stem} {{$", source, re.M):
        report(path, 1, f"a test has a namespace of its own, named like the file: ..::{stem}")
    if path.endswith(".hpp") and not path.endswith("-inl.hpp") and "#pragma once" not in lines:
        report(path, 1, "a header starts with #pragma once")
    for number, line in enumerate(lines, 1):
        include = INCLUDE.match(line)
        if not include:
            continue
        quote, target = include.groups()
        if quote == "<" and target.startswith("quarry/"):
            report(path, number, 'our headers are included in quotes: "quarry/..."')
        if quote == '"' and not target.startswith("hwy/") and not os.path.isfile(target):
            report(path, number, f'"{target}" is not a path from the repository root')
    for name, first, length in functions(source):
        if length > MAX_FUNCTION_LINES and f"{path}:{name}" not in LONG:
            report(path, first, f"{name} has {length} lines (limit {MAX_FUNCTION_LINES})")


def comments(path, lines):
    """(line number, text) of what may cite: all of a document, the comments of code."""
    for number, line in enumerate(lines, 1):
        if path.endswith(".md"):
            yield number, line
        else:
            mark = "//" if path.endswith(CODE) else "#"
            yield number, line.partition(mark)[2]


def check_test_map(sources):
    """Every test that the map names is there: Suite.Test, .Test of the suite before, Suite.*, test_name (or how it begins)."""
    tests, others = set(), set()
    for path, source in sources.items():
        if path.endswith(".cpp"):
            tests.update(GOOGLE_TEST.findall(source))
        elif path.endswith((".py", ".sol")):
            others.update(OTHER_TEST.findall(source))
    suites = {suite for suite, _ in tests}
    for number, line in enumerate(sources[TEST_MAP].split("\n"), 1):
        suite = ""
        for span in CODE_SPAN.findall(line) if line.startswith("| ") else ():
            if span.startswith(("test", "invariant")) and span.isidentifier():
                found = any(name == span or name.startswith(span + "_") for name in others)
            elif re.fullmatch(r"\w*\.\w+|\w+\*?\.\*", span) and not span.endswith((".py", ".cpp", ".hpp", ".sol")):
                named, test = span.split(".")
                suite = named or suite
                found = any(s.startswith(suite.rstrip("*")) for s in suites) if test == "*" else (suite, test) in tests
            else:
                continue
            if not found:
                report(TEST_MAP, number, f"there is no test {span}")


def main():
    os.chdir(sys.argv[1] if len(sys.argv) > 1 else os.path.join(os.path.dirname(os.path.abspath(__file__)), "../.."))
    bibliography = "docs/bibliography.md"
    known = None
    if os.path.isfile(bibliography):
        with open(bibliography, encoding="utf-8") as file:
            known = set(re.findall(r"[A-Za-z0-9+-]+", file.read()))
    else:
        print(f"note: no {bibliography}: citations are not checked")

    sources = {}
    for path in text_files():
        with open(path, encoding="utf-8") as file:
            source = sources[path] = file.read()
        lines = source.split("\n")
        if path.endswith(CODE + (".py", ".sh")) and len(lines) > MAX_FILE_LINES and path not in LONG:
            report(path, len(lines), f"the file has {len(lines)} lines (limit {MAX_FILE_LINES})")
        for number, line in enumerate(lines, 1):
            if UNFINISHED.search(line):
                report(path, number, "unfinished work has no place in the tree")
            if MACHINE_PATH.search(line):
                report(path, number, "a path of one machine")
        if path.endswith(CODE):
            check_code(path, source, lines)
        if path.endswith(".md"):
            for number, line in enumerate(lines, 1):
                for target in LINK.findall(line):
                    if not os.path.exists(os.path.join(os.path.dirname(path), target)):
                        report(path, number, f"the link {target} leads nowhere")
        if known is not None and path != bibliography and path.endswith(CODE + (".py", ".md")):
            for number, text in comments(path, lines):
                for key in CITATION.findall(text):
                    if key not in known:
                        report(path, number, f"[{key}] is not in {bibliography}")

    if TEST_MAP in sources:
        check_test_map(sources)
    for key in LONG:
        if not os.path.isfile(key.split(":")[0]):
            report("tests/style/check_style.py", 1, f"LONG names {key}, which is gone")
    print("\n".join(violations + [f"style: {len(sources)} files, {len(violations)} violations"]))
    sys.exit(1 if violations else 0)


if __name__ == "__main__":
    main()
