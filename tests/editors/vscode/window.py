"""A window of VS Code in the browser, driven as a person does: by keys and clicks."""

from __future__ import annotations

import json
import logging
import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar
from urllib.parse import urlencode

from playwright.sync_api import FrameLocator, Locator, Page, TimeoutError, expect  # noqa: A004 - its own

if TYPE_CHECKING:
    from collections.abc import Callable

    from playwright.sync_api import ViewportSize

T = TypeVar("T")
_logger = logging.getLogger(__name__)

SECONDS = 60
MILLISECONDS = SECONDS * 1000
expect.set_options(timeout=MILLISECONDS)
_TRIES = 4_000, 8_000, 16_000, 32_000
"""How long a step is waited for, in milliseconds, that a redraw of the window can undo, before it is taken again."""

_SMALL: ViewportSize = {"width": 960, "height": 700}
"""A window whose parts can be read in the walkthrough."""

_SHOWN = """() => [
  `the focus is in ${document.activeElement?.className}`,
  ...[...document.querySelectorAll(
    ".action-widget, .quick-input-widget, .monaco-hover, .monaco-editor-overlaymessage, .notification-list-item"
  )].filter((one) => one.checkVisibility()).map((one) => `${one.className}: ${one.innerText}`),
].join("\\n")"""
"""What is on top of the window, and where its keys go."""


_CONTRASTS = """(main) => {
  const canvas = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
  const painted = (colors) => {
    for (canvas.fillStyle of colors) canvas.fillRect(0, 0, 1, 1);
    return [...canvas.getImageData(0, 0, 1, 1).data].slice(0, 3)
      .map((part) => part / 255)
      .map((part) => (part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4))
      .reduce((sum, part, place) => sum + part * [0.2126, 0.7152, 0.0722][place], 0.05);
  };
  const found = [];
  const texts = document.createTreeWalker(main, NodeFilter.SHOW_TEXT);
  while (texts.nextNode()) {
    const text = texts.currentNode.data.trim();
    const behind = [];
    for (let one = texts.currentNode.parentElement; one; one = one.parentElement) {
      behind.unshift(getComputedStyle(one).backgroundColor);
    }
    behind.unshift(getComputedStyle(document.documentElement).getPropertyValue("--vscode-editor-background"));
    const both = [painted(behind), painted([...behind, getComputedStyle(texts.currentNode.parentElement).color])];
    if (text !== "") found.push([text, Math.max(...both) / Math.min(...both)]);
  }
  return found;
}"""
"""Each text of a page, and how much its colour differs from what is behind it, as the WCAG count it."""


class Window:
    """What a person does and sees in a window.

    Args:
        page: where it is.
        port: the one that VS Code's server listens on.
        project: the folder that it is opened on.
    """

    def __init__(self, page: Page, port: int, project: Path) -> None:
        self.page = page
        self._port = port
        self._project = project
        self._begun = 0

    # The window

    def open(self, path: Path | None = None, *, workspace: Path | None = None) -> None:
        """Open the project's folder, or a workspace of several, and a file in it."""
        asked = {"folder": str(self._project)} if workspace is None else {"workspace": str(workspace)}
        if path is not None:
            asked["payload"] = json.dumps([["openFile", f"vscode-remote://127.0.0.1:{self._port}{path}"]])
        self.page.goto(f"http://127.0.0.1:{self._port}/?{urlencode(asked)}")
        if path is None:
            self.page.wait_for_selector(".explorer-folders-view .monaco-list-row")
        else:
            self._edited(path)

    def edit(self, path: Path) -> None:
        """Open a file by its path: a name would be searched for in the folder by a program of its own."""
        self._pick("Control+p", str(path), self.rows(path.name))
        self._edited(path)

    def _edited(self, path: Path) -> None:
        self.tab(path.name).and_(self.page.locator(".active")).wait_for()
        self.page.locator(".monaco-editor .view-line").first.wait_for()

    def ready(self) -> None:
        """Wait until the server runs."""
        expect(self.status).to_have_accessible_name(re.compile("Claude"))
        expect(self.status.locator(".codicon-comment-discussion")).to_be_visible(timeout=MILLISECONDS)

    def reload(self) -> None:
        """Reload the window."""
        self.page.reload()
        self.page.wait_for_selector(".monaco-editor .view-line")

    def begin(self) -> None:
        """Begin another session, with nothing open but the shop's file as it is on the disk."""
        self.page.keyboard.press("Escape")
        dirty = self.page.locator(".tab.dirty")
        for left in reversed(range(dirty.count())):
            dirty.first.click()
            self.run("View: Revert and Close Editor")
            expect(dirty).to_have_count(left)
        self.close_all()
        self.edit(self._project / "shop.py")
        self.run("ChannelCoder: New Session")
        self._begun += 1
        self.type_name(self.begun)
        expect(self.status).to_have_accessible_name(re.compile(rf"Session: {self.begun}\b"))
        expect(self.lenses).to_have_count(0)

    @property
    def begun(self) -> str:
        """The name of the session that was begun last."""
        return f"work-{self._begun}"

    @property
    def status(self) -> Locator:
        """ChannelCoder's item in the status bar."""
        return self.page.locator("#channelcoder\\.channelcoder\\.channelcoder\\.status, [id$='channelcoder.status']")

    # What a person does

    def run(self, title: str) -> None:
        """Run a command of the palette."""
        self._pick("F1", f">{title}", self.rows(title))

    def commands(self, words: str, among: str) -> list[str]:
        """The commands that the palette offers for some words, once the one is among them."""

        def read(once: int) -> list[str]:
            self._open("F1", f">{words}", once)
            self.rows(among).first.wait_for(timeout=once)
            names = self.page.locator(".quick-input-list .monaco-list-row .label-name")
            return [text.replace("\xa0", " ") for text in names.all_inner_texts()]

        found = self.again(read)
        self.page.keyboard.press("Escape")
        return found

    def take(self, title: str, row: str) -> None:
        """Run a command that offers a list, and take the row that has a text."""

        def take(once: int) -> None:
            self._open("F1", f">{title}", once)
            self.rows(title).first.click(timeout=once)
            self.asked(once)
            self.rows(row).first.click(timeout=once)

        self.again(take)

    def go(self, line: int) -> None:
        """Put the cursor at the beginning of a line, counted from 1."""

        def go(once: int) -> None:
            # Enter before the picker has taken the number in does nothing.
            self._open("Control+g", f":{line}", once)
            self.rows(re.compile(rf"\b{line}\b")).first.click(timeout=once)
            self.page.locator(".quick-input-widget").wait_for(state="hidden", timeout=once)
            expect(self.cursor).to_have_text(f"Ln {line}, Col 1", timeout=once)
            self._in_code(once)

        self.again(go)

    def select(self, first: int, last: int) -> None:
        """Select whole lines, counted from 1."""

        def select(once: int) -> None:
            self.go(first)
            self.page.keyboard.press("Home")
            for _ in range(last - first):
                self.page.keyboard.press("Shift+ArrowDown")
            self.page.keyboard.press("Shift+End")
            expect(self.cursor).to_have_text(re.compile(rf"^Ln {last}, .*selected"), timeout=once)

        self.again(select)

    def undo(self) -> None:
        """Take back what was last done to the code."""
        self.go(1)
        self.page.keyboard.press("Control+z")

    def ask(self, question: str, lines: tuple[int, int]) -> None:
        """Ask about lines through the palette."""
        self.select(*lines)
        self.run("ChannelCoder: Ask About Selection")
        self.answer(question)

    def answer(self, question: str) -> None:
        """Type a question into the box and send it."""
        box = self.page.locator(".quick-input-widget input[placeholder='Type a question']")
        box.wait_for()
        box.fill(question)
        self.rows(question).first.wait_for()
        box.press("Enter")

    def hover(self, word: str, text: str) -> None:
        """Hover over a word of the code until the text is told."""
        self.hover_over(self.word(word), text)

    def word(self, word: str) -> Locator:
        """A word of the code."""
        return self.page.locator(".view-line span", has_text=re.compile(rf"^\s*{re.escape(word)}")).last

    def hover_over(self, place: Locator, text: str) -> None:
        """Hover over a place until the text is told: what is drawn anew meanwhile closes what was shown."""

        def hover(once: int) -> None:
            self.page.mouse.move(5, 5)
            place.hover(timeout=once)
            shown = self.page.locator(".monaco-hover:visible", has_text=text)
            shown.first.wait_for(timeout=once)

        self.again(hover)

    def choose(self, title: str, *, picture: str) -> None:
        """Take the code action of this title from the list at the cursor, which a picture is kept of."""
        widget = self.page.locator(".action-widget")
        row = widget.locator(".monaco-list-row.action", has_text=title).first

        def take(once: int) -> None:  # lenses that are drawn meanwhile close the list
            if widget.is_visible():
                self.page.keyboard.press("Escape")
                widget.wait_for(state="hidden")
            self.page.keyboard.press("Control+.")
            row.wait_for(timeout=once)
            self.picture(picture)
            row.click(timeout=once)

        self.again(take)

    def reply(self, question: str) -> None:
        """Reply in the thread that is open."""
        button = self.thread.locator(".review-thread-reply-button")
        editor = self.thread.locator(".comment-form .monaco-editor")
        expect(button.or_(editor).filter(visible=True).first).to_be_visible()
        if button.is_visible():
            button.click()
        editor.click()
        expect(editor).to_have_class(re.compile(r"\bfocused\b"))
        self.page.keyboard.type(question)
        self.thread.get_by_role("button", name="Ask Claude").click()

    def collapse(self) -> None:
        """Close the thread that is open beside the code."""
        self.thread.get_by_role("button", name="Collapse").click()
        self.thread.wait_for(state="hidden")

    def view(self, title: str) -> None:
        """Show a view of the activity bar."""
        tab = self.page.locator(".activitybar").get_by_role("tab", name=title)
        if tab.get_attribute("aria-selected") != "true":  # a click on the one that is shown hides it
            tab.click()
        expect(tab).to_have_attribute("aria-selected", "true")

    def menu(self, row: Locator, item: str) -> None:
        """Take what the menu of a row offers."""

        def take(once: int) -> None:  # a row that is drawn anew closes its menu
            row.click(button="right", timeout=once)
            offered = self.page.get_by_role("menuitem", name=item)
            offered.hover(timeout=once)
            self.page.keyboard.press("Enter")  # a click is ignored until the menu was open for a while
            offered.wait_for(state="hidden", timeout=once)

        self.again(take)

    def confirm(self, button: str) -> None:
        """Say yes to what a dialog asks."""
        dialog = self.page.locator(".monaco-dialog-box")
        dialog.get_by_role("button", name=button, exact=True).click()
        dialog.wait_for(state="hidden")

    def close_tab(self, title: str) -> None:
        """Close a tab, and go back to the code: a page that closes hands the focus on."""
        tab = self.tab(title)
        tab.get_by_role("button", name="Close").click()
        expect(tab).to_have_count(0)
        self._in_code(MILLISECONDS)

    def close_all(self) -> None:
        """Close all tabs, in which nothing is to be saved."""

        def close(once: int) -> None:  # one that was just asked for may open while they close
            self._open("F1", ">View: Close All Editors", once)
            self.rows("View: Close All Editors").first.click(timeout=once)
            expect(self.page.locator(".tab")).to_have_count(0, timeout=once)

        self.again(close)

    def asked(self, once: int = MILLISECONDS) -> Locator:
        """The box of what a command asks for, once it is there: not the palette's, which is about to close."""
        box = self.page.locator(".quick-input-widget:visible input").first
        expect(box).to_be_focused(timeout=once)
        expect(box).not_to_have_value(re.compile("^>"), timeout=once)
        return box

    def type_name(self, name: str) -> None:
        """Type a name into the box that asks for it."""
        box = self.asked()
        box.fill(name)
        box.press("Enter")

    def again(self, step: Callable[[int], T]) -> T:
        """Take a step that a redraw of the window, or what takes the keys, can undo; and again where it was undone.

        Args:
            step: what is done, given how long each wait in it may be, in milliseconds; done twice it comes to the same.
        """
        *tries, last = _TRIES
        for once in tries:
            try:
                return step(once)
            except (TimeoutError, AssertionError) as problem:
                _logger.warning("%s is tried again: %s\n%s", step.__qualname__, problem, self.page.evaluate(_SHOWN))
            self.page.keyboard.press("Escape")
        return step(last)

    # What a person sees

    def session(self) -> FrameLocator:
        """The page of the session that is shown, or of an answer."""
        return self.page.frame_locator("iframe.webview.ready").frame_locator("#active-frame")

    def faint(self, least: float) -> dict[str, float]:
        """The texts on the page of the session that have less contrast than that."""
        found: list[tuple[str, float]] = self.session().locator("main").evaluate(_CONTRASTS)
        assert found
        return {text: contrast for text, contrast in found if contrast < least}

    def title(self, action: str) -> Locator:
        """A button in the title of the active editor, not one that a thread in it has."""
        return self.page.locator(".editor-group-container.active .title").get_by_role("button", name=action)

    def tab(self, title: str) -> Locator:
        """The tab with exactly this title; after it comes its group's, where there are several."""
        return self.page.get_by_role("tab", name=re.compile(rf"^{re.escape(title)}(,|$)"))

    @property
    def cursor(self) -> Locator:
        """Where the cursor is, as the status bar says."""
        return self.page.locator("[id='status.editor.selection']")

    def shows(self, text: str, *, without: str) -> None:
        """Wait until the code has some text, and another no more."""
        code = "document.querySelector('.view-lines').innerText.replaceAll('\\xa0', ' ')"
        script = f"([text, without]) => (code => code.includes(text) && !code.includes(without))({code})"
        self.page.wait_for_function(script, arg=[text, without])

    def answered(self, text: str) -> None:
        """Wait until a thread beside the code has the answer, and the lens no more says that it comes."""
        expect(self.thread.filter(has_text=text).first).to_be_visible()
        expect(self.lenses.first).to_have_text("Claude: 1 answer")

    @property
    def thread(self) -> Locator:
        """The threads that are open beside the code."""
        return self.page.locator(".review-widget:visible")

    def rows(self, text: str | re.Pattern[str]) -> Locator:
        """The rows of the list on top of the window that have a text."""
        return self.page.locator(".quick-input-list .monaco-list-row", has_text=text)

    @property
    def lenses(self) -> Locator:
        """The code lenses."""
        return self.page.locator(".codelens-decoration a")

    @property
    def notifications(self) -> Locator:
        """What is said in the corner."""
        return self.page.locator(".notification-list-item-message")

    def picture(self, name: str) -> None:
        """Keep a picture of the window, if the environment says where."""
        if folder := os.environ.get("CHANNELCODER_PICTURES"):
            self.page.screenshot(path=Path(folder) / f"vscode-{name}.png", animations="disabled")

    def small_pictures(self, name: str, show: Callable[[], None] | None = None) -> None:
        """Keep small pictures of the editor and what is below for the walkthrough, light and dark, where they are kept.

        Args:
            name: what they show.
            show: brings what goes away when another theme is chosen.
        """
        folder = os.environ.get("CHANNELCODER_PICTURES")
        before = self.page.viewport_size
        if folder is None or before is None:
            return
        self.page.set_viewport_size(_SMALL)
        for theme, class_ in (("light", ".vs"), ("dark", ".vs-dark")):
            self.page.locator(f".monaco-workbench{class_}").wait_for()
            if show is not None:
                show()
            part = self.page.locator(".part.editor").bounding_box()
            assert part is not None
            self.page.screenshot(
                path=Path(folder) / f"walkthrough-{name}-{theme}.png",
                animations="disabled",
                clip={**part, "height": _SMALL["height"] - part["y"]},
            )
            self.run("Preferences: Toggle between Light/Dark Themes")
        self.page.locator(".monaco-workbench.vs").wait_for()
        self.page.set_viewport_size(before)

    def _pick(self, key: str, text: str, rows: Locator) -> None:
        def pick(once: int) -> None:
            self._open(key, text, once)
            rows.first.click(timeout=once)

        self.again(pick)

    def _open(self, key: str, text: str, once: int) -> None:
        # One that is still closing would take the text; what is typed before the box has the focus goes to the code.
        self.page.locator(".quick-input-widget").first.wait_for(state="hidden", timeout=once)
        self.page.mouse.move(5, 5)  # what is told of the place under the mouse would cover the list
        self.page.keyboard.press(key)
        box = self.page.locator(".quick-input-widget:visible input").first
        expect(box).to_be_focused(timeout=once)
        box.fill(text)

    def _in_code(self, once: int) -> None:
        """Wait until the keys go to the code."""
        expect(self.page.locator(".editor-instance > .monaco-editor.focused")).to_be_visible(timeout=once)
