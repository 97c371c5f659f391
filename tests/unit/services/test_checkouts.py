"""Folders: how they are known, which session is active in each, and which are trusted."""

from __future__ import annotations

import os
import stat
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from pathlib import Path

import pytest

from channelcoder_lsp.domain.errors import StorageNotWritableError
from channelcoder_lsp.services.checkouts import Checkout, Checkouts


def folder(path: Path) -> Path:
    path.mkdir(parents=True)
    return path


class TestKeys:
    """A checkout is its canonical real path."""

    def test_a_link_is_what_it_leads_to(self, tmp_path: Path):
        """One folder has one key, whichever way one comes to it."""
        real = folder(tmp_path / "real" / "shop")
        (tmp_path / "link").symlink_to(tmp_path / "real")
        assert Checkout.of(tmp_path / "link" / "shop") == Checkout.of(real)
        assert Checkout.of(real / ".." / "shop") == Checkout.of(real)

    def test_folders_have_keys_of_their_own(self, tmp_path: Path):
        """Also those that a readable name makes alike, those within each other, and those that differ in case."""
        names = ["a-b", "a_b", "a b", "A-b", "a-b/a-b", "é", "日本"]
        keys = {
            Checkout.of(folder(tmp_path / name) if not (tmp_path / name).exists() else tmp_path / name).key
            for name in names
        }
        assert len(keys) == len(names)

    def test_a_key_is_a_file_name_with_a_readable_start(self, tmp_path: Path):
        """Of any folder, also the root."""
        assert Checkout.of(folder(tmp_path / "my shop!")).key.startswith("my-shop-")
        for path in (tmp_path / "my shop!", folder(tmp_path / ("x" * 200)), folder(tmp_path / "..."), Path("/")):
            key = Checkout.of(path).key
            assert set(key) <= set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-")
            assert len(key) < 120
            assert not key.startswith((".", "-"))

    def test_a_name_that_is_not_text_has_a_key(self, tmp_path: Path):
        """File names are bytes."""
        path = Path(os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9"))
        path.mkdir()
        assert Checkout.of(path).key

    def test_session_names_go_on_and_on(self, tmp_path: Path):
        """The plainest first; of two folders of one name they differ."""
        one, two = Checkout.of(folder(tmp_path / "1" / "shop")), Checkout.of(folder(tmp_path / "2" / "shop"))
        first = list(islice(one.session_names(), 3))
        assert first[0].startswith("shop-")
        assert first[1:] == [f"{first[0]}-2", f"{first[0]}-3"]
        assert not set(first) & set(islice(two.session_names(), 3))

    def test_what_lies_in_it(self, tmp_path: Path):
        """Itself and what is below, not what merely begins like it."""
        checkout = Checkout.of(folder(tmp_path / "shop"))
        assert checkout.contains(checkout.root)
        assert checkout.contains(checkout.root / "a" / "b.py")
        assert not checkout.contains(checkout.root.parent / "shop2" / "b.py")


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    return Checkout.of(folder(tmp_path / "shop"))


@pytest.fixture
def checkouts(tmp_path: Path) -> Checkouts:
    return Checkouts(tmp_path / "state")


class TestState:
    """What is remembered survives the process."""

    def test_the_active_session(self, tmp_path: Path, checkouts: Checkouts, checkout: Checkout):
        """None at first; kept for whoever comes later; taken away again."""
        assert checkouts.active_session(checkout) is None
        checkouts.set_active_session(checkout, "work")
        assert Checkouts(tmp_path / "state").active_session(checkout) == "work"
        checkouts.set_active_session(checkout, None)
        assert Checkouts(tmp_path / "state").active_session(checkout) is None

    def test_the_active_sessions_of_all_folders(self, tmp_path: Path, checkouts: Checkouts, checkout: Checkout):
        """Also of one that is gone by now; what can't be read names none."""
        assert checkouts.active_sessions() == []
        checkouts.set_active_session(checkout, "work")
        checkouts.set_active_session(Checkout(tmp_path / "gone"), "elsewhere")
        checkouts.set_active_session(Checkout(tmp_path / "idle"), None)
        (tmp_path / "state" / "checkouts" / "torn.json").write_text("{")
        assert sorted(checkouts.active_sessions()) == ["elsewhere", "work"]

    def test_it_is_for_the_user_alone(self, tmp_path: Path, checkouts: Checkouts, checkout: Checkout):
        """Folder 0700, file 0600, no temporary file left."""
        checkouts.set_active_session(checkout, "work")
        kept = tmp_path / "state" / "checkouts"
        file, _lock = sorted(kept.iterdir())
        assert stat.S_IMODE(kept.stat().st_mode) == 0o700
        assert stat.S_IMODE(file.stat().st_mode) == 0o600

    def test_a_damaged_file_is_no_session(
        self, tmp_path: Path, checkouts: Checkouts, checkout: Checkout, caplog: pytest.LogCaptureFixture
    ):
        """It is logged; the folder starts anew."""
        checkouts.set_active_session(checkout, "work")
        (file,) = (tmp_path / "state" / "checkouts").glob("*.json")
        file.write_text("{")
        assert checkouts.active_session(checkout) is None
        assert str(file) in caplog.text
        checkouts.set_active_session(checkout, "other")
        assert checkouts.active_session(checkout) == "other"

    def test_what_others_remember_at_the_same_time_stays(self, tmp_path: Path, checkout: Checkout):
        """A folder that is trusted in one editor while another starts a session is trusted, and has the session."""
        one, two = Checkouts(tmp_path / "state"), Checkouts(tmp_path / "state")
        with ThreadPoolExecutor(2) as pool:
            for number in range(40):
                trusted = number % 2 == 0
                session = pool.submit(one.set_active_session, checkout, f"work-{number}")
                trust = pool.submit(two.set_trusted, checkout, trusted=trusted)
                session.result()
                trust.result()
                assert one.active_session(checkout) == f"work-{number}"
                assert one.is_trusted(checkout) is trusted

    def test_a_folder_that_cannot_be_written_is_named(self, tmp_path: Path, checkout: Checkout):
        """With what to do."""
        (tmp_path / "state").write_text("a file, where a folder should be")
        with pytest.raises(StorageNotWritableError, match="Make the folder writable"):
            Checkouts(tmp_path / "state").set_active_session(checkout, "work")

    def test_keys_of_a_newer_version_are_kept(self, tmp_path: Path, checkouts: Checkouts, checkout: Checkout):
        """What it does not know it does not drop."""
        checkouts.set_active_session(checkout, "work")
        (file,) = (tmp_path / "state" / "checkouts").glob("*.json")
        file.write_text(file.read_text().replace("{", '{"newer": 1, ', 1))
        checkouts.set_active_session(checkout, "other")
        assert '"newer":1' in file.read_text()


class TestTrust:
    """Trust is bound to what was trusted."""

    def test_no_folder_is_trusted_until_it_is(self, checkouts: Checkouts, checkout: Checkout):
        """And it can be taken back."""
        assert not checkouts.is_trusted(checkout)
        checkouts.set_trusted(checkout, trusted=True)
        assert checkouts.is_trusted(checkout)
        checkouts.set_trusted(checkout, trusted=False)
        assert not checkouts.is_trusted(checkout)

    def test_trust_and_the_active_session_do_not_disturb_each_other(self, checkouts: Checkouts, checkout: Checkout):
        """They are kept in one file."""
        checkouts.set_trusted(checkout, trusted=True)
        checkouts.set_active_session(checkout, "work")
        assert checkouts.is_trusted(checkout)
        checkouts.set_trusted(checkout, trusted=False)
        assert checkouts.active_session(checkout) == "work"

    @pytest.mark.parametrize(
        "name", ["CLAUDE.md", "CLAUDE.local.md", ".mcp.json", ".claude/settings.json", ".claude/agents/x.md"]
    )
    @pytest.mark.parametrize("change", ["added", "changed", "removed", "renamed"])
    def test_a_change_of_what_was_trusted_ends_it(
        self, checkouts: Checkouts, checkout: Checkout, name: str, change: str
    ):
        """As a ``git pull`` brings one; put back as it was, it is trusted again."""
        file = checkout.root / name
        file.parent.mkdir(parents=True, exist_ok=True)
        if change != "added":
            file.write_text("one")
        checkouts.set_trusted(checkout, trusted=True)
        match change:
            case "removed":
                file.unlink()
            case "renamed":
                file.rename(file.with_name("other.json"))
            case _:
                file.write_text("two")
        assert not checkouts.is_trusted(checkout)
        if change == "changed":
            file.write_text("one")
            assert checkouts.is_trusted(checkout)

    def test_code_may_change(self, checkouts: Checkouts, checkout: Checkout):
        """Only what has a say over Claude counts."""
        checkouts.set_trusted(checkout, trusted=True)
        (checkout.root / "shop.py").write_text("x = 1")
        assert checkouts.is_trusted(checkout)

    def test_what_a_linked_folder_holds_counts(self, tmp_path: Path, checkouts: Checkouts, checkout: Checkout):
        """A link in ``.claude`` is followed by Claude, so its contents are bound too."""
        elsewhere = folder(tmp_path / "elsewhere")
        (elsewhere / "x.md").write_text("one")
        (folder(checkout.root / ".claude") / "agents").symlink_to(elsewhere)
        checkouts.set_trusted(checkout, trusted=True)
        (elsewhere / "x.md").write_text("two")
        assert not checkouts.is_trusted(checkout)

    def test_a_link_in_a_circle_ends(self, checkouts: Checkouts, checkout: Checkout):
        """A hostile folder does not hang the server."""
        (folder(checkout.root / ".claude") / "again").symlink_to(checkout.root / ".claude")
        checkouts.set_trusted(checkout, trusted=True)
        assert checkouts.is_trusted(checkout)

    def test_what_cannot_be_read_cannot_be_trusted(
        self, checkouts: Checkouts, checkout: Checkout, monkeypatch: pytest.MonkeyPatch
    ):
        """And asking is not kept from working. As root every file can be read, so the fault is put in."""
        (checkout.root / "CLAUDE.md").write_text("one")
        checkouts.set_trusted(checkout, trusted=True)

        def refused(self):
            raise PermissionError(13, "Permission denied", str(self))

        monkeypatch.setattr(Path, "read_bytes", lambda self: refused(self) if self.name == "CLAUDE.md" else b"{}")
        assert not checkouts.is_trusted(checkout)


class TestLeftOut:
    """What isn't used of a folder, since it isn't trusted, is told once."""

    def test_names_what_is_there(self, checkouts: Checkouts, checkout: Checkout, caplog: pytest.LogCaptureFixture):
        """In one sentence, and in the log."""
        assert checkouts.tell_left_out(checkout) is None
        (checkout.root / "CLAUDE.md").write_text("Be brief.")
        assert checkouts.tell_left_out(checkout) == (
            "This folder is not trusted, so CLAUDE.md was not used. Trust the folder to have it used."
        )
        assert "CLAUDE.md was not used" in caplog.text

    def test_is_told_once_and_again_when_it_is_something_else(self, checkouts: Checkouts, checkout: Checkout):
        (checkout.root / "CLAUDE.md").write_text("Be brief.")
        assert checkouts.tell_left_out(checkout)
        assert checkouts.tell_left_out(checkout) is None
        (checkout.root / ".claude").mkdir()
        (checkout.root / ".claude" / "settings.json").write_text("{}")
        assert "CLAUDE.md and .claude/settings.json were not used" in (checkouts.tell_left_out(checkout) or "")

    def test_nothing_is_left_out_of_a_trusted_folder_until_it_changes(self, checkouts: Checkouts, checkout: Checkout):
        (checkout.root / "CLAUDE.md").write_text("Be brief.")
        checkouts.tell_left_out(checkout)
        checkouts.set_trusted(checkout, trusted=True)
        assert checkouts.tell_left_out(checkout) is None
        (checkout.root / "CLAUDE.md").write_text("Be evil.")
        told = checkouts.tell_left_out(checkout) or ""
        assert told.startswith("This folder changed since it was trusted, so CLAUDE.md was not used.")
        assert checkouts.tell_left_out(checkout) is None

    def test_it_does_not_disturb_the_active_session(self, checkouts: Checkouts, checkout: Checkout):
        checkouts.set_active_session(checkout, "work")
        (checkout.root / "CLAUDE.md").write_text("Be brief.")
        checkouts.tell_left_out(checkout)
        assert checkouts.active_session(checkout) == "work"

    def test_it_is_told_although_that_can_not_be_remembered(self, tmp_path: Path, checkout: Checkout):
        (tmp_path / "file").write_text("")
        (checkout.root / "CLAUDE.md").write_text("Be brief.")
        checkouts = Checkouts(tmp_path / "file")
        assert checkouts.tell_left_out(checkout)
        assert checkouts.tell_left_out(checkout)
