"""``root`` and ``rotate``: new versions of the root, key by key, holder by holder. See docs/ceremony.md."""

from __future__ import annotations

import os
from argparse import Namespace
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final, get_args

from onestop_sync import publisher
from onestop_sync.errors import InvalidInput, WrongPassphrase
from onestop_sync.keys import SigningKey, fingerprint, is_valid_key
from onestop_sync.publication import Publication
from onestop_sync.root_draft import RootDraft, read_root
from server_stub import publish_commands, publishing, settings
from server_stub.console import confirm, new_secret, say, write_file
from server_stub.keyfiles import Purpose, open_key, seal_key
from server_stub.options import Verbs, add_common, add_publishing

__all__ = ["add_parsers"]

_ROOT: Final = "ONESTOP_ROOT_PASSPHRASE"


def add_parsers(verbs: Verbs) -> None:
    """Adds the commands."""
    root = verbs.add_parser("root", help="make, sign and publish a new version of the root")
    steps = root.add_subparsers(title="commands", metavar="COMMAND", required=True)
    show = steps.add_parser("show", help="show a draft in plain words; without one, what is published")
    show.add_argument("draft", metavar="DRAFT", nargs="?", help="needs no server")
    add_common(show, is_needed=False)
    show.set_defaults(run=_show)
    draft = steps.add_parser("draft", help="write what the new root shall say, for its holders to sign")
    _add_contents(draft)
    draft.add_argument("--out", metavar="DRAFT", required=True, help="where the draft goes")
    add_publishing(draft)
    add_common(draft)
    draft.set_defaults(run=_draft)
    sign = steps.add_parser("sign", help="sign a draft with one root key; needs no server and no network")
    sign.add_argument("draft", metavar="DRAFT")
    sign.add_argument("--key", metavar="FILE", required=True, help="the root key")
    sign.add_argument("--root-passphrase-file", metavar="FILE", help="its passphrase")
    sign.add_argument("--out", metavar="DRAFT", help="where the signed draft goes (default: the same file)")
    sign.add_argument("--yes", action="store_true", help="sign without asking")
    sign.add_argument("--json", action="store_true", help="print one JSON object")
    sign.set_defaults(run=_sign)
    publish = steps.add_parser("publish", help="publish a draft that is signed; copies' signatures add up")
    publish.add_argument("drafts", metavar="DRAFT", nargs="+")
    add_publishing(publish)
    add_common(publish)
    publish.set_defaults(run=_publish)
    _add_files(steps)
    _add_rotate(verbs)


def _add_contents(parser: Any) -> None:
    """Adds what a new root shall say."""
    parser.add_argument(
        "--keys",
        nargs="+",
        metavar="KEY",
        help="the root keys from now on: public halves, in hex or .pub files",
    )
    parser.add_argument(
        "--replace", nargs=2, action="append", default=[], metavar=("N", "KEY"),
        help="put KEY (hex or a .pub file) in the place of root key N; again for more",
    )  # fmt: skip
    parser.add_argument("--threshold", type=int, metavar="N", help="how many must sign from now on")
    parser.add_argument(
        "--new-online", action="store_true", help="make a new publishing key, beside the one that is there"
    )


def _add_files(steps: Verbs) -> None:
    new = steps.add_parser("new-key", help="make a new sealed root key; needs no server and no network")
    new.add_argument("file", metavar="FILE", help="the sealed key; its public half goes to FILE with .pub")
    new.add_argument("--root-passphrase-file", metavar="FILE", help="its passphrase")
    new.add_argument("--json", action="store_true", help="print one JSON object")
    new.set_defaults(run=_new_key)
    reseal = steps.add_parser(
        "reseal", help="give a key file (root, recovery or publishing) a new passphrase"
    )
    reseal.add_argument("file", metavar="FILE")
    reseal.add_argument("--root-passphrase-file", metavar="FILE", help="the passphrase so far")
    reseal.add_argument(
        "--new-passphrase-file", metavar="FILE", help="the new one (or ONESTOP_NEW_PASSPHRASE)"
    )
    reseal.add_argument("--json", action="store_true", help="print one JSON object")
    reseal.set_defaults(run=_reseal)


def _add_rotate(verbs: Verbs) -> None:
    rotate = verbs.add_parser(
        "rotate",
        help="make, sign and publish a new root in one go, where all keys are at hand",
        description="Make, sign and publish a new root in one go, where enough root keys are at hand. With"
        " nothing new it renews the root's date. Otherwise: `root draft`, `root sign`, `root publish`.",
    )
    rotate.add_argument(
        "--key", action="append", required=True, metavar="FILE", help="a root key; again for more"
    )
    rotate.add_argument(
        "--root-passphrase-file", action="append", default=[], metavar="FILE",
        help="the root keys' passphrase; or again for each key, in their order",
    )  # fmt: skip
    _add_contents(rotate)
    add_publishing(rotate)
    add_common(rotate)
    rotate.set_defaults(run=_rotate)


# ------------------------------------------------------------------------------------------- drafts


def _show(arguments: Namespace) -> None:
    if not arguments.draft:
        if not arguments.folder:
            raise InvalidInput("There is nothing to show.", todo="Name a draft, or a server's --folder.")
        publish_commands.show(arguments)
        return
    draft = _read(arguments.draft)
    say(arguments, _facts(draft), draft.words)


def _read(path: str) -> RootDraft:
    return RootDraft.parse(settings.read_file(path))


def _facts(draft: RootDraft) -> dict[str, Any]:
    after = draft.after
    return {
        "version": after.version,
        "expires_ms": after.expires_ms,
        "fingerprint": fingerprint(draft.anchor),
        "root_keys": [fingerprint(key) for key in after.keys],
        "threshold": after.threshold,
        "publishing_key": fingerprint(after.online),
        "signed_by": sorted(fingerprint(key) for key in draft.signed_by),
        "missing": draft.missing,
    }


def _draft(arguments: Namespace) -> None:
    store = settings.open_store(arguments)
    try:
        draft = _made(arguments, store.publication, store.clock())
    finally:
        store.close()
    if not arguments.dry_run:
        write_file(arguments.out, draft.data)
    done = (
        "Nothing was written." if arguments.dry_run else f"The draft is in {arguments.out}. Have it signed."
    )
    say(arguments, _facts(draft), [*draft.words, done])


def _made(arguments: Namespace, held: Publication, now_ms: int) -> RootDraft:
    """Makes a draft of what the arguments say.

    Raises:
        InvalidInput: A key is none, or named twice, or the threshold does not do.
    """
    root = read_root(held.files[held.root_name])
    keys = [_public(text) for text in arguments.keys] if arguments.keys else list(root.keys)
    for number, text in arguments.replace:
        if not (number.isdecimal() and 1 <= int(number) <= len(keys)):
            raise InvalidInput(f"There is no root key {number}: they are numbered from 1 to {len(keys)}.")
        keys[int(number) - 1] = _public(text)
    if len(set(keys)) != len(keys):
        raise InvalidInput("A root key is named twice.")
    threshold = arguments.threshold or min(root.threshold, len(keys))
    online = _next_online(arguments) if arguments.new_online else root.online
    return RootDraft.make(held, keys, threshold, online, now_ms=now_ms)


def _public(text: str) -> bytes:
    """Reads a public key: 64 hex digits, or a file whose first line they are."""
    if Path(text).exists():
        text = settings.read_file(text).decode("utf-8", errors="replace").split("\n", 1)[0]
    try:
        key = bytes.fromhex(text.strip())
    except ValueError:
        key = b""
    if not is_valid_key(key):
        raise InvalidInput(
            f"{text[:70]!r} is neither a public key in hex, nor a file that holds one.",
            todo="Nothing was changed. `root new-key FILE` makes FILE.pub.",
        )
    return key


def _next_online(arguments: Namespace) -> bytes:
    """Makes the next publishing key; one that waits already, for an earlier draft, is taken again."""
    path = publishing.next_path(arguments)
    secret = publishing.passphrase(arguments)
    if path.exists():
        return SigningKey(open_key(path, secret, "publishing")).public
    key = SigningKey(os.urandom(32))
    if not arguments.dry_run:
        seal_key(path, key.seed, secret, "publishing")
    return key.public


def _sign(arguments: Namespace) -> None:
    draft = _read(arguments.draft)
    confirm(arguments, draft.words, "Sign this?")
    key = _root_key(arguments.key, arguments.root_passphrase_file)
    signed = draft.sign(key)
    out = arguments.out or arguments.draft
    write_file(out, signed.data)
    lines = [f"Signed with {fingerprint(key.public)}. The draft is in {out}.", *signed.missing]
    say(
        arguments,
        _facts(signed),
        lines if signed.missing else [*lines, "All signatures are there: publish it."],
    )


def _root_key(path: str, passphrase_file: str | None) -> SigningKey:
    secret = settings.secret(_ROOT, passphrase_file, f"Passphrase of {path}")
    return SigningKey(open_key(Path(path), secret, "root"))


def _publish(arguments: Namespace) -> None:
    first, *others = map(_read, arguments.drafts)
    for other in others:
        first = first.merged(other)
    _finish(arguments, first)


def _rotate(arguments: Namespace) -> None:
    files = arguments.root_passphrase_file
    if len(files) not in {0, 1, len(arguments.key)}:
        raise InvalidInput("Name one passphrase file for all root keys, or one for each.")
    store = settings.open_store(arguments)
    try:
        draft = _made(arguments, store.publication, store.clock())
    finally:
        store.close()
    for key in _root_keys(arguments.key, files):
        draft = draft.sign(key)
    _finish(arguments, draft)


def _root_keys(paths: Sequence[str], files: Sequence[str]) -> Iterator[SigningKey]:
    for number, path in enumerate(paths):
        yield _root_key(path, files[number if len(files) > 1 else 0] if files else None)


def _finish(arguments: Namespace, draft: RootDraft) -> None:
    """Publishes a signed draft; the publishing key that it names takes the place of the one before."""
    root = draft.finish()
    store = settings.open_store(arguments)
    try:
        if draft.anchor != store.root:
            raise InvalidInput("The draft is of another province.")
        if draft.after.version != store.publication.root_version + 1:
            raise InvalidInput(
                f"The draft is version {draft.after.version}, and version {store.publication.root_version} is"
                " published.",
                todo="Nothing was published. Make a new draft.",
            )
        key, path = publishing.open_publishing(arguments, root)
        if not arguments.dry_run:
            confirm(arguments, draft.words, "Publish this?")
            publishing.take(store, publisher.rotate(store.publication, root, key, now_ms=store.clock()))
            if path == publishing.next_path(arguments):
                path.replace(publishing.key_path(arguments))
        facts = publish_commands.describe(store.publication, store.root, store.clock())
    finally:
        store.close()
    done = "Nothing was published." if arguments.dry_run else f"Root {facts['root_version']} is published."
    say(arguments, facts, [*draft.words, done])


# ------------------------------------------------------------------------------------------- key files


def _new_key(arguments: Namespace) -> None:
    path = Path(arguments.file)
    key = SigningKey(os.urandom(32))
    seal_key(path, key.seed, _new_root_secret(arguments, path), "root")
    public = path.with_name(path.name + ".pub")
    write_file(public, key.public.hex().encode() + b"\n")
    facts = {
        "file": str(path),
        "public_file": str(public),
        "public": key.public.hex(),
        "fingerprint": fingerprint(key.public),
    }
    say(arguments, facts, [
        f"The sealed key is in {path}; it stays with its holder.",
        f"Its public half is in {public}; bring that one to the server.",
        f"Fingerprint, to be read aloud and written down: {facts['fingerprint']}",
    ])  # fmt: skip


def _new_root_secret(arguments: Namespace, path: Path) -> str:
    found = os.environ.get(_ROOT)
    if found and not arguments.root_passphrase_file:
        return found
    return new_secret(arguments.root_passphrase_file, f"New passphrase of {path}")


def _reseal(arguments: Namespace) -> None:
    path = Path(arguments.file)
    secret = settings.secret(_ROOT, arguments.root_passphrase_file, f"Passphrase of {path} so far")
    seed, purpose = _opened(path, secret)
    seal_key(path, seed, new_secret(arguments.new_passphrase_file, "New passphrase"), purpose, replaces=True)
    say(
        arguments,
        {"file": str(path), "purpose": purpose},
        [f"{path} ({purpose} key) has the new passphrase."],
    )


def _opened(path: Path, secret: str) -> tuple[bytes, Purpose]:
    """Opens a key file, whatever it is for.

    Raises:
        WrongPassphrase: It does not open.
    """
    purpose: Purpose
    for purpose in get_args(Purpose):
        try:
            return open_key(path, secret, purpose), purpose
        except WrongPassphrase:
            continue
    raise WrongPassphrase("The passphrase does not open that key file.")
