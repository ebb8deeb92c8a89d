"""Checks that MkDocs does not make: links that leave docs/, and links in the Markdown files outside docs/.

A page links to a file of the repository by its relative path, so that the link works on GitHub too. In the book such a
link points to the repository on the web, or becomes plain text when no repository URL is configured. A link to a file
or heading that does not exist is a warning, which `mkdocs build --strict` turns into a failure.
"""

import logging
import posixpath
import re
from pathlib import Path

LOG = logging.getLogger("mkdocs.hooks.links")
ROOT = Path(__file__).resolve().parent.parent
OUTSIDE = [
    "README.md",
    "CHANGELOG.md",
    "CONTRIBUTING.md",
    "SECURITY.md",
    "events/README.md",
    "examples/subscriber/README.md",
    "shared/connect-api/README.md",
]

FENCE = re.compile(r"^ *(```|~~~).*?^ *\1 *$", re.M | re.S)
INLINE = re.compile(r"(?<!!)\[((?:[^\[\]]|\[[^\]]*\])*)\]\(([^()\s]+)\)")
REFERENCE = re.compile(r"^\[([^\]]+)\]: +(\S+) *$", re.M)
IMAGE = re.compile(r"!\[[^\]]*\]\(([^()\s]+)\)|<img[^>]* src=\"([^\"]+)\"")
# A block that a test compares with a file: ```rust fourth/wire.rs
NAMED_FENCE = re.compile(r"^( *```)(\w+) +([\w./-]+)$", re.M)
HEADING = re.compile(r"^#{1,6} +(.+?) *$", re.M)


def on_pre_build(config):
    for name in OUTSIDE:
        text = FENCE.sub("", (ROOT / name).read_text(encoding="utf-8"))
        targets = [link for _, link in INLINE.findall(text) + REFERENCE.findall(text)]
        targets += [link for pair in IMAGE.findall(text) for link in pair if link]
        for link in targets:
            if not _is_web(link):
                _check(name, link)


def on_page_markdown(markdown, page, config, files):
    name = f"docs/{page.file.src_uri}"

    def replaced(label, link):
        """The link as the book shows it, or None when MkDocs handles it."""
        if _is_web(link) or link.startswith("#"):
            return None
        path = _check(name, link, heading_too=False)
        if path is None or path == "docs" or path.startswith("docs/"):
            return None
        if not config.repo_url:
            return ""
        kind = "tree" if (ROOT / path).is_dir() else "blob"
        return f"{config.repo_url.rstrip('/')}/{kind}/main/{path}"

    def inline(match):
        target = replaced(*match.groups())
        if target is None:
            return match.group(0)
        return f"[{match.group(1)}]({target})" if target else match.group(1)

    references = {}

    def reference(match):
        target = replaced(*match.groups())
        if target is None:
            return match.group(0)
        references[match.group(1)] = target
        return f"[{match.group(1)}]: {target}" if target else ""

    parts = _split_fences(markdown)
    parts = [part if is_code else REFERENCE.sub(reference, INLINE.sub(inline, part)) for is_code, part in parts]
    text = NAMED_FENCE.sub(r'\1 { .\2 title="\3" }', "".join(parts))
    for label, target in references.items():
        if not target:
            text = re.sub(r"\[((?:[^\[\]])*)\]\[" + re.escape(label) + r"\]", r"\1", text)
    return text


def _split_fences(text):
    at = 0
    for match in FENCE.finditer(text):
        yield False, text[at : match.start()]
        yield True, match.group(0)
        at = match.end()
    yield False, text[at:]


def _is_web(link):
    return re.match(r"[a-z][a-z0-9+.-]*:", link) is not None


def _check(source, link, heading_too=True):
    """The repository path that `link` in the file `source` names; a warning when it does not exist."""
    target, _, anchor = link.partition("#")
    path = posixpath.normpath(posixpath.join(posixpath.dirname(source), target)) if target else source
    if path.startswith("..") or not (ROOT / path).exists():
        LOG.warning("%s links to '%s', and there is no %s in the repository", source, link, path)
        return None
    if heading_too and anchor and path.endswith(".md"):
        text = FENCE.sub("", (ROOT / path).read_text(encoding="utf-8"))
        if anchor not in {_slug(heading) for heading in HEADING.findall(text)}:
            LOG.warning("%s links to '%s', and %s has no such heading", source, link, path)
    return path


def _slug(heading):
    text = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading).replace("`", "")
    return re.sub(r"[\s]+", "-", re.sub(r"[^\w\s-]", "", text).strip().lower())
