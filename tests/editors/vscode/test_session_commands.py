"""Commands about sessions and questions, each in a session of its own."""

from __future__ import annotations

import re

from playwright.sync_api import expect

from channelcoder_lsp.offline.script import Text, ToolUse, Usage

from .code import SERVER

TOTAL = (13, 18)


def test_a_session_is_forked_renamed_found_and_removed(desk, model):
    """The fork has what was said and goes on by itself; what was said is found in both."""
    model.script("It adds up with a theodolite.")
    desk.ask("What does this do?", TOTAL)
    desk.answered("It adds up")
    desk.run("ChannelCoder: Fork Session")
    box = desk.asked()
    box.fill("branched-off")
    desk.word("total").click()
    expect(box).not_to_be_focused()
    expect(box).to_have_value("branched-off")  # what is typed stays when something else takes the keys
    box.press("Enter")
    expect(desk.status).to_have_accessible_name(re.compile("Session: branched-off.*2 messages", re.DOTALL))
    expect(desk.lenses.first).to_have_text("Claude: 1 answer")

    desk.take("ChannelCoder: Rename Session", "branched-off")
    desk.type_name("by-another-name")
    expect(desk.status).to_have_accessible_name(re.compile("Session: by-another-name"))

    def search(once: int) -> None:
        desk.run("ChannelCoder: Search Sessions")
        desk.type_name("theodolite")
        expect(desk.rows("theodolite")).to_have_count(2, timeout=once)
        desk.rows("by-another-name").click(timeout=once)

    desk.again(search)
    expect(desk.session().locator("main")).to_contain_text("It adds up with a theodolite.")
    desk.close_tab("Claude: by-another-name")

    desk.take("ChannelCoder: Remove Session", "by-another-name")
    desk.confirm("Remove")
    expect(desk.status).not_to_have_accessible_name(re.compile("Session: by-another-name"))
    expect(desk.lenses).to_have_count(0)


def test_any_session_of_the_view_is_forked(desk, model):
    """One that isn't the folder's active one, too: the copy is, and has its threads."""
    model.script("It adds up.")
    desk.ask("What does this do?", TOTAL)
    desk.answered("It adds up.")
    asked_in = desk.begun
    desk.run("ChannelCoder: New Session")
    desk.type_name("empty")
    expect(desk.lenses).to_have_count(0)
    desk.view("ChannelCoder")
    desk.menu(desk.page.get_by_role("treeitem", name=f"{asked_in}, "), "Fork Session")
    desk.type_name("copied")
    expect(desk.status).to_have_accessible_name(re.compile("Session: copied.*2 messages", re.DOTALL))
    expect(desk.lenses.first).to_have_text("Claude: 1 answer")
    desk.view("Explorer")


def test_an_answer_in_a_session_that_was_left_is_said(desk, model):
    """Once, with a button that goes back to where the answer is."""
    model.script(Text(text="It adds up.", words_per_chunk=1, hold_after=1))
    desk.ask("What does this do?", TOTAL)
    expect(desk.thread).to_contain_text("answering")
    model.requests(1)  # a reply that isn't on its way can't be released
    asked_in = desk.begun
    desk.run("ChannelCoder: New Session")
    desk.type_name("meanwhile")
    expect(desk.lenses).to_have_count(0)
    expect(desk.thread).to_have_count(0)
    model.release()
    expect(desk.notifications.filter(has_text=f"Claude answered in the session {asked_in}.")).to_have_count(1)
    desk.page.get_by_role("button", name="Switch to It").click()
    expect(desk.status).to_have_accessible_name(re.compile(rf"Session: {asked_in}\b"))
    expect(desk.lenses.first).to_have_text("Claude: 1 answer")
    desk.hover("total", "It adds up.")


def test_a_session_is_exported_and_cleared(desk, model):
    """The export is a Markdown document; cleared, the session has no threads any more."""
    model.script("It adds up.")
    desk.ask("What does this do?", TOTAL)
    desk.answered("It adds up.")
    desk.run("ChannelCoder: Export Session")
    desk.page.locator(".tab", has_text="Untitled").wait_for()
    desk.shows("It adds up.", without="def total")
    desk.run("View: Revert and Close Editor")
    expect(desk.page.locator(".tab", has_text="Untitled")).to_have_count(0)
    desk.run("ChannelCoder: Clear Session")
    desk.confirm("Clear")
    expect(desk.lenses).to_have_count(0)
    expect(desk.status).to_have_accessible_name(re.compile("0 messages"))


def test_what_a_session_may_cost_and_how_full_it_is(desk, model):
    """The status bar tells limit and context; compacted, the context is empty and the summary in the transcript."""
    model.script(Text(text="It adds up.", usage=Usage(input_tokens=60_000)), "We talked about the total.")
    desk.ask("What does this do?", TOTAL)
    desk.answered("It adds up.")
    desk.run("ChannelCoder: Set Spending Limit")
    desk.type_name("2.50")
    expect(desk.status).to_have_accessible_name(re.compile(r"of \$2\.50"))
    expect(desk.status).to_have_accessible_name(re.compile(r"Context: 60,\d+ of [\d,]+ tokens \(\d+%\)"))
    desk.hover_over(desk.status, "of $2.50")
    desk.picture("tooltip")
    desk.run("ChannelCoder: Compact Session")
    expect(desk.status).not_to_have_accessible_name(re.compile("Context:"))
    desk.run("ChannelCoder: Show Transcript")
    expect(desk.session().locator("main")).to_contain_text("We talked about the total.")


def test_what_goes_along_with_a_question(desk, model):
    """What was added, a file and some lines, the model that was chosen and the prompt from the list; once."""
    model.script("It adds up.", "It still does.")
    desk.take("ChannelCoder: Select Model", "haiku")
    expect(desk.status).to_have_accessible_name(re.compile("Model: .*haiku"))
    desk.edit(desk.machine.project / "prices.py")
    desk.run("ChannelCoder: Add File to Next Question")
    expect(desk.page.get_by_text("1 thing goes along with the next question")).to_be_visible()
    desk.close_tab("prices.py")
    desk.edit(desk.machine.write("stock.py", "SHELF = 7\nROW = 9\n"))
    desk.select(2, 2)
    desk.run("ChannelCoder: Add Selection to Next Question")
    expect(desk.page.get_by_text("2 things go along with the next question")).to_be_visible()
    desk.close_tab("stock.py")
    desk.select(*TOTAL)
    desk.take("ChannelCoder: Run Prompt", "Explain")
    desk.answered("It adds up.")
    desk.reply("And now?")
    expect(desk.thread).to_contain_text("It still does.")
    first, second = model.requests(2)
    assert "VALUE_ADDED_TAX" in first.prompt
    assert "ROW = 9" in first.prompt
    assert "SHELF = 7" not in first.prompt
    assert "haiku" in first.model
    assert "VALUE_ADDED_TAX" not in second.prompt


def test_code_of_an_answer_is_inserted_and_copied(desk, model):
    """Below what was asked about, or to the clipboard; of several blocks the one that is chosen."""
    model.script("So:\n\n```python\nOPEN = True\n```\n\nOr:\n\n```python\nCLOSED = False\n```")
    desk.ask("What else?", TOTAL)
    desk.answered("So:")
    desk.collapse()
    desk.take("ChannelCoder: Insert Code from the Answer", "CLOSED = False")
    desk.shows("CLOSED = False", without="OPEN = True")
    desk.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    desk.take("ChannelCoder: Copy Code from the Answer", "OPEN = True")
    expect(desk.page.get_by_text("Copied the code from the answer")).to_be_visible()
    assert desk.page.evaluate("navigator.clipboard.readText()") == "OPEN = True"


def test_a_proposed_edit_is_discarded(desk, model):
    """From its diff, which closes; the thread offers it no more, and the code is as it was."""
    arguments = {"path": "shop.py", "old_string": "result = 0.0", "new_string": "result = 0.00"}
    model.script(ToolUse(name="mcp__channelcoder__propose_edit", input=arguments), Text(text="Mended."))
    desk.select(*TOTAL)
    desk.run("ChannelCoder: Fix Selection")
    desk.answered("Mended.")
    preview = desk.thread.get_by_role("button", name="Preview Proposed Edit")
    preview.click()
    diff = desk.page.locator(".monaco-diff-editor")
    expect(diff).to_be_visible()
    desk.title("Discard Proposed Edit").click()
    expect(diff).to_have_count(0)
    expect(desk.thread).to_contain_text("Mended.")
    expect(preview).to_have_count(0)
    desk.shows("result = 0.0", without="0.00")


def test_the_doctor_says_how_it_stands(desk):
    """The versions, the server, the trust and the folder's session, in a document to hand on."""
    desk.run("ChannelCoder: Doctor")
    desk.page.locator(".tab", has_text="Untitled").wait_for()
    facts = "Server: running", f"Program: `{SERVER}`", "Workspace: trusted", f"Session: {desk.begun}", "Asks: Claude"
    for fact in facts:
        desk.shows(f"- {fact}", without="null")
    desk.picture("doctor")


def test_the_walkthrough_shows_what_it_tells(desk):
    """Its steps with their pictures, where the window is wide enough for them; that the server runs is ticked off."""
    desk.run("View: Toggle Primary Side Bar Visibility")
    desk.take("Welcome: Open Walkthrough", "Ask Claude about your code")
    steps = desk.page.locator(".getting-started-step")
    expect(steps).to_have_count(4)
    expect(steps.filter(has_text="Install the server").get_by_role("checkbox")).to_be_checked()
    shown_at = {
        "Ask about a selection": "Selected code",
        "Go on with the session": "A session on a page",
        "What a folder may decide": "The status bar",
        "Install the server": "A notification",
    }
    for step, shown in shown_at.items():
        steps.filter(has_text=step).click()
        picture = desk.page.get_by_alt_text(shown)
        expect(picture).to_be_visible()
        expect(picture).not_to_have_js_property("naturalWidth", 0)
    desk.run("View: Toggle Primary Side Bar Visibility")


def test_a_question_is_cancelled_where_its_progress_is_shown(desk, model):
    """The progress has the editor's own button; the thread says so and offers to ask again."""
    model.script(Text(text="It adds up, one after the other.", words_per_chunk=1, hold_after=1))
    desk.ask("What does this do?", TOTAL)
    expect(desk.thread).to_contain_text("answering")
    desk.page.locator(".statusbar-item", has_text="What does this do?").click()
    desk.page.locator(".notification-list-item").get_by_role("button", name="Cancel").click()
    expect(desk.thread).to_contain_text("cancelled")
    expect(desk.thread.get_by_role("button", name="Ask Again")).to_be_visible()


def test_signing_in_is_claudes_own_command_in_a_terminal(desk):
    desk.run("ChannelCoder: Sign In")
    expect(desk.page.locator(".xterm")).to_be_visible()
    expect(desk.page.locator(".terminal-outer-container")).to_be_visible()
